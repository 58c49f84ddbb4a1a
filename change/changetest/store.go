// SPDX-License-Identifier: Apache-2.0

// Package changetest tests stores of leases for package change. Use it for your own [change.Store]:
//
//	func TestStore(t *testing.T) {
//		changetest.RunStore(t, func(t testing.TB) change.Store { return redisleases.New(newRedis(t)) })
//	}
package changetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb/change"
)

const stream = "arn:aws:dynamodb:us-east-1:000000000000:table/orders/stream/2026-11-01T00:00:00.000"

// RunStore tests a store. open returns an empty one for each test.
func RunStore(t *testing.T, open func(testing.TB) change.Store) {
	t.Run("Leases", func(t *testing.T) { testLeases(t, open(t)) })
	t.Run("Swap", func(t *testing.T) { testSwap(t, open(t)) })
	t.Run("Delete", func(t *testing.T) { testDelete(t, open(t)) })
	t.Run("Race", func(t *testing.T) { testRace(t, open(t)) })
	t.Run("Context", func(t *testing.T) { testContext(t, open(t)) })
}

func lease(app, shard string) change.Lease {
	return change.Lease{App: app, Stream: stream, Shard: shard, Checkpoint: change.TrimHorizon}
}

// stored returns the leases of an app, by shard.
func stored(t *testing.T, s change.Store, app string) []change.Lease {
	t.Helper()
	all, err := s.Leases(t.Context(), app)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b change.Lease) int { return strings.Compare(a.Stream+" "+a.Shard, b.Stream+" "+b.Shard) })
	return all
}

func expect(t *testing.T, s change.Store, app string, want ...change.Lease) {
	t.Helper()
	if diff := cmp.Diff(want, stored(t, s, app), cmpopts.EquateEmpty()); diff != "" {
		t.Error("stored leases (-want +got):\n" + diff)
	}
}

func create(t *testing.T, s change.Store, leases ...change.Lease) {
	t.Helper()
	for _, l := range leases {
		if err := s.Create(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
}

func testLeases(t *testing.T, s change.Store) {
	expect(t, s, "a")
	full := lease("a", "shard-1")
	full.Owner, full.Counter, full.RequestedBy, full.Checkpoint, full.Parent, full.Children = "w", 7, "v", "100000000000000000001", "shard-0", []string{"shard-2", "shard-3"}
	full.Load = 1234
	marker, other, elsewhere := lease("a", ""), lease("b", "shard-1"), lease("a", "shard-1")
	elsewhere.Stream = stream + "1"
	create(t, s, full, marker, other, elsewhere)
	expect(t, s, "a", marker, full, elsewhere)
	expect(t, s, "b", other)

	again := full
	again.Owner, again.Counter = "thief", 9
	create(t, s, again) // changes nothing and is not an error
	expect(t, s, "a", marker, full, elsewhere)

	const many = 300
	for i := range many {
		create(t, s, lease("many", fmt.Sprintf("shardId-%020d-%08x", i, i)))
	}
	if got := len(stored(t, s, "many")); got != many {
		t.Errorf("%d leases of %d are there", got, many)
	}
}

func testSwap(t *testing.T, s change.Store) {
	free := lease("a", "1")
	create(t, s, free)
	taken := free
	taken.Owner, taken.Counter = "w1", 1
	swap := func(name string, was, will, want change.Lease, wantSwapped bool) {
		t.Helper()
		got, swapped, err := s.Swap(t.Context(), was, will)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || swapped != wantSwapped || diff != "" {
			t.Errorf("%s: swapped is %v, %v\n%s", name, swapped, err, diff)
		}
	}
	swap("take", free, taken, taken, true)
	stolen := free
	stolen.Owner, stolen.Counter = "w2", 1
	swap("take a lease that was taken", free, stolen, taken, false)

	saved := taken
	saved.Counter, saved.Checkpoint, saved.Children = 2, change.End, []string{"2"}
	swap("save", taken, saved, saved, true)
	late := taken
	late.Counter, late.Checkpoint = 2, "5"
	swap("save with an old counter", taken, late, saved, false)
	foreign := saved
	foreign.Owner = "w2"
	swap("save by another owner", foreign, late, saved, false)
	expect(t, s, "a", saved)

	missing := lease("a", "none")
	swap("a missing lease", missing, missing, change.Lease{}, false)
	expect(t, s, "a", saved)
}

func testDelete(t *testing.T, s change.Store) {
	l := lease("a", "1")
	l.Owner, l.Counter = "w", 3
	create(t, s, l)
	for _, change := range []func(*change.Lease){func(l *change.Lease) { l.Owner = "x" }, func(l *change.Lease) { l.Counter++ }} {
		other := l
		change(&other)
		if err := s.Delete(t.Context(), other); err != nil {
			t.Error(err)
		}
	}
	expect(t, s, "a", l)
	for range 2 { // deleting it again is allowed
		if err := s.Delete(t.Context(), l); err != nil {
			t.Error(err)
		}
		expect(t, s, "a")
	}
}

// testRace lets workers compete for a lease: every counter has one owner.
func testRace(t *testing.T, s change.Store) {
	const workers, rounds = 8, 20
	create(t, s, lease("a", "1"))
	var (
		wg     sync.WaitGroup
		mu     sync.Mutex
		owners = make(map[int64]string)
	)
	for w := range workers {
		wg.Go(func() {
			me := fmt.Sprint("w", w)
			for range rounds {
				all, err := s.Leases(t.Context(), "a")
				if err != nil || len(all) != 1 {
					t.Errorf("%v, %v", all, err)
					return
				}
				will := all[0]
				will.Owner, will.Counter = me, will.Counter+1
				_, swapped, err := s.Swap(t.Context(), all[0], will)
				if err != nil {
					t.Error(err)
				}
				if !swapped {
					continue
				}
				mu.Lock()
				if other, twice := owners[will.Counter]; twice {
					t.Errorf("%s and %s both have counter %d", me, other, will.Counter)
				}
				owners[will.Counter] = me
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	last := stored(t, s, "a")[0]
	if int(last.Counter) != len(owners) || last.Owner != owners[last.Counter] {
		t.Errorf("%+v after %d swaps", last, len(owners))
	}
}

func testContext(t *testing.T, s change.Store) {
	create(t, s, lease("a", "1"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Leases(ctx, "a"); err == nil {
		t.Error("leases were read under an ended context")
	}
	if err := s.Create(ctx, lease("a", "2")); err == nil {
		t.Error("a lease was created under an ended context")
	}
	if _, _, err := s.Swap(ctx, lease("a", "1"), lease("a", "1")); err == nil {
		t.Error("a lease was swapped under an ended context")
	}
	if err := s.Delete(ctx, lease("a", "1")); err == nil {
		t.Error("a lease was deleted under an ended context")
	}
	expect(t, s, "a", lease("a", "1"))
}
