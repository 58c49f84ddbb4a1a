// Package ddbtest is a DynamoDB for tests: an engine in pure Go, in memory,
// that speaks the service's own protocol.
//
// [New] gives a test a client of the AWS SDK that calls a fresh engine without
// a socket:
//
//	func TestOrders(t *testing.T) {
//		client := ddbtest.New(t)
//		// CreateTable, PutItem, Query, ... as with the service
//	}
//
// The engine answers as the service does: errors in the service's words, 38
// digit numbers, item sizes to the byte, capacity units, pages of 1 MB,
// secondary indexes, transactions and PartiQL. [Engine.Handler] serves the same engine
// over HTTP.
//
// Time comes from the engine's [Clock], which a test can advance, so nothing
// has to wait.
package ddbtest
