// SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/sweep"
)

// stopped describes a run that is stopped at its k-th request or page.
type stopped struct {
	rules  func(m fault.Matcher) []fault.Rule // of the k-th Scan
	ctx    func(ctx context.Context, k int) (context.Context, context.CancelFunc)
	cancel bool // the context, when the k-th Scan arrives
	body   func(k, page int) bool
}

func nothing(fault.Matcher) []fault.Rule { return nil }

// A run that is stopped at any request, in any way, is resumed from its position: all items are passed to the loop, and only pages that were in
// progress, and that the position does not count, are read again.
func TestStoppedAtEveryRequest(t *testing.T) {
	t.Parallel()
	step := 3
	if long() {
		step = 1
	}
	for name, way := range map[string]stopped{
		"the reply is lost":        {rules: func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.DropReply()} }},
		"an internal error":        {rules: func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.InternalError()} }},
		"the request hangs":        {rules: func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Hang()} }},
		"half a body":              {rules: func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.TruncateBody()} }},
		"the context is cancelled": {rules: func(m fault.Matcher) []fault.Rule { return []fault.Rule{m.Hang()} }, cancel: true},
		"the loop is left":         {rules: nothing, body: func(k, page int) bool { return page == k }},
		"the body panics": {rules: nothing, body: func(k, page int) bool {
			if page == k {
				panic("the body")
			}
			return false
		}},
		"a budget of requests": {rules: nothing, ctx: func(ctx context.Context, k int) (context.Context, context.CancelFunc) {
			return ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{Requests: int64(k)})), func() {}
		}},
		"a budget of units": {rules: nothing, ctx: func(ctx context.Context, k int) (context.Context, context.CancelFunc) {
			return ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{ReadUnits: float64(k) / 2})), func() {}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := 1 // the request, and after the loop the first one that a whole run does not reach
			for ; ; k += step {
				again := true
				synctest.Test(t, func(t *testing.T) { again = stopAt(t, way, k) })
				if !again {
					break
				}
			}
			if least := items/pageSize + segments/2; k <= least {
				t.Errorf("runs were stopped at only %d requests, of at least %d", k-1, least)
			}
		})
	}
}

// stopAt reports whether the run was stopped.
func stopAt(t *testing.T, way stopped, k int) bool {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var on atomic.Bool
	var scans atomic.Int64
	kth := fault.On("Scan").Where(func(fault.Request) bool {
		hit := on.Load() && int(scans.Add(1)) == k
		if hit && way.cancel {
			cancel()
		}
		return hit
	})
	e := ddbtest.NewEngine(ddbtest.WithFaults(way.rules(kth)...))
	defer e.Close()
	table := filled(t, newThings(t, e), items, 10)
	on.Store(true)
	first := ctx
	if way.ctx != nil {
		var stop context.CancelFunc
		first, stop = way.ctx(ctx, k)
		defer stop()
	}
	tracker := progress.NewTracker()
	seen := make(map[string]int)
	position, pages := "", 0
	run := func(ctx context.Context, s *sweep.Sweep[Thing]) (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		for page, err := range s.Pages(ctx) {
			if err != nil {
				return err
			}
			pages++
			if way.body != nil && way.body(k, pages) {
				return errors.New("left")
			}
			for _, item := range page.Items {
				seen[item.ID]++
			}
			position = page.Position()
		}
		return nil
	}
	w := &watch{}
	err := run(progress.Named(tracker.With(ddb.WithGate(first, w)), "sweep"), small(table))
	w.mu.Lock()
	if w.flying != 0 {
		t.Errorf("request %d: %d requests are in flight after the run", k, w.flying)
	}
	w.mu.Unlock()
	p, _ := tracker.Find("sweep")
	if err == nil {
		if p.State != progress.Done || p.PartsDone != segments || p.Items != items {
			t.Errorf("request %d: the progress is %v", k, p)
		}
	} else {
		if p.State != progress.Stopped && p.State != progress.Failed {
			t.Errorf("request %d: the progress is %v", k, p)
		}
		if p.Position() != position && position != "" {
			t.Errorf("request %d: the progress has another position", k)
		}
		if stop := sweep.PositionOf(err); way.body == nil && (stop == "" || position != "" && stop != position) {
			t.Fatalf("request %d: the error does not have the position: %v", k, err)
		}
		if spent, ok := errors.AsType[*cost.BudgetExceeded](err); way.ctx != nil && (!ok || spent.Cursor != sweep.PositionOf(err) || p.State != progress.Stopped) {
			t.Errorf("request %d: got %v, %v", k, err, p)
		}
		way.body = nil
		on.Store(false)
		next, err := small(table).Resume(p.Position())
		if err != nil {
			t.Fatal(err)
		}
		if err := run(t.Context(), next); err != nil {
			t.Fatalf("request %d: resumed: %v", k, err)
		}
	}
	if len(seen) != items {
		t.Fatalf("request %d: %d of %d items were seen", k, len(seen), items)
	}
	// Pages counted in the position are not read again: with one position for each page no item is passed to the loop twice.
	if n := scansOf(seen); n != items {
		t.Errorf("request %d: %d items were passed to the loop", k, n)
	}
	return err != nil
}

func scansOf(seen map[string]int) (n int) {
	for _, k := range seen {
		n += k
	}
	return n
}

// When a process is killed, its last stored position may be old. Pages since then are repeated, and at most one page more for each
// worker.
func TestKilledWithAnOldPosition(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for every := 1; every <= 5; every++ {
			var scanned atomic.Int64
			e := ddbtest.NewEngine(ddbtest.WithObserver(func(r fault.Request) {
				if r.Operation == "Scan" {
					scanned.Add(1)
				}
			}))
			table := filled(t, newThings(t, e), items, 10)
			scanned.Store(0)
			if err := drain(t.Context(), small(table), func(sweep.Page[Thing]) {}); err != nil {
				t.Fatal(err)
			}
			once := scanned.Swap(0)
			seen := make(map[string]int)
			position, since, runs, done := "", 0, 0, false
			for ; !done; runs++ {
				s, err := small(table).Resume(position)
				if err != nil {
					t.Fatal(err)
				}
				done = true
				pages := 0
				for page, err := range s.Pages(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					for _, item := range page.Items {
						seen[item.ID]++
					}
					if since++; since >= every {
						position, since = page.Position(), 0
					}
					if pages++; pages == 7 {
						done, since = false, 0
						break
					}
				}
			}
			again := scansOf(seen) - items
			if len(seen) != items || again > (runs-1)*every*pageSize {
				t.Errorf("position every %d pages: %d items seen, %d repeated, in %d runs", every, len(seen), again, runs)
			}
			if extra, most := scanned.Load()-once, int64((runs-1)*(workers+every)); extra > most {
				t.Errorf("position every %d pages: %d requests more than in one run, want at most %d", every, extra, most)
			}
			e.Close()
		}
	})
}
