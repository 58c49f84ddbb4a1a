// SPDX-License-Identifier: Apache-2.0

package vector_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/vector"
)

type Doc struct {
	ID      string    `dynamodbav:"id"`
	Tenant  string    `dynamodbav:"tenant"`
	Meaning []float32 `dynamodbav:"meaning,omitempty"`
}

var (
	docID      = ddb.StrField(func(d *Doc) *string { return &d.ID })
	docTenant  = ddb.StrField(func(d *Doc) *string { return &d.Tenant })
	docMeaning = ddb.ListField(func(d *Doc) *[]float32 { return &d.Meaning })
)

// The document of a tenant that is nearest to a vector.
func Example() {
	ctx := context.Background()
	engine := ddbtest.NewEngine()
	defer engine.Close()
	docs, err := ddb.NewSimple(engine.Client(), "docs", docID)
	if err != nil {
		fmt.Println(err)
		return
	}
	meaning, err := vector.New(docs, "meaning", docMeaning, 2, schema.Cosine, docTenant)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := docs.EnsureTable(ctx, schema.OnDemand()); err != nil {
		fmt.Println(err)
		return
	}
	if err := docs.BatchPut(ctx, []Doc{{"north", "t1", []float32{0, 1}}, {"east", "t1", []float32{1, 0}}, {"other", "t2", []float32{1, 1}}}); err != nil {
		fmt.Println(err)
		return
	}
	hits, err := meaning.Search(ctx, "t1", []float32{0.1, 0.9}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(hits), "hit:", hits[0].Item.ID)
	// Output:
	// 1 hit: north
}
