package ddb

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
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

// MultiKey is a key of several attributes, for the partition or the sort key of
// a global index. DynamoDB takes up to four of each. A query gives all of the
// partition attributes; of the sort attributes it gives the first ones, with a
// range only on the last that it gives (see [MultiKey.First]).
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.DesignPattern.MultiAttributeKeys.html
type MultiKey[T, V any] struct{ attrs *severalAttrs }

// severalAttrs is a [MultiKey] without its type parameters.
type severalAttrs struct {
	handles []*handle
	encode  func(key any) ([]types.AttributeValue, error)
}

// Multi2 makes a key of two attributes:
//
//	ddb.NewIndex(orders, "by-status", ddb.Multi2(orderStatus, orderCustomer), orderPlacedAt)
func Multi2[T, A, B any](a KeyField[T, A], b KeyField[T, B]) MultiKey[T, Two[A, B]] {
	return MultiKey[T, Two[A, B]]{joinKeys(func(key any) []any {
		v := key.(*Two[A, B]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B}
	}, a, b)}
}

// Multi3 makes a key of three attributes.
func Multi3[T, A, B, C any](a KeyField[T, A], b KeyField[T, B], c KeyField[T, C]) MultiKey[T, Three[A, B, C]] {
	return MultiKey[T, Three[A, B, C]]{joinKeys(func(key any) []any {
		v := key.(*Three[A, B, C]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B, &v.C}
	}, a, b, c)}
}

// Multi4 makes a key of four attributes.
func Multi4[T, A, B, C, D any](a KeyField[T, A], b KeyField[T, B], c KeyField[T, C], d KeyField[T, D]) MultiKey[T, Four[A, B, C, D]] {
	return MultiKey[T, Four[A, B, C, D]]{joinKeys(func(key any) []any {
		v := key.(*Four[A, B, C, D]) //nolint:forcetypeassert // the type of the key
		return []any{&v.A, &v.B, &v.C, &v.D}
	}, a, b, c, d)}
}

// First limits a sort-key condition to the first n attributes of the key, so
// that the later ones may have any value. With Eq all n are equal; with a range
// condition the first n-1 are equal and the n-th is in the range:
//
//	when := ddb.Multi3(year, month, day)
//	q.SortKey(when.First(2, ddb.Ge(ddb.K3(2026, 4, 0)))) // year = 2026 AND month >= 4
func (m MultiKey[T, V]) First(n int, c SortCond[V]) SortCond[V] {
	c.c.first = n
	return c
}

// HandleOf makes it a [KeyField] of its item and value types. It does nothing.
func (m MultiKey[T, V]) HandleOf(*T, V) {}

func (m MultiKey[T, V]) several() *severalAttrs { return m.attrs }

// joinKeys makes one key of several, of which values gives the addresses of the values.
func joinKeys(values func(key any) []any, fields ...any) *severalAttrs {
	s := new(severalAttrs)
	for _, f := range fields {
		s.handles = append(s.handles, keyHandles(f)...)
	}
	s.encode = func(key any) ([]types.AttributeValue, error) {
		var (
			avs  []types.AttributeValue
			errs []error
		)
		for i, v := range values(key) {
			part, err := encodeKey(fields[i], v)
			avs, errs = append(avs, part...), append(errs, err)
		}
		return avs, errors.Join(errs...)
	}
	return s
}
