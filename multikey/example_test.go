// SPDX-License-Identifier: Apache-2.0

package multikey_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/multikey"
)

type Order struct {
	ID     string `dynamodbav:"id"`
	Status string `dynamodbav:"status"`
	Year   int    `dynamodbav:"year"`
	Month  int    `dynamodbav:"month"`
}

var (
	orderID     = ddb.StrField(func(o *Order) *string { return &o.ID })
	orderStatus = ddb.StrField(func(o *Order) *string { return &o.Status })
	orderYear   = ddb.NumField(func(o *Order) *int { return &o.Year })
	orderMonth  = ddb.NumField(func(o *Order) *int { return &o.Month })
)

// An index whose sort key has two attributes: the orders of a status since April 2026, and those of a whole year.
func Example() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	orders, err := ddb.NewSimple(engine.Client(), "orders", orderID)
	if err != nil {
		fmt.Println(err)
		return
	}
	when := multikey.Of2(orderYear, orderMonth)
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, when)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := orders.EnsureTable(ctx); err != nil {
		fmt.Println(err)
		return
	}
	if err := orders.BatchPut(ctx, []Order{{"a", "open", 2025, 12}, {"b", "open", 2026, 3}, {"c", "open", 2026, 7}, {"d", "paid", 2026, 8}}); err != nil {
		fmt.Println(err)
		return
	}
	late, err := byStatus.Query("open").SortKey(ddb.Ge(multikey.K2(2026, 4))).Collect(ctx)
	if err == nil {
		fmt.Println(len(late), "order is open since April 2026")
	}
	year, err := byStatus.Query("open").SortKey(multikey.FirstOne(when, ddb.Eq(2026))).Collect(ctx)
	if err == nil {
		fmt.Println(len(year), "open orders are of 2026")
	}
	// Output:
	// 1 order is open since April 2026
	// 2 open orders are of 2026
}
