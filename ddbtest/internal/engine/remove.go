// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Walk calls visit for the items of the table, in the order of a scan, until
// visit returns false. visit must be quick and must not call the engine.
func (t *Table) Walk(visit func(item *storage.Item) bool) {
	t.items.Walk(storage.Range{}, func(_ string, item *storage.Item) bool { return visit(item) })
}

// Decode reads an item back from its stored form.
func Decode(item *storage.Item) (value.Item, error) { return decodeStored(item) }

// Remove deletes the item with a key, for a reason of the service, if it
// exists and due returns true for its present state. It reports whether it was deleted. Items
// that a transaction is about to write are not deleted.
func (e *Engine) Remove(ctx context.Context, t *Table, key value.Item, reason Reason, due func(value.Item) bool) (bool, error) {
	schema := t.Schema()
	if err := schema.checkKey(key); err != nil {
		return false, err
	}
	a := &action{
		operation: "TimeToLive", kind: actionDelete, reason: reason, table: t, schema: schema,
		key: key, storeKey: schema.Key.storageKey(key), condition: dueCondition(due),
	}
	fx, err := e.run(ctx, a)
	switch {
	case err == nil:
		return fx.old != nil, nil
	case AsError(err).Type == ConditionalCheckFailedException, AsError(err).Type == TransactionConflictException:
		return false, nil
	default:
		return false, err
	}
}

// dueCondition is a condition as a Go function.
type dueCondition func(value.Item) bool

// Eval reports whether the item exists and is due.
func (due dueCondition) Eval(item value.Item) (bool, error) { return item != nil && due(item), nil }
