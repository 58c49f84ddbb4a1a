// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/tableinfo"
)

// shop is a table with orders of many sizes, and an index of each kind of projection.
type shop struct {
	client   ddb.Client
	rnd      *rand.Rand
	orders   *ddb.Table[order, customerID, orderID]
	byStatus *ddb.Index[order, string, orderID]
	byTotal  *ddb.Index[order, string, int64]
	local    *ddb.LocalIndex[order, customerID, int64]
	n        int
}

const customers = 8

func newShop(t testing.TB, n int) *shop {
	t.Helper()
	s := &shop{client: newClient(t), rnd: rand.New(rand.NewPCG(1, 2)), n: n}
	var errs [4]error
	s.orders, errs[0] = ddb.New(s.client, tableName(t), orderCustomer, orderKey, ddb.PageSize(60))
	s.byStatus, errs[1] = ddb.NewIndex(s.orders, "by-status", orderStatus, orderKey)
	s.byTotal, errs[2] = ddb.NewIndex(s.orders, "by-total", orderStatus, orderTotal, ddb.KeysOnly())
	s.local, errs[3] = ddb.NewLocalIndex(s.orders, "local", orderTotal, ddb.KeysOnly())
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if err := s.orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := make([]order, n)
	for i := range list {
		list[i] = s.order(i)
	}
	if err := s.orders.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return s
}

// order returns an order of up to 6 KB.
func (s *shop) order(i int) order {
	return order{
		Customer: customerID(fmt.Sprint("c", i%customers)), ID: orderID(fmt.Sprintf("%05d", i)), Status: []string{"open", "paid", "sent"}[i%3],
		Total: int64(s.rnd.IntN(1000)), Notes: []string{strings.Repeat("x", s.rnd.IntN(6000))},
	}
}

func (s *shop) some() order { return s.order(s.rnd.IntN(s.n)) }

func (s *shop) someOf(n int) []order {
	var list []order
	for _, i := range s.rnd.Perm(s.n)[:n] {
		list = append(list, s.order(i))
	}
	return list
}

func (s *shop) keys(list []order) []ddb.Key[customerID, orderID] {
	var keys []ddb.Key[customerID, orderID]
	for i := range list {
		keys = append(keys, s.orders.KeyOf(&list[i]))
	}
	return keys
}

// TestLearnSizesExplained: under Explain it sends nothing, like every call.
func TestLearnSizesExplained(t *testing.T) {
	s := newShop(t, 1)
	plan, err := ddb.Explain(t.Context(), func(ctx context.Context) error { return tableinfo.LearnSizes(ctx, s.orders) })
	if err != nil || plan.Operation != "DescribeTable" {
		t.Errorf("%v, %v", plan, err)
	}
}

