// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/layerstats"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/schema"
)

// TestOutcomes: the calls of a table are shown as unknown outcomes, failed conditions, unprocessed parts of batches and requests
// that a budget stopped.
func TestOutcomes(t *testing.T) {
	t.Parallel()
	r, ledger, _ := newRecorder(t)
	orders, _ := newOrders(t, r, ledger, fault.On("PutItem").Nth(2).DropReply(), fault.On("BatchWriteItem").Nth(1).Unprocessed(2))
	ctx := ddb.WithLabel(t.Context(), "checkout")
	if err := orders.Create(ctx, &order{Customer: "c", ID: "1", Status: "open"}); err != nil {
		t.Fatal(err)
	}
	if err := orders.Create(ctx, &order{Customer: "c", ID: "2", Status: "open"}); !errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	if err := orders.Create(ctx, &order{Customer: "c", ID: "1", Status: "open"}); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Fatal(err)
	}
	if err := orders.BatchPut(ctx, []order{{Customer: "c", ID: "3", Status: "open"}, {Customer: "c", ID: "4", Status: "open"}, {Customer: "c", ID: "5", Status: "open"}}); err != nil {
		t.Fatal(err)
	}
	spent := cost.NewBudget(cost.Limits{Requests: 1})
	remove := r.ShowBudget("export", spent)
	for _, want := range []error{nil, cost.ErrBudgetExceeded} {
		if _, err := orders.Query("c").Page(ddb.WithBudget(ctx, spent)); !errors.Is(err, want) {
			t.Fatal(err)
		}
	}
	s := r.Snapshot()
	want := []debug.Outcome{
		{Table: "orders", Operation: "PutItem", Label: "checkout", UnknownOutcomes: 1, FailedConditions: s.Totals.FailedConditions},
		{Table: "orders", Operation: "BatchWriteItem", Label: "checkout", Unprocessed: 2},
		{Table: "orders", Operation: "Query", Label: "checkout", OverBudget: 1},
	}
	if diff := cmp.Diff(want, s.Outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if s.Totals.UnknownOutcomes != 1 || s.Totals.OverBudget != 1 || s.Totals.Unprocessed != 2 || s.Totals.FailedConditions == 0 || sumOf(s.History.FailedConditions) != float64(s.Totals.FailedConditions) {
		t.Errorf("totals %+v", s.Totals)
	}
	if want := []debug.BudgetUse{{Name: "export", ReadUnits: 0.5, Items: 4, Requests: 1, RequestLimit: 1}}; !cmp.Equal(want, s.Budgets, cmpopts.IgnoreFields(debug.BudgetUse{}, "ReadUnits", "Items")) {
		t.Errorf("budgets %+v", s.Budgets)
	}
	fast := int64(0)
	for _, p := range s.Paths {
		fast += p.Count
	}
	if fast != s.Totals.Calls {
		t.Errorf("paths of %d calls, want %d: %+v", fast, s.Totals.Calls, s.Paths)
	}
	remove()
	if got := r.Snapshot().Budgets; len(got) != 0 {
		t.Errorf("after removal: %+v", got)
	}
}

