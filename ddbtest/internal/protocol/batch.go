// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

var keysStructure = structure[engine.KeysAndAttributes]{
	{"Keys", func(r *reader, to *engine.KeysAndAttributes) { to.Keys = r.attributesList() }},
	{"ProjectionExpression", func(r *reader, to *engine.KeysAndAttributes) { to.ProjectionExpression = r.str() }},
	{"ExpressionAttributeNames", func(r *reader, to *engine.KeysAndAttributes) { to.Placeholders.Names = r.names() }},
	{"ConsistentRead", func(r *reader, to *engine.KeysAndAttributes) { to.ConsistentRead = r.boolean() }},
	{"AttributesToGet", func(r *reader, to *engine.KeysAndAttributes) { legacy(&to.Legacy).AttributesToGet = r.strs() }},
}

// attributesList reads a list of maps of attribute values, or nil for null.
func (r *reader) attributesList() []engine.Attributes {
	list := []engine.Attributes{}
	if !r.array(func() {
		if c := r.peek(); c != '{' && c != 'n' {
			r.fail(mistyped(castFault))
			return
		}
		list = append(list, r.attributes())
	}) {
		return nil
	}
	return list
}

var batchGetStructure = structure[engine.BatchGetItemInput]{
	{"RequestItems", func(r *reader, in *engine.BatchGetItemInput) {
		tables := []engine.KeysOfTable{}
		if r.object(requestItemsKind, func(name []byte) {
			one := engine.KeysOfTable{Table: string(name)}
			keysStructure.read(r, &one.KeysAndAttributes)
			tables = append(tables, one)
		}) {
			in.RequestItems = tables
		}
	}},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.BatchGetItemInput) { in.ReturnConsumedCapacity = r.str() }},
}

const requestItemsKind = mapOf + classPrefix + "KeysAndAttributes>"

func batchGetItem(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.BatchGetItemInput
	if err := readInput(r, batchGetStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.BatchGetItem(ctx, &in)
	if err != nil {
		return nil, err
	}
	size := 256
	for _, t := range out.Responses {
		for _, item := range t.Items {
			size += len(item) + 1
		}
	}
	w := newWriter(size)
	w.consumedList(out.ConsumedCapacity)
	w.name("Responses")
	w.open('{')
	for _, t := range out.Responses {
		w.key(t.Table)
		w.images(t.Items)
	}
	w.close('}')
	w.name("UnprocessedKeys")
	w.open('{')
	for i := range out.UnprocessedKeys {
		w.key(out.UnprocessedKeys[i].Table)
		w.keys(&out.UnprocessedKeys[i].KeysAndAttributes)
	}
	w.close('}')
	return w.end(), nil
}

// keys writes unprocessed keys as they were in the request.
func (w *writer) keys(k *engine.KeysAndAttributes) {
	w.open('{')
	w.name("Keys")
	w.open('[')
	for _, key := range k.Keys {
		w.next()
		w.b = value.AppendItem(w.b, key.Item)
	}
	w.close(']')
	if k.ProjectionExpression != nil {
		w.str("ProjectionExpression", *k.ProjectionExpression)
	}
	if k.Placeholders.Names != nil {
		w.name("ExpressionAttributeNames")
		w.open('{')
		for name, attribute := range k.Placeholders.Names {
			w.key(name)
			w.b = value.AppendString(w.b, attribute)
		}
		w.close('}')
	}
	if k.ConsistentRead != nil {
		w.name("ConsistentRead")
		w.b = appendBool(w.b, *k.ConsistentRead)
	}
	if k.Legacy != nil && k.Legacy.AttributesToGet != nil {
		w.name("AttributesToGet")
		w.open('[')
		for _, name := range k.Legacy.AttributesToGet {
			w.next()
			w.b = value.AppendString(w.b, name)
		}
		w.close(']')
	}
	w.close('}')
}

func appendBool(b []byte, v bool) []byte {
	if v {
		return append(b, "true"...)
	}
	return append(b, "false"...)
}

var putRequestStructure = structure[engine.PutRequest]{
	{"Item", func(r *reader, to *engine.PutRequest) { to.Item = r.attributes() }},
}

var deleteRequestStructure = structure[engine.DeleteRequest]{
	{"Key", func(r *reader, to *engine.DeleteRequest) { to.Key = r.attributes() }},
}

var writeRequestStructure = structure[engine.WriteRequest]{
	{"PutRequest", func(r *reader, to *engine.WriteRequest) { to.PutRequest = readPointer(r, putRequestStructure) }},
	{"DeleteRequest", func(r *reader, to *engine.WriteRequest) { to.DeleteRequest = readPointer(r, deleteRequestStructure) }},
}

var batchWriteStructure = structure[engine.BatchWriteItemInput]{
	{"RequestItems", func(r *reader, in *engine.BatchWriteItemInput) {
		tables := []engine.WritesOfTable{}
		if r.object(writeRequestsKind, func(name []byte) {
			table := string(name)
			if c := r.peek(); c != '[' && c != 'n' {
				r.fail(mistyped(castFault))
				return
			}
			tables = append(tables, engine.WritesOfTable{Table: table, Writes: readList(r, writeRequestStructure)})
		}) {
			in.RequestItems = tables
		}
	}},
	{"ReturnConsumedCapacity", func(r *reader, in *engine.BatchWriteItemInput) { in.ReturnConsumedCapacity = r.str() }},
	{"ReturnItemCollectionMetrics", func(r *reader, in *engine.BatchWriteItemInput) { in.ReturnItemCollectionMetrics = r.str() }},
}

const writeRequestsKind = mapOf + "java.util.List<" + classPrefix + "WriteRequest>>"

func batchWriteItem(ctx context.Context, e *engine.Engine, r *reader) ([]byte, error) {
	var in engine.BatchWriteItemInput
	if err := readInput(r, batchWriteStructure, &in); err != nil {
		return nil, err
	}
	out, err := e.BatchWriteItem(ctx, &in)
	if err != nil {
		return nil, err
	}
	w := newWriter(128)
	w.consumedList(out.ConsumedCapacity)
	w.metricsOf(out.ItemCollectionMetrics)
	w.name("UnprocessedItems")
	w.open('{')
	for _, t := range out.UnprocessedItems {
		w.key(t.Table)
		w.open('[')
		for _, one := range t.Writes {
			w.next()
			w.writeRequest(one)
		}
		w.close(']')
	}
	w.close('}')
	return w.end(), nil
}

func (w *writer) writeRequest(one engine.WriteRequest) {
	w.open('{')
	if p := one.PutRequest; p != nil {
		w.b = append(w.b, `"PutRequest":{"Item":`...)
		w.b = append(value.AppendItem(w.b, p.Item.Item), '}')
	}
	if d := one.DeleteRequest; d != nil {
		w.b = append(w.b, `"DeleteRequest":{"Key":`...)
		w.b = append(value.AppendItem(w.b, d.Key.Item), '}')
	}
	w.close('}')
}

// metricsOf writes the metrics of several tables, or nothing.
func (w *writer) metricsOf(tables []engine.MetricsOfTable) {
	if tables == nil {
		return
	}
	w.name("ItemCollectionMetrics")
	w.open('{')
	for _, t := range tables {
		w.key(t.Table)
		w.open('[')
		for _, m := range t.Metrics {
			w.next()
			w.metrics(m)
		}
		w.close(']')
	}
	w.close('}')
}
