// SPDX-License-Identifier: Apache-2.0

package query_test

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
)

// fill puts n orders of customer c1 with totals 0..n-1 and sort keys 000..n-1.
func fill(t testing.TB, orders *ddb.Table[order, customerID, orderID], n int) {
	t.Helper()
	list := make([]order, n)
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range list {
		list[i] = order{
			Customer: "c1", ID: orderID(fmt.Sprintf("%03d", i)), Total: int64(i),
			Status: []string{"open", "paid", "sent"}[i%3], PlacedAt: day.AddDate(0, 0, i),
		}
	}
	if err := orders.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

func ids(list []order) string {
	var all []string
	for _, o := range list {
		all = append(all, string(o.ID))
	}
	return strings.Join(all, " ")
}

func TestQuery(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 20)
	if err := orders.Put(ctx, &order{Customer: "c2", ID: "000"}); err != nil {
		t.Fatal(err)
	}
	q := orders.Query("c1")
	for name, tc := range map[string]struct {
		query *ddb.Query[order, orderID]
		want  string
	}{
		"equal":         {q.SortKey(ddb.Eq(orderID("003"))), "003"},
		"less":          {q.SortKey(ddb.Lt(orderID("002"))), "000 001"},
		"at most":       {q.SortKey(ddb.Le(orderID("002"))), "000 001 002"},
		"greater":       {q.SortKey(ddb.Gt(orderID("017"))), "018 019"},
		"at least":      {q.SortKey(ddb.Ge(orderID("017"))), "017 018 019"},
		"between":       {q.SortKey(ddb.Between(orderID("005"), orderID("007"))), "005 006 007"},
		"prefix":        {q.SortKey(ddb.BeginsWith(orderID("01"))).Limit(3), "010 011 012"},
		"text prefix":   {q.SortKey(ddb.BeginsWithText[orderID]("018")), "018"},
		"descending":    {q.Descending().Limit(3), "019 018 017"},
		"filter":        {q.Filter(orderStatus.Eq("paid"), orderTotal.Lt(6)), "001 004"},
		"filters":       {q.Filter(orderStatus.Eq("paid")).Filter(orderTotal.Lt(6)), "001 004"},
		"filter, limit": {q.Filter(orderStatus.Eq("sent")).Limit(3).PageSize(2), "002 005 008"},
		"consistent":    {q.Consistent().Limit(1), "000"},
		"later range":   {q.SortKey(ddb.Eq(orderID("003"))).SortKey(ddb.Eq(orderID("004"))), "004"},
		"nothing":       {orders.Query("none"), ""},
		"other":         {orders.Query("c2"), "000"},
	} {
		got, err := tc.query.Collect(ctx)
		if err != nil || ids(got) != tc.want {
			t.Errorf("%s: got %q, %v; want %q", name, ids(got), err, tc.want)
		}
		if n, err := tc.query.Count(ctx); err != nil || n != len(got) {
			t.Errorf("%s: Count %d, %v; want %d", name, n, err, len(got))
		}
		first, err := tc.query.First(ctx)
		switch {
		case len(got) == 0 && !errors.Is(err, ddb.ErrNotFound):
			t.Errorf("%s: First without items: %v", name, err)
		case len(got) > 0 && (err != nil || first.ID != got[0].ID):
			t.Errorf("%s: First %s, %v", name, first.ID, err)
		}
	}
	projected, err := q.Project(orderTotal).SortKey(ddb.Eq(orderID("007"))).Collect(ctx)
	if diff := cmp.Diff([]order{{Customer: "c1", ID: "007", Total: 7}}, projected); err != nil || diff != "" {
		t.Errorf("projection: %v\n%s", err, diff)
	}
	type summary struct {
		Total  int64  `dynamodbav:"total"`
		Status string `dynamodbav:"status"`
	}
	views, err := ddb.View[summary](q.Filter(orderTotal.Le(1))).Collect(ctx)
	if diff := cmp.Diff([]summary{{0, "open"}, {1, "paid"}}, views); err != nil || diff != "" {
		t.Errorf("view: %v\n%s", err, diff)
	}
}

