// SPDX-License-Identifier: Apache-2.0

// Package write_test tests the writes of single items: outcomes, versions, revisions and derived attributes.
package write_test

import (
	"testing"

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

var (
	answer        = apitest.Answer
	newClient     = apitest.NewClient
	newUsers      = apitest.NewUsers
	newOrders     = apitest.NewOrders
	orderCity     = apitest.OrderCity
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
