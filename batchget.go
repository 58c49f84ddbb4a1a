// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"iter"

	"github.com/dynamotable/ddb/internal/core"
)

// Got is one result of BatchGet.
type Got[T any] struct {
	Item T
	// Found is false if there is no item with the key, and if the key failed.
	Found bool
}

// BatchGet reads any number of items by their keys: got[i] belongs to keys[i]. Each distinct key is sent once, 100 keys in a
// request and up to [Concurrency] requests at once. Keys that DynamoDB left unprocessed or throttled are sent again, with
// full jitter, within the [RetryPolicy]; DynamoDB returns at most 16 MB at a time. The batch ends when no item was read for
// the policy's MaxElapsed, and before the deadline of the context, like [Table.BatchPut].
//
// A [*BatchError] lists the keys that could not be read; the rest of the result is valid. Values that cannot be keys are
// refused before anything is sent. The options are those of Get, and [StatsTo].
//
// Each item is billed as a Get. The items of one call are not a snapshot.
func (t *Table[T, PK, SK]) BatchGet(ctx context.Context, keys []Key[PK, SK], opts ...GetOption) (got []Got[T], err error) {
	err = t.Part().BatchGet(ctx, &keys, &got, readOptions(opts))
	return got, err
}

// BatchGet reads any number of items by their keys: got[i] belongs to keys[i]; see [Table.BatchGet].
func (t *SimpleTable[T, PK]) BatchGet(ctx context.Context, keys []PK, opts ...GetOption) (got []Got[T], err error) {
	err = t.Part().BatchGet(ctx, &keys, &got, readOptions(opts))
	return got, err
}

// BatchGetAll is BatchGet for a stream of keys of any length, in constant memory: it reads as many keys at once as the
// table's [Concurrency] allows. It yields the results in the order of the keys. At the first key that could not be read it
// yields the error, whose indexes count from the first key of the stream, and stops.
func (t *Table[T, PK, SK]) BatchGetAll(ctx context.Context, keys iter.Seq[Key[PK, SK]], opts ...GetOption) iter.Seq2[Got[T], error] {
	return resultsOf[T](t.Part().BatchGetAll(ctx, streamOf(keys), (*[]Got[T])(nil), readOptions(opts)))
}

// BatchGetAll is BatchGet for a stream of keys of any length; see [Table.BatchGetAll].
func (t *SimpleTable[T, PK]) BatchGetAll(ctx context.Context, keys iter.Seq[PK], opts ...GetOption) iter.Seq2[Got[T], error] {
	return resultsOf[T](t.Part().BatchGetAll(ctx, streamOf(keys), (*[]Got[T])(nil), readOptions(opts)))
}

//go:noinline
func resultsOf[T any](lists core.ResultSeq) iter.Seq2[Got[T], error] {
	return func(yield func(Got[T], error) bool) {
		lists(func(list any, err error) bool {
			if err != nil {
				return yield(Got[T]{}, err)
			}
			for _, g := range *list.(*[]Got[T]) { //nolint:forcetypeassert // it was made as one
				if !yield(g, nil) {
					return false
				}
			}
			return true
		})
	}
}

// streamOf returns what core reads a stream from, which may be nil.
//
//go:noinline
func streamOf[E any](seq iter.Seq[E]) core.Stream {
	if seq == nil {
		return nil
	}
	return func(start func(at any) func() bool) {
		at := new(E)
		next := start(at)
		seq(func(e E) bool { *at = e; return next() })
	}
}