// TestWholeCall: of 1,000 random calls (60 without -long) of each kind at least 95 % cost an amount within the range that Explain gave for the whole call. Where
// all sizes are known, the upper end is at most 3 times the cost in the median (4 times for the fewer calls, whose median varies more).
func TestWholeCall(t *testing.T) {
	const n = 400
	calls, least := longtest.Size(1000, 60), 0.95
	most := 4.0
	if longtest.Enabled() {
		most = 3
	}
	s := newShop(t, n)
	if err := tableinfo.LearnSizes(t.Context(), s.orders); err != nil {
		t.Fatal(err)
	}
	type call func(context.Context) error
	kinds := map[string]struct {
		sized bool // all sizes are known, so that the range is narrow
		less  int  // one call in so many, because it is long
		make  func() call
	}{
		"GetItem": {true, 1, func() call {
			o, opts := s.some(), []ddb.GetOption{nil, ddb.Consistent(), ddb.Project(orderTotal)}[s.rnd.IntN(3)]
			return func(ctx context.Context) error { _, err := s.orders.Get(ctx, o.Customer, o.ID, opts); return err }
		}},
		"Query, limited": {true, 1, func() call {
			q := s.orders.Query(s.some().Customer).Limit(1 + s.rnd.IntN(40))
			if s.rnd.IntN(2) > 0 {
				q = q.Consistent()
			}
			return func(ctx context.Context) error { _, err := q.Page(ctx); return err }
		}},
		"Query, filtered page": {false, 1, func() call {
			q := s.orders.Query(s.some().Customer).Filter(orderTotal.Lt(int64(s.rnd.IntN(300)))).Limit(1 + s.rnd.IntN(10)).PageSize(1 + s.rnd.IntN(20))
			return func(ctx context.Context) error { _, err := q.Page(ctx); return err }
		}},
		"Query, bounded": {false, 1, func() call {
			q := s.orders.Query(s.some().Customer).Filter(orderTotal.Lt(9)).Limit(5).With(ddb.MaxScanned(1 + s.rnd.IntN(40)))
			return func(ctx context.Context) error { _, err := q.Page(ctx); return err }
		}},
		"Query, all": {false, 1, func() call {
			q := s.orders.Query(s.some().Customer).PageSize(5 + s.rnd.IntN(30))
			return func(ctx context.Context) error { _, err := q.Collect(ctx); return err }
		}},
		"Query, hydrated": {false, 4, func() call {
			q := s.byTotal.Query("open").Limit(1 + s.rnd.IntN(30)).Hydrate()
			return func(ctx context.Context) error { _, err := q.Page(ctx); return err }
		}},
		"Scan of an index, hydrated": {false, 20, func() call {
			q := s.byTotal.Scan().PageSize(60 + s.rnd.IntN(60)).Hydrate()
			return func(ctx context.Context) error { _, err := q.Collect(ctx); return err }
		}},
		"Query of a local index, hydrated": {false, 4, func() call {
			q := s.local.Query(s.some().Customer).PageSize(5 + s.rnd.IntN(30)).Hydrate()
			if s.rnd.IntN(2) > 0 {
				q = q.Limit(1 + s.rnd.IntN(30))
			}
			if s.rnd.IntN(2) > 0 {
				q = q.Consistent()
			}
			return func(ctx context.Context) error { _, err := q.Collect(ctx); return err }
		}},
		"Scan, all": {true, 5, func() call {
			q := s.orders.Scan().PageSize(100 + s.rnd.IntN(400))
			return func(ctx context.Context) error { _, err := q.Collect(ctx); return err }
		}},
		"Scan, parallel": {true, 5, func() call {
			q := s.orders.Scan().PageSize(200).Parallel(1 + s.rnd.IntN(4))
			return func(ctx context.Context) error { _, err := q.Count(ctx); return err }
		}},
		"Scan of an index, all": {true, 5, func() call {
			return func(ctx context.Context) error {
				for _, err := range s.byStatus.Scan().PageSize(300).All(ctx) {
					if err != nil {
						return err
					}
				}
				return nil
			}
		}},
		"BatchGetItem": {true, 1, func() call {
			keys := s.keys(s.someOf(1 + s.rnd.IntN(130)))
			return func(ctx context.Context) error { _, err := s.orders.BatchGet(ctx, keys); return err }
		}},
		"BatchWriteItem": {true, 2, func() call {
			puts := s.someOf(1 + s.rnd.IntN(40))
			return func(ctx context.Context) error { return s.orders.BatchPut(ctx, puts) }
		}},
		"PutItem": {true, 1, func() call {
			o := s.some()
			return func(ctx context.Context) error { return s.orders.Put(ctx, &o) }
		}},
		"UpdateItem": {false, 1, func() call {
			o, total := s.some(), s.rnd.Int64N(1000)
			return func(ctx context.Context) error {
				_, err := s.orders.Update(ctx, s.orders.KeyOf(&o), orderTotal.Set(total))
				return err
			}
		}},
		"TransactGetItems": {true, 1, func() call {
			keys := s.keys(s.someOf(1 + s.rnd.IntN(30)))
			return func(ctx context.Context) error {
				reads, got := make([]ddb.TxRead, len(keys)), make([]ddb.Got[order], len(keys))
				for i := range keys {
					reads[i] = s.orders.TxGet(keys[i], &got[i])
				}
				return ddb.TransactGet(ctx, s.client, reads...)
			}
		}},
		"TransactWriteItems": {true, 1, func() call {
			list := s.someOf(2 + s.rnd.IntN(8))
			return func(ctx context.Context) error {
				var ops []ddb.TxOp
				for i := range list {
					if i == 1 {
						ops = append(ops, s.orders.TxCheck(s.orders.KeyOf(&list[i]), ddb.Exists(orderTotal)))
						continue
					}
					ops = append(ops, s.orders.TxPut(&list[i]))
				}
				return ddb.Transact(ctx, s.client, ops...)
			}
		}},
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		kind := kinds[name]
		var (
			within int
			ratios []float64
			worst  string
		)
		n := calls / kind.less
		for range n {
			run := kind.make()
			plan, err := ddb.Explain(t.Context(), run)
			if err != nil {
				t.Fatal(name, err)
			}
			meter := cost.NewBudget(cost.Limits{})
			if err := run(ddb.WithBudget(t.Context(), meter)); err != nil {
				t.Fatal(name, err)
			}
			paid := meter.Spent()
			if plan.Whole.Contains(cost.Consumed{ReadUnits: paid.ReadUnits, WriteUnits: paid.WriteUnits}) {
				within++
			} else {
				worst = fmt.Sprintf("%+v is not in %+v", paid, plan.Whole)
			}
			ratios = append(ratios, (plan.Whole.Read.Max+plan.Whole.Write.Max)/(paid.ReadUnits+paid.WriteUnits))
		}
		slices.Sort(ratios)
		t.Logf("%-22s %5d of %5d within the range, the upper end is %.2f times the cost in the median", name, within, n, ratios[n/2])
		if float64(within) < least*float64(n) {
			t.Errorf("%s: %d of %d within the range, for example %s", name, within, n, worst)
		}
		if math.IsInf(ratios[n/2], 1) && apitest.OnEndpoint() {
			continue // an engine that reports no sizes
		}
		if kind.sized && ratios[n/2] > most {
			t.Errorf("%s: the upper end is %.2f times the cost in the median", name, ratios[n/2])
		}
	}
}

