// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/batches"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/typeditem"
)

type post struct {
	Blog string   `dynamodbav:"blog"`
	ID   int      `dynamodbav:"id"`
	Tag  string   `dynamodbav:"tag,omitempty"`
	Text string   `dynamodbav:"text"`
	Refs []string `dynamodbav:"refs,stringset,omitempty"`
}

var (
	postBlog = ddb.StrField(func(p *post) *string { return &p.Blog })
	postID   = ddb.NumField(func(p *post) *int { return &p.ID })
	postTag  = ddb.StrField(func(p *post) *string { return &p.Tag })
	postText = ddb.StrField(func(p *post) *string { return &p.Text })
)

type (
	posts = ddb.Table[post, string, int]
	byTag = ddb.Index[post, string, int]
)

func postsOn(t interface{ Fatal(...any) }, e *ddbtest.Engine, name string) (*posts, *byTag) {
	table, err := ddb.New(e.Client(), name, postBlog, postID)
	if err != nil {
		t.Fatal(err)
	}
	index, err := ddb.NewIndex(table, "by-tag", postTag, postID)
	if err == nil {
		err = table.EnsureTable(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	return table, index
}

func engine(t *testing.T, rules ...fault.Rule) *ddbtest.Engine {
	t.Helper()
	e := ddbtest.NewEngine(ddbtest.WithFaults(rules...))
	t.Cleanup(e.Close)
	return e
}

func somePosts(n int) []post {
	list := make([]post, n)
	for i := range list {
		list[i] = post{Blog: "b", ID: i, Tag: fmt.Sprint("t", i%2), Text: fmt.Sprint("text ", i)}
	}
	return list
}

// walk reads all items of any query, page by page, as a user's helper would.
func walk[Q ddb.AnyRead[post, Q]](ctx context.Context, q Q) (ids []int, err error) {
	var after ddb.Cursor[post]
	for {
		page, err := q.Filter(postText.Ne("none")).Limit(3).PageSize(2).After(after).Page(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range page.Items {
			ids = append(ids, p.ID)
		}
		if after = page.Next; after.IsZero() {
			return ids, nil
		}
	}
}

// newest reads the last items of any query, oldest first.
func newest[Q ddb.AnyQuery[post, Q]](ctx context.Context, q Q, n int) ([]post, error) {
	got, err := q.Descending().Limit(n).Collect(ctx)
	slices.Reverse(got)
	return got, err
}

// TestAnyQuery: one function serves queries and scans of tables and of indexes.
func TestAnyQuery(t *testing.T) {
	table, index := postsOn(t, engine(t), "posts")
	if err := table.BatchPut(t.Context(), somePosts(10)); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func() ([]int, error){
		"query":       func() ([]int, error) { return walk(t.Context(), table.Query("b").Descending()) },
		"scan":        func() ([]int, error) { return walk(t.Context(), table.Scan()) },
		"index scan":  func() ([]int, error) { return walk(t.Context(), index.Scan()) },
		"index query": func() ([]int, error) { return walk(t.Context(), index.Query("t1")) },
	} {
		ids, err := run()
		want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		if name == "index query" {
			want = []int{1, 3, 5, 7, 9}
		}
		if name == "query" && !slices.IsSortedFunc(ids, func(a, b int) int { return b - a }) {
			t.Errorf("%s: %v", name, ids)
		}
		if slices.Sort(ids); err != nil || !slices.Equal(ids, want) {
			t.Errorf("%s: %v, %v", name, ids, err)
		}
	}
}

// TestAnyQueryOfQueries: the functions that are only for queries accept queries of tables and of indexes.
func TestAnyQueryOfQueries(t *testing.T) {
	table, index := postsOn(t, engine(t), "posts")
	if err := table.BatchPut(t.Context(), somePosts(10)); err != nil {
		t.Fatal(err)
	}
	a, err1 := newest(t.Context(), table.Query("b"), 2)
	b, err2 := newest(t.Context(), index.Query("t0"), 2)
	if err := errors.Join(err1, err2); err != nil || len(a) != 2 || a[0].ID != 8 || len(b) != 2 || b[0].ID != 6 {
		t.Errorf("%v, %v, %v", a, b, err)
	}
}

// TestCursorAfter: the cursor after an item equals that of a page that ends with the item; a key between two items gives a valid cursor too.
func TestCursorAfter(t *testing.T) {
	table, index := postsOn(t, engine(t), "posts")
	if err := table.BatchPut(t.Context(), somePosts(10)); err != nil {
		t.Fatal(err)
	}
	page, err := table.Query("b").Limit(4).Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made, err := ddb.CursorAfter(table.Query("b"), &post{Blog: "b", ID: 3})
	if err != nil || made.String() != page.Next.String() {
		t.Errorf("%s, want %s: %v", made.String(), page.Next.String(), err)
	}
	inIndex, err := index.Query("t1").Limit(2).Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	made, err = ddb.CursorAfter(index.Query("t1"), &post{Blog: "b", ID: 3, Tag: "t1", Text: "other"})
	if err != nil || made.String() != inIndex.Next.String() {
		t.Errorf("index: %s, want %s: %v", made.String(), inIndex.Next.String(), err)
	}
	if err := table.DeleteItem(t.Context(), &post{Blog: "b", ID: 5}); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		desc bool
		want []int
	}{{false, []int{6, 7, 8, 9}}, {true, []int{4, 3, 2, 1, 0}}} {
		q := table.Query("b")
		if tc.desc {
			q = q.Descending()
		}
		after, err := ddb.CursorAfter(q, &post{Blog: "b", ID: 5}) // there is no such item
		if err != nil {
			t.Fatal(err)
		}
		got, err := q.After(after).Collect(t.Context())
		var ids []int
		for _, p := range got {
			ids = append(ids, p.ID)
		}
		if err != nil || !slices.Equal(ids, tc.want) {
			t.Errorf("after 5: %v, %v", ids, err)
		}
	}
	rest, err := table.Scan().Page(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after, err := ddb.CursorAfter(table.Scan(), &rest.Items[6])
	if err != nil {
		t.Fatal(err)
	}
	if got, err := table.Scan().After(after).Collect(t.Context()); err != nil || len(got) != len(rest.Items)-7 {
		t.Errorf("the scan continues with %d of %d items: %v", len(got), len(rest.Items), err)
	}

	for name, tc := range map[string]struct {
		err  func() error
		want string
	}{
		"nil":               {func() error { _, err := ddb.CursorAfter(table.Query("b"), nil); return err }, "the item is nil"},
		"another partition": {func() error { _, err := ddb.CursorAfter(table.Query("b"), &post{Blog: "c"}); return err }, "not in the partition"},
		"no index key":      {func() error { _, err := ddb.CursorAfter(index.Query("t1"), &post{Blog: "b"}); return err }, "lacks some of the key attributes"},
		"an empty key":      {func() error { _, err := ddb.CursorAfter(table.Scan(), &post{}); return err }, "blog"},
		"a wrong query": {func() error {
			_, err := ddb.CursorAfter(table.Query("b").Filter(postID.Gt(1)), &post{Blog: "b"})
			return err
		}, "SortKey"},
		"a zero query": {func() error { _, err := ddb.CursorAfter(&ddb.Scan[post]{}, &post{}); return err }, "zero query"},
		"of another query": {func() error {
			c, err := ddb.CursorAfter(table.Query("b"), &post{Blog: "b", ID: 1})
			if err != nil {
				return err
			}
			_, err = table.Query("b").Descending().After(c).Page(t.Context())
			return err
		}, "cursor"},
	} {
		if err := tc.err(); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v does not say %q", name, err, tc.want)
		}
	}
}

// TestDiffItems compares DiffItems with a model: maps by key.
func TestDiffItems(t *testing.T) {
	table, _ := postsOn(t, engine(t), "posts")
	rapid.Check(t, func(r *rapid.T) {
		side := func(name string) ([]post, map[int]post) {
			m := map[int]post{}
			var list []post
			for _, id := range draw.DistinctInts(r, 0, 6, 0, 7, name) {
				p := post{Blog: "b", ID: id, Text: draw.Of(r, []string{"x", "y"}, "text")}
				list, m[id] = append(list, p), p
			}
			return list, m
		}
		left, inLeft := side("left")
		right, inRight := side("right")
		gone, added, changed, err := typeditem.Diff(table, left, right)
		if err != nil {
			r.Fatal(err)
		}
		var want [3][]int
		for _, p := range left {
			if _, both := inRight[p.ID]; !both {
				want[0] = append(want[0], p.ID)
			}
		}
		for _, p := range right {
			if was, both := inLeft[p.ID]; !both {
				want[1] = append(want[1], p.ID)
			} else if was.Text != p.Text {
				want[2] = append(want[2], p.ID)
			}
		}
		for i, got := range [][]post{gone, added, changed} {
			var ids []int
			for _, p := range got {
				ids = append(ids, p.ID)
			}
			if !slices.Equal(ids, want[i]) {
				r.Fatalf("part %d is %v, want %v", i, ids, want[i])
			}
		}
	})
	gone, _, _, err := typeditem.Diff(table, []post{{Blog: "b", ID: 1}, {Blog: "b", ID: 1}}, []post{{}})
	if gone != nil {
		t.Errorf("an error comes with items: %v", gone)
	}
	for _, want := range []string{"item 1 of before: its key is in the batch twice", "item 0 of after: ", "blog"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
}

// TestBatchTables: one call runs parts of several tables; a failure is named by part, and does not end the others.
func TestBatchTables(t *testing.T) {
	e := engine(t, fault.On("BatchWriteItem").Table("broken").Error("AccessDeniedException", "no"))
	a, _ := postsOn(t, e, "a-posts")
	b, _ := postsOn(t, e, "b-posts")
	broken, _ := postsOn(t, e, "broken")
	list := somePosts(60)
	keys := make([]ddb.Key[string, int], len(list))
	for i, p := range list {
		keys[i] = a.Key(p.Blog, p.ID)
	}
	if err := batches.Run(t.Context(), batches.Write(a, list, nil), batches.Write(b, list[:30], nil)); err != nil {
		t.Fatal(err)
	}
	var fromA, fromB []ddb.Got[post]
	var stats ddb.BatchStats
	if err := batches.Run(t.Context(), batches.Get(a, keys, &fromA, ddb.StatsTo(&stats)), batches.Get(b, keys, &fromB), batches.Write(a, nil, nil)); err != nil {
		t.Fatal(err)
	}
	if stats.Done != 60 {
		t.Errorf("%+v", stats)
	}
	for i := range keys {
		if !fromA[i].Found || fromA[i].Item.Text != list[i].Text || fromB[i].Found != (i < 30) {
			t.Fatalf("item %d: found %t in a, %t in b, or another item", i, fromA[i].Found, fromB[i].Found)
		}
	}
	err := batches.Run(t.Context(), batches.Write(b, nil, keys), batches.Write(broken, list, nil), batches.Get(a, keys, &fromA))
	failed, ok := errors.AsType[*batches.Error](err)
	if !ok || len(failed.Parts) != 3 || failed.Parts[0] != nil || failed.Parts[1] == nil || failed.Parts[2] != nil || !strings.Contains(err.Error(), "part 1: ") || !strings.Contains(err.Error(), "broken") {
		t.Fatalf("%v", err)
	}
	if batch, ok := errors.AsType[*ddb.BatchError](failed.Parts[1]); !ok || len(batch.Failed) != 60 {
		t.Errorf("%v", failed.Parts[1])
	}
	if n, err := b.Scan().Count(t.Context()); n != 0 || err != nil {
		t.Errorf("%d items are left, %v", n, err)
	}
	err = batches.Run(t.Context(), batches.Write(b, list, nil), batches.Part{}, batches.Get(a, keys, nil))
	if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "part 1") || !strings.Contains(err.Error(), "part 2") {
		t.Errorf("empty parts: %v", err)
	}
	if n, err := b.Scan().Count(t.Context()); n != 0 || err != nil {
		t.Errorf("a refused call wrote %d items, %v", n, err)
	}
	if err := batches.Run(t.Context()); err != nil {
		t.Error(err)
	}
}
