// SPDX-License-Identifier: Apache-2.0

package schema

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// VectorIndex is a vector index of a table.
type VectorIndex struct {
	Name       string
	Attribute  string // of the vectors
	Dimensions int
	Distance   types.VectorDistanceFunction
	// Key has, as Partition, the attribute that limits each search, if there is one, and as Sort those that a search can filter by.
	Key        Key
	Projection types.ProjectionType
	Include    []string // the attributes of a projection that includes some
}

// MaxVectorIndexes is the maximum number of vector indexes of a table.
const MaxVectorIndexes = 5

// Same reports whether two descriptions are of the same index. The order of its filters is ignored.
func (v VectorIndex) Same(o VectorIndex) bool {
	index := func(v VectorIndex) Index {
		filters := slices.SortedFunc(slices.Values(v.Key.Sort), func(a, b KeyAttribute) int { return cmp.Compare(a.Name, b.Name) })
		return Index{Name: v.Name, Key: Key{v.Key.Partition, filters}, Projection: v.Projection, Include: v.Include}
	}
	return index(v).Same(index(o)) && v.Attribute == o.Attribute && v.Dimensions == o.Dimensions && v.Distance == o.Distance
}

// vectors returns the vector indexes, each once, sorted by name.
func (s *Spec) vectors() (all []*VectorIndex) {
	for i := range s.table.Vectors {
		v := &s.table.Vectors[i]
		if !slices.ContainsFunc(all, func(have *VectorIndex) bool { return have.Name == v.Name }) {
			all = append(all, v)
		}
	}
	slices.SortFunc(all, func(a, b *VectorIndex) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// checkVectors refuses vector indexes that contradict each other, other indexes, or the billing.
func (s *Spec) checkVectors() {
	refuse := func(format string, args ...any) { s.errs = append(s.errs, fmt.Errorf(format, args...)) }
	all := s.vectors()
	for _, v := range all {
		if slices.ContainsFunc(s.table.Vectors, func(o VectorIndex) bool { return o.Name == v.Name && !v.Same(o) }) {
			refuse("index %s: two of the tables define it differently", v.Name)
		}
		if s.describes(v.Name) {
			refuse("index %s: it is defined as a vector index and as another", v.Name)
		}
		for _, k := range s.keys() {
			if slices.ContainsFunc(k.attributes(), func(a KeyAttribute) bool { return a.Name == v.Attribute }) {
				refuse("attribute %s is the vector of index %s and a key attribute", v.Attribute, v.Name)
			}
		}
	}
	if len(all) > MaxVectorIndexes {
		refuse("%d vector indexes; the limit of a table is %d", len(all), MaxVectorIndexes)
	}
	if len(all) > 0 && s.billing != types.BillingModePayPerRequest {
		refuse("option Provisioned: a table with vector indexes is on-demand")
	}
}

// keys returns the keys of the table and of all indexes.
func (s *Spec) keys() []Key {
	keys := []Key{s.table.Key}
	for _, i := range s.indexes {
		keys = append(keys, i.Key)
	}
	for _, v := range s.vectors() {
		keys = append(keys, v.Key)
	}
	return keys
}

// spec returns the index as in the service's API.
func (v *VectorIndex) spec() types.VectorIndex {
	return types.VectorIndex{
		IndexName: &v.Name, Dimensions: aws.Int64(int64(v.Dimensions)), DistanceFunction: v.Distance,
		VectorAttribute: &types.VectorAttributeDefinition{AttributeName: &v.Attribute},
		Projection:      &types.Projection{ProjectionType: v.Projection, NonKeyAttributes: v.Include}, SearchSchema: v.searchSchema(),
	}
}

func (v *VectorIndex) searchSchema() (all []types.SearchSchemaElement) {
	for _, p := range v.Key.Partition {
		all = append(all, types.SearchSchemaElement{AttributeName: &p.Name, SearchSchemaElementType: types.SearchSchemaElementTypeHash})
	}
	for _, p := range v.Key.Sort {
		all = append(all, types.SearchSchemaElement{AttributeName: &p.Name, SearchSchemaElementType: types.SearchSchemaElementTypeInlineFilter})
	}
	return all
}

// vectorReady reports whether an index gives complete results: it is active, and not being filled from the items of the table.
// According to the SDK's documentation of VectorIndexDescription.Backfilling, results may be incomplete meanwhile.
func vectorReady(d *types.VectorIndexDescription) bool {
	return d.IndexStatus == types.IndexStatusActive && !deref(d.Backfilling)
}

func vectorsReady(live *types.TableDescription) bool {
	for i := range live.VectorIndexes {
		if !vectorReady(&live.VectorIndexes[i]) {
			return false
		}
	}
	return true
}

func vectorOf(live *types.TableDescription, name string) *types.VectorIndexDescription {
	at := slices.IndexFunc(live.VectorIndexes, func(d types.VectorIndexDescription) bool { return deref(d.IndexName) == name })
	if at < 0 {
		return nil
	}
	return &live.VectorIndexes[at]
}

// searchable reports whether the defined vector indexes that exist can be searched.
func (s *Spec) searchable(live *types.TableDescription) bool {
	return !slices.ContainsFunc(s.table.Vectors, func(v VectorIndex) bool {
		d := vectorOf(live, v.Name)
		return d != nil && !vectorReady(d)
	})
}

// addVectors adds the vector indexes that are missing, one after the other.
func (s *Spec) addVectors(ctx context.Context, client Client, live *types.TableDescription) (*types.TableDescription, error) {
	for _, v := range s.vectors() {
		if vectorOf(live, v.Name) != nil {
			continue
		}
		spec := v.spec()
		in := &dynamodb.UpdateTableInput{
			TableName: &s.table.Name, AttributeDefinitions: definitions(s.table.Key, v.Key),
			VectorIndexUpdates: []types.VectorIndexUpdate{{Create: &types.CreateVectorIndexAction{
				IndexName: spec.IndexName, Dimensions: spec.Dimensions, DistanceFunction: spec.DistanceFunction,
				VectorAttribute: spec.VectorAttribute, Projection: spec.Projection, SearchSchema: spec.SearchSchema,
			}}},
		}
		var err error
		live, err = s.updateTable(ctx, client, in, func(live *types.TableDescription) bool {
			d := vectorOf(live, v.Name)
			return d != nil && vectorReady(d)
		})
		if err != nil {
			return live, fmt.Errorf("index %s: %w", v.Name, err)
		}
	}
	return live, nil
}

// compareVectors lists how the live vector indexes differ.
func (s *Spec) compareVectors(c *comparison, live *types.TableDescription, kinds map[string]types.ScalarAttributeType) {
	for _, v := range s.vectors() {
		d := vectorOf(live, v.Name)
		if d == nil {
			c.check(v.Name, "vector index", "present", "missing")
			continue
		}
		status := string(d.IndexStatus)
		if deref(d.Backfilling) {
			status += ", backfilling"
		}
		want := v.spec()
		c.check(v.Name, "status", string(types.IndexStatusActive), status)
		c.check(v.Name, "vector", vectorText(want.VectorAttribute, want.Dimensions), vectorText(d.VectorAttribute, d.Dimensions))
		c.check(v.Name, "distance", string(want.DistanceFunction), string(d.DistanceFunction))
		c.check(v.Name, "search schema", searchSchemaText(want.SearchSchema, v.Key.kinds()), searchSchemaText(d.SearchSchema, kinds))
		c.check(v.Name, "projection", projectionText(want.Projection), projectionText(d.Projection))
	}
	for i := range live.VectorIndexes {
		name := deref(live.VectorIndexes[i].IndexName)
		if !slices.ContainsFunc(s.table.Vectors, func(v VectorIndex) bool { return v.Name == name }) {
			c.found = append(c.found, Difference{Index: name, What: "vector index", Want: "absent", Got: "present, and not defined here", Extra: true})
		}
	}
}

func vectorText(attr *types.VectorAttributeDefinition, dimensions *int64) string {
	name := "none"
	if attr != nil {
		name = deref(attr.AttributeName)
	}
	return name + " of " + strconv.FormatInt(deref(dimensions), 10) + " dimensions"
}

// searchSchemaText returns the partition first and the filters sorted by name, because their order is irrelevant.
func searchSchemaText(schema []types.SearchSchemaElement, kinds map[string]types.ScalarAttributeType) string {
	var texts []string
	for _, e := range schema {
		texts = append(texts, fmt.Sprintf("%s %s (%s)", e.SearchSchemaElementType, deref(e.AttributeName), kinds[deref(e.AttributeName)]))
	}
	slices.Sort(texts)
	if len(texts) == 0 {
		return "none"
	}
	return strings.Join(texts, ", ")
}

// VectorDistance is how a vector index compares two vectors.
type VectorDistance string

// The distances of vector indexes.
const (
	// Cosine is 1 less the cosine of the angle, from 0 to 2: lower is nearer. Lengths do not count.
	Cosine = VectorDistance(types.VectorDistanceFunctionCosine)
	// Euclidean is the length of the difference: lower is nearer.
	Euclidean = VectorDistance(types.VectorDistanceFunctionEuclidean)
	// DotProduct is the sum of the products of the elements: higher is nearer.
	DotProduct = VectorDistance(types.VectorDistanceFunctionDotProduct)
)

// LowerIsBetter reports whether a lower score means a nearer vector. It is so for all but [DotProduct].
func (d VectorDistance) LowerIsBetter() bool { return d != DotProduct }
