// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/multikey"
)

type (
	player string
	game   string
)

type score struct {
	Player player `dynamodbav:"player"`
	Game   game   `dynamodbav:"game"`
	Level  string `dynamodbav:"level,omitempty"`
	Points int64  `dynamodbav:"points"`
	Note   string `dynamodbav:"note,omitempty"`
}

var (
	scorePlayer = ddb.StrField(func(s *score) *player { return &s.Player })
	scoreGame   = ddb.StrField(func(s *score) *game { return &s.Game })
	scoreLevel  = ddb.StrField(func(s *score) *string { return &s.Level })
	scorePoints = ddb.NumField(func(s *score) *int64 { return &s.Points })
	scoreNote   = ddb.StrField(func(s *score) *string { return &s.Note })
)

type (
	scores = ddb.Table[score, player, game]
	levels = ddb.Index[score, string, int64]
)

func newScores(t *testing.T) (*scores, *levels) {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	table, err := ddb.New(e.Client(), "scores", scorePlayer, scoreGame)
	if err != nil {
		t.Fatal(err)
	}
	byLevel, err := ddb.NewIndex(table, "by-level", scoreLevel, scorePoints)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	var list []score
	for i := range 6 {
		list = append(list, score{Player: "ann", Game: game(fmt.Sprint("g", i)), Level: "low", Points: int64(i)})
	}
	if err := table.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	return table, byLevel
}

func games(list []score) (all string) {
	for _, s := range list {
		all += string(s.Game) + " "
	}
	return strings.TrimSpace(all)
}

// TestBuilders: a query that is derived from another never changes it, nor other derived queries, before or after it ran.
func TestBuilders(t *testing.T) {
	table, byLevel := newScores(t)
	ctx := t.Context()
	base := table.Query("ann").Filter(scorePoints.Ge(1))
	low := base.Filter(scorePoints.Le(4))
	steps := map[string]*ddb.Query[score, game]{
		"g1 g2 g3 g4 g5": base,
		"g1 g2 g3 g4":    low,
		"g4 g3 g2 g1":    low.Descending(),
		"g1 g2":          low.Limit(2),
		"g4 g3":          low.Limit(2).Descending(),
		"g2 g3":          low.SortKey(ddb.Between(game("g2"), game("g3"))),
		"g3 g4":          low.SortKey(ddb.Ge(game("g3"))),
		"g3":             low.SortKey(ddb.Ge(game("g3"))).Filter(scorePoints.Lt(4)),
	}
	for range 2 {
		for want, q := range steps {
			got, err := q.Collect(ctx)
			if err != nil || games(got) != want {
				t.Errorf("got %q, want %q, %v", games(got), want, err)
			}
		}
	}
	first, err := low.Limit(2).Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := low.Limit(2).After(first.Next).Page(ctx)
	if err != nil || games(second.Items) != "g3 g4" {
		t.Errorf("second page: %q, %v", games(second.Items), err)
	}
	back, err := low.Limit(2).Before(second.Prev).Page(ctx)
	if err != nil || games(back.Items) != "g1 g2" {
		t.Errorf("page before: %q, %v", games(back.Items), err)
	}
	if n, err := low.Count(ctx); n != 4 || err != nil {
		t.Error("the query that was continued has changed:", n, err)
	}
	x := byLevel.Query("low")
	if _, err := x.Limit(-1).Collect(ctx); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	if got, err := x.Hydrate().Descending().Collect(ctx); err != nil || games(got) != "g5 g4 g3 g2 g1 g0" {
		t.Errorf("%q, %v", games(got), err)
	}
	if got, err := x.Collect(ctx); err != nil || games(got) != "g0 g1 g2 g3 g4 g5" {
		t.Errorf("the query that was hydrated has changed: %q, %v", games(got), err)
	}
	s := table.Scan()
	if got, err := s.Parallel(3).Collect(ctx); err != nil || len(got) != 6 {
		t.Error(len(got), err)
	}
	if page, err := s.Page(ctx); err != nil || len(page.Items) != 6 {
		t.Error("the scan that was split has changed:", len(page.Items), err)
	}
}

