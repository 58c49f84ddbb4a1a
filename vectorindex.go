// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/schema"
)

// VectorIndex finds the items whose vectors are nearest to a vector, among those with one value of a partition attribute.
// Make it with [NewVectorIndex]. It is immutable and safe for concurrent use.
//
// It is experimental: it was tested with the engine of package ddbtest, and has not been run on the service.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_VectorIndex.html
type VectorIndex[T, PK any] struct{ x core.VectorIndex }

// SimpleVectorIndex is a [VectorIndex] without a partition attribute: a search is among all items that have a vector. Make it with [NewSimpleVectorIndex].
type SimpleVectorIndex[T any] struct{ x core.VectorIndex }

// NewVectorIndex describes a vector index of a table on the attribute vector, whose values have so many dimensions, at most 4,096. Each search is among the
// items with one value of the partition attribute. It sends nothing; [Table.CreateTable] and [Table.EnsureTable] create the vector indexes that were described before.
//
//	meaning, err := ddb.NewVectorIndex(docs, "meaning", docVector, 1024, schema.Cosine, docTenant, ddb.SearchFilters(docLang))
//
// [SearchFilters] names further attributes that a search can demand. [KeysOnly] and [Projecting] choose what a hit holds, as for [NewIndex].
//
// From then on a write through this table whose vector has another length is refused before it is sent. An item without a vector or without the partition attribute is
// stored, and is not in the index; let the field have omitempty for that. Changes of parts of the vector ([List] methods other than Set) are refused, because the
// length after them is not known.
//
// A table has at most 5 vector indexes, and those of one attribute have the same number of dimensions. It must be on-demand.
//
// The error matches [ErrInvalid] and names everything that is wrong. The index is not nil then: each of its calls returns that error.
func NewVectorIndex[T, PK any](table AnyTable[T], name string, vector AttrOf[T, []float32], dimensions int, distance schema.VectorDistance, partition KeyField[T, PK],
	opts ...IndexOption,
) (*VectorIndex[T, PK], error) {
	x, err := core.NewVectorIndex(coreOf(table), name, handleOf(vector), dimensions, distance, partition, indexOptions(opts))
	return &VectorIndex[T, PK]{x}, err
}

// NewSimpleVectorIndex describes a vector index without a partition attribute; see [NewVectorIndex].
func NewSimpleVectorIndex[T any](table AnyTable[T], name string, vector AttrOf[T, []float32], dimensions int, distance schema.VectorDistance, opts ...IndexOption) (*SimpleVectorIndex[T], error) {
	x, err := core.NewVectorIndex(coreOf(table), name, handleOf(vector), dimensions, distance, nil, indexOptions(opts))
	return &SimpleVectorIndex[T]{x}, err
}

// SearchFilters names the attributes, at most 18, that a search of a vector index can demand by Eq. They are stored as text, number or bytes, and each hit has them.
// It is an option of [NewVectorIndex] and [NewSimpleVectorIndex] only.
func SearchFilters(attrs ...AnyAttr) IndexOption { return core.SearchFiltersOption(handlesOf(attrs)) }
