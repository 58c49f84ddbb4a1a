// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

// events counts events by kind.
type events struct {
	mu    sync.Mutex
	count map[change.EventKind]int
}

func (e *events) option() change.Option {
	e.count = make(map[change.EventKind]int)
	return change.OnEvent(func(ev change.Event) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.count[ev.Kind]++
	})
}

func (e *events) of(kind change.EventKind) int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.count[kind]
}

func (e *events) reset() {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.count)
}

// loads returns the numbers of shards of the workers, smallest first.
func loads(workers []*running) []int {
	var out []int
	for _, w := range workers {
		out = append(out, len(w.Stats().Shards))
	}
	slices.Sort(out)
	return out
}

// Workers share the shards evenly when others join and leave, and then no lease moves.
func TestBalance(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const shards = 13
		w.SplitShards("rows", shards)
		store, j, e := new(change.MemoryStore), new(journal), new(events)
		opts := []change.Option{change.PollInterval(time.Minute), e.option()}
		var workers []*running
		expect := func(when string, want ...int) {
			t.Helper()
			if got := loads(workers); !slices.Equal(got, want) {
				t.Errorf("%s: loads %v, want %v", when, got, want)
			}
			e.reset()
			wait(time.Duration(longtest.Size(30, 6)) * time.Minute)
			if n := e.of(change.LeaseTaken) + e.of(change.LeaseAsked) + e.of(change.LeaseLost); n > 0 {
				t.Errorf("%s: %d leases moved without a reason", when, n)
			}
		}
		join := func() { workers = append(workers, start(t, w, store, j.each(), opts...)) }

		join()
		wait(time.Minute)
		expect("one worker", shards)
		join()
		wait(5 * time.Minute)
		expect("two workers", 6, 7)
		join()
		wait(5 * time.Minute)
		expect("three workers", 4, 4, 5)

		workers[0].stop(t) // its leases are free immediately
		workers = workers[1:]
		wait(8 * time.Second)
		expect("one was stopped", 6, 7)
		for _, r := range workers {
			r.stop(t)
		}
	})
}

// TestBalanceByLoad: the worker of the busiest shard has fewer shards than the other. When another shard becomes the busiest, the workers rebalance, and in
// between no lease moves. Nothing is handled twice.
func TestBalanceByLoad(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.SplitShards("rows", 8)
		store, j, e := new(change.MemoryStore), new(journal), new(events)
		opts := []change.Option{change.PollInterval(time.Duration(longtest.Size(5, 20)) * time.Second), e.option()}
		workers := []*running{start(t, w, store, j.each(), opts...), start(t, w, store, j.each(), opts...)}
		written := 0
		// write makes one shard busy for a while, at 300 records a minute, with some records for all others.
		write := func(busy string, d time.Duration) {
			for end := time.Now().Add(d); time.Now().Before(end); {
				rows := []row{{Group: groupID(fmt.Sprint("g", written%40)), ID: 1, N: int64(written)}}
				for id := range rowID(10) {
					rows = append(rows, row{Group: groupID(busy), ID: id, N: int64(written)})
				}
				if err := w.rows.BatchPut(t.Context(), rows); err != nil {
					t.Fatal(err)
				}
				written += len(rows)
				wait(2 * time.Second)
			}
		}
		// expect checks the shards of each worker, and that they do not change.
		expect := func(busy string) (shard string) {
			t.Helper()
			for _, r := range workers {
				s := r.Stats()
				for _, one := range s.Shards {
					if one.Load < 200 {
						continue
					}
					if shard = one.Shard; one.Load > 400 || len(s.Shards) > 3 {
						t.Errorf("%s is busy: the worker of the busy shard, of %d records a minute, has %d shards", busy, one.Load, len(s.Shards))
					}
				}
			}
			if got := loads(workers); shard == "" || got[0]+got[1] != 8 {
				t.Errorf("%s is busy: busy shard %q, numbers of shards %v", busy, shard, got)
			}
			e.reset()
			write(busy, time.Duration(longtest.Size(10, 6))*time.Minute)
			if n := e.of(change.LeaseAsked) + e.of(change.LeaseTaken); n > 0 {
				t.Errorf("%s is busy: %d leases moved while the load did not change", busy, n)
			}
			return shard
		}
		write("h1", time.Duration(longtest.Size(15, 12))*time.Minute)
		first := expect("h1")
		if longtest.Enabled() { // the load moves to another shard
			write("h2", 25*time.Minute)
			if second := expect("h2"); first == second {
				t.Fatal("both groups are in one shard, so the test checks nothing")
			}
		}
		wait(time.Minute)
		for _, r := range workers {
			r.stop(t)
		}
		if n := len(j.seen); n != written {
			t.Errorf("%d changes were handled, %d written", n, written)
		}
		leases, _ := store.Leases(t.Context(), "app")
		kept := int64(0)
		for _, l := range leases {
			kept = max(kept, l.Load)
		}
		if kept < 100 {
			t.Errorf("the leases have a load of at most %d", kept)
		}
	})
}

