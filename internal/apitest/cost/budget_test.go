// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/apitest/draw"
)

// filled is a table with n items of one customer, of about size bytes each.
func filled(t *testing.T, n, size int, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	orders := newOrders(t, opts...)
	list := make([]order, n)
	for i := range list {
		list[i] = order{Customer: "c", ID: orderID(fmt.Sprintf("%05d", i)), Total: int64(i), Status: strings.Repeat("x", size)}
	}
	if err := orders.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return orders
}

func TestBudgetStopsAndResumes(t *testing.T) {
	t.Parallel()
	orders := filled(t, 100, 1000)
	reads := map[string]func(context.Context, ddb.Cursor[order]) ([]order, error){
		"query": func(ctx context.Context, c ddb.Cursor[order]) ([]order, error) {
			return orders.Query("c").PageSize(7).After(c).Collect(ctx)
		},
		"filtered": func(ctx context.Context, c ddb.Cursor[order]) ([]order, error) {
			return orders.Query("c").PageSize(7).Filter(orderTotal.Ge(0)).After(c).Collect(ctx)
		},
		"page": func(ctx context.Context, c ddb.Cursor[order]) ([]order, error) {
			p, err := orders.Query("c").PageSize(7).Limit(200).After(c).Page(ctx)
			return p.Items, err
		},
		"scan": func(ctx context.Context, c ddb.Cursor[order]) ([]order, error) {
			return orders.Scan().PageSize(7).After(c).Collect(ctx)
		},
	}
	limits := map[string]cost.Limits{
		"read units": {ReadUnits: 4}, "items": {Items: 25}, "requests": {Requests: 3},
	}
	for name, read := range reads {
		for limit, l := range limits {
			t.Run(name+" by "+limit, func(t *testing.T) {
				t.Parallel()
				var (
					all    []order
					cursor ddb.Cursor[order]
					stops  int
				)
				for range 100 {
					budget := cost.NewBudget(l)
					got, err := read(ddb.WithBudget(t.Context(), budget), cursor)
					all = append(all, got...)
					spent := budget.Spent()
					if l.Items > 0 && spent.Items > l.Items || l.Requests > 0 && spent.Requests > l.Requests {
						t.Fatalf("spent %+v of %+v", spent, l)
					}
					const page = 2 // units of 7 items of 1.1 KB, rounded up
					if l.ReadUnits > 0 && spent.ReadUnits > l.ReadUnits+page {
						t.Fatalf("spent %+v of %+v", spent, l)
					}
					if err == nil {
						break
					}
					var exceeded *cost.BudgetExceeded
					if !errors.As(err, &exceeded) || !errors.Is(err, cost.ErrBudgetExceeded) || !slices.Equal(exceeded.Exhausted, []string{limit}) {
						t.Fatalf("got %v", err)
					}
					if exceeded.Spent != spent || exceeded.Limits != l || ddb.IsRetryable(err) {
						t.Errorf("the error says %+v, the budget %+v", exceeded, spent)
					}
					stops++
					if cursor, err = orders.ParseCursor(exceeded.Cursor); err != nil {
						t.Fatal(err)
					}
				}
				if stops == 0 {
					t.Error("never stopped")
				}
				if len(all) != 100 {
					t.Fatalf("%d items in total", len(all))
				}
				for i, o := range all {
					if o.Total != int64(i) {
						t.Fatalf("item %d is number %d", i, o.Total)
					}
				}
			})
		}
	}
}

func TestBudgetOfWrites(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	client := newClient(t)
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	budget := cost.NewBudget(cost.Limits{WriteUnits: 10})
	spending := ddb.WithBudget(ctx, budget)
	big := order{Customer: "c", ID: "big", Status: strings.Repeat("x", 3500)} // 4 units
	for i := range 2 {
		big.ID = orderID(fmt.Sprint(i))
		if err := orders.Put(spending, &big); err != nil {
			t.Fatal(err)
		}
	}
	big.ID = "third"
	if err := orders.Put(spending, &big); !errors.Is(err, cost.ErrBudgetExceeded) || errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Errorf("12 of 10 units: %v", err)
	}
	if err := ddb.Transact(spending, client, orders.TxPut(&order{Customer: "c", ID: "tx"}), orders.TxPut(&order{Customer: "c", ID: "tx2"})); !errors.Is(err, cost.ErrBudgetExceeded) {
		t.Errorf("a transaction of 4 units with 2 left: %v", err)
	}
	if err := orders.Put(spending, &order{Customer: "c", ID: "small"}); err != nil {
		t.Errorf("a unit with 2 left: %v", err)
	}
	if n, err := orders.Query("c").Count(ctx); n != 3 || err != nil {
		t.Errorf("%d items are stored: %v", n, err)
	}
	if got := budget.Spent(); got.WriteUnits != 9 || got.Requests != 3 || got.Items != 3 {
		t.Errorf("spent %+v", got)
	}
}

