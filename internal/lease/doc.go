// SPDX-License-Identifier: Apache-2.0

// Package lease distributes shards among workers: which to take ([Survey]), how long each has been unchanged ([Sightings]),
// and how to keep one ([Hold]). Workers agree only through the stored leases; they do not compare clocks.
//
// The caller decides what else a lease holds, and where it is stored. Each write must be a compare-and-swap on owner and counter.
package lease

// State is what every lease has.
type State struct {
	// Owner is the worker that has it; empty if it is free.
	Owner string
	// Counter rises with every write. An owner whose counter no longer changes is dead.
	Counter int64
	// RequestedBy is the worker that requested it. The owner finishes its current work and frees it.
	RequestedBy string
	// Load is the work of the shard as its last owner measured it, in records a minute; 0 if nobody measures.
	Load int64
}
