// SPDX-License-Identifier: Apache-2.0

package index_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/definition"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/multikey"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/tableinfo"
	"github.com/dynamotable/ddb/vector"
)

// always has a vector in each item.
type always struct {
	ID    string `dynamodbav:"id"`
	Inner struct{ V []float32 }
	V     []float32 `dynamodbav:"v"`
}

// TestNewVectorIndexRefuses: one error names everything that is wrong with a definition.
func TestNewVectorIndexRefuses(t *testing.T) {
	client := apitest.NewClient(t)
	table := func() *ddb.Table[doc, string, string] {
		t.Helper()
		table, err := ddb.New(client, "docs", docTenant, docID)
		if err != nil {
			t.Fatal(err)
		}
		return table
	}
	others, err := ddb.NewSimple(client, "others", ddb.StrField(func(a *always) *string { return &a.ID }))
	if err != nil {
		t.Fatal(err)
	}
	many := make([]ddb.AnyAttr, 19)
	for i := range many {
		many[i] = docLang
	}
	for name, tc := range map[string]struct {
		make  func() error
		texts []string
	}{
		"no dimension": {func() error {
			return second(vector.New(table(), "near", docMeaning, 0, schema.Cosine, docTenant))
		}, []string{"0 dimensions: 1 to 4096"}},
		"too many dimensions": {func() error {
			return second(vector.New(table(), "near", docMeaning, 4097, schema.Cosine, docTenant))
		}, []string{"4097 dimensions: 1 to 4096"}},
		"distance": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, "MANHATTAN", docTenant))
		}, []string{`distance "MANHATTAN" is none of`}},
		"name": {func() error { return second(vector.New(table(), "a", docMeaning, 3, schema.Cosine, docTenant)) }, []string{"index"}},
		"nil vector": {func() error {
			return second(vector.New(table(), "near", ddb.List[doc, float32](nil), 3, schema.Cosine, docTenant))
		}, []string{"nil"}},
		"other filter": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, schema.Cosine, docTenant, vector.Filters(docMeaning)))
		}, []string{"filter key", "meaning"}},
		"nil filter": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, schema.Cosine, docTenant, vector.Filters(nil)))
		}, []string{"attribute 0 is nil"}},
		"nil option": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, schema.Cosine, docTenant, nil))
		}, []string{"an option is nil"}},
		"twice": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, schema.Cosine, docTenant, vector.Filters(docTenant)))
		}, []string{"tenant is listed twice"}},
		"19 filters": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, schema.Cosine, docTenant, vector.Filters(many...)))
		}, []string{"19 search filters; the limit is 18"}},
		"two partitions": {func() error {
			return second(vector.New(table(), "near", docMeaning, 3, schema.Cosine, multikey.Of2(docTenant, docLang)))
		}, []string{"the partition of a vector index is one attribute"}},
		"nested": {func() error {
			return second(vector.NewSimple(others, "near", ddb.ListField(func(a *always) *[]float32 { return &a.Inner.V }), 3, schema.Cosine))
		}, []string{"not a top-level attribute"}},
		"all at once": {func() error {
			return second(vector.New(table(), "x", docMeaning, 9999, "", docTenant, vector.Filters(docLang, docLang)))
		}, []string{"9999 dimensions", `distance ""`, "lang is listed twice", "index"}},
		"name of another index": {func() error {
			x := table()
			if _, err := ddb.NewSimpleIndex(x, "by-lang", docLang); err != nil {
				return err
			}
			return second(vector.New(x, "by-lang", docMeaning, 3, schema.Cosine, docTenant))
		}, []string{"an index of this name"}},
		"another index of the name": {func() error {
			x := table()
			if _, err := vector.NewSimple(x, "by-lang", docMeaning, 3, schema.Cosine); err != nil {
				return err
			}
			return second(ddb.NewSimpleIndex(x, "by-lang", docLang))
		}, []string{"a vector index of this name"}},
		"another definition": {func() error {
			x := table()
			return errors.Join(second(vector.NewSimple(x, "near", docMeaning, 3, schema.Cosine)), second(vector.NewSimple(x, "near", docMeaning, 3, schema.Euclidean)))
		}, []string{"with another definition"}},
		"other dimensions": {func() error {
			x := table()
			return errors.Join(second(vector.NewSimple(x, "near", docMeaning, 3, schema.Cosine)), second(vector.NewSimple(x, "far", docMeaning, 4, schema.Cosine)))
		}, []string{"index near has 3 dimensions of attribute meaning"}},
		"six": {func() error {
			x := table()
			var errs []error
			for i := range 6 {
				errs = append(errs, second(vector.NewSimple(x, fmt.Sprint("near", i), docMeaning, 3, schema.Cosine)))
			}
			if err := errors.Join(errs[:5]...); err != nil {
				return fmt.Errorf("five: %w", err)
			}
			return errs[5]
		}, []string{"5 vector indexes, which is the limit"}},
		"filters of another index": {func() error {
			return second(ddb.NewSimpleIndex(table(), "by-lang", docLang, vector.Filters(docYear)))
		}, []string{"it is for vector indexes"}},
	} {
		err := tc.make()
		if !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, text := range tc.texts {
			if !strings.Contains(err.Error(), text) {
				t.Errorf("%s: %v lacks %q", name, err, text)
			}
		}
	}
	bad, err := vector.New(table(), "near", docMeaning, 0, schema.Cosine, docTenant)
	if _, again := bad.Search(t.Context(), "t", east, 1); err == nil || again == nil || again.Error() != err.Error() {
		t.Errorf("%v, then %v", err, again)
	}
	x := table()
	a, err1 := vector.NewSimple(x, "near", docMeaning, 3, schema.Cosine)
	b, err2 := vector.NewSimple(x, "near", docMeaning, 3, schema.Cosine)
	if err := errors.Join(err1, err2); err != nil || *a != *b {
		t.Errorf("the same definition again: %v", err)
	}
}

