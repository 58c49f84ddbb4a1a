// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb/cost"
)

// Task is a long call that reports. Its methods are safe for concurrent use, and do nothing on a nil Task.
type Task struct {
	*run
	joined bool // another call ends it
}

// reportEvery is the shortest time between two reports of a running task.
const reportEvery = time.Second

type run struct {
	listeners []*listener
	limit     func() Limit

	reporting sync.Mutex // one report at a time

	mu       sync.Mutex
	now      Progress // without the values computed from the fields below
	reported time.Time
	rates    window
	parts    parts
	whole    *wait   // what the whole task waits for, or nil
	waiting  []*wait // what parts of it wait for
}

func newTask(name string, listeners []*listener, limit func() Limit) *Task {
	now := time.Now()
	return &Task{run: &run{listeners: listeners, limit: limit, now: Progress{Job: name, State: Running, Started: now}, rates: window{since: now}}}
}

func (r *run) begin() {
	for _, l := range r.listeners {
		if l.tracker != nil {
			l.tracker.add(r)
		}
	}
	r.report(true)
}

func (t *Task) made() bool { return t != nil && t.run != nil }

// Name returns the name of the task.
func (t *Task) Name() string {
	if !t.made() {
		return ""
	}
	return t.now.Job // which never changes
}

// Items counts items that were read or written.
func (t *Task) Items(n int64) {
	if t.made() && n != 0 {
		t.change(func(r *run, at time.Time) {
			r.now.Items += n
			r.rates.add(at, amounts{items: float64(n)})
		})
	}
}

// Total sets the number of all items.
func (t *Task) Total(n int64) {
	if t.made() {
		t.change(func(r *run, _ time.Time) { r.now.Total = n })
	}
}

// Count adds to the counter with a name, such as "changed".
func (t *Task) Count(name string, n int64) {
	if t.made() && n != 0 {
		t.change(func(r *run, _ time.Time) {
			i, found := slices.BinarySearchFunc(r.now.Counts, name, func(c Count, name string) int { return strings.Compare(c.Name, name) })
			if !found {
				r.now.Counts = slices.Insert(r.now.Counts, i, Count{Name: name})
			}
			r.now.Counts[i].N += n
		})
	}
}

// Spend counts units. Requests with the task's context are counted automatically.
func (t *Task) Spend(u Units) {
	if t.made() && u != (Units{}) {
		t.change(func(r *run, at time.Time) {
			r.now.Units.Read += u.Read
			r.now.Units.Write += u.Write
			r.rates.add(at, amounts{units: u})
		})
	}
}

// Parts sets the number of parts of the work, and how many of them were done before.
func (t *Task) Parts(n, done int) {
	if t.made() {
		t.change(func(r *run, _ time.Time) { r.now.Parts, r.now.PartsDone = n, done })
	}
}

// Work records work done in a part, in a measure that is the same for all parts, such as items scanned. The remaining time is computed from it.
func (t *Task) Work(part int, work float64) {
	if t.made() && work > 0 {
		t.change(func(r *run, at time.Time) {
			r.parts.work(part, work)
			r.rates.add(at, amounts{work: work})
		})
	}
}

// PartDone records the end of a part. whole means that all of its work was recorded, and not just a rest that an earlier run has left.
func (t *Task) PartDone(part int, whole bool) {
	if t.made() {
		t.change(func(r *run, _ time.Time) {
			r.now.PartsDone++
			r.parts.done(part, whole)
		})
	}
}

// Position sets the function that returns [Progress.Position]. It must be safe for concurrent use, even after the end of the task.
func (t *Task) Position(position func() string) {
	if t.made() {
		t.change(func(r *run, _ time.Time) { r.now.position = position })
	}
}

// Wait records what the whole task waits for, without a key, until [Task.Run].
func (t *Task) Wait(reason string) { t.waits(func(r *run) { r.whole = &wait{reason} }) }

// Run records that the whole task no longer waits. It runs unless a part of it waits; see [Task.Waiting].
func (t *Task) Run() { t.waits(func(r *run) { r.whole = nil }) }

// Waiting records that a part of the task, such as one of several goroutines, waits until done is called. The task runs again when neither a part nor the whole of it
// waits any more.
func (t *Task) Waiting(reason string) (done func()) {
	w := &wait{reason}
	t.waits(func(r *run) { r.waiting = append(r.waiting, w) })
	return func() {
		t.waits(func(r *run) {
			r.waiting = slices.DeleteFunc(r.waiting, func(other *wait) bool { return other == w })
		})
	}
}

// wait is something that a task, or a part of it, waits for.
type wait struct{ reason string }

