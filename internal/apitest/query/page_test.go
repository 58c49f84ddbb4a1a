// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// recorder keeps the requests of one operation.
type recorder struct {
	inner dynamodb.HTTPClient
	op    string
	mu    sync.Mutex
	calls []map[string]any
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	if _, op, _ := strings.Cut(req.Header.Get("X-Amz-Target"), "."); op == r.op {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(strings.NewReader(string(body)))
		var call map[string]any
		if err := json.Unmarshal(body, &call); err != nil {
			return nil, err
		}
		r.mu.Lock()
		r.calls = append(r.calls, call)
		r.mu.Unlock()
	}
	return r.inner.Do(req)
}

// take returns the calls since the last take.
func (r *recorder) take() []map[string]any {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.calls
	r.calls = nil
	return calls
}

// recorded returns a client that records the calls of one operation.
func recorded(t testing.TB, op string) (*dynamodb.Client, *recorder) {
	r := &recorder{op: op}
	o := newClient(t).Options()
	r.inner = o.HTTPClient
	o.HTTPClient = r
	return dynamodb.New(o), r
}

// newOrdersOn returns a new orders table on a client.
func newOrdersOn(t testing.TB, client ddb.Client, opts ...ddb.TableOption) *ddb.Table[order, customerID, orderID] {
	t.Helper()
	return apitest.NewTable(t, client, orderCustomer, orderKey, opts...)
}

// TestRequestsOfAPage: no page needs more requests, or reads more items, than its limit asks for.
func TestRequestsOfAPage(t *testing.T) {
	ctx := t.Context()
	client, rec := recorded(t, "Query")
	orders := newOrdersOn(t, client)
	fill(t, orders, 12)
	q := orders.Query("c1")
	for name, tc := range map[string]struct {
		query    *ddb.Query[order, orderID]
		requests int
		scanned  int
		items    string
		next     bool
	}{
		"limit below the page size":      {q.Limit(2).PageSize(5), 1, 2, "000 001", true},
		"limit above the page size":      {q.Limit(5).PageSize(2), 3, 5, "000 001 002 003 004", true},
		"limit met exactly":              {q.Limit(4).PageSize(2), 2, 4, "000 001 002 003", true},
		"limit met by the last item":     {q.SortKey(ddb.Ge(orderID("010"))).Limit(2), 1, 2, "010 011", true},
		"limit beyond the end":           {q.SortKey(ddb.Ge(orderID("010"))).Limit(3), 1, 2, "010 011", false},
		"filter, met in the first page":  {q.Filter(orderStatus.Eq("open")).Limit(2).PageSize(6), 1, 6, "000 003", true},
		"filter, overshoot":              {q.Filter(orderStatus.Ne("open")).Limit(3).PageSize(6), 1, 6, "001 002 004", true},
		"filter, empty pages":            {q.Filter(orderTotal.Ge(10)).Limit(1).PageSize(2), 6, 12, "010", true},
		"filter, nothing":                {q.Filter(orderTotal.Ge(99)).Limit(1).PageSize(5), 3, 12, "", false},
		"filter, without page size":      {q.Filter(orderTotal.Ge(10)).Limit(1), 1, 12, "010", true},
		"no limit":                       {q.PageSize(5), 1, 5, "000 001 002 003 004", true},
		"no limit, filter":               {q.PageSize(2).Filter(orderTotal.Ge(5)), 3, 6, "005", true},
		"no items":                       {orders.Query("c2"), 1, 0, "", false},
		"page size of one, limit of one": {q.Limit(1).PageSize(1), 1, 1, "000", true},
	} {
		page, err := tc.query.Page(ctx)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		calls := len(rec.take())
		if calls != tc.requests || page.Requests != calls || page.Scanned != tc.scanned || ids(page.Items) != tc.items || page.Next.IsZero() == tc.next {
			t.Errorf("%s: %d requests (%d reported), %d scanned, items %q, more %v; want %+v", name, calls, page.Requests, page.Scanned, ids(page.Items), !page.Next.IsZero(), tc)
		}
		if page.Consumed.ReadUnits != 0.5*float64(tc.requests) {
			t.Errorf("%s: %v read units in %d requests", name, page.Consumed.ReadUnits, calls)
		}
		// Items that were read beyond the limit are not lost.
		rest, err := tc.query.Limit(0).After(page.Next).Collect(ctx)
		whole, err2 := tc.query.Limit(0).Collect(ctx)
		if page.Next.IsZero() {
			rest = nil
		}
		if got := slices.Concat(page.Items, rest); err != nil || err2 != nil || ids(got) != ids(whole) {
			t.Errorf("%s: %s and then %s, want %s; %v, %v", name, tc.items, ids(rest), ids(whole), err, err2)
		}
		rec.take()
	}
}