// TestVectorWrites: every write refuses a vector of another length before it is sent; writes that keep or remove the whole vector are allowed.
func TestVectorWrites(t *testing.T) {
	sent := 0
	client := ddbtest.New(t, ddbtest.WithObserver(func(r fault.Request) {
		if strings.Contains(r.Operation, "Item") && r.Operation != "GetItem" {
			sent++
		}
	}))
	d := newDocs(t, client, schema.Cosine)
	ctx := t.Context()
	key := d.table.Key("t", "x")
	for _, bad := range [][]float32{{1}, {1, 2}, {1, 2, 3, 4}} {
		one := doc{Tenant: "t", ID: "x", Lang: "en", Meaning: bad}
		for name, err := range map[string]error{
			"Put":      d.table.Put(ctx, &one),
			"Create":   d.table.Create(ctx, &one),
			"Replace":  d.table.Replace(ctx, &one),
			"BatchPut": d.table.BatchPut(ctx, []doc{someDocs[0], one}),
			"Transact": ddb.Transact(ctx, client, d.table.TxPut(&one)),
			"Update":   second(d.table.Update(ctx, key, docMeaning.Set(bad))),
			"Upsert":   second(d.table.Upsert(ctx, key, docMeaning.Set(bad))),
			"TxUpdate": ddb.Transact(ctx, client, d.table.TxUpdate(key, docMeaning.Set(bad))),
		} {
			want := fmt.Sprintf("%d elements, vector index all takes 3", len(bad))
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), want) || strings.Count(err.Error(), "vector index near") == 0 {
				t.Errorf("%s of %d: %v", name, len(bad), err)
			}
		}
	}
	for name, change := range map[string]ddb.Change[doc]{
		"append": docMeaning.Append(1), "prepend": ddb.Prepend(docMeaning, 1), "element": docMeaning.At(0).Set(1), "drop": ddb.Remove(docMeaning.At(0)),
		"if missing": ddb.SetIfMissing(docMeaning, []float32{1, 2, 3}), "empty": docMeaning.Set(nil),
	} {
		if _, err := d.table.Update(ctx, key, change); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "meaning") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if sent > 0 {
		t.Errorf("%d writes were sent", sent)
	}
	good := doc{Tenant: "t", ID: "x", Lang: "en", Meaning: []float32{1, 2, 3}}
	if err := errors.Join(
		d.table.Put(ctx, &doc{Tenant: "t", ID: "x", Lang: "en"}),
		d.table.Put(ctx, &good),
		second(d.table.Update(ctx, key, docMeaning.Set([]float32{3, 2, 1}))),
		second(d.table.Update(ctx, key, docTitle.Set("x"))),
		second(d.table.Update(ctx, key, ddb.Remove(docMeaning))),
	); err != nil {
		t.Error(err)
	}
	if hits, err := d.near.Search(ctx, "t", east, 1); err != nil || len(hits) != 0 {
		t.Errorf("%v, %v", hits, err)
	}

	table, err := ddb.NewSimple(client, "always", ddb.StrField(func(a *always) *string { return &a.ID }))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vector.NewSimple(table, "near", ddb.ListField(func(a *always) *[]float32 { return &a.V }), 2, schema.Cosine); err != nil {
		t.Fatal(err)
	}
	if err := table.Put(ctx, &always{ID: "x"}); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "need omitempty") {
		t.Error(err)
	}
}

