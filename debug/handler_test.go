// SPDX-License-Identifier: Apache-2.0

package debug_test

import (
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/debug"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/layerstats"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func contains(text, part string) bool { return strings.Contains(text, part) }

func ask(h http.Handler, method, target, accept string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, target, nil)
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w
}

const browserAccepts = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8,application/json"

func TestFormats(t *testing.T) {
	t.Parallel()
	r, _, _ := newRecorder(t)
	cases := []struct {
		method, target, accept string
		status                 int
		kind                   string
		body                   bool
	}{
		{"GET", "/debug/ddb", "", 200, "text/html; charset=utf-8", true},
		{"GET", "/", browserAccepts, 200, "text/html; charset=utf-8", true},
		{"HEAD", "/", browserAccepts, 200, "text/html; charset=utf-8", false},
		{"GET", "/?format=json", browserAccepts, 200, "application/json; charset=utf-8", true},
		{"GET", "/", "application/json", 200, "application/json; charset=utf-8", true},
		{"GET", "/?format=html", "application/json", 200, "text/html; charset=utf-8", true},
		{"HEAD", "/?format=json", "", 200, "application/json; charset=utf-8", false},
		{"GET", "/?format=xml", "", 400, "text/plain; charset=utf-8", true},
		{"POST", "/", "", 405, "text/plain; charset=utf-8", true},
		{"DELETE", "/?format=json", "", 405, "text/plain; charset=utf-8", true},
		{"OPTIONS", "/", "", 405, "text/plain; charset=utf-8", true},
	}
	for _, c := range cases {
		w := ask(r, c.method, c.target, c.accept)
		if w.Code != c.status || w.Header().Get("Content-Type") != c.kind || (w.Body.Len() > 0) != c.body {
			t.Errorf("%s %s, accepting %q: status %d, %s, %d bytes", c.method, c.target, c.accept, w.Code, w.Header().Get("Content-Type"), w.Body.Len())
		}
		for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cross-Origin-Resource-Policy", "Cache-Control"} {
			if w.Header().Get(header) == "" {
				t.Errorf("%s %s: no header %s", c.method, c.target, header)
			}
		}
	}
}

// TestPolicy: the page runs and loads only its own resources.
func TestPolicy(t *testing.T) {
	t.Parallel()
	r, _, _ := newRecorder(t)
	w := ask(r, "GET", "/", "")
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "connect-src 'self'", "frame-ancestors 'none'", "script-src 'sha256-", "style-src 'sha256-"} {
		if !contains(policy, want) {
			t.Errorf("the policy lacks %q: %s", want, policy)
		}
	}
	if contains(policy, "unsafe") {
		t.Errorf("unsafe policy: %s", policy)
	}
	page := w.Body.String()
	for _, part := range []string{"http://", "https://", "//cdn", " style=", " onclick", "@import", "url("} {
		if contains(strings.ReplaceAll(page, "http://www.w3.org/2000/svg", ""), part) {
			t.Errorf("the page contains %q", part)
		}
	}
}

const hostile = `<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{.}}</script>`

// TestHostileNames: tables, indexes, labels and reasons are shown as text, whatever they contain.
func TestHostileNames(t *testing.T) {
	t.Parallel()
	r, ledger, _ := newRecorder(t)
	ledger.Record(hostile, hostile, hostile, 1, 0)
	seen(r, hooks.Call{
		Operation: hostile, Table: hostile, Tables: []string{hostile}, Index: hostile, Label: hostile, Duration: time.Second,
		Consumed: cost.Consumed{ReadUnits: 1}, Partitions: []hooks.PartitionHash{1}, Throttled: []ddberr.ThrottlingReason{{Reason: hostile, Resource: hostile}},
	})
	page := ask(r, "GET", "/", "").Body.String()
	if contains(page, "<script>alert") || contains(page, "<img") {
		t.Error("a name became markup")
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts", n)
	}
	if !contains(page, "&lt;script&gt;alert(1)") {
		t.Error("the names are not shown")
	}
	if body := ask(r, "GET", "/?format=json", "").Body.String(); contains(body, "<") {
		t.Error("the JSON contains markup")
	}
}

// TestSecrets: the page and the JSON contain no keys, no items and no error texts.
func TestSecrets(t *testing.T) {
	t.Parallel()
	r, ledger, _ := newRecorder(t)
	orders, byStatus := newOrders(t, r, ledger)
	ctx := t.Context()
	const secret = "mrs-smith-of-elm-street"
	if err := orders.Put(ctx, &order{Customer: secret, ID: secret, Status: secret, Total: 987654321}); err != nil {
		t.Fatal(err)
	}
	_, err := byStatus.Query(secret).Filter(orderTotal.Eq(987654321), orderCustomer.Eq(secret)).Collect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.Create(ctx, &order{Customer: secret, ID: secret}); err == nil {
		t.Fatal("created twice")
	}
	seen(r, hooks.Call{Operation: "Query", Table: "orders", Err: errors.New(secret), Duration: time.Second})
	for _, target := range []string{"/", "/?format=json"} {
		body := ask(r, "GET", target, "").Body.String()
		if contains(body, secret) || contains(body, "987654321") {
			t.Errorf("%s contains a secret", target)
		}
	}
}

