// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/schema"
)

type number struct {
	ID string `dynamodbav:"id"`
	N  int64  `dynamodbav:"logins"`
}

// witness is between client and engine and records requests and replies.
type witness struct {
	engine *ddbtest.Engine

	mu       sync.Mutex
	sent     int
	answered map[string]int // successes and billed rejections by operation
}

func (w *witness) Do(req *http.Request) (*http.Response, error) {
	_, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), ".")
	w.mu.Lock()
	w.sent++
	w.mu.Unlock()
	resp, err := w.engine.Do(req)
	if err != nil {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	w.mu.Lock()
	defer w.mu.Unlock()
	if resp.StatusCode == http.StatusOK || bytes.Contains(body, []byte("ConditionalCheckFailed")) || bytes.Contains(body, []byte("TransactionCanceled")) {
		w.answered[op]++
	}
	return resp, err
}

// hook labels each call, and keeps the completed ones.
type hook struct {
	mu    sync.Mutex
	calls []hooks.Call
	wrong []string
}

type began struct{}

func (*hook) Begin(ctx context.Context, c *hooks.Call) context.Context {
	return context.WithValue(ddb.WithLabel(ctx, "from-hook"), began{}, c)
}

func (h *hook) End(ctx context.Context, c *hooks.Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if ctx.Value(began{}) != c {
		h.wrong = append(h.wrong, c.Operation+": the context of End is not the one that Begin returned")
	}
	h.calls = append(h.calls, *c)
}

// bench is an engine with a table of users and all observers of requests.
type bench struct {
	table  *ddb.SimpleTable[user, string]
	index  *ddb.Index[user, string, string]
	client ddb.Client
	w      *witness
	hook   *hook
	ledger *cost.Ledger
}

// newBench has the users a to e, of which all but b and c are open.
func newBench(t *testing.T, revised bool, rules ...fault.Rule) *bench {
	t.Helper()
	e := ddbtest.NewEngine(ddbtest.WithFaults(rules...))
	t.Cleanup(e.Close)
	b := &bench{w: &witness{engine: e, answered: map[string]int{}}, hook: new(hook), ledger: cost.NewLedger()}
	client, err := ddbclient.New(t.Context(), ddbclient.WithHTTPClient(b.w), ddbclient.WithEndpoint("http://127.0.0.1:1"), ddbclient.WithConfig(aws.Config{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
	}))
	if err != nil {
		t.Fatal(err)
	}
	b.client = client
	opts := []ddb.TableOption{ddb.WithLedger(b.ledger), ddb.WithHook(b.hook)}
	if revised {
		opts = append(opts, ddb.Version(userRevision))
	}
	b.table, err = ddb.NewSimple(client, "users", userID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if b.index, err = ddb.NewIndex(b.table, "by-nick", userNick, userID); err != nil {
		t.Fatal(err)
	}
	if err := b.table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	set, err := ddb.NewSimple(e.Client(), "users", userID, ddb.WithLedger(nil))
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"a", "b", "c", "d", "e"} {
		a := user{ID: id, Nick: "open", Logins: int64(i)}
		if id == "b" || id == "c" {
			a.Nick = "shut"
		}
		put := set.Put
		if revised {
			put = b.table.Put
		}
		if err := put(t.Context(), &a); err != nil {
			t.Fatal(err)
		}
	}
	b.w.sent, b.hook.calls = 0, nil
	clear(b.w.answered)
	b.ledger.Reset()
	return b
}

// operation is a call and the requests that it makes, such as "GetItem:1", without those that get no reply.
type operation struct {
	run      func(context.Context, *bench, *ddb.BatchStats) error
	want     string
	returned int // in all replies together
	fails    error
}

func one(run func(context.Context, *bench) error) func(context.Context, *bench, *ddb.BatchStats) error {
	return func(ctx context.Context, b *bench, _ *ddb.BatchStats) error { return run(ctx, b) }
}

