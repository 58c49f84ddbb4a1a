// SPDX-License-Identifier: Apache-2.0

package ddbrules_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbrules"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

type order struct {
	Customer string `dynamodbav:"customer"`
	ID       int    `dynamodbav:"id"`
	Status   string `dynamodbav:"status"`
}

var (
	orderCustomer = ddb.StrField(func(o *order) *string { return &o.Customer })
	orderID       = ddb.NumField(func(o *order) *int { return &o.ID })
	orderStatus   = ddb.StrField(func(o *order) *string { return &o.Status })
)

type orders = *ddb.Table[order, string, int]

// recorder is a testing.TB that keeps its failures.
type recorder struct {
	mu       sync.Mutex
	failures []string
	cleanups []func()
	ended    bool
}

func (*recorder) Helper() {}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ended {
		panic("a failure after the end of the test")
	}
	r.failures = append(r.failures, fmt.Sprintf(format, args...))
}

// end ends the test as package testing does.
func (r *recorder) end() []string {
	for i := range r.cleanups {
		r.cleanups[len(r.cleanups)-1-i]()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
	return r.failures
}

// newOrders returns a table with thirty open orders of one customer, and a paid one.
func newOrders(t *testing.T, name string, client *dynamodb.Client, opts ...ddb.TableOption) orders {
	t.Helper()
	table, err := ddb.New(client, name, orderCustomer, orderID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := make([]order, 31)
	for i := range list {
		list[i] = order{"secret-customer", i, "open"}
	}
	list[30].Status = "paid"
	if err := table.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return table
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func get(ctx context.Context, t *testing.T, table orders, opts ...ddb.GetOption) {
	t.Helper()
	_, err := table.Get(ctx, "secret-customer", 1, opts...)
	must(t, err)
}

func scan(ctx context.Context, t *testing.T, table orders) {
	t.Helper()
	_, err := table.Scan().Collect(ctx)
	must(t, err)
}

func filtered(ctx context.Context, t *testing.T, table orders, status string) {
	t.Helper()
	_, err := table.Query("secret-customer").Filter(orderStatus.Eq(status)).PageSize(10).Collect(ctx)
	must(t, err)
}

func rejected(ctx context.Context, t *testing.T, table orders) {
	t.Helper()
	if err := table.Create(ctx, &order{"secret-customer", 1, "open"}); err == nil {
		t.Fatal("it is there already")
	}
}

// TestRules: each rule passes code that follows it, and fails other code once, with the request and without data.
func TestRules(t *testing.T) {
	client := ddbtest.New(t)
	table := newOrders(t, "orders", client)
	other := newOrders(t, "other", client)
	mute := newOrders(t, "mute", client, ddb.WithoutCapacity())
	throttled := newOrders(t, "throttled", ddbtest.New(t, ddbtest.WithFaults(fault.On("GetItem").Nth(1).Throttle())))
	for name, test := range map[string]struct {
		rule ddbrules.Rule
		run  func(ctx context.Context)
		want string // empty for code that follows the rule
	}{
		"no scan":            {ddbrules.NoScan, func(ctx context.Context) { filtered(ctx, t, table, "open") }, ""},
		"scan":               {ddbrules.NoScan, func(ctx context.Context) { scan(ctx, t, table); scan(ctx, t, table) }, "there is a scan, which reads and bills everything: Scan of orders\n"},
		"eventual":           {ddbrules.NoConsistentReads, func(ctx context.Context) { get(ctx, t, table) }, ""},
		"consistent":         {ddbrules.NoConsistentReads, func(ctx context.Context) { get(ctx, t, table, ddb.Consistent()) }, "there is a consistent read"},
		"two requests":       {ddbrules.MaxRequests(2), func(ctx context.Context) { get(ctx, t, table); get(ctx, t, table) }, ""},
		"three requests":     {ddbrules.MaxRequests(2), func(ctx context.Context) { get(ctx, t, table); get(ctx, t, table); get(ctx, t, table) }, "more than 2 requests; this is the first beyond: GetItem of orders"},
		"one unit":           {ddbrules.MaxUnits(1), func(ctx context.Context) { get(ctx, t, table); get(ctx, t, table) }, ""},
		"more units":         {ddbrules.MaxUnits(1), func(ctx context.Context) { get(ctx, t, table); get(ctx, t, table, ddb.Consistent()) }, "1.5 units are spent with this request, of 1: GetItem"},
		"refused writes":     {ddbrules.MaxWriteUnits(1), func(ctx context.Context) { rejected(ctx, t, table); rejected(ctx, t, table) }, "2 write units are spent with this request, of 1: PutItem"},
		"reads do not write": {ddbrules.MaxWriteUnits(0), func(ctx context.Context) { scan(ctx, t, table) }, ""},
		"writes do not read": {ddbrules.MaxReadUnits(0), func(ctx context.Context) { rejected(ctx, t, table) }, ""},
		"reads":              {ddbrules.MaxReadUnits(0.4), func(ctx context.Context) { get(ctx, t, table) }, "0.5 read units"},
		"without figures":    {ddbrules.MaxUnits(100), func(ctx context.Context) { get(ctx, t, mute) }, "does not say what it consumed, so 100 units cannot be held to"},
		"filter":             {ddbrules.MinReturned(0.5), func(ctx context.Context) { filtered(ctx, t, table, "open") }, ""},
		"wasteful filter":    {ddbrules.MinReturned(0.5), func(ctx context.Context) { filtered(ctx, t, table, "paid") }, "1 of 31 items that were read are returned, less than a share of 0.5; an index would read the others only: Query of orders"},
		"few items": {ddbrules.MinReturned(0.5), func(ctx context.Context) {
			_, err := table.Query("secret-customer").Filter(orderStatus.Eq("paid")).PageSize(10).Page(ctx)
			must(t, err)
		}, "1 of 31"},
		"no throttling": {ddbrules.NoThrottling, func(ctx context.Context) { get(ctx, t, table) }, ""},
		"throttling":    {ddbrules.NoThrottling, func(ctx context.Context) { get(ctx, t, throttled) }, "1 attempts of a request were throttled: GetItem of throttled"},
		"another table": {ddbrules.On("orders", ddbrules.NoScan, ddbrules.MaxRequests(0)), func(ctx context.Context) { scan(ctx, t, other) }, ""},
		"the table":     {ddbrules.On("orders", ddbrules.NoScan), func(ctx context.Context) { scan(ctx, t, other); scan(ctx, t, table) }, "Scan of orders"},
		"of a transaction": {ddbrules.On("other", ddbrules.MaxRequests(0)), func(ctx context.Context) {
			must(t, ddb.Transact(ctx, client, table.TxPut(&order{"x", 1, "a"}), other.TxPut(&order{"x", 1, "a"})))
		}, "TransactWriteItems"},
		"the zero rule":      {ddbrules.Rule{}, func(context.Context) {}, "rule 1 is the zero Rule"},
		"none for the table": {ddbrules.On("orders"), func(context.Context) {}, "rule 1 is the zero Rule"},
		"zero for the table": {ddbrules.On("orders", ddbrules.Rule{}), func(context.Context) {}, "rule 1 is the zero Rule"},
		"page of few, filter": {ddbrules.MinReturned(0.5), func(ctx context.Context) {
			_, err := table.Query("secret-customer").SortKey(ddb.Ge(12)).Filter(orderStatus.Eq("paid")).Collect(ctx)
			must(t, err)
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := &recorder{}
			ddbrules.Check(r, test.rule)
			test.run(t.Context())
			failures := r.end()
			switch {
			case test.want == "" && len(failures) > 0:
				t.Error(failures)
			case test.want != "" && (len(failures) != 1 || !strings.Contains(failures[0], test.want)):
				t.Errorf("%q, want one that says %q", failures, test.want)
			}
			if strings.Contains(strings.Join(failures, ""), "secret") {
				t.Error("the text contains a key value:", failures)
			}
			test.run(t.Context()) // the test has ended
		})
	}
}

// TestOneOfSeveral: after one rule is broken, the others still apply.
func TestOneOfSeveral(t *testing.T) {
	table := newOrders(t, "orders", ddbtest.New(t))
	r := &recorder{}
	ddbrules.Check(r, ddbrules.On("orders", ddbrules.NoScan, ddbrules.MaxRequests(1)), ddbrules.MaxUnits(0.1))
	scan(t.Context(), t, table)
	get(t.Context(), t, table)
	if failures := r.end(); len(failures) != 3 {
		t.Errorf("%q", failures)
	}
	none := &recorder{}
	if ddbrules.Check(none); len(none.end()) != 1 {
		t.Error(none.failures)
	}
}

// TestContext: parallel tests see only their own requests.
func TestContext(t *testing.T) {
	table := newOrders(t, "orders", ddbtest.New(t))
	var tests sync.WaitGroup
	for i := range 8 {
		tests.Go(func() {
			r := &recorder{}
			ctx := ddbrules.Context(t.Context(), r, ddbrules.MaxRequests(10), ddbrules.NoScan)
			for range 10 {
				get(ctx, t, table)
			}
			scan(t.Context(), t, table) // with another context
			if i%2 == 0 {
				scan(ctx, t, table)
			}
			if failures := r.end(); len(failures) != (1-i%2)*2 {
				t.Errorf("%d: %q", i, failures)
			}
		})
	}
	tests.Wait()
}

// TestRequestThatOutlivesTheTest: a request after the end of its test reports nothing.
func TestRequestThatOutlivesTheTest(t *testing.T) {
	gate := fault.NewGate()
	table := newOrders(t, "orders", ddbtest.New(t, ddbtest.WithFaults(fault.On("GetItem").Hold(gate))))
	r := &recorder{}
	ddbrules.Check(r, ddbrules.MaxUnits(0))
	done := make(chan error)
	go func() {
		_, err := table.Get(t.Context(), "secret-customer", 1)
		done <- err
	}()
	must(t, gate.Await(t.Context(), 1))
	failures := r.end()
	gate.Release()
	if err := <-done; err != nil || len(failures) > 0 {
		t.Error(err, failures)
	}
}
