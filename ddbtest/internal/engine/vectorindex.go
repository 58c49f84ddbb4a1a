// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

const (
	maxVectorIndexes    = 5
	maxVectorDimensions = 4096
)

// The limits are those of https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html; the texts for wrong definitions, vectors and
// searches, and how a score is computed, have been measured in
// https://github.com/nubo-db/dynoxide/pull/175.

// The distance functions.
const (
	distanceCosine    = "COSINE"
	distanceEuclidean = "EUCLIDEAN"
	distanceDot       = "DOT_PRODUCT"

	distanceSet = "[COSINE, EUCLIDEAN, DOT_PRODUCT]"
	roleSet     = "[HASH, INLINE_FILTER]"
	roleHash    = "HASH"
)

// VectorIndex defines a vector index, in wire format.
type VectorIndex struct {
	IndexName        *string
	Dimensions       *int64
	DistanceFunction *string
	VectorAttribute  *VectorAttribute
	Projection       *Projection
	SearchSchema     []SearchSchemaElement `json:",omitempty"`
}

// VectorAttribute names the attribute that holds the vector: a list of numbers.
type VectorAttribute struct{ AttributeName *string }

// SearchSchemaElement names an attribute that a search can be limited by.
type SearchSchemaElement struct {
	AttributeName           *string
	SearchSchemaElementType *string
}

// VectorIndexUpdate creates or deletes a vector index.
type VectorIndexUpdate struct {
	Create *VectorIndex
	Delete *VectorIndex // name only
}

// VectorIndexDescription describes a vector index in wire format.
type VectorIndexDescription struct {
	VectorIndex
	Backfilling    *bool `json:",omitempty"`
	IndexArn       string
	IndexStatus    string
	IndexSizeBytes int64
	ItemCount      int64
}

// vectorIndex is a vector index of a table. It stores no entries: a search compares every item, and so is exact.
// It is immutable.
type vectorIndex struct {
	VectorIndex
	hash  string                // the attribute that the search schema partitions by, or ""
	kinds map[string]value.Kind // of the attributes of the search schema
	// backfillAt is when the filling of an index on an existing table begins, readyAt when the index is ready.
	backfillAt, readyAt time.Time
}

// vectorIndex checks the parameters of a definition one by one.
func (c *constraints) vectorIndex(path string, x *VectorIndex) {
	c.presentName(path+".indexName", x.IndexName)
	if c.required(path+".dimensions", x.Dimensions != nil) {
		c.atLeast(path+".dimensions", x.Dimensions, 1)
		c.atMost(path+".dimensions", x.Dimensions, maxVectorDimensions)
	}
	if c.required(path+".distanceFunction", x.DistanceFunction != nil) {
		c.enum(path+".distanceFunction", x.DistanceFunction, distanceSet)
	}
	if c.required(path+".vectorAttribute", x.VectorAttribute != nil) && c.required(path+".vectorAttribute.attributeName", x.VectorAttribute.AttributeName != nil) {
		c.length(path+".vectorAttribute.attributeName", *x.VectorAttribute.AttributeName, 1, 255)
	}
	if c.required(path+".projection", x.Projection != nil) {
		c.enum(path+".projection.projectionType", x.Projection.ProjectionType, projectionSet)
	}
	for i, s := range x.SearchSchema {
		at := member(path+".searchSchema", i)
		c.required(at+".attributeName", s.AttributeName != nil)
		if c.required(at+".searchSchemaElementType", s.SearchSchemaElementType != nil) {
			c.enum(at+".searchSchemaElementType", s.SearchSchemaElementType, roleSet)
		}
	}
}

// checkVectorIndexes validates definitions against the names of other indexes and the existing vector indexes.
func checkVectorIndexes(added []VectorIndex, names map[string]bool, present []*vectorIndex, defs []AttributeDefinition, onDemand bool) error {
	if added != nil && !onDemand {
		return invalidParameter("Vector indexes are only supported for PAY_PER_REQUEST tables")
	}
	all := make([]*VectorIndex, 0, len(present)+len(added))
	for _, p := range present {
		all = append(all, &p.VectorIndex)
		names[text(p.IndexName)] = true
	}
	for i := range added {
		if err := added[i].check(defs); err != nil {
			return err
		}
		all = append(all, &added[i])
	}
	for i := range added {
		name := text(added[i].IndexName)
		if names[name] {
			return invalidParameter("Duplicate index name: %s", name)
		}
		names[name] = true
	}
	if len(all) > maxVectorIndexes {
		return invalidParameter("VectorIndex count exceeds the per-table limit of %d", maxVectorIndexes)
	}
	dimensions := make(map[string]int64)
	for _, x := range all {
		name := text(x.VectorAttribute.AttributeName)
		if d, ok := dimensions[name]; ok && d != *x.Dimensions {
			return invalidParameter("Conflicting attribute definition for '%s'. All VectorIndexes on the same vector attribute must use the same dimensions.", name)
		}
		dimensions[name] = *x.Dimensions
	}
	for i := range added {
		if name := text(added[i].VectorAttribute.AttributeName); defined(name, defs) {
			return invalidParameter("Conflicting attribute definition for '%s'. An attribute cannot be defined in AttributeDefinitions when used as a VectorAttribute.", name)
		}
	}
	return nil
}

