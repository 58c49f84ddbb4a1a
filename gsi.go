// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/operr"
)

// Index is a global secondary index with a partition and a sort key. Make it
// with [NewIndex]. It is immutable and safe for concurrent use.
type Index[T, PK, SK any] indexRef

// SimpleIndex is a global secondary index without a sort key.
type SimpleIndex[T, PK any] indexRef

// LocalIndex is a local secondary index: it has the partition key of its table
// and a sort key of its own, and can be read consistently.
//
// Items have the attributes that the index holds ([KeysOnly], [Projecting]); others are zero, unless [Query.Project] names
// them: then DynamoDB fetches them from the table, at the cost of a read of each item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
type LocalIndex[T, PK, SK any] indexRef

// index is a secondary index without its type; the zero index refuses every call.
type index struct {
	core *core
	info *indexInfo
}

// indexRef is the content of [Index], [SimpleIndex] and [LocalIndex].
type indexRef struct{ x index }

func (x *indexRef) index() index {
	if x == nil {
		return index{}
	}
	return x.x
}

// place returns table/index.
func (x index) place() string {
	if x.core == nil {
		return ""
	}
	return x.core.name + "/" + x.info.name
}

// indexInfo describes a secondary index for schema and queries.
type indexInfo struct {
	name       string
	key        keySchema
	global     bool
	projection types.ProjectionType
	include    []string
	sizes      itemsize.Sizes
	vector     *vectorInfo // that this is part of; nil for an index with keys
}

// IndexName returns the name of the index.
func (x *Index[T, PK, SK]) IndexName() string { return (*indexRef)(x).index().info.label() }

// IndexName returns the name of the index.
func (x *SimpleIndex[T, PK]) IndexName() string { return (*indexRef)(x).index().info.label() }

// IndexName returns the name of the index.
func (x *LocalIndex[T, PK, SK]) IndexName() string { return (*indexRef)(x).index().info.label() }

// String returns the names of table and index, such as orders/by-status.
func (x *Index[T, PK, SK]) String() string { return (*indexRef)(x).index().place() }

// String returns the names of table and index, such as orders/by-status.
func (x *SimpleIndex[T, PK]) String() string { return (*indexRef)(x).index().place() }

// String returns the names of table and index, such as orders/by-status.
func (x *LocalIndex[T, PK, SK]) String() string { return (*indexRef)(x).index().place() }

// IndexOption is an option of the index constructors.
type IndexOption interface {
	ApplyIndex(*core, *indexInfo) error
}

type indexOption func(*core, *indexInfo) error

// ApplyIndex makes it an option.
func (o indexOption) ApplyIndex(c *core, i *indexInfo) error { return o(c, i) }

// KeysOnly makes the index hold the keys of index and table only.
func KeysOnly() IndexOption { return keysOnlyOption() }

// Projecting makes the index hold the keys and the given top-level attributes.
// Without it and [KeysOnly] the index holds all attributes.
func Projecting(attrs ...AnyAttr) IndexOption { return projectingOption(handlesOf(attrs)) }

// NewIndex describes a global secondary index of a table. It sends nothing; [Table.CreateTable] and [Table.EnsureTable]
// create the indexes that were described before. Keys may have several attributes ([Multi2]). Items that lack an index key
// attribute are not in the index (a sparse index).
//
// The error matches [ErrInvalid] and names everything that is wrong. The returned index is then not nil, but each of its
// calls returns that error, as do those of an index of a table that could not be made.
func NewIndex[T, PK, SK any](table AnyTable[T], name string, partition KeyField[T, PK], sort KeyField[T, SK], opts ...IndexOption) (*Index[T, PK, SK], error) {
	x, err := newIndex(coreOf(table), name, partition, sort, indexOptions(opts))
	return &Index[T, PK, SK]{x}, err
}

// NewSimpleIndex describes a global secondary index without a sort key; see [NewIndex].
func NewSimpleIndex[T, PK any](table AnyTable[T], name string, partition KeyField[T, PK], opts ...IndexOption) (*SimpleIndex[T, PK], error) {
	x, err := newIndex(coreOf(table), name, partition, noSort{}, indexOptions(opts))
	return &SimpleIndex[T, PK]{x}, err
}

