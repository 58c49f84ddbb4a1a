// Package explorer holds tests that enumerate what can happen to a few writes of one item, instead of sampling it.
//
// Up to three callers use the library's public API, each on a client of its own whose transport is a scheduler: a
// request waits there until the scheduler picks it, and the scheduler says what happens to it, from delivered to
// delivered twice. A depth-first search tries every order of the requests and every place of a misbehaviour: each
// schedule is run from the start, on an item of its own in the in-process engine and in the time of a bubble of
// testing/synctest.
//
// Beside the store runs the knowledge that no client has: which call's request took effect, how often, and on which
// item. Every report of the library is held against it. What a protection does not promise stands in its
// declaration; anything else that is found fails the test, with a shortest history.
//
//	go test ./internal/integration/explorer -v                              # what CI runs
//	go test ./internal/integration/explorer -v -explorer.schedules=2000000  # more programs
//	go test ./internal/integration/explorer -v -explorer.only=Version       # one protection
//	go test ./internal/integration/explorer -v -explorer.mutations          # does it find wrong rules?
package explorer
