// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/layerstats"
)

// oneSnapshot has the state of version 2 of every stream.
type oneSnapshot struct{}

func (oneSnapshot) LoadState(_ context.Context, _, _ string, _ int, atMost int64) (int64, time.Time, []byte, error) {
	if atMost < 2 {
		return 0, time.Time{}, nil, nil
	}
	return 2, time.Now(), []byte("2"), nil
}

func (oneSnapshot) OfferState(context.Context, string, string, int, int64, int64, time.Time, func() ([]byte, error)) (bool, error) {
	return false, nil
}

// TestLoadsAreCounted: loads are counted by their start (first event, snapshot or cache), with the number of events that they read.
func TestLoadsAreCounted(t *testing.T) {
	t.Parallel()
	store := newStore(t)
	types := eventstore.NewTypes[exampleEvent](eventstore.JSON).Add(added{})
	count := func(n int, e exampleEvent) int { return n + e.added() }
	plain := eventstore.NewRepository(store, types, count)
	for _, stream := range []string{"a", "b"} {
		five := func(int) ([]exampleEvent, error) {
			return []exampleEvent{added{1}, added{1}, added{1}, added{1}, added{1}}, nil
		}
		if _, err := plain.Update(t.Context(), stream, five); err != nil {
			t.Fatal(err)
		}
	}
	load := func(r *eventstore.Repository[int, exampleEvent], stream string) {
		t.Helper()
		if a, err := r.Load(t.Context(), stream); err != nil || a.State != 5 {
			t.Fatal(a, err)
		}
	}
	load(plain, "a") // five events
	snapshots := eventstore.NewRepository(store, types, count, eventstore.WithSnapshots(oneSnapshot{}, "n", 1))
	load(snapshots, "a")                                             // three events
	if _, err := snapshots.LoadAt(t.Context(), "a", 1); err != nil { // one event, because the snapshot is newer
		t.Fatal(err)
	}
	cached := eventstore.NewRepository(store, types, count, eventstore.Cached(10))
	load(cached, "b") // five events
	load(cached, "b") // none
	stale := eventstore.NewRepository(store, types, count, eventstore.Cached(10), eventstore.AllowStale(math.MaxInt64))
	load(stale, "b") // five events
	load(stale, "b") // none

	got := map[string]int64{}
	for _, s := range layerstats.List() {
		if s.Layer == "eventstore" && s.Table == store.Name() {
			got[s.Event] = s.Count
		}
	}
	want := map[string]int64{
		"loads from the first event": 4, "loads from a snapshot": 1, "loads from the cache": 1, "loads from the cache, nothing read": 1, "events folded by loads": 19,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}
