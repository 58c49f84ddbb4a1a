// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/lease"
	"github.com/dynamotable/ddb/internal/repeat"
)

// errLeaseLost is the cause with which a handler's context is cancelled when another process has the shard, or may have it by now.
var errLeaseLost = errors.New("the lease of the shard was lost")

// shardLease is the lease of a shard of the feed for a consumer.
type shardLease struct {
	shard int
	lease.State
}

func (l *shardLease) state() lease.State { return l.State }

// leases reads the leases of a consumer and makes the missing ones.
func (s *subscription) leases(ctx context.Context) (map[string]shardLease, error) {
	all := make(map[string]shardLease, len(s.shards))
	for r, err := range tableOf(s.feed.store).Query(leasePrefix + s.consumer).Consistent().All(ctx) {
		if err != nil {
			return nil, err
		}
		all[partition(int(r.SK))] = r.asLease()
	}
	for _, shard := range s.shards {
		if _, ok := all[partition(shard)]; ok {
			continue
		}
		l := shardLease{shard: shard, State: lease.State{Counter: 1}}
		r := s.leaseRow(l)
		err := repeat.Write(ctx, func() error { return tableOf(s.feed.store).Create(ctx, &r) })
		if err != nil && !errors.Is(err, ddb.ErrConditionFailed) {
			return nil, err
		}
		if err == nil {
			all[partition(shard)] = l
		}
	}
	return all, nil
}

func (r *row) asLease() shardLease {
	return shardLease{shard: int(r.SK), State: lease.State{Owner: r.Owner, Counter: r.Version, RequestedBy: r.Heir}}
}

func (s *subscription) leaseRow(l shardLease) row {
	key := leaseKey(s.consumer, l.shard)
	return row{PK: key.Partition, SK: key.Sort, Version: l.Counter, Owner: l.Owner, Heir: l.RequestedBy}
}

// swap replaces the lease was by will. A write whose reply was lost is recognised by its random text.
func (s *subscription) swap(ctx context.Context, was, will shardLease) (shardLease, bool, error) {
	r := s.leaseRow(will)
	r.Write = rand.Text()
	err := tableOf(s.feed.store).Replace(ctx, &r, ddb.If(rowVersion.Eq(was.Counter))) // each write raises the counter
	switch {
	case err == nil:
		return will, true, nil
	case errors.Is(err, ddb.ErrConditionFailed), repeat.InDoubt(err):
	default:
		return shardLease{}, false, err
	}
	is, _, err := s.feed.store.get(ctx, leaseKey(s.consumer, was.shard))
	return is.asLease(), err == nil && is.Write == r.Write, err
}

// sharing is one process of a shared subscription.
type sharing struct {
	*subscription
	cfg  *lease.Config[shardLease]
	wake chan struct{} // something ended: look again
	wg   sync.WaitGroup
	seen lease.Sightings

	mu      sync.Mutex
	running map[string]bool
	failure error // the first that ends the subscription
}

// share handles the shards whose leases this process holds, until the context ends or something fails permanently. Then it gives them back.
func (s *subscription) share(ctx context.Context) error {
	if s.name == "" {
		s.name, _ = os.Hostname() // for people; the random part makes it unique
	}
	g := &sharing{subscription: s, wake: make(chan struct{}, 1), running: make(map[string]bool)}
	s.owner = s.name + "-" + uuid.NewString()
	g.cfg = &lease.Config[shardLease]{
		Owner: s.owner, Failover: s.failover, Now: time.Now,
		State: (*shardLease).state, Next: func(l *shardLease) { l.Counter++ },
		Swap: g.timedSwap, Transient: isTransient, Lost: errLeaseLost,
		Failed: func(_ shardLease, err error) { s.onRetry(err) },
	}
	reading, drain := context.WithCancel(ctx)
	defer drain()
	err := s.feed.store.checkSetup(ctx)
	for err == nil {
		if err = g.scan(ctx, reading); err != nil && ctx.Err() == nil && isTransient(err) {
			s.onRetry(err)
			err = nil
		}
		if err == nil {
			err = g.waitNextScan(ctx)
		}
	}
	drain()
	g.wg.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// timedSwap is swap with a timeout that leaves time for another try before the lease is lost.
func (g *sharing) timedSwap(ctx context.Context, was, will shardLease) (shardLease, bool, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, g.failover/3, errNoAnswer)
	defer cancel()
	l, swapped, err := g.swap(ctx, was, will)
	if err != nil && errors.Is(context.Cause(ctx), errNoAnswer) {
		err = errors.Join(errNoAnswer, err)
	}
	return l, swapped, err
}

