package ddb

import (
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Index is a global secondary index with a partition and a sort key. Make it
// with [NewIndex]. It is immutable and safe for concurrent use.
type Index[T, PK, SK any] struct {
	indexBase[T]
	partition KeyField[T, PK]
	sort      KeyField[T, SK]
}

// SimpleIndex is a global secondary index without a sort key.
type SimpleIndex[T, PK any] struct {
	indexBase[T]
	partition KeyField[T, PK]
}

// LocalIndex is a local secondary index: it has the partition key of its table
// and a sort key of its own, and can be read consistently.
//
// Items hold what the index holds ([KeysOnly], [Projecting]); other attributes are
// zero, unless [Query.Project] names them: then DynamoDB fetches them from the
// table, at a read unit or more for each item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html
type LocalIndex[T, PK, SK any] struct {
	indexBase[T]
	partition KeyField[T, PK]
	sort      KeyField[T, SK]
}

type indexBase[T any] struct {
	*core
	info *indexInfo
}

// indexInfo is a secondary index as schema and queries see it.
type indexInfo struct {
	name       string
	key        keySchema
	global     bool
	projection types.ProjectionType
	include    []string
	sizes      itemSizes
}

// IndexName is the name of the index.
func (x indexBase[T]) IndexName() string { return x.info.name }

// IndexOption is an option of the index constructors.
type IndexOption interface{ applyIndex(*core, *indexInfo) error }

type indexOption func(*core, *indexInfo) error

func (o indexOption) applyIndex(c *core, i *indexInfo) error { return o(c, i) }

// KeysOnly makes the index hold the keys of index and table only.
func KeysOnly() IndexOption {
	return indexOption(func(_ *core, i *indexInfo) error {
		i.projection = types.ProjectionTypeKeysOnly
		return nil
	})
}

// Projecting makes the index hold the keys and the given top-level attributes.
// Without it and [KeysOnly] the index holds all attributes.
func Projecting(attrs ...AnyAttr) IndexOption {
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

// NewIndex describes a global secondary index of a table. It sends nothing;
// [Table.CreateTable] and [Table.EnsureTable] create the indexes that were
// described before. Keys may be of several attributes ([Multi2]). Items that lack
// an index key attribute are not in the index (a sparse index).
//
// The error matches [ErrInvalid] and names everything that is wrong. The index is not nil then:
// each of its calls returns that error, as do those of an index of a table that could not be made.
func NewIndex[T, PK, SK any](table AnyTable[T], name string, partition KeyField[T, PK], sort KeyField[T, SK], opts ...IndexOption) (*Index[T, PK, SK], error) {
	c := coreOf(table)
	info, err := c.addIndex(name, true, keyHandles(partition), keyHandles(sort), opts)
	if err != nil {
		return &Index[T, PK, SK]{indexBase: failedIndex[T](c, name, err)}, err
	}
	return &Index[T, PK, SK]{indexBase[T]{c, info}, partition, sort}, nil
}

// NewSimpleIndex describes a global secondary index without a sort key; see [NewIndex].
func NewSimpleIndex[T, PK any](table AnyTable[T], name string, partition KeyField[T, PK], opts ...IndexOption) (*SimpleIndex[T, PK], error) {
	c := coreOf(table)
	info, err := c.addIndex(name, true, keyHandles(partition), nil, opts)
	if err != nil {
		return &SimpleIndex[T, PK]{indexBase: failedIndex[T](c, name, err)}, err
	}
	return &SimpleIndex[T, PK]{indexBase[T]{c, info}, partition}, nil
}

// NewLocalIndex describes a local secondary index: the table's partition key with
// another sort key. DynamoDB creates local indexes with the table only.
func NewLocalIndex[T, PK, SK, LSK any](table *Table[T, PK, SK], name string, sort KeyField[T, LSK], opts ...IndexOption) (*LocalIndex[T, PK, LSK], error) {
	c := coreOf[T](table)
	if err := c.usable(); err != nil {
		return &LocalIndex[T, PK, LSK]{indexBase: failedIndex[T](c, name, err)}, err
	}
	info, err := c.addIndex(name, false, keyHandles(table.partition), keyHandles(sort), opts)
	if err != nil {
		return &LocalIndex[T, PK, LSK]{indexBase: failedIndex[T](c, name, err)}, err
	}
	return &LocalIndex[T, PK, LSK]{indexBase[T]{table.core, info}, table.partition, sort}, nil
}

const maxIndexKey = 4

func (c *core) addIndex(name string, global bool, partition, sort []*handle, opts []IndexOption) (*indexInfo, error) {
	if err := c.usable(); err != nil {
		return nil, err
	}
	info := &indexInfo{name: name, global: global, projection: types.ProjectionTypeAll}
	pk, err1 := keyParts("partition", c.plan, partition, true)
	sk, err2 := keyParts("sort", c.plan, sort, true)
	errs := []error{checkName("index", name), err1, err2}
	info.key = keySchema{partition: pk, sort: sk}
	limit := maxIndexKey
	if !global {
		limit = 1
	}
	if len(partition) > limit || len(sort) > limit {
		errs = append(errs, fmt.Errorf("index key has %d partition and %d sort attributes; the limit is %d each", len(partition), len(sort), limit))
	}
	names := info.key.names()
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			errs = append(errs, fmt.Errorf("attribute %s stands twice in the index key", n))
		}
	}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, o.applyIndex(c, info))
	}
	info.include = slices.DeleteFunc(info.include, func(n string) bool {
		return slices.Contains(names, n) || slices.Contains(c.key.names(), n)
	})
	errs = append(errs, c.checkTombstoneIndex(info))
	if err := invalid(errs...); err != nil {
		return nil, &OpError{Op: "NewIndex", Table: c.name, Index: name, Err: err}
	}
	return c.register(info)
}

// register keeps the index for the schema methods; describing the same index again gives the first.
func (c *core) register(info *indexInfo) (*indexInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, have := range c.indexes {
		if have.name != info.name {
			continue
		}
		same := have.global == info.global && have.projection == info.projection &&
			slices.Equal(have.include, info.include) && have.key.text() == info.key.text()
		if !same {
			err := invalid(errors.New("the table has an index of this name with another definition"))
			return nil, &OpError{Op: "NewIndex", Table: c.name, Index: info.name, Err: err}
		}
		return have, nil
	}
	c.indexes = append(c.indexes, info)
	return info, nil
}

// holds reports whether the index has an attribute.
func (i *indexInfo) holds(c *core, name string) bool {
	if i == nil || i.projection == types.ProjectionTypeAll || !i.global {
		return true // a local index fetches the rest from its table
	}
	return slices.Contains(i.key.names(), name) || slices.Contains(c.key.names(), name) || slices.Contains(i.include, name)
}
