package ddb_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
)

// point of a random table: keys of bytes and numbers, an attribute to filter and one to index.
type entry struct {
	Part  string `dynamodbav:"part"`
	Sort  []byte `dynamodbav:"sort"`
	Score int    `dynamodbav:"score"`
	Group string `dynamodbav:"group,omitempty"`
}

var (
	entryPart  = ddb.StrField(func(e *entry) *string { return &e.Part })
	entrySort  = ddb.BinField(func(e *entry) *[]byte { return &e.Sort })
	entryScore = ddb.NumField(func(e *entry) *int { return &e.Score })
	entryGroup = ddb.StrField(func(e *entry) *string { return &e.Group })
)

// reader is what queries on tables and indexes have in common.
type reader interface {
	Page(context.Context) (ddb.Page[entry], error)
	Collect(context.Context) ([]entry, error)
	Count(context.Context) (int, error)
}

// TestQueriesAgainstModel: random queries on random tables, their global and local
// indexes give what a sorted slice gives, for every page size, limit, filter,
// direction, and page after page by cursors.
func TestQueriesAgainstModel(t *testing.T) {
	client := newClient(t)
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		table, err := ddb.New(client, tableName(t), entryPart, entrySort)
		if err != nil {
			rt.Fatal(err)
		}
		byGroup, err := ddb.NewIndex(table, "by-group", entryGroup, entryScore)
		if err != nil {
			rt.Fatal(err)
		}
		byScore, err := ddb.NewLocalIndex(table, "by-score", entryScore)
		if err != nil {
			rt.Fatal(err)
		}
		if err := table.CreateTable(ctx); err != nil {
			rt.Fatal(err)
		}
		model := drawEntries(rt)
		if err := table.BatchPut(ctx, model); err != nil {
			rt.Fatal(err)
		}
		for range 4 {
			checkQuery(ctx, rt, model, table, byGroup, byScore)
		}
		_ = table.DeleteTable(ctx, ddb.AllowDelete(table.Name()))
	})
}

func drawEntries(rt *rapid.T) []entry {
	model := rapid.SliceOfNDistinct(rapid.Custom(func(rt *rapid.T) entry {
		return entry{
			Part: rapid.SampledFrom([]string{"p", "q"}).Draw(rt, "part"), Sort: rapid.SliceOfN(rapid.Byte(), 1, 2).Draw(rt, "sort"),
			Score: rapid.IntRange(-5, 5).Draw(rt, "score"), Group: rapid.SampledFrom([]string{"", "g", "h"}).Draw(rt, "group"),
		}
	}), 0, 40, func(e entry) string { return e.Part + string(e.Sort) })
	return model.Draw(rt, "items")
}

// byTable breaks ties of equal index keys by nothing that DynamoDB promises, so
// the model compares results of indexes as sorted lists.
func byTable(a, b entry) int { return bytes.Compare(a.Sort, b.Sort) }

func byIndex(a, b entry) int { return cmp.Compare(a.Score, b.Score) }

