// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/layerstats"
)

func sumOf(list []float64) (sum float64) {
	for _, x := range list {
		sum += x
	}
	return sum
}

// event is a call at a time, as drawn by the property tests.
type event struct {
	wait time.Duration // before it
	call hooks.Call
	fail *hooks.Failure
}

var errRejected = fmt.Errorf("refused: %w", context.DeadlineExceeded)

func drawEvent(t *rapid.T) event {
	tables := []string{"orders", "stock", "visits"}
	place := rapid.IntRange(0, 2).Draw(t, "table")
	table := tables[place]
	label := rapid.SampledFrom([]string{"", "checkout", "report"}).Draw(t, "label")
	op := rapid.SampledFrom([]string{"GetItem", "Query", "BatchWriteItem"}).Draw(t, "operation")
	e := event{wait: time.Duration(rapid.IntRange(0, 40_000).Draw(t, "wait")) * time.Millisecond}
	if rapid.IntRange(0, 9).Draw(t, "kind") == 0 {
		e.fail = &hooks.Failure{Operation: op, Table: table, Label: label, Err: rapid.SampledFrom([]error{ddb.ErrOutcomeUnknown, cost.ErrBudgetExceeded}).Draw(t, "failure")}
		return e
	}
	e.call = hooks.Call{
		Operation: op, Table: table, Label: label, Attempts: rapid.IntRange(1, 3).Draw(t, "attempts"),
		Duration:    time.Duration(rapid.IntRange(1, 5_000_000).Draw(t, "us")) * time.Microsecond,
		Consumed:    cost.Consumed{ReadUnits: float64(rapid.IntRange(0, 40).Draw(t, "half units")) / 2},
		Partitions:  []hooks.PartitionHash{hooks.PartitionHash(10*place + rapid.IntRange(1, 5).Draw(t, "key"))},
		Unprocessed: rapid.IntRange(0, 2).Draw(t, "unprocessed"),
		Path:        rapid.SampledFrom([]hooks.Path{hooks.FastPath, hooks.BesidePath, ""}).Draw(t, "path"),
	}
	e.call.Estimate = cost.Estimate{Read: cost.Range{Min: 0.5, Max: 8}}
	if rapid.IntRange(0, 4).Draw(t, "fails") == 0 {
		e.call.Err = errRejected
	}
	for range rapid.IntRange(0, 2).Draw(t, "throttled") {
		e.call.Throttled = append(e.call.Throttled, ddberr.ThrottlingReason{Reason: "TableReadKeyRangeThroughputExceeded"})
	}
	return e
}

func (e event) seenBy(r *debug.Recorder) {
	if e.fail != nil {
		r.Failed(context.Background(), e.fail)
		return
	}
	seen(r, e.call)
}

// TestHistory: charts and totals show exactly the recorded calls of each table and label, and nothing older than an hour.
func TestHistory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		r := debug.New(debug.WithLedger(cost.NewLedger()), debug.WithClock(c.Now), debug.WithHotKeys(64, 0))
		type at struct {
			time time.Time
			call hooks.Call
		}
		var all []at
		for _, e := range rapid.SliceOfN(rapid.Custom(drawEvent), 1, 250).Draw(t, "events") {
			c.advance(e.wait)
			if e.fail == nil {
				all = append(all, at{c.Now(), e.call})
			}
			e.seenBy(r)
		}
		now := c.Now()
		for _, f := range []debug.Filter{{}, {Table: "stock"}, {Label: "report"}, {Table: "orders", Label: "checkout"}} {
			s := r.SnapshotOf(f)
			steps := make([]struct{ calls, failed, throttled, read, longest float64 }, 121)
			seconds := make([]float64, 300)
			total := 0
			for _, x := range all {
				if f.Table != "" && f.Table != x.call.Table || f.Label != "" && f.Label != x.call.Label {
					continue
				}
				total++
				if i := 300 - int(now.Unix()-x.time.Unix()); i >= 0 && i < 300 {
					seconds[i]++
				}
				i := 120 - int(now.Unix()/30-x.time.Unix()/30)
				if i < 0 {
					continue
				}
				steps[i].calls++
				steps[i].throttled += float64(len(x.call.Throttled))
				steps[i].read += x.call.Consumed.ReadUnits
				steps[i].longest = max(steps[i].longest, float64(x.call.Duration)/1e6)
				if x.call.Err != nil {
					steps[i].failed++
				}
			}
			if s.Totals.Calls != int64(total) || !slices.Equal(s.Rates.Calls, seconds) {
				t.Fatalf("%+v: %d calls, want %d; by second %v, want %v", f, s.Totals.Calls, total, s.Rates.Calls, seconds)
			}
			for i, want := range steps {
				h := &s.History
				if h.Calls[i] != want.calls || h.Failed[i] != want.failed || h.Throttled[i] != want.throttled || h.ReadUnits[i] != want.read || h.MaxMs[i] != want.longest {
					t.Fatalf("%+v, step %d: %g calls, %g failed, %g throttled, %g units, %g ms; want %+v", f, i, h.Calls[i], h.Failed[i], h.Throttled[i], h.ReadUnits[i], h.MaxMs[i], want)
				}
				counted := int64(0)
				for _, b := range h.Buckets[i] {
					counted += b.Calls
				}
				if float64(counted) != want.calls || h.P50Ms[i] > h.P99Ms[i] || h.P99Ms[i] > h.MaxMs[i] || want.calls > 0 && h.P50Ms[i] <= 0 {
					t.Fatalf("%+v, step %d: latencies %g, %g, %g of %d calls", f, i, h.P50Ms[i], h.P99Ms[i], h.MaxMs[i], counted)
				}
			}
		}
	})
}