// TestThroughput: the consumption of tables and indexes is shown next to their throughput.
func TestThroughput(t *testing.T) {
	t.Parallel()
	r, ledger, c := newRecorder(t)
	engine := ddbtest.NewEngine()
	t.Cleanup(engine.Close)
	orders, err := ddb.New(engine.Client(), "orders", orderCustomer, orderID, ddb.WithLedger(ledger), ddb.WithHook(r))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewIndex(orders, "by-status", orderStatus, orderID); err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context(), schema.Provisioned(40, 20)); err != nil {
		t.Fatal(err)
	}
	if err := r.Describe(t.Context(), orders); err != nil {
		t.Fatal(err)
	}
	for i := range 120 {
		if err := orders.Put(t.Context(), &order{Customer: "c", ID: fmt.Sprint(i), Status: "open"}); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(time.Minute)
	s := r.Snapshot()
	ten := 0.1
	none := 0.0
	want := []debug.Throughput{
		{Table: "orders", End: noon.Add(time.Minute), Source: "provisioned", ReadLimit: 40, ReadShare: &none, WritePerSecond: 2, BusiestWrite: 2, WriteLimit: 20, WriteShare: &ten},
		{Table: "orders", Index: "by-status", End: noon.Add(time.Minute), Source: "provisioned", ReadLimit: 40, ReadShare: &none, WritePerSecond: 2, BusiestWrite: 2, WriteLimit: 20, WriteShare: &ten},
	}
	if diff := cmp.Diff(want, s.Throughput, cmpopts.IgnoreFields(debug.Throughput{}, "ReadMinutes", "WriteMinutes")); diff != "" {
		t.Errorf("throughput (-want +got):\n%s", diff)
	}
	c.advance(59 * time.Minute)
	if got := r.Snapshot().Throughput[0]; got.BusiestWrite != 2 || got.WritePerSecond != 0 {
		t.Errorf("after 59 minutes: %+v", got)
	}
	c.advance(2 * time.Minute)
	if got := r.Snapshot().Throughput[0]; got.BusiestWrite != 0 || got.WriteLimit != 20 {
		t.Errorf("after an hour: %+v", got)
	}
	if err := r.Describe(t.Context(), orders, nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a nil table is %v", err)
	}
}

// TestLimits: the limit of a table is its provisioned throughput, or the maximum of an on-demand table, or its warm throughput.
func TestLimits(t *testing.T) {
	t.Parallel()
	warm := &types.TableWarmThroughputDescription{ReadUnitsPerSecond: new(int64(12000)), WriteUnitsPerSecond: new(int64(4000))}
	cases := []struct {
		d           types.TableDescription
		source      string
		read, write float64
	}{
		{types.TableDescription{WarmThroughput: warm}, "warm throughput", 12000, 4000},
		{types.TableDescription{WarmThroughput: warm, OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: new(int64(500)), MaxWriteRequestUnits: new(int64(-1))}}, "on-demand maximum", 500, 4000},
		{types.TableDescription{WarmThroughput: warm, ProvisionedThroughput: &types.ProvisionedThroughputDescription{ReadCapacityUnits: new(int64(10)), WriteCapacityUnits: new(int64(5))}}, "provisioned", 10, 5},
		{types.TableDescription{ProvisionedThroughput: &types.ProvisionedThroughputDescription{ReadCapacityUnits: new(int64(0)), WriteCapacityUnits: new(int64(0))}}, "warm throughput", 0, 0},
	}
	for _, c := range cases {
		r, _, _ := newRecorder(t)
		c.d.TableName = new("orders")
		r.SetThroughput(&c.d)
		got := r.Snapshot().Throughput[0]
		if got.Source != c.source || got.ReadLimit != c.read || got.WriteLimit != c.write || (got.ReadShare == nil) != (c.read == 0) {
			t.Errorf("%+v, want %s, %g, %g", got, c.source, c.read, c.write)
		}
	}
}

// TestPrice: units have a cost by the given prices, and a table can have its own price.
func TestPrice(t *testing.T) {
	t.Parallel()
	ledger, c := cost.NewLedger(), newClock()
	r := debug.New(debug.WithLedger(ledger), debug.WithClock(c.Now), debug.WithPrice(debug.Price{Currency: "USD", ReadMillion: 0.125, WriteMillion: 0.625}),
		debug.WithPrice(debug.Price{Currency: "USD", ReadMillion: 0.5, WriteMillion: 2.5}, "archive"), debug.WithPrice(debug.Price{Currency: "none", ReadMillion: -1}))
	ledger.Record("orders", "", "PutItem", 0, 1_000_000)
	ledger.Record("archive", "", "Query", 2_000_000, 0)
	seen(r, hooks.Call{Operation: "PutItem", Table: "orders", Consumed: cost.Consumed{WriteUnits: 1000}})
	c.advance(10 * time.Second)
	got := r.Snapshot().Cost
	want := &debug.Cost{Currency: "USD", Total: 1.625, PerHour: 1000 * 0.625 / 1e6 * 360, PerMonth: 1000 * 0.625 / 1e6 * 360 * 730}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-9, 0)); diff != "" {
		t.Errorf("cost (-want +got):\n%s", diff)
	}
	page := ask(r, "GET", "/", "").Body.String()
	for _, part := range []string{">Cost USD<", ">1.63<", ">0.6250<"} {
		if !contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	if without, _, _ := newRecorder(t); contains(ask(without, "GET", "/", "").Body.String(), ">Cost") {
		t.Error("a cost without a price")
	}
}

