// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/multikey"
)

// entry is an item of a random table: keys of bytes, text and numbers, and an attribute to group by.
type entry struct {
	Part  string `dynamodbav:"part"`
	Sort  []byte `dynamodbav:"sort"`
	Score int    `dynamodbav:"score"`
	Name  string `dynamodbav:"name"`
	Group string `dynamodbav:"group,omitempty"`
}

var (
	entryPart  = ddb.StrField(func(e *entry) *string { return &e.Part })
	entrySort  = ddb.BinField(func(e *entry) *[]byte { return &e.Sort })
	entryScore = ddb.NumField(func(e *entry) *int { return &e.Score })
	entryName  = ddb.StrField(func(e *entry) *string { return &e.Name })
	entryGroup = ddb.StrField(func(e *entry) *string { return &e.Group })
)

// entries is a table with indexes of every kind.
type entries struct {
	table   *ddb.Table[entry, string, []byte]
	byGroup *ddb.Index[entry, string, int]
	byScore *ddb.LocalIndex[entry, string, int]
	byName  *ddb.LocalIndex[entry, string, string]
	inverse *ddb.Index[entry, []byte, string]
	simple  *ddb.SimpleIndex[entry, string]
	pair    *ddb.Index[entry, multikey.Two[string, string], multikey.Two[int, []byte]]
}

func newEntries(t testing.TB) *entries {
	t.Helper()
	table, err := ddb.New(newClient(t), tableName(t), entryPart, entrySort)
	if err != nil {
		t.Fatal(err)
	}
	x := &entries{table: table}
	errs := make([]error, 6)
	x.byGroup, errs[0] = ddb.NewIndex(table, "by-group", entryGroup, entryScore)
	x.byScore, errs[1] = ddb.NewLocalIndex(table, "by-score", entryScore)
	x.byName, errs[2] = ddb.NewLocalIndex(table, "by-name", entryName)
	x.inverse, errs[3] = ddb.NewIndex(table, "inverse", entrySort, entryPart)
	x.simple, errs[4] = ddb.NewSimpleIndex(table, "simple", entryGroup)
	if os.Getenv("DYNAMODB_ENGINE") != "dynoxide" { // this engine cannot query such an index
		x.pair, errs[5] = ddb.NewIndex(table, "pair", multikey.Of2(entryGroup, entryPart), multikey.Of2(entryScore, entrySort))
	}
	if err := errors.Join(errors.Join(errs...), table.CreateTable(t.Context())); err != nil {
		t.Fatal(err)
	}
	return x
}

// reader has the methods that queries on tables and indexes share.
type reader interface {
	Page(ctx context.Context) (ddb.Page[entry], error)
	Pages(ctx context.Context) iter.Seq2[ddb.Page[entry], error]
	All(ctx context.Context) iter.Seq2[entry, error]
	Collect(ctx context.Context) ([]entry, error)
	Count(ctx context.Context) (int, error)
	First(ctx context.Context) (entry, error)
}

type builder[Q any] interface {
	reader
	Filter(conds ...ddb.Cond[entry]) Q
	Descending() Q
	Limit(n int) Q
	PageSize(n int) Q
	After(c ddb.Cursor[entry]) Q
	Before(c ddb.Cursor[entry]) Q
}

// asked describes a random query, without its key condition.
type asked struct {
	descending bool
	pageSize   int
	filter     ddb.Cond[entry]
}

type build func(limit int, after, before ddb.Cursor[entry]) reader

func shaped[Q builder[Q]](q Q, s asked) build {
	if s.descending {
		q = q.Descending()
	}
	if s.pageSize > 0 {
		q = q.PageSize(s.pageSize)
	}
	q = q.Filter(s.filter)
	return func(limit int, after, before ddb.Cursor[entry]) reader {
		return q.Limit(limit).After(after).Before(before)
	}
}

// TestQueriesAgainstModel: random queries on random tables and their indexes return
// the same items as a sorted slice, for every page size, limit, filter and direction, and page by page with cursors in
// both directions.
func TestQueriesAgainstModel(t *testing.T) {
	x := newEntries(t)
	ctx := t.Context()
	longtest.Checks(t, 30)
	rapid.Check(t, func(rt *rapid.T) {
		model := drawEntries(rt)
		if err := x.table.BatchPut(ctx, model); err != nil {
			rt.Fatal(err)
		}
		for range 6 {
			checkQuery(ctx, rt, model, x)
		}
		var keys []ddb.Key[string, []byte]
		for _, e := range model {
			keys = append(keys, x.table.Key(e.Part, e.Sort))
		}
		if err := x.table.BatchDelete(ctx, keys); err != nil {
			rt.Fatal(err)
		}
	})
}

