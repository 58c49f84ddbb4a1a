// SPDX-License-Identifier: Apache-2.0

package progress_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/progress"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pass(d time.Duration) { <-time.After(d) }

// Reports come at the beginning, at each change of state, at the end, and once a second in between.
func TestReportTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		ctx := progress.With(t.Context(), func(p progress.Progress) {
			got = append(got, fmt.Sprintf("%v %s %d %s", p.Elapsed(), p.State, p.Items, p.Reason))
		})
		_, task := progress.Start(ctx, "work")
		for range 25 {
			task.Items(1)
			pass(100 * time.Millisecond)
		}
		task.Wait("a lease")
		task.Wait("a lease")
		pass(time.Minute)
		task.Run()
		task.End(errors.New("broken"))
		task.End(nil)
		task.Run()
		task.Items(1)
		pass(time.Minute)
		task.Items(1)
		want := []string{
			"0s running 0 ", "1s running 11 ", "2s running 21 ", "2.5s waiting 25 a lease", "1m2.5s running 25 ", "1m2.5s failed 25 broken",
		}
		if !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// How a task ends.
func TestEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		end    func(*progress.Task)
		state  progress.State
		reason string
	}{
		{func(t *progress.Task) { t.End(nil) }, progress.Done, ""},
		{func(t *progress.Task) { t.End(fmt.Errorf("call: %w", context.Canceled)) }, progress.Stopped, "call: context canceled"},
		{func(t *progress.Task) { t.End(context.DeadlineExceeded) }, progress.Stopped, "context deadline exceeded"},
		{func(t *progress.Task) { t.End(fmt.Errorf("call: %w", cost.ErrBudgetExceeded)) }, progress.Stopped, "call: budget exceeded"},
		{func(t *progress.Task) { t.Stop("the budget is spent") }, progress.Stopped, "the budget is spent"},
		{func(t *progress.Task) { t.End(errors.New("no table")) }, progress.Failed, "no table"},
	} {
		tracker := progress.NewTracker()
		_, task := progress.Start(tracker.With(t.Context()), "work")
		c.end(task)
		for _, p := range append(tracker.List(), task.Progress()) {
			if p.State != c.state || p.Reason != c.reason || !p.State.Ended() {
				t.Errorf("got %s %q, want %s %q", p.State, p.Reason, c.state, c.reason)
			}
		}
	}
}

// A task is running again when neither any of its goroutines nor the task itself waits; the reason shown is a current one. The end of a task is final.
func TestWaiting(t *testing.T) {
	t.Parallel()
	_, task := progress.Start(progress.NewTracker().With(t.Context()), "work")
	first, second := task.Waiting("a"), task.Waiting("b")
	is := func(want progress.State, reason string) {
		t.Helper()
		if p := task.Progress(); p.State != want || p.Reason != reason {
			t.Errorf("got %s %q, want %s %q", p.State, p.Reason, want, reason)
		}
	}
	is(progress.Waiting, "b")
	second()
	second() // does nothing
	is(progress.Waiting, "a")
	task.Wait("a table")
	is(progress.Waiting, "a table")
	first()
	is(progress.Waiting, "a table") // the whole task waits
	first = task.Waiting("d")
	is(progress.Waiting, "a table")
	task.Run()
	is(progress.Waiting, "d") // a part waits
	first()
	is(progress.Running, "")
	third := task.Waiting("c")
	task.End(nil)
	third()
	is(progress.Done, "")
	(*progress.Task)(nil).Waiting("d")()
}

// A nested call is part of the outer one: it does not report, and its units count for the outer call; with Join its counters do, too.
func TestNestedCalls(t *testing.T) {
	t.Parallel()
	tracker := progress.NewTracker()
	ctx, outer := progress.Start(progress.Named(tracker.With(t.Context()), "outer"), "other")
	inside, inner := progress.Start(ctx, "inner")
	if inner != nil || progress.From(inside) != outer {
		t.Error("the inner call reports by itself")
	}
	inner.Items(5)
	progress.From(inside).Spend(progress.Units{Read: 2})
	joined, task := progress.Start(progress.Join(ctx), "inner")
	task.Items(7)
	task.End(nil)
	if _, deeper := progress.Start(joined, "deeper"); deeper != nil {
		t.Error("a call nested in a joined call reports")
	}
	list := tracker.List()
	if len(list) != 1 || list[0].Job != "outer" || list[0].State != progress.Running || list[0].Items != 7 || list[0].Units.Read != 2 {
		t.Errorf("got %v", list)
	}
	outer.End(nil)
}

