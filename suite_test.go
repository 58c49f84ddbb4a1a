package ddb_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// What is shared, by its short name.
type (
	address    = apitest.Address
	customerID = apitest.CustomerID
	line       = apitest.Line
	order      = apitest.Order
	orderID    = apitest.OrderID
	user       = apitest.User
)

var (
	newClient     = apitest.NewClient
	orderCity     = apitest.OrderCity
	orderCustomer = apitest.OrderCustomer
	orderKey      = apitest.OrderKey
	orderLines    = apitest.OrderLines
	orderStatus   = apitest.OrderStatus
	orderTotal    = apitest.OrderTotal
	someOrder     = apitest.SomeOrder
	tableName     = apitest.TableName
	userChanged   = apitest.UserChanged
	userID        = apitest.UserID
	userLogins    = apitest.UserLogins
	userName      = apitest.UserName
	userNick      = apitest.UserNick
	userPoints    = apitest.UserPoints
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