func drawEntries(rt *rapid.T) []entry {
	text := draw.TextWith(1, 3, "abü𝄞\uffff\U0010ffff\x00\x7f")
	var model []entry
	taken := map[string]bool{}
	for range draw.Int(rt, 0, 40, "items") {
		e := entry{
			Part: draw.Of(rt, []string{"p", "q"}, "part"), Sort: draw.Bytes(rt, 1, 2, "sort"),
			Score: draw.AnyInt(rt, "score"), Name: text.Draw(rt, "name"), Group: draw.Of(rt, []string{"", "g", "h"}, "group"),
		}
		if draw.Bool(rt, "small score") {
			e.Score = draw.Int(rt, -5, 5, "score")
		}
		if key := e.Part + string(e.Sort); !taken[key] {
			taken[key] = true
			model = append(model, e)
		}
	}
	return model
}

func bySort(a, b entry) int { return bytes.Compare(a.Sort, b.Sort) }

func checkQuery(ctx context.Context, rt *rapid.T, model []entry, x *entries) {
	var (
		what  = draw.Of(rt, []string{"table", "global", "score", "name", "inverse", "simple", "pair"}, "what")
		limit = draw.Int(rt, 0, 50, "limit")
		s     = asked{descending: draw.Bool(rt, "descending"), pageSize: draw.Int(rt, 0, 50, "page size")}
		low   = draw.Int(rt, -6, 6, "low")
		bound = draw.Bytes(rt, 1, 2, "bound")
		keep  = func(entry) bool { return true }
		order func(a, b entry) int // an index orders by sort key; ties have no order
		in    func(entry) bool
		query build
	)
	if draw.Bool(rt, "filtered") {
		// A filter on the name, which is a key of one index only: there it is refused.
		part := draw.Of(rt, []string{"a", "ü", "\uffff"}, "part of the name")
		if what != "name" {
			s.filter, keep = entryName.Contains(part), func(e entry) bool { return strings.Contains(e.Name, part) }
		}
	}
	byScore := func(a, b entry) int { return cmp.Compare(a.Score, b.Score) }
	switch what {
	case "table":
		order, in = bySort, func(e entry) bool { return e.Part == "p" && bytes.Compare(e.Sort, bound) >= 0 }
		query = shaped(x.table.Query("p").SortKey(ddb.Ge(bound)), s)
	case "global":
		order, in = byScore, func(e entry) bool { return e.Group == "g" && e.Score >= low }
		query = shaped(x.byGroup.Query("g").SortKey(ddb.Ge(low)), s)
	case "score":
		order, in = byScore, func(e entry) bool { return e.Part == "p" && e.Score < low }
		query = shaped(x.byScore.Query("p").SortKey(ddb.Lt(low)), s)
	case "name":
		order, in = func(a, b entry) int { return cmp.Compare(a.Name, b.Name) }, func(e entry) bool { return e.Part == "p" && e.Name >= "b" }
		query = shaped(x.byName.Query("p").SortKey(ddb.Ge("b")).Consistent(), s)
	case "inverse":
		order, in = func(a, b entry) int { return cmp.Compare(a.Part, b.Part) }, func(e entry) bool { return bytes.Equal(e.Sort, bound[:1]) }
		query = shaped(x.inverse.Query(bound[:1]), s)
	case "simple":
		order, in = func(entry, entry) int { return 0 }, func(e entry) bool { return e.Group == "h" }
		query = shaped(x.simple.Query("h"), s)
	case "pair":
		if x.pair == nil {
			return
		}
		order = func(a, b entry) int { return cmp.Or(byScore(a, b), bySort(a, b)) }
		in = func(e entry) bool { return e.Group == "g" && e.Part == "p" && e.Score > low }
		query = shaped(x.pair.Query(multikey.K2("g", "p")).SortKey(multikey.FirstOne(multikey.Of2(entryScore, entrySort), ddb.Gt(low))), s)
	}
	var want []entry
	for _, e := range model {
		if in(e) && keep(e) {
			want = append(want, e)
		}
	}
	start := ddb.Cursor[entry]{}
	all := checkWhole(ctx, rt, want, query(0, start, start))
	for i := range len(all) - 1 {
		if d := order(all[i], all[i+1]); s.descending && d < 0 || !s.descending && d > 0 {
			rt.Fatalf("items %d and %d are out of order: %v", i, i+1, all)
		}
	}
	some, err := query(limit, start, start).Collect(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	if limit == 0 {
		limit = max(len(all), 1)
	}
	if fmt.Sprint(some) != fmt.Sprint(all[:min(limit, len(all))]) {
		rt.Fatalf("limit %d gave %v of %v", limit, some, all)
	}
	if n, err := query(limit, start, start).Count(ctx); err != nil || n != len(some) {
		rt.Fatalf("Count with limit %d: %d, %v; want %d", limit, n, err, len(some))
	}
	walk(ctx, rt, all, limit, query)
}

// checkWhole compares all ways to run a query with each other and with the model.
func checkWhole(ctx context.Context, rt *rapid.T, want []entry, q reader) []entry {
	all, err := q.Collect(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	text := func(list []entry) string {
		sorted := slices.Clone(list)
		slices.SortFunc(sorted, func(a, b entry) int { return cmp.Or(cmp.Compare(a.Part, b.Part), bySort(a, b)) })
		return fmt.Sprint(sorted)
	}
	if text(all) != text(want) {
		rt.Fatalf("got %v, want %v", all, want)
	}
	if n, err := q.Count(ctx); err != nil || n != len(want) {
		rt.Fatalf("Count %d, %v; want %d", n, err, len(want))
	}
	first, err := q.First(ctx)
	if len(all) == 0 && !errors.Is(err, ddb.ErrNotFound) || len(all) > 0 && (err != nil || fmt.Sprint(first) != fmt.Sprint(all[0])) {
		rt.Fatalf("First %v, %v of %v", first, err, all)
	}
	var paged []entry
	for page, err := range q.Pages(ctx) {
		if err != nil {
			rt.Fatal(err)
		}
		paged = append(paged, page.Items...)
	}
	if fmt.Sprint(paged) != fmt.Sprint(all) {
		rt.Fatalf("pages %v, all %v", paged, all)
	}
	return all
}

// walk goes from page to page by cursors and back again: no item is lost or repeated, no
// page is longer than the limit, and only the last may be shorter.
func walk(ctx context.Context, rt *rapid.T, all []entry, limit int, query build) {
	var (
		pages [][]entry
		start ddb.Cursor[entry]
		page  ddb.Page[entry]
		err   error
	)
	for {
		if page, err = query(limit, page.Next, start).Page(ctx); err != nil {
			rt.Fatal(err)
		}
		if n := len(page.Items); n > limit || n < limit && !page.Next.IsZero() || len(pages) > len(all)+2 {
			rt.Fatalf("page %d has %d items with limit %d, more: %v", len(pages), n, limit, !page.Next.IsZero())
		}
		if len(page.Items) > 0 {
			pages = append(pages, page.Items)
		}
		if page.Next.IsZero() {
			break
		}
	}
	if got := fmt.Sprint(slices.Concat(pages...)); got != fmt.Sprint(all) {
		rt.Fatalf("pages of %d gave %s, want %v", limit, got, all)
	}
	if page.Prev.IsZero() {
		return // one page, or an empty one after the last
	}
	for i := len(pages) - 2; i >= 0; i-- {
		if page, err = query(limit, start, page.Prev).Page(ctx); err != nil {
			rt.Fatal(err)
		}
		if fmt.Sprint(page.Items) != fmt.Sprint(pages[i]) {
			rt.Fatalf("back to page %d with limit %d: %v, want %v", i, limit, page.Items, pages[i])
		}
		again, err := query(limit, page.Next, start).Page(ctx)
		if err != nil || fmt.Sprint(again.Items) != fmt.Sprint(pages[i+1]) {
			rt.Fatalf("and forward to page %d: %v, %v; want %v", i+1, again.Items, err, pages[i+1])
		}
	}
	if page.Prev.IsZero() {
		return
	}
	if page, err = query(limit, start, page.Prev).Page(ctx); err != nil || len(page.Items) != 0 || !page.Prev.IsZero() {
		rt.Fatalf("before the first page: %v, %v", page.Items, err)
	}
}
