// SPDX-License-Identifier: Apache-2.0

package engine

import "context"

// DeleteItemInput holds the parameters of DeleteItem.
type DeleteItemInput struct {
	TableName                           *string
	Key                                 Attributes
	ConditionExpression                 *string
	Placeholders                        Placeholders
	Legacy                              *Legacy
	ReturnConsumedCapacity              *string
	ReturnItemCollectionMetrics         *string
	ReturnValues                        *string
	ReturnValuesOnConditionCheckFailure *string
}

// DeleteItem removes the item with a key. It succeeds if there is none.
func (e *Engine) DeleteItem(ctx context.Context, in *DeleteItemInput) (*WriteOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	var c constraints
	c.required("key", in.Key.Present)
	c.enum("returnValues", in.ReturnValues, returnSet)
	c.writeOptions(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics, in.ReturnValuesOnConditionCheckFailure)
	c.expectations(in.Legacy)
	if err := c.err(); err != nil {
		return nil, err
	}
	a, err := parseDelete(in, "DeleteItem")
	if err != nil {
		return nil, enveloped(err)
	}
	if err := e.bindKey(a, in.TableName); err != nil {
		return nil, err
	}
	return e.write(ctx, a, in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

// parseDelete validates a delete without its table, for any operation that
// has one.
func parseDelete(in *DeleteItemInput, operation string) (*action, error) {
	params, err := placeholders(operation, &in.Placeholders, in.Legacy.names(), parameter{conditionParameter, in.ConditionExpression})
	if err != nil {
		return nil, err
	}
	if in.Key.Err != nil {
		return nil, in.Key.Err
	}
	if err := checkOldReturned(in.ReturnValues); err != nil {
		return nil, err
	}
	a := &action{
		operation: operation, kind: actionDelete, reason: ReasonWrite,
		key:          in.Key.Item,
		returnFailed: is(in.ReturnValuesOnConditionCheckFailure, returnAllOld),
	}
	if a.condition, err = writeCondition(in.ConditionExpression, params, in.Legacy); err != nil {
		return nil, err
	}
	return a, unused(params)
}

// bindKey finds the table of an action that names its item by the key.
func (e *Engine) bindKey(a *action, table *string) (err error) {
	if a.table, err = e.table(text(table)); err != nil {
		return err
	}
	a.schema = a.table.Schema()
	if err := a.schema.checkKey(a.key); err != nil {
		return err
	}
	a.storeKey = a.schema.Key.storageKey(a.key)
	if a.kind == actionUpdate {
		return nil
	}
	return a.schema.checkPaths(a.condition)
}
