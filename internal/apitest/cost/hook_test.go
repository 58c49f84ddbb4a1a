// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"expvar"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/schema"
)

// watcher is a hook that records what it sees.
type watcher struct {
	mu     sync.Mutex
	begun  int
	calls  []*hooks.Call
	broken []string
}

type watcherKey struct{ r *watcher }

func (r *watcher) Begin(ctx context.Context, call *hooks.Call) context.Context {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun++
	return context.WithValue(ctx, watcherKey{r}, call)
}

func (r *watcher) End(ctx context.Context, call *hooks.Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Value(watcherKey{r}) != call {
		r.broken = append(r.broken, call.Operation+": End does not have the context and call of Begin")
	}
	r.calls = append(r.calls, call)
}

// take returns the calls since the last take.
func (r *watcher) take(t *testing.T) []*hooks.Call {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun != len(r.calls) {
		t.Errorf("%d calls began, %d ended", r.begun, len(r.calls))
	}
	for _, b := range r.broken {
		t.Error(b)
	}
	calls := r.calls
	r.calls, r.begun = nil, 0
	return calls
}

// seen has the parts of calls that tests compare.
type seen struct {
	Operation, Index         string
	Items, Returned, Scanned int
	Attempts                 int
	Read, Write              float64
	Error                    string
}

func seenOf(calls []*hooks.Call) []seen {
	var all []seen
	for _, c := range calls {
		all = append(all, seen{c.Operation, c.Index, c.Items, c.Returned, c.Scanned, c.Attempts, c.Consumed.ReadUnits, c.Consumed.WriteUnits, c.ErrorType()})
	}
	return all
}

func TestHookSeesEveryOperation(t *testing.T) {
	t.Parallel()
	needsEngine(t, "units of other engines differ")
	var r watcher
	client := newClient(t)
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey, ddb.WithHook(&r))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderTotal)
	if err != nil {
		t.Fatal(err)
	}
	ctx := ddb.WithLabel(t.Context(), "job")
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	o := order{Customer: "c", ID: "1", Status: "open", Total: 5}
	var got ddb.Got[order]
	steps := []struct {
		name string
		call func() error
		want []seen
	}{
		{"Put", func() error { return orders.Put(ctx, &o) }, []seen{{Operation: "PutItem", Items: 1, Attempts: 1, Write: 2}}},
		{"Create", func() error {
			if err := orders.Create(ctx, &o); !errors.Is(err, ddb.ErrConditionFailed) {
				return fmt.Errorf("created again: %w", err)
			}
			return nil
		}, []seen{{Operation: "PutItem", Items: 1, Attempts: 1, Error: "ConditionalCheckFailedException"}}},
		{"Get", func() error { _, err := orders.Get(ctx, "c", "1"); return err }, []seen{{Operation: "GetItem", Items: 1, Returned: 1, Attempts: 1, Read: 0.5}}},
		{"Exists", func() error { _, err := orders.Exists(ctx, "c", "none", ddb.Consistent()); return err }, []seen{{Operation: "GetItem", Items: 1, Attempts: 1, Read: 1}}},
		{"Update", func() error { _, err := orders.Update(ctx, orders.Key("c", "1"), orderVisits.Add(1)); return err }, []seen{{Operation: "UpdateItem", Items: 1, Attempts: 1, Write: 2}}},
		{"BatchPut", func() error {
			return orders.BatchPut(ctx, []order{{Customer: "c", ID: "2", Status: "new"}, {Customer: "c", ID: "3", Status: "new"}})
		}, []seen{{Operation: "BatchWriteItem", Items: 2, Attempts: 1, Write: 4}}},
		{"BatchGet", func() error {
			_, err := orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{orders.Key("c", "1"), orders.Key("c", "9")})
			return err
		}, []seen{{Operation: "BatchGetItem", Items: 2, Returned: 1, Attempts: 1, Read: 1}}},
		{"Query", func() error { _, err := orders.Query("c").Filter(orderTotal.Gt(1)).Collect(ctx); return err }, []seen{{Operation: "Query", Returned: 1, Scanned: 3, Attempts: 1, Read: 0.5}}},
		{"index", func() error { _, err := byStatus.Query("open").Collect(ctx); return err }, []seen{{Operation: "Query", Index: "by-status", Returned: 1, Scanned: 1, Attempts: 1, Read: 0.5}}},
		{"Scan", func() error { _, err := orders.Scan().Count(ctx); return err }, []seen{{Operation: "Scan", Returned: 3, Scanned: 3, Attempts: 1, Read: 0.5}}},
		{"TransactGet", func() error { return ddb.TransactGet(ctx, client, orders.TxGet(orders.Key("c", "1"), &got)) }, []seen{{Operation: "TransactGetItems", Items: 1, Returned: 1, Attempts: 1, Read: 2}}},
		{"Transact", func() error { return ddb.Transact(ctx, client, orders.TxDelete(orders.Key("c", "2"))) }, []seen{{Operation: "TransactWriteItems", Items: 1, Attempts: 1, Write: 3}}},
		{"Delete", func() error { return orders.Delete(ctx, "c", "1") }, []seen{{Operation: "DeleteItem", Items: 1, Attempts: 1, Write: 2}}},
	}
	for _, s := range steps {
		if err := s.call(); err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		calls := r.take(t)
		if diff := cmp.Diff(s.want, seenOf(calls)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", s.name, diff)
		}
		for _, c := range calls {
			if c.Table != orders.Name() || c.Label != "job" || c.Start.IsZero() || c.Duration < 0 {
				t.Errorf("%s: table %q, label %q, start %v, duration %v", s.name, c.Table, c.Label, c.Start, c.Duration)
			}
			var units float64
			for _, e := range c.Capacity {
				units += e.Total()
			}
			if units != c.Consumed.Total() {
				t.Errorf("%s: the parts have %g units, the call %g", s.name, units, c.Consumed.Total())
			}
		}
	}
	if _, err := orders.Get(ctx, "", "1"); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	if calls := r.take(t); calls != nil {
		t.Errorf("the hook saw a call that was refused before it was sent: %+v", seenOf(calls))
	}
}

