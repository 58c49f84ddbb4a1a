// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

const maxTopK = 100

// SearchVectorsInput holds the parameters of SearchVectors.
type SearchVectorsInput struct {
	TableName                 *string
	IndexName                 *string
	SearchVector              []Attribute // nil if absent
	TopK                      *int64
	SearchConditionExpression *string
	ProjectionExpression      *string
	Placeholders              Placeholders
	ReturnConsumedCapacity    *string
}

// SearchVectorsOutput is the result of SearchVectors.
type SearchVectorsOutput struct {
	Results []SearchResult
	// Bytes is the capacity that the search consumed.
	Bytes float64
}

// SearchResult is one item of a search, most similar first.
type SearchResult struct {
	Item  []byte
	Score float64
}

const searchConditionParameter = "SearchConditionExpression"

// minSearchBytes is the least number of bytes that a search consumes.
const minSearchBytes = 1024

func (in *SearchVectorsInput) constraints() error {
	var c constraints
	c.tableName("tableName", in.TableName)
	if c.required("indexName", in.IndexName != nil) {
		c.unquotedLength("IndexName", len(*in.IndexName), 3, 255)
	}
	if c.required("searchVector", in.SearchVector != nil) {
		c.unquotedLength("SearchVector", len(in.SearchVector), 1, 0)
	}
	if c.required("topK", in.TopK != nil) {
		c.atLeast("topK", in.TopK, 1)
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if err := c.err(); err != nil {
		return err
	}
	if *in.TopK > maxTopK {
		return invalid("Provided TopK value '%d' is out of valid range. The value must be between 1 and %d inclusive", *in.TopK, maxTopK)
	}
	return nil
}

// unquotedLength is length for the members whose value the service does not repeat.
func (c *constraints) unquotedLength(path string, length, shortest, longest int) {
	if length < shortest {
		c.failures = append(c.failures, "Value at '"+path+"' failed to satisfy constraint: Member must have length greater than or equal to "+strconv.Itoa(shortest))
	}
	if longest > 0 && length > longest {
		c.failures = append(c.failures, "Value at '"+path+"' failed to satisfy constraint: Member must have length less than or equal to "+strconv.Itoa(longest))
	}
}

// SearchVectors finds the items whose vectors are nearest to a vector, by comparing it with all of them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html; the texts and their order have
// been measured in https://github.com/nubo-db/dynoxide/pull/175.
func (e *Engine) SearchVectors(ctx context.Context, in *SearchVectorsInput) (*SearchVectorsOutput, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	s, err := e.bindVectorSearch(in)
	if err != nil {
		return nil, err
	}
	if err := e.admit(ctx, Access{Operation: "SearchVectors", Kind: AccessRead, Table: s.table, Index: text(in.IndexName)}); err != nil {
		return nil, err
	}
	return s.run(int(*in.TopK))
}

// vectorSearch is a search that has passed validation.
type vectorSearch struct {
	table      *Table
	schema     *Schema
	index      *vectorIndex
	vector     []float64
	terms      []expression.SearchTerm
	projection projection // nil for everything projected except the vector
}

func (e *Engine) bindVectorSearch(in *SearchVectorsInput) (*vectorSearch, error) {
	params, err := placeholders("SearchVectors", &in.Placeholders, nil,
		parameter{searchConditionParameter, in.SearchConditionExpression}, parameter{projectionParameter, in.ProjectionExpression})
	if err != nil {
		return nil, err
	}
	s := new(vectorSearch)
	if in.SearchConditionExpression != nil {
		if s.terms, err = expression.ParseSearchCondition(*in.SearchConditionExpression, params); err != nil {
			return nil, err
		}
	}
	if s.projection, err = projectionOf(in.ProjectionExpression, params); err != nil {
		return nil, err
	}
	if err := unused(params); err != nil {
		return nil, err
	}
	if s.table, err = e.table(text(in.TableName)); err != nil {
		return nil, err
	}
	s.schema = s.table.Schema()
	if s.index = s.schema.vectorIndex(*in.IndexName); s.index == nil {
		return nil, invalid("The table does not have the specified index: %s", *in.IndexName)
	}
	if e.clock.Now().Before(s.index.readyAt) {
		return nil, invalid("Cannot search backfilling vector index: %s", *in.IndexName)
	}
	if err := s.bindVector(in.SearchVector); err != nil {
		return nil, err
	}
	return s, s.checkTerms()
}

// bindVector reads the vector of a search.
func (s *vectorSearch) bindVector(given []Attribute) error {
	s.vector = make([]float64, len(given))
	for i, a := range given {
		f, ok := element(a.Value)
		if a.Err != nil || !ok {
			return invalid("Search vector contains invalid values. All values in the search vector must be a 32-bit floating-point number attribute")
		}
		s.vector[i] = f
	}
	if want := *s.index.Dimensions; int64(len(given)) != want {
		return invalid("Input search vector dimension %d does not match vector index dimension %d", len(given), want)
	}
	return nil
}

// checkTerms makes sure that the condition names attributes of the search schema, each once, and the partition key
// among them.
func (s *vectorSearch) checkTerms() error {
	const wrong = "Invalid SearchConditionExpression: SearchConditionExpression "
	for _, t := range s.terms {
		if _, ok := s.index.kinds[t.Attribute]; !ok {
			return invalid("SearchConditionExpression must not contain any attributes that is not in SearchSchema. Invalid attribute: %s", t.Attribute)
		}
	}
	for _, t := range s.terms {
		if t.Nested {
			return invalid(wrong + "cannot have conditions on nested attributes")
		}
	}
	seen := make(map[string]value.Value)
	for _, t := range s.terms {
		if seen[t.Attribute] != nil {
			return invalid(wrong + "must only contain one condition per attribute")
		}
		seen[t.Attribute] = t.Value
	}
	if s.index.hash == "" {
		return nil
	}
	hash := seen[s.index.hash]
	if hash == nil {
		return invalid("SearchConditionExpression must be provided when SearchSchema has a HASH key")
	}
	if kind := s.index.kinds[s.index.hash]; hash.Kind() != kind {
		return invalid("Type of '%s' attribute in SearchConditionExpression (%s) does not match type in search schema (%s)", s.index.hash, hash.Kind(), kind)
	}
	if hash == value.Value(value.String("")) {
		return invalid("One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: %s", s.index.hash)
	}
	return nil
}

// run compares the vector with those of all items that meet the condition. It consumes the size of the
// entries of the partition that it reads; the service's number varies from call to call.
func (s *vectorSearch) run(k int) (*SearchVectorsOutput, error) {
	type hit struct {
		item   value.Item
		vector []float64
		score  float64
	}
	var (
		hits   []hit
		bytes  int
		failed error
	)
	function := text(s.index.DistanceFunction)
	s.table.Walk(func(stored *storage.Item) bool {
		item, err := decodeStored(stored)
		if err != nil {
			failed = err
			return false
		}
		v := s.index.vector(item)
		if v == nil {
			return true
		}
		met := true
		for _, t := range s.terms {
			same := item[t.Attribute] != nil && value.Equal(item[t.Attribute], t.Value)
			if !same && t.Attribute == s.index.hash {
				return true
			}
			met = met && same
		}
		bytes += s.index.entrySize(s.schema, item)
		if met {
			hits = append(hits, hit{item, v, score(function, s.vector, v)})
		}
		return true
	})
	if failed != nil {
		return nil, failed
	}
	slices.SortStableFunc(hits, func(a, b hit) int {
		if function == distanceDot {
			a, b = b, a
		}
		return cmp.Compare(a.score, b.score)
	})
	out := &SearchVectorsOutput{Bytes: float64(max(minSearchBytes, bytes))}
	for _, h := range hits[:min(k, len(hits))] {
		out.Results = append(out.Results, SearchResult{Item: value.AppendItem(nil, s.project(h.item, h.vector)), Score: h.score})
	}
	return out, nil
}

// project returns the projected attributes that the request asks for. The vector is included only if the request
// names it.
func (s *vectorSearch) project(item value.Item, vector []float64) value.Item {
	entry, name := s.index.project(s.schema, item), text(s.index.VectorAttribute.AttributeName)
	if s.projection == nil {
		delete(entry, name)
		return entry
	}
	if _, ok := entry[name]; ok {
		entry[name] = truncated(vector)
	}
	return s.projection.Apply(entry)
}