// TestFirstPaint: without its script the page has the values of the JSON.
func TestFirstPaint(t *testing.T) {
	t.Parallel()
	r, ledger, c := exampleRecorder(t)
	ledger.Record("orders", "", "Scan", 1234567.5, 0)
	c.advance(90 * time.Second)
	page := ask(r, "GET", "/", "").Body.String()
	for _, want := range []string{
		">1,234,567.5<", // units
		">1 min ago<",
		">TableReadKeyRangeThroughputExceeded<",
		">0000000000000007<", // the hot key
		">0.5 – 2<",          // an expected range
		">outside<",
		"<pre>Query          orders",
	} {
		if !contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if ids := regexp.MustCompile(`id="(\w+)"`).FindAllString(page, -1); len(ids) == 0 {
		t.Error("no ids")
	} else {
		once := map[string]bool{}
		for _, id := range ids {
			if once[id] {
				t.Errorf("%s is on the page twice", id)
			}
			once[id] = true
		}
	}
}

// exampleRecorder returns a recorder with some data of every kind, always the same.
func exampleRecorder(t *testing.T) (*debug.Recorder, *cost.Ledger, *clock) {
	t.Helper()
	r, ledger, c := newRecorder(t)
	ledger.Record("orders", "", "GetItem", 0.5, 0)
	ledger.Record("orders", "by-status", "Query", 2.5, 0)
	ledger.Record("stock", "", "PutItem", 0, 3)
	seen(r, hooks.Call{
		Operation: "GetItem", Table: "orders", Label: "checkout", Items: 1, Partitions: []hooks.PartitionHash{7}, Attempts: 1,
		Estimate: cost.Estimate{Read: cost.Range{Min: 0.5, Max: 0.5}}, Consumed: cost.Consumed{ReadUnits: 0.5}, Returned: 1, Duration: 1500 * time.Microsecond,
	})
	c.advance(time.Second)
	seen(r, hooks.Call{
		Operation: "Query", Table: "orders", Index: "by-status", Label: "report", Limit: 20, Partitions: []hooks.PartitionHash{9}, Attempts: 3,
		Estimate: cost.Estimate{Read: cost.Range{Min: 0.5, Max: 2}}, Consumed: cost.Consumed{ReadUnits: 2.5}, Returned: 3, Scanned: 20,
		Throttled: []ddberr.ThrottlingReason{{Reason: "TableReadKeyRangeThroughputExceeded"}, {}}, Duration: 40 * time.Millisecond,
	})
	seen(r, hooks.Call{
		Operation: "TransactWriteItems", Table: "orders", Tables: []string{"orders", "stock"}, Write: true, Items: 2, Partitions: []hooks.PartitionHash{7, 8},
		Attempts: 1, Estimate: cost.Estimate{Write: cost.Range{Min: 4, Max: 8}}, Err: errors.New("connection reset"), Duration: 3 * time.Millisecond,
	})
	c.advance(time.Second)
	return r, ledger, c
}

// TestJSON compares the form of the JSON with a file, and decodes it.
func TestJSON(t *testing.T) {
	t.Parallel()
	r, _, _ := exampleRecorder(t)
	body := ask(r, "GET", "/?format=json", "").Body.Bytes()
	var s debug.Snapshot
	if err := json.Unmarshal(body, &s); err != nil {
		t.Fatal(err)
	}
	want := r.Snapshot()
	s.Layers, want.Layers = []layerstats.Stat{}, []layerstats.Stat{} // of other tests in this process
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	// The last times are enough.
	last := func(n int, lists ...*[]float64) {
		for _, list := range lists {
			*list = (*list)[len(*list)-n:]
		}
	}
	for _, counts := range []*debug.Counts{&s.Rates.Counts, &s.History.Counts} {
		last(3, &counts.Calls, &counts.Failed, &counts.FailedConditions, &counts.Throttled, &counts.ReadUnits, &counts.WriteUnits)
	}
	last(3, &s.History.P50Ms, &s.History.P99Ms, &s.History.MaxMs)
	s.History.Buckets = s.History.Buckets[118:]
	for i := range s.Throughput {
		last(1, &s.Throughput[i].ReadMinutes, &s.Throughput[i].WriteMinutes)
	}
	s.SaltID = 0 // of this run of the process
	got, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join("testdata", "snapshot.json")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(golden), string(got)+"\n"); diff != "" {
		t.Errorf("JSON (-want +got); run with -update if the change is intended:\n%s", diff)
	}
}

// TestEmptyLists: the JSON of an empty recorder has empty lists, and no null.
func TestEmptyLists(t *testing.T) {
	t.Parallel()
	r, _, _ := newRecorder(t)
	body := ask(r, "GET", "/?format=json", "").Body.String()
	if contains(body, "null") {
		t.Errorf("null in %s", body)
	}
	if page := ask(r, "GET", "/", "").Body.String(); strings.Count(page, "None so far.") < 7 {
		t.Error("empty tables are not marked as empty")
	}
}

func TestHandlersShareOneRecorder(t *testing.T) {
	if one, other := debug.Handler(), debug.Handler(); one != other {
		t.Fatal("two recorders of one process")
	}
	before := debug.Handler().Snapshot().Totals.Calls
	r, ledger, _ := newRecorder(t)
	orders, _ := newOrders(t, r, ledger)
	if err := orders.Put(t.Context(), &order{Customer: "c", ID: "1", Status: "open"}); err != nil {
		t.Fatal(err)
	}
	if after := debug.Handler().Snapshot().Totals.Calls; after == before {
		t.Error("the process's recorder does not see a table")
	}
}
