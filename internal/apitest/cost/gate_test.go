// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/tableinfo"
)

// gatekeeper is a gate that records its calls.
type gatekeeper struct {
	name   string
	log    *[]string
	refuse error
	size   int
}

func (g *gatekeeper) PageSize(string, string, bool) int { return g.size }

func (g *gatekeeper) Admit(_ context.Context, c *hooks.Call) error {
	*g.log = append(*g.log, fmt.Sprintf("%s admits %s of %d", g.name, c.Operation, c.Limit))
	return g.refuse
}

func (g *gatekeeper) Throttled(_ *hooks.Call, reasons []ddberr.ThrottlingReason) {
	*g.log = append(*g.log, fmt.Sprintf("%s hears of %s", g.name, reasons[0].Reason))
}

func (g *gatekeeper) Done(c *hooks.Call) {
	*g.log = append(*g.log, fmt.Sprintf("%s: done, %g units, %d attempts, failed %t", g.name, c.Consumed.Total(), c.Attempts, c.Err != nil))
}

// Gates are called in order, the end of a request is reported to those that admitted it, and throttled attempts are reported while the call runs.
func TestGates(t *testing.T) {
	synctest.Test(t, testGates) // the SDK waits before it sends the throttled request again
}

func testGates(t *testing.T) {
	client := ddbtest.New(t, ddbtest.WithFaults(faultrule.On("GetItem").First(1).Throttle("TableReadKeyRangeThroughputExceeded")))
	users, err := ddb.NewSimple[user](client, "users", userID)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	var log []string
	a, b := &gatekeeper{name: "a", log: &log, size: 7}, &gatekeeper{name: "b", log: &log, size: 5}
	ctx := ddb.WithGate(ddb.WithGate(ddb.WithGate(ddb.WithGate(t.Context(), nil), a), b), a)
	rejected := errors.New("not now")
	budget := cost.NewBudget(cost.Limits{Requests: 1})
	for _, step := range []struct {
		name string
		do   func() error
		want []string
	}{
		{"a get that is throttled once", func() error { _, err := users.Get(ctx, "x"); return err }, []string{
			"a admits GetItem of 0", "b admits GetItem of 0", "a hears of TableReadKeyRangeThroughputExceeded", "b hears of TableReadKeyRangeThroughputExceeded",
			"a: done, 0.5 units, 2 attempts, failed false", "b: done, 0.5 units, 2 attempts, failed false",
		}},
		{"a scan", func() error { _, err := users.Scan().Count(ctx); return err }, []string{
			"a admits Scan of 5", "b admits Scan of 5", "a: done, 0.5 units, 1 attempts, failed false", "b: done, 0.5 units, 1 attempts, failed false",
		}},
		{"a scan with a smaller page", func() error { _, err := users.Scan().PageSize(2).Count(ctx); return err }, []string{
			"a admits Scan of 2", "b admits Scan of 2", "a: done, 0.5 units, 1 attempts, failed false", "b: done, 0.5 units, 1 attempts, failed false",
		}},
		{"the second refuses", func() error {
			b.refuse = rejected
			defer func() { b.refuse = nil }()
			_, err := users.Get(ddb.WithBudget(ctx, budget), "x")
			if !errors.Is(err, rejected) || budget.Spent().Requests != 0 {
				t.Errorf("got %v, %+v spent", err, budget.Spent())
			}
			return nil
		}, []string{"a admits GetItem of 0", "b admits GetItem of 0", "a: done, 0 units, 0 attempts, failed true"}},
		{"a spent budget refuses before the gates", func() error {
			_, _ = users.Get(ddb.WithBudget(t.Context(), budget), "x")
			_, err := users.Get(ddb.WithBudget(ctx, budget), "x")
			if !errors.Is(err, cost.ErrBudgetExceeded) {
				t.Errorf("got %v", err)
			}
			return nil
		}, nil},
		{"Explain calls no gate", func() error {
			_, err := ddb.Explain(ctx, func(ctx context.Context) error { _, err := users.Get(ctx, "x"); return err })
			return err
		}, nil},
	} {
		log = nil
		if err := step.do(); err != nil && !errors.Is(err, ddb.ErrNotFound) {
			t.Errorf("%s: %v", step.name, err)
		}
		if !slices.Equal(log, step.want) {
			t.Errorf("%s: got %q, want %q", step.name, log, step.want)
		}
	}
}

func TestDescribeTable(t *testing.T) {
	client := ddbtest.New(t)
	users, err := ddb.NewSimple[user](client, "users", userID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tableinfo.Describe(t.Context(), users); !errors.Is(err, ddb.ErrTableNotFound) {
		t.Errorf("got %v", err)
	}
	if err := users.EnsureTable(t.Context(), schema.Provisioned(3, 4)); err != nil {
		t.Fatal(err)
	}
	d, err := tableinfo.Describe(t.Context(), users)
	if err != nil || *d.ProvisionedThroughput.WriteCapacityUnits != 4 {
		t.Errorf("got %v, %v", d, err)
	}
	if _, err := tableinfo.Describe(t.Context(), nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("got %v", err)
	}
}