// check validates a definition without the table. The texts on the search schema are ours, because the service's are not known.
func (x *VectorIndex) check(defs []AttributeDefinition) error {
	if err := checkProjection(x.Projection); err != nil {
		return err
	}
	name := text(x.IndexName)
	var attributes []KeySchemaElement
	hashes := 0
	for j, s := range x.SearchSchema {
		if is(s.SearchSchemaElementType, roleHash) {
			hashes++
		}
		same := func(o SearchSchemaElement) bool { return text(o.AttributeName) == text(s.AttributeName) }
		if slices.ContainsFunc(x.SearchSchema[:j], same) {
			return invalidParameter("Duplicate attribute in the search schema of index %s: %s", name, text(s.AttributeName))
		}
		if text(s.AttributeName) == text(x.VectorAttribute.AttributeName) {
			return invalidParameter("The vector attribute of index %s cannot be in its search schema", name)
		}
		attributes = append(attributes, KeySchemaElement{AttributeName: s.AttributeName})
	}
	if hashes > 1 {
		return invalidParameter("The search schema of index %s can have one HASH attribute only", name)
	}
	return checkDefined(attributes, defs)
}

// changedVectorIndexes returns the vector indexes of a table after an update.
func (s *Schema) changedVectorIndexes(in *UpdateTableInput, names map[string]bool, onDemand bool, now, ready time.Time) ([]*vectorIndex, error) {
	var (
		added []VectorIndex
		kept  = slices.Clone(s.vectors)
	)
	for _, u := range in.VectorIndexUpdates {
		switch {
		case (u.Create == nil) == (u.Delete == nil):
			return nil, invalidParameter("One of VectorIndexUpdate.Create, VectorIndexUpdate.Delete must not be null")
		case u.Create != nil:
			added = append(added, *u.Create)
		default:
			i := slices.IndexFunc(kept, func(x *vectorIndex) bool { return text(x.IndexName) == text(u.Delete.IndexName) })
			if i < 0 {
				return nil, &Error{Type: ResourceNotFoundException, Message: "Requested resource not found: Index: " + text(u.Delete.IndexName) + " not found"}
			}
			kept = slices.Delete(kept, i, i+1)
		}
	}
	defs := mergedDefinitions(s.attributes, in.AttributeDefinitions)
	if err := checkVectorIndexes(added, names, kept, defs, onDemand); err != nil {
		return nil, err
	}
	return append(kept, newVectorIndexes(added, defs, now, ready)...), nil
}

// newVectorIndexes converts definitions to their runtime form.
func newVectorIndexes(added []VectorIndex, defs []AttributeDefinition, backfill, ready time.Time) []*vectorIndex {
	var made []*vectorIndex
	for _, def := range added {
		x := &vectorIndex{VectorIndex: def, backfillAt: backfill, readyAt: ready, kinds: make(map[string]value.Kind)}
		for _, e := range def.SearchSchema {
			for _, d := range defs {
				if text(d.AttributeName) == text(e.AttributeName) {
					x.kinds[text(e.AttributeName)], _ = value.ParseKind(text(d.AttributeType))
				}
			}
			if is(e.SearchSchemaElementType, roleHash) {
				x.hash = text(e.AttributeName)
			}
		}
		made = append(made, x)
	}
	return made
}

// vectorIndex returns the vector index with a name, or nil.
func (s *Schema) vectorIndex(name string) *vectorIndex {
	for _, x := range s.vectors {
		if text(x.IndexName) == name {
			return x
		}
	}
	return nil
}

// describe describes the index, counting the items in it.
func (x *vectorIndex) describe(t *Table, now time.Time) VectorIndexDescription {
	d := VectorIndexDescription{VectorIndex: x.VectorIndex, IndexArn: t.arn + "/index/" + text(x.IndexName), IndexStatus: statusActive}
	if now.Before(x.readyAt) {
		d.IndexStatus = statusCreating
		if !x.backfillAt.IsZero() {
			backfilling := !now.Before(x.backfillAt)
			d.Backfilling = &backfilling
		}
		return d
	}
	t.Walk(func(stored *storage.Item) bool {
		if item, err := decodeStored(stored); err == nil && x.vector(item) != nil {
			d.ItemCount++
			d.IndexSizeBytes += int64(x.entrySize(t.Schema(), item))
		}
		return true
	})
	return d
}

// vector returns the vector of an item, or nil if the item is not in the index. Items that are older than the index
// may have attributes that a write would not be allowed to have with the index; they are not in it.
func (x *vectorIndex) vector(item value.Item) []float64 {
	if item[x.hash] == nil && x.hash != "" || x.checkWritten(item, nil) != nil {
		return nil
	}
	list, ok := item[text(x.VectorAttribute.AttributeName)].(value.List)
	if !ok {
		return nil
	}
	v := make([]float64, len(list))
	for i, e := range list {
		v[i], _ = element(e)
	}
	return v
}

