// SPDX-License-Identifier: Apache-2.0

// Package lease deals shards among workers: which to take ([Survey]), how long each has stood still ([Sightings]), and
// how to keep one ([Hold]). Workers agree by what is stored of the leases alone; they compare no clocks.
//
// What a lease holds besides, and where it is stored, is the caller's. A write of it must be a compare-and-swap on owner and counter.
package lease

// State is what every lease has.
type State struct {
	// Owner is the worker that has it; empty if it is free.
	Owner string
	// Counter rises with every write. An owner whose counter stands still is dead.
	Counter int64
	// RequestedBy is the worker that asked for it. The owner finishes what it has in hand and frees it.
	RequestedBy string
	// Load is the work of the shard as its last owner measured it, in records a minute; 0 if nobody measures.
	Load int64
}