// TestRequestOfAQuery: reads are eventually consistent and set no Select unless the
// caller asks for it; other mappers always paid for consistent reads, and requested all attributes even of an index
// that does not hold them.
func TestRequestOfAQuery(t *testing.T) {
	ctx := t.Context()
	client, rec := recorded(t, "Query")
	orders := newOrdersOn(t, client, ddb.PageSize(7))
	q := orders.Query("c1")
	for name, tc := range map[string]struct {
		run  func() error
		want map[string]any
	}{
		"plain":        {func() error { return second(q.Page(ctx)) }, map[string]any{"Limit": 7.0}},
		"consistent":   {func() error { return second(q.Consistent().Page(ctx)) }, map[string]any{"Limit": 7.0, "ConsistentRead": true}},
		"descending":   {func() error { return second(q.Descending().Page(ctx)) }, map[string]any{"Limit": 7.0, "ScanIndexForward": false}},
		"page size":    {func() error { return second(q.PageSize(3).Page(ctx)) }, map[string]any{"Limit": 3.0}},
		"count":        {func() error { return second(q.Count(ctx)) }, map[string]any{"Limit": 7.0, "Select": "COUNT"}},
		"of zero keys": {func() error { return second(q.After(ddb.Cursor[order]{}).Page(ctx)) }, map[string]any{"Limit": 7.0}},
	} {
		if err := tc.run(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got := rec.take()[0]
		for _, same := range []string{"TableName", "KeyConditionExpression", "ExpressionAttributeNames", "ExpressionAttributeValues", "ReturnConsumedCapacity"} {
			if got[same] == nil {
				t.Errorf("%s: no %s", name, same)
			}
			delete(got, same)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	for _, n := range []int{1, 50, 1 << 40} {
		if err := second(q.Limit(n).PageSize(n).Page(ctx)); err != nil {
			t.Errorf("limit %d: %v", n, err)
		}
	}
	if got := rec.take()[2]["Limit"]; got != float64(1<<30) {
		t.Errorf("a huge page size is sent as %v", got)
	}
}

// TestProjectedPagesHaveKeys: a page has cursors although its projection contains no key.
func TestProjectedPagesHaveKeys(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 9)
	q := orders.Query("c1").Project(orderStatus, orderCity, orderStatus).Filter(orderTotal.Ge(1)).Limit(3)
	type status struct {
		Status string `dynamodbav:"status"`
	}
	var (
		got    []string
		views  []status
		cursor ddb.Cursor[order]
		place  ddb.Cursor[status]
	)
	for {
		page, err := q.After(cursor).Page(ctx)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, ids(page.Items))
		if cursor = page.Next; cursor.IsZero() {
			break
		}
	}
	if want := "001 002 003|004 005 006|007 008"; strings.Join(got, "|") != want {
		t.Errorf("projected: %v", got)
	}
	view := ddb.View[status](q)
	for {
		page, err := view.After(place).Page(ctx)
		if err != nil {
			t.Fatal(err)
		}
		views = append(views, page.Items...)
		if page.Next.IsZero() {
			break
		}
		// The view's cursors have a text, too.
		if place, err = view.ParseCursor(page.Next.String()); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := view.Count(ctx); err != nil || n != 3 || len(views) != 8 || views[7].Status != "sent" {
		t.Errorf("view: %v, count %d, %v", views, n, err)
	}
	back, err := view.Before(place).Page(ctx)
	if err != nil || len(back.Items) != 3 || back.Items[2].Status != views[4].Status {
		t.Errorf("before %v, %v", back.Items, err)
	}
	if first, err := view.First(ctx); err != nil || first != views[0] {
		t.Errorf("first %v, %v", first, err)
	}
	n := 0
	for page, err := range view.Pages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		n += len(page.Items)
	}
	if n != 3 {
		t.Errorf("pages of a view with limit 3 have %d items", n)
	}
	if _, err := view.ParseCursor("x"); !errors.Is(err, ddb.ErrBadCursor) {
		t.Errorf("bad cursor: %v", err)
	}
}

// TestCursorBeforeAnUnreadableItem: wherever in a page an unreadable item is, the
// items before it are returned, and the cursor is right before it: once it is corrected, it is read and no other item
// is read twice.
func TestCursorBeforeAnUnreadableItem(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	for name, opts := range map[string][]ddb.TableOption{"from the wire": nil, "through the SDK": {ddb.ThroughSDK()}} {
		orders := newOrdersOn(t, client, opts...)
		const n = 100
		fill(t, orders, n)
		for bad := range n {
			if bad%21 != 0 && bad != n-1 && (!longtest.Enabled() || bad%7 != 0) {
				continue
			}
			spoil(t, client, orders.Name(), bad)
			for _, q := range []*ddb.Query[order, orderID]{
				orders.Query("c1"), orders.Query("c1").PageSize(9).Limit(n), orders.Query("c1").Filter(orderStatus.Ne("-")).PageSize(10).Limit(n), orders.Query("c1").PageSize(11),
			} {
				page, got, err := untilError(ctx, q)
				if len(got) != bad || err == nil || !strings.Contains(err.Error(), "total") || errors.Is(err, ddb.ErrNotFound) {
					t.Fatalf("%s: bad item %d: %d items, %v", name, bad, len(got), err)
				}
				fix := order{Customer: "c1", ID: orderID(fmt.Sprintf("%03d", bad)), Total: int64(bad), Status: "corrected"}
				if err := orders.Put(ctx, &fix); err != nil {
					t.Fatal(err)
				}
				rest, err := q.Limit(0).After(page.Next).Collect(ctx)
				if err != nil || len(got)+len(rest) != n || rest[0].ID != fix.ID {
					t.Fatalf("%s: bad item %d: %d items before and %d after, %v", name, bad, len(got), len(rest), err)
				}
				spoil(t, client, orders.Name(), bad)
			}
			back, err := orders.Query("c1").Descending().Limit(n).Page(ctx)
			if err == nil || len(back.Items) != n-1-bad {
				t.Fatalf("%s: bad item %d descending: %d items, %v", name, bad, len(back.Items), err)
			}
			fix := order{Customer: "c1", ID: orderID(fmt.Sprintf("%03d", bad)), Total: int64(bad)}
			if err := orders.Put(ctx, &fix); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func spoil(t testing.TB, client *dynamodb.Client, table string, i int) {
	t.Helper()
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"customer_id": &types.AttributeValueMemberS{Value: "c1"}, "order_id": &types.AttributeValueMemberS{Value: fmt.Sprintf("%03d", i)},
		"total": &types.AttributeValueMemberS{Value: "much"}, "status": &types.AttributeValueMemberS{Value: "bad"},
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// untilError reads page after page, and returns the last page and all items.
func untilError(ctx context.Context, q *ddb.Query[order, orderID]) (page ddb.Page[order], all []order, err error) {
	for {
		page, err = q.After(page.Next).Page(ctx)
		all = append(all, page.Items...)
		if err != nil || page.Next.IsZero() {
			return page, all, err
		}
	}
}

// TestBadItemBackwards: a page that is read backwards is in the query's order, even when it ends at a bad item.
func TestBadItemBackwards(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	orders := newOrdersOn(t, client)
	fill(t, orders, 10)
	q := orders.Query("c1").Limit(5)
	one, err1 := q.Page(ctx)
	two, err2 := q.After(one.Next).Page(ctx)
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	spoil(t, client, orders.Name(), 2)
	page, err := q.Before(two.Prev).Page(ctx)
	if err == nil || ids(page.Items) != "003 004" {
		t.Errorf("%s, %v", ids(page.Items), err)
	}
	if err := orders.Put(ctx, &order{Customer: "c1", ID: "002"}); err != nil {
		t.Fatal(err)
	}
	if rest, err := q.Before(page.Prev).Page(ctx); err != nil || ids(rest.Items) != "000 001 002" {
		t.Errorf("before it: %s, %v", ids(rest.Items), err)
	}
	if rest, err := q.After(page.Next).Page(ctx); err != nil || ids(rest.Items) != "005 006 007 008 009" {
		t.Errorf("after it: %s, %v", ids(rest.Items), err)
	}
}

// TestFailureWithinPage: if a later request of a page fails permanently, the page contains what was read before and can be
// continued after it; nothing of the failed reply is returned.
func TestFailureWithinPage(t *testing.T) {
	needsEngine(t, "it breaks replies")
	ctx := t.Context()
	for _, what := range []fault{lostBefore, lostAfter, error500Before, throttled, emptyReply, cutReply} {
		f, client := newFaulty(t)
		orders := newOrdersOn(t, client)
		fill(t, orders, 10)
		broken := func(from int) func(string, int) fault {
			n := 0
			return func(op string, _ int) fault {
				if op != "Query" {
					return noFault
				}
				if n++; n > from {
					return what
				}
				return noFault
			}
		}
		f.Set(broken(2))
		q := orders.Query("c1").PageSize(3).Limit(10)
		page, err := q.Page(ctx)
		if err == nil || ids(page.Items) != "000 001 002 003 004 005" {
			t.Errorf("%v: %s, %v", what, ids(page.Items), err)
		}
		f.Set(broken(2))
		list, err := q.Collect(ctx)
		if err == nil || ids(list) != "000 001 002 003 004 005" {
			t.Errorf("%v: Collect %s, %v", what, ids(list), err)
		}
		f.Set(broken(2))
		if _, err := q.Count(ctx); err == nil {
			t.Errorf("%v: Count without error", what)
		}
		f.Set(nil)
		if rest, err := q.After(page.Next).Page(ctx); err != nil || ids(rest.Items) != "006 007 008 009" {
			t.Errorf("%v: then %s, %v", what, ids(rest.Items), err)
		}
		// A single fault is retried, and the caller does not notice.
		f.Set(first("Query", what))
		if list, err := q.Collect(ctx); err != nil || len(list) != 10 {
			t.Errorf("%v once: %d items, %v", what, len(list), err)
		}
	}
}

// TestManyEmptyPages: a loop reads over any number of pages that the filter leaves empty.
func TestManyEmptyPages(t *testing.T) {
	ctx := t.Context()
	client, rec := recorded(t, "Scan")
	orders := newOrdersOn(t, client)
	fill(t, orders, 200)
	page, err := orders.Scan().Filter(orderTotal.Eq(199)).PageSize(1).Page(ctx)
	if err != nil || ids(page.Items) != "199" || page.Requests != len(rec.take()) || page.Requests < 200 {
		t.Errorf("%s in %d requests, %v", ids(page.Items), page.Requests, err)
	}
	n := 0
	for range orders.Query("c1").Filter(orderTotal.Lt(0)).PageSize(20).Pages(ctx) {
		n++
	}
	if n != 0 {
		t.Errorf("%d empty pages were yielded", n)
	}
}

// TestZeroQuery: a query that no table made is refused and does not panic.
func TestZeroQuery(t *testing.T) {
	ctx := t.Context()
	var (
		q *ddb.Query[order, orderID]
		x *ddb.IndexQuery[order, orderID]
		s *ddb.Scan[order]
		i *ddb.IndexScan[order]
		v *ddb.Reader[order]
	)
	for name, err := range map[string]error{
		"query":       second(q.SortKey(ddb.Eq(orderID("1"))).Filter(orderTotal.Eq(1)).Project(orderTotal).Descending().Limit(1).PageSize(1).Consistent().Page(ctx)),
		"count":       second(q.Count(ctx)),
		"first":       second(q.First(ctx)),
		"collect":     second(q.Collect(ctx)),
		"index":       second(x.SortKey(ddb.Eq(orderID("1"))).Descending().Hydrate().Page(ctx)),
		"scan":        second(s.Consistent().Filter(orderTotal.Eq(1)).Collect(ctx)),
		"parallel":    second(s.Parallel(2).Collect(ctx)),
		"parallel n":  second(s.Parallel(2).Count(ctx)),
		"index scan":  second(i.Project(orderTotal).First(ctx)),
		"view":        second(ddb.View[order](q).Page(ctx)),
		"zero view":   second(v.Count(ctx)),
		"view cursor": second(v.ParseCursor("AA")),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "zero query or scan") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSharedQuery: many goroutines run one query value with cursors of their own, also with invalid ones.
func TestSharedQuery(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 12)
	q := orders.Query("c1").Filter(orderTotal.Ge(2)).Limit(3)
	bad := orders.Query("").Limit(-1).PageSize(0)
	first, err := q.Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	fresh := orders.Query("c1").Filter(orderTotal.Ge(2)).Limit(3)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if got, err := fresh.After(first.Next).Page(ctx); err != nil || ids(got.Items) != "005 006 007" {
				t.Errorf("%s, %v", ids(got.Items), err)
			}
			both := bad.After(first.Next).Before(first.Next)
			if err := second(both.Page(ctx)); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "limit -1") {
				t.Errorf("bad query: %v", err)
			}
			if err := second(fresh.After(first.Next).Before(first.Next).Page(ctx)); !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("After and Before: %v", err)
			}
			if got, err := q.Collect(ctx); err != nil || len(got) != 3 {
				t.Errorf("%d items, %v", len(got), err)
			}
		})
	}
	wg.Wait()
	for name, err := range map[string]error{
		"count":   second(q.Before(first.Next).Count(ctx)),
		"collect": second(q.Before(first.Next).Collect(ctx)),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "single page") {
			t.Errorf("%s of Before: %v", name, err)
		}
	}
	if got, err := q.Descending().First(ctx); err != nil || got.ID != "011" {
		t.Errorf("First descending: %s, %v", got.ID, err)
	}
}