// TestWholeCallUnknown: without the size of the table, an unbounded call has no upper end, and a bounded call has one.
func TestWholeCallUnknown(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	for name, tc := range map[string]struct {
		run     func(context.Context) error
		bounded bool
	}{
		"Collect": {func(ctx context.Context) error { _, err := orders.Query("c").Collect(ctx); return err }, false},
		"Scan":    {func(ctx context.Context) error { _, err := orders.Scan().Count(ctx); return err }, false},
		"filtered page": {func(ctx context.Context) error {
			_, err := orders.Query("c").Filter(orderTotal.Gt(1)).Limit(3).Page(ctx)
			return err
		}, false},
		"limited Collect": {func(ctx context.Context) error { _, err := orders.Query("c").Limit(3).Collect(ctx); return err }, true},
		"page":            {func(ctx context.Context) error { _, err := orders.Query("c").Page(ctx); return err }, true},
		"bounded by items": {func(ctx context.Context) error {
			_, err := orders.Query("c").Filter(orderTotal.Gt(1)).With(ddb.MaxScanned(9)).Page(ctx)
			return err
		}, true},
		"bounded by units": {func(ctx context.Context) error {
			_, err := orders.Query("c").Filter(orderTotal.Gt(1)).With(ddb.MaxReadUnits(9)).Page(ctx)
			return err
		}, true},
		"first, no filter": {func(ctx context.Context) error { _, err := orders.Query("c").First(ctx); return err }, true},
		"first of filtered": {func(ctx context.Context) error {
			_, err := orders.Query("c").Filter(orderTotal.Gt(1)).First(ctx)
			return err
		}, false},
	} {
		plan, err := ddb.Explain(t.Context(), tc.run)
		if err != nil || math.IsInf(plan.Whole.Read.Max, 1) == tc.bounded || plan.Whole.Read.Min <= 0 {
			t.Errorf("%s: %+v, %v", name, plan.Whole, err)
		}
		if !tc.bounded && !strings.Contains(plan.String(), "or more read units") {
			t.Errorf("%s: %s", name, plan)
		}
	}
}

