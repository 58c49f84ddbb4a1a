// Package cost_test tests what requests cost and who sees it: budgets, ledgers, hooks and Explain.
package cost_test

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

var (
	needsEngine   = apitest.NeedsEngine
	newClient     = apitest.NewClient
	orderCustomer = apitest.OrderCustomer
	orderKey      = apitest.OrderKey
	orderPlacedAt = apitest.OrderPlacedAt
	orderStatus   = apitest.OrderStatus
	orderTotal    = apitest.OrderTotal
	orderVisits   = apitest.OrderVisits
	tableName     = apitest.TableName
	userAvatar    = apitest.UserAvatar
	userEmail     = apitest.UserEmail
	userID        = apitest.UserID
	userName      = apitest.UserName
	userNick      = apitest.UserNick
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

// second is the error of a call with a result.
func second[T any](_ T, err error) error { return err }
