// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

type Order struct {
	ID     string `dynamodbav:"id"`
	Status string `dynamodbav:"status"`
	Total  int64  `dynamodbav:"total"`
}

var (
	orderID     = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus = ddb.StrField(func(o *Order) *string { return &o.Status })
)

// someOrders is an engine with a table whose stream has four changes.
func someOrders(ctx context.Context) *ddbtest.Engine {
	engine := ddbtest.NewEngine()
	orders, err := ddb.NewSimple(engine.Client(), "orders", orderID)
	if err != nil {
		log.Fatal(err)
	}
	if err := orders.EnsureTable(ctx, schema.Stream(types.StreamViewTypeNewAndOldImages)); err != nil {
		log.Fatal(err)
	}
	for _, o := range []Order{{"o1", "open", 10}, {"o2", "open", 20}} {
		if err := orders.Create(ctx, &o); err != nil {
			log.Fatal(err)
		}
	}
	if _, err := orders.Update(ctx, "o1", orderStatus.Set("paid")); err != nil {
		log.Fatal(err)
	}
	if err := orders.Delete(ctx, "o2"); err != nil {
		log.Fatal(err)
	}
	return engine
}

// A consumer handles every change of a table, together with all other consumers of its app. In a service, Run
// continues until the process gets a signal to end, and uses the streams client of the SDK.
func Example() {
	ctx, cancel := context.WithCancel(context.Background())
	engine := someOrders(ctx)
	leases, err := change.NewTableStore(engine.Client(), "leases")
	if err != nil {
		log.Fatal(err)
	}
	if err := leases.EnsureTable(ctx); err != nil {
		log.Fatal(err)
	}
	handled := 0
	consumer, err := change.NewConsumer(engine.StreamsClient(), change.OfTable("orders"), "printer", leases,
		change.Each(func(_ context.Context, c change.Change[Order]) error {
			switch c.Kind {
			case change.Insert:
				fmt.Println(c.New.ID, "is new")
			case change.Modify:
				fmt.Println(c.New.ID, "was", c.Old.Status, "and is", c.New.Status)
			case change.Remove:
				fmt.Println(c.Keys.ID, "is gone")
			}
			if handled++; handled == 4 {
				cancel() // Run returns when this change is handled and its position stored
			}
			return nil
		}).Retry(change.RetryPolicy{MaxAttempts: 8}))
	if err != nil {
		log.Fatal(err)
	}
	if err := consumer.Run(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// o1 is new
	// o2 is new
	// o1 was open and is paid
	// o2 is gone
}

// An iterator needs no state, and its loop can end at any time.
func ExampleStream_All() {
	ctx := context.Background()
	engine := someOrders(ctx)
	stream, err := change.NewStream[Order](engine.StreamsClient(), change.OfTable("orders"))
	if err != nil {
		log.Fatal(err)
	}
	for c, err := range stream.All(ctx, change.FromHorizon()) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(c.Kind, c.Keys.ID)
		if c.Kind == change.Remove {
			break
		}
	}
	// Output:
	// INSERT o1
	// INSERT o2
	// MODIFY o1
	// REMOVE o2
}

// A Lambda function handles the events of its trigger: lambda.Start(handler).
func ExampleLambdaHandler() {
	handler := change.LambdaHandler(func(_ context.Context, c change.Change[Order]) error {
		if c.New.Total < 0 {
			return fmt.Errorf("order %s owes us nothing", c.New.ID)
		}
		fmt.Println(c.New.ID, c.New.Total)
		return nil
	}, nil)
	event := `{"Records":[
		{"eventName":"INSERT","dynamodb":{"SequenceNumber":"111","Keys":{"id":{"S":"o1"}},"NewImage":{"id":{"S":"o1"},"total":{"N":"10"}}}},
		{"eventName":"INSERT","dynamodb":{"SequenceNumber":"222","Keys":{"id":{"S":"o2"}},"NewImage":{"id":{"S":"o2"},"total":{"N":"-1"}}}}]}`
	response, err := handler(context.Background(), json.RawMessage(event))
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.Marshal(response)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(text))
	// Output:
	// o1 10
	// {"batchItemFailures":[{"itemIdentifier":"222"}]}
}

// OrderByStatus is an item of a view that lists orders by their status.
type OrderByStatus struct {
	Status string `dynamodbav:"status"`
	Order  string `dynamodbav:"order"`
	change.Applied
}

// A view follows its source by the handler of a consumer, or here of an iterator.
func ExampleView() {
	ctx := context.Background()
	engine := someOrders(ctx)
	table, err := ddb.New(engine.Client(), "orders-by-status",
		ddb.StrField(func(o *OrderByStatus) *string { return &o.Status }), ddb.StrField(func(o *OrderByStatus) *string { return &o.Order }),
		ddb.TTL(ddb.Field(func(o *OrderByStatus) *time.Time { return &o.Until })))
	if err != nil {
		log.Fatal(err)
	}
	if err := table.EnsureTable(ctx); err != nil {
		log.Fatal(err)
	}
	view := change.NewView(table,
		func(o *OrderByStatus) *change.Applied { return &o.Applied },
		func(o *OrderByStatus) [2]string { return [2]string{o.Status, o.Order} },
		func(o *Order) (OrderByStatus, bool) { return OrderByStatus{Status: o.Status, Order: o.ID}, true })

	stream, err := change.NewStream[Order](engine.StreamsClient(), change.OfTable("orders"))
	if err != nil {
		log.Fatal(err)
	}
	for c, err := range stream.All(ctx, change.FromHorizon()) {
		if err != nil {
			log.Fatal(err)
		}
		if err := view.Apply(ctx, c); err != nil {
			log.Fatal(err)
		}
		if c.Kind == change.Remove {
			break
		}
	}
	for _, status := range []string{"open", "paid"} {
		n, err := table.Query(status).Filter(view.Live()).Count(ctx)
		fmt.Println(status, n, err)
	}
	// Output:
	// open 0 <nil>
	// paid 1 <nil>
}
