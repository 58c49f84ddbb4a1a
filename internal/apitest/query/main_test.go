// SPDX-License-Identifier: Apache-2.0

// Package query_test tests queries and scans: pages, cursors, page tokens and reading ahead.
package query_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type (
	customerID = apitest.CustomerID
	fault      = apitest.Fault
	order      = apitest.Order
	orderID    = apitest.OrderID
)

const (
	cutReply       = apitest.CutReply
	emptyReply     = apitest.EmptyReply
	error500Before = apitest.Error500Before
	lostAfter      = apitest.LostAfter
	lostBefore     = apitest.LostBefore
	noFault        = apitest.NoFault
	throttled      = apitest.Throttled
)

var (
	first         = apitest.First
	forge         = apitest.Forge
	needsEngine   = apitest.NeedsEngine
	newClient     = apitest.NewClient
	newFaulty     = apitest.NewFaulty
	orderCity     = apitest.OrderCity
	orderCustomer = apitest.OrderCustomer
	orderKey      = apitest.OrderKey
	orderPlacedAt = apitest.OrderPlacedAt
	orderStatus   = apitest.OrderStatus
	orderTags     = apitest.OrderTags
	orderTotal    = apitest.OrderTotal
	orderVisits   = apitest.OrderVisits
	tableName     = apitest.TableName
	userName      = apitest.UserName
)

// newOrders returns a new, empty table of orders.
func newOrders(t testing.TB) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	return newOrdersOn(t, newClient(t))
}

// second returns the error of a call that also returns a result.
func second[T any](_ T, err error) error { return err }