func checkQuery(ctx context.Context, rt *rapid.T, model []entry, table *ddb.Table[entry, string, []byte], byGroup *ddb.Index[entry, string, int], byScore *ddb.LocalIndex[entry, string, int]) {
	var (
		what       = rapid.SampledFrom([]string{"table", "global", "local"}).Draw(rt, "what")
		descending = rapid.Bool().Draw(rt, "descending")
		limit      = rapid.IntRange(0, 50).Draw(rt, "limit")
		pageSize   = rapid.IntRange(0, 50).Draw(rt, "page size")
		filtered   = rapid.Bool().Draw(rt, "filtered")
		low        = rapid.IntRange(-6, 6).Draw(rt, "low")
		bound      = rapid.SliceOfN(rapid.Byte(), 1, 2).Draw(rt, "bound")
	)
	keep := func(e entry) bool { return !filtered || len(e.Sort) == 1 }
	var (
		want  []entry
		order = byIndex
		build func(limit int, after ddb.Cursor[entry]) reader
	)
	switch what {
	case "table":
		order = byTable
		for _, e := range model {
			if e.Part == "p" && bytes.Compare(e.Sort, bound) >= 0 && (!filtered || e.Score >= low) {
				want = append(want, e)
			}
		}
		build = func(limit int, after ddb.Cursor[entry]) reader {
			q := table.Query("p").SortKey(ddb.Ge(bound)).Limit(limit).After(after)
			if filtered {
				q = q.Filter(entryScore.Ge(low))
			}
			if pageSize > 0 {
				q = q.PageSize(pageSize)
			}
			if descending {
				q = q.Descending()
			}
			return q
		}
	case "global":
		for _, e := range model {
			if e.Group == "g" && e.Score >= low && keep(e) {
				want = append(want, e)
			}
		}
		build = func(limit int, after ddb.Cursor[entry]) reader {
			q := byGroup.Query("g").SortKey(ddb.Ge(low)).Limit(limit).After(after)
			if filtered {
				q = q.Filter(entrySort.Size().Eq(1))
			}
			if pageSize > 0 {
				q = q.PageSize(pageSize)
			}
			if descending {
				q = q.Descending()
			}
			return q
		}
	case "local":
		for _, e := range model {
			if e.Part == "p" && e.Score >= low && keep(e) {
				want = append(want, e)
			}
		}
		build = func(limit int, after ddb.Cursor[entry]) reader {
			q := byScore.Query("p").SortKey(ddb.Ge(low)).Limit(limit).After(after)
			if filtered {
				q = q.Filter(entrySort.Size().Eq(1))
			}
			if pageSize > 0 {
				q = q.PageSize(pageSize)
			}
			if descending {
				q = q.Descending()
			}
			return q
		}
	}
	all, err := build(0, ddb.Cursor[entry]{}).Collect(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	sameItems(rt, want, all, order, descending)
	if n, err := build(0, ddb.Cursor[entry]{}).Count(ctx); err != nil || n != len(want) {
		rt.Fatalf("Count %d, %v; want %d", n, err, len(want))
	}
	some, err := build(limit, ddb.Cursor[entry]{}).Collect(ctx)
	if err != nil {
		rt.Fatal(err)
	}
	if limit == 0 {
		limit = len(all)
	}
	if fmt.Sprint(some) != fmt.Sprint(all[:min(limit, len(all))]) {
		rt.Fatalf("limit %d gave %v of %v", limit, some, all)
	}
	byPages(ctx, rt, all, max(limit, 1), build)
}

// byPages walks by cursors: no item is lost or doubled, no page is longer than the limit.
func byPages(ctx context.Context, rt *rapid.T, all []entry, limit int, build func(int, ddb.Cursor[entry]) reader) {
	var (
		walked []entry
		cursor ddb.Cursor[entry]
	)
	for pages := 0; ; pages++ {
		page, err := build(limit, cursor).Page(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		if len(page.Items) > limit || len(page.Items) < limit && !page.Next.IsZero() || pages > len(all)+2 {
			rt.Fatalf("page %d has %d items with limit %d, more: %v", pages, len(page.Items), limit, !page.Next.IsZero())
		}
		walked = append(walked, page.Items...)
		if cursor = page.Next; cursor.IsZero() {
			break
		}
	}
	if fmt.Sprint(walked) != fmt.Sprint(all) {
		rt.Fatalf("pages of %d gave %v, want %v", limit, walked, all)
	}
}

func sameItems(rt *rapid.T, want, got []entry, order func(a, b entry) int, descending bool) {
	for i := range len(got) - 1 {
		d := order(got[i], got[i+1])
		if descending && d < 0 || !descending && d > 0 {
			rt.Fatalf("items %d and %d are out of order: %v", i, i+1, got)
		}
	}
	text := func(list []entry) string {
		sorted := slices.Clone(list)
		slices.SortFunc(sorted, func(a, b entry) int { return cmp.Or(cmp.Compare(a.Part, b.Part), byTable(a, b)) })
		return fmt.Sprint(sorted)
	}
	if text(got) != text(want) {
		rt.Fatalf("got %v, want %v", got, want)
	}
}
