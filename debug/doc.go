// SPDX-License-Identifier: Apache-2.0

// Package debug serves a page, also as JSON, that shows the DynamoDB requests of the running
// program, similar to net/http/pprof.
//
//	mux.Handle("/debug/ddb", onlyOperators(debug.Handler()))
//
// It shows units by table, index, operation and label; rates of the last five minutes;
// latencies; throttled attempts with the reasons that DynamoDB gives; errors; the partition
// keys that use the most capacity; the slowest and the most expensive calls of the last minutes, each
// with its explanation ([ddb.Call.Explain]); and how estimates compare with what was billed.
// [Snapshot] documents every figure.
//
// The page loads nothing from elsewhere and works without JavaScript; with JavaScript it updates itself.
//
// Put it behind authentication, or on an address that only operators reach: it shows names
// of tables, indexes, attributes and labels, and how much they are used. It never
// shows item data: key values are shown as hashes ([ddb.PartitionHash]), values of conditions
// as question marks, errors as their types. It answers only GET and HEAD and changes nothing.
// Unlike net/http/pprof it does not register itself.
package debug
