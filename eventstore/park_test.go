// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
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
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

// ledgerOfCommits records the commits that the processes have handled; it decides which commits fail.
type ledgerOfCommits struct {
	mu      sync.Mutex
	last    map[string]int64 // the last handled version of each stream
	times   map[string]int
	failing func(c eventstore.Commit) bool
	failed  int
}

func (l *ledgerOfCommits) handle(t testing.TB, c eventstore.Commit) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing(c) {
		l.failed++
		return errors.New("broken")
	}
	l.times[fmt.Sprint(c.Stream, " ", c.First)]++
	if c.First > l.last[c.Stream]+1 {
		t.Errorf("versions %d to %d of %s before version %d", c.First, c.Last, c.Stream, l.last[c.Stream]+1)
	}
	l.last[c.Stream] = max(l.last[c.Stream], c.Last)
	return nil
}

// TestParkingModel: processes share a subscription while commits fail permanently, some are replayed and fail again, requests fail
// in every way, and processes crash and join. At the end nothing is parked, and every commit was handled, in the order
// of its stream.
func TestParkingModel(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: faults")
	}
	parkedOnce, replays, steps := 0, 0, longtest.Either(400, 160)
	for seed := range uint64(longtest.Size(6, 1)) {
		synctest.Test(t, func(t *testing.T) {
			on := new(atomic.Bool)
			e := ddbtest.NewEngine(ddbtest.WithSeed(seed), ddbtest.WithFaults(storms(0.1, on)...))
			t.Cleanup(e.Close)
			s := openStore(t, stormClient(t, e), "events", eventstore.Sequenced(16))
			rng := rand.New(rand.NewPCG(seed, 3))
			healed, written := new(atomic.Bool), 0
			l := &ledgerOfCommits{last: map[string]int64{}, times: map[string]int{}}
			l.failing = func(c eventstore.Commit) bool { return !healed.Load() && string(c.Events[0].Data) == "bad" }
			claims := newClaims()
			start := func(name string) *process {
				return joinAs(t, e, name, claims, func(_ context.Context, c eventstore.Commit) error { return l.handle(t, c) },
					eventstore.Park(0), eventstore.Retries(1), eventstore.Concurrency(8), eventstore.PollEvery(time.Duration(longtest.Size(1, 4))*time.Second))
			}
			write := func() { // a failed append may have been written: the heads show it at the end
				stream, data := fmt.Sprint("account-", rng.IntN(25)), "good"
				if rng.IntN(12) == 0 {
					data = "bad"
				}
				if _, err := s.Append(t.Context(), stream, eventstore.Any(), event(data)); err == nil {
					written++
				}
			}
			all := []*process{start("a"), start("b"), start("c")}
			on.Store(true)
			for step := range steps { // a process is killed in the last one; a replay there would leave nothing parked
				write()
				<-time.After(time.Duration(rng.IntN(600)) * time.Millisecond)
				switch {
				case step%80 == 79:
					i := rng.IntN(len(all))
					all[i].kill()
					all = append(all, start(fmt.Sprint("p", step)))
				case step%50 == 49:
					n, err := s.Feed().Replay(t.Context(), "mailer")
					if err == nil { // otherwise the replay is requested again
						replays += n
					}
				}
			}
			on.Store(false)
			healed.Store(true)
			for i := range 20 {
				<-time.After(time.Minute / time.Duration(1+min(i, 2))) // the leases of killed processes expire in the first
				n, err := s.Feed().Replay(t.Context(), "mailer")
				if err != nil {
					t.Fatal(err)
				}
				if parkedOnce += n; n == 0 {
					break
				}
			}
			for p, err := range s.Feed().Parked(t.Context(), "mailer") {
				t.Errorf("run %d: number %d of shard %d of stream %s is still parked, %d attempts, %v", seed, p.Number, p.Shard, p.Stream, p.Attempts, err)
			}
			l.mu.Lock()
			total := int64(0)
			for i := range 25 {
				head, err := s.Head(t.Context(), fmt.Sprint("account-", i))
				if errors.Is(err, ddb.ErrNotFound) {
					continue
				}
				if total += head.Version; err != nil || l.last[head.Stream] != head.Version {
					t.Errorf("run %d: stream %d is handled up to version %d of %d, %v", seed, i, l.last[head.Stream], head.Version, err)
				}
			}
			if total < int64(written) || written < steps*3/4 {
				t.Errorf("run %d: %d events of %d appends", seed, total, written)
			}
			l.mu.Unlock()
			for _, p := range all {
				p.cancel()
				if err := <-p.ended; !errors.Is(err, context.Canceled) {
					t.Errorf("run %d: %s ended with %v", seed, p.name, err)
				}
			}
		})
	}
	t.Logf("%d replays, %d at the end", replays, parkedOnce)
	if replays == 0 || parkedOnce == 0 {
		t.Error("too little was parked and replayed")
	}
}