// operations are those on a table without a revision; the items of newBench exist.
var operations = map[string]operation{
	"Get":       {one(func(ctx context.Context, b *bench) error { _, err := b.table.Get(ctx, "a"); return err }), "GetItem:1", 1, nil},
	"Get, none": {one(func(ctx context.Context, b *bench) error { _, err := b.table.Get(ctx, "x"); return err }), "GetItem:1", 0, ddb.ErrNotFound},
	"GetView": {one(func(ctx context.Context, b *bench) error {
		_, err := ddb.GetView[number](ctx, b.table, "a")
		return err
	}), "GetItem:1", 1, nil},
	"Exists":       {one(func(ctx context.Context, b *bench) error { _, err := b.table.Exists(ctx, "a"); return err }), "GetItem:1", 1, nil},
	"Exists, none": {one(func(ctx context.Context, b *bench) error { _, err := b.table.Exists(ctx, "x"); return err }), "GetItem:1", 0, nil},
	"Query":        {one(func(ctx context.Context, b *bench) error { _, err := b.index.Query("open").Collect(ctx); return err }), "Query:1", 3, nil},
	"Query, pages": {one(func(ctx context.Context, b *bench) error {
		_, err := b.index.Query("open").PageSize(2).Collect(ctx)
		return err
	}), "Query:2", 3, nil},
	"Query, count": {one(func(ctx context.Context, b *bench) error { _, err := b.index.Query("open").Count(ctx); return err }), "Query:1", 3, nil},
	"Query, filter": {one(func(ctx context.Context, b *bench) error {
		_, err := b.index.Query("open").Filter(userLogins.Gt(3)).Collect(ctx)
		return err
	}), "Query:1", 1, nil},
	"Hydrate": {one(func(ctx context.Context, b *bench) error {
		_, err := b.index.Query("open").Hydrate().Collect(ctx)
		return err
	}), "BatchGetItem:1 Query:1", 6, nil},
	"Scan": {one(func(ctx context.Context, b *bench) error { _, err := b.table.Scan().Collect(ctx); return err }), "Scan:1", 5, nil},
	"Scan, parallel": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Scan().Parallel(3).Collect(ctx)
		return err
	}), "Scan:3", 5, nil},
	"Scan of an index": {one(func(ctx context.Context, b *bench) error { _, err := b.index.Scan().Collect(ctx); return err }), "Scan:1", 5, nil},
	"Put":              {one(func(ctx context.Context, b *bench) error { return b.table.Put(ctx, &user{ID: "a"}) }), "PutItem:1", 0, nil},
	"Put, if": {one(func(ctx context.Context, b *bench) error {
		return b.table.Put(ctx, &user{ID: "a"}, ddb.If(userLogins.Gt(5)))
	}), "PutItem:1", 0, ddb.ErrConditionFailed},
	"Create":         {one(func(ctx context.Context, b *bench) error { return b.table.Create(ctx, &user{ID: "x"}) }), "PutItem:1", 0, nil},
	"Create, exists": {one(func(ctx context.Context, b *bench) error { return b.table.Create(ctx, &user{ID: "a"}) }), "PutItem:1", 0, ddb.ErrConditionFailed},
	"Replace":        {one(func(ctx context.Context, b *bench) error { return b.table.Replace(ctx, &user{ID: "a"}) }), "PutItem:1", 0, nil},
	"Replace, none":  {one(func(ctx context.Context, b *bench) error { return b.table.Replace(ctx, &user{ID: "x"}) }), "PutItem:1", 0, ddb.ErrNotFound},
	"Update": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Update(ctx, "a", userLogins.Set(9))
		return err
	}), "UpdateItem:1", 0, nil},
	"Update, none": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Update(ctx, "x", userLogins.Set(9))
		return err
	}), "UpdateItem:1", 0, ddb.ErrNotFound},
	"Update, exactly": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Update(ctx, "a", userLogins.Add(9).Exact())
		return err
	}), "GetItem:1 TransactWriteItems:1", 1, nil},
	"Update, exactly, none": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Update(ctx, "x", userLogins.Add(9).Exact())
		return err
	}), "TransactWriteItems:1", 0, ddb.ErrNotFound},
	"Upsert": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Upsert(ctx, "x", userLogins.Set(9))
		return err
	}), "UpdateItem:1", 0, nil},
	"Delete":     {one(func(ctx context.Context, b *bench) error { return b.table.Delete(ctx, "a") }), "DeleteItem:1", 0, nil},
	"Delete, if": {one(func(ctx context.Context, b *bench) error { return b.table.Delete(ctx, "a", ddb.If(userLogins.Gt(5))) }), "DeleteItem:1", 0, ddb.ErrConditionFailed},
	"DeleteItem": {one(func(ctx context.Context, b *bench) error { return b.table.DeleteItem(ctx, &user{ID: "a"}) }), "DeleteItem:1", 0, nil},
	"BatchGet": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		_, err := b.table.BatchGet(ctx, []string{"a", "b", "x", "a"}, ddb.StatsTo(s))
		return err
	}, "BatchGetItem:1", 2, nil},
	"BatchGet, none": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		_, err := b.table.BatchGet(ctx, []string{"x"}, ddb.StatsTo(s))
		return err
	}, "BatchGetItem:1", 0, nil},
	"BatchGetAll": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		for _, err := range b.table.BatchGetAll(ctx, slices.Values([]string{"a", "x"}), ddb.StatsTo(s)) {
			if err != nil {
				return err
			}
		}
		return nil
	}, "BatchGetItem:1", 1, nil},
	"BatchPut": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		return b.table.BatchPut(ctx, []user{{ID: "a"}, {ID: "x"}}, ddb.StatsTo(s))
	}, "BatchWriteItem:1", 0, nil},
	"BatchPutAll": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		return b.table.BatchPutAll(ctx, slices.Values([]user{{ID: "a"}}), ddb.StatsTo(s))
	}, "BatchWriteItem:1", 0, nil},
	"BatchDelete": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		return b.table.BatchDelete(ctx, []string{"a", "x"}, ddb.StatsTo(s))
	}, "BatchWriteItem:1", 0, nil},
	"BatchWrite, of 30": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		list := make([]user, 30)
		for i := range list {
			list[i].ID = fmt.Sprint(i)
		}
		return b.table.BatchWrite(ctx, list, []string{"a"}, ddb.StatsTo(s))
	}, "BatchWriteItem:2", 0, nil},
	"Transact": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		return ddb.Transact(ctx, b.client, b.table.TxPut(&user{ID: "x"}), b.table.TxUpdate("a", userLogins.Add(1)), b.table.TxDelete("b"),
			b.table.TxCheck("c", userLogins.Lt(5)), ddb.StatsTo(s))
	}, "TransactWriteItems:1", 0, nil},
	"Transact, condition": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		return ddb.Transact(ctx, b.client, b.table.TxCreate(&user{ID: "a"}), b.table.TxDelete("b"), ddb.StatsTo(s))
	}, "TransactWriteItems:1", 0, ddb.ErrConditionFailed},
	"TransactGet": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		var a, x ddb.Got[user]
		return ddb.TransactGet(ctx, b.client, b.table.TxGet("a", &a), b.table.TxGet("x", &x), ddb.StatsTo(s))
	}, "TransactGetItems:1", 1, nil},
	"TransactGet, none": {func(ctx context.Context, b *bench, s *ddb.BatchStats) error {
		var x ddb.Got[user]
		return ddb.TransactGet(ctx, b.client, b.table.TxGet("x", &x), ddb.StatsTo(s))
	}, "TransactGetItems:1", 0, nil},
}