// waits changes what the task waits for, and shows it: that of the whole task, or else the one that a part began to wait for last.
func (t *Task) waits(change func(*run)) {
	if !t.made() {
		return
	}
	t.mu.Lock()
	change(t.run)
	state, reason := Running, ""
	if w := t.whole; w != nil {
		state, reason = Waiting, w.reason
	} else if n := len(t.waiting); n > 0 {
		state, reason = Waiting, t.waiting[n-1].reason
	}
	changed := t.set(state, reason)
	t.mu.Unlock()
	if changed {
		t.report(true)
	}
}

// Stop ends the task before its work is done.
func (t *Task) Stop(reason string) { t.end(Stopped, reason) }

// End ends the task: it is done without an error, stopped if a context has ended or a budget is spent, and has failed otherwise. The text of the error becomes the
// reason, so it must contain no
// key; errors of the library do not. Only the first end counts.
func (t *Task) End(err error) {
	switch {
	case err == nil:
		t.end(Done, "")
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, cost.ErrBudgetExceeded):
		t.end(Stopped, err.Error())
	default:
		t.end(Failed, err.Error())
	}
}

func (t *Task) end(s State, reason string) {
	if !t.made() || t.joined {
		return
	}
	t.become(s, reason)
	for _, l := range t.listeners {
		if l.tracker != nil {
			l.tracker.end(t.run)
		}
	}
}

// become changes the state, and reports that at once.
func (t *Task) become(s State, reason string) {
	if !t.made() {
		return
	}
	t.mu.Lock()
	changed := t.set(s, reason)
	t.mu.Unlock()
	if changed {
		t.report(true)
	}
}

// set sets the state, and reports whether it changed. An end is final. The caller holds the lock.
func (r *run) set(s State, reason string) (changed bool) {
	if r.now.State.Ended() || r.now.State == s && r.now.Reason == reason {
		return false
	}
	r.now.State, r.now.Reason, r.now.At = s, reason, time.Now()
	return true
}

// change changes the counters.
func (t *Task) change(f func(r *run, at time.Time)) {
	at := time.Now()
	t.mu.Lock()
	f(t.run, at)
	due := at.Sub(t.reported) >= reportEvery
	t.mu.Unlock()
	if due {
		t.report(false)
	}
}

// report passes the state to the listeners, but not while another report is running, unless it must.
func (r *run) report(must bool) {
	if must {
		r.reporting.Lock()
	} else if !r.reporting.TryLock() {
		return
	}
	defer r.reporting.Unlock()
	r.mu.Lock()
	now := time.Now()
	if !must && (now.Sub(r.reported) < reportEvery || r.now.State.Ended()) {
		r.mu.Unlock()
		return
	}
	r.reported = now
	r.mu.Unlock()
	var p Progress
	for _, l := range r.listeners {
		if l.report == nil {
			continue
		}
		if p.Job == "" {
			p = r.progress()
		}
		l.report(p)
	}
}

// Progress returns the present state.
func (t *Task) Progress() Progress {
	if !t.made() {
		return Progress{}
	}
	return t.progress()
}

func (r *run) progress() Progress {
	var limit Limit
	if r.limit != nil {
		limit = r.limit()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.now
	p.Counts = slices.Clone(p.Counts)
	p.Ceiling = limit.Ceiling
	if p.State.Ended() {
		return p
	}
	p.At = time.Now()
	if p.State == Running && limit.Waiting {
		p.State, p.Reason = Waiting, limit.Reason
	}
	recent := r.rates.rate(p.At)
	p.Rate = recent.units
	p.LeftLow, p.LeftHigh = r.left(p, recent)
	return p
}

// left returns how long the rest takes.
func (r *run) left(p Progress, recent amounts) (low, high time.Duration) {
	elapsed := p.Elapsed().Seconds()
	if elapsed <= 0 {
		return 0, 0
	}
	var least, most, whole, now float64
	switch {
	case p.Parts > 0:
		var known bool
		if least, most, known = r.parts.left(p.Parts - p.PartsDone); !known {
			return 0, 0
		}
		whole, now = r.rates.all.work/elapsed, recent.work
	case p.Total > 0:
		least = max(0, float64(p.Total-p.Items))
		most, whole, now = least, r.rates.all.items/elapsed, recent.items
	}
	if whole <= 0 {
		return 0, 0
	}
	slow, fast := whole, whole
	if now > 0 {
		slow, fast = min(whole, now), max(whole, now)
	}
	return seconds(least / fast), seconds(most / slow)
}

// seconds returns a duration of at most a century.
func seconds(s float64) time.Duration {
	const most = 100 * 365 * 24 * 3600
	return time.Duration(min(s, most) * float64(time.Second))
}

// Format prints the type's name, for every verb. [Task.Progress] returns its state.
func (t *Task) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "progress.Task") }
