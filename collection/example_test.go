// SPDX-License-Identifier: Apache-2.0

package collection_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/collection"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
)

type Order struct {
	Customer string `dynamodbav:"customer"`
	ID       string `dynamodbav:"id"`
	Status   string `dynamodbav:"status"`
}

var (
	orderCustomer = ddb.StrField(func(o *Order) *string { return &o.Customer })
	orderID       = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus   = ddb.StrField(func(o *Order) *string { return &o.Status })
)

// A table with a local index says how large the item collection is that a write changed.
func Example() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	orders, err := ddb.New(engine.Client(), "orders", orderCustomer, orderID, collection.Warn(0, func(c hooks.ItemCollection) {
		fmt.Printf("a collection of table %s has %g to %g GB\n", c.Table, c.MinGB, c.MaxGB)
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := ddb.NewLocalIndex(orders, "by-status", orderStatus); err != nil {
		fmt.Println(err)
		return
	}
	if err := orders.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := orders.Put(ctx, &Order{"c1", "o1", "open"}); err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// a collection of table orders has 0 to 1 GB
}
