// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/job"
)

// newStores returns an empty store of each kind.
func newStores(t *testing.T) map[string]job.Store {
	t.Helper()
	table, err := job.NewTableStore(ddbtest.New(t), "jobs")
	must(t, err)
	must(t, table.EnsureTable(t.Context()))
	return map[string]job.Store{"table": table, "file": job.NewFileStore(filepath.Join(t.TempDir(), "jobs.json"))}
}

// Stores return a state exactly as it was stored, and of several swaps of the same state only one succeeds.
func TestStores(t *testing.T) {
	t.Parallel()
	for name, s := range newStores(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			empty, err := s.Load(t.Context(), "a")
			if err != nil || empty != (job.State{}) {
				t.Errorf("%v, %v", empty, err)
			}
			now := time.Now().UTC().Truncate(time.Millisecond)
			first := job.State{Position: "p1", Token: "one", Owner: "x", Until: now, Runs: 1}
			must(t, s.Swap(t.Context(), "a", empty, first))
			if got, err := s.Load(t.Context(), "a"); err != nil || got.Position != "p1" || got.Token != "one" || got.Owner != "x" || !got.Until.Equal(now) || got.Runs != 1 {
				t.Errorf("%+v, %v", got, err)
			}
			if got, err := s.Load(t.Context(), "b"); err != nil || got != (job.State{}) {
				t.Errorf("%v, %v", got, err)
			}
			var wg sync.WaitGroup
			var won atomic.Int64
			for i := range 8 {
				wg.Go(func() {
					next := first
					next.Token, next.Until = fmt.Sprint("t", i), now.Add(time.Duration(i+1)*time.Second)
					switch err := s.Swap(t.Context(), "a", first, next); {
					case err == nil:
						won.Add(1)
					case !errors.Is(err, job.ErrLeased):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if won.Load() != 1 {
				t.Errorf("%d have the lease", won.Load())
			}
		})
	}
}

// Swap refuses a state that was read before another runner took the job, moved its position and released it: it would move the position back.
func TestSwapOfAnOldState(t *testing.T) {
	t.Parallel()
	for name, s := range newStores(t) {
		now := time.Now().UTC().Truncate(time.Millisecond)
		taken := job.State{Token: "one", Owner: "x", Until: now}
		for i, c := range []struct{ old, now job.State }{
			{job.State{}, job.State{Position: "p1"}},
			{job.State{}, job.State{Runs: 1}},
			{job.State{Position: "p1"}, job.State{Position: "p2"}},
			{job.State{Position: "p1"}, job.State{Runs: 1}},
			{job.State{Position: "p1", Runs: 1}, job.State{Runs: 1}},
			{job.State{Position: "p1"}, job.State{Position: "p1", Token: "two", Owner: "y", Until: now}},
			{job.State{Position: "p1", Token: "two", Owner: "y", Until: now}, job.State{Position: "p1"}},
		} {
			key := fmt.Sprint(i)
			if c.old != (job.State{}) {
				must(t, s.Swap(t.Context(), key, job.State{}, c.old))
			}
			must(t, s.Swap(t.Context(), key, c.old, c.now))
			if err := s.Swap(t.Context(), key, c.old, taken); !errors.Is(err, job.ErrLeased) || c.now.Token == "" != strings.Contains(err.Error(), "meanwhile") {
				t.Errorf("%s, %d: got %v", name, i, err)
			}
			if got, err := s.Load(t.Context(), key); err != nil || got != c.now {
				t.Errorf("%s, %d: stored is %v, %v", name, i, got, err)
			}
			must(t, s.Swap(t.Context(), key, c.now, taken))
		}
	}
}

// Two runners of a job: the second is refused while the first holds the lease, takes over when the first does not renew it, and then the first ends.
func TestOneRunner(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := new(atomic.Bool)
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("UpdateItem").Where(func(fault.Request) bool { return slow.Load() }).Delay(10 * time.Second)))
		defer e.Close()
		client := newClient(e)
		table := newOrders(t, client, 30)
		states, err := job.NewTableStore(client, "jobs")
		must(t, err)
		must(t, states.EnsureTable(t.Context()))
		first := &mortal{Store: states}
		slow.Store(true)
		ended := make(chan error, 1)
		go func() {
			_, err := newJob(t, table, lower, job.StoredIn(first)).Run(t.Context())
			ended <- err
		}()
		second := newJob(t, table, lower, job.StoredIn(states))
		for range 5 { // longer than a lease: the first runner renews it
			<-time.After(20 * time.Second)
			if _, err := second.Run(t.Context()); !errors.Is(err, job.ErrLeased) || !strings.Contains(err.Error(), "process") {
				t.Errorf("got %v", err)
			}
		}
		first.dead.Store(true) // it can no longer reach its store, but still its table
		<-time.After(45 * time.Second)
		select {
		case err := <-ended:
			if err == nil {
				t.Error("the first runner continues without a lease")
			}
		case <-time.After(45 * time.Second):
			t.Error("the first runner did not end")
		}
		slow.Store(false)
		if _, err := second.Run(t.Context()); err != nil {
			t.Error(err)
		}
		allLower(t, table, 30)
	})
}

