// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

// A request that is never answered does not stop the consumer: every call is repeated after its timeout.
func TestUnansweredCalls(t *testing.T) {
	t.Parallel()
	for i, operation := range []string{"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords", "Query", "PutItem", "GetItem"} {
		for nth := 1; nth <= 5; nth += 2 {
			if !longtest.Enabled() && nth != 1+2*(i%3) {
				continue // another call of each operation
			}
			synctest.Test(t, func(t *testing.T) {
				armed := new(atomic.Bool)
				w := newWorld(t, ddbtest.WithFaults(fault.On(operation).Where(func(fault.Request) bool { return armed.Load() }).Nth(nth).Hang()))
				j, h := new(journal), new(journal)
				store := newTableStore(t, w.db)
				for n := range int64(3) {
					w.put(t, "a", 1, n)
				}
				armed.Store(operation != "GetItem") // requests of the setup
				opt := change.PollInterval(10 * time.Second)
				a, b := start(t, w, store, j.each(), opt), start(t, w, store, h.each(), opt)
				wait(2 * time.Minute)
				armed.Store(false)
				if got := j.texts() + h.texts(); got != "0 1 2" {
					t.Errorf("%s %d hangs: handled %q", operation, nth, got)
				}
				armed.Store(operation != "PutItem")
				w.put(t, "a", 1, 3)
				wait(2 * time.Minute)
				if got := j.texts() + h.texts(); got != "0 1 2 3" && got != "0 1 23" {
					t.Errorf("%s %d hangs: handled %q", operation, nth, got)
				}
				a.stop(t)
				b.stop(t)
			})
		}
	}
}

func TestUnansweredStreamCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ddbtest.WithFaults(
			fault.On("ListStreams").Nth(1).Hang(), fault.On("DescribeStream").Nth(1).Hang(), fault.On("GetShardIterator").Nth(1).Hang(), fault.On("GetRecords").Nth(2).Hang()))
		for n := range int64(5) {
			w.put(t, "a", 1, n)
		}
		w.setStream(t, false)
		n, begin := 0, time.Now()
		for _, err := range newStream(t, w, change.PageLimit(2), change.CallTimeout(3*time.Second)).All(t.Context(), change.FromHorizon()) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != 5 || time.Since(begin) > time.Minute {
			t.Errorf("%d changes after %v", n, time.Since(begin))
		}
	})
}

// hanging is a store whose calls are never answered while it hangs.
type hanging struct {
	change.Store
	on atomic.Bool
}

func (s *hanging) Leases(ctx context.Context, app string) ([]change.Lease, error) {
	if s.on.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.Store.Leases(ctx, app)
}

// A worker survives a lease store that does not answer for a while.
func TestUnansweredStoreCalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, j := newWorld(t), new(journal)
		store := &hanging{Store: new(change.MemoryStore)}
		store.on.Store(true)
		r := start(t, w, store, j.each())
		w.put(t, "a", 1, 0)
		wait(time.Minute)
		store.on.Store(false)
		wait(time.Minute)
		if got := j.texts(); got != "0" {
			t.Errorf("handled %q", got)
		}
		r.stop(t)
	})
}

// While reads are not answered, the statistics show that, and not that there is nothing to read.
func TestStatsOfUnansweredReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		w := newWorld(t, ddbtest.WithFaults(fault.On("GetRecords").Between(begin.Add(time.Minute), begin.Add(time.Hour)).Hang()))
		r := start(t, w, new(change.MemoryStore), new(journal).each())
		w.put(t, "a", 1, 0)
		wait(50 * time.Second)
		if s := r.Stats(); s.Lag() != 0 || s.ReadAge() > 2*time.Second || !s.Shards[0].AtTip {
			t.Errorf("while reads are answered: %+v", s)
		}
		wait(30 * time.Minute)
		if s := r.Stats(); s.Lag() < 25*time.Minute || s.ReadAge() < 25*time.Minute || s.Shards[0].AtTip || s.Shards[0].RenewalAge > 10*time.Second {
			t.Errorf("while no read is answered: %+v", s)
		}
		wait(31 * time.Minute)
		if s := r.Stats(); s.Lag() != 0 || s.ReadAge() > 2*time.Second || !s.Shards[0].AtTip {
			t.Errorf("when reads are answered again: %+v", s)
		}
		r.stop(t)
	})
}
