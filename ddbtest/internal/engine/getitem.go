// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// GetItemInput holds the parameters of GetItem.
type GetItemInput struct {
	TableName              *string
	Key                    Attributes
	ProjectionExpression   *string
	Placeholders           Placeholders // names only
	Legacy                 *Legacy
	ConsistentRead         *bool
	ReturnConsumedCapacity *string
}

// GetItemOutput is the result of GetItem.
type GetItemOutput struct {
	// Item is the wire form of the item, or nil if there is none.
	Item             []byte
	ConsumedCapacity *ConsumedCapacity
}

// GetItem returns the item with a key.
func (e *Engine) GetItem(ctx context.Context, in *GetItemInput) (*GetItemOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	var c constraints
	c.required("key", in.Key.Present)
	c.attributesToGet("attributesToGet", in.Legacy)
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if err := c.err(); err != nil {
		return nil, err
	}
	r, err := parseRead(in, "GetItem")
	if err != nil {
		return nil, err
	}
	if err := e.bindRead(r, in.TableName); err != nil {
		return nil, err
	}
	if err := e.admit(ctx, r.access()); err != nil {
		return nil, err
	}
	item, err := e.getItem(r, in.ConsistentRead != nil && *in.ConsistentRead)
	if err != nil {
		return nil, err
	}
	image, err := r.image(item)
	if err != nil {
		return nil, err
	}
	out := &GetItemOutput{Item: image}
	if in.ReturnConsumedCapacity != nil {
		var m meter
		m.addTable(readCost(sizeOf(item), in.ConsistentRead != nil && *in.ConsistentRead))
		out.ConsumedCapacity = m.report(r.table.name, in.ReturnConsumedCapacity, unnamedUnits)
	}
	return out, nil
}

// read is a read of one item that has passed all validation.
type read struct {
	operation  string
	table      *Table
	key        value.Item
	storeKey   string
	projection projection // nil for the whole item
}

// projection takes parts of items.
type projection interface {
	Apply(item value.Item) value.Item
}

// getItem gets the item of a read, as far as the throughput of its table allows.
func (e *Engine) getItem(r *read, consistent bool) (*storage.Item, error) {
	item := r.table.items.Get(r.storeKey)
	return item, e.allowRead(r, item, consistent)
}

// allowRead counts a read in the throughput of its table, which may refuse it. The item is the one found, or nil.
func (e *Engine) allowRead(r *read, item *storage.Item, consistent bool) error {
	use := e.allow(r.table)
	if use == nil {
		return nil
	}
	use.lock()
	defer use.unlock()
	return use.read(r.storeKey, readCost(sizeOf(item), consistent))
}

func (r *read) access() Access {
	return Access{Operation: r.operation, Kind: AccessRead, Table: r.table, Key: r.key}
}

// parseRead validates a read without its table, for any operation that reads
// items by key.
func parseRead(in *GetItemInput, operation string) (*read, error) {
	params, err := placeholders(operation, &in.Placeholders, in.Legacy.names(), parameter{projectionParameter, in.ProjectionExpression})
	if err != nil {
		return nil, err
	}
	if in.Key.Err != nil {
		return nil, in.Key.Err
	}
	r := &read{operation: operation, key: in.Key.Item}
	if r.projection, err = readProjection(in.ProjectionExpression, params, in.Legacy); err != nil {
		return nil, err
	}
	return r, unused(params)
}

// bindRead finds the table of a read and validates the key.
func (e *Engine) bindRead(r *read, table *string) (err error) {
	if r.table, err = e.table(text(table)); err != nil {
		return err
	}
	schema := r.table.Schema()
	if err := schema.checkKey(r.key); err != nil {
		return err
	}
	r.storeKey = schema.Key.storageKey(r.key)
	return schema.checkPaths(r.projection)
}

// projectionOf parses the projection of a read. It returns a nil interface if
// there is none.
func projectionOf(text *string, params *expression.Params) (projection, error) {
	if text == nil {
		return nil, nil
	}
	p, err := expression.ParseProjection(*text, params)
	if err != nil {
		return nil, err
	}
	return p, nil
}

// image returns the wire form of the part of an item that the read returns, or nil for
// no item.
func (r *read) image(item *storage.Item) ([]byte, error) {
	if item == nil || r.projection == nil {
		return imageOf(item), nil
	}
	whole, err := decodeStored(item)
	if err != nil {
		return nil, err
	}
	part := r.projection.Apply(whole)
	if part == nil {
		return nil, nil
	}
	return value.AppendItem(nil, part), nil
}

func imageOf(item *storage.Item) []byte {
	if item == nil {
		return nil
	}
	return item.Image
}

func sizeOf(item *storage.Item) int {
	if item == nil {
		return 0
	}
	return item.Size
}
