// SPDX-License-Identifier: Apache-2.0

// Package explorer holds tests that enumerate what can happen to a few writes of one item, instead of sampling it.
//
// Up to three callers use the library's public API, each on a client of its own whose transport is a scheduler: a
// request waits there until the scheduler picks it, and the scheduler says what happens to it, from delivered to
// delivered twice. A depth-first search tries every order of the requests and every place of a misbehaviour: each
// schedule is run from the start, on its own item in the in-process engine and in the time of a bubble of
// testing/synctest.
//
// The checker records what no client knows: which call's request took effect, how often, and on which
// item. Every report of the library is compared with it. A success took effect exactly once, between call and return,
// while its condition was true: at that moment it fits into an order of all calls. A failed condition, and any error but
// ErrOutcomeUnknown, never took effect, now or later, and the condition was false at some moment of the call. An
// unknown outcome took effect at most once. The declaration of a protection lists what it does not promise; any
// other finding fails the test, with a shortest history.
//
//	go test ./internal/integration/explorer -v                              # what CI runs
//	go test ./internal/integration/explorer -v -timeout 0 -explorer.schedules=2000000
//	go test ./internal/integration/explorer -v -explorer.only=Revision -explorer.program="Create | Put(read)" -explorer.v
//	go test ./internal/integration/explorer -v -explorer.mutations          # does it detect wrong rules?
//
// The layers are explored in the same way, instead of a table: the appends, commits and aggregates of an event store on two streams, and
// positions and snapshots. Their promises have few exceptions, which are listed with their stores. An append that succeeded is in its
// stream once, at the versions that it returned; one that was refused never is; a repeat with its commit id is recognised, and resolves an unknown
// outcome; versions have no gaps, a commit of two streams is in both or in none, and its rows in the feed have the next numbers; each decision of
// an aggregate was made on its last state. A call that meets no more than one or two misbehaviours reports the true outcome, not another error.
//
//	go test ./internal/integration/explorer -v -run 'TestAppends|TestSaves' -timeout 0 -explorer.appends=200000 -explorer.saves=50000
//
// # What is explored
//
// Programs in the order of func programs, each whole, until enough schedules were tried: every verb alone, every pair
// of verbs, a verb with a caller that deletes the item and creates it again, three callers, and then all of two
// callers with up to two calls each and of three with up to four calls together, from no item, an item, and an item of
// a program without the library. A history has one misbehaviour, or two in the programs that say so. Two adjacent steps that are
// known to change nothing in the store are tried in one order only, and so are callers that make the
// same calls.
//
// Of an event store: every call alone with a misbehaviour, repeated, every pair in all orders, pairs with a misbehaviour, calls between a call and
// its repeat, and three callers; with the feed, without it, and with a store that sends once, so that outcomes stay unknown.
//
// Not explored: several items of a table, streams that are truncated, deleted or time-limited, frames, swapped replies, other Regions, stale reads, reads that always fail, and more writes of
// others than a revision has tags.
package explorer
