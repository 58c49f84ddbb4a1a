// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/multikey"
)

// place has attributes for indexes of all kinds.
type place struct {
	ID      string    `dynamodbav:"id"`
	Country string    `dynamodbav:"country,omitempty"`
	City    string    `dynamodbav:"city,omitempty"`
	Year    int       `dynamodbav:"year"`
	Month   int       `dynamodbav:"month"`
	Name    string    `dynamodbav:"name"`
	Note    string    `dynamodbav:"note"`
	Opened  time.Time `dynamodbav:"opened"`
	Nick    *string   `dynamodbav:"nick,omitempty"`
}

var (
	placeID      = ddb.StrField(func(p *place) *string { return &p.ID })
	placeCountry = ddb.StrField(func(p *place) *string { return &p.Country })
	placeCity    = ddb.StrField(func(p *place) *string { return &p.City })
	placeYear    = ddb.NumField(func(p *place) *int { return &p.Year })
	placeMonth   = ddb.NumField(func(p *place) *int { return &p.Month })
	placeName    = ddb.StrField(func(p *place) *string { return &p.Name })
	placeNote    = ddb.StrField(func(p *place) *string { return &p.Note })
)

func names(list []place) string {
	var all []string
	for _, p := range list {
		all = append(all, p.ID)
	}
	return strings.Join(all, " ")
}

func TestIndexes(t *testing.T) {
	ctx := t.Context()
	places, err := ddb.NewSimple(newClient(t), tableName(t), placeID)
	if err != nil {
		t.Fatal(err)
	}
	byCountry, err1 := ddb.NewIndex(places, "by-country", placeCountry, placeYear)
	byCity, err2 := ddb.NewSimpleIndex(places, "by-city", placeCity, ddb.KeysOnly())
	byName, err3 := ddb.NewSimpleIndex(places, "by-name", placeName, ddb.Projecting(placeYear, placeName))
	if err := errors.Join(err1, err2, err3, places.CreateTable(ctx)); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		p := place{ID: fmt.Sprintf("%02d", i), Year: 2000 + i%4, Month: i, Name: "n", Note: "x"}
		if i%3 != 0 { // every third item is not in the sparse indexes
			p.Country, p.City = "CH", fmt.Sprintf("city%d", i%2)
		}
		if err := places.Put(ctx, &p); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		query *ddb.IndexQuery[place, int]
		count int
	}{
		"all":        {byCountry.Query("CH"), 8},
		"range":      {byCountry.Query("CH").SortKey(ddb.Ge(2002)), 4},
		"filter":     {byCountry.Query("CH").Filter(placeMonth.Gt(5)), 4},
		"none":       {byCountry.Query("DE"), 0},
		"descending": {byCountry.Query("CH").Descending().Limit(3).PageSize(1), 3},
		"projection": {byCountry.Query("CH").Project(placeName), 8},
	} {
		got, err := tc.query.Collect(ctx)
		if err != nil || len(got) != tc.count {
			t.Errorf("%s: %s, %v; want %d items", name, names(got), err, tc.count)
		}
		if n, err := tc.query.Count(ctx); err != nil || n != tc.count {
			t.Errorf("%s: Count %d, %v", name, n, err)
		}
	}

	// Page by page over equal sort keys: the table's key is in the cursor.
	var (
		pages  []string
		cursor ddb.Cursor[place]
	)
	for {
		page, err := byCountry.Query("CH").Limit(3).After(cursor).Page(ctx)
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, names(page.Items))
		if page.Next.IsZero() {
			break
		}
		if cursor, err = byCountry.ParseCursor(page.Next.String()); err != nil {
			t.Fatal(err)
		}
	}
	whole, _ := byCountry.Query("CH").Collect(ctx)
	if got := strings.Join(pages, " "); strings.TrimSpace(got) != names(whole) {
		t.Errorf("pages %q, in one page %q", got, names(whole))
	}
	one, err1 := byCountry.Query("CH").Limit(3).Page(ctx)
	two, err2 := byCountry.Query("CH").Limit(3).After(one.Next).Page(ctx)
	back, err3 := byCountry.Query("CH").Limit(3).Before(two.Prev).Page(ctx)
	if err := errors.Join(err1, err2, err3); err != nil || names(back.Items) != names(one.Items) {
		t.Errorf("back: %s, want %s; %v", names(back.Items), names(one.Items), err)
	}

	got, err := byCity.Query("city1").First(ctx)
	if want := (place{ID: got.ID, City: "city1"}); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("keys only: %+v, %v", got, err)
	}
	named, err := byName.Query("n").Filter(placeYear.Eq(2001)).First(ctx)
	if want := (place{ID: named.ID, Name: "n", Year: 2001}); err != nil || cmp.Diff(want, named) != "" {
		t.Errorf("included: %+v, %v", named, err)
	}
	type city struct {
		City string `dynamodbav:"city"`
	}
	if v, err := ddb.View[city](byCity.Query("city1")).First(ctx); err != nil || v.City != "city1" {
		t.Errorf("view: %+v, %v", v, err)
	}
	for name, err := range map[string]error{
		"filter":     second(byCity.Query("city1").Filter(placeNote.Eq("x")).Page(ctx)),
		"projection": second(byCity.Query("city1").Project(placeNote).Page(ctx)),
		"scan":       second(byName.Scan().Filter(placeNote.Eq("x")).Page(ctx)),
	} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "does not hold attribute note") && !strings.Contains(err.Error(), "does not hold") {
			t.Errorf("%s of an attribute that is not projected: %v", name, err)
		}
	}
	if n, err := byCountry.Scan().Count(ctx); err != nil || n != 8 {
		t.Errorf("scan of a sparse index counts %d, %v", n, err)
	}
	s := byCountry.Scan().Filter(placeMonth.Lt(6)).Project(placeMonth).PageSize(2)
	if got, err := s.Limit(2).Collect(ctx); err != nil || len(got) != 2 {
		t.Errorf("scan with limit: %d, %v", len(got), err)
	}
	if got, err := s.Parallel(3).Collect(ctx); err != nil || len(got) != 4 {
		t.Errorf("parallel scan: %d, %v", len(got), err)
	}
	page, err := byCity.Scan().Limit(3).Page(ctx)
	if err != nil || len(page.Items) != 3 {
		t.Fatal(err)
	}
	rest := 0
	for _, err := range byCity.Scan().After(page.Next).All(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		rest++
	}
	if rest != 5 {
		t.Errorf("%d items after the first 3 of 8", rest)
	}
	if _, err := byName.Scan().First(ctx); err != nil {
		t.Error(err)
	}
	if byCity.IndexName() != "by-city" {
		t.Error(byCity.IndexName())
	}
}

