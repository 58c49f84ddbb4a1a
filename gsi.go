// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
)

// Index is a global secondary index with a partition and a sort key. Make it
// with [NewIndex]. It is immutable and safe for concurrent use.
type Index[T, PK, SK any] core.IndexRef

// SimpleIndex is a global secondary index without a sort key.
type SimpleIndex[T, PK any] core.IndexRef

// LocalIndex is a local secondary index: it has the partition key of its table
// and a sort key of its own, and can be read consistently.
//
// Items have the attributes that the index holds ([KeysOnly], [Projecting]); others are zero, unless [Query.Project] names
// them: then DynamoDB fetches them from the table, at the cost of a read of each item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
type LocalIndex[T, PK, SK any] core.IndexRef

// IndexName returns the name of the index.
func (x *Index[T, PK, SK]) IndexName() string { return (*core.IndexRef)(x).Index().Info.Label() }

// IndexName returns the name of the index.
func (x *SimpleIndex[T, PK]) IndexName() string { return (*core.IndexRef)(x).Index().Info.Label() }

// IndexName returns the name of the index.
func (x *LocalIndex[T, PK, SK]) IndexName() string { return (*core.IndexRef)(x).Index().Info.Label() }

// String returns the names of table and index, such as orders/by-status.
func (x *Index[T, PK, SK]) String() string { return (*core.IndexRef)(x).Index().Place() }

// String returns the names of table and index, such as orders/by-status.
func (x *SimpleIndex[T, PK]) String() string { return (*core.IndexRef)(x).Index().Place() }

// String returns the names of table and index, such as orders/by-status.
func (x *LocalIndex[T, PK, SK]) String() string { return (*core.IndexRef)(x).Index().Place() }

// IndexOption is an option of the index constructors.
type IndexOption interface {
	ApplyIndex(*core.Table, *core.IndexInfo) error
}

// KeysOnly makes the index hold the keys of index and table only.
func KeysOnly() IndexOption { return core.KeysOnlyOption() }

// Projecting makes the index hold the keys and the given top-level attributes.
// Without it and [KeysOnly] the index holds all attributes.
func Projecting(attrs ...AnyAttr) IndexOption { return core.ProjectingOption(handlesOf(attrs)) }

// NewIndex describes a global secondary index of a table. It sends nothing; [Table.CreateTable] and [Table.EnsureTable]
// create the indexes that were described before. Keys may have several attributes (multikey.Of2). Items that lack an index key
// attribute are not in the index (a sparse index).
//
// The error matches [ErrInvalid] and names everything that is wrong. The returned index is then not nil, but each of its
// calls returns that error, as do those of an index of a table that could not be made.
func NewIndex[T, PK, SK any](table AnyTable[T], name string, partition KeyField[T, PK], sort KeyField[T, SK], opts ...IndexOption) (*Index[T, PK, SK], error) {
	x, err := newIndex(core.PartOf(table), name, partition, sort, opts)
	return (*Index[T, PK, SK])(x), err
}

// newIndex is not inlined, since NewIndex is compiled for each type of item.
//
//go:noinline
func newIndex(c *core.Table, name string, partition, sort any, opts []IndexOption) (*core.IndexRef, error) {
	x, err := core.NewIndex(c, name, partition, sort, indexOptions(opts))
	return x.Ref(), err
}

// NewSimpleIndex describes a global secondary index without a sort key; see [NewIndex].
func NewSimpleIndex[T, PK any](table AnyTable[T], name string, partition KeyField[T, PK], opts ...IndexOption) (*SimpleIndex[T, PK], error) {
	x, err := newIndex(core.PartOf(table), name, partition, core.NoSort{}, opts)
	return (*SimpleIndex[T, PK])(x), err
}

// NewLocalIndex describes a local secondary index: the table's partition key with another sort key. DynamoDB creates local
// indexes only together with the table.
func NewLocalIndex[T, PK, SK, LSK any](table *Table[T, PK, SK], name string, sort KeyField[T, LSK], opts ...IndexOption) (*LocalIndex[T, PK, LSK], error) {
	x, err := core.NewLocalIndex(table.Part(), name, sort, indexOptions(opts))
	return (*LocalIndex[T, PK, LSK])(x.Ref()), err
}

// indexOptions is not inlined; see readOptions.
//
//go:noinline
func indexOptions(opts []IndexOption) []core.IndexOption { return core.IndexOptions(opts) }