// Without a listener no task is created, and all methods may be called.
func TestWithoutListener(t *testing.T) {
	ctx := progress.Named(progress.WithLimit(progress.With(progress.Join(t.Context()), nil), func() progress.Limit { return progress.Limit{} }), "n")
	same, task := progress.Start(ctx, "work")
	if same != ctx || task != nil {
		t.Error("a task was created")
	}
	task.Items(1)
	task.Total(1)
	task.Count("x", 1)
	task.Spend(progress.Units{Read: 1})
	task.Parts(1, 0)
	task.Work(0, 1)
	task.PartDone(0, true)
	task.Position(func() string { return "" })
	task.Wait("x")
	task.Run()
	task.Stop("x")
	task.End(nil)
	if task.Name() != "" || task.Progress().Job != "" || fmt.Sprint(task) != "progress.Task" {
		t.Error("a nil task reports something")
	}
	if n := testing.AllocsPerRun(100, func() { _, _ = progress.Start(ctx, "work"); progress.From(ctx) }); n > 0 {
		t.Errorf("%g allocations", n)
	}
	var none *progress.Tracker
	if _, ok := none.Find("x"); ok || none.List() != nil || none.With(ctx) != ctx {
		t.Error("a nil tracker has something")
	}
}

// Units a second are those of the last ten seconds.
func TestRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, task := progress.Start(progress.NewTracker().With(t.Context()), "work")
		rate := func() progress.Units { return task.Progress().Rate }
		for range 3 {
			task.Spend(progress.Units{Read: 30, Write: 3})
			pass(time.Second)
		}
		if got := rate(); got != (progress.Units{Read: 30, Write: 3}) {
			t.Errorf("after 3 s: %+v", got)
		}
		for range 60 {
			task.Spend(progress.Units{Read: 100})
			pass(time.Second)
		}
		if got := rate(); got.Read < 99 || got.Read > 101 || got.Write != 0 {
			t.Errorf("after a minute: %+v", got)
		}
		pass(20 * time.Second)
		if got := rate(); got != (progress.Units{}) {
			t.Errorf("after a pause: %+v", got)
		}
		if p := task.Progress(); p.Units != (progress.Units{Read: 6090, Write: 9}) {
			t.Errorf("in total: %+v", p.Units)
		}
	})
}

// The range of the remaining time contains the true time as often as a 95 % interval should, for parts of very different sizes, and
// becomes narrower.
func TestTimeLeft(t *testing.T) {
	const partsOf, speed = 64, 100.0 // units of work a second
	rnd := rand.New(rand.NewPCG(1, 2))
	held, asked := 0, 0
	var widths [4]float64
	for range 40 {
		synctest.Test(t, func(t *testing.T) {
			_, task := progress.Start(progress.NewTracker().With(t.Context()), "work")
			task.Parts(partsOf, 0)
			if p := task.Progress(); p.LeftHigh != 0 {
				t.Error("the remaining time is known at the beginning")
			}
			var sizes [partsOf]float64
			left := 0.0
			for i := range sizes {
				sizes[i] = 500 + 2000*rnd.Float64()
				left += sizes[i]
			}
			for i, size := range sizes {
				for done := 0.0; done < size; done += speed {
					task.Work(i, min(speed, size-done))
					pass(time.Second)
				}
				task.PartDone(i, true)
				left -= size
				p := task.Progress()
				if i < 7 || i == partsOf-1 {
					continue
				}
				asked++
				if truth := time.Duration(left / speed * float64(time.Second)); p.LeftLow <= truth+time.Minute/4 && truth <= p.LeftHigh+time.Minute/4 {
					held++
				}
				if i%16 == 7 {
					widths[i/16] += (p.LeftHigh - p.LeftLow).Seconds()
				}
			}
			if p := task.Progress(); p.LeftLow != 0 || p.LeftHigh != 0 || p.Share() != 1 {
				t.Errorf("at the end: %v", p)
			}
		})
	}
	if share := float64(held) / float64(asked); share < 0.93 {
		t.Errorf("%.2f of the ranges contain the true time", share)
	}
	if !slices.IsSortedFunc(widths[:], func(a, b float64) int { return int(b - a) }) {
		t.Errorf("the ranges do not become narrower: %v", widths)
	}
}

// Parts of an earlier run are done and give no sizes; a known total is enough.
func TestTimeLeftOfResumedWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, task := progress.Start(progress.NewTracker().With(t.Context()), "work")
		task.Parts(10, 6)
		for i, whole := range []bool{false, true, true} {
			work := 10.0
			if !whole {
				work = 1
			}
			task.Work(i, work)
			pass(time.Duration(work) * time.Second)
			task.PartDone(i, whole)
		}
		p := task.Progress()
		if p.PartsDone != 9 || p.Share() != 0.9 || p.LeftLow < 9*time.Second || p.LeftHigh > 11*time.Second || p.LeftHigh == 0 {
			t.Errorf("got %v", p)
		}
		_, task = progress.Start(progress.NewTracker().With(t.Context()), "items")
		task.Total(100)
		for range 40 {
			task.Items(1)
			pass(time.Second)
		}
		if p := task.Progress(); p.Share() != 0.4 || p.LeftLow != time.Minute || p.LeftHigh != time.Minute {
			t.Errorf("got %v", p)
		}
	})
}

