// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"

	"github.com/dynamotable/ddb/internal/core"
)

// Put stores the item. It replaces any item with its key.
//
// With [Version] it succeeds only if the stored item has the revision or version that the item was read with. If the item
// has none, it succeeds only if nothing is stored, or an item without one. The item then gets its new revision.
//
// If a reply is lost on a table with a [Revision], the stored item is read back (a read unit for each 4 KB) and proves the
// outcome: success, [*ConditionFailed], or, if the proof is gone, [ErrOutcomeUnknown]. On other tables a put without a
// condition is sent again, which overwrites what another writer put meanwhile; one with a condition or an integer version
// ends in [ErrOutcomeUnknown].
//
// It costs a write unit for each 1 KB of the larger of the old and the new item,
// rounded up, and as much on every index that holds it.
func (t *Table[T, PK, SK]) Put(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.Part().Put(ctx, core.VerbPut, item, writesOf(opts))
}

// Put stores the item and replaces any item with its key; see [Table.Put].
func (t *SimpleTable[T, PK]) Put(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.Part().Put(ctx, core.VerbPut, item, writesOf(opts))
}

// Create stores the item only if there is none with its key. Otherwise it returns a [*ConditionFailed] that holds the
// present item. A table with [HideExpired] treats an expired item as absent. After a lost reply a [Revision] proves that the
// stored item is ours; whether ours was deleted and another took its place is known only with [Tombstones]. Without a
// Revision the error is [ErrOutcomeUnknown]. It costs as much as [Table.Put].
func (t *Table[T, PK, SK]) Create(ctx context.Context, item *T) error {
	return t.Part().Put(ctx, core.VerbCreate, item, nil)
}

// Create stores the item only if there is none with its key; see [Table.Create].
func (t *SimpleTable[T, PK]) Create(ctx context.Context, item *T) error {
	return t.Part().Put(ctx, core.VerbCreate, item, nil)
}

// Replace stores the item only if there is one with its key; otherwise it returns a [*ConditionFailed] that matches
// [ErrNotFound]. Lost replies are handled as by Put. It costs as much as [Table.Put].
func (t *Table[T, PK, SK]) Replace(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.Part().Put(ctx, core.VerbReplace, item, writesOf(opts))
}

// Replace stores the item only if there is one with its key; see [Table.Replace].
func (t *SimpleTable[T, PK]) Replace(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.Part().Put(ctx, core.VerbReplace, item, writesOf(opts))
}
