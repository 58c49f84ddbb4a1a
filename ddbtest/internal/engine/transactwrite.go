// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Limits of transactions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	maxTransactItems = 100
	maxTransactBytes = 4 << 20
)

// TransactWriteItemsInput holds the parameters of TransactWriteItems.
type TransactWriteItemsInput struct {
	TransactItems               []TransactWriteItem // nil if absent
	ClientRequestToken          *string
	ReturnConsumedCapacity      *string
	ReturnItemCollectionMetrics *string
}

// TransactWriteItem is one action of a transaction: exactly one of the fields
// is set.
type TransactWriteItem struct {
	ConditionCheck *TransactAction
	Put            *TransactAction
	Delete         *TransactAction
	Update         *TransactAction
}

// TransactAction holds the parameters of an action; every kind uses some of
// them.
type TransactAction struct {
	TableName                           *string
	Item                                Attributes
	Key                                 Attributes
	UpdateExpression                    *string
	ConditionExpression                 *string
	Placeholders                        Placeholders
	ReturnValuesOnConditionCheckFailure *string
}

// TransactWriteItemsOutput is the result of TransactWriteItems.
type TransactWriteItemsOutput struct {
	ConsumedCapacity      []*ConsumedCapacity
	ItemCollectionMetrics []MetricsOfTable
}

// TransactWriteItems executes up to 100 actions, all of them or none.
func (e *Engine) TransactWriteItems(ctx context.Context, in *TransactWriteItemsInput) (*TransactWriteItemsOutput, error) {
	if err := in.constraints(); err != nil {
		return nil, err
	}
	actions, err := in.parse()
	if err != nil {
		return nil, err
	}
	return e.transactOnce(ctx, actions, in)
}

// transactOnce executes the actions unless a request with the same token has
// done so.
func (e *Engine) transactOnce(ctx context.Context, actions []*action, in *TransactWriteItemsInput) (*TransactWriteItemsOutput, error) {
	tables := make([]*string, len(actions))
	for i := range in.TransactItems {
		_, part := in.TransactItems[i].part()
		tables[i] = part.TableName
	}
	if err := e.bindTransaction(actions, tables); err != nil {
		return nil, err
	}
	effects, replay, err := e.transactToken(ctx, actions, text(in.ClientRequestToken), fingerprint(actions, in))
	if err != nil {
		return nil, err
	}
	if replay != nil {
		return &TransactWriteItemsOutput{ConsumedCapacity: replayed(actions, replay, in.ReturnConsumedCapacity)}, nil
	}
	out := new(TransactWriteItemsOutput)
	for _, a := range actions {
		if a.kind != actionCheck {
			out.ItemCollectionMetrics = a.addMetrics(out.ItemCollectionMetrics, in.ReturnItemCollectionMetrics)
		}
	}
	out.ConsumedCapacity = transacted(actions, effects, in.ReturnConsumedCapacity)
	return out, nil
}

// transactToken executes the actions unless a request with the same token has
// done so. Then it returns the sizes by which that request's actions are billed.
// An empty token means no token.
func (e *Engine) transactToken(ctx context.Context, actions []*action, token string, request uint64) (effects []effect, replay []int, err error) {
	if token != "" {
		if replay, err = e.tokens.begin(token, request, e.clock.Now()); replay != nil || err != nil {
			return nil, replay, err
		}
	}
	effects, err = e.transact(ctx, actions)
	if token != "" {
		e.tokens.end(token, effects, err == nil, e.clock.Now())
	}
	return effects, nil, err
}

// transacted is the capacity that a transaction consumed.
func transacted(actions []*action, effects []effect, mode *string) []*ConsumedCapacity {
	var ms meters
	for i, a := range actions {
		m := effects[i].meter
		m.table *= transactionTimes // the two phases of a transaction; indexes are updated outside of it
		ms.of(a.table).add(&m)
	}
	return ms.report(mode, writeUnits)
}

