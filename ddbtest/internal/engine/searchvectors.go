package engine

import (
	"cmp"
	"context"
	"slices"
	"strings"

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
	// Bytes is the capacity that the search consumed: four for each dimension of each vector that was compared.
	// How the service counts is not documented.
	Bytes float64
}

// SearchResult is one item of a search, most similar first.
type SearchResult struct {
	Item  []byte
	Score float64
}

const searchConditionParameter = "SearchConditionExpression"

// SearchVectors finds the items whose vectors are nearest to a vector, by comparing it with all of them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SearchVectors.html
func (e *Engine) SearchVectors(ctx context.Context, in *SearchVectorsInput) (*SearchVectorsOutput, error) {
	var c constraints
	c.tableName("tableName", in.TableName)
	if c.required("indexName", in.IndexName != nil) {
		c.indexName("indexName", in.IndexName)
	}
	c.required("searchVector", in.SearchVector != nil)
	if c.required("topK", in.TopK != nil) {
		c.atLeast("topK", in.TopK, 1)
		c.atMost("topK", in.TopK, maxTopK)
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if err := c.err(); err != nil {
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
	index      *vectorIndex
	vector     []float64
	terms      []expression.KeyTerm
	projected  map[string]struct{} // nil for all
	projection projection          // nil for all that is projected
}

func (e *Engine) bindVectorSearch(in *SearchVectorsInput) (*vectorSearch, error) {
	params, err := placeholders("SearchVectors", &in.Placeholders, nil,
		parameter{searchConditionParameter, in.SearchConditionExpression}, parameter{projectionParameter, in.ProjectionExpression})
	if err != nil {
		return nil, err
	}
	s := new(vectorSearch)
	if in.SearchConditionExpression != nil {
		if s.terms, err = searchTerms(*in.SearchConditionExpression, params); err != nil {
			return nil, err
		}
	}
	if s.projection, err = projectionOf(in.ProjectionExpression, params); err != nil {
		return nil, err
	}
	if err := unused(params); err != nil {
		return nil, err
	}
	list := make(value.List, len(in.SearchVector))
	for i, a := range in.SearchVector {
		if a.Err != nil {
			return nil, a.Err
		}
		list[i] = a.Value
	}
	if s.table, err = e.table(text(in.TableName)); err != nil {
		return nil, err
	}
	if s.index = s.table.vectorIndex(*in.IndexName); s.index == nil {
		return nil, invalid("The table does not have the specified index: %s", *in.IndexName)
	}
	if e.clock.Now().Before(s.index.readyAt) {
		return nil, invalid("Cannot read from backfilling vector index: %s", *in.IndexName)
	}
	if s.vector, err = vectorOf(list, int(*s.index.Dimensions)); err != nil {
		return nil, err
	}
	if err := s.checkTerms(); err != nil {
		return nil, err
	}
	return s, s.checkProjection()
}

// searchTerms parses the condition of a search: equalities joined by AND.
func searchTerms(expr string, params *expression.Params) ([]expression.KeyTerm, error) {
	renamed := func(err error) error {
		e := *AsError(err)
		e.Message = strings.ReplaceAll(e.Message, keyConditionParameter, searchConditionParameter)
		return &e
	}
	k, err := expression.ParseKeyCondition(expr, params)
	if err != nil {
		return nil, renamed(err)
	}
	terms, err := k.Terms()
	if err != nil {
		return nil, renamed(err)
	}
	for _, t := range terms {
		if t.Op != expression.OpEqual {
			return nil, invalid("Invalid operator used in %s: %s", searchConditionParameter, t.Op)
		}
	}
	return terms, nil
}

func (t *Table) vectorIndex(name string) *vectorIndex {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.settings.vectors {
		if text(x.IndexName) == name {
			return x
		}
	}
	return nil
}

// checkTerms makes sure that the condition names attributes of the search schema, and the partition key among them.
func (s *vectorSearch) checkTerms() error {
	for _, e := range s.index.SearchSchema {
		given := slices.ContainsFunc(s.terms, func(t expression.KeyTerm) bool { return t.Attribute == text(e.AttributeName) })
		if is(e.SearchSchemaElementType, roleHash) && !given {
			return invalid("%s missed search schema element: %s", searchConditionParameter, text(e.AttributeName))
		}
	}
	for _, t := range s.terms {
		if !slices.ContainsFunc(s.index.SearchSchema, func(e SearchSchemaElement) bool { return text(e.AttributeName) == t.Attribute }) {
			return invalid("%s can only contain attributes of the search schema: %s", searchConditionParameter, t.Attribute)
		}
	}
	return nil
}

// checkProjection works out what the index holds, and makes sure that the request asks for nothing else.
func (s *vectorSearch) checkProjection() error {
	if is(s.index.Projection.ProjectionType, "ALL") {
		return nil
	}
	s.projected = make(map[string]struct{})
	s.table.Schema().Key.Each(func(a KeyAttribute, _ bool) bool {
		s.projected[a.Name] = struct{}{}
		return true
	})
	for _, e := range s.index.SearchSchema {
		s.projected[text(e.AttributeName)] = struct{}{}
	}
	for _, name := range s.index.Projection.NonKeyAttributes {
		s.projected[name] = struct{}{}
	}
	if n, ok := s.projection.(named); ok {
		for _, name := range n.Attributes() {
			if _, ok := s.projected[name]; !ok {
				return invalidParameter("Vector index %s does not project [%s]", text(s.index.IndexName), name)
			}
		}
	}
	return nil
}

// run compares the vector with those of all items that meet the condition.
func (s *vectorSearch) run(k int) (*SearchVectorsOutput, error) {
	type hit struct {
		item  value.Item
		score float64
	}
	var (
		hits     []hit
		compared int
		failed   error
	)
	function := text(s.index.DistanceFunction)
	s.table.Walk(func(stored *storage.Item) bool {
		item, err := decodeStored(stored)
		if err != nil {
			failed = err
			return false
		}
		for _, t := range s.terms {
			if v, ok := item[t.Attribute]; !ok || !value.Equal(v, t.Values[0]) {
				return true
			}
		}
		if v := s.index.vector(item); v != nil {
			compared++
			if score, ok := score(function, s.vector, v); ok {
				hits = append(hits, hit{item, score})
			}
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
	out := &SearchVectorsOutput{Bytes: float64(4 * compared * int(*s.index.Dimensions))}
	for _, h := range hits[:min(k, len(hits))] {
		out.Results = append(out.Results, SearchResult{Item: value.AppendItem(nil, s.project(h.item)), Score: h.score})
	}
	return out, nil
}

func (s *vectorSearch) project(item value.Item) value.Item {
	if s.projection != nil {
		return s.projection.Apply(item)
	}
	if s.projected == nil {
		return item
	}
	part := make(value.Item, len(s.projected))
	for name := range s.projected {
		if v, ok := item[name]; ok {
			part[name] = v
		}
	}
	return part
}
