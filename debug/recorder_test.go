// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
)

type order struct {
	Customer string `dynamodbav:"customer"`
	ID       string `dynamodbav:"id"`
	Status   string `dynamodbav:"status"`
	Total    int64  `dynamodbav:"total"`
}

var (
	orderCustomer = ddb.StrField(func(o *order) *string { return &o.Customer })
	orderID       = ddb.StrField(func(o *order) *string { return &o.ID })
	orderStatus   = ddb.StrField(func(o *order) *string { return &o.Status })
	orderTotal    = ddb.NumField(func(o *order) *int64 { return &o.Total })
)

// clock is a time that tests set.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func newClock() *clock { return &clock{now: noon} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// newRecorder returns a recorder with its own ledger, clock and hot keys.
func newRecorder(t *testing.T) (*debug.Recorder, *cost.Ledger, *clock) {
	t.Helper()
	ledger, c := cost.NewLedger(), newClock()
	return debug.New(debug.WithLedger(ledger), debug.WithClock(c.Now), debug.WithHotKeys(64, 0), debug.WithProcess("test")), ledger, c
}

// newOrders returns a table with the recorder as a hook, and with an index by status.
func newOrders(t *testing.T, r *debug.Recorder, ledger *cost.Ledger, faults ...fault.Rule) (*ddb.Table[order, string, string], *ddb.Index[order, string, string]) {
	t.Helper()
	engine := ddbtest.NewEngine(ddbtest.WithFaults(faults...))
	t.Cleanup(engine.Close)
	client := engine.Client(func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(o *retry.StandardOptions) { o.MaxBackoff = time.Millisecond })
	})
	orders, err := ddb.New(client, "orders", orderCustomer, orderID, ddb.WithLedger(ledger), ddb.WithHook(r),
		ddb.Retry(ddb.RetryPolicy{BaseDelay: time.Microsecond}))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderID)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return orders, byStatus
}

// seen passes an invented call to the recorder.
func seen(r *debug.Recorder, call hooks.Call) {
	ctx := r.Begin(context.Background(), &call)
	r.End(ctx, &call)
}

