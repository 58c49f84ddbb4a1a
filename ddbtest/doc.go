// SPDX-License-Identifier: Apache-2.0

// Package ddbtest is a DynamoDB engine for tests, in pure Go and in memory. It
// speaks the protocol of the service.
//
// [New] returns a client of the AWS SDK that calls a new engine without
// a socket:
//
//	func TestOrders(t *testing.T) {
//		client := ddbtest.New(t, ddbtest.WithFaults(
//			fault.On("PutItem").Nth(1).DropReply())) // package ddbtest/fault
//		orders, err := ddb.New(client, "orders", orderCustomer, orderID)
//		...
//		// CreateTable, Put, Query, ... as with the service
//	}
//
// The engine answers like the service: with its error texts, 38
// digit numbers, item sizes to the byte, capacity units, pages of 1 MB,
// secondary indexes, transactions and PartiQL. [Engine.Handler] serves the same engine
// over HTTP.
//
// Time comes from the engine's [Clock], which a test can advance, so tests need
// not wait.
package ddbtest
