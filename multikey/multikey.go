// SPDX-License-Identifier: Apache-2.0

// Package multikey has keys of several attributes, for the partition or the sort key of a global secondary index:
//
//	byDay, err := ddb.NewIndex(orders, "by-day", multikey.Of2(orderStatus, orderRegion), multikey.Of3(orderYear, orderMonth, orderDay))
//
//	when := multikey.Of3(orderYear, orderMonth, orderDay)
//	q := byDay.Query(multikey.K2("open", "eu")).SortKey(multikey.FirstTwo(when, ddb.Ge(multikey.K2(2026, 4))))
//
// The service joins nothing: each attribute keeps its type, and an item that lacks one of them is not in the index.
package multikey

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawitem"
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

// Key is a key of several attributes, for the partition or the sort key of a global index. DynamoDB allows up to four
// of each. A query gives all partition attributes. Of the sort attributes it gives the first ones, with a range only on the
// last one given (see [FirstOne] and [FirstTwo]).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
type Key[T, V any] struct{ attrs *handle.SeveralAttrs }

// Of2 makes a key of two attributes:
//
//	ddb.NewIndex(orders, "by-status", multikey.Of2(orderStatus, orderCustomer), orderPlacedAt)
func Of2[T, A, B any](a ddb.KeyField[T, A], b ddb.KeyField[T, B]) Key[T, Two[A, B]] {
	return Key[T, Two[A, B]]{handle.JoinKeys(func(key any) []any {
		v := key.(*Two[A, B]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B}
	}, a, b)}
}

// Of3 makes a key of three attributes.
func Of3[T, A, B, C any](a ddb.KeyField[T, A], b ddb.KeyField[T, B], c ddb.KeyField[T, C]) Key[T, Three[A, B, C]] {
	return Key[T, Three[A, B, C]]{handle.JoinKeys(func(key any) []any {
		v := key.(*Three[A, B, C]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B, &v.C}
	}, a, b, c)}
}

// Of4 makes a key of four attributes.
func Of4[T, A, B, C, D any](a ddb.KeyField[T, A], b ddb.KeyField[T, B], c ddb.KeyField[T, C], d ddb.KeyField[T, D]) Key[T, Four[A, B, C, D]] {
	return Key[T, Four[A, B, C, D]]{handle.JoinKeys(func(key any) []any {
		v := key.(*Four[A, B, C, D]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B, &v.C, &v.D}
	}, a, b, c, d)}
}

// FirstOne is a condition on the first attribute of a key of several, whatever the values of the others:
//
//	when := multikey.Of3(orderYear, orderMonth, orderDay)
//	x.Query("open").SortKey(multikey.FirstOne(when, ddb.Ge(2026)))
func FirstOne[T any, V interface{ firstOne(A) any }, A any](key Key[T, V], c ddb.SortCond[A]) ddb.SortCond[V] {
	var none V
	return ddb.SortCond[V](handle.SortCond(c).OnFirst(1, func(v any) any { return none.firstOne(*v.(*A)) })) //nolint:forcetypeassert // a value of the condition
}

// FirstTwo is a condition on the first two attributes of a key of several, whatever the values of the others. With [ddb.Eq] both are
// equal; with a range condition the first is equal and the second is in the range:
//
//	x.Query("open").SortKey(multikey.FirstTwo(when, ddb.Ge(multikey.K2(2026, 4)))) // year = 2026 AND month >= 4
func FirstTwo[T any, V interface{ firstTwo(Two[A, B]) any }, A, B any](key Key[T, V], c ddb.SortCond[Two[A, B]]) ddb.SortCond[V] {
	var none V
	return ddb.SortCond[V](handle.SortCond(c).OnFirst(2, func(v any) any { return none.firstTwo(*v.(*Two[A, B])) })) //nolint:forcetypeassert // a value of the condition
}