// TestFilter: the parameters filter the calls, in the JSON and on the page, which offers the existing names.
func TestFilter(t *testing.T) {
	t.Parallel()
	r, ledger, _ := newRecorder(t)
	ledger.Record("orders", "", "Query", 3, 0)
	ledger.Record("stock", "", "Query", 5, 0)
	for _, c := range []struct{ table, label string }{{"orders", "a"}, {"orders", "b"}, {"stock", "a"}, {hostile, hostile}} {
		seen(r, hooks.Call{Operation: "Query", Table: c.table, Label: c.label, Duration: time.Second, Consumed: cost.Consumed{ReadUnits: 1}, Err: errors.New("no"), Partitions: []hooks.PartitionHash{1}})
	}
	for target, want := range map[string]int64{"/?format=json": 4, "/?format=json&table=orders": 2, "/?format=json&label=a": 2, "/?format=json&table=stock&label=a": 1, "/?format=json&table=gone": 0} {
		s := decoded(t, r, target)
		errs := int64(0)
		for _, e := range s.Errors {
			errs += e.Count
		}
		if s.Totals.Calls != want || errs != want || int64(len(s.Slowest)) != want || len(s.Tables) != 3 || len(s.Labels) != 3 {
			t.Errorf("%s: %d calls, %d errors, %d groups, want %d", target, s.Totals.Calls, errs, len(s.Slowest), want)
		}
	}
	if s := decoded(t, r, "/?format=json&table=stock"); len(s.Units) != 1 || s.Units[0].Share != 1 || s.Filter.Table != "stock" {
		t.Errorf("units of one table %+v", s.Units)
	}
	page := ask(r, "GET", "/?table=stock&label=new", "").Body.String()
	for _, part := range []string{`<option value="stock" selected>`, `<option value="orders">`, `<option value="new" selected>`, `href="?format=json&amp;label=new&amp;table=stock"`} {
		if !contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	if contains(page, "<script>alert") {
		t.Error("a name became markup")
	}
}

func decoded(t *testing.T, h http.Handler, target string) (s debug.Snapshot) {
	t.Helper()
	w := ask(h, "GET", target, "")
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d: %s", target, w.Code, w.Body)
	}
	unmarshal(t, w.Body.Bytes(), &s)
	return s
}

// TestLongCallsAndLayers: long calls and counters of layers are shown as their packages report them.
func TestLongCallsAndLayers(t *testing.T) {
	t.Parallel()
	r, ledger, _ := newRecorder(t)
	orders, _ := newOrders(t, r, ledger)
	tracker := progress.NewTracker()
	remove := r.ShowProgress(tracker)
	if err := orders.BatchPut(progress.Named(tracker.With(t.Context()), "import of orders"), []order{{Customer: "c", ID: "1", Status: "open"}, {Customer: "c", ID: "2", Status: "open"}}); err != nil {
		t.Fatal(err)
	}
	saved := func() (n int64) {
		for _, l := range r.SnapshotOf(debug.Filter{Table: "table-of-this-test"}).Layers {
			n += l.Count
		}
		return n
	}
	before := saved()
	layerstats.Add("snapshot", "table-of-this-test", "saved", 3)
	s := r.SnapshotOf(debug.Filter{Table: "table-of-this-test"})
	if len(s.Layers) != 1 || saved() != before+3 || s.Layers[0].Event != "saved" {
		t.Errorf("layers %+v", s.Layers)
	}
	if len(s.LongCalls) != 1 {
		t.Fatalf("long calls %+v", s.LongCalls)
	}
	if c := s.LongCalls[0]; c.Job != "import of orders" || c.State != "done" || c.Items != 2 || c.Share == nil || *c.Share != 1 || c.WriteUnits < 2 {
		t.Errorf("long call %+v", c)
	}
	if page := ask(r, "GET", "/", browserAccepts).Body.String(); !contains(page, ">import of orders<") {
		t.Error("the page does not show the long call")
	}
	remove()
	if got := r.Snapshot().LongCalls; len(got) != 0 {
		t.Errorf("after removal: %+v", got)
	}
}