// withRevision are operations on a table with a revision. Their writes read before they write and after a lost reply.
var withRevision = map[string]operation{
	"Put": {one(func(ctx context.Context, b *bench) error {
		a, err := b.table.Get(ctx, "a")
		return errors.Join(err, b.table.Put(ctx, &a))
	}), "GetItem:1 PutItem:1", 1, nil},
	"Put of a stale item": {one(func(ctx context.Context, b *bench) error {
		a, err := b.table.Get(ctx, "a")
		stale := a
		return cmp.Or(err, b.table.Put(ctx, &a), b.table.Put(ctx, &stale))
	}), "GetItem:1 PutItem:2", 1, ddb.ErrConditionFailed},
	"Create": {one(func(ctx context.Context, b *bench) error { return b.table.Create(ctx, &user{ID: "x"}) }), "PutItem:1", 0, nil},
	"Update": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Update(ctx, "a", userLogins.Add(1))
		return err
	}), "GetItem:1 UpdateItem:1", 1, nil},
	"Update, none": {one(func(ctx context.Context, b *bench) error {
		_, err := b.table.Update(ctx, "x", userLogins.Add(1))
		return err
	}), "GetItem:1", 0, ddb.ErrNotFound},
	"Delete": {one(func(ctx context.Context, b *bench) error { return b.table.Delete(ctx, "a") }), "DeleteItem:1 GetItem:1", 1, nil},
}

