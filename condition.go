// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
)

// Cond is a condition on items of type T: a filter of a query or scan, or the precondition of a write ([If]). Conditions are
// made from handles (status.Eq("open")) and combined by [And], [Or] and [Not], which keep their grouping. The zero Cond is
// no condition: [And] leaves it out, Filter keeps every item, and [If] refuses it, since a missing guard is a mistake.
//
// A condition is an immutable value. A mistake in it, such as a value that cannot
// be stored, is reported by the call that uses it, before anything is sent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type Cond[T any] = CondOf[*T]

// CondOf is the type behind [Cond]: Cond[Order] is CondOf[*Order].
type CondOf[P any] handle.Cond

// String returns the condition with attribute names, and a question mark for each value and each key of a map, so it is safe
// to log. In raw conditions every name below an attribute is a question mark, since it may be such a key.
func (c CondOf[P]) String() string { return handle.Cond(c).Condition().Text() }

// The functions that follow make the conditions of handles. Values are given by their address.

// In is true where the attribute equals one of the values; DynamoDB takes up to 100:
//
//	ddb.In(orderStatus, "open", "paid")
func In[T, V any](attr AttrOf[T, V], values ...V) Cond[T] {
	return Cond[T](handle.CondOf(handle.InList(handle.Of(attr), &values)))
}

// Exists is true where the item has the attribute, even with the value NULL.
func Exists[T, V any](attr AttrOf[T, V]) Cond[T] {
	return Cond[T](handle.CondOf(core.Call(handle.Of(attr), "attribute_exists")))
}

// NotExists is true where the item lacks the attribute.
func NotExists[T, V any](attr AttrOf[T, V]) Cond[T] {
	return Cond[T](handle.CondOf(core.Call(handle.Of(attr), "attribute_not_exists")))
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func IsType[T, V any](attr AttrOf[T, V], t attrtype.Type) Cond[T] {
	return Cond[T](handle.CondOf(handle.IsType(handle.Of(attr), t)))
}

// EqAttr is true where two attributes of the item are equal.
func EqAttr[T, V any](a, b AttrOf[T, V]) Cond[T] {
	return Cond[T](handle.CondOf(handle.EqualAttrs(handle.Of(a), handle.Of(b))))
}

// Size returns the size of the attribute, for conditions to compare: UTF-16 code units of text ("é" has 1, an emoji 2),
// bytes of binary, elements of a set, list or map.
//
//	ddb.Size(orderTags).Ge(3)
func Size[T, V any](attr AttrOf[T, V]) SizeOf[T] { return SizeOf[T]{handle.Of(attr)} }

// SizeOf compares the size of an attribute; see [Size].
type SizeOf[T any] struct{ h *handle.Handle }

// Eq is true where the size is n.
func (s SizeOf[T]) Eq(n int) Cond[T] { return Cond[T](handle.CondOf(handle.SizeIs(s.h, "=", n))) }

// Ne is true where the size is not n.
func (s SizeOf[T]) Ne(n int) Cond[T] { return Cond[T](handle.CondOf(handle.SizeIs(s.h, "<>", n))) }

// Lt is true where the size is less than n.
func (s SizeOf[T]) Lt(n int) Cond[T] { return Cond[T](handle.CondOf(handle.SizeIs(s.h, "<", n))) }

// Le is true where the size is at most n.
func (s SizeOf[T]) Le(n int) Cond[T] { return Cond[T](handle.CondOf(handle.SizeIs(s.h, "<=", n))) }

// Gt is true where the size is greater than n.
func (s SizeOf[T]) Gt(n int) Cond[T] { return Cond[T](handle.CondOf(handle.SizeIs(s.h, ">", n))) }

// Ge is true where the size is at least n.
func (s SizeOf[T]) Ge(n int) Cond[T] { return Cond[T](handle.CondOf(handle.SizeIs(s.h, ">=", n))) }

// And is true where all conditions are. Zero conditions are left out. And of nothing, or only of zero conditions, is the
// zero Cond: as a filter it keeps every item; [If] refuses it.
func And[T any](conds ...Cond[T]) Cond[T] {
	return Cond[T](handle.CondOf(handle.AllOf(handle.Conditions(conds))))
}

// Or is true where at least one condition is. Zero conditions are left out. Or of nothing, or only of zero conditions, would
// be false for every item. DynamoDB has no such condition, so the call that uses it refuses it. If your list of conditions
// is empty, do not make the call.
func Or[T any](conds ...Cond[T]) Cond[T] {
	return Cond[T](handle.CondOf(handle.AnyOf(handle.Conditions(conds))))
}

// Not is true where the condition is not. Not of the zero Cond would be false for every item, and is refused like [Or] of
// nothing.
func Not[T any](c Cond[T]) Cond[T] {
	return Cond[T](handle.CondOf(handle.NotOf(handle.Cond(c).Condition())))
}
