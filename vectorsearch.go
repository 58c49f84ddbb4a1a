// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/quiet"
)

// VectorHit is an item that a search has found.
type VectorHit[T any] struct {
	// Item has what the index holds; other attributes are zero.
	Item T
	// Score compares the item's vector with the one that was searched; [schema.VectorDistance.LowerIsBetter] says which way.
	Score float64
}

// Format prints the score, whatever the verb.
func (h VectorHit[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, core.HitText(h.Score)) }

// LogValue is the same text.
func (h VectorHit[T]) LogValue() slog.Value { return slog.StringValue(core.HitText(h.Score)) }

// Search returns the n items, at most 100, whose vectors are nearest to the vector, the nearest first, among those with the partition value. Filters are
// conditions for equality (docLang.Eq("en")) of attributes that [SearchFilters] has named; all must hold, and they are applied before the n nearest are chosen.
// There are no pages: n is all that a search gives.
//
// The index is updated after the table, and an item that was just written may be missing for a while. A vector of another length than the index takes, n out of
// range, and other filters are refused before anything is sent.
//
// A search is billed by bytes, not by read units: budgets and ledgers count it as a request that costs none.
// It needs a client with the method SearchVectors, which the SDK's has. A search whose reply is lost can be sent again.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
func (x *VectorIndex[T, PK]) Search(ctx context.Context, partition PK, vector []float32, n int, filters ...Cond[T]) (hits []VectorHit[T], err error) {
	err = x.index().Search(ctx, &partition, vector, n, untyped(filters), &hits)
	return hits, err
}

// Search returns the n items whose vectors are nearest to the vector, among all; see [VectorIndex.Search].
func (x *SimpleVectorIndex[T]) Search(ctx context.Context, vector []float32, n int, filters ...Cond[T]) (hits []VectorHit[T], err error) {
	err = x.index().Search(ctx, nil, vector, n, untyped(filters), &hits)
	return hits, err
}

func (x *VectorIndex[T, PK]) index() core.VectorIndex {
	if x == nil {
		return core.VectorIndex{}
	}
	return x.x
}

func (x *SimpleVectorIndex[T]) index() core.VectorIndex {
	if x == nil {
		return core.VectorIndex{}
	}
	return x.x
}

// IndexName is the name of the index.
func (x *VectorIndex[T, PK]) IndexName() string { return x.index().Name() }

// IndexName is the name of the index.
func (x *SimpleVectorIndex[T]) IndexName() string { return x.index().Name() }

// String is the names of table and index, as docs/meaning.
func (x *VectorIndex[T, PK]) String() string { return x.index().Place() }

// String is the names of table and index, as docs/meaning.
func (x *SimpleVectorIndex[T]) String() string { return x.index().Place() }

// Format prints the same, whatever the verb.
func (x VectorIndex[T, PK]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, x.x.Place()) }

// Format prints the same, whatever the verb.
func (x SimpleVectorIndex[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, x.x.Place()) }