func TestBudgetOfBatches(t *testing.T) {
	t.Parallel()
	orders := newOrders(t, ddb.Concurrency(1))
	list := make([]order, 80)
	keys := make([]ddb.Key[customerID, orderID], len(list))
	for i := range list {
		list[i] = order{Customer: "c", ID: orderID(fmt.Sprintf("%03d", i))}
		keys[i] = orders.Key("c", list[i].ID)
	}
	ctx := ddb.WithBudget(t.Context(), cost.NewBudget(cost.Limits{WriteUnits: 60}))
	err := orders.BatchPut(ctx, list)
	var failed *ddb.BatchError
	if !errors.As(err, &failed) || !errors.Is(err, cost.ErrBudgetExceeded) {
		t.Fatal(err)
	}
	if len(failed.Failed) != 30 || failed.Failed[0].Index != 50 || failed.Failed[0].Unknown {
		t.Errorf("%d failed, the first is %+v", len(failed.Failed), failed.Failed[0])
	}
	if err := orders.BatchPut(t.Context(), ddberr.Pick(list, failed.Puts())); err != nil {
		t.Fatal(err)
	}
	got, err := orders.BatchGet(ddb.WithBudget(t.Context(), cost.NewBudget(cost.Limits{Items: 79})), keys)
	if !errors.Is(err, cost.ErrBudgetExceeded) || got[0].Found {
		t.Errorf("80 keys with 79 items left: %v", err)
	}
	meter := cost.NewBudget(cost.Limits{})
	var stats ddb.BatchStats
	if got, err = orders.BatchGet(ddb.WithBudget(t.Context(), meter), keys, ddb.StatsTo(&stats)); err != nil || !got[79].Found {
		t.Fatal(err)
	}
	if s := meter.Spent(); s.ReadUnits != stats.Consumed.ReadUnits || s.Items != 80 || s.Requests != int64(stats.Requests) {
		t.Errorf("the meter says %+v, the call %+v", s, stats)
	}
}

// TestBudgetIsShared: 16 goroutines share one budget. Items and requests are
// never exceeded, units by at most one request of each goroutine.
func TestBudgetIsShared(t *testing.T) {
	t.Parallel()
	orders := filled(t, 50, 5000) // a Get costs 1 unit, at least half
	const goroutines = 16
	for _, l := range []cost.Limits{{Items: 100}, {Requests: 77}, {ReadUnits: 40}} {
		budget := cost.NewBudget(l)
		ctx := ddb.WithBudget(t.Context(), budget)
		var (
			wg   sync.WaitGroup
			done atomic.Int64
		)
		for g := range goroutines {
			wg.Go(func() {
				for i := 0; ; i++ {
					_, err := orders.Get(ctx, "c", orderID(fmt.Sprintf("%05d", (g+i)%50)))
					if errors.Is(err, cost.ErrBudgetExceeded) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					done.Add(1)
				}
			})
		}
		wg.Wait()
		s := budget.Spent()
		if s.Requests != done.Load() || s.Items != done.Load() {
			t.Errorf("%d reads, spent %+v", done.Load(), s)
		}
		switch {
		case l.Items > 0 && s.Items != l.Items, l.Requests > 0 && s.Requests != l.Requests:
			t.Errorf("spent %+v of %+v", s, l)
		case l.ReadUnits > 0 && (s.ReadUnits < l.ReadUnits-0.5 || s.ReadUnits > l.ReadUnits+0.5*goroutines):
			t.Errorf("spent %+v of %+v", s, l)
		}
	}
}

