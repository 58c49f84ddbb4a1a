// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/schema"
)

// Limits of vector indexes, from aws/agent-toolkit-for-aws, skill amazon-dynamodb, references/vector-search.md.
const (
	maxDimensions    = 4096
	maxSearchFilters = 18
	maxSearchResults = 100
)

// VectorIndex is a vector index without its type; a zero one refuses every call.
type VectorIndex struct {
	core *Table
	info *vectorInfo
}

// vectorInfo is a vector index as schema, writes and searches see it. Its key has the partition attribute, if there is one, and the filter attributes as sort key.
type vectorInfo struct {
	IndexInfo
	attr       *handle.Handle
	dimensions int
	distance   schema.VectorDistance
}

// NewVectorIndex describes a vector index and registers it with the table; partition is a handle, or nil. After an error it also returns
// an index, which refuses every call.
func NewVectorIndex(c *Table, name string, attr *handle.Handle, dimensions int, distance schema.VectorDistance, partition any, opts []IndexOption) (VectorIndex, error) {
	if err := c.Usable(); err != nil {
		return failedVectorIndex(c, name, err), err
	}
	info := &vectorInfo{IndexInfo: IndexInfo{name: name, global: true, projection: types.ProjectionTypeAll}, attr: attr, dimensions: dimensions, distance: distance}
	info.vector = info
	errs := []error{checkName("index", name), c.checkVectorAttr(attr)}
	if partition != nil {
		var err error
		info.key, err = newKeySchema(c.Plan, partition, NoSort{}, true)
		if errs = append(errs, err); len(info.key.partition) > 1 {
			errs = append(errs, errors.New("the partition of a vector index is one attribute"))
		}
	}
	if dimensions < 1 || dimensions > maxDimensions {
		errs = append(errs, fmt.Errorf("a vector of %d dimensions: 1 to %d are possible", dimensions, maxDimensions))
	}
	if !slices.Contains([]schema.VectorDistance{schema.Cosine, schema.Euclidean, schema.DotProduct}, distance) {
		errs = append(errs, fmt.Errorf("distance %q is none of Cosine, Euclidean and DotProduct", distance))
	}
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		errs = append(errs, o(c, &info.IndexInfo))
	}
	if n := len(info.key.sort); n > maxSearchFilters {
		errs = append(errs, fmt.Errorf("%d search filters; the limit is %d", n, maxSearchFilters))
	}
	names := info.key.names()
	for i, n := range names {
		if slices.Contains(names[:i], n) {
			errs = append(errs, fmt.Errorf("attribute %s is listed twice in partition and filters", n))
		}
	}
	info.include = slices.DeleteFunc(info.include, func(n string) bool {
		return slices.Contains(names, n) || slices.Contains(c.KeyNames, n)
	})
	c.checkEntityIndex(&info.IndexInfo)
	errs = append(errs, c.checkExpiryIndex(&info.IndexInfo))
	err := operr.Invalid(errs...)
	if err == nil {
		info, err = c.registerVector(info)
	}
	if err != nil {
		err = &ddberr.OpError{Op: "NewVectorIndex", Table: c.Name, Index: name, Err: err}
		return failedVectorIndex(c, name, err), err
	}
	return VectorIndex{c, info}, nil
}

func (v *vectorInfo) same(o *vectorInfo) bool {
	return v.described().Same(o.described())
}

func (v *vectorInfo) described() schema.VectorIndex {
	return schema.VectorIndex{
		Name: v.name, Attribute: v.attr.Path().String(), Dimensions: v.dimensions, Distance: types.VectorDistanceFunction(v.distance),
		Key: v.key.Described(), Projection: v.projection, Include: v.include,
	}
}

// failedVectorIndex refuses every call with an error.
func failedVectorIndex(c *Table, name string, err error) VectorIndex {
	return VectorIndex{failedIndex(c, name, err).Core, nil}
}

// checkVectors refuses an item whose vector has a length that an index does not take: the service would refuse it, or leave it out of the index.
func checkVectors(c *Table, item reflect.Value) error {
	var errs []error
	for _, v := range c.vectorIndexes() {
		field, err := item.FieldByIndexErr(v.attr.Field().Index)
		if err != nil || field.Len() == v.dimensions || field.Len() == 0 && (v.attr.Field().OmitEmpty || v.attr.Field().OmitZero && field.IsNil()) {
			continue // it may be in an embedded pointer that is nil
		}
		hint := ""
		if field.Len() == 0 {
			hint = "; items without a vector need omitempty in the tag of the field"
		}
		errs = append(errs, fmt.Errorf("attribute %s has %d elements, vector index %s takes %d%s", v.attr.Path(), field.Len(), v.name, v.dimensions, hint))
	}
	return errors.Join(errs...)
}