// TestProcesses: the page of several processes shows the sum of those that respond, and the errors of the others.
func TestProcesses(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	var addresses []string
	for i := range 3 {
		r := debug.New(debug.WithLedger(cost.NewLedger()), debug.WithProcess(fmt.Sprint("process ", i)))
		for range i + 1 {
			seen(r, hooks.Call{Operation: "Query", Table: "orders", Label: fmt.Sprint("label ", i), Duration: time.Duration(i+1) * time.Second, Consumed: cost.Consumed{ReadUnits: 1}})
		}
		mux.Handle(fmt.Sprintf("/%d/debug", i), r)
		addresses = append(addresses, fmt.Sprintf("%s/%d/debug", server.URL, i))
	}
	mux.HandleFunc("/forbidden", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "secret", http.StatusForbidden) })
	mux.HandleFunc("/other", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"rates":{"end":"2026-01-01T00:00:00Z"}}`)
	})
	addresses = append(addresses, server.URL+"/forbidden", server.URL+"/other", "http://user:password@127.0.0.1:1/gone")
	all, err := debug.Processes(server.Client(), addresses...)
	if err != nil {
		t.Fatal(err)
	}
	s := decoded(t, all, "/?format=json")
	if s.Totals.Calls != 6 || len(s.Slowest) != 3 || s.Slowest[0].MaxMs != 3000 || len(s.Latencies) != 1 || s.Latencies[0].Calls != 6 {
		t.Errorf("%d calls, latencies %+v", s.Totals.Calls, s.Latencies)
	}
	var problems []string
	for _, p := range s.Processes {
		problems = append(problems, p.Error)
	}
	if diff := cmp.Diff([]string{"", "", "", "status 403", "the answer is not the JSON of this page", "not reached"}, problems); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	if s := decoded(t, all, "/?format=json&label=label+2"); s.Totals.Calls != 3 {
		t.Errorf("with one label: %d calls", s.Totals.Calls)
	}
	page := ask(all, "GET", "/", browserAccepts).Body.String()
	if !contains(page, ">process 2<") || !contains(page, ">status 403<") || contains(page, "secret") || contains(page, "password") {
		t.Error("the page shows the processes incorrectly")
	}
	none, err := debug.Processes(nil, "http://127.0.0.1:1/gone")
	if err != nil {
		t.Fatal(err)
	}
	if s := decoded(t, none, "/?format=json"); len(s.Processes) != 1 || s.Processes[0].Error == "" || strings.Contains(ask(none, "GET", "/?format=json", "").Body.String(), "null") {
		t.Errorf("without processes: %+v", s.Processes)
	}
	for _, wrong := range [][]string{nil, {"orders"}, {"ftp://x/"}, {addresses[0], addresses[0]}} {
		if _, err := debug.Processes(nil, wrong...); err == nil {
			t.Errorf("%q was accepted", wrong)
		}
	}
}

// TestSlowProcess: the request's context ends the wait for processes.
func TestSlowProcess(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		select {
		case <-stop:
		case <-req.Context().Done():
		}
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(stop) })
	all, err := debug.Processes(server.Client(), server.URL)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	all.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/?format=json", nil).WithContext(ctx))
	if !contains(w.Body.String(), "no answer in time") {
		t.Errorf("answer %s", w.Body)
	}
}
