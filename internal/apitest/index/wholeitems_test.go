// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/internal/longtest"
)

// part has keys of all kinds, with names and values that JSON escapes.
type part struct {
	Maker string  `dynamodbav:"ma<k>\\er"`
	No    float64 `dynamodbav:"no"`
	Group string  `dynamodbav:"group"`
	At    []byte  `dynamodbav:"at"`
	Rank  int     `dynamodbav:"rank"`
	Even  bool    `dynamodbav:"even"`
	Note  string  `dynamodbav:"note"`
}

var (
	partMaker = ddb.StrField(func(p *part) *string { return &p.Maker })
	partNo    = ddb.NumField(func(p *part) *float64 { return &p.No })
	partGroup = ddb.StrField(func(p *part) *string { return &p.Group })
	partAt    = ddb.BinField(func(p *part) *[]byte { return &p.At })
	partRank  = ddb.NumField(func(p *part) *int { return &p.Rank })
	partEven  = ddb.Field(func(p *part) *bool { return &p.Even })
	partNote  = ddb.StrField(func(p *part) *string { return &p.Note })
)

// partView has the attributes that an index of parts contains.
type partView struct {
	No   float64 `dynamodbav:"no"`
	Even bool    `dynamodbav:"even"`
}

type parts struct {
	table  *ddb.Table[part, string, float64]
	group  *ddb.Index[part, string, []byte]
	local  *ddb.LocalIndex[part, string, int]
	stored []part
}

// newParts makes a table whose indexes hold the keys and one attribute.
func newParts(t testing.TB, client ddb.Client, stored []part, opts ...ddb.TableOption) *parts {
	t.Helper()
	p := &parts{stored: stored}
	var errs [4]error
	p.table, errs[0] = ddb.New(client, tableName(t), partMaker, partNo, opts...)
	p.group, errs[1] = ddb.NewIndex(p.table, "group", partGroup, partAt, ddb.Projecting(partEven))
	p.local, errs[2] = ddb.NewLocalIndex(p.table, "local", partRank, ddb.Projecting(partEven))
	errs[3] = p.table.CreateTable(t.Context())
	if err := errors.Join(errs[:]...); err != nil {
		t.Fatal(err)
	}
	if err := p.table.BatchPut(t.Context(), stored); err != nil {
		t.Fatal(err)
	}
	return p
}

// somePart returns the i-th part, whose position in the indexes differs from that in the table.
func somePart(i int) part {
	return part{Maker: "m", No: float64(i) / 4, Group: "g", At: []byte{byte(i * 37), 255, 0}, Rank: -i, Even: i%2 == 0, Note: fmt.Sprint("note ", i)}
}

func someParts(n int) (list []part) {
	for i := range n {
		list = append(list, somePart(i))
	}
	return list
}

func (p *parts) sorted(order func(a, b part) int, keep func(part) bool) (list []part) {
	for _, it := range p.stored {
		if keep(it) {
			list = append(list, it)
		}
	}
	slices.SortFunc(list, order)
	return list
}

func byAt(a, b part) int   { return bytes.Compare(a.At, b.At) }
func byRank(a, b part) int { return cmp.Compare(a.Rank, b.Rank) }
func byKey(a, b part) int  { return cmp.Or(cmp.Compare(a.Maker, b.Maker), cmp.Compare(a.No, b.No)) }