func TestHookSeesAttempts(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	engine := ddbtest.NewEngine(ddbtest.WithFaults(
		faultrule.On("GetItem").Nth(1).Throttle("TableReadKeyRangeThroughputExceeded"),
		faultrule.On("GetItem").Nth(1).InternalError(),
		faultrule.On("PutItem").Nth(1).DropReply(),
		faultrule.On("Query").Throttle(),
	))
	t.Cleanup(engine.Close)
	var r watcher
	client := engine.Client(func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(so *retry.StandardOptions) { so.MaxBackoff = time.Microsecond })
	})
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey, ddb.WithHook(&r))
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := orders.Put(t.Context(), &order{Customer: "c", ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if c := r.take(t); len(c) != 1 || c[0].Attempts != 2 || c[0].Err != nil {
		t.Errorf("put: %+v", seenOf(c))
	}
	if _, err := orders.Get(t.Context(), "c", "1"); err != nil {
		t.Fatal(err)
	}
	c := r.take(t)
	if len(c) != 1 || c[0].Attempts != 3 || len(c[0].Throttled) != 1 || c[0].Throttled[0].Reason != "TableReadKeyRangeThroughputExceeded" {
		t.Errorf("get: %+v %+v", seenOf(c), c)
	}
	if _, err := orders.Query("c").Collect(t.Context()); !errors.Is(err, ddb.ErrThrottled) {
		t.Fatal(err)
	}
	c = r.take(t)
	if len(c) != 1 || c[0].Attempts != len(c[0].Throttled) || c[0].Attempts < 2 || c[0].ErrorType() == "" {
		t.Errorf("query: %+v %+v", seenOf(c), c)
	}
}

func TestHooksOfSeveralTables(t *testing.T) {
	t.Parallel()
	var both, one watcher
	client := newClient(t)
	a, err := ddb.NewSimple(client, tableName(t), userID, ddb.WithHook(&both), ddb.WithHook(&both))
	if err != nil {
		t.Fatal(err)
	}
	b, err := ddb.New(client, tableName(t), orderCustomer, orderKey, ddb.WithHook(&both), ddb.WithHook(&one))
	if err != nil {
		t.Fatal(err)
	}
	for _, create := range []func(context.Context, ...schema.Option) error{a.CreateTable, b.CreateTable} {
		if err := create(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	err = ddb.Transact(t.Context(), client, a.TxPut(&user{ID: "1"}), b.TxPut(&order{Customer: "c", ID: "1"}))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []*watcher{&both, &one} {
		calls := r.take(t)
		if len(calls) != 1 || !slices.Equal(calls[0].Tables, []string{a.Name(), b.Name()}) || len(calls[0].Partitions) != 2 {
			t.Errorf("%+v", calls)
		}
	}
	if err := a.Put(t.Context(), &user{ID: "2"}); err != nil {
		t.Fatal(err)
	}
	if calls := one.take(t); calls != nil {
		t.Errorf("the other table's hook saw %+v", seenOf(calls))
	}
	if _, err := ddb.NewSimple(client, "users", userID, ddb.WithHook(nil)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("a nil hook: %v", err)
	}
}

func TestCallActions(t *testing.T) {
	t.Parallel()
	var w watcher
	client := newClient(t)
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey, ddb.WithHook(&w))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderTotal)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	key := func(id orderID) ddb.Key[customerID, orderID] { return orders.Key("c", id) }
	// The table does not exist: the requested path counts, not the result.
	_, _ = byStatus.Query("open").Collect(ctx)
	_, _ = orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{key("1")})
	_ = ddb.Transact(ctx, client, orders.TxPut(&order{Customer: "c", ID: "1", Status: "s"}), orders.TxCreate(&order{Customer: "c", ID: "2", Status: "s"}),
		orders.TxUpdate(key("3"), orderTotal.Add(1)), orders.TxUpsert(key("4"), orderTotal.Add(1)), orders.TxDelete(key("5")),
		orders.TxCheck(key("6"), orderTotal.Gt(1)))
	_ = ddb.TransactGet(ctx, client, orders.TxGet(key("1"), new(ddb.Got[order])))
	var got []hooks.Action
	for _, c := range w.take(t) {
		got = append(got, c.Actions()...)
	}
	name := orders.Name()
	want := []hooks.Action{
		{Name: "dynamodb:Query", Table: name, Index: "by-status"}, {Name: "dynamodb:BatchGetItem", Table: name},
		{Name: "dynamodb:PutItem", Table: name}, {Name: "dynamodb:UpdateItem", Table: name}, {Name: "dynamodb:DeleteItem", Table: name},
		{Name: "dynamodb:ConditionCheckItem", Table: name}, {Name: "dynamodb:GetItem", Table: name},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAddHook(t *testing.T) {
	t.Parallel()
	var r watcher
	users := newUsers(t)
	mine := func() (n int) {
		for _, c := range r.take(t) {
			if c.Table == users.Name() {
				n++
			}
		}
		return n
	}
	remove := hooks.Add(&r)
	hooks.Add(&r)
	hooks.Add(nil)()
	if err := users.Put(t.Context(), &user{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	remove()
	remove()
	if err := users.Put(t.Context(), &user{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	// Other tests may be running when the hook is removed.
	r.mu.Lock()
	r.begun = len(r.calls)
	r.mu.Unlock()
	if n := mine(); n != 1 {
		t.Errorf("the hook saw the call %d times", n)
	}
}

func TestCallsShowNoData(t *testing.T) {
	t.Parallel()
	var (
		r   watcher
		log bytes.Buffer
	)
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	users, err := ddb.NewSimple(newClient(t), tableName(t), userID, ddb.WithHook(&r), ddb.WithHook(hooks.LogCalls(logger, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	u := user{ID: "canary-key", Name: "canary-name", Email: "canary-mail"}
	if err := users.Put(t.Context(), &u); err != nil {
		t.Fatal(err)
	}
	if err := users.Create(t.Context(), &u); err == nil {
		t.Fatal("created twice")
	}
	_, _ = users.Update(t.Context(), "canary-key", userName.Set("canary-name"), ddb.If(userEmail.Eq("canary-other")))
	_, _ = users.Scan().Filter(userName.Eq("canary-name")).Collect(t.Context())
	_, _ = users.BatchGet(t.Context(), []string{"canary-key"})
	for _, c := range r.take(t) {
		text, err := json.Marshal(c.Explain())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&log, "%+v %s %s", c.Err, text, c.LogValue())
		log.WriteString(c.Explain().String())
	}
	if log.Len() == 0 || strings.Contains(log.String(), "canary") {
		t.Errorf("shown: %s", log.String())
	}
}

func TestLogCalls(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	engine := ddbtest.NewEngine(ddbtest.WithFaults(faultrule.On("GetItem").Nth(1).Throttle()))
	t.Cleanup(engine.Close)
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	users, err := ddb.NewSimple(engine.Client(), tableName(t), userID, ddb.WithHook(hooks.LogCalls(logger, time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx := ddb.WithLabel(t.Context(), "job")
	if err := users.Create(ctx, &user{ID: "1"}); err != nil {
		t.Fatal(err)
	}
	if err := users.Create(ctx, &user{ID: "1"}); err == nil {
		t.Fatal("created twice")
	}
	if _, err := users.Get(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	if _, err := users.Get(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := [][]string{
		{"level=DEBUG", `msg="DynamoDB PutItem"`, "table=" + users.Name(), "label=job", "attempts=1", "write_units=1"},
		{"level=DEBUG", "error_type=ConditionalCheckFailedException"},
		{"level=WARN", `msg="DynamoDB GetItem"`, "attempts=2", "throttled=", "read_units=0.5"},
		{"level=DEBUG", `msg="DynamoDB GetItem"`, "attempts=1", "returned=1"},
	}
	if len(lines) != len(want) {
		t.Fatalf("%d lines:\n%s", len(lines), log.String())
	}
	for i, parts := range want {
		for _, p := range parts {
			if !strings.Contains(lines[i], p) {
				t.Errorf("line %d has no %s: %s", i, p, lines[i])
			}
		}
	}
}

func TestLedgerIsAnExpvar(t *testing.T) {
	t.Parallel()
	ledger := cost.NewLedger()
	var v expvar.Var = ledger
	ledger.Record("orders", "by-status", "Query", 1.5, 0)
	ledger.Record("orders", "", "PutItem", 0, 2)
	const want = `{"read_units":1.5,"write_units":2,"operations":2,"entries":[` +
		`{"table":"orders","operation":"PutItem","read_units":0,"write_units":2,"operations":1},` +
		`{"table":"orders","index":"by-status","operation":"Query","read_units":1.5,"write_units":0,"operations":1}]}`
	if got := v.String(); got != want {
		t.Errorf("got %s", got)
	}
	if got := (*cost.Ledger)(nil).String(); !json.Valid([]byte(got)) {
		t.Errorf("a nil ledger is %s", got)
	}
}