// TestMultiAttributeKeys: all partition attributes are equal, sort attributes from the left.
func TestMultiAttributeKeys(t *testing.T) {
	if os.Getenv("DYNAMODB_ENGINE") == "dynoxide" {
		t.Skip("dynoxide takes the definition of such an index but cannot query it")
	}
	ctx := t.Context()
	places, err := ddb.NewSimple(newClient(t), tableName(t), placeID)
	if err != nil {
		t.Fatal(err)
	}
	when := multikey.Of3(placeYear, placeMonth, placeName)
	byPlace, err := ddb.NewIndex(places, "by-place", multikey.Of2(placeCountry, placeCity), when)
	if err != nil {
		t.Fatal(err)
	}
	if err := places.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	if diffs, err := places.VerifyTable(ctx); err != nil || len(diffs) != 0 {
		t.Errorf("%v, %v", diffs, err)
	}
	for i := range 24 {
		p := place{ID: fmt.Sprintf("%02d", i), Country: "CH", City: []string{"Bern", "Chur"}[i%2], Year: 2000 + i/12, Month: i / 2 % 6, Name: string(rune('a' + i%3))}
		if err := places.Put(ctx, &p); err != nil {
			t.Fatal(err)
		}
	}
	q := byPlace.Query(multikey.K2("CH", "Bern"))
	for name, tc := range map[string]struct {
		cond ddb.SortCond[multikey.Three[int, int, string]]
		want string
	}{
		"year":           {multikey.FirstOne(when, ddb.Eq(2001)), "12 14 16 18 20 22"},
		"years":          {multikey.FirstOne(when, ddb.Ge(2001)), "12 14 16 18 20 22"},
		"months":         {multikey.FirstTwo(when, ddb.Between(multikey.K2(2000, 1), multikey.K2(2000, 2))), "02 04"},
		"all three":      {ddb.Eq(multikey.K3(2000, 1, "c")), "02"},
		"prefix of last": {ddb.BeginsWithText[multikey.Three[int, int, string]]("x"), ""},
	} {
		got, err := q.SortKey(tc.cond).Collect(ctx)
		if name == "prefix of last" {
			if !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil || names(got) != tc.want {
			t.Errorf("%s: %q, %v; want %q", name, names(got), err, tc.want)
		}
	}
	page, err := q.Limit(5).Page(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rest, err := q.Limit(50).After(page.Next).Collect(ctx)
	if err != nil || len(page.Items)+len(rest) != 12 {
		t.Errorf("%d and %d items, %v", len(page.Items), len(rest), err)
	}
	for name, cond := range map[string]ddb.SortCond[multikey.Three[int, int, string]]{
		"range before the last": ddb.Between(multikey.K3(2000, 1, "a"), multikey.K3(2000, 2, "b")),
	} {
		if _, err := q.SortKey(cond).Page(ctx); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	four := multikey.Of4(placeYear, placeMonth, placeName, placeNote)
	byYear, err := ddb.NewSimpleIndex(places, "by-year", four)
	if err != nil {
		t.Fatal(err)
	}
	if err := places.EnsureTable(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := byYear.Query(multikey.K4(2000, 1, "c", "")).Page(ctx); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "note is empty") {
		t.Errorf("empty key attribute: %v", err)
	}
	if _, err := byYear.Query(multikey.K4(2000, 1, "c", "n")).Page(ctx); err != nil {
		t.Error(err)
	}
}

func TestIndexRefusals(t *testing.T) {
	places, err := ddb.NewSimple(newClient(t), tableName(t), placeID)
	if err != nil {
		t.Fatal(err)
	}
	five := multikey.Of2(multikey.Of4(placeCountry, placeCity, placeName, placeNote), placeYear)
	opened := ddb.Field(func(p *place) **int { return new(*int) })
	_, err = ddb.NewIndex(places, "a b", five, multikey.Of2(placeYear, opened), ddb.Projecting(), nil, ddb.Projecting(userName))
	for _, w := range []string{"only letters", "5 partition and 2 sort", "does not return a stored field", "no attributes; use KeysOnly", "option is nil", "handle of apitest.User"} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
	if _, err := ddb.NewIndex(places, "twice", placeYear, placeYear); err == nil || !strings.Contains(err.Error(), "is twice in the index key") {
		t.Errorf("attribute twice: %v", err)
	}
	for range 2 {
		if _, err := ddb.NewIndex(places, "same", placeYear, placeMonth); err != nil {
			t.Errorf("the same definition: %v", err)
		}
	}
	if _, err := ddb.NewIndex(places, "same", placeYear, placeMonth, ddb.KeysOnly()); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("another definition: %v", err)
	}
}

// TestDerivedHandlesAreNoKeys: the handle of the value that a pointer field points to is refused as a key and as an option; the handle of the field itself is accepted.
func TestDerivedHandlesAreNoKeys(t *testing.T) {
	pointer := ddb.Field(func(p *place) **string { return &p.Nick })
	table, err := ddb.NewSimple(newClient(t), tableName(t), placeID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ddb.NewSimpleIndex(table, "by-nick", pointer); err != nil {
		t.Error(err)
	}
	_, err1 := ddb.NewSimpleIndex(table, "by-nick", ddb.AsStr(ddb.Deref(pointer)))
	_, err2 := ddb.NewSimple(newClient(t), tableName(t), placeID, ddb.Derive(ddb.Deref(pointer), func(p *place) (string, bool) { return p.ID, true }, placeID))
	for _, err := range []error{err1, err2} {
		if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "attribute nick is not named by the handle of its field") {
			t.Error(err)
		}
	}
}