// compare compares the requests with the reports of each observer.
func (b *bench) compare(t *testing.T, name string, o operation, stats ddb.BatchStats) {
	t.Helper()
	if got := counts(b.w.answered); o.want != "" && got != o.want {
		t.Errorf("%s: %s were answered, want %s", name, got, o.want)
	}
	booked, seen, requests, returned := map[string]int{}, map[string]int{}, 0, 0
	for _, e := range b.ledger.Snapshot().Entries {
		if e.Label != "from-hook" {
			t.Errorf("%s: the ledger has %s under label %q, want that of the hook", name, e.Operation, e.Label)
		}
		if e.Operations > 0 {
			booked[e.Operation] += int(e.Operations)
		}
	}
	for _, c := range b.hook.calls {
		if c.Err == nil || errors.Is(c.Err, ddb.ErrConditionFailed) || c.ErrorType() == "ConditionalCheckFailedException" || c.ErrorType() == "TransactionCanceledException" {
			seen[c.Operation]++
		}
		returned += c.Returned
	}
	for op, n := range b.w.answered {
		if strings.Contains(op, "Batch") || strings.Contains(op, "Transact") {
			requests += n
		}
	}
	if got := counts(booked); got != counts(b.w.answered) {
		t.Errorf("%s: the ledger has %s, answered were %s", name, got, counts(b.w.answered))
	}
	if got := counts(seen); got != counts(b.w.answered) {
		t.Errorf("%s: hooks saw %s end with an answer, answered were %s", name, got, counts(b.w.answered))
	}
	if stats.Elapsed > 0 && stats.Requests != requests {
		t.Errorf("%s: BatchStats.Requests is %d, answered were %d", name, stats.Requests, requests)
	}
	if stats.Elapsed > 0 && stats.Consumed.Total() != b.ledger.Snapshot().Total() {
		t.Errorf("%s: BatchStats.Consumed is %v, the ledger has %v", name, stats.Consumed.Total(), b.ledger.Snapshot().Total())
	}
	if o.want != "" && returned != o.returned {
		t.Errorf("%s: Call.Returned is %d in sum, want %d", name, returned, o.returned)
	}
	for _, wrong := range b.hook.wrong {
		t.Errorf("%s: %s", name, wrong)
	}
}

func counts(n map[string]int) string {
	var parts []string
	for _, op := range slices.Sorted(maps.Keys(n)) {
		parts = append(parts, fmt.Sprintf("%s:%d", op, n[op]))
	}
	return strings.Join(parts, " ")
}