// waitNextScan waits until it is time to look again.
func (g *sharing) waitNextScan(ctx context.Context) error {
	t := time.NewTimer(g.failover / 2)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
	case <-g.wake:
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failure
}

// scan reads the leases, and takes or asks for those that this process should have.
func (g *sharing) scan(ctx, reading context.Context) error {
	within, cancel := context.WithTimeoutCause(ctx, g.failover, errNoAnswer)
	defer cancel()
	leases, err := g.leases(within)
	if err != nil {
		if errors.Is(context.Cause(within), errNoAnswer) {
			err = errors.Join(errNoAnswer, err)
		}
		return err
	}
	now := time.Now() // after the read: what it saw was written before
	states := make(map[string]lease.State, len(leases))
	for shard, l := range leases {
		states[shard] = l.State
	}
	g.seen.See(states, now)
	survey := lease.Survey{
		Me: g.cfg.Owner, Leases: states, Running: make(map[string]bool),
		Expired: g.seen.Still(now, g.failover), Waiting: g.seen.Still(now, 2*g.failover),
	}
	g.mu.Lock()
	for shard := range g.running {
		survey.Running[shard] = true
	}
	g.mu.Unlock()
	c := survey.Choose()
	for _, shard := range c.Free {
		if err := g.take(ctx, reading, leases[shard]); err != nil {
			return err
		}
	}
	if c.Ask == "" {
		return nil
	}
	was := leases[c.Ask]
	will := was
	will.RequestedBy = g.cfg.Owner
	will.Counter++
	_, _, err = g.timedSwap(ctx, was, will)
	return err
}

// take acquires a lease for this process, unless another was faster, and begins to handle its shard.
func (g *sharing) take(ctx, reading context.Context, was shardLease) error {
	will := was
	will.Owner, will.RequestedBy = g.cfg.Owner, ""
	will.Counter++
	sent := time.Now()
	stored, swapped, err := g.timedSwap(ctx, was, will)
	if err != nil || !swapped {
		return err
	}
	h := lease.NewHold(ctx, reading, g.cfg, stored, sent)
	name := partition(was.shard)
	g.mu.Lock()
	g.running[name] = true
	g.mu.Unlock()
	g.wg.Go(func() { //nolint:contextcheck // the hold has the contexts
		err := g.handleShard(h, was.shard)
		g.mu.Lock()
		delete(g.running, name)
		if err != nil && g.failure == nil {
			g.failure = err
		}
		g.mu.Unlock()
		select {
		case g.wake <- struct{}{}:
		default:
		}
	})
	return nil
}

// handleShard handles a shard while its lease is held, and gives it back. It returns the error that ends the subscription.
func (g *sharing) handleShard(h *lease.Hold[shardLease], shard int) error {
	defer h.Close()
	keeping, stop := context.WithCancel(h.Context)
	var wg sync.WaitGroup
	wg.Go(func() { h.Keep(keeping, nil) })
	reading, cancel := context.WithCancel(h.Context)
	defer cancel()
	defer context.AfterFunc(h.Reading, cancel)()
	err := g.work(h.Context, reading, shard)
	stop()
	wg.Wait()
	if h.IsLost() {
		g.figures.lost.Add(1)
		g.onRetry(context.Cause(h.Context))
		return nil
	}
	if h.Context.Err() != nil || h.Reading.Err() != nil {
		err = nil // it ends because it is to be given back
	}
	ctx, end := context.WithTimeout(context.WithoutCancel(h.Context), g.failover)
	defer end()
	if late := h.Save(ctx, func(l *shardLease) { l.Owner = "" }); late != nil { // an heir goes first
		g.onRetry(late) // it expires
	}
	return err
}
