// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// PutItem writes item, an item in wire JSON; Item of in is ignored. If old is not nil, it receives the item that the reply
// returns (ReturnValues), and Attributes of the output is nil. item can be reused after the call. With a [*RowError] the output
// is not nil and the item was written.
func PutItem(ctx context.Context, c PutItemAPI, in *dynamodb.PutItemInput, item []byte, o Options, old Rows) (*dynamodb.PutItemOutput, error) {
	f := &putItem{in: *in, item: item}
	k := newCall("PutItem", write, o, c)
	s := k.item("Attributes", old)
	if err := k.send(f); err != nil {
		return nil, err
	}
	out, err := c.PutItem(ctx, &f.in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.PutItemOutput) *map[string]types.AttributeValue { return &o.Attributes }, s)
}

// UpdateItem updates an item. If attrs is not nil, it receives the attributes that the reply returns (ReturnValues), and
// Attributes of the output is nil. With a [*RowError] the output is not nil and the item was updated.
func UpdateItem(ctx context.Context, c UpdateItemAPI, in *dynamodb.UpdateItemInput, o Options, attrs Rows) (*dynamodb.UpdateItemOutput, error) {
	k := newCall("UpdateItem", write, o, c)
	s := k.item("Attributes", attrs)
	out, err := c.UpdateItem(ctx, in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.UpdateItemOutput) *map[string]types.AttributeValue { return &o.Attributes }, s)
}

// DeleteItem deletes the item with a key in wire JSON. If key is nil, Key of in is used. key can be reused after the call. If
// attrs is not nil, it receives the item that the reply returns (ReturnValues), and Attributes of the output is nil. With a
// [*RowError] the output is not nil and the item was deleted.
func DeleteItem(ctx context.Context, c DeleteItemAPI, in *dynamodb.DeleteItemInput, key []byte, o Options, attrs Rows) (*dynamodb.DeleteItemOutput, error) {
	k := newCall("DeleteItem", write, o, c)
	s := k.item("Attributes", attrs)
	if key != nil {
		f := &deleteKey{in: *in, key: key}
		if err := k.send(f); err != nil {
			return nil, err
		}
		in = &f.in
	}
	out, err := c.DeleteItem(ctx, in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.DeleteItemOutput) *map[string]types.AttributeValue { return &o.Attributes }, s)
}

// TableWrites are the writes of a batch to one table.
type TableWrites struct {
	Table  string // name or ARN
	Writes []Write
}

// Write is one write of a batch. Exactly one of its fields is set.
type Write struct {
	Put    []byte // an item in wire JSON
	Delete []byte // a key in wire JSON
}

// BatchWriteItem writes reqs, which has at most one entry for each table; RequestItems of in is ignored. The bytes can be reused
// after the call. UnprocessedItems of the output is that of the SDK.
func BatchWriteItem(ctx context.Context, c BatchWriteItemAPI, in *dynamodb.BatchWriteItemInput, reqs []TableWrites, o Options) (
	*dynamodb.BatchWriteItemOutput, error,
) {
	f, err := newBatch(in, reqs)
	if err != nil {
		return nil, err
	}
	k := newCall("BatchWriteItem", write, o, c)
	if err := k.send(f); err != nil {
		return nil, err
	}
	out, err := c.BatchWriteItem(ctx, &f.in, k.options()...)
	return answered(k, out, err)
}

// TransactWriteItems writes the actions of in. items has the items of Put actions in wire JSON, by the index of the action; a Put
// without an entry keeps its own Item. The bytes can be reused after the call.
func TransactWriteItems(ctx context.Context, c TransactWriteItemsAPI, in *dynamodb.TransactWriteItemsInput, items map[int][]byte, o Options) (
	*dynamodb.TransactWriteItemsOutput, error,
) {
	f, err := newTransaction(in, items)
	if err != nil {
		return nil, err
	}
	k := newCall("TransactWriteItems", write, o, c)
	if err := k.send(f); err != nil {
		return nil, err
	}
	out, err := c.TransactWriteItems(ctx, &f.in, k.options()...)
	return answered(k, out, err)
}