// NewLocalIndex describes a local secondary index: the table's partition key with another sort key. DynamoDB creates local
// indexes only together with the table.
func NewLocalIndex[T, PK, SK, LSK any](table *Table[T, PK, SK], name string, sort KeyField[T, LSK], opts ...IndexOption) (*LocalIndex[T, PK, LSK], error) {
	x, err := newLocalIndex(table.part(), name, sort, indexOptions(opts))
	return &LocalIndex[T, PK, LSK]{x}, err
}

// indexOptions returns the functions of options, nil for one that is nil.
func indexOptions(opts []IndexOption) []indexOption {
	all := make([]indexOption, len(opts))
	for i, o := range opts {
		if o != nil {
			all[i] = o.ApplyIndex
		}
	}
	return all
}

func newIndex(c *core, name string, partition, sort any, opts []indexOption) (index, error) {
	info, err := c.addIndex(name, true, partition, sort, opts)
	if err != nil {
		return failedIndex(c, name, err), err
	}
	return index{c, info}, nil
}

func newLocalIndex(c *core, name string, sort any, opts []indexOption) (index, error) {
	if err := c.usable(); err != nil {
		return failedIndex(c, name, err), err
	}
	info, err := c.addIndex(name, false, c.key.partitionField, sort, opts)
	if err != nil {
		return failedIndex(c, name, err), err
	}
	return index{c, info}, nil
}

const maxIndexKey = 4

func (c *core) addIndex(name string, global bool, partition, sort any, opts []indexOption) (*indexInfo, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	info := &indexInfo{name: name, global: global, projection: types.ProjectionTypeAll}
	key, err := newKeySchema(c.plan, partition, sort, true)
	errs := []error{checkName("index", name), err}
	info.key = key
	limit := maxIndexKey
	if !global {
		limit = 1
	}
	if p, s := len(handle.KeyHandles(partition)), len(handle.KeyHandles(sort)); p > limit || s > limit {
		errs = append(errs, fmt.Errorf("index key has %d partition and %d sort attributes; the limit is %d each", p, s, limit))
	}
	names := info.key.names()
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			errs = append(errs, fmt.Errorf("attribute %s is twice in the index key", n))
		}
	}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, o(c, info))
	}
	info.include = slices.DeleteFunc(info.include, func(n string) bool {
		return slices.Contains(names, n) || slices.Contains(c.key.names(), n)
	})
	c.checkEntityIndex(info)
	errs = append(errs, c.checkTombstoneIndex(info), c.checkExpiryIndex(info))
	if err := operr.Invalid(errs...); err != nil {
		return nil, &ddberr.OpError{Op: "NewIndex", Table: c.name, Index: name, Err: err}
	}
	return c.register(info)
}

// register keeps the index for the schema methods; describing the same index again returns the first.
func (c *core) register(info *indexInfo) (*indexInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.vectorIndexes(), func(v *vectorInfo) bool { return v.name == info.name }) {
		err := operr.Invalid(errors.New("the table has a vector index of this name"))
		return nil, &ddberr.OpError{Op: "NewIndex", Table: c.name, Index: info.name, Err: err}
	}
	for _, have := range c.indexes {
		if have.name != info.name {
			continue
		}
		if !have.sameAs(info) {
			err := operr.Invalid(errors.New("the table has an index of this name with another definition"))
			return nil, &ddberr.OpError{Op: "NewIndex", Table: c.name, Index: info.name, Err: err}
		}
		return have, nil
	}
	c.indexes = append(c.indexes, info)
	return info, nil
}

// holds reports whether the index holds an attribute.
func (i *indexInfo) holds(c *core, name string) bool {
	return i == nil || !i.global || i.stores(c, name) // DynamoDB fetches the rest from the table
}

// keysOnlyOption is the option KeysOnly.
//
//go:noinline
func keysOnlyOption() indexOption {
	return indexOption(func(_ *core, i *indexInfo) error {
		i.projection = types.ProjectionTypeKeysOnly
		return nil
	})
}

// projectingOption is the option Projecting.
//
//go:noinline
func projectingOption(attrs []*handle.Handle) indexOption {
	return indexOption(func(c *core, i *indexInfo) error {
		i.projection = types.ProjectionTypeInclude
		paths, err := c.projection(attrs)
		for _, p := range paths {
			if len(p) > 1 {
				err = errors.Join(err, fmt.Errorf("projection: %s is not a top-level attribute", p))
				continue
			}
			i.include = append(i.include, p.String())
		}
		if len(attrs) == 0 {
			err = errors.Join(err, errors.New("projection: no attributes; use KeysOnly"))
		}
		return err
	})
}