// FirstThree is a condition on the first three attributes of a key of four; see [FirstTwo].
func FirstThree[T any, V interface{ firstThree(Three[A, B, C]) any }, A, B, C any](key Key[T, V], c ddb.SortCond[Three[A, B, C]]) ddb.SortCond[V] {
	var none V
	return ddb.SortCond[V](handle.SortCond(c).OnFirst(3, func(v any) any { return none.firstThree(*v.(*Three[A, B, C])) })) //nolint:forcetypeassert // a value of the condition
}

func (Two[A, B]) firstOne(a A) any { return &Two[A, B]{A: a} }

func (Three[A, B, C]) firstOne(a A) any { return &Three[A, B, C]{A: a} }

func (Three[A, B, C]) firstTwo(k Two[A, B]) any { return &Three[A, B, C]{A: k.A, B: k.B} }

func (Four[A, B, C, D]) firstOne(a A) any { return &Four[A, B, C, D]{A: a} }

func (Four[A, B, C, D]) firstTwo(k Two[A, B]) any {
	return &Four[A, B, C, D]{A: k.A, B: k.B}
}

func (Four[A, B, C, D]) firstThree(k Three[A, B, C]) any {
	return &Four[A, B, C, D]{A: k.A, B: k.B, C: k.C}
}

// HandleOf makes it a [ddb.KeyField] of its item and value types. It does nothing.
func (m Key[T, V]) HandleOf(*T, V) {}

// KeyParts seals it: keys of several attributes are made here.
func (m Key[T, V]) KeyParts() *handle.SeveralAttrs { return m.attrs }

// Format prints a hash of the values, for every verb: the same for equal values.
func (v Two[A, B]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, core.HashText("values", v.A, v.B))
}

// LogValue is the text that Format prints.
func (v Two[A, B]) LogValue() slog.Value { return slog.StringValue(core.HashText("values", v.A, v.B)) }

// Format prints a hash of the values, for every verb: the same for equal values.
func (v Three[A, B, C]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, core.HashText("values", v.A, v.B, v.C))
}

// LogValue is the text that Format prints.
func (v Three[A, B, C]) LogValue() slog.Value {
	return slog.StringValue(core.HashText("values", v.A, v.B, v.C))
}

// Format prints a hash of the values, for every verb: the same for equal values.
func (v Four[A, B, C, D]) Format(s fmt.State, verb rune) {
	quiet.Format(s, verb, core.HashText("values", v.A, v.B, v.C, v.D))
}

// LogValue is the text that Format prints.
func (v Four[A, B, C, D]) LogValue() slog.Value {
	return slog.StringValue(core.HashText("values", v.A, v.B, v.C, v.D))
}

// Raw returns the key of a global index of raw items, of up to four attributes, or of none for an index without a sort
// key. Its values are lists: all values of a partition key, or the first values of a sort key; a condition applies to the
// last value given.
//
//	byStatus, err := ddb.NewIndex(t, "by-status", multikey.Raw(rawtable.KeyAttr("status", "S")), multikey.Raw())
func Raw(attrs ...ddb.Ord[rawitem.Item, rawitem.Value]) Key[rawitem.Item, []rawitem.Value] {
	s := new(handle.SeveralAttrs)
	for _, a := range attrs {
		s.Handles = append(s.Handles, (*handle.Handle)(a))
	}
	s.Encode = func(key any, n int) ([]types.AttributeValue, error) {
		values := *key.(*[]rawitem.Value) //nolint:forcetypeassert // the type of the key
		if len(values) > len(attrs) || len(values) < min(n, len(attrs)) {
			return nil, fmt.Errorf("a key of %d attributes is given %d values", len(attrs), len(values))
		}
		var (
			avs  []types.AttributeValue
			errs []error
		)
		for i := range values {
			part, err := handle.EncodeKey(attrs[i], &values[i], 1)
			avs, errs = append(avs, part...), append(errs, err)
		}
		return avs, errors.Join(errs...)
	}
	return Key[rawitem.Item, []rawitem.Value]{s}
}