// SearchFiltersOption is the option ddb.SearchFilters.
//
//go:noinline
func SearchFiltersOption(attrs []*handle.Handle) IndexOption {
	return IndexOption(func(c *Table, i *IndexInfo) error {
		if i.vector == nil {
			return errors.New("option SearchFilters: it is for vector indexes")
		}
		if n := slices.Index(attrs, nil); n >= 0 {
			return fmt.Errorf("option SearchFilters: attribute %d is nil", n)
		}
		parts, err := keyParts("filter", c.Plan, attrs, true)
		i.key.sort = append(i.key.sort, parts...)
		return err
	})
}

// checkVectorAttr refuses an attribute that cannot hold vectors.
func (c *Table) checkVectorAttr(h *handle.Handle) error {
	if h == nil {
		return errors.New("the handle of the vector is nil")
	}
	if err := resolveFor(c.Plan, h); err != nil {
		return err
	}
	switch name := h.Path().String(); {
	case len(h.Path()) != 1:
		return fmt.Errorf("vector %s is not a top-level attribute", name)
	case gotype.Reflect(h.Field().Type) != reflect.TypeFor[[]float32]():
		return fmt.Errorf("attribute %s is not named by the handle of its field, a []float32; give that of ddb.ListField", name)
	case slices.Contains(c.KeyNames, name):
		return fmt.Errorf("vector %s is a key attribute", name)
	}
	return nil
}

// registerVector keeps the index for schema methods and writes; describing the same index again gives the first.
func (c *Table) registerVector(info *vectorInfo) (*vectorInfo, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := c.vectorIndexes()
	for _, have := range all {
		switch {
		case have.name == info.name && have.same(info):
			return have, nil
		case have.name == info.name:
			return nil, operr.Invalid(errors.New("the table has an index of this name with another definition"))
		case have.attr.Path().String() == info.attr.Path().String() && have.dimensions != info.dimensions:
			return nil, operr.Invalid(fmt.Errorf("index %s has %d dimensions of attribute %s; those of one attribute must be the same", have.name, have.dimensions, info.attr.Path()))
		}
	}
	if slices.ContainsFunc(c.indexes, func(i *IndexInfo) bool { return i.name == info.name }) {
		return nil, operr.Invalid(errors.New("the table has an index of this name with another definition"))
	}
	if len(all) == schema.MaxVectorIndexes {
		return nil, operr.Invalid(fmt.Errorf("the table has %d vector indexes, which is the limit", schema.MaxVectorIndexes))
	}
	c.vectors.Store(append(slices.Clip(all), info))
	return info, nil
}

// vectorIndexes are those that were described so far.
func (c *Table) vectorIndexes() []*vectorInfo {
	all, _ := c.vectors.Load().([]*vectorInfo)
	return all
}

// checkVectorUpdate refuses an update after which the length of a vector is another, or not known.
func (c *Table) checkVectorUpdate(u *expr.Update) error {
	var errs []error
	for _, v := range c.vectorIndexes() {
		refuse := func(a expr.Action) {
			if !a.Path.Overlaps(v.attr.Path()) {
				return
			}
			if value, ok := a.Right.(expr.Value); ok && len(a.Path) == 1 {
				if list, ok := value.AV.(*types.AttributeValueMemberL); ok {
					if len(list.Value) != v.dimensions {
						errs = append(errs, fmt.Errorf("attribute %s: a vector of %d elements, vector index %s takes %d", v.attr.Path(), len(list.Value), v.name, v.dimensions))
					}
					return
				}
			}
			errs = append(errs, fmt.Errorf("attribute %s is the vector of index %s: an update can set it as a whole or remove it, since its length must be known", v.attr.Path(), v.name))
		}
		for _, list := range [][]expr.Action{u.Set, u.Add, u.Delete} {
			for _, a := range list {
				refuse(a)
			}
		}
		for _, a := range u.Remove {
			if len(a.Path) > 1 {
				refuse(a)
			}
		}
	}
	return errors.Join(errs...)
}