// A worker takes no more shards than its maximum, and others take the rest beyond their share.
func TestMaxShards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.SplitShards("rows", 10)
		store, j := new(change.MemoryStore), new(journal)
		small := start(t, w, store, j.each(), change.MaxShards(2), change.PollInterval(time.Minute))
		wait(time.Minute)
		if got := loads([]*running{small}); got[0] != 2 {
			t.Errorf("the limited worker has %v", got)
		}
		large := start(t, w, store, j.each(), change.PollInterval(time.Minute))
		wait(5 * time.Minute)
		if got := loads([]*running{small, large}); !slices.Equal(got, []int{2, 8}) {
			t.Errorf("loads %v", got)
		}
		small.stop(t)
		large.stop(t)
	})
}

// The leases of a dead worker are taken by others within two failover times, not before one.
func TestFailover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.SplitShards("rows", 4)
		store := new(change.MemoryStore)
		m := &machine{Client: w.streams, store: store, audit: &audit{writes: make(map[string]map[int64]change.Lease)}}
		var mu sync.Mutex
		var cancelled time.Duration
		var died time.Time
		h := change.Each(func(ctx context.Context, c change.Change[row]) error {
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			if cancelled = time.Since(died); !errors.Is(context.Cause(ctx), change.ErrLeaseLost) {
				t.Errorf("the handler's context ended for %v", context.Cause(ctx))
			}
			return ctx.Err()
		})
		c, err := change.NewConsumer(m, change.OfTable("rows"), "app", m, h)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		wait(time.Minute)
		j := new(journal)
		r := start(t, w, store, j.each())
		wait(time.Minute)
		if a, b := len(c.Stats().Shards), len(r.Stats().Shards); a != 2 || b != 2 {
			t.Errorf("the workers have %d and %d shards", a, b)
		}
		const changes = 40
		for n := range int64(changes) {
			w.put(t, groupID(fmt.Sprint("g", n)), 1, n)
		}
		wait(time.Minute)
		if n := len(j.seen); n == 0 || n == changes {
			t.Errorf("the other worker handled %d", n)
		}

		mu.Lock()
		died = time.Now()
		mu.Unlock()
		m.crash()
		var taken time.Duration
		for taken < time.Minute && len(r.Stats().Shards) < 4 {
			wait(100 * time.Millisecond)
			taken = time.Since(died)
		}
		if taken > 20*time.Second || taken < 6*time.Second {
			t.Errorf("the leases were taken after %v", taken)
		}
		wait(time.Minute)
		mu.Lock()
		stopped := cancelled
		mu.Unlock()
		if stopped == 0 || stopped > 10*time.Second || stopped > taken {
			t.Errorf("the handler was stopped after %v, the leases were taken after %v", stopped, taken)
		}
		if n := len(j.seen); n != changes {
			t.Errorf("the other worker handled %d changes at the end", n)
		}
		r.stop(t)
		cancel()
		<-done
	})
}