// TestOneRequestPath: the ledger, the hooks and the statistics of batches count the requests that were answered, under
// the label that a hook sets, for every operation.
func TestOneRequestPath(t *testing.T) {
	for _, revised := range []bool{false, true} {
		for name, o := range tableOf(revised) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, revised)
				var stats ddb.BatchStats
				if err := o.run(t.Context(), b, &stats); !errors.Is(err, o.fails) || (err == nil) != (o.fails == nil) {
					t.Errorf("%s: %v, want %v", name, err, o.fails)
				}
				b.compare(t, title(revised, name), o, stats)
			})
		}
	}
}

func tableOf(revised bool) map[string]operation {
	if revised {
		return withRevision
	}
	return operations
}

func title(revised bool, name string) string {
	if revised {
		return name + " (with a revision)"
	}
	return name
}

// TestFaults: the same holds when replies are lost, requests fail or the service is busy.
func TestFaults(t *testing.T) {
	var on atomic.Bool // after the table was filled
	all := fault.On().Where(func(fault.Request) bool { return on.Load() })
	for kind, rule := range map[string]fault.Rule{
		"lost":      all.Every(2).DropReply(),
		"all lost":  all.DropReply(),
		"throttled": all.Every(2).Throttle(),
		"failing":   all.Every(2).InternalError(),
		"refused":   all.Every(2).Error("ValidationException", "no"),
		"denied":    all.Error("AccessDeniedException", "no"),
	} {
		for _, revised := range []bool{false, true} {
			for name, o := range tableOf(revised) {
				synctest.Test(t, func(t *testing.T) {
					on.Store(false)
					b := newBench(t, revised, rule)
					on.Store(true)
					var stats ddb.BatchStats
					_ = o.run(t.Context(), b, &stats)
					o.want = ""
					b.compare(t, kind+": "+title(revised, name), o, stats)
				})
			}
		}
	}
}

// TestNothingIsSent: no operation sends a request that Explain or a budget does not admit, and its outcome is known.
func TestNothingIsSent(t *testing.T) {
	wrong := cost.NewBudget(cost.Limits{Items: -1})
	for _, revised := range []bool{false, true} {
		b := newBench(t, revised)
		for name, o := range tableOf(revised) {
			name = title(revised, name)
			var stats ddb.BatchStats
			if err := o.run(ddb.WithBudget(t.Context(), wrong), b, &stats); !errors.Is(err, ddb.ErrInvalid) || errors.Is(err, ddb.ErrOutcomeUnknown) {
				t.Errorf("%s with a budget that makes no sense: %v", name, err)
			}
			x, err := ddb.Explain(t.Context(), func(ctx context.Context) error {
				err := o.run(ctx, b, &stats)
				if !errors.Is(err, ddberr.ErrExplained) || errors.Is(err, ddb.ErrOutcomeUnknown) {
					t.Errorf("%s explained: %v", name, err)
				}
				return err
			})
			if err != nil || x.Operation == "" || x.Table != "users" {
				t.Errorf("%s: %+v, %v", name, x, err)
			}
		}
		for name, run := range map[string]func(context.Context) error{
			"CreateTable":   func(ctx context.Context) error { return b.table.CreateTable(ctx) },
			"EnsureTable":   func(ctx context.Context) error { return b.table.EnsureTable(ctx) },
			"VerifyTable":   func(ctx context.Context) error { _, err := b.table.VerifyTable(ctx); return err },
			"DescribeTable": b.table.WaitTable,
			"DeleteTable":   func(ctx context.Context) error { return b.table.DeleteTable(ctx, schema.AllowDelete("users")) },
		} {
			x, err := ddb.Explain(t.Context(), run)
			if err != nil || x.Operation != name || x.Table != "users" {
				t.Errorf("%s: %+v, %v", name, x, err)
			}
		}
		if b.w.sent != 0 || len(b.hook.calls) != 0 || b.ledger.Snapshot().Operations() != 0 {
			t.Errorf("%d requests were sent, %d seen by a hook", b.w.sent, len(b.hook.calls))
		}
	}
}
