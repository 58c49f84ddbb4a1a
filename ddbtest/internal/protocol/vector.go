// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var vectorAttributeStructure = structure[engine.VectorAttribute]{
	{"AttributeName", func(r *reader, to *engine.VectorAttribute) { to.AttributeName = r.str() }},
}

var searchSchemaStructure = structure[engine.SearchSchemaElement]{
	{"AttributeName", func(r *reader, to *engine.SearchSchemaElement) { to.AttributeName = r.str() }},
	{"SearchSchemaElementType", func(r *reader, to *engine.SearchSchemaElement) { to.SearchSchemaElementType = r.str() }},
}

var vectorIndexStructure = structure[engine.VectorIndex]{
	{"IndexName", func(r *reader, to *engine.VectorIndex) { to.IndexName = r.str() }},
	{"Dimensions", func(r *reader, to *engine.VectorIndex) { to.Dimensions = r.integer("Long") }},
	{"DistanceFunction", func(r *reader, to *engine.VectorIndex) { to.DistanceFunction = r.str() }},
	{"VectorAttribute", func(r *reader, to *engine.VectorIndex) { to.VectorAttribute = readPointer(r, vectorAttributeStructure) }},
	{"Projection", func(r *reader, to *engine.VectorIndex) { to.Projection = readPointer(r, projectionStructure) }},
	{"SearchSchema", func(r *reader, to *engine.VectorIndex) { to.SearchSchema = readList(r, searchSchemaStructure) }},
}

var vectorUpdateStructure = structure[engine.VectorIndexUpdate]{
	{"Create", func(r *reader, to *engine.VectorIndexUpdate) { to.Create = readPointer(r, vectorIndexStructure) }},
	{"Delete", func(r *reader, to *engine.VectorIndexUpdate) { to.Delete = readPointer(r, vectorIndexStructure) }},
}

var searchVectorsStructure = structure[engine.SearchVectorsInput]{
	{"TableName", func(r *reader, in *engine.SearchVectorsInput) { in.TableName = r.str() }},
	{"IndexName", func(r *reader, in *engine.SearchVectorsInput) { in.IndexName = r.str() }},
	{"SearchVector", func(r *reader, in *engine.SearchVectorsInput) { in.SearchVector = r.attributeList() }},
	{"TopK", func(r *reader, in *engine.SearchVectorsInput) { in.TopK = r.integer("Integer") }},
	{"SearchConditionExpression", func(r *reader, in *engine.SearchVectorsInput) { in.SearchConditionExpression = r.str() }},
	{"ProjectionExpression", func(r *reader, in *engine.SearchVectorsInput) { in.ProjectionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, in *engine.SearchVectorsInput) { in.Placeholders.Names = r.names() }},
	{"ExpressionAttributeValues", func(r *reader, in *engine.SearchVectorsInput) { in.Placeholders.Values = r.attributes() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.SearchVectorsInput) { in.ReturnConsumedCapacity = r.str() }},
}

func searchVectors(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.SearchVectorsInput
	if err := readInput(r, searchVectorsStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.SearchVectors(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := newWriter(len(out.Results) * 256)
	if mode := in.ReturnConsumedCapacity; mode != nil && *mode != "NONE" {
		w.name("ConsumedCapacity")
		w.open('{')
		w.float("VectorSearchRequestBytes", out.Bytes)
		w.close('}')
	}
	w.name("SearchResults")
	w.open('[')
	for _, result := range out.Results {
		w.next()
		w.open('{')
		w.raw("Item", result.Item)
		w.float("Score", result.Score)
		w.close('}')
	}
	w.close(']')
	return w.end(), nil
}
