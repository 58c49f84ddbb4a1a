// SPDX-License-Identifier: Apache-2.0

// Fakes shows a business rule and its tests, with a fake of its interface and with the table on the engine.
//
//	go run ./examples/fakes
//	go test ./examples/fakes
package main

import (
	"context"
	"fmt"
	"iter"
	"log"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

type Order struct {
	Customer string `dynamodbav:"customer"`
	ID       string `dynamodbav:"id"`
	Status   string `dynamodbav:"status"`
	Total    int64  `dynamodbav:"total"`
}

var (
	orderCustomer = ddb.StrField(func(o *Order) *string { return &o.Customer })
	orderID       = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })
)

// Orders has the methods that the rule needs, with plain types. It is declared where it is used.
type Orders interface {
	Open(ctx context.Context, customer string) iter.Seq2[Order, error]
}

// Owed is the rule.
func Owed(ctx context.Context, orders Orders, customer string) (sum int64, err error) {
	for o, err := range orders.Open(ctx, customer) {
		if err != nil {
			return 0, fmt.Errorf("open orders: %w", err)
		}
		sum += o.Total
	}
	return sum, nil
}

// orderTable is the real implementation. The whole query is in one method, so a fake also needs only one method.
type orderTable struct {
	*ddb.Table[Order, string, string]
}

func newOrderTable(client ddb.Client) (orderTable, error) {
	table, err := ddb.New(client, "orders", orderCustomer, orderID)
	return orderTable{table}, err
}

func (t orderTable) Open(ctx context.Context, customer string) iter.Seq2[Order, error] {
	return t.Query(customer).Filter(orderStatus.Eq("open")).All(ctx)
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	client, stop := ddbtest.Open()
	defer stop()
	orders, err := newOrderTable(client)
	if err != nil {
		return err
	}
	if err := orders.EnsureTable(ctx); err != nil {
		return err
	}
	if err := orders.BatchPut(ctx, []Order{{"c1", "o1", "open", 5}, {"c1", "o2", "paid", 7}, {"c1", "o3", "open", 8}}); err != nil {
		return err
	}
	sum, err := Owed(ctx, orders, "c1")
	if err != nil {
		return err
	}
	fmt.Println("c1 owes", sum)
	return nil
}
