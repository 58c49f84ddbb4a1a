// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// PutItemInput holds the parameters of PutItem.
type PutItemInput struct {
	TableName                           *string
	Item                                Attributes
	ConditionExpression                 *string
	Placeholders                        Placeholders
	Legacy                              *Legacy
	ReturnConsumedCapacity              *string
	ReturnItemCollectionMetrics         *string
	ReturnValues                        *string
	ReturnValuesOnConditionCheckFailure *string
}

// WriteOutput is the result of PutItem, UpdateItem and DeleteItem.
type WriteOutput struct {
	// Attributes is the wire form of the returned attributes, or nil.
	Attributes            []byte
	ConsumedCapacity      *ConsumedCapacity
	ItemCollectionMetrics *ItemCollectionMetrics
}

// PutItem stores an item in place of the one with the same key, if any.
func (e *Engine) PutItem(ctx context.Context, in *PutItemInput) (*WriteOutput, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	a, err := parsePut(in, "PutItem")
	if err != nil {
		return nil, enveloped(err)
	}
	if err := e.bindPut(a, in.TableName); err != nil {
		return nil, err
	}
	return e.write(ctx, a, in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

func (in *PutItemInput) check() error {
	if err := checkTable(in.TableName); err != nil {
		return err
	}
	var c constraints
	c.required("item", in.Item.Present)
	c.enum("returnValues", in.ReturnValues, returnSet)
	c.writeOptions(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics, in.ReturnValuesOnConditionCheckFailure)
	c.expectations(in.Legacy)
	return c.err()
}

// writeOptions checks the options that all writes of one item have.
func (c *constraints) writeOptions(capacity, metrics, failure *string) {
	c.enum("returnConsumedCapacity", capacity, capacitySet)
	c.enum("returnItemCollectionMetrics", metrics, metricsSet)
	c.enum("returnValuesOnConditionCheckFailure", failure, returnFailedSet)
}

// parsePut validates a put without its table, for any operation that has one.
func parsePut(in *PutItemInput, operation string) (*action, error) {
	params, err := placeholders(operation, &in.Placeholders, in.Legacy.names(), parameter{conditionParameter, in.ConditionExpression})
	if err != nil {
		return nil, err
	}
	if in.Item.Err != nil {
		return nil, in.Item.Err
	}
	if err := checkOldReturned(in.ReturnValues); err != nil {
		return nil, err
	}
	size, err := putSize(in.Item.Item)
	if err != nil {
		return nil, err
	}
	a := &action{
		operation: operation, kind: actionPut, reason: ReasonWrite,
		item: in.Item.Item, size: size,
		returnFailed: is(in.ReturnValuesOnConditionCheckFailure, returnAllOld),
	}
	if a.condition, err = writeCondition(in.ConditionExpression, params, in.Legacy); err != nil {
		return nil, err
	}
	return a, unused(params)
}

// putSize returns the size of an item that is to be stored.
func putSize(item value.Item) (int, error) {
	size := value.ItemSize(item)
	if size > value.MaxItemSize {
		return 0, &Error{Type: ValidationException, Message: "Item size has exceeded the maximum allowed size", early: true, bare: true}
	}
	return size, nil
}

// bindPut finds the table of a put and validates the item against its schema.
func (e *Engine) bindPut(a *action, table *string) (err error) {
	if a.table, err = e.table(text(table)); err != nil {
		return err
	}
	a.schema = a.table.Schema()
	if err := a.schema.checkItemKey(a.item); err != nil {
		return err
	}
	if err := a.schema.checkIndexKeys(a.item, nil); err != nil {
		return err
	}
	if err := a.schema.checkPaths(a.condition); err != nil {
		return err
	}
	a.prepare()
	return nil
}

// prepare makes the stored form of a put's item.
func (a *action) prepare() {
	a.key = a.schema.Key.Of(a.item)
	a.storeKey = a.schema.Key.storageKey(a.item)
	a.stored = &storage.Item{Image: encodeItem(a.item, a.size), Size: a.size}
}

// The values of ReturnValues.
const (
	returnNone       = "NONE"
	returnAllOld     = "ALL_OLD"
	returnAllNew     = "ALL_NEW"
	returnUpdatedOld = "UPDATED_OLD"
	returnUpdatedNew = "UPDATED_NEW"
)

// checkOldReturned checks the ReturnValues of a put or a delete.
func checkOldReturned(values *string) error {
	if values != nil && !is(values, returnAllOld) && !is(values, returnNone) {
		return invalid("ReturnValues can only be ALL_OLD or NONE")
	}
	return nil
}

// write executes the write of one item that is bound to its table.
func (e *Engine) write(ctx context.Context, a *action, values, capacity, metrics *string) (*WriteOutput, error) {
	fx, err := e.run(ctx, a)
	if err != nil {
		return nil, err
	}
	return &WriteOutput{
		Attributes:            a.returned(&fx, text(values)),
		ConsumedCapacity:      fx.meter.report(a.table.name, capacity, unnamedUnits),
		ItemCollectionMetrics: a.table.metrics(a.schema, a.key, metrics),
	}, nil
}
