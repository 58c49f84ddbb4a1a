// SPDX-License-Identifier: Apache-2.0

package apitest

import (
	"testing"

	"github.com/dynamotable/ddb"
)

// NewOrders returns a new, empty table of orders.
func NewOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[Order, CustomerID, OrderID] {
	t.Helper()
	orders, err := ddb.New(NewClient(t), TableName(t), OrderCustomer, OrderKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return orders
}

// NewUsers returns a new, empty table of users.
func NewUsers(t testing.TB, opts ...ddb.TableOption) *ddb.SimpleTable[User, string] {
	t.Helper()
	users, err := ddb.NewSimple(NewClient(t), TableName(t), UserID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return users
}
