// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

var transactActionStructure = structure[engine.TransactAction]{
	{"TableName", func(r *reader, to *engine.TransactAction) { to.TableName = r.str() }},
	{"Item", func(r *reader, to *engine.TransactAction) { to.Item = r.attributes() }},
	{"Key", func(r *reader, to *engine.TransactAction) { to.Key = r.attributes() }},
	{"UpdateExpression", func(r *reader, to *engine.TransactAction) { to.UpdateExpression = r.str() }},
	{"ConditionExpression", func(r *reader, to *engine.TransactAction) { to.ConditionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, to *engine.TransactAction) { to.Placeholders.Names = r.names() }},
	{"ExpressionAttributeValues", func(r *reader, to *engine.TransactAction) { to.Placeholders.Values = r.attributes() }},
	{"ReturnValuesOnConditionCheckFailure", func(r *reader, to *engine.TransactAction) {
		to.ReturnValuesOnConditionCheckFailure = r.str()
	}},
}

var transactWriteItemStructure = structure[engine.TransactWriteItem]{
	{"ConditionCheck", func(r *reader, to *engine.TransactWriteItem) {
		to.ConditionCheck = readPointer(r, transactActionStructure)
	}},
	{"Put", func(r *reader, to *engine.TransactWriteItem) { to.Put = readPointer(r, transactActionStructure) }},
	{"Delete", func(r *reader, to *engine.TransactWriteItem) { to.Delete = readPointer(r, transactActionStructure) }},
	{"Update", func(r *reader, to *engine.TransactWriteItem) { to.Update = readPointer(r, transactActionStructure) }},
}

var transactWriteStructure = structure[engine.TransactWriteItemsInput]{
	{"TransactItems", func(r *reader, in *engine.TransactWriteItemsInput) {
		in.TransactItems = readList(r, transactWriteItemStructure)
	}},
	{"ClientRequestToken", func(r *reader, in *engine.TransactWriteItemsInput) { in.ClientRequestToken = r.str() }},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.TransactWriteItemsInput) { in.ReturnConsumedCapacity = r.str() }},
	{"ReturnItemCollectionMetrics", func(r *reader, in *engine.TransactWriteItemsInput) {
		in.ReturnItemCollectionMetrics = r.str()
	}},
}

func transactWriteItems(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.TransactWriteItemsInput
	if err := readInput(r, transactWriteStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.TransactWriteItems(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := newWriter(128)
	w.consumedList(out.ConsumedCapacity)
	w.metricsOf(out.ItemCollectionMetrics)
	return w.end(), nil
}

var transactGetActionStructure = structure[engine.TransactGet]{
	{"TableName", func(r *reader, to *engine.TransactGet) { to.TableName = r.str() }},
	{"Key", func(r *reader, to *engine.TransactGet) { to.Key = r.attributes() }},
	{"ProjectionExpression", func(r *reader, to *engine.TransactGet) { to.ProjectionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, to *engine.TransactGet) { to.Placeholders.Names = r.names() }},
}

var transactGetItemStructure = structure[engine.TransactGetItem]{
	{"Get", func(r *reader, to *engine.TransactGetItem) { to.Get = readPointer(r, transactGetActionStructure) }},
}

var transactGetStructure = structure[engine.TransactGetItemsInput]{
	{"TransactItems", func(r *reader, in *engine.TransactGetItemsInput) {
		in.TransactItems = readList(r, transactGetItemStructure)
	}},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.TransactGetItemsInput) { in.ReturnConsumedCapacity = r.str() }},
}

func transactGetItems(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.TransactGetItemsInput
	if err := readInput(r, transactGetStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.TransactGetItems(ctx, &in)
	if err != nil {
		return nil, err
	}
	size := 256
	for _, item := range out.Responses {
		size += len(item) + 16
	}
	w := newWriter(size)
	w.consumedList(out.ConsumedCapacity)
	w.itemResponses(out.Responses)
	return w.end(), nil
}

// itemResponses writes the items that a transaction read; nil means that one
// is absent.
func (w *writer) itemResponses(items [][]byte) {
	w.name("Responses")
	w.open('[')
	for _, item := range items {
		w.next()
		w.open('{')
		if item != nil {
			w.raw("Item", item)
		}
		w.close('}')
	}
	w.close(']')
}
