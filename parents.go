// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/handle"
)

// WithParents returns changes that also create the maps they are in if the item lacks them, at any depth:
//
//	orders.Upsert(ctx, key, ddb.WithParents(orderStats.Key("2026").Set(1), orderAddressCity.Set("Bern")))
//
// DynamoDB refuses a change inside a missing map, and cannot create the map in the same request. So Update and Upsert first
// send the changes unchanged: if all parents exist this is one request, at the usual cost. If it is refused, the item is
// read consistently, and one write creates the missing maps with the changes in them, on the condition that they are still
// missing; if another write creates one meanwhile, the call starts again. These are three requests: AWS does not say what a
// refused one costs; the others cost a read unit for each 4 KB and the write units of an update. In any case all changes are
// applied together or not at all, and the call's own conditions apply to each request.
//
// NULL counts as absent, for the maps and for the operands of Add, Append and set changes: the SDK's attributevalue stores
// nil maps, lists and sets as NULL, to which DynamoDB can add nothing. Lists are not created, since an element has no
// position in a missing list.
//
// A write that creates a map has a condition, so a lost reply ends in [ErrOutcomeUnknown], unless the table has a
// [Revision], which proves the outcome. WithParents is refused with [ChangeOf.Exact] and in transactions, which cannot be
// tried twice.
func WithParents[T any](changes ...Change[T]) UpdateOption[T] {
	list := make([]*handle.Change, len(changes))
	for i, c := range changes {
		list[i] = c.c.WithParents()
	}
	return option[*T]{list}
}