// TestHistoryLatencies: percentiles over time are wrong by at most an eighth.
func TestHistoryLatencies(t *testing.T) {
	t.Parallel()
	r, _, _ := newRecorder(t)
	for us := 100; us <= 100_000; us += 100 {
		seen(r, hooks.Call{Operation: "Query", Table: "t", Duration: time.Duration(us) * time.Microsecond})
	}
	h := r.Snapshot().History
	for _, q := range []struct{ got, exact float64 }{{h.P50Ms[120], 50.1}, {h.P99Ms[120], 99.1}, {h.MaxMs[120], 100}} {
		if q.got < q.exact*7/8 || q.got > q.exact*9/8 {
			t.Errorf("%g ms, exactly %g", q.got, q.exact)
		}
	}
}

// TestMerge: the merged JSON of several processes equals that of one process with all their calls.
func TestMerge(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		n := rapid.IntRange(1, 3).Draw(t, "processes")
		newOne := func() (*debug.Recorder, *cost.Ledger) {
			ledger := cost.NewLedger()
			return debug.New(debug.WithLedger(ledger), debug.WithClock(c.Now), debug.WithHotKeys(64, 0), debug.WithProcess("p"),
				debug.WithPrice(debug.Price{Currency: "USD", ReadMillion: 0.25, WriteMillion: 1.25}), debug.WithPrice(debug.Price{Currency: "USD", ReadMillion: 2}, "stock")), ledger
		}
		whole, wholeLedger := newOne()
		parts, ledgers := make([]*debug.Recorder, n), make([]*cost.Ledger, n)
		for i := range parts {
			parts[i], ledgers[i] = newOne()
		}
		for _, e := range rapid.SliceOfN(rapid.Custom(drawEvent), 0, 150).Draw(t, "events") {
			c.advance(e.wait)
			i := rapid.IntRange(0, n-1).Draw(t, "process")
			for _, to := range []struct {
				r *debug.Recorder
				l *cost.Ledger
			}{{whole, wholeLedger}, {parts[i], ledgers[i]}} {
				e.seenBy(to.r)
				if e.fail == nil && e.call.Err == nil {
					to.l.Record(e.call.Table, e.call.Index, e.call.Operation, e.call.Consumed.ReadUnits, 0)
				}
			}
		}
		exported := make([]debug.Snapshot, n)
		for i, r := range parts {
			if err := json.Unmarshal(ask(r, "GET", "/?format=json", "").Body.Bytes(), &exported[i]); err != nil {
				t.Fatal(err)
			}
		}
		got, want := debug.Merge(exported...), whole.Snapshot()
		got.Layers, want.Layers, got.Consumers, want.Consumers = nil, nil, nil, nil // which all have, being one process
		if len(got.Processes) != n {
			t.Fatalf("%d processes, want %d", len(got.Processes), n)
		}
		got.Processes = want.Processes
		// If two calls took equally long, or cost the same, either may be shown.
		opts := []cmp.Option{cmpopts.EquateApprox(0, 1e-6), cmpopts.IgnoreFields(debug.CallGroup{}, "Call"), cmpopts.EquateEmpty(), series(1e-6)}
		if diff := cmp.Diff(want, got, opts...); diff != "" {
			t.Fatalf("merged (-whole +merged):\n%s", diff)
		}
		for i, group := range got.Slowest {
			if group.Call.DurationMs != group.MaxMs || want.Slowest[i].Call.DurationMs != group.MaxMs {
				t.Fatalf("the call that is shown took %g ms, the longest %g", group.Call.DurationMs, group.MaxMs)
			}
		}
	})
}