// TestFirstOfSeveral: a condition on the first attributes of a key implies nothing for the later ones, not even that they are present.
func TestFirstOfSeveral(t *testing.T) {
	table, _ := newScores(t)
	ctx := t.Context()
	key := multikey.Of4(scoreLevel, scorePoints, scoreGame, scoreNote)
	x, err := ddb.NewIndex(table, "by-all", scorePlayer, key)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.EnsureTable(ctx); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		s := score{Player: "eve", Game: game(fmt.Sprint("g", i)), Level: []string{"high", "low"}[i/4], Points: int64(i / 2 % 2), Note: "n"}
		if err := table.Put(ctx, &s); err != nil {
			t.Fatal(err)
		}
	}
	for want, cond := range map[string]ddb.SortCond[multikey.Four[string, int64, game, string]]{
		"g0 g1 g2 g3": multikey.FirstOne(key, ddb.Eq("high")),
		"g4 g5 g6 g7": multikey.FirstOne(key, ddb.BeginsWith("l")),
		"g6 g7":       multikey.FirstTwo(key, ddb.Ge(multikey.K2("low", int64(1)))),
		"g2":          multikey.FirstThree(key, ddb.Lt(multikey.K3("high", int64(1), game("g3")))),
		"g4 g5":       multikey.FirstThree(key, ddb.Between(multikey.K3("low", int64(0), game("g4")), multikey.K3("low", int64(0), game("g9")))),
		"g1":          ddb.Eq(multikey.K4("high", int64(0), game("g1"), "n")),
	} {
		got, err := x.Query("eve").SortKey(cond).Collect(ctx)
		if err != nil || games(got) != want {
			t.Errorf("got %q, want %q, %v", games(got), want, err)
		}
	}
	for what, cond := range map[string]ddb.SortCond[multikey.Four[string, int64, game, string]]{
		"note is empty":  ddb.Eq(multikey.K4("high", int64(0), game("g1"), "")),
		"level is empty": multikey.FirstTwo(key, ddb.Eq(multikey.K2("", int64(0)))),
		"zero":           multikey.FirstOne(key, ddb.SortCond[string]{}),
	} {
		if _, err := x.Query("eve").SortKey(cond).Collect(ctx); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestPagesShareNothing: the caller may keep and change the slices of pages.
func TestPagesShareNothing(t *testing.T) {
	table, _ := newScores(t)
	var pages [][]score
	for page, err := range table.Query("ann").PageSize(2).Pages(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range page.Items {
			page.Items[i].Points += 100
		}
		pages = append(pages, append(page.Items, score{Game: "mine"}))
	}
	if len(pages) != 3 {
		t.Fatal(len(pages))
	}
	for i, p := range pages {
		want := fmt.Sprintf("g%d g%d mine", 2*i, 2*i+1)
		if games(p) != want || p[0].Points != int64(100+2*i) {
			t.Errorf("page %d: %q, want %q", i, games(p), want)
		}
	}
	all, err := table.Query("ann").PageSize(4).Collect(t.Context())
	if err != nil || games(all) != "g0 g1 g2 g3 g4 g5" {
		t.Errorf("%q, %v", games(all), err)
	}
}

// TestVerbsByKey: every verb accepts a key, made by Key or taken from an item.
func TestVerbsByKey(t *testing.T) {
	table, _ := newScores(t)
	ctx := t.Context()
	s := score{Player: "bob", Game: "chess", Points: 7}
	key := table.KeyOf(&s)
	if key != table.Key("bob", "chess") {
		t.Fatal("KeyOf gives another key")
	}
	if err := table.Create(ctx, &s); err != nil {
		t.Fatal(err)
	}
	if got, err := table.GetKey(ctx, key, ddb.Consistent()); err != nil || got.Points != 7 {
		t.Error(got.Points, err)
	}
	if ok, err := table.ExistsKey(ctx, key); !ok || err != nil {
		t.Error(ok, err)
	}
	if got, err := table.Update(ctx, key, scorePoints.Add(1)); err != nil || got.Points != 8 {
		t.Error(got.Points, err)
	}
	if err := table.DeleteKey(ctx, key, ddb.If(scorePoints.Eq(7))); !errors.Is(err, ddb.ErrConditionFailed) {
		t.Error(err)
	}
	var old score
	if err := table.DeleteKey(ctx, key, ddb.ReturnOld(&old)); err != nil || old.Points != 8 {
		t.Error(old.Points, err)
	}
	if _, err := table.GetKey(ctx, key); !errors.Is(err, ddb.ErrNotFound) {
		t.Error(err)
	}
	if got := table.KeyOf(nil); got != (ddb.Key[player, game]{}) {
		t.Error("the key of no item is", got)
	}
	all, err := table.Query("ann").Collect(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if err := ddb.BatchDeleteItems(ctx, table, all[:4]); err != nil {
		t.Fatal(err)
	}
	left, err := table.Query("ann").Collect(ctx)
	if err != nil || games(left) != "g4 g5" {
		t.Errorf("%q, %v", games(left), err)
	}
}

// TestNames: tables, indexes and queries print their names and never a key value.
func TestNames(t *testing.T) {
	table, byLevel := newScores(t)
	for want, v := range map[string]fmt.Stringer{
		"scores":                table,
		"scores/by-level":       byLevel,
		"Query scores":          table.Query("secret").Filter(scoreLevel.Eq("secret")),
		"Query scores/by-level": byLevel.Query("secret"),
		"Scan scores":           table.Scan(),
		"Scan scores/by-level":  byLevel.Scan(),
	} {
		for _, got := range []string{v.String(), fmt.Sprint(v), fmt.Sprintf("%+v", v), fmt.Sprintf("%s", v)} { //nolint:staticcheck // S1025: the verb is what is tested
			if got != want {
				t.Errorf("%T prints %q, want %q", v, got, want)
			}
		}
		e := reflect.ValueOf(v).Elem().Interface()
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%t"} {
			for _, printed := range []any{v, e, []any{v, e}, struct{ Q any }{v}, struct{ q any }{e}} {
				if text := fmt.Sprintf(verb, printed); strings.Contains(text, "secret") || strings.Contains(text, "736563726574") {
					t.Errorf("%s of a %T shows a value: %s", verb, printed, text)
				}
			}
		}
	}
}

// TestZeroRefused calls every method of nil and zero tables, indexes and queries: none panics, and all those with an error result return one.
func TestZeroRefused(t *testing.T) {
	var (
		nilTable  *scores
		nilSimple *ddb.SimpleTable[score, player]
		nilIndex  *levels
		nilQuery  *ddb.Query[score, game]
		nilIQuery *ddb.IndexQuery[score, int64]
		nilScan   *ddb.Scan[score]
		nilIScan  *ddb.IndexScan[score]
		nilView   *ddb.Reader[score]
	)
	failed, err := ddb.New(nil, "x", scorePlayer, scoreGame)
	if err == nil {
		t.Fatal("a table without a client")
	}
	for _, v := range []any{
		nilTable, new(scores), failed, nilSimple, new(ddb.SimpleTable[score, player]), nilIndex, new(levels),
		(*ddb.SimpleIndex[score, string])(nil), new(ddb.SimpleIndex[score, string]), (*ddb.LocalIndex[score, player, int64])(nil), new(ddb.LocalIndex[score, player, int64]),
		nilQuery, new(ddb.Query[score, game]), nilIQuery, new(ddb.IndexQuery[score, int64]), nilScan, new(ddb.Scan[score]),
		nilIScan, new(ddb.IndexScan[score]), nilView, new(ddb.Reader[score]),
		nilTable.Query("x"), nilSimple.Scan(), nilIndex.Query("x"), nilIndex.Scan(), failed.Query("x"), failed.Scan(), ddb.View[score](nilQuery),
		failed.Query("x").Filter(scorePoints.Eq(1)).Limit(3).SortKey(ddb.Eq(game("x"))), ddb.View[score](failed.Query("x")),
	} {
		rejected(t, reflect.ValueOf(v))
	}
	if err := ddb.Transact(t.Context(), nil, nilTable.TxPut(&score{}), nilTable.TxDelete(nilTable.Key("a", "b"))); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	if err := ddb.TransactGet(t.Context(), nil, nilTable.TxGet(nilTable.Key("a", "b"), &ddb.Got[score]{})); !errors.Is(err, ddb.ErrInvalid) {
		t.Error(err)
	}
	if _, err := ddb.GetView[score](t.Context(), nilTable, nilTable.Key("a", "b")); err == nil {
		t.Error("a view from no table")
	}
	if err := ddb.BatchDeleteItems(t.Context(), nilTable, []score{{}}); err == nil {
		t.Error("a batch on no table")
	}
	if _, err := ddb.NewIndex(nilTable, "i", scoreLevel, scorePoints); err == nil {
		t.Error("an index of no table")
	}
	if _, err := ddb.New(nil, "x", scorePlayer, ddb.KeyField[score, game](nil)); err == nil || !strings.Contains(err.Error(), "sort key") {
		t.Error("a table with a sort key that is nil:", err)
	}
}

var errorType = reflect.TypeFor[error]()

// rejected calls the methods of v.
func rejected(t *testing.T, v reflect.Value) {
	t.Helper()
	named := []string{"Name", "IndexName", "String", "Format", "Key", "KeyOf"}
	for i := range v.NumMethod() {
		m := v.Type().Method(i)
		if slices.Contains(named, m.Name) && m.Name != "KeyOf" {
			if m.Name == "String" {
				_ = v.Method(i).Call(nil)
			}
			continue
		}
		call := fmt.Sprintf("%v.%s", v.Type(), m.Name)
		out := v.Method(i).Call(arguments(m.Type))
		for _, o := range out {
			switch {
			case o.Type() == errorType:
				if o.IsNil() {
					t.Errorf("%s of a zero value gives no error", call)
				}
			case o.Kind() == reflect.Func: // a sequence ends with an error
				if err := lastError(o); err == nil {
					t.Errorf("%s of a zero value yields no error", call)
				}
			}
		}
	}
}

// arguments returns zero values for a method, except for contexts.
func arguments(m reflect.Type) []reflect.Value {
	var args []reflect.Value
	for i := 1; i < m.NumIn(); i++ {
		if m.IsVariadic() && i == m.NumIn()-1 {
			break
		}
		if m.In(i) == reflect.TypeFor[context.Context]() {
			args = append(args, reflect.ValueOf(context.Background()))
			continue
		}
		args = append(args, reflect.Zero(m.In(i)))
	}
	return args
}

// lastError returns the last error that a Seq2 yields.
func lastError(seq reflect.Value) (last error) {
	for _, err := range seq.Seq2() {
		if e, ok := reflect.TypeAssert[error](err); ok {
			last = e
		}
	}
	return last
}