func TestNestedBudgets(t *testing.T) {
	t.Parallel()
	orders := filled(t, 3, 10)
	outer, inner := cost.NewBudget(cost.Limits{Requests: 3}), cost.NewBudget(cost.Limits{Requests: 2})
	ctx := ddb.WithBudget(ddb.WithLabel(ddb.WithBudget(t.Context(), outer), "job"), inner)
	get := func(ctx context.Context) error { _, err := orders.Get(ctx, "c", "00001"); return err }
	for i, want := range []bool{true, true, false} {
		if err := get(ctx); (err == nil) != want {
			t.Errorf("call %d: %v", i, err)
		}
	}
	if o, i := outer.Spent(), inner.Spent(); o.Requests != 2 || i.Requests != 2 {
		t.Errorf("spent %+v and %+v", o, i)
	}
	other := ddb.WithBudget(t.Context(), outer)
	if err := errors.Join(get(other), get(ddb.WithBudget(t.Context(), nil))); err != nil {
		t.Error(err)
	}
	if err := get(other); !errors.Is(err, cost.ErrBudgetExceeded) {
		t.Errorf("the outer budget is spent: %v", err)
	}
}

func TestBudgetWithoutCapacity(t *testing.T) {
	t.Parallel()
	orders := filled(t, 3, 10, ddb.WithoutCapacity())
	meter := cost.NewBudget(cost.Limits{})
	if _, err := orders.Query("c").Collect(ddb.WithBudget(t.Context(), meter)); err != nil {
		t.Fatal(err)
	}
	if s := meter.Spent(); s.ReadUnits != 0.5 || s.Items != 3 || s.Requests != 1 {
		t.Errorf("spent %+v", s)
	}
}

// TestBudgetAgainstModel: for random calls in random order, the budget equals the
// sum of what the calls report, and nothing is sent beyond it.
func TestBudgetAgainstModel(t *testing.T) {
	t.Parallel()
	orders := filled(t, 30, 2000)
	rapid.Check(t, func(rt *rapid.T) {
		l := cost.Limits{
			ReadUnits: float64(draw.Int(rt, 0, 20, "read")) / 2, Items: int64(draw.Int(rt, 0, 60, "items")),
			Requests: int64(draw.Int(rt, 0, 12, "requests")),
		}
		budget := cost.NewBudget(l)
		ctx := ddb.WithBudget(t.Context(), budget)
		var sum cost.Spent
		for range draw.Int(rt, 1, 15, "calls") {
			before := budget.Spent()
			size := draw.Int(rt, 1, 20, "page size")
			p, err := orders.Query("c").PageSize(size).Limit(size).Page(ctx)
			sum.ReadUnits += p.Consumed.ReadUnits
			sum.Items += int64(p.Scanned)
			sum.Requests = budget.Spent().Requests
			if err == nil {
				if left := l.Items - before.Items; l.Items > 0 && left < int64(size) && !p.Next.IsZero() && int64(len(p.Items)) > left {
					rt.Fatalf("%d items with %d left", len(p.Items), left)
				}
				continue
			}
			if !errors.Is(err, cost.ErrBudgetExceeded) {
				rt.Fatal(err)
			}
			s := budget.Spent()
			exhausted := l.ReadUnits > 0 && s.ReadUnits+0.5 > l.ReadUnits || l.Items > 0 && s.Items+1 > l.Items || l.Requests > 0 && s.Requests+1 > l.Requests
			if !exhausted {
				rt.Fatalf("refused after %+v of %+v", s, l)
			}
		}
		got := budget.Spent()
		if math.Abs(got.ReadUnits-sum.ReadUnits) > 1e-9 || got.Items != sum.Items {
			rt.Fatalf("spent %+v, the calls report %+v", got, sum)
		}
		if l.Items > 0 && got.Items > l.Items || l.Requests > 0 && got.Requests > l.Requests {
			rt.Fatalf("spent %+v of %+v", got, l)
		}
	})
}

// A budget that is added to a context twice is charged once.
func TestBudgetTwice(t *testing.T) {
	orders := newOrders(t)
	budget := cost.NewBudget(cost.Limits{Requests: 10})
	ctx := ddb.WithBudget(ddb.WithBudget(t.Context(), budget), budget)
	if _, err := orders.Query("c").Collect(ctx); err != nil || budget.Spent().Requests != 1 {
		t.Errorf("%d requests are charged, %v", budget.Spent().Requests, err)
	}
}
