// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/apitest/draw"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/vector"
)

// score computes a score by the definition of the distance, with 64 bits.
func score(d schema.VectorDistance, a, b []float32) float64 {
	var dot, aa, bb, square float64
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		dot, aa, bb, square = dot+x*y, aa+x*x, bb+y*y, square+(x-y)*(x-y)
	}
	switch d {
	case schema.Euclidean:
		return math.Sqrt(square)
	case schema.DotProduct:
		return dot
	}
	if aa == 0 || bb == 0 {
		return 1
	}
	return 1 - dot/math.Sqrt(aa)/math.Sqrt(bb)
}

// TestSearchModel: after random puts, updates and deletes, a search returns the nearest items of the partition that pass the filters, with their scores, as sorting all items does.
func TestSearchModel(t *testing.T) {
	vectorOf := func(rt *rapid.T, label string) []float32 {
		return draw.Float32s(rt, -4, 4, []float32{0, 1, -1, 0.1, 1e-20, 3.5e10}, dimensions, label)
	}
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		distance := draw.Of(rt, []schema.VectorDistance{schema.Cosine, schema.Euclidean, schema.DotProduct}, "distance")
		client := apitest.NewClient(t)
		d := newDocs(t, client, distance)
		for i := range draw.Int(rt, 0, 25, "writes") {
			one := doc{
				Tenant: draw.Of(rt, []string{"a", "b"}, "tenant"), ID: fmt.Sprint(draw.Int(rt, 0, 15, "id")),
				Lang: draw.Of(rt, []string{"en", "de"}, "lang"), Year: draw.Int(rt, 1, 2, "year"), Title: fmt.Sprint("title ", i),
			}
			if draw.Int(rt, 0, 4, "vector") > 0 {
				one.Meaning = vectorOf(rt, "meaning")
			}
			var err error
			switch verb := draw.Of(rt, []string{"put", "batch", "transact", "update", "delete"}, "verb"); {
			case verb == "put":
				err = d.table.Put(ctx, &one)
			case verb == "batch":
				err = d.table.BatchPut(ctx, []doc{one})
			case verb == "transact":
				err = ddb.Transact(ctx, client, d.table.TxPut(&one))
			case verb == "delete":
				err = d.table.Delete(ctx, one.Tenant, one.ID)
			case one.Meaning == nil:
				_, err = d.table.Upsert(ctx, d.table.KeyOf(&one), ddb.Remove(docMeaning), docTitle.Set(one.Title), docLang.Set(one.Lang), docYear.Set(one.Year))
			default:
				_, err = d.table.Upsert(ctx, d.table.KeyOf(&one), docMeaning.Set(one.Meaning), docTitle.Set(one.Title), docLang.Set(one.Lang), docYear.Set(one.Year))
			}
			if err != nil {
				rt.Fatal(err)
			}
		}
		stored, err := d.table.Scan().Collect(ctx)
		if err != nil {
			rt.Fatal(err)
		}
		model := map[string]doc{}
		for _, one := range stored {
			model[one.Tenant+one.ID] = one
		}
		query, n := vectorOf(rt, "query"), draw.Int(rt, 1, 6, "n")
		tenant := draw.Of(rt, []string{"a", "b", "none"}, "of")
		var filters []ddb.Cond[doc]
		lang, year := draw.Of(rt, []string{"", "en", "fr"}, "by lang"), draw.Int(rt, 0, 2, "by year")
		switch {
		case lang != "" && year > 0 && draw.Bool(rt, "and"):
			filters = []ddb.Cond[doc]{ddb.And(docLang.Eq(lang), docYear.Eq(year))}
		default:
			if lang != "" {
				filters = append(filters, docLang.Eq(lang))
			}
			if year > 0 {
				filters = append(filters, docYear.Eq(year))
			}
		}
		check := func(name string, hits []vector.Hit[doc], err error, in func(doc) bool, holds func(doc) doc) {
			if err != nil {
				rt.Fatal(name, err)
			}
			var want []vector.Hit[doc]
			for _, one := range model {
				if one.Meaning != nil && in(one) {
					want = append(want, vector.Hit[doc]{Item: one, Score: score(distance, one.Meaning, query)})
				}
			}
			slices.SortFunc(want, func(a, b vector.Hit[doc]) int {
				if distance.LowerIsBetter() {
					return cmp.Compare(a.Score, b.Score)
				}
				return cmp.Compare(b.Score, a.Score)
			})
			want = want[:min(n, len(want))]
			if len(hits) != len(want) {
				rt.Fatalf("%s: %d hits, want %d", name, len(hits), len(want))
			}
			for i, h := range hits {
				// Near ties may change places, so scores are compared.
				if off := math.Abs(h.Score - want[i].Score); off > 1e-4*max(1, math.Abs(want[i].Score)) {
					rt.Fatalf("%s: hit %d has %v, want %v", name, i, h.Score, want[i].Score)
				}
				stored, ok := model[h.Item.Tenant+h.Item.ID]
				if !ok || !in(stored) {
					rt.Fatalf("%s: a hit is not in the model", name)
				}
				if diff := gocmp.Diff(holds(stored), h.Item); diff != "" {
					rt.Fatalf("%s: %s", name, diff)
				}
			}
		}
		hits, err := d.near.Search(ctx, tenant, query, n, filters...)
		check("near", hits, err, func(one doc) bool {
			return one.Tenant == tenant && (lang == "" || one.Lang == lang) && (year == 0 || one.Year == year)
		}, func(one doc) doc { one.Meaning = nil; return one })
		hits, err = d.all.Search(ctx, query, n)
		check("all", hits, err, func(doc) bool { return true }, func(one doc) doc { return doc{Tenant: one.Tenant, ID: one.ID, Title: one.Title} })
	})
}