// TestVectorSchema: a new table gets its indexes, missing indexes are added to a table with items, and every difference is listed.
func TestVectorSchema(t *testing.T) {
	ctx := t.Context()
	client := apitest.NewClient(t)
	d := newDocs(t, client, schema.Cosine)
	if diff, err := d.table.VerifyTable(ctx); err != nil || len(diff) > 0 {
		t.Errorf("%v, %v", diff, err)
	}
	if err := d.table.EnsureTable(ctx); err != nil {
		t.Error(err)
	}
	table, err := tableinfo.Definition(d.table)
	if err != nil {
		t.Fatal(err)
	}
	want := types.VectorIndex{
		IndexName: aws.String("near"), Dimensions: aws.Int64(3), DistanceFunction: types.VectorDistanceFunctionCosine,
		VectorAttribute: &types.VectorAttributeDefinition{AttributeName: aws.String("meaning")},
		Projection:      &types.Projection{ProjectionType: types.ProjectionTypeAll},
		SearchSchema: []types.SearchSchemaElement{
			{AttributeName: aws.String("tenant"), SearchSchemaElementType: types.SearchSchemaElementTypeHash},
			{AttributeName: aws.String("lang"), SearchSchemaElementType: types.SearchSchemaElementTypeInlineFilter},
			{AttributeName: aws.String("year"), SearchSchemaElementType: types.SearchSchemaElementTypeInlineFilter},
		},
	}
	unexported := cmpopts.IgnoreUnexported(types.VectorIndex{}, types.VectorAttributeDefinition{}, types.Projection{}, types.SearchSchemaElement{})
	if len(table.Create.VectorIndexes) != 2 || !gocmp.Equal(want, table.Create.VectorIndexes[1], unexported) {
		t.Error(gocmp.Diff(want, table.Create.VectorIndexes[1], unexported))
	}
	if _, err := definition.CloudFormation(table); err == nil || !strings.Contains(err.Error(), "vector indexes, which templates do not support") {
		t.Error(err)
	}
	if err := d.table.EnsureTable(ctx, schema.Provisioned(1, 1)); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "a table with vector indexes is on-demand") {
		t.Error(err)
	}

	// A program with another definition of the same table.
	other, err := ddb.New(client, d.table.Name(), docTenant, docID)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		second(vector.New(other, "near", docMeaning, 4, schema.Euclidean, docLang, vector.Filters(docTitle), ddb.KeysOnly())),
		second(vector.NewSimple(other, "more", docMeaning, 4, schema.DotProduct)),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	got, err := other.VerifyTable(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, one := range got {
		lines = append(lines, fmt.Sprintf("%s %t", one, one.Extra))
	}
	if diff := gocmp.Diff([]string{
		"index more vector index is missing, want present false",
		"index near vector is meaning of 3 dimensions, want meaning of 4 dimensions false",
		"index near distance is COSINE, want EUCLIDEAN false",
		"index near search schema is HASH tenant (S), INLINE_FILTER lang (S), INLINE_FILTER year (N), want HASH lang (S), INLINE_FILTER title (S) false",
		"index near projection is ALL, want KEYS_ONLY false",
		"index all vector index is present, and not defined here, want absent true",
	}, lines); diff != "" {
		t.Error(diff)
	}
	var failed *schema.Error
	if err := other.EnsureTable(ctx); err == nil || errors.As(err, &failed) && len(failed.Differences) == 0 {
		t.Errorf("%v", err)
	}
}

