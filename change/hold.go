// SPDX-License-Identifier: Apache-2.0

package change

import "github.com/dynamotable/ddb/internal/lease"

// heldLease is a lease that this worker owns, with the context of handlers, and that of reading.
type heldLease = lease.Hold[Lease]

// holding is how this worker keeps its leases.
func (w *worker) holding() *lease.Config[Lease] {
	return &lease.Config[Lease]{
		Owner: w.owner, Failover: w.cfg.failover, Now: w.cfg.now,
		State: (*Lease).state, Next: func(l *Lease) { l.Counter++ },
		Moved: func(was, now *Lease) bool { return was.Checkpoint != now.Checkpoint },
		Swap:  w.store.Swap, Transient: isTransient, Lost: ErrLeaseLost,
		Failed: func(l Lease, err error) { w.cfg.event(Event{Kind: CallFailed, Shard: l.Shard, Err: err}) },
	}
}
