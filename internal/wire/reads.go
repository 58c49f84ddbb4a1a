// SPDX-License-Identifier: Apache-2.0

package wire

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// GetItem reads the item with a key, in wire JSON, into rows. If key is nil, Key of in is used. Item of the output is nil; found
// reports whether there was an item. With a [*RowError] the output is not nil.
func GetItem(ctx context.Context, c GetItemAPI, in *dynamodb.GetItemInput, key []byte, o Options, rows Rows) (
	out *dynamodb.GetItemOutput, found bool, err error,
) {
	k := newCall("GetItem", read, o, c)
	s := k.item("Item", rows)
	if key != nil {
		f := &getKey{in: *in, key: key}
		if err := k.send(f); err != nil {
			return nil, false, err
		}
		in = &f.in
	}
	out, err = c.GetItem(ctx, in, k.options()...)
	out, err = finish(k, out, err, func(o *dynamodb.GetItemOutput) *map[string]types.AttributeValue { return &o.Item }, s)
	return out, s.found && out != nil, err
}

// Query reads one page into rows. Items of the output is nil. With a [*RowError] the output is not nil.
func Query(ctx context.Context, c QueryAPI, in *dynamodb.QueryInput, o Options, rows Rows) (*dynamodb.QueryOutput, error) {
	k := newCall("Query", read, o, c)
	s := k.items(rows)
	out, err := c.Query(ctx, in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.QueryOutput) *[]map[string]types.AttributeValue { return &o.Items }, s)
}

// Scan reads one page into rows. Items of the output is nil. With a [*RowError] the output is not nil.
func Scan(ctx context.Context, c ScanAPI, in *dynamodb.ScanInput, o Options, rows Rows) (*dynamodb.ScanOutput, error) {
	k := newCall("Scan", read, o, c)
	s := k.items(rows)
	out, err := c.Scan(ctx, in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.ScanOutput) *[]map[string]types.AttributeValue { return &o.Items }, s)
}

// TableKeys are the keys of a batch in one table.
type TableKeys struct {
	Table string   // name or ARN
	Keys  [][]byte // each in wire JSON
}

// BatchGetItem reads items of several tables, of which each has one entry in keys. RequestItems of in holds how the tables are
// read; its own Keys are only used for tables that are not in keys. The bytes can be reused after the call. rows is called once
// for each table that the reply names, with the name in the reply, and returns the receiver of its items, or nil for a table that
// was not requested, which is a [*ReplyError]. Responses of the output is nil. With a [*RowError] the output is not nil.
func BatchGetItem(ctx context.Context, c BatchGetItemAPI, in *dynamodb.BatchGetItemInput, keys []TableKeys, o Options, rows func(table string) Rows) (
	*dynamodb.BatchGetItemOutput, error,
) {
	f, err := newBatchKeys(in, keys)
	if err != nil {
		return nil, err
	}
	s := &tableSink{rows: rows, asked: f}
	k := newCall("BatchGetItem", read, o, c)
	k.sink = s
	if err := k.send(f); err != nil {
		return nil, err
	}
	out, err := c.BatchGetItem(ctx, &f.in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.BatchGetItemOutput) *map[string][]map[string]types.AttributeValue {
		return &o.Responses
	}, s)
}

// TransactGetItems reads items in one transaction. rows is called once for each action, with its index, and returns the receiver;
// it may return nil to skip the item. Row of the receiver is not called if the item does not exist. A reply whose number of items
// is not the number of actions is a [*ReplyError]. Responses of the output is nil. With a [*RowError] the output is not nil.
func TransactGetItems(ctx context.Context, c TransactGetItemsAPI, in *dynamodb.TransactGetItemsInput, o Options, rows func(i int) Rows) (
	*dynamodb.TransactGetItemsOutput, error,
) {
	s := &actionSink{rows: rows, seen: make([]Rows, 0, len(in.TransactItems)), want: len(in.TransactItems)}
	k := newCall("TransactGetItems", read, o, c)
	k.sink = s
	out, err := c.TransactGetItems(ctx, in, k.options()...)
	return finish(k, out, err, func(o *dynamodb.TransactGetItemsOutput) *[]types.ItemResponse { return &o.Responses }, s)
}
