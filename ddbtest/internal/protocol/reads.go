// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// readFields are the members that Query and Scan share.
func readFields[T any](part func(*T) *engine.ReadInput) structure[T] {
	member := func(name string, read func(*reader, *engine.ReadInput)) field[T] {
		return field[T]{name, func(r *reader, in *T) { read(r, part(in)) }}
	}
	return structure[T]{
		member("TableName", func(r *reader, in *engine.ReadInput) { in.TableName = r.str() }),
		member("IndexName", func(r *reader, in *engine.ReadInput) { in.IndexName = r.str() }),
		member("FilterExpression", func(r *reader, in *engine.ReadInput) { in.FilterExpression = r.str() }),
		member("ProjectionExpression", func(r *reader, in *engine.ReadInput) { in.ProjectionExpression = r.str() }),
		member("ExpressionAttributeNames", func(r *reader, in *engine.ReadInput) { in.Placeholders.Names = r.names() }),
		member("ExpressionAttributeValues", func(r *reader, in *engine.ReadInput) { in.Placeholders.Values = r.attributes() }),
		member("ExclusiveStartKey", func(r *reader, in *engine.ReadInput) { in.ExclusiveStartKey = r.attributes() }),
		member("Limit", func(r *reader, in *engine.ReadInput) { in.Limit = r.integer("Integer") }),
		member("Select", func(r *reader, in *engine.ReadInput) { in.Select = r.str() }),
		member("ConsistentRead", func(r *reader, in *engine.ReadInput) { in.ConsistentRead = r.boolean() }),
		member("ReturnConsumedCapacity", func(r *reader, in *engine.ReadInput) { in.ReturnConsumedCapacity = r.str() }),
		member("AttributesToGet", func(r *reader, in *engine.ReadInput) { legacy(&in.Legacy).AttributesToGet = r.strs() }),
		member("ConditionalOperator", func(r *reader, in *engine.ReadInput) { legacy(&in.Legacy).ConditionalOperator = r.str() }),
	}
}

var queryStructure = append(readFields(func(in *engine.QueryInput) *engine.ReadInput { return &in.ReadInput }),
	field[engine.QueryInput]{"KeyConditionExpression", func(r *reader, in *engine.QueryInput) { in.KeyConditionExpression = r.str() }},
	field[engine.QueryInput]{"ScanIndexForward", func(r *reader, in *engine.QueryInput) { in.ScanIndexForward = r.boolean() }},
	field[engine.QueryInput]{"KeyConditions", func(r *reader, in *engine.QueryInput) {
		legacy(&in.Legacy).KeyConditions = readMap(r, conditionStructure)
	}},
	field[engine.QueryInput]{"QueryFilter", func(r *reader, in *engine.QueryInput) {
		legacy(&in.Legacy).QueryFilter = readMap(r, conditionStructure)
	}},
)

func query(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.QueryInput
	if err := readInput(r, queryStructure, &in); err != nil {
		return nil, err
	}
	return readResult(e.Query(ctx, &in))
}

var scanStructure = append(readFields(func(in *engine.ScanInput) *engine.ReadInput { return &in.ReadInput }),
	field[engine.ScanInput]{"Segment", func(r *reader, in *engine.ScanInput) { in.Segment = r.integer("Integer") }},
	field[engine.ScanInput]{"TotalSegments", func(r *reader, in *engine.ScanInput) { in.TotalSegments = r.integer("Integer") }},
	field[engine.ScanInput]{"ScanFilter", func(r *reader, in *engine.ScanInput) { legacy(&in.Legacy).ScanFilter = readMap(r, conditionStructure) }},
)

func scan(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.ScanInput
	if err := readInput(r, scanStructure, &in); err != nil {
		return nil, err
	}
	return readResult(e.Scan(ctx, &in))
}

// readResult writes a page.
func readResult(out *engine.ReadOutput, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	size := len(out.LastEvaluatedKey) + 256
	for _, item := range out.Items {
		size += len(item) + 1
	}
	w := newWriter(size)
	w.consumed(out.ConsumedCapacity)
	w.integer("Count", out.Count)
	if out.Items != nil {
		w.name("Items")
		w.images(out.Items)
	}
	if out.LastEvaluatedKey != nil {
		w.raw("LastEvaluatedKey", out.LastEvaluatedKey)
	}
	w.integer("ScannedCount", out.ScannedCount)
	return w.end(), nil
}

// images writes a list of items.
func (w *writer) images(items [][]byte) {
	w.open('[')
	for _, item := range items {
		w.next()
		w.b = append(w.b, item...)
	}
	w.close(']')
}
