// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/handle"
)

// Deref returns a handle of the value that a pointer points to, for elements and fields that are pointers. The attribute is
// the same.
//
//	qty := ddb.Within(ddb.Deref(lines.At(0)), func(l *Line) *int { return &l.Qty }) // lines are a []*Line
//	score := ddb.AsNum(ddb.Deref(ddb.Field(func(o *Order) **int { return &o.Score })))
func Deref[T, V any](a Attr[T, *V]) Attr[T, V] {
	return Attr[T, V]((*handle.Handle)(a).Child(handle.Pointee))
}

// AsMap gives a handle of a list element, map value or inner field the methods of a map, so that paths can lead into maps of
// maps:
//
//	cell := ddb.AsMap(grid.Key("row")).Key("column") // grid is a map[string]map[string]int
func AsMap[T any, K ~string, V any](a Attr[T, map[K]V]) Map[T, K, V] {
	return Map[T, K, V]((*handle.Handle)(a).As(codec.M))
}

// AsList gives a handle of a list element, map value or inner field the methods of a list.
func AsList[T, E any](a Attr[T, []E]) List[T, E] { return List[T, E]((*handle.Handle)(a).As(codec.L)) }

// AsSet gives a handle of a list element, map value or inner field the methods of a set.
func AsSet[T, E any](a Attr[T, []E]) Set[T, E] {
	return Set[T, E]((*handle.Handle)(a).As(codec.SS, codec.NS, codec.BS))
}

// MapSetField makes a handle of a map[E]struct{} that is stored as a set, as the tag says by stringset or numberset: the
// keys are the members. The handle uses slices for them. A map[E]bool can be stored in this way too, without the keys that
// are false; there is no handle for it.
func MapSetField[T any, E comparable](sel func(*T) *map[E]struct{}) Set[T, E] {
	return Set[T, E](handle.New(sel).Child(handle.MembersOf))
}