// The limit of a context is shown, and that a call waits for it.
func TestLimits(t *testing.T) {
	t.Parallel()
	limit := progress.Limit{Ceiling: progress.Units{Read: 50}}
	ctx := progress.WithLimit(progress.NewTracker().With(t.Context()), func() progress.Limit { return limit })
	_, task := progress.Start(ctx, "work")
	if p := task.Progress(); p.State != progress.Running || p.Ceiling.Read != 50 {
		t.Errorf("got %v", p)
	}
	limit.Waiting, limit.Reason = true, "the pace"
	if p := task.Progress(); p.State != progress.Waiting || p.Reason != "the pace" {
		t.Errorf("got %v", p)
	}
	task.Wait("a table")
	if p := task.Progress(); p.Reason != "a table" {
		t.Errorf("got %v", p)
	}
	task.End(nil)
	if p := task.Progress(); p.State != progress.Done {
		t.Errorf("got %v", p)
	}
}

// A tracker lists running tasks, and the last ended task of each name.
func TestTracker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracker := progress.NewTracker()
		ctx := tracker.With(t.Context())
		start := func(name string) *progress.Task { _, task := progress.Start(ctx, name); return task }
		names := func() string {
			var all []string
			for _, p := range tracker.List() {
				all = append(all, p.Job+" "+string(p.State))
			}
			return strings.Join(all, ", ")
		}
		a, b := start("a"), start("b")
		second := start("a")
		if got := names(); got != "a running, b running, a running" {
			t.Error(got)
		}
		a.End(nil)
		a.Stop("again")
		if p, ok := tracker.Find("a"); !ok || p.State != progress.Running {
			t.Errorf("found %v, %v", p, ok)
		}
		second.End(errors.New("x"))
		b.End(nil)
		if got := names(); got != "b done, a failed" {
			t.Error(got)
		}
		for i := range 100 {
			start(fmt.Sprint(i)).End(nil)
		}
		if list := tracker.List(); len(list) != 50 || list[0].Job != "99" {
			t.Errorf("%d are listed", len(list))
		}
		if p, ok := tracker.Find("75"); !ok || p.State != progress.Done {
			t.Errorf("found %v, %v", p, ok)
		}
		if _, ok := tracker.Find("a"); ok {
			t.Error("a task that ended long ago is still listed")
		}
	})
}

// One task with many goroutines and many readers.
func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	tracker := progress.NewTracker()
	var reports int
	ctx := progress.With(tracker.With(t.Context()), func(progress.Progress) { reports++ })
	ctx, task := progress.Start(ctx, "work")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 500 {
				task.Items(1)
				progress.From(ctx).Spend(progress.Units{Read: 0.5})
				task.Work(w, 1)
				task.Count("kept", 1)
				task.Count("changed", 1)
				task.Wait("a moment")
				task.Run()
				if i%50 == 0 {
					_ = tracker.List()
					_ = fmt.Sprint(task.Progress(), task, tracker)
				}
			}
		})
	}
	wg.Wait()
	task.End(nil)
	if p := task.Progress(); p.Items != 4000 || p.Units.Read != 2000 || !slices.Equal(p.Counts, []progress.Count{{"changed", 4000}, {"kept", 4000}}) || reports < 2 {
		t.Errorf("got %v, %d reports", p, reports)
	}
}

// The formats for people and for machines.
func TestForms(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	p := progress.Progress{
		Job: "Scan orders", State: progress.Waiting, Reason: "pace", Started: begin, At: begin.Add(90 * time.Second), Items: 1200, Parts: 64, PartsDone: 16,
		Counts: []progress.Count{{"changed", 1197}, {"kept", 3}}, Units: progress.Units{Read: 600.25}, Rate: progress.Units{Read: 6.66}, Ceiling: progress.Units{Read: 7},
		LeftLow: 4 * time.Minute, LeftHigh: 5 * time.Minute,
	}
	want := "Scan orders: waiting (pace), 25.0 %, 16 of 64 parts, 1200 items, 1197 changed, 3 kept, 600.3 read units, 6.7 of 7 a second, 1m30s, 4m0s to 5m0s left"
	for _, got := range []string{p.String(), fmt.Sprint(p), fmt.Sprintf("%+v", p), fmt.Sprintf("%#v", p), fmt.Sprintf("%d", p)} {
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	text, err := json.Marshal(p)
	wantJSON := `{"job":"Scan orders","state":"waiting","reason":"pace","started":"2026-01-02T03:04:05Z","at":"2026-01-02T03:05:35Z","elapsedSeconds":90,"items":1200,` +
		`"counts":[{"name":"changed","n":1197},{"name":"kept","n":3}],"parts":64,"partsDone":16,"units":{"read":600.25,"write":0},"unitsPerSecond":{"read":6.66,"write":0},"ceilingPerSecond":{"read":7,"write":0},` +
		`"leftLowSeconds":240,"leftHighSeconds":300}`
	if err != nil || string(text) != wantJSON {
		t.Errorf("got  %s, %v\nwant %s", text, err, wantJSON)
	}
	_, task := progress.Start(progress.NewTracker().With(t.Context()), "work")
	task.Position(func() string { return "secret-key" })
	p = task.Progress()
	text, _ = json.Marshal(p)
	if p.Position() != "secret-key" || strings.Contains(fmt.Sprintf("%v %+v %#v %s", p, p, p, text), "secret") {
		t.Error("the position was printed")
	}
}
