// SPDX-License-Identifier: Apache-2.0

// Package write_test tests writes: outcomes, versions, revisions, derived attributes, and transactions.
package write_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type (
	address    = apitest.Address
	customerID = apitest.CustomerID
	line       = apitest.Line
	order      = apitest.Order
	orderID    = apitest.OrderID
	user       = apitest.User
)

const (
	cutReply       = apitest.CutReply
	error500After  = apitest.Error500After
	error500Before = apitest.Error500Before
	faults         = apitest.Faults
	lostAfter      = apitest.LostAfter
	lostBefore     = apitest.LostBefore
	noFault        = apitest.NoFault
	throttled      = apitest.Throttled
)

var (
	answer        = apitest.Answer
	errReset      = apitest.ErrReset
	first         = apitest.First
	needsEngine   = apitest.NeedsEngine
	newClient     = apitest.NewClient
	newFaulty     = apitest.NewFaulty
	orderCity     = apitest.OrderCity
	newUsers      = apitest.NewUsers
	orderCustomer = apitest.OrderCustomer
	orderGift     = apitest.OrderGift
	orderKey      = apitest.OrderKey
	orderLabels   = apitest.OrderLabels
	orderLines    = apitest.OrderLines
	orderNotes    = apitest.OrderNotes
	orderPlacedAt = apitest.OrderPlacedAt
	orderStatus   = apitest.OrderStatus
	orderTags     = apitest.OrderTags
	orderTotal    = apitest.OrderTotal
	orderVisits   = apitest.OrderVisits
	someOrder     = apitest.SomeOrder
	tableName     = apitest.TableName
	userChanged   = apitest.UserChanged
	userID        = apitest.UserID
	userLogins    = apitest.UserLogins
	userMade      = apitest.UserMade
	userName      = apitest.UserName
	userVersion   = apitest.UserVersion
)

// newOrders returns a new, empty table of orders.
func newOrders(t testing.TB, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	return apitest.NewTable(t, newClient(t), orderCustomer, orderKey, opts...)
}