// TestFiltersKeepGrouping: alternatives keep their grouping next to other filters,
// and two conditions on one attribute keep both values.
func TestFiltersKeepGrouping(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 12)
	q := orders.Query("c1")
	either := ddb.Or(orderStatus.Eq("open"), orderStatus.Eq("paid"))
	for name, tc := range map[string]struct {
		query *ddb.Query[order, orderID]
		want  string
	}{
		"or, and":         {q.Filter(either, orderTotal.Lt(4)), "000 001 003"},
		"and, or":         {q.Filter(orderTotal.Lt(4), either), "000 001 003"},
		"in two steps":    {q.Filter(orderTotal.Lt(4)).Filter(either), "000 001 003"},
		"not":             {q.Filter(ddb.Not(either)).Filter(orderTotal.Lt(6)), "002 005"},
		"same attribute":  {q.Filter(orderTotal.Ge(3), orderTotal.Lt(5)), "003 004"},
		"same everywhere": {q.SortKey(ddb.Between(orderID("003"), orderID("008"))).Filter(orderTotal.Ne(5), orderTotal.Ne(6)), "003 004 007 008"},
		"nothing":         {q.Filter().Filter(ddb.Cond[order]{}).Limit(1), "000"},
	} {
		if got, err := tc.query.Collect(ctx); err != nil || ids(got) != tc.want {
			t.Errorf("%s: %s, %v; want %s", name, ids(got), err, tc.want)
		}
	}
}

// TestHostileAttributeNames: names that are reserved words or need escaping, in keys, filters and projections.
func TestHostileAttributeNames(t *testing.T) {
	ctx := t.Context()
	table, byValue := newWide(t)
	for i := range 5 {
		if err := table.Put(ctx, &wide{Part: "n", Sort: []byte{byte(i + 1)}, A: fmt.Sprint("v", i%2), B: []byte{byte(i + 1)}}); err != nil {
			t.Fatal(err)
		}
	}
	page, err := table.Query("n").SortKey(ddb.Gt([]byte{1})).Filter(wideA.Eq("v1")).Project(wideA).Limit(1).Page(ctx)
	want := []wide{{Part: "n", Sort: []byte{2}, A: "v1"}}
	if diff := cmp.Diff(want, page.Items); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
	got, err := byValue.Query("v0").Descending().Collect(ctx)
	want = []wide{
		{Part: "n", Sort: []byte{5}, A: "v0", B: []byte{5}}, {Part: "n", Sort: []byte{3}, A: "v0", B: []byte{3}}, {Part: "n", Sort: []byte{1}, A: "v0", B: []byte{1}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
}