var someDocs = []doc{
	{Tenant: "t", ID: "east", Lang: "en", Year: 1, Title: "East", Meaning: []float32{10, 0, 0}},
	{Tenant: "t", ID: "north", Lang: "en", Year: 2, Title: "North", Meaning: []float32{0, 1, 0}},
	{Tenant: "t", ID: "north-east", Lang: "de", Year: 2, Title: "Nordost", Meaning: []float32{1, 1, 0}},
	{Tenant: "t", ID: "plain", Lang: "en", Year: 2, Title: "No vector"},
	{Tenant: "u", ID: "east", Lang: "en", Year: 2, Title: "Other tenant", Meaning: []float32{1, 0, 0}},
}

var east = []float32{1, 0, 0}

// TestSearch: the order by each distance.
func TestSearch(t *testing.T) {
	for distance, want := range map[schema.VectorDistance]string{
		schema.Cosine: "[east north-east north]", schema.Euclidean: "[north-east north east]", schema.DotProduct: "[east north-east north]",
	} {
		d := newDocs(t, apitest.NewClient(t), distance)
		d.put(t, someDocs...)
		hits, err := d.near.Search(t.Context(), "t", east, 100)
		if got := fmt.Sprint(ids(hits)); err != nil || got != want {
			t.Errorf("%s: %s, %v, want %s", distance, got, err, want)
		}
		better := slices.IsSortedFunc(hits, func(a, b vector.Hit[doc]) int {
			if distance.LowerIsBetter() {
				return cmp.Compare(a.Score, b.Score)
			}
			return cmp.Compare(b.Score, a.Score)
		})
		if !better {
			t.Errorf("%s: %+v", distance, hits)
		}
		if hits, err := d.near.Search(t.Context(), "nobody", east, 3); err != nil || hits == nil || len(hits) > 0 {
			t.Errorf("nothing: %+v, %v", hits, err)
		}
	}
}

