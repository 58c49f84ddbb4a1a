// SPDX-License-Identifier: Apache-2.0

// Testing is a small order service (orders.go) with its tests (orders_test.go). Each test has
// its own engine; the tests use a clock, time to live, a stream, and
// faults by rules and at random. Both files are meant to be copied.
//
//	go run ./examples/testing          calls the service
//	go test ./examples/testing -v      runs the tests
//
// With DYNAMODB_ENDPOINT, both use that endpoint; tests that need faults or the clock are
// then skipped.
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

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	if err := run(context.Background(), client); err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
}

func run(ctx context.Context, client ddb.Client) error {
	orders, err := NewOrders(ctx, client, "testing-orders", time.Now)
	if err != nil {
		return err
	}
	defer orders.table.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(orders.table.Name())) //nolint:errcheck // only tidies up
	if err := orders.Place(ctx, "ann", "o1", 100); err != nil {
		return err
	}
	fmt.Println("placed o1; placing it again is refused:", errors.Is(orders.Place(ctx, "ann", "o1", 100), ErrPlaced))
	for _, amount := range []int64{60, 40} {
		o, err := orders.Pay(ctx, "ann", "o1", amount)
		if err != nil {
			return err
		}
		fmt.Println("paid", amount, "- in all", o.Paid, "of", o.Total, "- held for payment:", !o.HeldUntil.IsZero())
	}
	list, err := orders.Of(ctx, "ann")
	fmt.Println("orders of ann:", len(list), "at revision", list[0].Revision.Number)
	return err
}
