// SPDX-License-Identifier: Apache-2.0

package eventstoretest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/eventstore"
)

// shelf is a state that refers to data which a fold changes, and that can be cloned.
type shelf struct{ Counts map[int]int }

func (s shelf) Clone() shelf { return shelf{maps.Clone(s.Counts)} }

func stack(s shelf, m moved) shelf {
	if s.Counts == nil {
		s.Counts = map[int]int{}
	}
	s.Counts[m.amount()]++
	return s
}

func (s shelf) total() (n int) {
	for _, c := range s.Counts {
		n += c
	}
	return n
}

// testCache: cached states equal loaded ones; stale ones are refused by the append and then loaded; the cache is bounded, and safe for concurrent use.
func testCache(t *testing.T, factory Factory) {
	ledger := cost.NewLedger()
	s := factory(t, eventstore.TableOptions(ddb.WithLedger(ledger)))
	reads := func() (n int64) {
		for _, e := range ledger.Snapshot().ByOperation().Entries {
			if e.Operation == "GetItem" || e.Operation == "Query" {
				n += e.Operations
			}
		}
		return n
	}
	cached := eventstore.NewRepository(s, accountTypes(), stack, eventstore.Cached(2))
	stale := eventstore.NewRepository(s, accountTypes(), stack, eventstore.Cached(2), eventstore.AllowStale(time.Hour))
	plain := eventstore.NewRepository(s, accountTypes(), stack)
	put := func(r *eventstore.Repository[shelf, moved], stream string, args ...eventstore.CommitArgument) (decided int) {
		t.Helper()
		if _, err := r.Update(t.Context(), stream, func(shelf) ([]moved, error) { decided++; return []moved{in{1}}, nil }, args...); err != nil {
			t.Fatal(err)
		}
		return decided
	}
	total := func(r *eventstore.Repository[shelf, moved]) int {
		t.Helper()
		a, err := r.Load(t.Context(), "a")
		if err != nil || a.State.total() != int(a.Version) {
			t.Errorf("%d counted at version %d, %v", a.State.total(), a.Version, err)
		}
		return a.State.total()
	}
	for range 20 {
		put(plain, "a")
	}
	if total(cached) != 20 || total(stale) != 20 {
		t.Error("the first load lacks events")
	}
	before := reads()
	put(plain, "a") // two reads
	if n := total(cached); n != 21 {
		t.Errorf("a cached load has %d events of 21", n)
	}
	if n := reads() - before; n > 4 {
		t.Errorf("%d reads for an update without, and a load with the cache", n)
	}
	// A stale state costs no read, and an update based on it is decided again.
	before = reads()
	if n := total(stale); n != 20 || reads() != before {
		t.Errorf("a stale load has %d events, and made %d reads", n, reads()-before)
	}
	if decided := put(stale, "a"); decided != 2 || total(stale) != 22 {
		t.Errorf("an update based on a stale state was decided %d times; there are %d events", decided, total(stale))
	}
	before = reads()
	if decided := put(stale, "a"); decided != 1 || reads() != before {
		t.Errorf("an update based on the newest state was decided %d times, with %d reads", decided, reads()-before)
	}
	// Repeats, also those that others have made, are recognised and not decided again.
	put(plain, "a", eventstore.CommitID("c"))
	for range 2 {
		if put(stale, "a", eventstore.CommitID("c")) != 0 || put(cached, "a", eventstore.CommitID("c")) != 0 {
			t.Error("a repeat was decided again")
		}
	}
	// A caller that changes its state does not change the cached one.
	a, err := stale.Load(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	a.State.Counts[1] = 1000
	if n := total(stale); n != 24 {
		t.Errorf("a caller has changed the cached state: %d", n)
	}
	put(stale, "b")
	put(stale, "c")
	put(stale, "d")
	stats := stale.CacheStats()
	if stats.Entries != 2 || stats.Misses < 4 || stats.Hits < stats.Stale || stats.Stale < 5 || plain.CacheStats() != (eventstore.CacheStats{}) {
		t.Errorf("figures: %+v", stats)
	}
	// Truncated and deleted by others.
	if err := s.Truncate(t.Context(), "a", 25); err != nil {
		t.Fatal(err)
	}
	if total(cached) != 24 {
		t.Error("a state that holds what was truncated is not used")
	}
	if _, err := stale.Load(t.Context(), "d"); err != nil {
		t.Fatal(err)
	}
	if err := s.Delete(t.Context(), "d", eventstore.Any()); err != nil {
		t.Fatal(err)
	}
	_, err = stale.Update(t.Context(), "d", func(shelf) ([]moved, error) { return []moved{in{1}}, nil })
	wantError(t, "an update of a stream that was deleted", err, eventstore.ErrStreamDeleted)
	_, err = cached.Load(t.Context(), "d")
	wantError(t, "a load of a stream that was deleted", err, eventstore.ErrStreamDeleted)
	testCacheTogether(t, s)
	testCacheSnapshots(t, s)
	testCacheTruncated(t, s)
}

// testCacheSnapshots: with the cache, snapshots are taken as often as without.
func testCacheSnapshots(t *testing.T, s *eventstore.Store) {
	var saved []string
	for i, opts := range [][]eventstore.RepositoryOption{nil, {eventstore.Cached(2)}, {eventstore.Cached(2), eventstore.AllowStale(time.Hour)}} {
		snaps, stream := new(snapshots), fmt.Sprint("snapshots-", i)
		repo := eventstore.NewRepository(s, accountTypes(), fold, append(opts, eventstore.WithSnapshots(snaps, "account", 1))...)
		for range 10 {
			if _, err := repo.Update(t.Context(), stream, func(account) ([]moved, error) { return []moved{in{1}}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		saved = append(saved, fmt.Sprint(slices.Sorted(maps.Keys(snaps.saved[stream+"account1"]))))
	}
	for _, versions := range saved {
		want(t, "versions of snapshots", versions, "[3 6 9]")
	}
}

// testCacheTruncated: a cached state before which others have truncated the stream is as if it were not cached: the stored state, or the snapshot, is used.
func testCacheTruncated(t *testing.T, s *eventstore.Store) {
	for name, opt := range map[string]eventstore.RepositoryOption{"stored": eventstore.StateStored("account", 1), "snapshots": eventstore.WithSnapshots(new(snapshots), "account", 1)} {
		stream := "truncated-" + name
		here := eventstore.NewRepository(s, accountTypes(), fold, opt, eventstore.Cached(2))
		there := eventstore.NewRepository(s, accountTypes(), fold, opt)
		deposit := func(r *eventstore.Repository[account, moved]) {
			t.Helper()
			if _, err := r.Update(t.Context(), stream, func(account) ([]moved, error) { return []moved{in{1}, in{1}, in{1}}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		deposit(here)
		deposit(there)
		if err := s.Truncate(t.Context(), stream, 6); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if a, err := here.Load(t.Context(), stream); err != nil || a.Version != 6 || a.State != (account{6, 6}) {
				t.Errorf("%s: a load of what was truncated behind the cached state: %+v, %v", name, a, err)
			}
		}
		if stats := here.CacheStats(); stats.Hits != 1 || stats.Misses != 2 {
			t.Errorf("%s: figures: %+v", name, stats)
		}
	}
}

// testCacheTogether: many callers of several repositories update and load a few streams: nothing is lost.
func testCacheTogether(t *testing.T, s *eventstore.Store) {
	const callers, updates = 6, 8
	var repositories []*eventstore.Repository[shelf, moved]
	for range 2 {
		repositories = append(repositories, eventstore.NewRepository(s, accountTypes(), stack, eventstore.Cached(2), eventstore.AllowStale(time.Minute), eventstore.UpdateTries(200)))
	}
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range updates {
				r, stream := repositories[c%2], fmt.Sprint("together-", (c+i)%3)
				_, err1 := r.Update(t.Context(), stream, func(shelf) ([]moved, error) { return []moved{in{c}}, nil })
				a, err2 := r.Load(t.Context(), stream)
				if err := errors.Join(err1, err2); err != nil || a.State.total() != int(a.Version) {
					t.Errorf("%d counted at version %d, %v", a.State.total(), a.Version, err)
				}
			}
		})
	}
	wg.Wait()
	n := 0
	for i := range 3 {
		a, err := eventstore.NewRepository(s, accountTypes(), stack).Load(t.Context(), fmt.Sprint("together-", i))
		if err != nil {
			t.Fatal(err)
		}
		n += a.State.total()
	}
	if n != callers*updates {
		t.Errorf("%d events of %d updates", n, callers*updates)
	}
}
