// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"iter"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
)

// fakeOrders yields its list and then its error, as a table's iterator does.
type fakeOrders struct {
	list []Order
	err  error
}

func (f fakeOrders) Open(_ context.Context, customer string) iter.Seq2[Order, error] {
	return func(yield func(Order, error) bool) {
		for _, o := range f.list {
			if o.Customer == customer && o.Status == "open" && !yield(o, nil) {
				return
			}
		}
		if f.err != nil {
			yield(Order{}, f.err)
		}
	}
}

var some = []Order{{"c1", "o1", "open", 5}, {"c1", "o2", "paid", 7}, {"c2", "o1", "open", 8}}

// TestOwed tests the rule.
func TestOwed(t *testing.T) {
	for _, test := range []struct {
		name   string
		orders fakeOrders
		want   int64
		err    error
	}{
		{"open orders", fakeOrders{list: some}, 5, nil},
		{"none", fakeOrders{}, 0, nil},
		{"an error after some orders", fakeOrders{list: some, err: ddb.ErrThrottled}, 0, ddb.ErrThrottled},
	} {
		if sum, err := Owed(t.Context(), test.orders, "c1"); sum != test.want || !errors.Is(err, test.err) {
			t.Errorf("%s: %d, %v", test.name, sum, err)
		}
	}
}

// TestOrderTable tests the query, on the engine. It finds mistakes that a fake cannot find, such as a filter on the wrong attribute.
func TestOrderTable(t *testing.T) {
	orders, err := newOrderTable(ddbtest.New(t))
	if err == nil {
		err = orders.CreateTable(t.Context())
	}
	if err == nil {
		err = orders.BatchPut(t.Context(), some)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sum, err := Owed(t.Context(), orders, "c1"); sum != 5 || err != nil {
		t.Error(sum, err)
	}
}