// replayed returns the capacity of a request that was executed before: that of
// reading the items that the first request wrote or deleted.
//
// Dynoxide has measured it for its version 0.14,
// https://github.com/nubo-db/dynoxide/blob/main/CHANGELOG.md.
func replayed(actions []*action, sizes []int, mode *string) []*ConsumedCapacity {
	var ms meters
	for i, a := range actions {
		ms.of(a.table).addTable(2 * readCost(sizes[i], true))
	}
	return ms.report(mode, readUnits)
}

func (in *TransactWriteItemsInput) constraints() error {
	var c constraints
	if c.required("transactItems", in.TransactItems != nil) {
		c.transactItems(len(in.TransactItems), in.print)
	}
	for i := range in.TransactItems {
		in.TransactItems[i].constraints(&c, member("transactItems", i))
	}
	if in.ClientRequestToken != nil {
		c.length("clientRequestToken", *in.ClientRequestToken, 1, 36)
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	c.enum("returnItemCollectionMetrics", in.ReturnItemCollectionMetrics, metricsSet)
	return c.err()
}

func (in *TransactWriteItemsInput) print() string {
	parts := make([]string, len(in.TransactItems))
	for i := range in.TransactItems {
		_, a := in.TransactItems[i].part()
		if a == nil {
			a = new(TransactAction)
		}
		item := a.Item
		if !item.Present {
			item = a.Key
		}
		parts[i] = string(value.AppendItem(nil, item.Item))
	}
	return list(parts)
}

func (w *TransactWriteItem) constraints(c *constraints, path string) {
	if a := w.Put; a != nil {
		c.required(path+".put.item", a.Item.Present)
		a.constraints(c, path+".put")
	}
	if a := w.Delete; a != nil {
		c.required(path+".delete.key", a.Key.Present)
		a.constraints(c, path+".delete")
	}
	if a := w.Update; a != nil {
		c.required(path+".update.key", a.Key.Present)
		c.required(path+".update.updateExpression", a.UpdateExpression != nil)
		a.constraints(c, path+".update")
	}
	if a := w.ConditionCheck; a != nil {
		c.required(path+".conditionCheck.key", a.Key.Present)
		c.required(path+".conditionCheck.conditionExpression", a.ConditionExpression != nil)
		a.constraints(c, path+".conditionCheck")
	}
}

func (a *TransactAction) constraints(c *constraints, path string) {
	c.tableName(path+".tableName", a.TableName)
	c.enum(path+".returnValuesOnConditionCheckFailure", a.ReturnValuesOnConditionCheckFailure, returnFailedSet)
}

// part returns the action that is set, or nil unless exactly one is.
func (w *TransactWriteItem) part() (actionKind, *TransactAction) {
	var kind actionKind
	var part *TransactAction
	n := 0
	for _, p := range []struct {
		kind actionKind
		part *TransactAction
	}{{actionCheck, w.ConditionCheck}, {actionPut, w.Put}, {actionDelete, w.Delete}, {actionUpdate, w.Update}} {
		if p.part != nil {
			kind, part = p.kind, p.part
			n++
		}
	}
	if n != 1 {
		return 0, nil
	}
	return kind, part
}

// parse validates the actions without their tables.
func (in *TransactWriteItemsInput) parse() ([]*action, error) {
	actions, size := make([]*action, len(in.TransactItems)), 0
	for i := range in.TransactItems {
		w := &in.TransactItems[i]
		kind, part := w.part()
		if part == nil {
			if w.Put == nil && w.Delete == nil && w.Update == nil && w.ConditionCheck == nil {
				return nil, invalid("Invalid Request: TransactWriteRequest should contain Delete or Put or Update request")
			}
			return nil, invalid("TransactItems can only contain one of Check, Put, Update or Delete")
		}
		a, err := part.parse(kind)
		if err != nil {
			return nil, err
		}
		actions[i] = a
		size += value.ItemSize(part.Item.Item) + value.ItemSize(part.Key.Item) + value.ItemSize(part.Placeholders.Values.Item)
	}
	if size > maxTransactBytes {
		return nil, invalid("Transaction request exceeds the maximum size of 4 MB")
	}
	return actions, nil
}

func (a *TransactAction) parse(kind actionKind) (*action, error) {
	const operation = opTransactWrite
	switch kind {
	case actionPut:
		return parsePut(&PutItemInput{
			Item: a.Item, ConditionExpression: a.ConditionExpression, Placeholders: a.Placeholders,
			ReturnValuesOnConditionCheckFailure: a.ReturnValuesOnConditionCheckFailure,
		}, operation)
	case actionUpdate:
		return parseUpdate(&UpdateItemInput{
			Key: a.Key, UpdateExpression: a.UpdateExpression, ConditionExpression: a.ConditionExpression, Placeholders: a.Placeholders,
			ReturnValuesOnConditionCheckFailure: a.ReturnValuesOnConditionCheckFailure,
		}, operation)
	default:
		x, err := parseDelete(&DeleteItemInput{
			Key: a.Key, ConditionExpression: a.ConditionExpression, Placeholders: a.Placeholders,
			ReturnValuesOnConditionCheckFailure: a.ReturnValuesOnConditionCheckFailure,
		}, operation)
		if err == nil {
			x.kind = kind
		}
		return x, err
	}
}

// bindTransaction finds the tables of the actions, one action after the other.
// An error of the key or the item of an action cancels the transaction,
// unless the service finds it before it starts one; either way only the first
// invalid action is reported.
func (e *Engine) bindTransaction(actions []*action, tables []*string) error {
	for i, a := range actions {
		err := e.bindAction(a, tables[i])
		if err == nil {
			err = a.fault
		}
		if err != nil {
			return cancelledBy(err, i, len(actions))
		}
	}
	return distinct(actions)
}

// cancelledBy returns the answer to a transaction of n actions of which number i is
// invalid.
func cancelledBy(err error, i, n int) error {
	answer := AsError(err)
	if answer.Type != ValidationException || answer.early {
		return err
	}
	reasons := make([]CancellationReason, n)
	reasons[i] = CancellationReason{Code: validationReason, Message: answer.Message}
	return cancelled(reasons)
}

// distinct makes sure that no two actions are on one item.
func distinct(actions []*action) error {
	seen := make(map[tableKey]bool, len(actions))
	for _, a := range actions {
		at := tableKey{a.table, a.storeKey}
		if seen[at] {
			return errDuplicateActions
		}
		seen[at] = true
	}
	return nil
}

var errDuplicateActions = invalid("Transaction request cannot include multiple operations on one item")

func (e *Engine) bindAction(a *action, table *string) error {
	switch a.kind {
	case actionPut:
		return e.bindPut(a, table)
	case actionUpdate:
		return e.bindUpdate(a, table)
	default:
		return e.bindKey(a, table)
	}
}

const validationReason = "ValidationError"

// cancelled returns the failure of a transaction. Empty reasons become "None",
// and so do those of invalid actions after the first.
func cancelled(reasons []CancellationReason) error {
	codes, invalid := make([]string, len(reasons)), false
	for i := range reasons {
		if reasons[i].Code == validationReason {
			if invalid {
				reasons[i] = CancellationReason{}
			}
			invalid = true
		}
		if reasons[i].Code == "" {
			reasons[i].Code = "None"
		}
		codes[i] = reasons[i].Code
	}
	return &Error{
		Type:    TransactionCanceledException,
		Message: "Transaction cancelled, please refer cancellation reasons for specific reasons [" + strings.Join(codes, ", ") + "]",
		Reasons: reasons,
	}
}

// reasonOf turns the failure of one action into its cancellation reason. It
// returns false for a failure that is not a failure of an action.
func reasonOf(err error) (CancellationReason, bool) {
	e := AsError(err)
	reason := CancellationReason{Message: e.Message, Item: e.Item}
	switch e.Type {
	case ConditionalCheckFailedException:
		reason.Code = "ConditionalCheckFailed"
	case DuplicateItemException:
		reason.Code = "DuplicateItem"
	case TransactionConflictException:
		reason.Code = "TransactionConflict"
	case ValidationException:
		reason.Code = validationReason
	case ItemCollectionSizeLimitExceededException:
		reason.Code = "ItemCollectionSizeLimitExceeded"
	case ProvisionedThroughputExceededException:
		reason.Code = "ProvisionedThroughputExceeded"
	case ThrottlingException:
		reason.Code = "ThrottlingError"
	default:
		return reason, false
	}
	return reason, true
}
