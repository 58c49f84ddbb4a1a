// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
)

func TestExplain(t *testing.T) { //nolint:tparallel // after its subtests it looks at what was sent
	t.Parallel()
	var w watcher
	client := newClient(t)
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey, ddb.WithHook(&w))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderTotal, ddb.KeysOnly())
	if err != nil {
		t.Fatal(err)
	}
	small := order{Customer: "c", ID: "1", Status: strings.Repeat("x", 1000)}
	for _, tt := range []struct {
		name string
		call func(context.Context) error
		want cost.Explanation
	}{
		{"Get", func(ctx context.Context) error { _, err := orders.Get(ctx, "c", "1"); return err },
			cost.Explanation{Operation: "GetItem", Items: 1, Read: cost.Range{Min: 0.5, Max: 50}}},
		{"consistent", func(ctx context.Context) error {
			_, err := orders.Get(ctx, "c", "1", ddb.Consistent(), ddb.Project(orderTotal))
			return err
		}, cost.Explanation{Operation: "GetItem", Items: 1, Consistent: true, Projection: "customer_id, order_id, total", Read: cost.Range{Min: 1, Max: 100}}},
		{"Query", func(ctx context.Context) error {
			_, err := orders.Query("c").SortKey(ddb.BeginsWith(orderID("2"))).Filter(orderTotal.Gt(100)).Descending().PageSize(20).Page(ctx)
			return err
		}, cost.Explanation{
			Operation: "Query", KeyCondition: "customer_id = ? AND begins_with(order_id, ?)", Filter: "total > ?", Descending: true,
			Limit: 20, Read: cost.Range{Min: 0.5, Max: 178},
		}},
		{"index", func(ctx context.Context) error {
			_, err := byStatus.Query("open").Hydrate().Limit(10).Page(ctx)
			return err
		},
			cost.Explanation{
				Operation: "Query", Index: "by-status", KeyCondition: "status = ?", Projection: "customer_id, order_id, status, total",
				Limit: 10, Read: cost.Range{Min: 0.5, Max: 178}, Hydration: cost.Range{Max: 500},
			}},
		{"Scan", func(ctx context.Context) error { _, err := orders.Scan().Count(ctx); return err },
			cost.Explanation{Operation: "Scan", Read: cost.Range{Min: 0.5, Max: 178}}},
		{"Create", func(ctx context.Context) error { return orders.Create(ctx, &small) },
			cost.Explanation{
				Operation: "PutItem", Items: 1, Condition: "attribute_not_exists(customer_id)", Write: cost.Range{Min: 2, Max: 4},
				Indexes: []cost.IndexCost{{Index: "by-status", Write: cost.Range{Max: 2}}},
			}},
		{"Put", func(ctx context.Context) error { return orders.Put(ctx, &small) },
			cost.Explanation{
				Operation: "PutItem", Items: 1, Write: cost.Range{Min: 2, Max: 404},
				Indexes: []cost.IndexCost{{Index: "by-status", Write: cost.Range{Max: 4}}},
			}},
		{"Update", func(ctx context.Context) error {
			_, err := orders.Update(ctx, orders.Key("c", "1"), orderTotal.Add(1), ddb.If(orderStatus.Eq("open")))
			return err
		}, cost.Explanation{
			Operation: "UpdateItem", Items: 1, Condition: "attribute_exists(customer_id) AND status = ?", Write: cost.Range{Min: 1, Max: 402},
			Indexes: []cost.IndexCost{{Index: "by-status", Write: cost.Range{Max: 2}}},
		}},
		{"Delete", func(ctx context.Context) error { return orders.Delete(ctx, "c", "1") },
			cost.Explanation{
				Operation: "DeleteItem", Items: 1, Write: cost.Range{Min: 1, Max: 401},
				Indexes: []cost.IndexCost{{Index: "by-status", Write: cost.Range{Max: 1}}},
			}},
		{"BatchGet", func(ctx context.Context) error {
			_, err := orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{orders.Key("c", "1"), orders.Key("c", "2"), orders.Key("c", "1")})
			return err
		}, cost.Explanation{Operation: "BatchGetItem", Items: 2, Read: cost.Range{Min: 0.5, Max: 100}}},
		{"BatchPut", func(ctx context.Context) error { return orders.BatchPut(ctx, []order{small, {Customer: "c", ID: "2"}}) },
			cost.Explanation{
				Operation: "BatchWriteItem", Items: 2, Write: cost.Range{Min: 1, Max: 806},
				Indexes: []cost.IndexCost{{Index: "by-status", Write: cost.Range{Max: 6}}},
			}},
		{"Transact", func(ctx context.Context) error {
			return ddb.Transact(ctx, client, orders.TxCreate(&small), orders.TxCheck(orders.Key("c", "2"), orderTotal.Gt(1)))
		}, cost.Explanation{
			Operation: "TransactWriteItems", Items: 2, Write: cost.Range{Min: 6, Max: 806},
			Indexes: []cost.IndexCost{{Index: "by-status", Write: cost.Range{Max: 2}}},
		}},
		{"TransactGet", func(ctx context.Context) error {
			return ddb.TransactGet(ctx, client, orders.TxGet(orders.Key("c", "1"), new(ddb.Got[order])))
		}, cost.Explanation{Operation: "TransactGetItems", Items: 1, Consistent: true, Read: cost.Range{Min: 2, Max: 200}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Table = orders.Name()
			var inside error
			got, err := ddb.Explain(t.Context(), func(ctx context.Context) error {
				inside = tt.call(ctx)
				return inside
			})
			if err != nil {
				t.Fatal(err)
			}
			if !errors.Is(inside, ddberr.ErrExplained) || ddb.IsRetryable(inside) || errors.Is(inside, ddb.ErrOutcomeUnknown) {
				t.Errorf("the call returned %v", inside)
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.IgnoreFields(cost.Explanation{}, "Assumptions", "PathReason", "Whole", "Warnings")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if len(got.Assumptions) == 0 || !strings.Contains(got.String(), got.Operation) {
				t.Errorf("assumptions %q, text %s", got.Assumptions, got)
			}
		})
	}
	// The table does not even exist.
	if calls := w.take(t); calls != nil {
		t.Errorf("%+v were sent", seenOf(calls))
	}
}

