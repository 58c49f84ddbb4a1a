// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for what the tests share.
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
	newUsers      = apitest.NewUsers
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

// newOrders returns a new, empty table of orders.
func newOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	return apitest.NewTable(t, newClient(t), orderCustomer, orderKey, opts...)
}
