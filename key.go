// SPDX-License-Identifier: Apache-2.0

package ddb

// Key is the primary key of an item in a table with a sort key. Make it with [Table.Key], which infers the types, or as a
// literal.
type Key[PK, SK any] struct {
	Partition PK
	Sort      SK
}

// KeyField is a handle that can be a partition or sort key: any attribute handle ([Attr], [Str], [Num], [Bin], [Ord]) whose
// values are stored as text, number or binary. For indexes it can also be several attributes (multikey.Of2, multikey.Of3, multikey.Of4).
// T is the item type and V the Go type of the key.
type KeyField[T, V any] interface{ HandleOf(*T, V) }
