// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"iter"

	"github.com/dynamotable/ddb/internal/operr"
)

// BatchPut stores any number of items. Each replaces an item with its key. A request holds 25 items, and up to [Concurrency]
// requests run at once. What DynamoDB left unprocessed or throttled is sent again, with full jitter, within the
// [RetryPolicy]. The batch ends when no item was written for the policy's MaxElapsed. If the context has a deadline, it ends
// before that, by a tenth of the time left but at most a second, so that the caller can act on what was not done.
//
// A [*BatchError] lists the items that were not written; all others were. A failed request affects only its own items,
// unless the table or the credentials are refused: then nothing more is sent. A request whose reply is lost is sent again.
// Items for which no reply arrived are marked as unknown.
//
// If several items have the same key, the last one is written, since DynamoDB accepts a key only once in a request. Items
// that cannot be written are refused before anything is sent. A batch is not atomic and has no conditions, so it is refused
// on a table with [Version]. The times of [Created] and [Updated] are written as they are in the items. Attributes of
// [Derive] are computed, but not set in the caller's list.
//
// Each item is billed as a Put.
func (t *Table[T, PK, SK]) BatchPut(ctx context.Context, list []T, opts ...BatchOption) error {
	return t.Part().BatchWrite(ctx, &list, nil, batchOptions(opts))
}

// BatchPut stores any number of items; see [Table.BatchPut].
func (t *SimpleTable[T, PK]) BatchPut(ctx context.Context, list []T, opts ...BatchOption) error {
	return t.Part().BatchWrite(ctx, &list, nil, batchOptions(opts))
}

// BatchDelete removes the items with the keys; see [Table.BatchPut]. Removing an item that does not exist is not an error.
// [BatchDeleteItems] takes items.
func (t *Table[T, PK, SK]) BatchDelete(ctx context.Context, keys []Key[PK, SK], opts ...BatchOption) error {
	return t.Part().BatchWrite(ctx, nil, &keys, batchOptions(opts))
}

// BatchDelete removes the items with the keys; see [Table.BatchDelete].
func (t *SimpleTable[T, PK]) BatchDelete(ctx context.Context, keys []PK, opts ...BatchOption) error {
	return t.Part().BatchWrite(ctx, nil, &keys, batchOptions(opts))
}

// BatchDeleteItems is [Table.BatchDelete] with the keys of the items. Their other attributes are ignored.
func BatchDeleteItems[T, K any](ctx context.Context, table KeyedTable[T, K], list []T, opts ...BatchOption) error {
	if table == nil {
		return operr.New("BatchWriteItem", "", "", operr.Invalid(errors.New("the table is nil")))
	}
	keys := make([]K, len(list))
	for i := range list {
		keys[i] = table.KeyOf(&list[i])
	}
	return table.Part().BatchWrite(ctx, nil, &keys, batchOptions(opts))
}

// BatchWrite stores and removes items in one call, in no particular order; see [Table.BatchPut]. A key that is in both lists
// is refused.
func (t *Table[T, PK, SK]) BatchWrite(ctx context.Context, puts []T, deletes []Key[PK, SK], opts ...BatchOption) error {
	return t.Part().BatchWrite(ctx, &puts, &deletes, batchOptions(opts))
}

// BatchWrite stores and removes items in one call; see [Table.BatchWrite].
func (t *SimpleTable[T, PK]) BatchWrite(ctx context.Context, puts []T, deletes []PK, opts ...BatchOption) error {
	return t.Part().BatchWrite(ctx, &puts, &deletes, batchOptions(opts))
}

// BatchPutAll is BatchPut for a stream of items of any length, in constant memory: it gathers as many items as the table's
// [Concurrency] lets it send at once, 200 by default. The first failure ends it. The indexes in its [*BatchError] count from
// the first item of the stream. Items that were taken from the stream and are not listed were written.
func (t *Table[T, PK, SK]) BatchPutAll(ctx context.Context, list iter.Seq[T], opts ...BatchOption) error {
	return t.Part().BatchPutAll(ctx, streamOf(list), batchOptions(opts))
}

// BatchPutAll is BatchPut for a stream of items of any length; see [Table.BatchPutAll].
func (t *SimpleTable[T, PK]) BatchPutAll(ctx context.Context, list iter.Seq[T], opts ...BatchOption) error {
	return t.Part().BatchPutAll(ctx, streamOf(list), batchOptions(opts))
}
