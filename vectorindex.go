// SPDX-License-Identifier: Apache-2.0

package ddb

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

// VectorIndex finds the items whose vectors are nearest to a vector, among those with one value of a partition attribute.
// Make it with [NewVectorIndex]. It is immutable and safe for concurrent use.
//
// It is experimental: it was tested with the engine of package ddbtest, and has not been run on the service.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_VectorIndex.html
type VectorIndex[T, PK any] struct{ x vectorIndex }

// SimpleVectorIndex is a [VectorIndex] without a partition attribute: a search is among all items that have a vector. Make it with [NewSimpleVectorIndex].
type SimpleVectorIndex[T any] struct{ x vectorIndex }

// Limits of vector indexes, from aws/agent-toolkit-for-aws, skill amazon-dynamodb, references/vector-search.md.
const (
	maxDimensions    = 4096
	maxSearchFilters = 18
	maxSearchResults = 100
)

// vectorIndex is a vector index without its type; a zero one refuses every call.
type vectorIndex struct {
	core *core
	info *vectorInfo
}

// vectorInfo is a vector index as schema, writes and searches see it. Its key has the partition attribute, if there is one, and the filter attributes as sort key.
type vectorInfo struct {
	indexInfo
	attr       *handle.Handle
	dimensions int
	distance   schema.VectorDistance
}

// NewVectorIndex describes a vector index of a table on the attribute vector, whose values have so many dimensions, at most 4,096. Each search is among the
// items with one value of the partition attribute. It sends nothing; [Table.CreateTable] and [Table.EnsureTable] create the vector indexes that were described before.
//
//	meaning, err := ddb.NewVectorIndex(docs, "meaning", docVector, 1024, schema.Cosine, docTenant, ddb.SearchFilters(docLang))
//
// [SearchFilters] names further attributes that a search can demand. [KeysOnly] and [Projecting] choose what a hit holds, as for [NewIndex].
//
// From then on a write through this table whose vector has another length is refused before it is sent. An item without a vector or without the partition attribute is
// stored, and is not in the index; let the field have omitempty for that. Changes of parts of the vector ([List] methods other than Set) are refused, because the
// length after them is not known.
//
// A table has at most 5 vector indexes, and those of one attribute have the same number of dimensions. It must be on-demand.
//
// The error matches [ErrInvalid] and names everything that is wrong. The index is not nil then: each of its calls returns that error.
func NewVectorIndex[T, PK any](table AnyTable[T], name string, vector AttrOf[T, []float32], dimensions int, distance schema.VectorDistance, partition KeyField[T, PK],
	opts ...IndexOption,
) (*VectorIndex[T, PK], error) {
	x, err := newVectorIndex(coreOf(table), name, handleOf(vector), dimensions, distance, partition, indexOptions(opts))
	return &VectorIndex[T, PK]{x}, err
}

// NewSimpleVectorIndex describes a vector index without a partition attribute; see [NewVectorIndex].
func NewSimpleVectorIndex[T any](table AnyTable[T], name string, vector AttrOf[T, []float32], dimensions int, distance schema.VectorDistance, opts ...IndexOption) (*SimpleVectorIndex[T], error) {
	x, err := newVectorIndex(coreOf(table), name, handleOf(vector), dimensions, distance, nil, indexOptions(opts))
	return &SimpleVectorIndex[T]{x}, err
}

// SearchFilters names the attributes, at most 18, that a search of a vector index can demand by Eq. They are stored as text, number or bytes, and each hit has them.
// It is an option of [NewVectorIndex] and [NewSimpleVectorIndex] only.
func SearchFilters(attrs ...AnyAttr) IndexOption { return searchFiltersOption(handlesOf(attrs)) }

