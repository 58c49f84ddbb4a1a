// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
)

// TestUniqueIDsSettingIsFixed: stores with different settings for unique ids cannot write to one table.
func TestUniqueIDsSettingIsFixed(t *testing.T) {
	for _, first := range []bool{true, false} {
		client := ddbtest.New(t)
		open := func(unique bool) *eventstore.Store {
			var opts []eventstore.Option
			if unique {
				opts = append(opts, eventstore.UniqueIDs())
			}
			s, err := eventstore.New(client, "events", opts...)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		if err := open(first).EnsureTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := open(!first).Append(t.Context(), "a", eventstore.Any(), eventstore.NewEvent{Type: "x"}); !errors.Is(err, eventstore.ErrSetup) {
			t.Errorf("another setting: %v", err)
		}
		if _, err := open(first).Append(t.Context(), "a", eventstore.Any(), eventstore.NewEvent{Type: "x"}); err != nil {
			t.Error(err)
		}
		if _, err := open(false).EventByID(t.Context(), "x"); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("without the option: %v", err)
		}
	}
}

// TestUniqueIDsStorm: writers of a few streams draw ids from a small set, and some requests and replies are lost. Every id is stored at most once, an
// append that succeeded has its ids, and the events of a refused append are not stored.
func TestUniqueIDsStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calm atomic.Bool
		on := fault.On("TransactWriteItems", "GetItem", "Query").Where(func(fault.Request) bool { return !calm.Load() })
		e := ddbtest.NewEngine(ddbtest.WithSeed(11), ddbtest.WithFaults(
			on.Chance(0.06).DropReply(), on.Chance(0.04).DropRequest(), on.Chance(0.03).Applied().InternalError(), on.Chance(0.03).Throttle(),
			on.Chance(0.02).Duplicate(), on.Chance(0.04).Late(time.Second), fault.On("TransactWriteItems").Chance(0.05).Conflict(),
		))
		defer e.Close()
		client := e.Client()
		store, err := eventstore.New(client, "events", eventstore.UniqueIDs(), eventstore.Sequenced(2))
		if err == nil {
			err = store.EnsureTable(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
		type outcome struct {
			ids      []string
			rejected bool
		}
		var mu sync.Mutex
		outcomes := map[string]outcome{} // by commit
		var wg sync.WaitGroup
		for w := range 6 {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(3, uint64(w)))
				for i := range 15 {
					commit := fmt.Sprintf("%d-%d", w, i)
					ids := []string{fmt.Sprint(r.IntN(120)), fmt.Sprint(120 + r.IntN(120))}
					stream := fmt.Sprint("s", r.IntN(3))
					for {
						_, err := store.Append(t.Context(), stream, eventstore.Any(), eventstore.CommitID(commit),
							eventstore.NewEvent{ID: ids[0], Type: "x"}, eventstore.NewEvent{ID: ids[1], Type: "x"})
						if err != nil && !errors.Is(err, eventstore.ErrDuplicateEventID) {
							continue // repeat it
						}
						mu.Lock()
						outcomes[commit] = outcome{ids, err != nil}
						mu.Unlock()
						break
					}
				}
			})
		}
		wg.Wait()
		calm.Store(true)
		holders := map[string]string{} // commits by id
		for i := range 3 {
			stream := fmt.Sprint("s", i)
			for ev, err := range store.Read(t.Context(), stream) {
				if err != nil {
					t.Fatal(err)
				}
				if other, ok := holders[ev.ID]; ok {
					t.Errorf("commits %s and %s have the same id", other, ev.CommitID)
				}
				holders[ev.ID] = ev.CommitID
				found, err := store.EventByID(t.Context(), ev.ID)
				if err != nil || found.Stream != stream || found.Version != ev.Version {
					t.Errorf("by id: %+v, %v; want version %d of %s", found, err, ev.Version, stream)
				}
			}
		}
		rejected := 0
		for commit, o := range outcomes {
			for _, id := range o.ids {
				if (holders[id] == commit) == o.rejected {
					t.Errorf("commit %s was refused: %t, and id %s belongs to %s", commit, o.rejected, id, holders[id])
				}
			}
			if o.rejected {
				rejected++
			}
		}
		if rejected == 0 || rejected == len(outcomes) {
			t.Errorf("%d of %d commits were refused", rejected, len(outcomes))
		}
	})
}