// A restart reads all items, whatever position is stored, and the next run continues where it was stopped. It does not take over the job of another runner.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		client := newClient(e)
		table := newOrders(t, client, 30)
		states, err := job.NewTableStore(client, "jobs")
		must(t, err)
		must(t, states.EnsureTable(t.Context()))
		var calls atomic.Int64
		broken := errors.New("the function is wrong")
		half := func(o Order) job.Change[Order] {
			if calls.Add(1) > 12 {
				return job.Fail[Order](broken)
			}
			return lower(o)
		}
		stopped := newJob(t, table, half, job.StoredIn(states), job.MaxFailures(0))
		j := newJob(t, table, lower, job.StoredIn(states))
		stop := func(run func(context.Context) (job.Report, error)) {
			t.Helper()
			calls.Store(0)
			r, err := run(t.Context())
			if s, _ := states.Load(t.Context(), "lower"); !errors.Is(err, job.ErrFailures) || s.Position == "" || s.Token != "" {
				t.Fatalf("%+v, %v, %v", r, err, s)
			}
		}
		stop(stopped.Run)
		if r, err := j.Restart(t.Context()); err != nil || r.Read != 30 {
			t.Errorf("%+v, %v", r, err)
		}
		stop(stopped.Run)
		stop(stopped.Restart)
		if r, err := j.Run(t.Context()); err != nil || r.Read >= 30 || r.Read == 0 {
			t.Errorf("%+v, %v", r, err)
		}
		// Another runner runs the job, and has made progress.
		other := job.State{Position: "theirs", Token: "x", Owner: "other", Until: time.Now().Add(time.Hour).UTC(), Runs: 2}
		must(t, states.Swap(t.Context(), "lower", job.State{Runs: 2}, other))
		if r, err := j.Restart(t.Context()); !errors.Is(err, job.ErrLeased) || r.Read != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		if s, err := states.Load(t.Context(), "lower"); err != nil || s != other {
			t.Errorf("%v, %v", s, err)
		}
		<-time.After(2 * time.Hour) // it was killed: its position does not matter
		if r, err := j.Restart(t.Context()); err != nil || r.Read != 30 {
			t.Errorf("%+v, %v", r, err)
		}
		if r, err := newJob(t, table, lower).Restart(t.Context()); err != nil || r.Read != 30 { // without a store
			t.Errorf("%+v, %v", r, err)
		}
	})
}

// A lost reply of the store leaves no lease behind.
func TestLostRepliesOfTheStore(t *testing.T) {
	t.Parallel()
	for k := 1; k <= 3; k++ {
		synctest.Test(t, func(t *testing.T) {
			e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("PutItem").Table("jobs").Nth(k).DropReply()))
			defer e.Close()
			client := newClient(e)
			table := newOrders(t, client, 5)
			states, err := job.NewTableStore(client, "jobs")
			must(t, err)
			must(t, states.EnsureTable(t.Context()))
			j := newJob(t, table, lower, job.StoredIn(states))
			for range 2 {
				if _, err := j.Run(t.Context()); err != nil {
					t.Errorf("reply %d: %v", k, err)
				}
			}
			if s, err := states.Load(t.Context(), "lower"); err != nil || s.Token != "" || s.Position != "" || s.Runs != 2 {
				t.Errorf("reply %d: %v, %v", k, s, err)
			}
		})
	}
}

// The error names a damaged file, and a lock left by a killed process.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "jobs.json")
	must(t, os.WriteFile(path, []byte("{"), 0o600))
	s := job.NewFileStore(path)
	if _, err := s.Load(t.Context(), "a"); err == nil {
		t.Error("a damaged file was read")
	}
	if err := s.Swap(t.Context(), "a", job.State{}, job.State{Token: "x"}); err == nil {
		t.Error("a damaged file was overwritten")
	}
	synctest.Test(t, func(t *testing.T) {
		must(t, os.WriteFile(path+".lock", nil, 0o600))
		if err := s.Swap(t.Context(), "a", job.State{}, job.State{Token: "x"}); err == nil || !strings.Contains(err.Error(), "remove it") {
			t.Errorf("got %v", err)
		}
	})
}
