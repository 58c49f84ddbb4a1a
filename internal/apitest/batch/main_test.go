// SPDX-License-Identifier: Apache-2.0

// Package batch_test tests what batches, and replies to reads, promise to callers.
package batch_test

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
	userName      = apitest.UserName
)

// newOrders returns a new, empty table of orders.
func newOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	return apitest.NewTable(t, newClient(t), orderCustomer, orderKey, opts...)
}
