// SPDX-License-Identifier: Apache-2.0

// Package debug serves a page, also as JSON, that shows the DynamoDB requests of the running
// program, similar to net/http/pprof.
//
//	mux.Handle("/debug/ddb", onlyOperators(debug.Handler()))
//
// It shows, for all calls or those of one table or label: units by table, index, operation and label, and their cost by a price that you give; charts of units,
// calls, latencies and problems over the last five minutes and the last hour; throughput next to what tables have; throttled attempts with the reasons that
// DynamoDB gives; errors, failed conditions, unknown outcomes, members of batches that were left unprocessed, and what budgets did not allow; the partition
// keys that use the most capacity; the slowest and the most expensive calls of the last minutes, grouped, each
// with an explanation ([hooks.Call.Explain]); the paths of items; how estimates compare with what was billed; and long calls, budgets, consumers and snapshots of
// this process. [Snapshot] documents every figure. [Processes] shows several processes on one page.
//
// The page loads nothing from elsewhere and works without JavaScript; with JavaScript it updates itself.
//
// Put it behind authentication, or on an address that only operators reach: it shows names
// of tables, indexes, attributes and labels, and how much they are used. It never
// shows item data: key values are shown as hashes ([hooks.PartitionHash]), values of conditions
// as question marks, errors as their types. It answers only GET and HEAD and changes nothing.
// Unlike net/http/pprof it does not register itself.
package debug
