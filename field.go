// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"time"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/handle"
)

// Attr is a handle of one attribute of items of type T; its Go value is a V. Make it once, usually in a package variable,
// with [Field] or another constructor. It makes typed conditions ([AttrHandle.Eq]) and update changes ([AttrHandle.Set]).
// Less common conditions and changes are functions, such as [Exists], [NotExists], [In], [Size], [Remove] and
// [SetIfMissing]. The attribute name comes from the struct tag.
//
// A handle is resolved on first use: a selector that does not select a stored field is an error of [New] or of the first
// call that uses the handle, never a panic. So is the zero handle, which is a nil pointer. Handles are immutable and safe
// for concurrent use.
//
// A handle is a pointer, and its type has a pointer to the item type as its parameter: in compiler messages Attr[Order,
// bool] is *ddb.AttrHandle[*Order, bool]. This keeps the code that the compiler makes for each item type small.
type Attr[T, V any] = *AttrHandle[*T, V]

// Ord is a handle like [Attr] whose values DynamoDB can order: text, numbers and binary.
type Ord[T, V any] = *OrdHandle[*T, V]

// Num is a handle like [Ord] of a number, with atomic arithmetic.
type Num[T, V any] = *NumHandle[*T, V]

// Str is a handle like [Ord] of text.
type Str[T, V any] = *StrHandle[*T, V]

// Bin is a handle like [Ord] of bytes.
type Bin[T, V any] = *BinHandle[*T, V]

// Set is a handle like [Attr] of a DynamoDB set (tag stringset, numberset or
// binaryset) with members of type E.
type Set[T, E any] = *SetHandle[*T, E]

// List is a handle like [Attr] of a DynamoDB list with elements of type E.
type List[T, E any] = *ListHandle[*T, E]

// Map is a handle like [Attr] of a DynamoDB map from text keys to values of type V.
type Map[T any, K ~string, V any] = *MapHandle[*T, K, V]

// Number is the constraint of Go types that are stored as a DynamoDB number.
type Number interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 |
		~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// Field makes a handle of any field of T:
//
//	active := ddb.Field(func(u *User) *bool { return &u.Active })
//
// The selector returns the address of a field of its argument; fields of nested
// structs give a document path such as address.city. It must do nothing else: it
// is called on a probe value. Elements of lists and maps are reached with
// [ListHandle.At] and [MapHandle.Key], and inside them with [Within].
func Field[T, V any](sel func(*T) *V) Attr[T, V] { return Attr[T, V](handle.New(sel)) }

// OrdField makes a handle of a field that is stored as text, number or binary
// and has an order, such as a type with MarshalText. A type that is stored in
// another way is refused by [New] when used as a key, and by DynamoDB in a range
// condition.
func OrdField[T, V any](sel func(*T) *V) Ord[T, V] { return Ord[T, V](handle.New(sel)) }

// TimeField makes a handle of a time. Without a tag option a time is stored as RFC 3339 text of fixed width in UTC, such as
// 2026-11-21T06:30:00.500000000Z (typeditem.TimeText), which sorts and compares like the times: as a key, in an index and in a
// condition. The offset of a time is not stored. With the tag option unixtime it is a number of seconds. With sdktime, or
// the option [SDKTimes] of the table, it is the text of the SDK's attributevalue, which does not sort.
func TimeField[T any](sel func(*T) *time.Time) Ord[T, time.Time] {
	return Ord[T, time.Time](handle.New(sel))
}

// StrField makes a handle of a text field, with a selector as for [Field]:
//
//	name := ddb.StrField(func(u *User) *string { return &u.Name })
//
// For a pointer to text use [Field], and [Deref] and [AsStr] for its value.
func StrField[T any, V ~string](sel func(*T) *V) Str[T, V] {
	return Str[T, V](handle.New(sel))
}

// BinField makes a handle of a field of bytes.
func BinField[T any, V ~[]byte](sel func(*T) *V) Bin[T, V] {
	return Bin[T, V](handle.New(sel))
}

// NumField makes a handle of a number field, with a selector as for [Field].
func NumField[T any, V Number](sel func(*T) *V) Num[T, V] {
	return Num[T, V](handle.New(sel))
}

// SetField makes a handle of a slice that is stored as a set. Its tag must have stringset, numberset or binaryset, or the
// field is refused.
func SetField[T, E any](sel func(*T) *[]E) Set[T, E] {
	return Set[T, E](handle.New(sel, codec.SS, codec.NS, codec.BS))
}

// ListField makes a handle of a slice that is stored as a list.
func ListField[T, E any](sel func(*T) *[]E) List[T, E] {
	return List[T, E](handle.New(sel, codec.L))
}

// MapField makes a handle of a map that is stored as a DynamoDB map.
func MapField[T any, K ~string, V any](sel func(*T) *map[K]V) Map[T, K, V] {
	return Map[T, K, V](handle.New(sel, codec.M))
}

// Within returns the handle of a field inside the struct that another handle selects, for structs in lists and maps:
//
//	qty := ddb.Within(lines.At(0), func(l *Line) *int { return &l.Qty })
//
// For elements that are pointers use [Deref].
func Within[T, S, V any](outer Attr[T, S], sel func(*S) *V) Attr[T, V] {
	return Attr[T, V]((*handle.Handle)(outer).Within(handle.New(sel)))
}

// AsNum gives a handle of a list element, map value or inner field the methods of a number.
func AsNum[T any, V Number](a Attr[T, V]) Num[T, V] { return Num[T, V](a) }

// AsStr gives a handle of a list element, map value or inner field the methods of text.
func AsStr[T any, V ~string](a Attr[T, V]) Str[T, V] { return Str[T, V](a) }

// AnyAttr is an attribute handle of any kind.
type AnyAttr interface{ Handle() *handle.Handle }

// AttrOf is an attribute handle of any kind, of an attribute of T whose Go value is a V.
type AttrOf[T, V any] interface {
	AnyAttr
	HandleOf(*T, V)
}

// NameOf returns the attribute's document path, such as status or address.city, for logs and messages. The key of a map
// ([MapHandle.Key]) is data, and is shown as a question mark. The path is empty if the selector is wrong.
func NameOf(attr AnyAttr) string { return handle.Of(attr).Name() }

// handlesOf returns the handles of several. It is no generic function, which each package with a table would compile.
//
//go:noinline
func handlesOf(attrs []AnyAttr) []*handle.Handle { return handle.All(attrs) }
