// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

// reader has the methods that queries, scans and views have in common.
type reader[T any, Q any] interface {
	Page(ctx context.Context) (ddb.Page[T], error)
	Pages(ctx context.Context) iter.Seq2[ddb.Page[T], error]
	After(c ddb.Cursor[T]) Q
}

// brief is a view of an order.
type brief struct {
	Customer customerID `dynamodbav:"customer_id"`
	ID       orderID    `dynamodbav:"order_id"`
	Status   string     `dynamodbav:"status"`
}

// ordersWithIndex returns a table of n orders with an index by status.
func ordersWithIndex(t testing.TB, client ddb.Client, n int, opts ...ddb.TableOption) (*ddb.Table[order, customerID, orderID], *ddb.Index[order, string, orderID]) {
	t.Helper()
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey, opts...)
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	fill(t, orders, n)
	return orders, byStatus
}

// follow reads page after page by cursors, and checks that each is within the bounds.
func follow[T any, Q reader[T, Q]](t testing.TB, name string, q Q, limit, most int, units float64) (all []T, pages int) {
	t.Helper()
	var at ddb.Cursor[T]
	for {
		page, err := q.After(at).Page(t.Context())
		if err != nil {
			t.Fatalf("%s: page %d: %v", name, pages, err)
		}
		pages++
		all = append(all, page.Items...)
		at = page.Next
		full := limit > 0 && len(page.Items) == limit
		switch {
		case most > 0 && page.Scanned > most:
			t.Fatalf("%s: page %d evaluated %d items of at most %d", name, pages, page.Scanned, most)
		case units > 0 && page.Consumed.ReadUnits > units:
			t.Fatalf("%s: page %d cost %g units of at most %g", name, pages, page.Consumed.ReadUnits, units)
		case at.IsZero():
			return all, pages
		case full:
		case most > 0 && units == 0 && page.Scanned != most:
			t.Fatalf("%s: page %d stopped after %d of %d items, with %d found", name, pages, page.Scanned, most, len(page.Items))
		case units > 0 && most == 0 && page.Consumed.ReadUnits+1 < units/2:
			t.Fatalf("%s: page %d stopped after %g of %g units", name, pages, page.Consumed.ReadUnits, units)
		case pages > 500:
			t.Fatalf("%s: the pages do not end", name)
		}
	}
}

// TestMaxScanned: whatever the filter, limit, page size and bound, no page evaluates more than the bound, no page stops below the bound
// without a reason, and the pages together hold what the read without a bound finds.
func TestMaxScanned(t *testing.T) {
	const n = 24
	orders, byStatus := ordersWithIndex(t, newClient(t), n)
	longtest.Checks(t, 50)
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		var (
			filter = draw.Of(rt, []ddb.Cond[order]{{}, orderTotal.Ge(n - 2), orderTotal.Lt(7), orderTotal.Ge(n), ddb.And(orderTotal.Ge(12), orderTotal.Lt(16))}, "filter")
			limit  = draw.Int(rt, 0, 6, "limit")
			size   = draw.Int(rt, 1, 12, "page size")
			most   = draw.Int(rt, 1, n+3, "bound")
		)
		bound := ddb.MaxScanned(most)
		same := func(name, got, want string, err error) {
			if err != nil || got != want {
				rt.Errorf("%s: %s, want %s: %v", name, got, want, err)
			}
		}
		q, x := orders.Query("c1").Filter(filter).PageSize(size), byStatus.Query("open").Filter(filter).PageSize(size)
		switch kind := draw.Of(rt, []string{"query", "descending", "index", "hydrated", "scan", "index scan", "view"}, "kind"); kind {
		case "query":
			want, err := q.Collect(ctx)
			got, _ := follow[order](t, kind, q.Limit(limit).With(bound), limit, most, 0)
			same(kind, ids(got), ids(want), err)
		case "descending":
			want, err := q.Descending().Collect(ctx)
			got, _ := follow[order](t, kind, q.Limit(limit).With(bound).Descending(), limit, most, 0)
			same(kind, ids(got), ids(want), err)
		case "index":
			want, err := x.Collect(ctx)
			got, _ := follow[order](t, kind, x.Limit(limit).With(bound), limit, most, 0)
			same(kind, ids(got), ids(want), err)
		case "hydrated":
			want, err := x.Collect(ctx)
			got, _ := follow[order](t, kind, x.Limit(limit).With(bound).Hydrate(), limit, most, 0)
			same(kind, ids(got), ids(want), err)
		case "scan":
			want, err := orders.Scan().Filter(filter).Collect(ctx)
			got, _ := follow[order](t, kind, orders.Scan().Filter(filter).Limit(limit).With(bound), limit, most, 0)
			same(kind, ids(got), ids(want), err)
		case "index scan":
			want, err := byStatus.Scan().Filter(filter).Collect(ctx)
			got, _ := follow[order](t, kind, byStatus.Scan().Filter(filter).Limit(limit).With(bound), limit, most, 0)
			same(kind, ids(got), ids(want), err)
		case "view":
			want, err := ddb.View[brief](q).Collect(ctx)
			got, _ := follow[brief](t, kind, ddb.View[brief](q.Limit(limit).With(bound)), limit, most, 0)
			same(kind, fmt.Sprint(got), fmt.Sprint(append([]brief(nil), want...)), err)
		}
	})
}

