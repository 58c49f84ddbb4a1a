// SPDX-License-Identifier: Apache-2.0

// Package faults_test compares what calls report about writes over an unreliable network with what is stored.
package faults_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
)

func TestMain(m *testing.M) { apitest.Main(m) }

// Short names for the shared test helpers.
type (
	fault  = apitest.Fault
	faulty = apitest.Faulty
	user   = apitest.User
	users  = ddb.SimpleTable[apitest.User, string]
)

const (
	allFaults      = apitest.AllFaults
	cutReply       = apitest.CutReply
	doubled        = apitest.Doubled
	error500Before = apitest.Error500Before
	errorType      = apitest.ErrorType
	faults         = apitest.Faults
	flippedByte    = apitest.FlippedByte
	foreignReply   = apitest.ForeignReply
	ghost          = apitest.Ghost
	hung           = apitest.Hung
	lostAfter      = apitest.LostAfter
	lostBefore     = apitest.LostBefore
	noFault        = apitest.NoFault
	provisioned    = apitest.Provisioned
	throttled      = apitest.Throttled
	txConflict     = apitest.TxConflict
	writeConflict  = apitest.WriteConflict
)

var (
	answer       = apitest.Answer
	first        = apitest.First
	needsEngine  = apitest.NeedsEngine
	newFaulty    = apitest.NewFaulty
	userID       = apitest.UserID
	userLogins   = apitest.UserLogins
	userName     = apitest.UserName
	userPoints   = apitest.UserPoints
	userRevision = apitest.UserRevision
	userVersion  = apitest.UserVersion
)
