// SPDX-License-Identifier: Apache-2.0

// Singletable stores customers, their orders and the lines of the orders in one table: each type recognises its own items, one query
// reads a customer with all orders and lines, and one index contains two of the types. It runs on the embedded engine, or on the endpoint in
// DYNAMODB_ENDPOINT:
//
//	go run ./examples/singletable
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/schema"
)

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	err := run(context.Background(), client)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client) error {
	s, err := open(ctx, client)
	if err != nil {
		return err
	}
	defer func() { _ = s.all.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(s.all.Name())) }()
	for _, step := range []func(context.Context) error{s.seed, s.account, s.oneType, s.index, s.batch, s.collision} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// seed writes a customer, two orders and their lines in one transaction, and also an item of another program.
func (s *shop) seed(ctx context.Context) error {
	day := func(d int) time.Time { return time.Date(2026, 9, d, 0, 0, 0, 0, time.UTC) }
	const pk = "CUSTOMER#7"
	err := ddb.Transact(ctx, s.client,
		s.customers.TxCreate(&Customer{PK: pk, SK: "PROFILE", Name: "Ann", Status: "open", Since: day(1)}),
		s.orders.TxCreate(&Order{PK: pk, SK: "ORDER#0001", Total: 40, Status: "shipped", Since: day(2)}),
		s.lines.TxCreate(&Line{PK: pk, SK: "ORDER#0001#LINE#01", SKU: "tea", Qty: 4}),
		s.orders.TxCreate(&Order{PK: pk, SK: "ORDER#0002", Total: 90, Status: "open", Since: day(3)}),
		s.lines.TxCreate(&Line{PK: pk, SK: "ORDER#0002#LINE#01", SKU: "cup", Qty: 1}),
		s.lines.TxCreate(&Line{PK: pk, SK: "ORDER#0002#LINE#02", SKU: "pot", Qty: 2}))
	if err != nil {
		return err
	}
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	_, err = s.client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String(s.all.Name()), Item: map[string]types.AttributeValue{
		"pk": text(pk), "sk": text("INVOICE#1"), "type": text("invoice"),
	}})
	return err
}

// account reads a customer with all orders and lines by one query: item by item, and into a struct.
func (s *shop) account(ctx context.Context) error {
	fmt.Println("one query, item by item:")
	for r, err := range entity.Read(s.all, s.customers.Query("CUSTOMER#7")).All(ctx) {
		if err != nil {
			return err
		}
		switch r := r.(type) {
		case *Customer:
			fmt.Printf("  customer %s\n", r.Name)
		case *Order:
			fmt.Printf("  order %s, %s, %d\n", r.SK, r.Status, r.Total)
		case *Line:
			fmt.Printf("  line %s, %d of %s\n", r.SK, r.Qty, r.SKU)
		case Unknown:
			kind, _ := r.Text("type")
			fmt.Printf("  unknown: %s\n", kind)
		}
	}
	var account struct {
		Customer *Customer
		Orders   []Order
		Lines    []Line
		Others   []Unknown
	}
	if err := entity.Collect(ctx, entity.Read(s.all, s.customers.Query("CUSTOMER#7")), &account); err != nil {
		return err
	}
	fmt.Printf("into a struct: %s with %d orders, %d lines and %d other items\n", account.Customer.Name, len(account.Orders), len(account.Lines), len(account.Others))

	// Order 2 with its lines is a range of sort keys; the filter keeps only lines of more than one piece.
	order2 := entity.Read(s.all, s.orders.Query("CUSTOMER#7").SortKey(ddb.BeginsWith("ORDER#0002")), entity.Where(s.lines, lineQty.Gt(1)))
	list, err := order2.Collect(ctx)
	fmt.Printf("order 2 and its lines of more than one piece: %d items\n\n", len(list))
	return err
}

// oneType reads only orders, although items of other types are between them.
func (s *shop) oneType(ctx context.Context) error {
	orders, err := s.orders.Query("CUSTOMER#7").Filter(orderTotal.Gt(10)).Collect(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("only orders: %d, first %s\n", len(orders), orders[0].SK)
	// The table of customers does not skip other types, but reports them as an error.
	_, err = s.customers.Query("CUSTOMER#7").Collect(ctx)
	fmt.Println("a query for only customers finds another type:", errors.Is(err, ddb.ErrOtherEntity))
	_, err = s.orders.Get(ctx, "CUSTOMER#7", "PROFILE")
	fmt.Printf("the profile is not found as an order: %t\n\n", errors.Is(err, ddb.ErrNotFound))
	return nil
}

// index reads customers and orders by one query of the index, in two pages.
func (s *shop) index(ctx context.Context) error {
	read := entity.Read(s.all, s.byStatus.Query("open").Limit(1))
	page, err := read.Page(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("oldest open item: %T\n", page.Items[0])
	if page, err = read.After(page.Next).Page(ctx); err != nil {
		return err
	}
	fmt.Printf("next: %T\n\n", page.Items[0])
	return nil
}

// batch reads items of several types by their keys, in one request.
func (s *shop) batch(ctx context.Context) error {
	var stats ddb.BatchStats
	got, err := s.all.BatchGet(ctx, []entity.Key{
		entity.KeyOf(s.lines, s.lines.Key("CUSTOMER#7", "ORDER#0002#LINE#02")),
		entity.KeyOf(s.customers, s.customers.Key("CUSTOMER#7", "PROFILE")),
		entity.KeyOf(s.orders, s.orders.Key("CUSTOMER#7", "ORDER#0009")),
	}, ddb.StatsTo(&stats))
	if err != nil {
		return err
	}
	fmt.Printf("a batch of keys: %T, %T, order 9 found: %t; %d request\n\n", got[0].Item, got[1].Item, got[2].Found, stats.Requests)
	return nil
}

// collision puts an order where a customer is.
func (s *shop) collision(ctx context.Context) error {
	err := s.orders.Put(ctx, &Order{PK: "CUSTOMER#7", SK: "PROFILE", Total: 1, Status: "open", Since: time.Now()})
	fmt.Println("an order does not replace the customer:", errors.Is(err, ddb.ErrOtherEntity) && errors.Is(err, ddb.ErrConditionFailed))
	c, err := s.customers.Get(ctx, "CUSTOMER#7", "PROFILE")
	fmt.Println("the customer is still", c.Name)
	return err
}
