// SPDX-License-Identifier: Apache-2.0

// Quickstart defines a table, writes, reads, queries, pages, streams, batches,
// counts and updates, and prints the cost. It runs on the embedded engine, or on
// the endpoint in DYNAMODB_ENDPOINT:
//
//	go run ./examples/quickstart
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

type (
	CustomerID string
	OrderID    string
)

// Order is one item: a customer's order.
type Order struct {
	Customer CustomerID   `dynamodbav:"customer_id"`
	ID       OrderID      `dynamodbav:"order_id"`
	Status   string       `dynamodbav:"status"`
	Total    int64        `dynamodbav:"total"`
	Tags     []string     `dynamodbav:"tags,stringset,omitempty"`
	PlacedAt time.Time    `dynamodbav:"placed_at"` // stored as text that sorts: UTC, fixed width
	Revision ddb.Revision `dynamodbav:"revision"`
}

// Handles: the item type and the value type are inferred; the attribute name comes from the tag.
var (
	orderCustomer = ddb.StrField(func(o *Order) *CustomerID { return &o.Customer })
	orderID       = ddb.StrField(func(o *Order) *OrderID { return &o.ID })
	orderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })
	orderTotal    = ddb.NumField(func(o *Order) *int64 { return &o.Total })
	orderTags     = ddb.SetField(func(o *Order) *[]string { return &o.Tags })
	orderPlacedAt = ddb.TimeField(func(o *Order) *time.Time { return &o.PlacedAt })
	orderRevision = ddb.Field(func(o *Order) *ddb.Revision { return &o.Revision })
)

// Event is an item of a second table, without versions, for the batch calls.
type Event struct {
	Stream string `dynamodbav:"stream"`
	Seq    int    `dynamodbav:"seq"`
	Text   string `dynamodbav:"text"`
}

var (
	eventStream = ddb.StrField(func(e *Event) *string { return &e.Stream })
	eventSeq    = ddb.NumField(func(e *Event) *int { return &e.Seq })
)

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	if err := run(context.Background(), client); err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
}

// newOrders describes the table. With a revision and tombstones, each write proves its outcome, even if a reply is lost.
func newOrders(client ddb.Client, name string) (*ddb.Table[Order, CustomerID, OrderID], error) {
	return ddb.New(client, name, orderCustomer, orderID,
		ddb.Version(orderRevision), ddb.Tombstones("deleted", time.Hour))
}