// TestSearchRefuses: one error names everything that is wrong with a search, before anything is sent.
func TestSearchRefuses(t *testing.T) {
	sent := 0
	d := newDocs(t, ddbtest.New(t, ddbtest.WithObserver(func(r fault.Request) {
		if r.Operation == "SearchVectors" {
			sent++
		}
	})), schema.Cosine)
	var none *vector.Index[doc, string]
	nan := float32(math.NaN())
	for name, tc := range map[string]struct {
		search func() ([]vector.Hit[doc], error)
		texts  []string
	}{
		"short":     {func() ([]vector.Hit[doc], error) { return d.near.Search(t.Context(), "t", east[:2], 1) }, []string{"2 elements, the index takes 3"}},
		"long":      {func() ([]vector.Hit[doc], error) { return d.all.Search(t.Context(), make([]float32, 4), 1) }, []string{"4 elements, the index takes 3"}},
		"nil":       {func() ([]vector.Hit[doc], error) { return d.all.Search(t.Context(), nil, 1) }, []string{"0 elements"}},
		"no number": {func() ([]vector.Hit[doc], error) { return d.all.Search(t.Context(), []float32{1, nan, 1}, 1) }, []string{"element 1 of the vector is no finite number"}},
		"none":      {func() ([]vector.Hit[doc], error) { return d.near.Search(t.Context(), "t", east, 0) }, []string{"the 0 nearest: 1 to 100"}},
		"too many":  {func() ([]vector.Hit[doc], error) { return d.near.Search(t.Context(), "t", east, 101) }, []string{"the 101 nearest: 1 to 100"}},
		"no tenant": {func() ([]vector.Hit[doc], error) { return d.near.Search(t.Context(), "", east, 1) }, []string{"tenant"}},
		"range":     {func() ([]vector.Hit[doc], error) { return d.near.Search(t.Context(), "t", east, 1, docYear.Gt(1)) }, []string{"filter year > ?: a search takes conditions for equality"}},
		"or": {func() ([]vector.Hit[doc], error) {
			return d.near.Search(t.Context(), "t", east, 1, ddb.Or(docYear.Eq(1), docLang.Eq("en")))
		}, []string{"a search takes conditions for equality"}},
		"not": {func() ([]vector.Hit[doc], error) {
			return d.near.Search(t.Context(), "t", east, 1, ddb.Not(docYear.Eq(1)))
		}, []string{"a search takes conditions for equality"}},
		"attributes": {func() ([]vector.Hit[doc], error) {
			return d.near.Search(t.Context(), "t", east, 1, ddb.EqAttr(docLang, docTitle))
		}, []string{"a search takes conditions for equality"}},
		"partition": {func() ([]vector.Hit[doc], error) {
			return d.near.Search(t.Context(), "t", east, 1, docTenant.Eq("t"))
		}, []string{"filter on attribute tenant, which is the partition"}},
		"unnamed": {func() ([]vector.Hit[doc], error) { return d.all.Search(t.Context(), east, 1, docLang.Eq("en")) }, []string{"filter on attribute lang, which is none of the SearchFilters"}},
		"twice": {func() ([]vector.Hit[doc], error) {
			return d.near.Search(t.Context(), "t", east, 1, docLang.Eq("en"), docLang.Eq("de"))
		}, []string{"two filters on attribute lang"}},
		"all at once": {func() ([]vector.Hit[doc], error) {
			return d.near.Search(t.Context(), "t", nil, 500, docYear.Gt(1), docTitle.Eq("x"))
		},
			[]string{"0 elements", "the 500 nearest", "year > ?", "attribute title"}},
		"nil index": {func() ([]vector.Hit[doc], error) { return none.Search(t.Context(), "t", east, 1) }, []string{"zero table or index"}},
		"zero index": {func() ([]vector.Hit[doc], error) {
			return new(vector.SimpleIndex[doc]).Search(t.Context(), east, 1)
		}, []string{"zero table or index"}},
	} {
		hits, err := tc.search()
		if hits != nil || !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v, %v", name, hits, err)
			continue
		}
		for _, text := range tc.texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v lacks %q", name, err, text)
			}
		}
	}
	if sent > 0 {
		t.Errorf("%d searches were sent", sent)
	}
	bare, err := ddb.New(struct{ ddb.Client }{ddbtest.New(t)}, "bare", docTenant, docID)
	if err != nil {
		t.Fatal(err)
	}
	x, err := vector.NewSimple(bare, "all", docMeaning, dimensions, schema.Cosine)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Search(t.Context(), east, 1); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "lacks the method SearchVectors") {
		t.Error(err)
	}
}

// TestSearchUnderFaults: a search is retried like any read, and a reply to another request is refused.
func TestSearchUnderFaults(t *testing.T) {
	for name, tc := range map[string]struct {
		rule fault.Rule
		good bool
	}{
		"lost":           {fault.On("SearchVectors").First(1).DropReply(), true},
		"internal error": {fault.On("SearchVectors").First(1).InternalError(), true},
		"throttled":      {fault.On("SearchVectors").First(1).Throttle(), true},
		"cut":            {fault.On("SearchVectors").First(1).TruncateBody(), false}, // the SDK does not repeat it
		"denied":         {fault.On("SearchVectors").Deny(), false},
		"always broken":  {fault.On("SearchVectors").InternalError(), false},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDocs(t, ddbtest.New(t, ddbtest.WithFaults(tc.rule)), schema.Cosine)
			d.put(t, someDocs...)
			hits, err := d.near.Search(t.Context(), "t", east, 2)
			if tc.good && (err != nil || fmt.Sprint(ids(hits)) != "[east north-east]") || !tc.good && (err == nil || hits != nil) {
				t.Errorf("%s: %v, %v", name, ids(hits), err)
			}
		})
	}
}

// crossed answers a search of one tenant with the result of another, or with more items than were requested.
type crossed struct {
	apitest.Client
	change func(*dynamodb.SearchVectorsInput)
}

func (c *crossed) SearchVectors(ctx context.Context, in *dynamodb.SearchVectorsInput, opts ...func(*dynamodb.Options)) (*dynamodb.SearchVectorsOutput, error) {
	other := *in
	c.change(&other)
	return c.Client.SearchVectors(ctx, &other, opts...)
}