func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	_, err := ddb.Explain(t.Context(), func(ctx context.Context) error {
		_, err := orders.Get(ctx, "", "1")
		return err
	})
	if !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("an invalid call: %v", err)
	}
	if _, err := ddb.Explain(t.Context(), func(context.Context) error { return nil }); err == nil {
		t.Error("no call, no error")
	}
	// With another context the call is made.
	_, err = ddb.Explain(t.Context(), func(context.Context) error { return orders.Put(t.Context(), &order{Customer: "c", ID: "1"}) })
	if err == nil {
		t.Error("a call with another context is not sent")
	}
	if _, err := orders.Get(t.Context(), "c", "1"); err != nil {
		t.Error(err)
	}
}

// TestExplainLearnsSizes: items that were read and written narrow the range.
func TestExplainLearnsSizes(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	plan := func() cost.Explanation {
		x, err := ddb.Explain(t.Context(), func(ctx context.Context) error {
			_, err := orders.Query("c").Limit(10).Page(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	if got := plan().Read; got.Max != 178 {
		t.Errorf("no item seen yet: %v", got)
	}
	for i := range 20 {
		if err := orders.Put(t.Context(), &order{Customer: "c", ID: orderID(fmt.Sprint(i)), Status: strings.Repeat("x", 900)}); err != nil {
			t.Fatal(err)
		}
	}
	x := plan()
	if x.Read.Max > 3 {
		t.Errorf("20 items of 1 KB were seen: %v", x.Read)
	}
	p, err := orders.Query("c").Limit(10).Page(t.Context())
	if err != nil || !x.Read.Contains(p.Consumed.ReadUnits) {
		t.Errorf("%v, cost %v: %v", x.Read, p.Consumed, err)
	}
	if !strings.Contains(strings.Join(x.Assumptions, "\n"), "20 items seen") {
		t.Errorf("%q", x.Assumptions)
	}
}