// TestVectorIndexIsAdded: EnsureTable adds what is missing to a table with items, and waits until the index is filled.
func TestVectorIndexIsAdded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		engine := ddbtest.NewEngine(ddbtest.WithStateDelay(7 * time.Second))
		defer engine.Close()
		client := engine.Client()
		plain, err := ddb.New(client, "docs", docTenant, docID)
		if err != nil {
			t.Fatal(err)
		}
		if err := plain.CreateTable(ctx); err != nil {
			t.Fatal(err)
		}
		wrong := doc{Tenant: "t", ID: "short", Meaning: []float32{1}}
		if err := plain.BatchPut(ctx, append([]doc{wrong}, someDocs...)); err != nil {
			t.Fatal(err)
		}
		near, err := vector.New(plain, "near", docMeaning, dimensions, schema.Cosine, docTenant, vector.Filters(docLang))
		if err != nil {
			t.Fatal(err)
		}
		all, err := vector.NewSimple(plain, "all", docMeaning, dimensions, schema.Cosine)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := near.Search(ctx, "t", east, 1); err == nil {
			t.Error("a missing index was searched")
		}
		if err := plain.EnsureTable(ctx); err != nil {
			t.Fatal(err)
		}
		// The index does not contain the item that is older than it and has a vector of another length.
		if hits, err := near.Search(ctx, "t", east, 9); err != nil || fmt.Sprint(ids(hits)) != "[east north-east north]" {
			t.Errorf("%v, %v", ids(hits), err)
		}
		if hits, err := all.Search(ctx, east, 9); err != nil || len(hits) != 4 {
			t.Errorf("%v, %v", ids(hits), err)
		}
		if diff, err := plain.VerifyTable(ctx); err != nil || len(diff) > 0 {
			t.Errorf("%v, %v", diff, err)
		}
	})
}

// TestVectorIndexNotReady: waiting for a table includes its vector indexes, and the error of a wait that times out gives their states.
func TestVectorIndexNotReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := define(t, &filling{ddbtest.New(t)}, schema.Cosine)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for name, err := range map[string]error{"CreateTable": d.table.CreateTable(ctx), "WaitTable": d.table.WaitTable(ctx), "EnsureTable": d.table.EnsureTable(ctx)} {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if name == "CreateTable" && !strings.Contains(err.Error(), "vector index near is ACTIVE and being filled from the items of the table") {
				t.Errorf("%s: %v", name, err)
			}
		}
		if diff, err := d.table.VerifyTable(t.Context()); err != nil || len(diff) != 2 || !strings.Contains(diff[0].String(), "status is ACTIVE, backfilling, want ACTIVE") {
			t.Errorf("%v, %v", diff, err)
		}
	})
}

// filling is a client that reports that a vector index is active and still being filled.
type filling struct{ apitest.Client }

func (f *filling) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput, opts ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	out, err := f.Client.DescribeTable(ctx, in, opts...)
	if err == nil {
		for i := range out.Table.VectorIndexes {
			out.Table.VectorIndexes[i].Backfilling = aws.Bool(true)
		}
	}
	return out, err
}