func newVectorIndex(c *core, name string, attr *handle.Handle, dimensions int, distance schema.VectorDistance, partition any, opts []indexOption) (vectorIndex, error) {
	if err := c.usable(); err != nil {
		return failedVectorIndex(c, name, err), err
	}
	info := &vectorInfo{indexInfo: indexInfo{name: name, global: true, projection: types.ProjectionTypeAll}, attr: attr, dimensions: dimensions, distance: distance}
	info.vector = info
	errs := []error{checkName("index", name), c.checkVectorAttr(attr)}
	if partition != nil {
		var err error
		info.key, err = newKeySchema(c.plan, partition, noSort{}, true)
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
		errs = append(errs, o(c, &info.indexInfo))
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
		return slices.Contains(names, n) || slices.Contains(c.keyNames, n)
	})
	c.checkEntityIndex(&info.indexInfo)
	errs = append(errs, c.checkExpiryIndex(&info.indexInfo))
	err := operr.Invalid(errs...)
	if err == nil {
		info, err = c.registerVector(info)
	}
	if err != nil {
		err = &ddberr.OpError{Op: "NewVectorIndex", Table: c.name, Index: name, Err: err}
		return failedVectorIndex(c, name, err), err
	}
	return vectorIndex{c, info}, nil
}

// checkVectorAttr refuses an attribute that cannot hold vectors.
func (c *core) checkVectorAttr(h *handle.Handle) error {
	if h == nil {
		return errors.New("the handle of the vector is nil")
	}
	if err := h.Resolve(); err != nil {
		return err
	}
	switch name := h.Path().String(); {
	case !gotype.Same(h.Item(), c.plan.Type()):
		return fmt.Errorf("handle of %s used on a table of %s", h.Item(), c.plan.Type())
	case len(h.Path()) != 1:
		return fmt.Errorf("vector %s is not a top-level attribute", name)
	case gotype.Reflect(h.Field().Type) != reflect.TypeFor[[]float32]():
		return fmt.Errorf("attribute %s is not named by the handle of its field, a []float32; give that of ddb.ListField", name)
	case slices.Contains(c.keyNames, name):
		return fmt.Errorf("vector %s is a key attribute", name)
	}
	return nil
}

// registerVector keeps the index for schema methods and writes; describing the same index again gives the first.
func (c *core) registerVector(info *vectorInfo) (*vectorInfo, error) {
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
	if slices.ContainsFunc(c.indexes, func(i *indexInfo) bool { return i.name == info.name }) {
		return nil, operr.Invalid(errors.New("the table has an index of this name with another definition"))
	}
	if len(all) == schema.MaxVectorIndexes {
		return nil, operr.Invalid(fmt.Errorf("the table has %d vector indexes, which is the limit", schema.MaxVectorIndexes))
	}
	c.vectors.Store(append(slices.Clip(all), info))
	return info, nil
}

// vectorIndexes are those that were described so far.
func (c *core) vectorIndexes() []*vectorInfo {
	all, _ := c.vectors.Load().([]*vectorInfo)
	return all
}

func (v *vectorInfo) same(o *vectorInfo) bool {
	return v.described().Same(o.described())
}

func (v *vectorInfo) described() schema.VectorIndex {
	return schema.VectorIndex{
		Name: v.name, Attribute: v.attr.Path().String(), Dimensions: v.dimensions, Distance: types.VectorDistanceFunction(v.distance),
		Key: v.key.described(), Projection: v.projection, Include: v.include,
	}
}

// failedVectorIndex refuses every call with an error.
func failedVectorIndex(c *core, name string, err error) vectorIndex {
	return vectorIndex{failedIndex(c, name, err).core, nil}
}

// checkVectors refuses an item whose vector has a length that an index does not take: the service would refuse it, or leave it out of the index.
func checkVectors(c *core, item reflect.Value) error {
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

// checkVectorUpdate refuses an update after which the length of a vector is another, or not known.
func (c *core) checkVectorUpdate(u *expr.Update) error {
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

// searchFiltersOption is the option SearchFilters.
//
//go:noinline
func searchFiltersOption(attrs []*handle.Handle) indexOption {
	return indexOption(func(c *core, i *indexInfo) error {
		if i.vector == nil {
			return errors.New("option SearchFilters: it is for vector indexes")
		}
		if n := slices.Index(attrs, nil); n >= 0 {
			return fmt.Errorf("option SearchFilters: attribute %d is nil", n)
		}
		parts, err := keyParts("filter", c.plan, attrs, true)
		i.key.sort = append(i.key.sort, parts...)
		return err
	})
}