// A worker keeps its lease if the reply to a renewal is lost.
func TestLostRepliesKeepLeases(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		shards := longtest.Either(40, 6)
		puts := fault.On("PutItem").Where(func(r fault.Request) bool { return !slices.Contains(r.Tables, "rows") })
		w := newWorld(t, ddbtest.WithSeed(3), ddbtest.WithFaults(
			puts.Chance(0.2).DropReply(), puts.Chance(0.1).Applied().InternalError(), puts.Chance(0.1).InternalError(), puts.Chance(0.05).Late(3*time.Second)))
		w.SplitShards("rows", shards)
		store, j, e := newTableStore(t, w.db), new(journal), new(events)
		opts := []change.Option{change.PollInterval(time.Minute), e.option()}
		workers := []*running{start(t, w, store, j.each(), opts...), start(t, w, store, j.each(), opts...), start(t, w, store, j.each(), opts...)}
		wait(5 * time.Minute)
		if got := loads(workers); got[0]+got[1]+got[2] != shards || got[0] < shards/3 {
			t.Errorf("loads %v", got)
		}
		e.reset()
		changes := longtest.Size(300, 20)
		for n := range int64(changes) {
			w.put(t, groupID(fmt.Sprint("g", n%50)), 1, n)
			wait(2 * time.Second)
		}
		wait(time.Duration(longtest.Either(180, 120)) * time.Second)
		if lost, moved := e.of(change.LeaseLost), e.of(change.LeaseAsked)+e.of(change.LeaseTaken); lost > 0 || moved > 0 {
			t.Errorf("%d leases were lost, %d moved", lost, moved)
		}
		for _, r := range workers {
			r.stop(t)
		}
		if n := len(j.seen); n != changes {
			t.Errorf("%d changes were handled, want %d", n, changes)
		}
	})
}

// All pages of many shards are read, and leases are deleted when they are no longer needed.
func TestManyShards(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		shards := longtest.Either(250, 18) // a page of the description holds 100, and shards are listed for 24 hours
		w.SplitShards("rows", shards)
		store, j, e := new(change.MemoryStore), new(journal), new(events)
		opts := []change.Option{change.PollInterval(time.Hour), change.Failover(30 * time.Minute), change.DiscoveryInterval(time.Hour), e.option()}
		workers := []*running{start(t, w, store, j.each(), opts...), start(t, w, store, j.each(), opts...)}
		var most int
		for n := range int64(30) {
			w.put(t, groupID(fmt.Sprint("g", n)), 1, n)
			wait(time.Hour)
			leases, _ := store.Leases(t.Context(), "app")
			most = max(most, len(leases))
		}
		wait(3 * time.Hour)
		if got := loads(workers); !slices.Equal(got, []int{shards / 2, shards / 2}) {
			t.Errorf("loads %v", got)
		}
		// The shards of 24 hours, of the time until their children are begun, and of the hours until that is noticed.
		if most < 6*shards || most > 10*shards {
			t.Errorf("there were %d leases", most)
		}
		if lost := e.of(change.LeaseLost); e.of(change.DataLost) > 0 || lost > 0 {
			t.Errorf("%d losses of data, %d of leases", e.of(change.DataLost), lost)
		}
		for _, r := range workers {
			r.stop(t)
		}
		if n := len(j.seen); n != 30 {
			t.Errorf("%d changes were handled, want 30", n)
		}
	})
}

// Workers that join, or leave gracefully, repeat nothing, although shards move between workers during the work.
func TestHandoverRepeatsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.SplitShards("rows", 8)
		store, j, e := new(change.MemoryStore), new(journal), new(events)
		slow := change.Each(func(_ context.Context, c change.Change[row]) error {
			wait(100 * time.Millisecond)
			j.add(c)
			return nil
		})
		opts := []change.Option{change.PageLimit(10), e.option()}
		changes := longtest.Size(600, 300)
		var workers []*running
		for i := range changes {
			n := int64(i)
			w.put(t, groupID(fmt.Sprint("g", n%40)), rowID(n), n)
			wait(3 * time.Minute / time.Duration(changes))
			switch {
			case i%(changes/6) == 0 && len(workers) < 4:
				workers = append(workers, start(t, w, store, slow, opts...))
			case i == changes*3/4:
				workers[0].stop(t)
				workers = workers[1:]
			}
		}
		wait(time.Minute)
		if got := loads(workers); !slices.Equal(got, []int{2, 2, 2, 2}) || e.of(change.LeaseAsked) < 4 || e.of(change.LeaseLost) > 0 {
			t.Errorf("loads %v, events %v", got, e.count)
		}
		for _, r := range workers {
			r.stop(t)
		}
		if n := len(j.seen); n != changes {
			t.Errorf("%d changes were handled, want %d", n, changes)
		}
	})
}
