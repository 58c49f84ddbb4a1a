// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// UpdateItemInput holds the parameters of UpdateItem.
type UpdateItemInput struct {
	TableName                           *string
	Key                                 Attributes
	UpdateExpression                    *string
	ConditionExpression                 *string
	Placeholders                        Placeholders
	Legacy                              *Legacy
	ReturnConsumedCapacity              *string
	ReturnItemCollectionMetrics         *string
	ReturnValues                        *string
	ReturnValuesOnConditionCheckFailure *string
}

// UpdateItem changes attributes of the item with a key, which it creates if
// there is none.
func (e *Engine) UpdateItem(ctx context.Context, in *UpdateItemInput) (*WriteOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	var c constraints
	c.required("key", in.Key.Present)
	c.enum("returnValues", in.ReturnValues, returnSet)
	c.writeOptions(in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics, in.ReturnValuesOnConditionCheckFailure)
	c.updates(in.Legacy)
	c.expectations(in.Legacy)
	// https://github.com/nubo-db/dynoxide/issues/83: only the first, unlike PutItem.
	if err := c.first(); err != nil {
		return nil, err
	}
	a, err := parseUpdate(in, "UpdateItem")
	if err != nil {
		return nil, enveloped(err)
	}
	if err := e.bindUpdate(a, in.TableName); err != nil {
		return nil, err
	}
	return e.write(ctx, a, in.ReturnValues, in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics)
}

// parseUpdate validates an update without its table, for any operation that
// has one.
func parseUpdate(in *UpdateItemInput, operation string) (*action, error) {
	params, err := placeholders(operation, &in.Placeholders, in.Legacy.names(),
		parameter{updateParameter, in.UpdateExpression}, parameter{conditionParameter, in.ConditionExpression})
	if err != nil {
		return nil, err
	}
	if in.Key.Err != nil {
		return nil, in.Key.Err
	}
	a := &action{
		operation: operation, kind: actionUpdate, reason: ReasonWrite,
		key:          in.Key.Item,
		returnFailed: is(in.ReturnValuesOnConditionCheckFailure, returnAllOld),
	}
	if operation == opTransactWrite && nested(in.Placeholders.Values.Err) {
		a.fault = in.Placeholders.Values.Err
	}
	if a.update, err = writeUpdate(in.UpdateExpression, params, in.Legacy); err != nil {
		return nil, err
	}
	if a.condition, err = writeCondition(in.ConditionExpression, params, in.Legacy); err != nil {
		return nil, err
	}
	return a, unused(params)
}

// bindUpdate finds the table of an update and makes sure that it does not change the
// key.
func (e *Engine) bindUpdate(a *action, table *string) error {
	if err := e.bindKey(a, table); err != nil {
		return err
	}
	if a.update != nil {
		for _, name := range a.update.Attributes() {
			if a.schema.Key.Has(name) {
				return invalidParameter("Cannot update attribute %s. This attribute is part of the key", name)
			}
		}
	}
	return a.schema.checkPaths(a.update, a.condition)
}

// updateOf parses the update of a write. It returns a nil interface if there
// is none.
func updateOf(text *string, params *expression.Params) (updater, error) {
	if text == nil {
		return nil, nil
	}
	u, err := expression.ParseUpdate(*text, params)
	if err != nil {
		return nil, err
	}
	return u, nil
}

// returned returns the wire form of the attributes that ReturnValues asks for.
func (a *action) returned(fx *effect, mode string) []byte {
	switch mode {
	case returnAllOld:
		if fx.old != nil {
			return fx.old.Image
		}
	case returnAllNew:
		if fx.new != nil {
			return fx.new.Image
		}
	case returnUpdatedOld:
		return a.touched(fx.oldItem)
	case returnUpdatedNew:
		return a.touched(fx.newItem)
	}
	return nil
}

// touched returns the wire form of the parts of an item that the update wrote.
func (a *action) touched(item value.Item) []byte {
	u, ok := a.update.(interface {
		Touched() *expression.Projection
	})
	if !ok || item == nil {
		return nil
	}
	part := u.Touched().Apply(item)
	if len(part) == 0 {
		return nil
	}
	return value.AppendItem(nil, part)
}
