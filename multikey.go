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
type MultiKey[T, V any] struct {
	handles []*handle
	encode  func(V) ([]types.AttributeValue, error)
}

// Multi2 makes a key of two attributes:
//
//	ddb.NewIndex(orders, "by-status", ddb.Multi2(orderStatus, orderCustomer), orderPlacedAt)
func Multi2[T, A, B any](a KeyField[T, A], b KeyField[T, B]) MultiKey[T, Two[A, B]] {
	return MultiKey[T, Two[A, B]]{join(a.keyHandles(), b.keyHandles()), func(v Two[A, B]) ([]types.AttributeValue, error) {
		return encodeParts(partOf(a, v.A), partOf(b, v.B))
	}}
}

// Multi3 makes a key of three attributes.
func Multi3[T, A, B, C any](a KeyField[T, A], b KeyField[T, B], c KeyField[T, C]) MultiKey[T, Three[A, B, C]] {
	return MultiKey[T, Three[A, B, C]]{join(a.keyHandles(), b.keyHandles(), c.keyHandles()), func(v Three[A, B, C]) ([]types.AttributeValue, error) {
		return encodeParts(partOf(a, v.A), partOf(b, v.B), partOf(c, v.C))
	}}
}

// Multi4 makes a key of four attributes.
func Multi4[T, A, B, C, D any](a KeyField[T, A], b KeyField[T, B], c KeyField[T, C], d KeyField[T, D]) MultiKey[T, Four[A, B, C, D]] {
	return MultiKey[T, Four[A, B, C, D]]{join(a.keyHandles(), b.keyHandles(), c.keyHandles(), d.keyHandles()), func(v Four[A, B, C, D]) ([]types.AttributeValue, error) {
		return encodeParts(partOf(a, v.A), partOf(b, v.B), partOf(c, v.C), partOf(d, v.D))
	}}
}

// First limits a sort-key condition to the first n attributes of the key, so
// that the later ones may have any value. With Eq all n are equal; with a range
// condition the first n-1 are equal and the n-th is in the range:
//
//	when := ddb.Multi3(year, month, day)
//	q.SortKey(when.First(2, ddb.Ge(ddb.K3(2026, 4, 0)))) // year = 2026 AND month >= 4
func (m MultiKey[T, V]) First(n int, c SortCond[V]) SortCond[V] {
	c.first = n
	return c
}

func (m MultiKey[T, V]) keyHandles() []*handle { return m.handles }

func (m MultiKey[T, V]) encodeKey(_ *T, v V) ([]types.AttributeValue, error) { return m.encode(v) }

type encodedPart struct {
	avs []types.AttributeValue
	err error
}

func partOf[T, V any](f KeyField[T, V], v V) encodedPart {
	avs, err := f.encodeKey(nil, v)
	return encodedPart{avs, err}
}

func encodeParts(parts ...encodedPart) ([]types.AttributeValue, error) {
	var (
		avs  []types.AttributeValue
		errs []error
	)
	for _, p := range parts {
		avs = append(avs, p.avs...)
		errs = append(errs, p.err)
	}
	return avs, errors.Join(errs...)
}

func join(lists ...[]*handle) []*handle {
	var all []*handle
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}
