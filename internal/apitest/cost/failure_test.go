// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
)

// failureHook keeps the failures that it is called with.
type failureHook struct {
	mu  sync.Mutex
	all []hooks.Failure
}

func (*failureHook) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }
func (*failureHook) End(context.Context, *hooks.Call)                         {}

func (h *failureHook) Failed(_ context.Context, f *hooks.Failure) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, *f)
}

// TestFailureHook: a hook sees each unknown outcome and each request that a budget did not allow, once, and no other errors.
func TestFailureHook(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults, units")
	type table = ddb.Table[order, customerID, orderID]
	change := orderTotal.Add(1)
	cases := []struct {
		name string
		rule faultrule.Rule
		run  func(context.Context, ddb.Client, *table) error
		want []hooks.Failure // Table, Label and Err are cleared
		is   error
	}{
		{"a create whose reply is lost", faultrule.On("PutItem").DropReply(), func(ctx context.Context, _ ddb.Client, t *table) error {
			return t.Create(ctx, &order{Customer: "secret", ID: "1"})
		}, []hooks.Failure{{Operation: "PutItem", Items: 1}}, ddb.ErrOutcomeUnknown},
		{"an update whose reply is lost", faultrule.On("UpdateItem").DropReply(), func(ctx context.Context, _ ddb.Client, t *table) error {
			_, err := t.Upsert(ctx, t.Key("secret", "1"), change)
			return err
		}, []hooks.Failure{{Operation: "UpdateItem", Items: 1}}, ddb.ErrOutcomeUnknown},
		{"a batch whose replies are lost", faultrule.On("BatchWriteItem").DropReply(), func(ctx context.Context, _ ddb.Client, t *table) error {
			return t.BatchPut(ctx, []order{{Customer: "secret", ID: "1"}, {Customer: "secret", ID: "2"}})
		}, []hooks.Failure{{Operation: "BatchWriteItem", Items: 2}}, ddb.ErrOutcomeUnknown},
		{"a transaction whose replies are lost", faultrule.On("TransactWriteItems").DropReply(), func(ctx context.Context, c ddb.Client, t *table) error {
			return ddb.Transact(ctx, c, t.TxCreate(&order{Customer: "secret", ID: "1"}), t.TxCreate(&order{Customer: "secret", ID: "2"}))
		}, []hooks.Failure{{Operation: "TransactWriteItems", Items: 2}}, ddb.ErrOutcomeUnknown},
		{"a budget without room", faultrule.On("Scan").Nth(99).DropReply(), func(ctx context.Context, _ ddb.Client, t *table) error {
			ctx = ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{Requests: 1}))
			if _, err := t.Exists(ctx, "secret", "1"); err != nil {
				return err
			}
			_, err := t.Query("secret").Collect(ctx)
			return err
		}, []hooks.Failure{{Operation: "Query"}}, cost.ErrBudgetExceeded},
		{"a failed condition", faultrule.On("Scan").Nth(99).DropReply(), func(ctx context.Context, _ ddb.Client, t *table) error {
			return t.Replace(ctx, &order{Customer: "secret", ID: "1"})
		}, nil, ddb.ErrConditionFailed},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // the SDK waits before it sends a request again
				engine := ddbtest.NewEngine(ddbtest.WithFaults(c.rule))
				t.Cleanup(engine.Close)
				hook := &failureHook{}
				orders, err := ddb.New(engine.Client(), tableName(t), orderCustomer, orderKey, ddb.WithHook(hook), ddb.Retry(ddb.RetryPolicy{MaxAttempts: 2, BaseDelay: 1}))
				if err != nil {
					t.Fatal(err)
				}
				if err := orders.CreateTable(t.Context()); err != nil {
					t.Fatal(err)
				}
				err = c.run(ddb.WithLabel(t.Context(), "checkout"), engine.Client(), orders)
				if !errors.Is(err, c.is) {
					t.Fatalf("the call ends with %v", err)
				}
				for i := range hook.all {
					f := &hook.all[i]
					if f.Table != orders.Name() || f.Label != "checkout" || !errors.Is(f.Err, c.is) || strings.Contains(f.Err.Error(), "secret") {
						t.Errorf("failure %+v", *f)
					}
					f.Table, f.Label, f.Err = "", "", nil
				}
				if !slices.Equal(hook.all, c.want) {
					t.Errorf("failures %+v, want %+v", hook.all, c.want)
				}
			})
		})
	}
}
