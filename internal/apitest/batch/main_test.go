// Package batch_test tests what batches, and replies to reads, promise to callers.
package batch_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// What is shared, by its short name.
type (
	customerID = apitest.CustomerID
	order      = apitest.Order
	orderID    = apitest.OrderID
	user       = apitest.User
)

const (
	faults     = apitest.Faults
	lostAfter  = apitest.LostAfter
	lostBefore = apitest.LostBefore
	throttled  = apitest.Throttled
)

var (
	errReset      = apitest.ErrReset
	first         = apitest.First
	needsEngine   = apitest.NeedsEngine
	newClient     = apitest.NewClient
	newFaulty     = apitest.NewFaulty
	orderCustomer = apitest.OrderCustomer
	orderKey      = apitest.OrderKey
	orderTags     = apitest.OrderTags
	orderTotal    = apitest.OrderTotal
	tableName     = apitest.TableName
	userID        = apitest.UserID
	userName      = apitest.UserName
	userVersion   = apitest.UserVersion
)

// newOrders is a fresh, empty table of orders.
func newOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	orders, err := ddb.New(newClient(t), tableName(t), orderCustomer, orderKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return orders
}

// newUsers is a fresh, empty table of users.
func newUsers(t testing.TB, opts ...ddb.TableOption) *ddb.SimpleTable[user, string] {
	t.Helper()
	users, err := ddb.NewSimple(newClient(t), tableName(t), userID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return users
}
