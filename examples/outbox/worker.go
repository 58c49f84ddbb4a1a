// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbclient"
)

const ordersTable = "outbox-orders"

// Order is an item that the service writes.
type Order struct {
	Customer string `dynamodbav:"customer"`
	ID       string `dynamodbav:"id"`
	Status   string `dynamodbav:"status"`
	Total    int64  `dynamodbav:"total"`
}

// ByStatus is the projection: orders under their status.
type ByStatus struct {
	Status string `dynamodbav:"status"`
	Order  string `dynamodbav:"order"` // customer and id
	Total  int64  `dynamodbav:"total"`
	change.Applied
}

var (
	orderCustomer = ddb.StrField(func(o *Order) *string { return &o.Customer })
	orderID       = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })

	viewStatus = ddb.StrField(func(v *ByStatus) *string { return &v.Status })
	viewOrder  = ddb.StrField(func(v *ByStatus) *string { return &v.Order })
	viewUntil  = ddb.TimeField(func(v *ByStatus) *time.Time { return &v.Until })
)

func byStatus(o *Order) ByStatus {
	return ByStatus{Status: o.Status, Order: o.Customer + "/" + o.ID, Total: o.Total}
}

// tables are the tables that the service and its workers share.
type tables struct {
	cfg      aws.Config
	orders   *ddb.Table[Order, string, string]
	byStatus *ddb.Table[ByStatus, string, string]
	leases   *change.TableStore
	view     *change.View[Order, ByStatus, [2]string]
}

func openTables(ctx context.Context) (*tables, error) {
	t := &tables{}
	opts := []func(*config.LoadOptions) error{}
	if os.Getenv("AWS_REGION") == "" { // the engine accepts any Region
		opts = append(opts, config.WithRegion("eu-central-1"), config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider("id", "secret", "")))
	}
	var err error
	if t.cfg, err = config.LoadDefaultConfig(ctx, opts...); err != nil {
		return nil, err
	}
	client, err := ddbclient.New(ctx, ddbclient.WithConfig(t.cfg), ddbclient.WithEndpoint(os.Getenv("DYNAMODB_ENDPOINT")))
	if err != nil {
		return nil, err
	}
	if t.orders, err = ddb.New(client, ordersTable, orderCustomer, orderID); err != nil {
		return nil, err
	}
	if t.byStatus, err = ddb.New(client, "outbox-by-status", viewStatus, viewOrder, ddb.TTL(viewUntil)); err != nil {
		return nil, err
	}
	if t.leases, err = change.NewTableStore(client, "outbox-leases"); err != nil {
		return nil, err
	}
	t.view = change.NewView(t.byStatus,
		func(v *ByStatus) *change.Applied { return &v.Applied },
		func(v *ByStatus) [2]string { return [2]string{v.Status, v.Order} },
		func(o *Order) (ByStatus, bool) { return byStatus(o), true })
	return t, nil
}

// project is a worker: it handles the changes of the shards that it has leases for, until its context ends.
func project(ctx context.Context, name string) error {
	t, err := openTables(ctx)
	if err != nil {
		return err
	}
	streams := dynamodbstreams.NewFromConfig(t.cfg, func(o *dynamodbstreams.Options) {
		o.BaseEndpoint = aws.String(os.Getenv("DYNAMODB_ENDPOINT"))
	})
	consumer, err := change.NewConsumer(streams, change.OfTable(ordersTable), "by-status", t.leases, change.Each(t.view.Apply),
		change.WorkerName(name), change.Failover(2*time.Second), change.PollInterval(50*time.Millisecond), change.DiscoveryInterval(time.Second))
	if err != nil {
		return err
	}
	return consumer.Run(ctx)
}
