package engine

import (
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

// The distance functions.
const (
	distanceCosine    = "COSINE"
	distanceEuclidean = "EUCLIDEAN"
	distanceDot       = "DOT_PRODUCT"

	distanceSet = "[COSINE, EUCLIDEAN, DOT_PRODUCT]"
	roleSet     = "[HASH, INLINE_FILTER]"
	roleHash    = "HASH"
)

// VectorIndex defines a vector index, in the form of the wire.
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

// VectorIndexDescription describes a vector index in the form of the wire.
type VectorIndexDescription struct {
	VectorIndex
	IndexArn       string
	IndexStatus    string
	IndexSizeBytes int64
	ItemCount      int64
}

// vectorIndex is a vector index of a table. Nothing is kept for it: a search looks at every item, and so is exact.
type vectorIndex struct {
	VectorIndex
	readyAt time.Time
}

// vectorIndex checks the parameters of a definition one by one.
func (c *constraints) vectorIndex(path string, x *VectorIndex) {
	c.newName(path+".indexName", x.IndexName)
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

// checkVectorIndexes validates definitions beside the names of other indexes and the vector indexes that are there.
func checkVectorIndexes(added []VectorIndex, names map[string]bool, present []*vectorIndex) error {
	all := make([]*VectorIndex, 0, len(present)+len(added))
	for _, p := range present {
		all = append(all, &p.VectorIndex)
		names[text(p.IndexName)] = true
	}
	for i := range added {
		x := &added[i]
		name := text(x.IndexName)
		if names[name] {
			return invalidParameter("Duplicate index name: %s", name)
		}
		names[name] = true
		if err := checkProjection(x.Projection); err != nil {
			return err
		}
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
		}
		if hashes > 1 {
			return invalidParameter("The search schema of index %s can have one HASH attribute only", name)
		}
		for _, o := range all {
			if text(o.VectorAttribute.AttributeName) == text(x.VectorAttribute.AttributeName) && *o.Dimensions != *x.Dimensions {
				return invalidParameter("Vector indexes on attribute %s must have the same number of dimensions", text(x.VectorAttribute.AttributeName))
			}
		}
		all = append(all, x)
	}
	if len(all) > maxVectorIndexes {
		return invalidParameter("VectorIndex count exceeds the per-table limit of %d", maxVectorIndexes)
	}
	return nil
}

// changeVectorIndexes makes and drops vector indexes. The caller holds the lock of the settings.
func (s *settings) changeVectorIndexes(updates []VectorIndexUpdate, names map[string]bool, ready time.Time) error {
	var (
		added []VectorIndex
		kept  = slices.Clone(s.vectors)
	)
	for _, u := range updates {
		switch {
		case (u.Create == nil) == (u.Delete == nil):
			return invalidParameter("One of VectorIndexUpdate.Create, VectorIndexUpdate.Delete must not be null")
		case u.Create != nil:
			added = append(added, *u.Create)
		default:
			i := slices.IndexFunc(kept, func(x *vectorIndex) bool { return text(x.IndexName) == text(u.Delete.IndexName) })
			if i < 0 {
				return &Error{Type: ResourceNotFoundException, Message: "Requested resource not found: Index: " + text(u.Delete.IndexName) + " not found"}
			}
			kept = slices.Delete(kept, i, i+1)
		}
	}
	if err := checkVectorIndexes(added, names, kept); err != nil {
		return err
	}
	s.vectors = kept
	s.addVectorIndexes(added, ready)
	return nil
}

func (s *settings) addVectorIndexes(added []VectorIndex, ready time.Time) {
	for _, x := range added {
		s.vectors = append(s.vectors, &vectorIndex{VectorIndex: x, readyAt: ready})
	}
}

// describe describes the index, counting the items in it.
func (x *vectorIndex) describe(t *Table, now time.Time) VectorIndexDescription {
	d := VectorIndexDescription{VectorIndex: x.VectorIndex, IndexArn: t.arn + "/index/" + text(x.IndexName), IndexStatus: statusActive}
	if now.Before(x.readyAt) {
		d.IndexStatus = statusCreating
		return d
	}
	t.Walk(func(stored *storage.Item) bool {
		if item, err := decodeStored(stored); err == nil && x.vector(item) != nil {
			d.ItemCount++
			d.IndexSizeBytes += int64(stored.Size)
		}
		return true
	})
	return d
}

// vector returns the vector of an item, or nil if it has none for this index.
func (x *vectorIndex) vector(item value.Item) []float64 {
	list, ok := item[text(x.VectorAttribute.AttributeName)].(value.List)
	if !ok {
		return nil
	}
	v, err := vectorOf(list, int(*x.Dimensions))
	if err != nil {
		return nil
	}
	return v
}

// vectorOf reads a vector, whose elements have the precision of 32 bits.
func vectorOf(list value.List, dimensions int) ([]float64, error) {
	if len(list) != dimensions {
		return nil, invalidParameter("The vector has %d dimensions, the index has %d", len(list), dimensions)
	}
	v := make([]float64, len(list))
	for i, e := range list {
		n, ok := e.(value.Number)
		if !ok {
			return nil, invalidParameter("Every element of a vector must be a number")
		}
		f, err := strconv.ParseFloat(n.String(), 32)
		if err != nil {
			return nil, invalidParameter("Every element of a vector must be a 32-bit floating point number")
		}
		v[i] = f
	}
	return v, nil
}

// score compares two vectors; ok is false if the function has no value for them.
func score(function string, a, b []float64) (s float64, ok bool) {
	var dot, lengthA, lengthB, squares float64
	for i := range a {
		dot += a[i] * b[i]
		lengthA += a[i] * a[i]
		lengthB += b[i] * b[i]
		squares += (a[i] - b[i]) * (a[i] - b[i])
	}
	switch function {
	case distanceDot:
		return dot, true
	case distanceEuclidean:
		return math.Sqrt(squares), true
	}
	if lengthA == 0 || lengthB == 0 {
		return 0, false
	}
	return max(0, 1-dot/math.Sqrt(lengthA*lengthB)), true
}
