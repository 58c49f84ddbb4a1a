// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hotkeys"
)

// Recorder is a [ddb.Hook] that keeps figures of the requests that it sees, and an
// http.Handler that shows them; see [Recorder.ServeHTTP]. [New] makes one.
//
// It takes at most about 2 MB, however many requests, tables and errors there are: it
// keeps 256 combinations of names of each kind and counts what is beyond them under the
// name "other". It holds no key values, no items and no texts of errors. A Recorder has
// no goroutine and is safe for concurrent use.
type Recorder struct {
	ledger *cost.Ledger
	hot    *hotkeys.Finder
	now    func() time.Time
	since  time.Time

	inFlight atomic.Int64

	mu            sync.Mutex
	totals        Totals
	rates         rateRing
	latencies     recentLatencies
	mostExpensive recentCalls
	slowest       recentCalls
	throttles     bounded[throttleKey, Throttle]
	errors        bounded[errorKey, ErrorCount]
	estimates     bounded[callKind, Accuracy]
	paths         bounded[pathKey, PathCount]
}

// Option is an option of [New].
type Option func(*Recorder)

// WithLedger shows the units that another ledger counts than [ddb.DefaultLedger]; nil is ignored.
func WithLedger(l *cost.Ledger) Option {
	return func(r *Recorder) {
		if l != nil {
			r.ledger = l
		}
	}
}

// WithHotKeys sets how many counters the sketch of hot keys has and after what time what it
// counted counts half; see [hotkeys.New]. The default is 256 counters and one minute.
func WithHotKeys(size int, halfLife time.Duration) Option {
	return func(r *Recorder) { r.hot = hotkeys.New(size, halfLife) }
}

// WithClock makes another clock than time.Now decide into which second a request falls, for
// tests; nil is ignored. Durations, and the half-life of hot keys, are of real time all the same.
func WithClock(now func() time.Time) Option {
	return func(r *Recorder) {
		if now != nil {
			r.now = now
		}
	}
}

const hotKeyCounters = 256

// New makes a recorder. It sees nothing until it is given to [ddb.AddHook] for all tables
// or to [ddb.WithHook] for one.
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
	r.since = r.now()
	r.slowest.worth = func(c *CallRecord) float64 { return c.DurationMs }
	r.mostExpensive.worth = func(c *CallRecord) float64 { return c.Units }
	return r
}

var process = sync.OnceValue(func() *Recorder {
	r := New()
	ddb.AddHook(r)
	return r
})

// Handler is the recorder of the process. The first call makes it and has it see the
// requests of all tables from then on, for the rest of the process.
//
//	mux.Handle("/debug/ddb", onlyOperators(debug.Handler()))
func Handler() *Recorder { return process() }

// Format prints what it is, whatever the verb; [Recorder.Snapshot] has what was recorded.
func (r *Recorder) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "debug.Recorder") }

// Begin makes a Recorder a [ddb.Hook].
func (r *Recorder) Begin(ctx context.Context, _ *ddb.Call) context.Context {
	if r != nil {
		r.inFlight.Add(1)
	}
	return ctx
}

// End counts a request.
func (r *Recorder) End(ctx context.Context, call *ddb.Call) {
	if r == nil || r.now == nil || call == nil {
		return
	}
	r.inFlight.Add(-1)
	r.hot.End(ctx, call)
	now := r.now()
	slow, expensive := r.count(now, call)
	if !slow && !expensive {
		return
	}
	c := newCallRecord(now, call)
	r.mu.Lock()
	defer r.mu.Unlock()
	if slow {
		r.slowest.add(now, c)
	}
	if expensive {
		r.mostExpensive.add(now, c)
	}
}

// count reports whether the call is to be remembered as slow or expensive.
func (r *Recorder) count(now time.Time, call *ddb.Call) (slow, expensive bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.totals.add(call)
	r.rates.add(now, call)
	r.latencies.add(now, kindOf(call), call.Duration)
	r.countThrottles(now, call)
	r.countPath(call)
	if call.Err != nil {
		r.countError(now, call)
	} else {
		r.countEstimate(call)
	}
	return r.slowest.wants(now, milliseconds(call.Duration)), r.mostExpensive.wants(now, call.Consumed.Total())
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
