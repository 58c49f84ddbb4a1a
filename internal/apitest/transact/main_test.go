// SPDX-License-Identifier: Apache-2.0

// Package transact_test tests transactions and what is built on them.
package transact_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type (
	customerID = apitest.CustomerID
	fault      = apitest.Fault
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
	orderCustomer = apitest.OrderCustomer
	orderKey      = apitest.OrderKey
	orderStatus   = apitest.OrderStatus
	orderTotal    = apitest.OrderTotal
	someOrder     = apitest.SomeOrder
	tableName     = apitest.TableName
	userID        = apitest.UserID
	userLogins    = apitest.UserLogins
	userName      = apitest.UserName
	userVersion   = apitest.UserVersion
)
