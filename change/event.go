// SPDX-License-Identifier: Apache-2.0

package change

// EventKind is what happened to a worker.
type EventKind string

// The kinds of events.
const (
	LeaseTaken   EventKind = "lease taken"   // the worker reads the shard from now on
	LeaseAsked   EventKind = "lease asked"   // the worker asked one that has more for the lease
	LeaseLost    EventKind = "lease lost"    // another worker has it, or it could not be renewed in time
	LeaseDone    EventKind = "lease done"    // the shard is closed and handled to its end
	LeaseFreed   EventKind = "lease freed"   // given back, for others to take
	CallFailed   EventKind = "call failed"   // a call failed and is tried again
	HandlerRetry EventKind = "handler retry" // the handler failed and is called again
	Skipped      EventKind = "skipped"       // a change was given up: skipped, or passed to the dead letters
	DataLost     EventKind = "data lost"     // OnDataLoss was called, and reading continues
	StreamDone   EventKind = "stream done"   // a disabled stream is handled to its end
)

// Event is something that operators of a consumer may want to log or count. Its texts never
// contain key values or item data, except in the handler's own errors.
type Event struct {
	Kind  EventKind
	Shard string // empty if it does not concern a single shard
	Err   error  // the cause, if there is one
}