// TestSearchCrossed: a reply to another search is refused.
func TestSearchCrossed(t *testing.T) {
	client := &crossed{Client: ddbtest.New(t)}
	d := newDocs(t, client, schema.Cosine)
	d.put(t, someDocs...)
	for name, change := range map[string]func(*dynamodb.SearchVectorsInput){
		"other partition": func(in *dynamodb.SearchVectorsInput) {
			in.ExpressionAttributeValues = map[string]types.AttributeValue{":0": &types.AttributeValueMemberS{Value: "u"}}
		},
		"more items": func(in *dynamodb.SearchVectorsInput) { n := int32(3); in.TopK = &n },
	} {
		client.change = change
		if hits, err := d.near.Search(t.Context(), "t", east, 1); err == nil || hits != nil || !strings.Contains(err.Error(), "does not answer the request") {
			t.Errorf("%s: %v, %v", name, ids(hits), err)
		}
	}
}

// TestSearchHides: expired items and those of another type are left out.
func TestSearchHides(t *testing.T) {
	now := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	client := apitest.NewClient(t)
	d := newDocs(t, client, schema.Cosine, ddb.TTL(docUntil), ddb.Clock(func() time.Time { return now }))
	hiding, err := ddb.New(client, d.table.Name(), docTenant, docID, ddb.TTL(docUntil), ddb.HideExpired(), ddb.Clock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vector.NewSimple(hiding, "blind", docMeaning, dimensions, schema.Cosine, ddb.KeysOnly()); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "does not hold attribute until") {
		t.Error(err)
	}
	near, err := vector.New(hiding, "near", docMeaning, dimensions, schema.Cosine, docTenant, vector.Filters(docLang, docYear))
	if err != nil {
		t.Fatal(err)
	}
	list := slices.Clone(someDocs)
	list[0].Until, list[1].Until = now.Unix()-5, now.Unix()+5
	d.put(t, list...)
	hits, err := near.Search(t.Context(), "t", east, 5)
	if err != nil || fmt.Sprint(ids(hits)) != "[north-east north]" {
		t.Errorf("%v, %v", ids(hits), err)
	}
	if hits, err = d.near.Search(t.Context(), "t", east, 5); err != nil || len(hits) != 3 {
		t.Errorf("%v, %v", ids(hits), err)
	}
}

// TestSearchOfOneType: items of another type are an error, or left out.
func TestSearchOfOneType(t *testing.T) {
	client := apitest.NewClient(t)
	d := newDocs(t, client, schema.Cosine)
	d.put(t, someDocs...)
	for _, skip := range []bool{false, true} {
		opts := []ddb.TableOption{ddb.KeyPrefix(docID, "n")}
		if skip {
			opts = append(opts, ddb.SkipOthers())
		}
		english, err := ddb.New(client, d.table.Name(), docTenant, docID, opts...)
		if err != nil {
			t.Fatal(err)
		}
		near, err := vector.New(english, "near", docMeaning, dimensions, schema.Cosine, docTenant, vector.Filters(docYear))
		if err != nil {
			t.Fatal(err)
		}
		hits, err := near.Search(t.Context(), "t", east, 5)
		if skip && (err != nil || fmt.Sprint(ids(hits)) != "[north-east north]") || !skip && !errors.Is(err, ddb.ErrOtherEntity) {
			t.Errorf("skip %t: %v, %v", skip, ids(hits), err)
		}
	}
}

// TestSearchIsCounted: budgets, hooks and Explain include searches, and contexts end them.
func TestSearchIsCounted(t *testing.T) {
	d := newDocs(t, apitest.NewClient(t), schema.Cosine)
	d.put(t, someDocs...)
	search := func(ctx context.Context) error { return second(d.near.Search(ctx, "t", east, 2)) }
	budget := cost.NewBudget(cost.Limits{Requests: 1})
	ctx := ddb.WithBudget(t.Context(), budget)
	if err := search(ctx); err != nil {
		t.Fatal(err)
	}
	if err := search(ctx); !errors.Is(err, cost.ErrBudgetExceeded) {
		t.Error(err)
	}
	if spent := budget.Spent(); spent.Requests != 1 || spent.Items != 2 || spent.ReadUnits != 0 {
		t.Errorf("%+v", spent)
	}
	x, err := ddb.Explain(t.Context(), search)
	if err != nil || x.Operation != "SearchVectors" || x.Index != "near" || x.Read.Max != 0 || x.Whole.Read.Max != 0 {
		t.Errorf("%+v, %v", x, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := search(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if text := fmt.Sprintf("%s %s %s", d.near, d.all, d.near.IndexName()); text != d.table.Name()+"/near "+d.table.Name()+"/all near" {
		t.Error(text)
	}
}