// element returns an element of a vector, which has the precision of 32 bits.
func element(v value.Value) (float64, bool) {
	n, ok := v.(value.Number)
	if !ok {
		return 0, false
	}
	f, err := strconv.ParseFloat(n.String(), 32)
	return f, err == nil
}

// truncated returns a vector with the index's precision.
func truncated(v []float64) value.Value {
	list := make(value.List, len(v))
	for i, f := range v {
		list[i], _ = value.ParseNumber(strconv.FormatFloat(f, 'g', -1, 32)) // it is finite
	}
	return list
}

// entrySize returns the size of an item in the index: four bytes for each dimension, and the other attributes.
func (x *vectorIndex) entrySize(s *Schema, item value.Item) int {
	name := text(x.VectorAttribute.AttributeName)
	entry := x.project(s, item)
	delete(entry, name)
	return 4*int(*x.Dimensions) + len(name) + value.ItemSize(entry)
}

// project returns a copy of the item's projected attributes; the vector is that of the item.
func (x *vectorIndex) project(s *Schema, item value.Item) value.Item {
	if is(x.Projection.ProjectionType, projectAll) {
		return maps.Clone(item)
	}
	entry := s.Key.Of(item)
	keep := func(name string) {
		if v, ok := item[name]; ok {
			entry[name] = v
		}
	}
	for _, e := range x.SearchSchema {
		keep(text(e.AttributeName))
	}
	for _, name := range x.Projection.NonKeyAttributes {
		keep(name)
	}
	return entry
}

// checkVectors validates an item that is written against the vector indexes. written are the attributes that
// an update writes, nil for all.
func (s *Schema) checkVectors(item value.Item, written []string) error {
	for _, x := range s.vectors {
		if err := x.checkWritten(item, written); err != nil {
			return err
		}
	}
	return nil
}

func (x *vectorIndex) checkWritten(item value.Item, written []string) error {
	const wrong = "One or more parameter values were invalid. "
	index := text(x.IndexName)
	is := func(name string) (value.Value, bool) {
		v, ok := item[name]
		return v, ok && (written == nil || slices.Contains(written, name))
	}
	name := text(x.VectorAttribute.AttributeName)
	if v, ok := is(name); ok {
		list, isList := v.(value.List)
		if !isList {
			return invalid(wrong+"Invalid type for parameter %s, Expected: 32-bit floating point number list IndexName: %s", name, index)
		}
		if len(list) != int(*x.Dimensions) {
			return invalid(wrong+"Invalid size for parameter %s, Expected: %d, Actual: %d IndexName: %s", name, *x.Dimensions, len(list), index)
		}
		for i, e := range list {
			n, isNumber := e.(value.Number)
			if !isNumber {
				return invalid(wrong+"Invalid type for parameter %s[%d], Expected: 32-bit floating point number, Actual: %s. IndexName: %s", name, i, e.Kind(), index)
			}
			if _, ok := element(n); !ok {
				return invalid(wrong+"Invalid value for parameter %s[%d], Value: %s is outside valid range [-3.4028235E38, 3.4028235E38]. IndexName: %s", name, i, n.String(), index)
			}
		}
	}
	for _, e := range x.SearchSchema {
		name := text(e.AttributeName)
		v, ok := is(name)
		if !ok {
			continue
		}
		if kind := x.kinds[name]; v.Kind() != kind {
			return invalid(wrong+"Attribute '%s' type mismatch. Expected: %s, Actual: %s. IndexName: %s", name, kind, v.Kind(), index)
		}
		noun := ""
		switch v {
		case value.String(""):
			noun = "string"
		case value.Binary(""):
			noun = "binary"
		}
		switch {
		case name != x.hash || noun == "":
		case written != nil:
			return invalid("One or more parameter values are not valid. The update expression attempted to update a secondary index key to a value that is not supported. The AttributeValue for a key attribute cannot contain an empty %s value.", noun)
		default:
			return invalidEarly("One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty %s value. IndexName: %s, IndexKey: %s", noun, index, name)
		}
	}
	return nil
}

// score compares two vectors. It computes with 64 bits and stays in the range of 32.
func score(function string, a, b []float64) float64 {
	return max(-math.MaxFloat32, min(math.MaxFloat32, distance(function, a, b)))
}

func distance(function string, a, b []float64) float64 {
	var dot, lengthA, lengthB, squares float64
	for i := range a {
		dot += a[i] * b[i]
		lengthA += a[i] * a[i]
		lengthB += b[i] * b[i]
		squares += (a[i] - b[i]) * (a[i] - b[i])
	}
	switch {
	case function == distanceDot:
		return dot
	case function == distanceEuclidean:
		return math.Sqrt(squares)
	case lengthA == 0 || lengthB == 0:
		return 1
	case slices.Equal(a, b):
		return 0
	}
	return max(0, min(2, 1-dot/(math.Sqrt(lengthA)*math.Sqrt(lengthB))))
}
