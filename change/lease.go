// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"sync"

	"github.com/dynamotable/ddb/internal/lease"
)

// ErrLeaseLost means that another worker owns the shard now, or the lease could not be renewed in time. It is
// the cause with which a handler's context ends, and the error of a late Confirm.
var ErrLeaseLost = errors.New("lease lost")

// Lease is the right to handle one shard, and the position in it. Workers coordinate only by
// leases; they compare no clocks.
type Lease struct {
	App    string // of the consumer
	Stream string // ARN
	Shard  string // empty for the lease that records where the app began to read the stream
	// Owner is the worker that handles the shard; empty if it is free.
	Owner string
	// Counter increases with every write of the lease. An owner whose counter does not change is dead.
	Counter int64
	// RequestedBy is the worker that asked for the lease. The owner finishes its current work and releases it.
	RequestedBy string
	Checkpoint  Checkpoint
	Parent      string   // the parent of this shard; it is handled first
	Children    []string // the children of this shard, as far as they were known at its end
	// Load is the recent number of records a minute of the shard, as its owner measured it. Shards are balanced by it.
	Load int64
}

// Store keeps the leases of consumers: [TableStore] or [MemoryStore]. Package changetest has the
// tests that every other implementation must pass.
//
// Every write must be atomic and every read must see all writes that returned before it. A write that
// reports an error may or may not have happened. Stores must be safe for concurrent use.
type Store interface {
	// Leases reads all leases of an app, in any order.
	Leases(ctx context.Context, app string) ([]Lease, error)
	// Create stores a lease unless there is one of its app, stream and shard.
	Create(ctx context.Context, lease Lease) error
	// Swap replaces the lease was by will if the stored lease still has the owner and the counter of was.
	// It returns the lease that is stored then, the zero Lease if there is none, and whether that is will.
	Swap(ctx context.Context, was, will Lease) (stored Lease, swapped bool, err error)
	// Delete removes a lease if the stored lease still has its owner and counter.
	Delete(ctx context.Context, lease Lease) error
}

// MemoryStore keeps leases in memory: for tests, and for workers of one process that begin again whenever
// it starts. The zero MemoryStore is empty and ready to use.
type MemoryStore struct {
	mu     sync.Mutex
	leases map[leaseKey]Lease
}

type leaseKey struct{ app, stream, shard string }

// state is the part that every lease has.
func (l *Lease) state() lease.State {
	return lease.State{Owner: l.Owner, Counter: l.Counter, RequestedBy: l.RequestedBy, Load: l.Load}
}

func (l Lease) key() leaseKey { return leaseKey{l.App, l.Stream, l.Shard} }

// same reports whether the lease has not been written since it was other.
func (l Lease) same(other Lease) bool {
	return l.key() == other.key() && l.Owner == other.Owner && l.Counter == other.Counter
}

var errNoStore = errors.New("change: the MemoryStore is nil")

// Leases reads all leases of an app.
func (s *MemoryStore) Leases(ctx context.Context, app string) ([]Lease, error) {
	if s == nil {
		return nil, errNoStore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Lease
	for key, l := range s.leases {
		if key.app == app {
			all = append(all, l)
		}
	}
	return all, ctx.Err()
}

// Create stores a lease unless there is one.
func (s *MemoryStore) Create(ctx context.Context, lease Lease) error {
	if s == nil {
		return errNoStore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.leases == nil {
		s.leases = make(map[leaseKey]Lease)
	}
	if _, ok := s.leases[lease.key()]; !ok {
		s.leases[lease.key()] = lease
	}
	return nil
}

// Swap replaces was by will.
func (s *MemoryStore) Swap(ctx context.Context, was, will Lease) (Lease, bool, error) {
	if s == nil {
		return Lease{}, false, errNoStore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return Lease{}, false, err
	}
	stored, ok := s.leases[was.key()]
	if !ok || !stored.same(was) {
		return stored, false, nil
	}
	s.leases[was.key()] = will
	return will, true, nil
}

// Delete removes a lease if it is unchanged.
func (s *MemoryStore) Delete(ctx context.Context, lease Lease) error {
	if s == nil {
		return errNoStore
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.leases[lease.key()].same(lease) {
		delete(s.leases, lease.key())
	}
	return nil
}