// TestHydrateModel: every hydrated read of either kind of index gives the whole items that are stored, in the order of the index, for keys of any text, number and
// bytes, whether items travel as bytes or as the SDK's values.
func TestHydrateModel(t *testing.T) {
	text := draw.TextOf(1, 12, 40, `"`, `\`, `{"S":"x"}`, "a\x00b", "</&>", "\u2028", "é😀", "\t\n")
	longtest.Checks(t, 30)
	rapid.Check(t, func(rt *rapid.T) {
		makers, groups := text.List(rt, 2, 2, "makers"), text.List(rt, 2, 2, "groups")
		n := draw.Int(rt, 0, 12, "items")
		var stored []part
		for i := range n {
			one := somePart(i)
			one.Maker, one.Group = draw.Of(rt, makers, "maker"), draw.Of(rt, groups, "group")
			one.No = (float64(i) + float64(draw.Int64(rt, -1e12, 1e12, "no"))) * draw.Of(rt, []float64{1, 0.001, 1e-30, 1e40}, "scale")
			one.At = append(draw.Bytes(rt, 0, 40, "at"), byte(i))
			stored = append(stored, one)
		}
		slices.SortFunc(stored, byKey)
		stored = slices.CompactFunc(stored, func(a, b part) bool { return byKey(a, b) == 0 })
		var opts []ddb.TableOption
		if draw.Bool(rt, "through the SDK") {
			opts = append(opts, ddb.ThroughSDK())
		}
		p := newParts(t, newClient(t), stored, opts...)
		size := draw.Int(rt, 1, 5, "page size")
		group, maker := groups[0], makers[0]
		filtered := draw.Bool(rt, "filtered")
		q, s, l, ls := p.group.Query(group).PageSize(size).Hydrate(), p.group.Scan().PageSize(size).Hydrate(), p.local.Query(maker).PageSize(size).Hydrate(), p.local.Scan().PageSize(size).Hydrate()
		if filtered {
			q, s, l, ls = q.Filter(partEven.Eq(true)), s.Filter(partEven.Eq(true)), l.Filter(partEven.Eq(true)), ls.Filter(partEven.Eq(true))
		}
		keep := func(in func(part) bool) func(part) bool {
			return func(one part) bool { return in(one) && (!filtered || one.Even) }
		}
		inGroup, ofMaker, every := keep(func(one part) bool { return one.Group == group }), keep(func(one part) bool { return one.Maker == maker }), keep(func(part) bool { return true })
		check := func(name string, want []part, got []part, err error) {
			if diff := gocmp.Diff(append([]part{}, want...), got); err != nil || diff != "" {
				rt.Fatalf("%s: %v\n%s", name, err, diff)
			}
		}
		scan := func(got []part, err error) ([]part, error) { slices.SortFunc(got, byKey); return got, err }
		ctx := t.Context()
		got, err := q.Collect(ctx)
		check("query", p.sorted(byAt, inGroup), got, err)
		got, err = q.Descending().Collect(ctx)
		check("descending", p.sorted(func(a, b part) int { return byAt(b, a) }, inGroup), got, err)
		got, err = scan(s.Collect(ctx))
		check("scan", p.sorted(byKey, every), got, err)
		got, err = scan(s.Parallel(2).Collect(ctx))
		check("parallel scan", p.sorted(byKey, every), got, err)
		got, err = l.Collect(ctx)
		check("local query", p.sorted(byRank, ofMaker), got, err)
		got, err = l.Consistent().Collect(ctx)
		check("local query, consistent", p.sorted(byRank, ofMaker), got, err)
		got, err = scan(ls.Collect(ctx))
		if !apitest.OnEndpoint() { // not every engine fetches attributes that a local index lacks
			check("local scan", p.sorted(byKey, every), got, err)
		}
		// Page by page, forward and back.
		limit := draw.Int(rt, 1, 4, "limit")
		there, back := []part{}, []part{}
		var last ddb.Page[part]
		for page := (ddb.Page[part]{}); ; {
			page, err = q.Limit(limit).After(page.Next).Page(ctx)
			if err != nil {
				rt.Fatal(err)
			}
			if there = append(there, page.Items...); len(page.Items) > 0 { // there may be nothing after a full page
				last = page
			}
			if page.Next.IsZero() {
				break
			}
		}
		check("pages", p.sorted(byAt, inGroup), there, nil)
		for back = append(back, last.Items...); !last.Prev.IsZero(); back = append(slices.Clone(last.Items), back...) {
			if last, err = q.Limit(limit).Before(last.Prev).Page(ctx); err != nil {
				rt.Fatal(err)
			}
		}
		check("pages back", p.sorted(byAt, inGroup), back, nil)
		// Views of an index and of its scan.
		want, all := []partView{}, []partView{}
		for _, one := range p.sorted(byAt, inGroup) {
			want = append(want, partView{one.No, one.Even})
		}
		for _, one := range p.sorted(byKey, every) {
			all = append(all, partView{one.No, one.Even})
		}
		view, indexScan := p.group.Query(group), p.group.Scan()
		if filtered {
			view, indexScan = view.Filter(partEven.Eq(true)), indexScan.Filter(partEven.Eq(true))
		}
		of, err := ddb.View[partView](view).Collect(ctx)
		if diff := gocmp.Diff(want, of); err != nil || diff != "" {
			rt.Fatalf("view: %v\n%s", err, diff)
		}
		of = []partView{}
		for page, err := range ddb.View[partView](indexScan.PageSize(size)).Pages(ctx) {
			if err != nil {
				rt.Fatal(err)
			}
			of = append(of, page.Items...)
		}
		order := func(a, b partView) int {
			return cmp.Or(cmp.Compare(a.No, b.No), cmp.Compare(fmt.Sprint(a.Even), fmt.Sprint(b.Even))) // makers may have the same numbers
		}
		slices.SortFunc(of, order)
		slices.SortFunc(all, order)
		if diff := gocmp.Diff(all, of); diff != "" {
			rt.Fatalf("view of a scan:\n%s", diff)
		}
	})
}

// between is a hook that calls a function once, after the first reply of an operation.
type between struct {
	op string
	do func()
}

func (between) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (b *between) End(_ context.Context, call *hooks.Call) {
	if do := b.do; do != nil && call.Operation == b.op {
		b.do = nil
		do()
	}
}

// TestHydrateBetween: items that are deleted between the two reads count as missing, and changed items are returned as they are now, in queries and scans; the cursor continues after their entries.
func TestHydrateBetween(t *testing.T) {
	apitest.NeedsEngine(t, "a write between two requests makes the index older than its table")
	ctx := t.Context()
	for _, op := range []string{"Query", "Scan"} {
		hook := &between{op: op}
		p := newParts(t, newClient(t), someParts(6), ddb.WithHook(hook))
		order := p.sorted(byAt, func(part) bool { return true })
		page := func(limit int, after ddb.Cursor[part]) (ddb.Page[part], error) {
			if op == "Scan" {
				return p.group.Scan().Hydrate().Limit(limit).After(after).Page(ctx)
			}
			return p.group.Query("g").Hydrate().Limit(limit).After(after).Page(ctx)
		}
		hook.do = func() {
			changed := order[1]
			changed.Group, changed.Note = "other", "new"
			if err := errors.Join(p.table.Delete(ctx, "m", order[0].No), p.table.Put(ctx, &changed), p.table.Delete(ctx, "m", order[3].No)); err != nil {
				t.Error(err)
			}
		}
		first, err := page(4, ddb.Cursor[part]{})
		if err != nil || len(first.Items) != 2 || first.Missing != 2 || first.Scanned != 4 {
			t.Fatalf("%s: %d items, %d missing of %d, %v", op, len(first.Items), first.Missing, first.Scanned, err)
		}
		if op == "Query" && (first.Items[0].Note != "new" || first.Items[1].No != order[2].No) {
			t.Error("the query has other items, or an old one")
		}
		rest, err := page(4, first.Next)
		if err != nil || len(rest.Items) != 2 || rest.Missing != 0 || !rest.Next.IsZero() {
			t.Errorf("%s, then: %d items, %d missing, %v", op, len(rest.Items), rest.Missing, err)
		}
	}
}

// TestHydrateUnprocessed: keys that the service leaves unprocessed are read again, and the order is kept.
func TestHydrateUnprocessed(t *testing.T) {
	apitest.NeedsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		client := ddbtest.New(t, ddbtest.WithFaults(fault.On("BatchGetItem").Every(2).Unprocessed(7), fault.On("BatchGetItem").Nth(1).Unprocessed(60), fault.On("BatchGetItem").Nth(3).Throttle(),
			fault.On("Query").Nth(1).TruncateBody(), fault.On("Query").Nth(2).InternalError()))
		p := newParts(t, client, someParts(130))
		want := p.sorted(byAt, func(part) bool { return true })
		meter := cost.NewBudget(cost.Limits{})
		got, err := p.group.Query("g").Hydrate().Collect(ddb.WithBudget(t.Context(), meter))
		if diff := gocmp.Diff(len(want), len(got)); err != nil || diff != "" {
			t.Fatalf("%v\n%s", err, diff)
		}
		seen := map[float64]bool{}
		for i, one := range got {
			if !bytes.Equal(one.At, want[i].At) || one.Note == "" || seen[one.No] {
				t.Fatalf("item %d is another one, is incomplete or repeated", i)
			}
			seen[one.No] = true
		}
		if spent := meter.Spent(); spent.Requests < 5 {
			t.Errorf("%+v", spent)
		}
	})
}

// TestHydrateBudget: the reads from the table count, and a budget that ends between the two reads loses no item: the cursor is before the first item that was not read.
func TestHydrateBudget(t *testing.T) {
	ctx := t.Context()
	p := newParts(t, newClient(t), someParts(40))
	reads := map[string]func(context.Context, ddb.Cursor[part]) ([]part, error){
		"query": func(ctx context.Context, c ddb.Cursor[part]) ([]part, error) {
			return p.group.Query("g").Hydrate().PageSize(7).After(c).Collect(ctx)
		},
		"scan": func(ctx context.Context, c ddb.Cursor[part]) ([]part, error) {
			return p.group.Scan().Hydrate().PageSize(7).After(c).Collect(ctx)
		},
	}
	for name, read := range reads {
		for _, l := range []cost.Limits{{Requests: 3}, {Requests: 4}, {Items: 20}, {ReadUnits: 6}} {
			var (
				all    []part
				cursor ddb.Cursor[part]
				stops  int
			)
			for range 100 {
				budget := cost.NewBudget(l)
				got, err := read(ddb.WithBudget(ctx, budget), cursor)
				all = append(all, got...)
				if spent := budget.Spent(); l.Requests > 0 && spent.Requests > l.Requests || l.Items > 0 && spent.Items > l.Items {
					t.Fatalf("%s: spent %+v of %+v", name, spent, l)
				}
				if err == nil {
					break
				}
				exceeded, ok := errors.AsType[*cost.BudgetExceeded](err)
				if !ok {
					t.Fatalf("%s, %+v: %v", name, l, err)
				}
				stops++
				if cursor, err = p.group.ParseCursor(exceeded.Cursor); err != nil {
					t.Fatal(err)
				}
			}
			slices.SortFunc(all, byKey)
			if diff := gocmp.Diff(p.stored, all); stops == 0 || diff != "" {
				t.Errorf("%s, %+v: %d stops, %d items\n%s", name, l, stops, len(all), diff)
			}
		}
	}
}

// TestHydrateLocal: the same request fetches attributes that a local index does not hold, also for filters and projections; a query without Hydrate returns what the index holds.
func TestHydrateLocal(t *testing.T) {
	apitest.NeedsEngine(t, "not every engine fetches from the table what a local index lacks")
	ctx := t.Context()
	p := newParts(t, newClient(t), someParts(5))
	plain, err := p.local.Query("m").First(ctx)
	if err != nil || plain.Note != "" || plain.Maker != "m" {
		t.Errorf("without Hydrate: note %q, maker %q, %v", plain.Note, plain.Maker, err)
	}
	page, err := p.local.Query("m").Hydrate().Limit(3).Page(ctx)
	if err != nil || len(page.Items) != 3 || page.Items[0].Note != "note 4" || page.Requests != 1 || page.Missing != 0 {
		t.Errorf("a page of %d items in %d requests, %d missing, %v", len(page.Items), page.Requests, page.Missing, err)
	}
	// All entries together cost half a unit, each item costs one.
	if page.Consumed.ReadUnits != 0.5+3*0.5 {
		t.Errorf("%v read units", page.Consumed.ReadUnits)
	}
	some, err := p.local.Query("m").Hydrate().Project(partNote).Limit(1).Collect(ctx)
	if diff := gocmp.Diff([]part{{Maker: "m", No: 1, Rank: -4, Note: "note 4"}}, some); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if n, err := p.local.Query("m").Hydrate().Count(ctx); err != nil || n != 5 {
		t.Errorf("%d, %v", n, err)
	}
	type noted struct {
		Note string `dynamodbav:"note"`
	}
	if v, err := ddb.View[noted](p.local.Query("m").Hydrate()).First(ctx); err != nil || v.Note != "note 4" {
		t.Errorf("a view of the hydrated query: note %q, %v", v.Note, err)
	}
	if v, err := ddb.View[noted](p.local.Scan()).Collect(ctx); err != nil || len(v) != 5 || v[0].Note == "" {
		t.Errorf("a view of the scan: %d items, or no note, %v", len(v), err)
	}
}

// TestHydrateRefuses: calls that make no sense are refused before anything is sent.
func TestHydrateRefuses(t *testing.T) {
	p := newParts(t, newClient(t), nil)
	type noted struct {
		Note string `dynamodbav:"note"`
	}
	type other struct {
		Note int `dynamodbav:"note"`
	}
	for name, tc := range map[string]struct {
		read func(context.Context) error
		text string
	}{
		"table query":           {func(ctx context.Context) error { return second(p.table.Query("m").Hydrate().Collect(ctx)) }, "the items of a table are whole"},
		"table scan":            {func(ctx context.Context) error { return second(p.table.Scan().Hydrate().Collect(ctx)) }, "the items of a table are whole"},
		"view of the hydrated":  {func(ctx context.Context) error { return second(ddb.View[noted](p.group.Scan().Hydrate()).Collect(ctx)) }, "a view of a hydrated"},
		"view beyond the index": {func(ctx context.Context) error { return second(ddb.View[noted](p.group.Scan()).Collect(ctx)) }, "index group does not hold attribute note"},
		"view of another kind":  {func(ctx context.Context) error { return second(ddb.View[other](p.group.Scan()).Collect(ctx)) }, "is stored as"},
		"parallel view": {func(ctx context.Context) error {
			return second(ddb.View[partView](p.group.Scan().Parallel(2)).Collect(ctx))
		}, "parallel scan"},
		"filter beyond the index": {func(ctx context.Context) error {
			return second(p.group.Scan().Hydrate().Filter(partNote.Eq("x")).Collect(ctx))
		}, "which index group does not hold"},
		"nil query": {func(ctx context.Context) error {
			return second((*ddb.Query[part, float64])(nil).Hydrate().Collect(ctx))
		}, "a zero query"},
		"no query": {func(ctx context.Context) error { return second(ddb.View[partView](ddb.Paged[part](nil)).Collect(ctx)) }, "a zero query"},
	} {
		meter := cost.NewBudget(cost.Limits{})
		err := tc.read(ddb.WithBudget(t.Context(), meter))
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), tc.text) || meter.Spent().Requests > 0 {
			t.Errorf("%s: %v, %+v", name, err, meter.Spent())
		}
	}
}

// TestHydrateForeignEntry: a reply with an entry that lacks the key of its item is refused, whatever the index.
func TestHydrateForeignEntry(t *testing.T) {
	apitest.NeedsEngine(t, "the test changes a reply")
	p := newParts(t, &keyless{Client: newClient(t)}, someParts(2))
	if _, err := p.group.Query("g").Hydrate().Page(t.Context()); err == nil || strings.Contains(err.Error(), "note") || !strings.Contains(err.Error(), "key") {
		t.Error(err)
	}
}

// keyless removes the sort key of the table from replies to queries.
type keyless struct{ apitest.Client }

func (k *keyless) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	out, err := k.Client.Query(ctx, in, opts...)
	if err == nil {
		for _, item := range out.Items {
			delete(item, "no")
		}
	}
	return out, err
}
