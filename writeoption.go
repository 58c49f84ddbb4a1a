// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
)

// WriteOption is an option of Put, Replace and the deletes: [If] and [ReturnOld]. A condition alone is not an option; write
// ddb.If(status.Eq("open")).
//
// The compiler shows the name of its method for an argument of another type.
type WriteOption[T any] interface{ IfOrReturnOld(*T) any }

// UpdateOption is an option of Update and Upsert: changes, [If] and [ReturnOld]. A condition alone is not an option; write
// ddb.If(status.Eq("open")).
//
// The compiler shows the name of its method for an argument of another type.
type UpdateOption[T any] interface{ ChangeOrIf(*T) any }

// Option is an option of every write.
type Option[T any] interface {
	WriteOption[T]
	UpdateOption[T]
}

// writesOf returns the options without their item type; a nil option becomes nil.
func writesOf[T any](opts []WriteOption[T]) []any {
	list := make([]any, len(opts))
	for i, o := range opts {
		if o != nil {
			list[i] = o.IfOrReturnOld(nil)
		}
	}
	return list
}

// updatesOf is [writesOf] for updates.
func updatesOf[T any](opts []UpdateOption[T]) []any {
	list := make([]any, len(opts))
	for i, o := range opts {
		if o != nil {
			list[i] = o.ChangeOrIf(nil)
		}
	}
	return list
}

// ChangeOrIf makes a change an [UpdateOption].
func (c ChangeOf[P]) ChangeOrIf(P) any { return c.c }

// option is [If] and [ReturnOld].
type option[P any] struct{ what any }

func (o option[P]) IfOrReturnOld(P) any { return o.what }
func (o option[P]) ChangeOrIf(P) any    { return o.what }

// If makes a write happen only if all conditions are true for the stored item. Otherwise the call returns a
// [*ConditionFailed] with the stored item. A write whose condition is false still costs write units.
//
// The call refuses an If without conditions, and empty conditions (the zero [Cond], an [And] of nothing).
func If[T any](conds ...Cond[T]) Option[T] {
	return option[*T]{core.GuardOf("If", handle.Conditions(conds))}
}

// ReturnOld stores the item as it was before the write in dst, or the zero T if there was none. It costs nothing. With it,
// Update and Upsert also return that item instead of the new one, since DynamoDB returns only one of them.
func ReturnOld[T any](dst *T) Option[T] { return option[*T]{&core.ReturnOld{Dst: dst}} }

type changeList[P any] []ChangeOf[P]

func (l changeList[P]) ChangeOrIf(P) any {
	list := make([]*handle.Change, len(l))
	for i, c := range l {
		list[i] = c.c
	}
	return list
}

// Changes returns several changes as one option, for lists made at run time.
func Changes[T any](changes ...Change[T]) UpdateOption[T] { return changeList[*T](changes) }
