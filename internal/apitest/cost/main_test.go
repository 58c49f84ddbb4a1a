// SPDX-License-Identifier: Apache-2.0

// Package cost_test tests the requests of calls, what they cost, and where that is reported: budgets, ledgers, hooks, Explain and the
// advice in errors.
package cost_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type (
	customerID = apitest.CustomerID
	order      = apitest.Order
	orderID    = apitest.OrderID
	user       = apitest.User
)

var (
	needsEngine   = apitest.NeedsEngine
	newClient     = apitest.NewClient
	newUsers      = apitest.NewUsers
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
	userLogins    = apitest.UserLogins
	userName      = apitest.UserName
	userNick      = apitest.UserNick
	userRevision  = apitest.UserRevision
)

// newOrders returns a new, empty table of orders.
func newOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	return apitest.NewTable(t, newClient(t), orderCustomer, orderKey, opts...)
}

// second returns the error of a call that also returns a result.
func second[T any](_ T, err error) error { return err }
