// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/hotkeys"
	"github.com/dynamotable/ddb/progress"
)

// Recorder is a [hooks.Hook] that keeps statistics of the requests that it sees, and an http.Handler that shows them; see
// [Recorder.ServeHTTP]. Make it with [New].
//
// Its memory is bounded, however many requests, tables and errors there are: about 60 KB for each pair of table and label,
// and at most about 8 MB. It keeps 256 combinations of names of each kind, and the history of 48 pairs of table and label.
// Further ones are counted under the label "other" of their table, and then under the table "other". It holds no key values,
// no items and no error texts. A Recorder has no goroutine and is safe for concurrent use.
type Recorder struct {
	ledger  *cost.Ledger
	hot     *hotkeys.Finder
	now     func() time.Time
	since   time.Time
	process string
	prices  prices

	inFlight atomic.Int64

	mu        sync.Mutex
	kinds     bounded[kindKey, kind]
	series    bounded[seriesKey, series]
	usages    bounded[usageKey, usage]
	limits    map[usageKey]capacityLimit
	throttles bounded[throttleKey, Throttle]
	errors    bounded[errorKey, ErrorCount]
	paths     bounded[pathKey, PathCount]
	budgets   []named[*cost.Budget]
	trackers  []named[*progress.Tracker]
}

// Option is an option of [New].
type Option func(*Recorder)

// WithLedger shows the units of another ledger than [ddb.DefaultLedger]; nil is ignored.
func WithLedger(l *cost.Ledger) Option {
	return func(r *Recorder) {
		if l != nil {
			r.ledger = l
		}
	}
}

// WithHotKeys sets the number of counters of the sketch of hot keys, and the half-life of its counts; see [hotkeys.New]. The
// default is 256 counters and one minute.
func WithHotKeys(size int, halfLife time.Duration) Option {
	return func(r *Recorder) { r.hot = hotkeys.New(size, halfLife) }
}

// WithClock sets the clock by which requests are assigned to seconds, in place of time.Now. It is for tests; nil is ignored.
// Durations, and the half-life of hot keys, still use real time.
func WithClock(now func() time.Time) Option {
	return func(r *Recorder) {
		if now != nil {
			r.now = now
		}
	}
}

// WithProcess sets the name of this process in the results of [Merge] and on the page of several processes. The default is
// host name and process ID.
func WithProcess(name string) Option { return func(r *Recorder) { r.process = name } }

// WithPrice shows what units cost, by the price of a million read and write request units in a currency of your choice. With
// tables the price is only for these, for example for a table of class infrequent access; without tables it is for all
// others. Provisioned capacity is billed by the hour whether it is used or not, so for it the result is not the bill.
//
// https://aws.amazon.com/dynamodb/pricing/on-demand/
func WithPrice(p Price, tables ...string) Option {
	return func(r *Recorder) { r.prices.set(p, tables) }
}

const hotKeyCounters = 256

// New makes a recorder. It sees nothing until it is passed to [hooks.Add] for all tables or to [ddb.WithHook] for one.
func New(opts ...Option) *Recorder {
	r := &Recorder{ledger: ddb.DefaultLedger(), now: time.Now}
	for _, o := range opts {
		if o != nil {
			o(r)
		}
	}
	if r.hot == nil {
		r.hot = hotkeys.New(hotKeyCounters, time.Minute)
	}
	if r.process == "" {
		host, _ := os.Hostname() // without a host name the process ID is the name
		r.process = fmt.Sprintf("%s/%d", host, os.Getpid())
	}
	r.since = r.now()
	return r
}

var process = sync.OnceValue(func() *Recorder {
	r := New()
	hooks.Add(r)
	return r
})

// Handler returns the recorder of the process. The first call makes it and adds it as a hook of all tables, for the rest of
// the process.
//
//	mux.Handle("/debug/ddb", onlyOperators(debug.Handler()))
func Handler() *Recorder { return process() }

// Format prints the type's name for every verb; [Recorder.Snapshot] returns what was recorded.
func (r *Recorder) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "debug.Recorder") }

// Begin implements [hooks.Hook].
func (r *Recorder) Begin(ctx context.Context, _ *hooks.Call) context.Context {
	if r != nil {
		r.inFlight.Add(1)
	}
	return ctx
}

// End counts a request.
func (r *Recorder) End(ctx context.Context, call *hooks.Call) {
	if r == nil || r.now == nil || call == nil {
		return
	}
	r.inFlight.Add(-1)
	r.hot.End(ctx, call)
	now := r.now()
	k, slowest, costliest := r.count(now, call)
	if !slowest && !costliest {
		return
	}
	top := topCall{call.Duration, call.Consumed.Total(), newCallRecord(now, call)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if k.now == nil { // another goroutine has begun the next period
		return
	}
	if slowest && top.duration > k.now.slowest.duration {
		k.now.slowest = top
	}
	if costliest && top.units > k.now.costliest.units {
		k.now.costliest = top
	}
}

// count reports whether the call is the slowest or the most expensive of its kind.
func (r *Recorder) count(now time.Time, call *hooks.Call) (k *kind, slowest, costliest bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	k = r.kindOf(call.Table, call.Index, call.Operation, call.Label)
	k.series.add(now, call)
	r.use(now, k, call)
	r.countThrottles(now, call)
	r.countPath(call)
	if call.Err != nil {
		r.countError(now, call)
	}
	slowest, costliest = k.add(now, call)
	return k, slowest, costliest
}

// Failed counts unknown outcomes and requests that a budget did not allow; it implements [hooks.FailureHook].
func (r *Recorder) Failed(_ context.Context, f *hooks.Failure) {
	if r == nil || r.now == nil || f == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	k := r.kindOf(f.Table, f.Index, f.Operation, f.Label)
	switch {
	case errors.Is(f.Err, ddb.ErrOutcomeUnknown):
		k.totals.UnknownOutcomes++
	case errors.Is(f.Err, cost.ErrBudgetExceeded):
		k.totals.OverBudget++
	}
}

// maxNamed limits how many budgets, and how many trackers, are shown at a time.
const maxNamed = 50

type named[V any] struct {
	id    *byte
	name  string
	value V
}

// ShowBudget shows how much of a budget is spent, under a name, until remove is called. At most 50 are shown at a time; more
// are ignored.
func (r *Recorder) ShowBudget(name string, b *cost.Budget) (remove func()) {
	if r == nil || b == nil {
		return func() {}
	}
	return show(r, &r.budgets, name, b)
}

// ShowProgress shows the long calls of a tracker, until remove is called. At most 50 trackers are shown at a time; more are
// ignored.
//
//	calls := progress.NewTracker()
//	defer debug.Handler().ShowProgress(calls)()
//	err := orders.BatchPut(calls.With(ctx), all)
func (r *Recorder) ShowProgress(t *progress.Tracker) (remove func()) {
	if r == nil || t == nil {
		return func() {}
	}
	return show(r, &r.trackers, "", t)
}

func show[V any](r *Recorder, list *[]named[V], name string, value V) (remove func()) {
	id := new(byte)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(*list) < maxNamed {
		*list = append(*list, named[V]{id, name, value})
	}
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		*list = slices.DeleteFunc(*list, func(n named[V]) bool { return n.id == id })
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