// TestWarnings: Explain warns of costly designs and of no others.
func TestWarnings(t *testing.T) {
	s := newShop(t, 240)
	plan := func(run func(context.Context) error) cost.Explanation {
		t.Helper()
		x, err := ddb.Explain(t.Context(), run)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	rare := s.orders.Query("c1").Filter(orderTotal.Lt(-1))
	often := s.orders.Query("c1").Filter(orderTotal.Gt(-1))
	read := func(q *ddb.Query[order, orderID]) func(context.Context) error {
		return func(ctx context.Context) error { _, err := q.Page(ctx); return err }
	}
	if x := plan(read(rare)); len(x.Warnings) > 0 {
		t.Errorf("a filter that was not used yet: %q", x.Warnings)
	}
	for range 10 {
		if err := errors.Join(read(rare)(t.Context()), read(often)(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	if x := plan(read(s.orders.Query("c2").Filter(orderTotal.Lt(-5)))); len(x.Warnings) != 1 || !strings.Contains(x.Warnings[0], "the filter has kept 0 of the") {
		t.Errorf("a filter that drops everything: %q", x.Warnings)
	}
	if x := plan(read(often)); len(x.Warnings) > 0 {
		t.Errorf("a filter that keeps everything: %q", x.Warnings)
	}
	o := s.some()
	update := plan(func(ctx context.Context) error {
		_, err := s.orders.Update(ctx, s.orders.KeyOf(&o), orderTotal.Add(1))
		return err
	})
	if len(update.Warnings) != 1 || !strings.Contains(update.Warnings[0], "index by-status of table "+s.orders.Name()+" holds all attributes") {
		t.Errorf("an index of all attributes: %q", update.Warnings)
	}
	one := make([]order, 400)
	for i := range one {
		one[i] = s.order(i * customers) // all orders of one customer
	}
	x := plan(func(ctx context.Context) error { return s.orders.BatchPut(ctx, one) })
	if !slices.ContainsFunc(x.Warnings, func(w string) bool { return strings.Contains(w, "400 of the 400 writes are of one partition key") }) {
		t.Errorf("one partition: %q", x.Warnings)
	}
	for i := range one {
		one[i] = s.order(i)
	}
	x = plan(func(ctx context.Context) error { return s.orders.BatchPut(ctx, one) })
	if slices.ContainsFunc(x.Warnings, func(w string) bool { return strings.Contains(w, "partition key") }) {
		t.Errorf("many partitions: %q", x.Warnings)
	}
	if x.Items != 25 && x.Items >= 400 || x.Whole.Write.Min < 400 || len(x.Indexes) != 3 || x.Indexes[0].Write.Max < 400 {
		t.Errorf("the whole batch: %+v", x)
	}
}

// TestExplainLocalFetch: the range of one request and of the whole call includes the items that a local index fetches from the table, although the index entries
// seen before are small.
func TestExplainLocalFetch(t *testing.T) {
	t.Parallel()
	orders, err := ddb.New(newClient(t), tableName(t), orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	local, err := ddb.NewLocalIndex(orders, "local", orderTotal, ddb.KeysOnly())
	if err := errors.Join(err, orders.CreateTable(t.Context())); err != nil {
		t.Fatal(err)
	}
	list := make([]order, 20)
	for i := range list {
		list[i] = order{Customer: "c", ID: orderID(fmt.Sprint(i)), Total: int64(i), Notes: []string{strings.Repeat("x", 6000)}}
	}
	if err := orders.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	plain := local.Query("c").PageSize(10)
	if _, err := plain.Collect(t.Context()); err != nil {
		t.Fatal(err)
	}
	const fetched = "index local does not hold all that is read"
	for name, tc := range map[string]struct {
		read    func(context.Context) error
		fetches bool
	}{
		"plain":             {func(ctx context.Context) error { _, err := plain.Limit(10).Page(ctx); return err }, false},
		"hydrated":          {func(ctx context.Context) error { _, err := plain.Hydrate().Limit(10).Page(ctx); return err }, true},
		"hydrated, no size": {func(ctx context.Context) error { _, err := local.Query("c").Hydrate().Page(ctx); return err }, true},
		"consistent": {func(ctx context.Context) error {
			_, err := plain.Hydrate().Consistent().Limit(10).Page(ctx)
			return err
		}, true},
		"projected": {func(ctx context.Context) error {
			_, err := plain.Project(apitest.OrderNotes).Limit(10).Page(ctx)
			return err
		}, true},
		"of what it holds": {func(ctx context.Context) error { _, err := plain.Project(orderTotal).Limit(10).Page(ctx); return err }, false},
		"scan":             {func(ctx context.Context) error { _, err := local.Scan().Hydrate().Limit(10).Page(ctx); return err }, true},
	} {
		plan, err := ddb.Explain(t.Context(), tc.read)
		if err != nil {
			t.Fatal(name, err)
		}
		meter := cost.NewBudget(cost.Limits{})
		if err := tc.read(ddb.WithBudget(t.Context(), meter)); err != nil {
			t.Fatal(name, err)
		}
		paid := cost.Consumed{ReadUnits: meter.Spent().ReadUnits}
		if one := (cost.Estimate{Read: plan.Read}); !one.Contains(paid) || !plan.Whole.Contains(paid) || strings.Contains(plan.String(), fetched) != tc.fetches {
			t.Errorf("%s: paid %v\n%s", name, paid, plan)
		}
		if most := 3.0; !tc.fetches && plan.Read.Max > most {
			t.Errorf("%s: up to %v units", name, plan.Read.Max)
		}
	}
}