// series compares series of figures as a whole, in much less time than element by element.
func series(margin float64) cmp.Option {
	return cmp.FilterValues(func(a, b []float64) bool { return len(a)+len(b) > 0 }, cmp.Comparer(func(a, b []float64) bool {
		return slices.EqualFunc(a, b, func(x, y float64) bool { return math.Abs(x-y) <= margin })
	}))
}

// TestMergeKeepsDifferencesApart: without a common salt hot keys are not merged, costs in several currencies are left out, and clocks may differ by some seconds.
func TestMergeKeepsDifferencesApart(t *testing.T) {
	t.Parallel()
	var all []debug.Snapshot
	for i, currency := range []string{"USD", "EUR"} {
		r := debug.New(debug.WithLedger(cost.NewLedger()), debug.WithClock(func() time.Time { return noon.Add(time.Duration(2*i) * time.Second) }),
			debug.WithProcess(currency), debug.WithHotKeys(64, 0), debug.WithPrice(debug.Price{Currency: currency, ReadMillion: 1}))
		budget := cost.NewBudget(cost.Limits{Requests: 5})
		defer r.ShowBudget("export", budget)()
		seen(r, hooks.Call{Operation: "GetItem", Table: "t", Partitions: []hooks.PartitionHash{7}, Consumed: cost.Consumed{ReadUnits: 1}})
		s := r.Snapshot()
		s.SaltID = hooks.PartitionHash(i + 1)
		s.Layers = []layerstats.Stat{{Layer: "snapshot", Table: "t", Event: "saved", Count: int64(i + 1)}}
		s.Consumers = []debug.Consumer{{Stats: consumers.Stats{Kind: "feed", Table: "t", Consumer: "mailer", Shards: 2, Lag: int64(10*i - 1), Handled: 5}, AgeMs: float64(100 * i)}}
		all = append(all, s)
	}
	m := debug.Merge(all...)
	if len(m.HotKeys) != 2 || m.HotKeys[0].Process == m.HotKeys[1].Process || m.HotKeys[0].Share != 0.5 || m.SaltID != 0 {
		t.Errorf("hot keys %+v", m.HotKeys)
	}
	if len(m.Layers) != 1 || m.Layers[0].Count != 3 {
		t.Errorf("layers %+v", m.Layers)
	}
	if c := m.Consumers; len(c) != 1 || c[0].Shards != 4 || c[0].Lag != 9 || c[0].Handled != 10 || c[0].AgeMs != 100 {
		t.Errorf("consumers %+v", c)
	}
	if m.Cost != nil {
		t.Errorf("cost %+v", m.Cost)
	}
	if len(m.Budgets) != 2 || m.Budgets[0].Process != "USD" || m.Budgets[1].Process != "EUR" || m.Budgets[0].RequestLimit != 5 {
		t.Errorf("budgets %+v", m.Budgets)
	}
	if m.Totals.Calls != 2 || !m.Rates.End.Equal(noon) || sumOf(m.Rates.Calls)+sumOf(m.History.Calls) != 2 {
		t.Errorf("%d calls until %s", m.Totals.Calls, m.Rates.End)
	}
	if empty := debug.Merge(); empty.Totals.Calls != 0 || empty.Units == nil {
		t.Errorf("merge of nothing: %+v", empty)
	}
}

// TestMemory: a recorder that has seen many different names uses no more memory than documented.
func TestMemory(t *testing.T) {
	r, _, c := newRecorder(t)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	long := string(make([]byte, 200))
	for i := range 20_000 {
		table, label := fmt.Sprint(long, i%400), fmt.Sprint(long, i%300)
		seen(r, hooks.Call{
			Operation: "Query", Table: table, Label: label, Index: fmt.Sprint(i % 7), Duration: time.Duration(i) * time.Millisecond, Consumed: cost.Consumed{ReadUnits: float64(i)},
			Throttled: []ddberr.ThrottlingReason{{Reason: label}}, Path: hooks.BesidePath, PathReason: label, Partitions: []hooks.PartitionHash{hooks.PartitionHash(i)},
		})
		seen(r, hooks.Call{Operation: "Query", Table: table, Label: label, Err: errors.New("no")})
		c.advance(time.Second)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 12<<20 {
		t.Errorf("%d bytes", grown)
	} else {
		t.Logf("%d bytes", grown)
	}
	if got := r.Snapshot().Totals.Calls; got != 40_000 {
		t.Errorf("%d calls", got)
	}
}

func unmarshal(t *testing.T, data []byte, to any) {
	t.Helper()
	if err := json.Unmarshal(data, to); err != nil {
		t.Fatal(err)
	}
}
