// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
)

// Delete removes the item with the key. Removing an item that does not exist is not an error, unless a condition ([If])
// requires it. [ReturnOld] returns the removed item.
//
// On a table with a [Revision] the item is read first, and deleted only if it is unchanged; if another write changes it in
// between, the call starts again. If a reply is lost and the item is gone, a delete without a condition has succeeded.
//
// On other tables a delete without a condition is sent again after a lost reply, which also deletes what another call has
// put meanwhile; one with a condition ends in [ErrOutcomeUnknown]. With an integer [Version] the call is refused without a
// condition on the version, such as ddb.If(version.Eq(3)); [Table.DeleteItem] adds it.
//
// It costs a write unit for each 1 KB of the item, rounded up, and as much on every index that holds it.
func (t *Table[T, PK, SK]) Delete(ctx context.Context, pk PK, sk SK, opts ...WriteOption[T]) error {
	return t.Part().Delete(ctx, boxed(Key[PK, SK]{pk, sk}), writesOf(opts))
}

// DeleteKey is [Table.Delete] by a key, made by [Table.Key] or [Table.KeyOf].
func (t *Table[T, PK, SK]) DeleteKey(ctx context.Context, key Key[PK, SK], opts ...WriteOption[T]) error {
	return t.Part().Delete(ctx, boxed(key), writesOf(opts))
}

// Delete removes the item with the key; see [Table.Delete].
func (t *SimpleTable[T, PK]) Delete(ctx context.Context, pk PK, opts ...WriteOption[T]) error {
	return t.Part().Delete(ctx, boxed(pk), writesOf(opts))
}

// DeleteItem removes the item. With [Version] it succeeds only if the stored item has not changed since it was read. If its
// reply is lost and the item is gone, only [Tombstones] show which call deleted it; without them it returns
// [ErrOutcomeUnknown]. It costs as much as [Table.Delete].
func (t *Table[T, PK, SK]) DeleteItem(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.Part().DeleteItem(ctx, item, writesOf(opts))
}

// DeleteItem removes the item; see [Table.DeleteItem].
func (t *SimpleTable[T, PK]) DeleteItem(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.Part().DeleteItem(ctx, item, writesOf(opts))
}
