// SPDX-License-Identifier: Apache-2.0

// Package vector searches a table by vectors: it finds the items whose vectors are nearest to a vector.
//
//	meaning, err := vector.New(docs, "meaning", docMeaning, 1024, schema.Cosine, docTenant, vector.Filters(docLang))
//
//	hits, err := meaning.Search(ctx, "tenant-7", embedding, 10, docLang.Eq("en"))
//
// It is experimental: it was tested with the engine of package ddbtest, and has not been run on the service.
package vector

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/schema"
)

// Index finds the items whose vectors are nearest to a vector, among those with one value of a partition attribute.
// Make it with [New]. It is immutable and safe for concurrent use.
//
// It is experimental: it was tested with the engine of package ddbtest, and has not been run on the service.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_VectorIndex.html
type Index[T, PK any] struct{ x core.VectorIndex }

// SimpleIndex is an [Index] without a partition attribute: a search is among all items that have a vector. Make it with [NewSimple].
type SimpleIndex[T any] struct{ x core.VectorIndex }

// New describes a vector index of a table on the attribute vector, whose values have so many dimensions, at most 4,096. Each search is among the
// items with one value of the partition attribute. It sends nothing; [ddb.Table.CreateTable] and [ddb.Table.EnsureTable] create the vector indexes that were described before.
//
//	meaning, err := vector.New(docs, "meaning", docVector, 1024, schema.Cosine, docTenant, vector.Filters(docLang))
//
// [Filters] names further attributes that a search can demand. [ddb.KeysOnly] and [ddb.Projecting] choose what a hit holds, as for [ddb.NewIndex].
//
// From then on a write through this table whose vector has another length is refused before it is sent. An item without a vector or without the partition attribute is
// stored, and is not in the index; let the field have omitempty for that. Changes of parts of the vector ([ddb.List] methods other than Set) are refused, because the
// length after them is not known.
//
// A table has at most 5 vector indexes, and those of one attribute have the same number of dimensions. It must be on-demand.
//
// The error matches [ddb.ErrInvalid] and names everything that is wrong. The index is not nil then: each of its calls returns that error.
func New[T, PK any](table ddb.AnyTable[T], name string, vector ddb.AttrOf[T, []float32], dimensions int, distance schema.VectorDistance, partition ddb.KeyField[T, PK],
	opts ...ddb.IndexOption,
) (*Index[T, PK], error) {
	x, err := core.NewVectorIndex(core.PartOf(table), name, handle.Of(vector), dimensions, distance, partition, optionsOf(opts))
	return &Index[T, PK]{x}, err
}

// NewSimple describes a vector index without a partition attribute; see [New].
func NewSimple[T any](table ddb.AnyTable[T], name string, vector ddb.AttrOf[T, []float32], dimensions int, distance schema.VectorDistance, opts ...ddb.IndexOption) (*SimpleIndex[T], error) {
	x, err := core.NewVectorIndex(core.PartOf(table), name, handle.Of(vector), dimensions, distance, nil, optionsOf(opts))
	return &SimpleIndex[T]{x}, err
}

// Filters names the attributes, at most 18, that a search of a vector index can demand by Eq. They are stored as text, number or bytes, and each hit has them.
// It is an option of [New] and [NewSimple] only.
func Filters(attrs ...ddb.AnyAttr) ddb.IndexOption {
	return core.SearchFiltersOption(handle.All(attrs))
}

func optionsOf(opts []ddb.IndexOption) []core.IndexOption { return core.IndexOptions(opts) }

// Hit is an item that a search has found.
type Hit[T any] struct {
	// Item has what the index holds; other attributes are zero.
	Item T
	// Score compares the item's vector with the one that was searched; [schema.VectorDistance.LowerIsBetter] says which way.
	Score float64
}

// Format prints the score, whatever the verb.
func (h Hit[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, core.HitText(h.Score)) }

// LogValue is the same text.
func (h Hit[T]) LogValue() slog.Value { return slog.StringValue(core.HitText(h.Score)) }

// Search returns the n items, at most 100, whose vectors are nearest to the vector, the nearest first, among those with the partition value. Filters are
// conditions for equality (docLang.Eq("en")) of attributes that [Filters] has named; all must hold, and they are applied before the n nearest are chosen.
// There are no pages: n is all that a search gives.
//
// The index is updated after the table, and an item that was just written may be missing for a while. A vector of another length than the index takes, n out of
// range, and other filters are refused before anything is sent.
//
// A search is billed by bytes, not by read units: budgets and ledgers count it as a request that costs none.
// It needs a client with the method SearchVectors, which the SDK's has. A search whose reply is lost can be sent again.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
func (x *Index[T, PK]) Search(ctx context.Context, partition PK, vector []float32, n int, filters ...ddb.Cond[T]) (hits []Hit[T], err error) {
	err = x.index().Search(ctx, &partition, vector, n, handle.Conditions(filters), &hits)
	return hits, err
}

// Search returns the n items whose vectors are nearest to the vector, among all; see [Index.Search].
func (x *SimpleIndex[T]) Search(ctx context.Context, vector []float32, n int, filters ...ddb.Cond[T]) (hits []Hit[T], err error) {
	err = x.index().Search(ctx, nil, vector, n, handle.Conditions(filters), &hits)
	return hits, err
}

func (x *Index[T, PK]) index() core.VectorIndex {
	if x == nil {
		return core.VectorIndex{}
	}
	return x.x
}

func (x *SimpleIndex[T]) index() core.VectorIndex {
	if x == nil {
		return core.VectorIndex{}
	}
	return x.x
}

// IndexName is the name of the index.
func (x *Index[T, PK]) IndexName() string { return x.index().Name() }

// IndexName is the name of the index.
func (x *SimpleIndex[T]) IndexName() string { return x.index().Name() }

// String is the names of table and index, as docs/meaning.
func (x *Index[T, PK]) String() string { return x.index().Place() }

// String is the names of table and index, as docs/meaning.
func (x *SimpleIndex[T]) String() string { return x.index().Place() }

// Format prints the same, whatever the verb.
func (x Index[T, PK]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, x.x.Place()) }

// Format prints the same, whatever the verb.
func (x SimpleIndex[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, x.x.Place()) }
