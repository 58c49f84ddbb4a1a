// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/vector"
)

const dimensions = 3

// doc is a text with its embedding.
type doc struct {
	Tenant  string    `dynamodbav:"tenant"`
	ID      string    `dynamodbav:"id"`
	Lang    string    `dynamodbav:"lang"`
	Year    int       `dynamodbav:"year"`
	Title   string    `dynamodbav:"title"`
	Meaning []float32 `dynamodbav:"meaning,omitempty"`
	Until   int64     `dynamodbav:"until,omitempty"`
}

var (
	docTenant  = ddb.StrField(func(d *doc) *string { return &d.Tenant })
	docID      = ddb.StrField(func(d *doc) *string { return &d.ID })
	docLang    = ddb.StrField(func(d *doc) *string { return &d.Lang })
	docYear    = ddb.NumField(func(d *doc) *int { return &d.Year })
	docTitle   = ddb.StrField(func(d *doc) *string { return &d.Title })
	docMeaning = ddb.ListField(func(d *doc) *[]float32 { return &d.Meaning })
	docUntil   = ddb.NumField(func(d *doc) *int64 { return &d.Until })
)

type docs struct {
	table *ddb.Table[doc, string, string]
	near  *vector.Index[doc, string]
	all   *vector.SimpleIndex[doc]
}

// define returns the table's definition, with an index partitioned by tenant and one of all items.
func define(t testing.TB, client ddb.Client, distance schema.VectorDistance, opts ...ddb.TableOption) *docs {
	t.Helper()
	table, err := ddb.New(client, apitest.TableName(t), docTenant, docID, opts...)
	if err != nil {
		t.Fatal(err)
	}
	d := &docs{table: table}
	if d.near, err = vector.New(table, "near", docMeaning, dimensions, distance, docTenant, vector.Filters(docLang, docYear)); err != nil {
		t.Fatal(err)
	}
	if d.all, err = vector.NewSimple(table, "all", docMeaning, dimensions, distance, ddb.Projecting(docTitle)); err != nil {
		t.Fatal(err)
	}
	return d
}

func newDocs(t testing.TB, client ddb.Client, distance schema.VectorDistance, opts ...ddb.TableOption) *docs {
	t.Helper()
	d := define(t, client, distance, opts...)
	if err := d.table.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *docs) put(t testing.TB, list ...doc) {
	t.Helper()
	if err := d.table.BatchPut(t.Context(), list); err != nil {
		t.Fatal(err)
	}
}

// ids returns the keys of hits, in their order.
func ids(hits []vector.Hit[doc]) (all []string) {
	for _, h := range hits {
		all = append(all, h.Item.ID)
	}
	return all
}