// TestMaxScannedBackwards: a page that is read backwards stops as well, and its Prev cursor continues.
func TestMaxScannedBackwards(t *testing.T) {
	ctx := t.Context()
	orders, _ := ordersWithIndex(t, newClient(t), 12)
	q := orders.Query("c1").Filter(orderTotal.Lt(2)).Limit(2)
	end, err := orders.Query("c1").Filter(orderTotal.Lt(2)).PageSize(11).With(ddb.MaxScanned(11)).Page(ctx)
	if err != nil || ids(end.Items) != "000 001" || end.Next.IsZero() {
		t.Fatalf("%s, more: %t, %v", ids(end.Items), !end.Next.IsZero(), err)
	}
	var steps []string
	for at := end.Next; ; {
		page, err := q.With(ddb.MaxScanned(5)).Before(at).Page(ctx)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, fmt.Sprintf("%d: %s", page.Scanned, ids(page.Items)))
		if at = page.Prev; at.IsZero() || len(steps) > 9 {
			break
		}
	}
	if got := strings.Join(steps, ", "); got != "5: , 5: 000 001" && got != "5: , 5: 000 001, 0: " {
		t.Error(got)
	}
}

// TestPagesMaxScanned: Pages yields each page that stopped at the bound, even an empty one, so that the caller can end there.
func TestPagesMaxScanned(t *testing.T) {
	ctx := t.Context()
	orders, _ := ordersWithIndex(t, newClient(t), 20)
	q := orders.Query("c1").Filter(orderTotal.Ge(13)).With(ddb.MaxScanned(6))
	var got []string
	for page, err := range q.Pages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d of %d", len(page.Items), page.Scanned))
	}
	if s := strings.Join(got, ", "); s != "0 of 6, 0 of 6, 5 of 6, 2 of 2" {
		t.Error(s)
	}
}

// TestMaxReadUnits: if items are of similar size, no page costs more than the bound, and none stops far below it.
func TestMaxReadUnits(t *testing.T) {
	for name, tc := range map[string]struct {
		bytes int
		opts  []ddb.TableOption
	}{
		"small items":            {bytes: 40},
		"of a kilobyte":          {bytes: 1000},
		"of 20 kilobytes":        {bytes: 20_000},
		"without a ledger":       {bytes: 1000, opts: []ddb.TableOption{ddb.WithoutCapacity()}},
		"through the SDK's maps": {bytes: 1000, opts: []ddb.TableOption{ddb.ThroughSDK()}},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			orders, byStatus := ordersWithIndex(t, newClient(t), 0, tc.opts...)
			list := make([]order, 120)
			for i := range list {
				list[i] = order{Customer: "c1", ID: orderID(fmt.Sprintf("%03d", i)), Total: int64(i), Status: "open", Notes: []string{strings.Repeat("x", tc.bytes)}}
			}
			if err := orders.BatchPut(ctx, list); err != nil {
				t.Fatal(err)
			}
			for i, units := range []float64{8, 13, 40} {
				for k, filter := range []ddb.Cond[order]{{}, orderTotal.Ge(117), orderTotal.Ge(999)} {
					if (i+k)%min(longtest.Every(3), 3) != 0 {
						continue
					}
					q := orders.Query("c1").Filter(filter)
					want, err := q.Collect(ctx)
					got, _ := follow[order](t, fmt.Sprintf("query, %g units", units), q.With(ddb.MaxReadUnits(units)), 0, 0, units)
					if err != nil || ids(got) != ids(want) {
						t.Errorf("%g units: %s, want %s, %v", units, ids(got), ids(want), err)
					}
					got, _ = follow[order](t, fmt.Sprintf("consistent, %g units", units), q.Consistent().Limit(3).With(ddb.MaxReadUnits(units)), 3, 0, units)
					if ids(got) != ids(want) {
						t.Errorf("%g units, consistent: %s, want %s", units, ids(got), ids(want))
					}
					x := byStatus.Query("open").Filter(filter)
					got, pages := follow[order](t, fmt.Sprintf("index, %g units", units), x.With(ddb.MaxReadUnits(units), ddb.MaxScanned(50)), 0, 50, units)
					if ids(got) != ids(want) || pages < 3 {
						t.Errorf("%g units, index: %s, want %s, in %d pages", units, ids(got), ids(want), pages)
					}
				}
			}
		})
	}
}

