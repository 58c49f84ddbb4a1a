// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/handle"
)

// Two is a key of two attributes of a global index; make it with [K2].
type Two[A, B any] struct {
	A A
	B B
}

// Three is a key of three attributes of a global index; make it with [K3].
type Three[A, B, C any] struct {
	A A
	B B
	C C
}

// Four is a key of four attributes of a global index; make it with [K4].
type Four[A, B, C, D any] struct {
	A A
	B B
	C C
	D D
}

// K2 makes a key value of two attributes.
func K2[A, B any](a A, b B) Two[A, B] { return Two[A, B]{a, b} }

// K3 makes a key value of three attributes.
func K3[A, B, C any](a A, b B, c C) Three[A, B, C] { return Three[A, B, C]{a, b, c} }

// K4 makes a key value of four attributes.
func K4[A, B, C, D any](a A, b B, c C, d D) Four[A, B, C, D] { return Four[A, B, C, D]{a, b, c, d} }

// MultiKey is a key of several attributes, for the partition or the sort key of a global index. DynamoDB allows up to four
// of each. A query gives all partition attributes. Of the sort attributes it gives the first ones, with a range only on the
// last one given (see [FirstOne] and [FirstTwo]).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
type MultiKey[T, V any] struct{ attrs *handle.SeveralAttrs }

// Multi2 makes a key of two attributes:
//
//	ddb.NewIndex(orders, "by-status", ddb.Multi2(orderStatus, orderCustomer), orderPlacedAt)
func Multi2[T, A, B any](a KeyField[T, A], b KeyField[T, B]) MultiKey[T, Two[A, B]] {
	return MultiKey[T, Two[A, B]]{handle.JoinKeys(func(key any) []any {
		v := key.(*Two[A, B]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B}
	}, a, b)}
}

// Multi3 makes a key of three attributes.
func Multi3[T, A, B, C any](a KeyField[T, A], b KeyField[T, B], c KeyField[T, C]) MultiKey[T, Three[A, B, C]] {
	return MultiKey[T, Three[A, B, C]]{handle.JoinKeys(func(key any) []any {
		v := key.(*Three[A, B, C]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B, &v.C}
	}, a, b, c)}
}

// Multi4 makes a key of four attributes.
func Multi4[T, A, B, C, D any](a KeyField[T, A], b KeyField[T, B], c KeyField[T, C], d KeyField[T, D]) MultiKey[T, Four[A, B, C, D]] {
	return MultiKey[T, Four[A, B, C, D]]{handle.JoinKeys(func(key any) []any {
		v := key.(*Four[A, B, C, D]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B, &v.C, &v.D}
	}, a, b, c, d)}
}

// FirstOne is a condition on the first attribute of a key of several, whatever the values of the others:
//
//	when := ddb.Multi3(orderYear, orderMonth, orderDay)
//	x.Query("open").SortKey(ddb.FirstOne(when, ddb.Ge(2026)))
func FirstOne[T any, V interface{ firstOne(A) any }, A any](key MultiKey[T, V], c SortCond[A]) SortCond[V] {
	var none V
	return SortCond[V]{c.c.OnFirst(1, func(v any) any { return none.firstOne(*v.(*A)) })} //nolint:forcetypeassert // a value of the condition
}

// FirstTwo is a condition on the first two attributes of a key of several, whatever the values of the others. With [Eq] both are
// equal; with a range condition the first is equal and the second is in the range:
//
//	x.Query("open").SortKey(ddb.FirstTwo(when, ddb.Ge(ddb.K2(2026, 4)))) // year = 2026 AND month >= 4
func FirstTwo[T any, V interface{ firstTwo(Two[A, B]) any }, A, B any](key MultiKey[T, V], c SortCond[Two[A, B]]) SortCond[V] {
	var none V
	return SortCond[V]{c.c.OnFirst(2, func(v any) any { return none.firstTwo(*v.(*Two[A, B])) })} //nolint:forcetypeassert // a value of the condition
}

// FirstThree is a condition on the first three attributes of a key of four; see [FirstTwo].
func FirstThree[T any, V interface{ firstThree(Three[A, B, C]) any }, A, B, C any](key MultiKey[T, V], c SortCond[Three[A, B, C]]) SortCond[V] {
	var none V
	return SortCond[V]{c.c.OnFirst(3, func(v any) any { return none.firstThree(*v.(*Three[A, B, C])) })} //nolint:forcetypeassert // a value of the condition
}

func (Two[A, B]) firstOne(a A) any              { return &Two[A, B]{A: a} }
func (Three[A, B, C]) firstOne(a A) any         { return &Three[A, B, C]{A: a} }
func (Three[A, B, C]) firstTwo(k Two[A, B]) any { return &Three[A, B, C]{A: k.A, B: k.B} }
func (Four[A, B, C, D]) firstOne(a A) any       { return &Four[A, B, C, D]{A: a} }
func (Four[A, B, C, D]) firstTwo(k Two[A, B]) any {
	return &Four[A, B, C, D]{A: k.A, B: k.B}
}

func (Four[A, B, C, D]) firstThree(k Three[A, B, C]) any {
	return &Four[A, B, C, D]{A: k.A, B: k.B, C: k.C}
}

// HandleOf makes it a [KeyField] of its item and value types. It does nothing.
func (m MultiKey[T, V]) HandleOf(*T, V) {}

// KeyParts seals it: keys of several attributes are made here.
func (m MultiKey[T, V]) KeyParts() *handle.SeveralAttrs { return m.attrs }