// TestBuildersCopyQueries: builders return changed copies, and a query can be run again.
func TestBuildersCopyQueries(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 10)
	base := orders.Query("c1").Filter(orderTotal.Gt(2))
	narrow := base.Filter(orderTotal.Lt(5)).Descending().Limit(1)
	wide := base.Limit(2)
	all := base.All(ctx)
	for range 2 {
		for name, tc := range map[string]struct {
			got  iter.Seq2[order, error]
			want string
		}{"narrow": {narrow.All(ctx), "004"}, "wide": {wide.All(ctx), "003 004"}, "base": {all, "003 004 005 006 007 008 009"}} {
			var list []order
			for o, err := range tc.got {
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, o)
			}
			if ids(list) != tc.want {
				t.Errorf("%s: %s, want %s", name, ids(list), tc.want)
			}
		}
	}
}

func TestPages(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 10)
	q := orders.Query("c1").Limit(4)
	var (
		seen   []string
		cursor ddb.Cursor[order]
	)
	for {
		page, err := q.After(cursor).Page(ctx)
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, ids(page.Items))
		if page.Next.IsZero() {
			break
		}
		text := page.Next.String()
		if strings.ContainsAny(text, "+/=&?# ") {
			t.Errorf("cursor text %q is not URL-safe", text)
		}
		if cursor, err = orders.ParseCursor(text); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(seen, "|"); got != "000 001 002 003|004 005 006 007|008 009" {
		t.Errorf("pages %s", got)
	}

	// Forward, then back: each page shows the same items in the same order.
	one, err1 := q.Page(ctx)
	two, err2 := q.After(one.Next).Page(ctx)
	three, err3 := q.After(two.Next).Page(ctx)
	back2, err4 := q.Before(three.Prev).Page(ctx)
	back1, err5 := q.Before(back2.Prev).Page(ctx)
	again2, err6 := q.After(back1.Next).Page(ctx)
	if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
		t.Fatal(err)
	}
	if ids(back2.Items) != ids(two.Items) || ids(back1.Items) != ids(one.Items) || ids(again2.Items) != ids(two.Items) {
		t.Errorf("back: %s, %s; again %s", ids(back2.Items), ids(back1.Items), ids(again2.Items))
	}
	if !one.Prev.IsZero() || two.Prev.IsZero() {
		t.Error("only the first page has no page before it")
	}
	// A page that ends exactly at the first item cannot know that it is the first.
	before, err := q.Before(back1.Prev).Page(ctx)
	if !back1.Prev.IsZero() && (err != nil || len(before.Items) != 0 || !before.Prev.IsZero()) {
		t.Errorf("before the first: %s, %v", ids(before.Items), err)
	}

	var sizes []int
	for page, err := range orders.Query("c1").PageSize(3).Limit(8).Pages(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(page.Items))
	}
	if diff := cmp.Diff([]int{3, 3, 2}, sizes); diff != "" {
		t.Error(diff)
	}
}

// TestQueryRefusals: one error names everything that is wrong with a query, before anything is sent.
func TestQueryRefusals(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	bad := orders.Query("").Filter(orderCustomer.Eq("x"), orderTags.Has("")).Limit(-1).PageSize(0).Project(userName).SortKey(ddb.Eq(orderID("")))
	for name, err := range map[string]error{
		"page":    second(bad.Page(ctx)),
		"count":   second(bad.Count(ctx)),
		"first":   second(bad.First(ctx)),
		"collect": second(bad.Collect(ctx)),
	} {
		for _, w := range []string{"customer_id is empty", "limit -1", "page size 0", "handle of apitest.User", "order_id is empty", "filter on key attribute customer_id"} {
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(fmt.Sprint(err), w) {
				t.Errorf("%s: %v lacks %q", name, err, w)
			}
		}
	}
	if err := second(orders.Query("c").After(ddb.Cursor[order]{}).Before(ddb.Cursor[order]{}).Page(ctx)); err != nil {
		t.Errorf("zero cursors: %v", err)
	}
	if err := second(orders.Query("c").SortKey(ddb.BeginsWithText[orderID]("")).Page(ctx)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("empty prefix: %v", err)
	}
	if err := second(orders.Query("c").Project().Page(ctx)); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("empty projection: %v", err)
	}
}