// TestMaxReadUnitsRequests: a bounded page takes few requests, although the first must be small because no size is known.
func TestMaxReadUnitsRequests(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	orders, _ := ordersWithIndex(t, client, 900)
	fresh, err := ddb.New(client, orders.Name(), orderCustomer, orderKey) // it has seen no item
	if err != nil {
		t.Fatal(err)
	}
	page, err := fresh.Query("c1").With(ddb.MaxReadUnits(10)).Page(ctx)
	if err != nil || page.Requests > 8 || page.Scanned < 300 || page.Consumed.ReadUnits > 10 {
		t.Errorf("%d requests for %d items and %g units, %v", page.Requests, page.Scanned, page.Consumed.ReadUnits, err)
	}
}

// TestMaxReadUnitsNotStated: if an endpoint does not report units, the page ends with an error and keeps the items read.
func TestMaxReadUnitsNotStated(t *testing.T) {
	needsEngine(t, "the test changes the reply")
	ctx := t.Context()
	o := newClient(t).Options()
	inner := o.HTTPClient
	o.HTTPClient = apitest.Doer(func(req *http.Request) (*http.Response, error) {
		resp, err := inner.Do(req)
		if err != nil || !strings.HasSuffix(req.Header.Get("X-Amz-Target"), ".Query") {
			return resp, err
		}
		var reply map[string]json.RawMessage
		if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
			return nil, err
		}
		delete(reply, "ConsumedCapacity")
		body, err := json.Marshal(reply)
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(string(body))), int64(len(body))
		resp.Header.Del("X-Amz-Crc32")
		return resp, err
	})
	orders, _ := ordersWithIndex(t, dynamodb.New(o), 12)
	q := orders.Query("c1").PageSize(5)
	page, err := q.With(ddb.MaxReadUnits(3)).Page(ctx)
	if err == nil || !strings.Contains(err.Error(), "does not state") || page.Next.IsZero() {
		t.Fatalf("%v, more: %t", err, !page.Next.IsZero())
	}
	rest, err := q.After(page.Next).Collect(ctx)
	all, err2 := q.Collect(ctx)
	if err != nil || err2 != nil || ids(slices.Concat(page.Items, rest)) != ids(all) {
		t.Errorf("%s and %s, %v, %v", ids(page.Items), ids(rest), err, err2)
	}
}

// TestBoundRefused: invalid bounds, and bounds on calls that return no cursor, are refused before anything is sent.
func TestBoundRefused(t *testing.T) {
	ctx := t.Context()
	client, rec := recorded(t, "Query")
	orders := newOrdersOn(t, client)
	q := orders.Query("c1")
	bounded := q.With(ddb.MaxScanned(5))
	endless := "return none"
	for name, tc := range map[string]struct {
		err  error
		text string
	}{
		"no items":          {second(q.With(ddb.MaxScanned(0)).Page(ctx)), "MaxScanned 0: must be at least 1"},
		"less than none":    {second(q.With(ddb.MaxScanned(-3)).Page(ctx)), "MaxScanned -3: must be at least 1"},
		"no units":          {second(q.With(ddb.MaxReadUnits(0)).Page(ctx)), "MaxReadUnits 0: must be more than 0"},
		"not a number":      {second(q.With(ddb.MaxReadUnits(math.NaN())).Page(ctx)), "MaxReadUnits NaN"},
		"less than a read":  {second(q.Consistent().With(ddb.MaxReadUnits(0.5)).Page(ctx)), "one request costs 1 at least"},
		"nil":               {second(q.With(nil).Page(ctx)), "an option is nil"},
		"all at once":       {second(q.With(ddb.MaxScanned(0), ddb.MaxReadUnits(-1), nil).Page(ctx)), "MaxScanned 0: must be at least 1; MaxReadUnits -1"},
		"Collect":           {second(bounded.Collect(ctx)), endless},
		"Count":             {second(bounded.Count(ctx)), endless},
		"First":             {second(bounded.First(ctx)), endless},
		"All":               {firstError(bounded.All(ctx)), endless},
		"units and Collect": {second(q.With(ddb.MaxReadUnits(5)).Collect(ctx)), endless},
		"Collect of a view": {second(ddb.View[brief](bounded).Collect(ctx)), endless},
		"All of a view":     {firstError(ddb.View[brief](bounded).All(ctx)), endless},
		"parallel Pages":    {firstError(orders.Scan().With(ddb.MaxScanned(5)).Parallel(2).Pages(ctx)), endless},
		"parallel Count":    {second(orders.Scan().With(ddb.MaxScanned(5)).Parallel(2).Count(ctx)), endless},
	} {
		if tc.err == nil || !strings.Contains(strings.ReplaceAll(tc.err.Error(), "\n", " "), tc.text) && !strings.Contains(tc.err.Error(), tc.text) {
			t.Errorf("%s: %v, want %q", name, tc.err, tc.text)
		}
	}
	if calls := rec.take(); len(calls) > 0 {
		t.Errorf("%d requests were sent", len(calls))
	}
	if _, err := q.Collect(ctx); err != nil { // the query itself has not changed
		t.Error(err)
	}
}

func firstError[T any](seq iter.Seq2[T, error]) error {
	for _, err := range seq {
		if err != nil {
			return err
		}
	}
	return nil
}
