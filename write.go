// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
)

// Update changes the named attributes of an existing item and returns the updated item:
//
//	o, err := orders.Update(ctx, orders.Key("c1", "o9"),
//		orderTotal.Add(5), orderTags.Insert("vip"), ddb.If(orderStatus.Eq("open")))
//
// If the item is missing, the error is a [*ConditionFailed] that matches [ErrNotFound]; Update never creates a partial item,
// as [Table.Upsert] does. All changes are applied together.
//
// On a table with a [Revision] the item is read first, consistently, and the update applies only if it is unchanged; if
// another write changes it in between, the call starts again. ddb.If(revision.Eq(r)) requires a revision and saves the read.
// If a reply is lost, the stored item proves what happened; see [Version].
//
// On other tables an update that can be applied twice with the same effect (Set, SetIfMissing, Remove, set members) and has
// no condition is sent again after a lost reply. An update that counts (Add, Sub, Append, Prepend, list elements), has a
// condition, or raises an integer version ends in [ErrOutcomeUnknown] instead: [ChangeOf.Exact] counts exactly once, at
// twice the cost, and [ChangeOf.AtLeastOnce] accepts that it may count twice.
//
// It costs a write unit for each 1 KB of the larger of the old and the new item,
// rounded up, and as much again on indexes that hold changed attributes.
func (t *Table[T, PK, SK]) Update(ctx context.Context, key Key[PK, SK], changes ...UpdateOption[T]) (item T, err error) {
	err = t.Part().Update(ctx, boxed(key), &item, true, updatesOf(changes))
	return item, err
}

// Update changes the named attributes of an existing item and returns the updated item; see [Table.Update].
func (t *SimpleTable[T, PK]) Update(ctx context.Context, key PK, changes ...UpdateOption[T]) (item T, err error) {
	err = t.Part().Update(ctx, boxed(key), &item, true, updatesOf(changes))
	return item, err
}

// Upsert is [Table.Update], but creates a missing item, with its key and the changed attributes only. Lost replies are
// handled as by Update.
func (t *Table[T, PK, SK]) Upsert(ctx context.Context, key Key[PK, SK], changes ...UpdateOption[T]) (item T, err error) {
	err = t.Part().Update(ctx, boxed(key), &item, false, updatesOf(changes))
	return item, err
}

// Upsert is [SimpleTable.Update], but creates a missing item; see [Table.Upsert].
func (t *SimpleTable[T, PK]) Upsert(ctx context.Context, key PK, changes ...UpdateOption[T]) (item T, err error) {
	err = t.Part().Update(ctx, boxed(key), &item, false, updatesOf(changes))
	return item, err
}
