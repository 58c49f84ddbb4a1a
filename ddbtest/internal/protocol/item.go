// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var putItemStructure = structure[engine.PutItemInput]{
	{"TableName", func(r *reader, in *engine.PutItemInput) { in.TableName = r.str() }},
	{"Item", func(r *reader, in *engine.PutItemInput) { in.Item = r.attributes() }},
	{"ConditionExpression", func(r *reader, in *engine.PutItemInput) { in.ConditionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, in *engine.PutItemInput) { in.Placeholders.Names = r.names() }},
	{"ExpressionAttributeValues", func(r *reader, in *engine.PutItemInput) { in.Placeholders.Values = r.attributes() }},
	{"ReturnValues", func(r *reader, in *engine.PutItemInput) { in.ReturnValues = r.str() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.PutItemInput) { in.ReturnConsumedCapacity = r.str() }},
	{"ReturnItemCollectionMetrics", func(r *reader, in *engine.PutItemInput) { in.ReturnItemCollectionMetrics = r.str() }},
	{"ReturnValuesOnConditionCheckFailure", func(r *reader, in *engine.PutItemInput) { in.ReturnValuesOnConditionCheckFailure = r.str() }},
	{"Expected", func(r *reader, in *engine.PutItemInput) { legacy(&in.Legacy).Expected = readMap(r, expectedStructure) }},
	{"ConditionalOperator", func(r *reader, in *engine.PutItemInput) { legacy(&in.Legacy).ConditionalOperator = r.str() }},
}

func putItem(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.PutItemInput
	if err := readInput(r, putItemStructure, &in); err != nil {
		return nil, err
	}
	return writeResult(e.PutItem(ctx, &in))
}

var deleteItemStructure = structure[engine.DeleteItemInput]{
	{"TableName", func(r *reader, in *engine.DeleteItemInput) { in.TableName = r.str() }},
	{"Key", func(r *reader, in *engine.DeleteItemInput) { in.Key = r.attributes() }},
	{"ConditionExpression", func(r *reader, in *engine.DeleteItemInput) { in.ConditionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, in *engine.DeleteItemInput) { in.Placeholders.Names = r.names() }},
	{"ExpressionAttributeValues", func(r *reader, in *engine.DeleteItemInput) { in.Placeholders.Values = r.attributes() }},
	{"ReturnValues", func(r *reader, in *engine.DeleteItemInput) { in.ReturnValues = r.str() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.DeleteItemInput) { in.ReturnConsumedCapacity = r.str() }},
	{"ReturnItemCollectionMetrics", func(r *reader, in *engine.DeleteItemInput) { in.ReturnItemCollectionMetrics = r.str() }},
	{"ReturnValuesOnConditionCheckFailure", func(r *reader, in *engine.DeleteItemInput) { in.ReturnValuesOnConditionCheckFailure = r.str() }},
	{"Expected", func(r *reader, in *engine.DeleteItemInput) {
		legacy(&in.Legacy).Expected = readMap(r, expectedStructure)
	}},
	{"ConditionalOperator", func(r *reader, in *engine.DeleteItemInput) { legacy(&in.Legacy).ConditionalOperator = r.str() }},
}

func deleteItem(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.DeleteItemInput
	if err := readInput(r, deleteItemStructure, &in); err != nil {
		return nil, err
	}
	return writeResult(e.DeleteItem(ctx, &in))
}

var updateItemStructure = structure[engine.UpdateItemInput]{
	{"TableName", func(r *reader, in *engine.UpdateItemInput) { in.TableName = r.str() }},
	{"Key", func(r *reader, in *engine.UpdateItemInput) { in.Key = r.attributes() }},
	{"UpdateExpression", func(r *reader, in *engine.UpdateItemInput) { in.UpdateExpression = r.str() }},
	{"ConditionExpression", func(r *reader, in *engine.UpdateItemInput) { in.ConditionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, in *engine.UpdateItemInput) { in.Placeholders.Names = r.names() }},
	{"ExpressionAttributeValues", func(r *reader, in *engine.UpdateItemInput) { in.Placeholders.Values = r.attributes() }},
	{"ReturnValues", func(r *reader, in *engine.UpdateItemInput) { in.ReturnValues = r.str() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.UpdateItemInput) { in.ReturnConsumedCapacity = r.str() }},
	{"ReturnItemCollectionMetrics", func(r *reader, in *engine.UpdateItemInput) { in.ReturnItemCollectionMetrics = r.str() }},
	{"ReturnValuesOnConditionCheckFailure", func(r *reader, in *engine.UpdateItemInput) { in.ReturnValuesOnConditionCheckFailure = r.str() }},
	{"AttributeUpdates", func(r *reader, in *engine.UpdateItemInput) {
		legacy(&in.Legacy).AttributeUpdates = readMap(r, updateStructure)
	}},
	{"Expected", func(r *reader, in *engine.UpdateItemInput) {
		legacy(&in.Legacy).Expected = readMap(r, expectedStructure)
	}},
	{"ConditionalOperator", func(r *reader, in *engine.UpdateItemInput) { legacy(&in.Legacy).ConditionalOperator = r.str() }},
}

func updateItem(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.UpdateItemInput
	if err := readInput(r, updateItemStructure, &in); err != nil {
		return nil, err
	}
	return writeResult(e.UpdateItem(ctx, &in))
}

// writeResult writes the result of a write of one item.
func writeResult(out *engine.WriteOutput, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	w := newWriter(len(out.Attributes))
	if out.Attributes != nil {
		w.raw("Attributes", out.Attributes)
	}
	w.consumed(out.ConsumedCapacity)
	if out.ItemCollectionMetrics != nil {
		w.name("ItemCollectionMetrics")
		w.metrics(out.ItemCollectionMetrics)
	}
	return w.end(), nil
}

var getItemStructure = structure[engine.GetItemInput]{
	{"TableName", func(r *reader, in *engine.GetItemInput) { in.TableName = r.str() }},
	{"Key", func(r *reader, in *engine.GetItemInput) { in.Key = r.attributes() }},
	{"ProjectionExpression", func(r *reader, in *engine.GetItemInput) { in.ProjectionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, in *engine.GetItemInput) { in.Placeholders.Names = r.names() }},
	{"ConsistentRead", func(r *reader, in *engine.GetItemInput) { in.ConsistentRead = r.boolean() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.GetItemInput) { in.ReturnConsumedCapacity = r.str() }},
	{"AttributesToGet", func(r *reader, in *engine.GetItemInput) { legacy(&in.Legacy).AttributesToGet = r.strs() }},
}

func getItem(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.GetItemInput
	if err := readInput(r, getItemStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.GetItem(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := newWriter(len(out.Item))
	w.consumed(out.ConsumedCapacity)
	if out.Item != nil {
		w.raw("Item", out.Item)
	}
	return w.end(), nil
}