// TestUnreadableItem: an unreadable item gives an error that names it, after the
// items before it. Nothing is lost silently..
func TestUnreadableItem(t *testing.T) {
	ctx := t.Context()
	client := newClient(t)
	name := tableName(t)
	orders, err := ddb.New(client, name, orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	for bad := range 5 {
		fill(t, orders, 5)
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: &name, Item: map[string]types.AttributeValue{
			"customer_id": &types.AttributeValueMemberS{Value: "c1"}, "order_id": &types.AttributeValueMemberS{Value: fmt.Sprintf("%03d", bad)},
			"total": &types.AttributeValueMemberS{Value: "much"},
		}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := orders.Query("c1").Collect(ctx)
		if len(got) != bad || err == nil || !strings.Contains(err.Error(), "total") {
			t.Errorf("bad item %d: %d items, %v", bad, len(got), err)
		}
		if n, err := orders.Query("c1").Count(ctx); err != nil || n != 5 {
			t.Errorf("Count with a bad item: %d, %v", n, err)
		}
		for o, err := range orders.Query("c1").PageSize(1).All(ctx) {
			if err == nil && o.ID >= orderID(fmt.Sprintf("%03d", bad)) {
				t.Errorf("got item %s after the bad one", o.ID)
			}
		}
	}
}

// TestCountOverManyPages: the count is of the whole query, past the 1 MB of a page.
func TestCountOverManyPages(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	list := make([]order, 12)
	for i := range list {
		list[i] = order{Customer: "big", ID: orderID(fmt.Sprint(i)), Status: strings.Repeat("x", 200_000)}
	}
	if err := orders.BatchPut(ctx, list); err != nil {
		t.Fatal(err)
	}
	if n, err := orders.Query("big").Count(ctx); err != nil || n != 12 {
		t.Errorf("Count %d, %v", n, err)
	}
	if n, err := orders.Query("big").Project(orderTotal).Filter(orderTotal.Eq(0)).Count(ctx); err != nil || n != 12 {
		t.Errorf("Count with projection: %d, %v", n, err)
	}
	page, err := orders.Query("big").Page(ctx)
	if err != nil || len(page.Items) >= 12 || page.Next.IsZero() {
		t.Errorf("first page has %d items, %v", len(page.Items), err)
	}
	if got, err := orders.Query("big").Collect(ctx); err != nil || len(got) != 12 {
		t.Errorf("Collect %d, %v", len(got), err)
	}
}

func TestLoopBreak(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	fill(t, orders, 20)
	for stop := range 20 {
		for name, seq := range map[string]iter.Seq2[order, error]{
			"query": orders.Query("c1").PageSize(3).All(ctx), "scan": orders.Scan().PageSize(3).All(ctx), "parallel": orders.Scan().PageSize(2).Parallel(4).All(ctx),
		} {
			n := 0
			for _, err := range seq {
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if n++; n > stop {
					break
				}
			}
			if n != stop+1 {
				t.Errorf("%s: left after %d items, wanted %d", name, n, stop+1)
			}
		}
	}
	func() {
		defer func() { _ = recover() }()
		for range orders.Query("c1").PageSize(2).All(ctx) {
			panic("in the loop")
		}
	}()
	// TestMain finds leaked goroutines.
}

func TestScan(t *testing.T) {
	ctx := t.Context()
	orders := newOrders(t)
	var list []order
	for i := range 100 {
		list = append(list, order{Customer: customerID(fmt.Sprintf("c%d", i%10)), ID: orderID(fmt.Sprint(i)), Total: int64(i)})
	}
	if err := orders.BatchPut(ctx, list); err != nil {
		t.Fatal(err)
	}
	for name, scan := range map[string]*ddb.Scan[order]{
		"plain": orders.Scan(), "pages": orders.Scan().PageSize(7), "consistent": orders.Scan().Consistent(),
		"parallel": orders.Scan().Parallel(8), "parallel pages": orders.Scan().Parallel(3).PageSize(2),
	} {
		got, err := scan.Filter(orderTotal.Lt(60)).Collect(ctx)
		slices.SortFunc(got, func(a, b order) int { return int(a.Total - b.Total) })
		if err != nil || len(got) != 60 || got[0].Total != 0 || got[59].Total != 59 {
			t.Errorf("%s: %d items, %v", name, len(got), err)
		}
		if n, err := scan.Count(ctx); err != nil || n != 100 {
			t.Errorf("%s: Count %d, %v", name, n, err)
		}
		if got, err := scan.Limit(33).Collect(ctx); err != nil || len(got) != 33 {
			t.Errorf("%s: %d items with limit 33, %v", name, len(got), err)
		}
		if n, err := scan.Limit(33).Count(ctx); err != nil || n != 33 {
			t.Errorf("%s: Count %d with limit 33, %v", name, n, err)
		}
	}
	page, err := orders.Scan().Limit(10).Page(ctx)
	if err != nil || len(page.Items) != 10 {
		t.Fatal(err)
	}
	rest, err := orders.Scan().Limit(1000).After(page.Next).Collect(ctx)
	if err != nil || len(rest) != 90 {
		t.Errorf("%d items after the first 10, %v", len(rest), err)
	}
	if got, err := orders.Scan().Project(orderTotal).First(ctx); err != nil || got.Customer == "" || got.Status != "" {
		t.Errorf("First: customer %q, status %q, %v", got.Customer, got.Status, err)
	}
	type total struct {
		Total int64 `dynamodbav:"total"`
	}
	if got, err := ddb.View[total](orders.Scan().Filter(orderTotal.Eq(7))).First(ctx); err != nil || got.Total != 7 {
		t.Errorf("view: total %d, %v", got.Total, err)
	}
	type hidden struct{ ID string }
	for name, err := range map[string]error{
		"page":       second(orders.Scan().Parallel(2).Page(ctx)),
		"first":      second(orders.Scan().Parallel(2).First(ctx)),
		"after":      second(orders.Scan().Parallel(2).After(page.Next).Collect(ctx)),
		"count":      second(orders.Scan().Parallel(2).After(page.Next).Count(ctx)),
		"none":       second(orders.Scan().Parallel(0).Collect(ctx)),
		"parallel":   second(orders.Scan().Parallel(2).Limit(-1).Collect(ctx)),
		"view":       second(ddb.View[total](orders.Scan().Parallel(2)).Collect(ctx)),
		"wrong view": second(ddb.View[hidden](orders.Scan()).Collect(ctx)),
	} {
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}

func TestLocalIndex(t *testing.T) {
	ctx := t.Context()
	orders, err := ddb.New(newClient(t), tableName(t), orderCustomer, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	byTotal, err := ddb.NewLocalIndex(orders, "by-total", orderTotal)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	fill(t, orders, 10)
	got, err := byTotal.Query("c1").SortKey(ddb.Ge(int64(7))).Descending().Consistent().Collect(ctx)
	if err != nil || ids(got) != "009 008 007" {
		t.Errorf("%s, %v", ids(got), err)
	}
	page, err := byTotal.Query("c1").Limit(4).Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cursor, err := byTotal.ParseCursor(page.Next.String())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := byTotal.Query("c1").Limit(100).After(cursor).Collect(ctx); err != nil || ids(got) != "004 005 006 007 008 009" {
		t.Errorf("%s, %v", ids(got), err)
	}
	if n, err := byTotal.Scan().Consistent().Count(ctx); err != nil || n != 10 {
		t.Errorf("Count %d, %v", n, err)
	}
}
