// SPDX-License-Identifier: Apache-2.0

package core

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

// Index is a secondary index without its type; the zero index refuses every call.
type Index struct {
	Core *Table
	Info *IndexInfo
}

// NewIndex describes a global index and registers it with the table. After an error it also returns an index, which refuses every call.
func NewIndex(c *Table, name string, partition, sort any, opts []IndexOption) (Index, error) {
	info, err := c.addIndex(name, true, partition, sort, opts)
	if err != nil {
		return failedIndex(c, name, err), err
	}
	return Index{c, info}, nil
}

// NewLocalIndex is NewIndex for a local index, which has the partition key of the table.
func NewLocalIndex(c *Table, name string, sort any, opts []IndexOption) (Index, error) {
	if err := c.Usable(); err != nil {
		return failedIndex(c, name, err), err
	}
	info, err := c.addIndex(name, false, c.Key.partitionField, sort, opts)
	if err != nil {
		return failedIndex(c, name, err), err
	}
	return Index{c, info}, nil
}

// IndexRef is the content of ddb.Index, ddb.SimpleIndex and ddb.LocalIndex.
type IndexRef struct{ x Index }

// Index returns the index; the zero Index for nil.
func (x *IndexRef) Index() Index {
	if x == nil {
		return Index{}
	}
	return x.x
}

// Ref returns the content of a ddb.Index for the index.
func (x Index) Ref() *IndexRef { return &IndexRef{x} }

// Place returns table/index.
func (x Index) Place() string {
	if x.Core == nil {
		return ""
	}
	return x.Core.Name + "/" + x.Info.name
}

// failedIndex returns an index that could not be made.
func failedIndex(c *Table, name string, err error) Index {
	return Index{&Table{Name: c.Label(), Failed: err}, &IndexInfo{name: name}}
}

// IndexInfo describes a secondary index for schema and queries.
type IndexInfo struct {
	name       string
	key        keySchema
	global     bool
	projection types.ProjectionType
	include    []string
	sizes      itemsize.Sizes
	vector     *vectorInfo // that this is part of; nil for an index with keys
}

// IndexOption is an option of an index.
type IndexOption func(*Table, *IndexInfo) error

// ApplyIndex makes it an option.
func (o IndexOption) ApplyIndex(c *Table, i *IndexInfo) error { return o(c, i) }

const maxIndexKey = 4

// holds reports whether the index holds an attribute.
func (i *IndexInfo) holds(c *Table, name string) bool {
	return i == nil || !i.global || i.stores(c, name) // DynamoDB fetches the rest from the table
}

// KeysOnlyOption is the option ddb.KeysOnly.
//
//go:noinline
func KeysOnlyOption() IndexOption {
	return IndexOption(func(_ *Table, i *IndexInfo) error {
		i.projection = types.ProjectionTypeKeysOnly
		return nil
	})
}

// ProjectingOption is the option ddb.Projecting.
//
//go:noinline
func ProjectingOption(attrs []*handle.Handle) IndexOption {
	return IndexOption(func(c *Table, i *IndexInfo) error {
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

func (c *Table) addIndex(name string, global bool, partition, sort any, opts []IndexOption) (*IndexInfo, error) {
	if err := c.Usable(); err != nil {
		return nil, err
	}
	info := &IndexInfo{name: name, global: global, projection: types.ProjectionTypeAll}
	key, err := newKeySchema(c.Plan, partition, sort, true)
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
		return slices.Contains(names, n) || slices.Contains(c.Key.names(), n)
	})
	c.checkEntityIndex(info)
	errs = append(errs, c.checkTombstoneIndex(info), c.checkExpiryIndex(info))
	if err := operr.Invalid(errs...); err != nil {
		return nil, &ddberr.OpError{Op: "NewIndex", Table: c.Name, Index: name, Err: err}
	}
	return c.register(info)
}

// register keeps the index for the schema methods; describing the same index again returns the first.
func (c *Table) register(info *IndexInfo) (*IndexInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if slices.ContainsFunc(c.vectorIndexes(), func(v *vectorInfo) bool { return v.name == info.name }) {
		err := operr.Invalid(errors.New("the table has a vector index of this name"))
		return nil, &ddberr.OpError{Op: "NewIndex", Table: c.Name, Index: info.name, Err: err}
	}
	for _, have := range c.indexes {
		if have.name != info.name {
			continue
		}
		if !have.sameAs(info) {
			err := operr.Invalid(errors.New("the table has an index of this name with another definition"))
			return nil, &ddberr.OpError{Op: "NewIndex", Table: c.Name, Index: info.name, Err: err}
		}
		return have, nil
	}
	c.indexes = append(c.indexes, info)
	return info, nil
}
