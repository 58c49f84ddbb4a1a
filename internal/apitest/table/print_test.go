// SPDX-License-Identifier: Apache-2.0

package table_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/entity"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/rawexpr"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/tableinfo"
	"github.com/dynamotable/ddb/vector"
)

type page struct {
	ID      string    `dynamodbav:"id"`
	Site    string    `dynamodbav:"site"`
	Meaning []float32 `dynamodbav:"meaning,omitempty"`
}

var (
	pageID      = ddb.StrField(func(p *page) *string { return &p.ID })
	pageSite    = ddb.StrField(func(p *page) *string { return &p.Site })
	pageMeaning = ddb.ListField(func(p *page) *[]float32 { return &p.Meaning })
)

// TestKeysPrintNoValue: a key of several attributes prints the same hash for equal values, another for others, and never a value.
func TestKeysPrintNoValue(t *testing.T) {
	for name, tt := range map[string]struct{ one, same, other any }{
		"two":   {multikey.K2("secret", 1), multikey.K2("secret", 1), multikey.K2("secret", 2)},
		"three": {multikey.K3("secret", 1, 2), multikey.K3("secret", 1, 2), multikey.K3("secret", 2, 1)},
		"four":  {multikey.K4("secret", 1, 2, 3), multikey.K4("secret", 1, 2, 3), multikey.K4("secret", 1, 2, 4)},
	} {
		logged := func(v any) string { return v.(slog.LogValuer).LogValue().String() } //nolint:forcetypeassert // they all have it
		for _, text := range []string{fmt.Sprint(tt.one), fmt.Sprintf("%#v", tt.one), fmt.Sprintf("%d", tt.one), logged(tt.one)} {
			if strings.Contains(text, "secret") || text == "" {
				t.Errorf("%s: it prints a value, or nothing", name)
			}
		}
		if fmt.Sprint(tt.one) != fmt.Sprint(tt.same) || fmt.Sprint(tt.one) == fmt.Sprint(tt.other) || logged(tt.one) != fmt.Sprint(tt.one) {
			t.Errorf("%s: the hash does not identify the values", name)
		}
	}
}

// TestVectorIndexesPrintNames: a vector index prints table and index, a hit its score, and neither shows an item.
func TestVectorIndexesPrintNames(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	pages, err := ddb.NewSimple(e.Client(), "pages", pageID)
	if err != nil {
		t.Fatal(err)
	}
	bySite, err := vector.New(pages, "by-site", pageMeaning, 2, schema.Cosine, pageSite)
	if err != nil {
		t.Fatal(err)
	}
	all, err := vector.NewSimple(pages, "all", pageMeaning, 2, schema.Cosine)
	if err != nil {
		t.Fatal(err)
	}
	var none *vector.Index[page, string]
	var noneSimple *vector.SimpleIndex[page]
	for _, tt := range []struct{ got, want string }{
		{bySite.String(), "pages/by-site"}, {bySite.IndexName(), "by-site"}, {fmt.Sprintf("%+v", *bySite), "pages/by-site"},
		{all.String(), "pages/all"}, {all.IndexName(), "all"}, {fmt.Sprintf("%q", *all), "pages/all"},
		{none.IndexName() + noneSimple.IndexName(), ""},
	} {
		if strings.Trim(tt.got, `"`) != tt.want {
			t.Errorf("%q is not %q", tt.got, tt.want)
		}
	}
	hit := vector.Hit[page]{Item: page{ID: "secret"}, Score: 0.5}
	for _, text := range []string{fmt.Sprintf("%+v", hit), hit.LogValue().String()} {
		if strings.Contains(text, "secret") || !strings.Contains(text, "0.5") {
			t.Error("a hit prints its item, or not its score")
		}
	}
	if _, err := none.Search(t.Context(), "s", []float32{1, 2}, 1); err == nil {
		t.Error("a nil index searches")
	}
}

// TestEntitiesPrintNames: a table of several item types prints its name, a filter its condition without the value, a key nothing.
func TestEntitiesPrintNames(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	pages, err := ddb.NewSimple(e.Client(), "pages", pageID, ddb.KeyPrefix(pageID, "PAGE#"))
	if err != nil {
		t.Fatal(err)
	}
	site, err := entity.New[any](entity.Parts(pages))
	if err != nil {
		t.Fatal(err)
	}
	filter, key := entity.Where(pages, pageSite.Eq("secret")), entity.KeyOf(pages, "PAGE#secret")
	for _, tt := range []struct {
		value any
		want  string
	}{{*site, "pages"}, {filter, "site = ?"}, {key, "Key"}} {
		texts := []string{fmt.Sprint(tt.value), fmt.Sprintf("%+v", tt.value), tt.value.(slog.LogValuer).LogValue().String()} //nolint:forcetypeassert // they all have it
		if m, ok := tt.value.(interface{ MarshalJSON() ([]byte, error) }); ok {
			data, err := m.MarshalJSON()
			if err != nil {
				t.Error(err)
			}
			texts = append(texts, strings.Trim(string(data), `"`))
		}
		for _, text := range texts {
			if text != tt.want {
				t.Errorf("a %T prints %q, not %q", tt.value, text, tt.want)
			}
		}
	}
	if got := entity.KeyOf(ddb.KeyedTable[page, string](nil), "PAGE#1"); fmt.Sprint(got) != "Key" {
		t.Error("a key of no table prints something else")
	}
	var none *entity.Table[any]
	if _, err := none.BatchGet(t.Context(), []entity.Key{key}); err == nil {
		t.Error("a nil table reads")
	}
}

// TestTableInfo: what is known of a table prints its name, and never the client.
func TestTableInfo(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	pages, err := ddb.NewSimple(e.Client(), "pages", pageID)
	if err != nil {
		t.Fatal(err)
	}
	info, err := tableinfo.Of(pages)
	if err != nil || info.Name != "pages" || info.Client == nil || info.Version != "" {
		t.Fatalf("the table is %s, %v", info.Name, err)
	}
	for _, text := range []string{info.String(), fmt.Sprintf("%+v", info), info.LogValue().String()} {
		if text != "pages" {
			t.Errorf("it prints %q", text)
		}
	}
	if info, err := tableinfo.Of(nil); err == nil || info.Name != "" {
		t.Error("a nil table has information")
	}
	if _, err := tableinfo.Describe(t.Context(), nil); err == nil {
		t.Error("a nil table is described")
	}
	if _, err := tableinfo.Describe(t.Context(), pages); err == nil {
		t.Error("a table that does not exist is described")
	}
	if err := tableinfo.LearnSizes(t.Context(), pages, nil); err == nil || !strings.Contains(err.Error(), "table 1 is nil") {
		t.Errorf("a nil table has sizes: %v", err)
	}
	if _, err := tableinfo.Definition(nil); err == nil {
		t.Error("a nil table has a definition")
	}
	if core.PartOf(nil) != nil {
		t.Error("nil has a table")
	}
}

// TestRawExpressionsReportMistakes: an expression that the SDK cannot build is the error of the call, before anything is sent.
func TestRawExpressionsReportMistakes(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	pages, err := ddb.NewSimple(e.Client(), "pages", pageID)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pages.Update(t.Context(), "1", rawexpr.Change[page](expression.UpdateBuilder{})); err == nil || !strings.Contains(err.Error(), "raw change") {
		t.Errorf("an empty change: %v", err)
	}
	if _, err := pages.Update(t.Context(), "1", pageSite.Set("s"), ddb.If(rawexpr.Cond[page](expression.ConditionBuilder{}))); err == nil {
		t.Error("an empty condition is none")
	}
}