func run(ctx context.Context, client ddb.Client) error {
	orders, err := newOrders(client, "quickstart-orders")
	if err != nil {
		return err
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderPlacedAt)
	if err != nil {
		return err
	}
	events, err := ddb.New(client, "quickstart-events", eventStream, eventSeq)
	if err != nil {
		return err
	}
	if err := orders.CreateTable(ctx); err != nil {
		return err
	}
	defer orders.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(orders.Name())) //nolint:errcheck // only tidies up
	if err := events.CreateTable(ctx); err != nil {
		return err
	}
	defer events.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(events.Name())) //nolint:errcheck // only tidies up
	fmt.Println("define  tables", orders.Name(), "(index by-status) and", events.Name())

	for _, step := range []func() error{
		func() error { return writeAndRead(ctx, orders) },
		func() error { return query(ctx, orders, byStatus) },
		func() error { return update(ctx, orders) },
		func() error { return batch(ctx, events) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	fmt.Println("cost    consumed capacity:")
	for _, e := range ddb.DefaultLedger().Snapshot().ByOperation().Entries {
		fmt.Printf("        %-18s %3d calls %6.1f read units %6.1f write units\n", e.Operation, e.Operations, e.ReadUnits, e.WriteUnits)
	}
	return nil
}

func writeAndRead(ctx context.Context, orders *ddb.Table[Order, CustomerID, OrderID]) error {
	day := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	for i := range 25 {
		o := Order{
			Customer: "c1", ID: OrderID(fmt.Sprintf("2026-%02d", i+1)), Status: []string{"open", "paid"}[i%2],
			Total: int64(10 * (i + 1)), Tags: []string{"web"}, PlacedAt: day.AddDate(0, 0, i),
		}
		if err := orders.Create(ctx, &o); err != nil {
			return err
		}
	}
	fmt.Println("write   25 orders of customer c1")

	o, err := orders.Get(ctx, "c1", "2026-09")
	if err != nil {
		return err
	}
	fmt.Println("get     c1/2026-09:", o.Status, o.Total, "revision", o.Revision.Number)

	_, err = orders.Get(ctx, "c1", "none")
	fmt.Println("get     c1/none: not found =", errors.Is(err, ddb.ErrNotFound))

	err = orders.Create(ctx, &o)
	if failed, ok := errors.AsType[*ddb.ConditionFailed[Order]](err); ok {
		current, _ := failed.Current()
		fmt.Println("create  c1/2026-09 again: refused, present is revision", current.Revision.Number)
		return nil
	}
	return err
}

func query(ctx context.Context, orders *ddb.Table[Order, CustomerID, OrderID], byStatus *ddb.Index[Order, string, time.Time]) error {
	q := orders.Query("c1").SortKey(ddb.BeginsWith(OrderID("2026-"))).Filter(orderTotal.Gt(100)).Descending().Limit(5)
	page, err := q.Page(ctx)
	if err != nil {
		return err
	}
	fmt.Print("query   total over 100, newest 5:")
	for _, o := range page.Items {
		fmt.Print(" ", o.ID)
	}
	fmt.Println()

	cursor, err := orders.ParseCursor(page.Next.String()) // as text, through a web page
	if err != nil {
		return err
	}
	page, err = q.After(cursor).Page(ctx)
	if err != nil {
		return err
	}
	fmt.Print("page    the next 5:")
	for _, o := range page.Items {
		fmt.Print(" ", o.ID)
	}
	fmt.Println()

	sum := int64(0)
	for o, err := range byStatus.Query("open").All(ctx) {
		if err != nil {
			return err
		}
		sum += o.Total
	}
	n, err := byStatus.Query("open").Count(ctx)
	if err != nil {
		return err
	}
	fmt.Println("stream  index by-status: total of", n, "open orders is", sum)
	return nil
}

func update(ctx context.Context, orders *ddb.Table[Order, CustomerID, OrderID]) error {
	key := orders.Key("c1", "2026-09")
	o, err := orders.Update(ctx, key, orderTotal.Add(5), orderTags.Insert("vip"), ddb.If(orderStatus.Eq("open")))
	if err != nil {
		return err
	}
	fmt.Println("update  c1/2026-09 if open: total", o.Total, "tags", len(o.Tags), "revision", o.Revision.Number)

	_, err = orders.Update(ctx, key, orderStatus.Set("paid"), ddb.If(orderStatus.Eq("lost")))
	fmt.Println("update  c1/2026-09 if lost:", err)
	if !errors.Is(err, ddb.ErrConditionFailed) {
		return err
	}
	return nil
}

func batch(ctx context.Context, events *ddb.Table[Event, string, int]) error {
	list := make([]Event, 100)
	for i := range list {
		list[i] = Event{Stream: "log", Seq: i, Text: fmt.Sprintf("event %d", i)}
	}
	if err := events.BatchPut(ctx, list); err != nil {
		return err
	}
	got, err := events.BatchGet(ctx, []ddb.Key[string, int]{events.Key("log", 7), events.Key("log", 777), events.Key("log", 99)})
	if err != nil {
		return err
	}
	fmt.Println("batch   put 100 events, got log/7:", got[0].Found, "log/777:", got[1].Found, "log/99:", got[2].Found)

	n, err := events.Query("log").SortKey(ddb.Between(10, 59)).Count(ctx)
	if err != nil {
		return err
	}
	fmt.Println("count   events 10 to 59:", n)
	return nil
}