func TestRecorderSeesATable(t *testing.T) {
	t.Parallel()
	const reason = "IndexReadKeyRangeThroughputExceeded"
	r, ledger, c := newRecorder(t)
	orders, byStatus := newOrders(t, r, ledger, fault.On("Query").First(2).Throttle(reason))
	ctx := ddb.WithLabel(t.Context(), "checkout")
	for i := range 8 {
		if err := orders.Put(ctx, &order{Customer: "secret-customer", ID: fmt.Sprint(i), Status: "open", Total: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := orders.Create(ctx, &order{Customer: "secret-customer", ID: "1", Status: "open"}); err == nil {
		t.Fatal("an item was created twice")
	}
	open, err := byStatus.Query("open").Filter(orderTotal.Gt(3)).Collect(ctx)
	if err != nil || len(open) != 4 {
		t.Fatal(open, err)
	}
	c.advance(time.Second)
	s := r.Snapshot()

	if want := (debug.Totals{Calls: 10, FailedConditions: 1, Throttled: 2, Retries: 2, ReadUnits: 0.5, WriteUnits: s.Totals.WriteUnits}); s.Totals != want {
		t.Errorf("totals are %+v, want %+v", s.Totals, want)
	}
	if s.InFlight != 0 {
		t.Errorf("%d requests are in flight", s.InFlight)
	}
	sum := 0.0
	for _, u := range s.Units {
		sum += u.Units
		if u.Label != "checkout" && u.Units > 0 {
			t.Errorf("units without the label: %+v", u)
		}
	}
	if total := s.Totals.ReadUnits + s.Totals.WriteUnits; sum != total || total == 0 {
		t.Errorf("the ledger has %g units, the recorder saw %g", sum, total)
	}
	wantThrottles := []debug.Throttle{{Table: "orders", Index: "by-status", Operation: "Query", Label: "checkout", Reason: reason, HotKey: true, Count: 2, Last: noon}}
	if diff := cmp.Diff(wantThrottles, s.Throttles); diff != "" {
		t.Errorf("throttles (-want +got):\n%s", diff)
	}
	wantErrors := []debug.ErrorCount{{Table: "orders", Operation: "PutItem", Label: "checkout", Type: "ConditionalCheckFailedException", Answer: true, Count: 1, Last: noon}}
	if diff := cmp.Diff(wantErrors, s.Errors); diff != "" {
		t.Errorf("errors (-want +got):\n%s", diff)
	}
	if n := len(s.Latencies); n != 2 || s.Latencies[0].Operation != "PutItem" || s.Latencies[0].Calls != 9 || s.Latencies[0].MaxMs <= 0 {
		t.Errorf("latencies are %+v", s.Latencies)
	}
	hash, err := orders.PartitionHash("secret-customer")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.HotKeys) == 0 || s.HotKeys[0].Partition != hash {
		t.Errorf("hot keys are %+v, want %s first", s.HotKeys, hash)
	}
	at := slices.IndexFunc(s.Slowest, func(c debug.CallGroup) bool { return c.Operation == "Query" })
	if at < 0 {
		t.Fatalf("the query is not among the slowest: %+v", s.Slowest)
	}
	group, within := s.Slowest[at], true
	got := group.Call
	wantCall := debug.CallRecord{
		Time: noon, DurationMs: got.DurationMs, Attempts: 3, Throttled: 2, Returned: 4, Scanned: 8, ReadUnits: 0.5, Units: 0.5,
		Expected: got.Expected, Within: &within, Partitions: got.Partitions, Explain: got.Explain,
	}
	wantGroup := debug.CallGroup{
		Table: "orders", Index: "by-status", Operation: "Query", Label: "checkout", Calls: 1, MeanMs: got.DurationMs, MaxMs: got.DurationMs, TotalMs: got.DurationMs,
		MeanUnits: 0.5, MaxUnits: 0.5, TotalUnits: 0.5, Call: wantCall,
	}
	if diff := cmp.Diff(wantGroup, group); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	for _, text := range []string{"index by-status", "total > ?", "billed, then dropped"} {
		if !contains(got.Explain, text) {
			t.Errorf("the explanation lacks %q:\n%s", text, got.Explain)
		}
	}
	if calls := s.Estimates[0].Calls + s.Estimates[1].Calls; calls != 9 {
		t.Errorf("estimates of %d calls, want 9: %+v", calls, s.Estimates)
	}
}

func TestRates(t *testing.T) {
	t.Parallel()
	r, _, c := newRecorder(t)
	for second := range 400 {
		for range second % 3 {
			seen(r, hooks.Call{Operation: "GetItem", Table: "t", Consumed: cost.Consumed{ReadUnits: 0.5}, Attempts: 1})
		}
		c.advance(time.Second)
	}
	s := r.Snapshot()
	if len(s.Rates.Calls) != 300 || !s.Rates.End.Equal(noon.Add(400*time.Second)) {
		t.Fatalf("%d seconds until %s", len(s.Rates.Calls), s.Rates.End)
	}
	for i, calls := range s.Rates.Calls {
		if want := float64((i + 100) % 3); calls != want || s.Rates.ReadUnits[i] != want/2 {
			t.Fatalf("second %d: %g calls, %g units, want %g calls", i, calls, s.Rates.ReadUnits[i], want)
		}
	}
	want := []debug.Average{{Seconds: 10, Calls: 0.9, ReadUnits: 0.45}, {Seconds: 60, Calls: 1, ReadUnits: 0.5}, {Seconds: 300, Calls: 1, ReadUnits: 0.5}}
	if diff := cmp.Diff(want, s.Averages, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("averages (-want +got):\n%s", diff)
	}

	c.advance(-200 * time.Second) // a second that is still kept
	seen(r, hooks.Call{Operation: "GetItem", Table: "t"})
	c.advance(-1000 * time.Second) // one that was dropped
	seen(r, hooks.Call{Operation: "GetItem", Table: "t"})
	c.advance(1200 * time.Second)
	if got := r.Snapshot().Rates.Calls[100]; got != float64(200%3)+1 {
		t.Errorf("%g calls in the second to which the clock was set back", got)
	}
	c.advance(time.Hour)
	if got := slices.Max(r.Snapshot().Rates.Calls); got != 0 {
		t.Errorf("%g calls in a second of an idle hour", got)
	}
}

func TestAveragesOfAYoungRecorder(t *testing.T) {
	t.Parallel()
	r, _, c := newRecorder(t)
	for range 4 {
		seen(r, hooks.Call{Operation: "GetItem", Table: "t"})
		c.advance(time.Second)
	}
	for _, a := range r.Snapshot().Averages {
		if a.Calls != 1 {
			t.Errorf("%g calls per second over %d, want 1", a.Calls, a.Seconds)
		}
	}
}

func TestLatencies(t *testing.T) {
	t.Parallel()
	r, _, c := newRecorder(t)
	random := rand.New(rand.NewPCG(1, 2))
	durations := make([]time.Duration, 1000)
	for i := range durations {
		durations[i] = time.Duration(float64(time.Microsecond) * (1 + random.ExpFloat64()*20_000))
		seen(r, hooks.Call{Operation: "Query", Table: "t", Duration: durations[i]})
	}
	slices.Sort(durations)
	got := r.Snapshot().Latencies[0]
	for _, q := range []struct {
		name string
		ms   float64
		at   int
	}{{"p50", got.P50Ms, 500}, {"p90", got.P90Ms, 900}, {"p99", got.P99Ms, 990}} {
		exact := durations[q.at].Seconds() * 1000
		if q.ms < exact*15/16-0.001 || q.ms > exact*17/16+0.001 {
			t.Errorf("%s is %g ms, exactly %g", q.name, q.ms, exact)
		}
	}
	if want := float64(durations[999]) / 1e6; got.MaxMs != want || got.Calls != 1000 {
		t.Errorf("longest of %d is %g ms, want %g", got.Calls, got.MaxMs, want)
	}

	c.advance(5 * time.Minute)
	seen(r, hooks.Call{Operation: "Query", Table: "t", Duration: time.Hour})
	got = r.Snapshot().Latencies[0]
	if got.Calls != 1001 || got.MaxMs != 3_600_000 || got.P50Ms > 100 {
		t.Errorf("after five minutes: %+v", got)
	}
	c.advance(5 * time.Minute)
	if got = r.Snapshot().Latencies[0]; got.Calls != 1 || got.P50Ms < 60_000 {
		t.Errorf("after ten minutes: %+v", got)
	}
	c.advance(10 * time.Minute)
	s := r.Snapshot()
	if len(s.Latencies) != 0 || len(s.Slowest) != 0 {
		t.Errorf("after twenty minutes: %+v, %+v", s.Latencies, s.Slowest)
	}
	if s.Totals.Calls != 1001 {
		t.Errorf("the total is %d calls", s.Totals.Calls)
	}
}

// TestGroups: calls of one group are one row, with their number and the longest or most expensive call.
func TestGroups(t *testing.T) {
	t.Parallel()
	r, _, c := newRecorder(t)
	for _, i := range rand.New(rand.NewPCG(3, 4)).Perm(100) {
		seen(r, hooks.Call{Operation: "Query", Table: "t", Label: fmt.Sprint("label ", i%2), Attempts: i, Duration: time.Duration(i) * time.Millisecond, Consumed: cost.Consumed{ReadUnits: float64(100 - i)}})
	}
	c.advance(5 * time.Minute)
	seen(r, hooks.Call{Operation: "Query", Table: "t", Label: "label 1", Attempts: 7, Duration: 95*time.Millisecond + 500*time.Microsecond})
	seen(r, hooks.Call{Operation: "Scan", Table: "t", Attempts: 8, Duration: 98*time.Millisecond + 500*time.Microsecond})
	type row struct {
		operation, label string
		calls            int64
		max, mean, total float64
		attempts         int // of the call that is shown
	}
	rows := func(groups []debug.CallGroup, longest bool) (all []row) {
		for _, s := range groups {
			if x := (row{s.Operation, s.Label, s.Calls, s.MaxMs, s.MeanMs, s.TotalMs, s.Call.Attempts}); longest {
				all = append(all, x)
				continue
			}
			all = append(all, row{s.Operation, s.Label, s.Calls, s.MaxUnits, s.MeanUnits, s.TotalUnits, s.Call.Attempts})
		}
		return all
	}
	s := r.Snapshot()
	wantSlow := []row{{"Query", "label 1", 51, 99, 2595.5 / 51, 2595.5, 99}, {"Scan", "", 1, 98.5, 98.5, 98.5, 8}, {"Query", "label 0", 50, 98, 49, 2450, 98}}
	wantCostly := []row{{"Query", "label 0", 50, 100, 51, 2550, 0}, {"Query", "label 1", 51, 99, 2500.0 / 51, 2500, 1}, {"Scan", "", 1, 0, 0, 0, 0}}
	if diff := cmp.Diff(wantSlow, rows(s.Slowest, true), cmp.AllowUnexported(row{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("slowest (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(wantCostly, rows(s.MostExpensive, false), cmp.AllowUnexported(row{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("mostExpensive (-want +got):\n%s", diff)
	}
	c.advance(5 * time.Minute)
	if s = r.Snapshot(); len(s.Slowest) != 2 || s.Slowest[1].Calls != 1 || s.Slowest[1].MaxMs != 95.5 {
		t.Errorf("after ten minutes: %+v", s.Slowest)
	}
}

func TestEstimates(t *testing.T) {
	t.Parallel()
	r, _, _ := newRecorder(t)
	expected := cost.Estimate{Read: cost.Range{Min: 1, Max: 3}}
	for _, units := range []float64{0.5, 1, 3, 4, 0} { // the last reply does not contain its cost
		seen(r, hooks.Call{Operation: "Query", Table: "t", Estimate: expected, Consumed: cost.Consumed{ReadUnits: units}})
	}
	seen(r, hooks.Call{Operation: "Query", Table: "t", Estimate: expected, Consumed: cost.Consumed{ReadUnits: 9}, Err: errors.New("no answer")})
	want := []debug.Accuracy{{
		Table: "t", Operation: "Query", Calls: 4, Within: 2, Below: 1, Above: 1, Share: 0.5,
		Expected: debug.Range{Min: 4, Max: 12}, Actual: 8.5,
	}}
	if diff := cmp.Diff(want, r.Snapshot().Estimates); diff != "" {
		t.Errorf("estimates (-want +got):\n%s", diff)
	}
}

// TestThrottledAt: a write is throttled by an index that it does not name; the ARN identifies the index.
func TestThrottledAt(t *testing.T) {
	t.Parallel()
	const arn = "arn:aws:dynamodb:us-east-1:000000000000:table/"
	cases := []struct{ table, index, resource, wantTable, wantIndex string }{
		{"orders", "", arn + "orders/index/by-status", "orders", "by-status"},
		{"orders", "by-day", arn + "orders", "orders", ""},
		{"orders", "", arn + "stock/index/by-shelf", "stock", "by-shelf"},
		{"orders", "by-day", arn + "elsewhere/index/x", "orders", "by-day"},
		{"orders", "by-day", "", "orders", "by-day"},
		{arn + "orders", "", arn + "orders/index/by-status", arn + "orders", "by-status"},
	}
	for _, c := range cases {
		r, _, _ := newRecorder(t)
		seen(r, hooks.Call{
			Operation: "TransactWriteItems", Table: c.table, Tables: []string{c.table, "stock"}, Index: c.index,
			Throttled: []ddberr.ThrottlingReason{{Resource: c.resource}},
		})
		got := r.Snapshot().Throttles[0]
		if got.Table != c.wantTable || got.Index != c.wantIndex {
			t.Errorf("%+v is at table %q, index %q", c, got.Table, got.Index)
		}
	}
}

// TestFixedMemory: however many names there are, a limited number is kept and no call is lost.
func TestFixedMemory(t *testing.T) {
	t.Parallel()
	r, _, _ := newRecorder(t)
	const calls = 2000
	for i := range calls {
		table := fmt.Sprintf("table-%d", i)
		seen(r, hooks.Call{Operation: "Query", Table: table, Consumed: cost.Consumed{ReadUnits: 1}, Throttled: []ddberr.ThrottlingReason{{}}})
		seen(r, hooks.Call{Operation: "Query", Table: table, Err: context.DeadlineExceeded, Label: string(make([]byte, 1<<16))})
	}
	s := r.Snapshot()
	var n struct{ latencies, throttles, errors, estimates int64 }
	for _, l := range s.Latencies {
		n.latencies += l.Calls
	}
	for _, l := range s.Throttles {
		n.throttles += l.Count
	}
	for _, l := range s.Errors {
		n.errors += l.Count
	}
	for _, l := range s.Estimates {
		n.estimates += l.Calls
	}
	if n.latencies != 2*calls || n.throttles != calls || n.errors != calls || n.estimates != calls {
		t.Errorf("calls were lost: %+v", n)
	}
	for _, length := range []int{len(s.Latencies), len(s.Throttles), len(s.Errors), len(s.Estimates)} {
		// The names of 128 tables with two labels each, or of 256 tables; then 64 with label other, and one for the rest.
		if length != 193 && length != 321 {
			t.Errorf("a list has %d entries", length)
		}
	}
	if n := len(s.Throughput); n != 193 && n != 321 {
		t.Errorf("throughput of %d tables", n)
	}
	if got := sumOf(s.History.Calls); got != 2*calls {
		t.Errorf("%g calls in the history", got)
	}
	for _, c := range s.Slowest {
		if len(c.Label) > 255 {
			t.Errorf("a label of %d bytes was kept", len(c.Label))
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	r, ledger, c := newRecorder(t)
	orders, byStatus := newOrders(t, r, ledger)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 20 {
				if err := orders.Put(t.Context(), &order{Customer: fmt.Sprint(i), ID: fmt.Sprint(j), Status: "open"}); err != nil {
					t.Error(err)
				}
				if _, err := byStatus.Query("open").Limit(1).Collect(t.Context()); err != nil {
					t.Error(err)
				}
				c.advance(100 * time.Millisecond)
				r.Snapshot()
			}
		})
	}
	wg.Wait()
	if got := r.Snapshot().Totals.Calls; got != 8*20*2 {
		t.Errorf("%d calls", got)
	}
}

// BenchmarkRecorder measures the cost of a request that is neither slow nor expensive.
func BenchmarkRecorder(b *testing.B) {
	r := debug.New(debug.WithLedger(cost.NewLedger()))
	for range 10 {
		seen(r, hooks.Call{Operation: "Query", Table: "orders", Duration: time.Hour, Consumed: cost.Consumed{ReadUnits: 100}})
	}
	call := hooks.Call{
		Operation: "GetItem", Table: "orders", Items: 1, Partitions: []hooks.PartitionHash{1}, Attempts: 1, Duration: time.Millisecond,
		Estimate: cost.Estimate{Read: cost.Range{Min: 0.5, Max: 0.5}}, Consumed: cost.Consumed{ReadUnits: 0.5},
	}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		r.End(r.Begin(ctx, &call), &call)
	}
}
