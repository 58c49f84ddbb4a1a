// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"maps"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

type actionKind uint8

const (
	actionPut actionKind = iota + 1
	actionUpdate
	actionDelete
	actionCheck
)

// condition is a condition that an item must meet before a write.
type condition interface {
	Eval(item value.Item) (bool, error)
}

// updater makes a new item from an old one.
type updater interface {
	// Apply makes the new item from the old one.
	Apply(old value.Item) (value.Item, error)
	// ApplyNew makes the attributes, except the key, of an item that does not exist yet.
	ApplyNew(key value.Item) (value.Item, error)
	// Attributes are the top-level attributes that Apply writes.
	Attributes() []string
	// Overhead is what the update counts towards the limit of its size, in addition to
	// the attributes that it writes.
	Overhead() int
}

// action is a write of one item, or a check of a transaction, that has passed
// all validation that does not need the item. Single writes, batches,
// transactions and statements all become actions.
type action struct {
	operation string
	kind      actionKind
	table     *Table
	schema    *Schema
	key       value.Item
	storeKey  string
	condition condition // nil if there is none
	item      value.Item
	size      int           // of item
	stored    *storage.Item // of a put
	update    updater       // of an update; nil to make sure that the item exists
	// returnFailed puts the item into the error if the condition fails.
	returnFailed bool
	reason       Reason
	// fault is what cancels the transaction that the action is part of: an update
	// whose values are nested too deeply, which single updates refuse at once. The
	// service does not check the levels of other actions' values:
	// https://github.com/paritysuite/dynamodb-conformance/pull/178.
	fault error
	// restored marks an item that the engine stored before.
	restored bool
}

// effect is what an action did, or is about to do.
type effect struct {
	old, new         *storage.Item
	oldItem, newItem value.Item // nil if nothing needed them
	meter            meter
	touched          []entryKeys // of global indexes; nil without a model of throughput
}

// size returns the size by which the action is billed: that of the larger one of the
// item before and the item after.
func (fx *effect) size() int { return max(sizeOf(fx.old), sizeOf(fx.new)) }

// access returns the description of the action for the hooks.
func (a *action) access() Access {
	kind := AccessWrite
	if a.kind == actionCheck {
		kind = AccessCheck
	}
	return Access{Operation: a.operation, Kind: kind, Table: a.table, Key: a.key}
}

// run executes a single action.
func (e *Engine) run(ctx context.Context, a *action) (effect, error) {
	if err := e.admit(ctx, a.access()); err != nil {
		return effect{}, err
	}
	use := e.allow(a.table)
	p := a.table.items.Partition(a.storeKey)
	p.Lock()
	defer p.Unlock()
	use.lock()
	defer use.unlock()
	if err := a.refresh(); err != nil {
		return effect{}, err
	}
	if p.Marked(a.storeKey) {
		return effect{}, transactionConflict()
	}
	if err := use.checkWrite(a); err != nil {
		return effect{}, err
	}
	fx, err := a.evaluate(p.Get(a.storeKey))
	if err != nil {
		use.takeRejected(a, err, fx.old, 1)
		return fx, err
	}
	if err := e.checkCollection(a, &fx); err != nil {
		return fx, err
	}
	if err := use.checkIndexes(a, &fx); err != nil {
		return fx, err
	}
	e.commit(p, a, &fx)
	use.takeWrite(a, &fx, 1)
	return fx, nil
}

// refresh adopts indexes that were added to the table since the action was validated.
// The caller holds the lock of the partition, so no others are added until the
// action is done.
func (a *action) refresh() error {
	schema := a.table.Schema()
	if schema == a.schema {
		return nil
	}
	a.schema = schema
	if a.kind == actionPut {
		return schema.checkIndexKeys(a.item, nil)
	}
	return nil
}

// evaluate checks the condition against the stored item and computes the new
// one. It changes nothing.
func (a *action) evaluate(old *storage.Item) (fx effect, err error) {
	fx.old = old
	if a.condition != nil || a.kind == actionUpdate || len(a.schema.Indexes) > 0 {
		if fx.oldItem, err = decodeStored(old); err != nil {
			return fx, err
		}
	}
	if a.condition != nil {
		met, err := a.condition.Eval(fx.oldItem)
		if err != nil {
			return fx, err
		}
		if !met {
			return fx, conditionFailed(a.failedImage(old))
		}
	}
	switch a.kind {
	case actionPut:
		fx.new, fx.newItem = a.stored, a.item
	case actionUpdate:
		return fx, a.evaluateUpdate(&fx)
	case actionCheck:
		fx.new, fx.newItem = old, fx.oldItem
	case actionDelete:
	}
	return fx, nil
}

func (a *action) failedImage(old *storage.Item) []byte {
	if !a.returnFailed || old == nil {
		return nil
	}
	return old.Image
}

func (a *action) evaluateUpdate(fx *effect) error {
	switch {
	case fx.old != nil && a.update != nil:
		item, err := a.update.Apply(fx.oldItem)
		if err != nil {
			return err
		}
		fx.newItem = item
	case fx.old != nil:
		fx.newItem = fx.oldItem
	case a.update != nil:
		item, err := a.update.ApplyNew(a.key)
		if err != nil || len(item) == 0 {
			return err // removing attributes creates no item
		}
		maps.Copy(item, a.key)
		fx.newItem = item
	default:
		fx.newItem = a.key
	}
	if a.update != nil && updateSize(a.update, fx.newItem) > value.MaxItemSize {
		return invalid("Item size to update has exceeded the maximum allowed size")
	}
	if _, legacy := a.update.(attributeUpdates); legacy {
		written := make(value.Item)
		for _, name := range a.update.Attributes() {
			if v, ok := fx.newItem[name]; ok {
				written[name] = v
			}
		}
		if err := a.schema.checkIndexKeys(written, nil); err != nil {
			return err
		}
	} else if a.update != nil {
		if err := checkUpdated(a.schema, fx.newItem, a.update.Attributes()); err != nil {
			return err
		}
	}
	fx.new = newStored(fx.newItem)
	return nil
}

// updateSize returns what an update counts towards the limit of 400 KB: the
// attributes that it writes, as they are afterwards, and its overhead. The key
// and unchanged attributes do not count.
//
// https://github.com/nubo-db/dynoxide/issues/187 and
// https://github.com/nubo-db/dynoxide/issues/210 have measured it.
func updateSize(u updater, item value.Item) int {
	size := u.Overhead()
	for _, name := range u.Attributes() {
		if v, ok := item[name]; ok {
			size += len(name) + value.Size(v)
		}
	}
	return size
}

// checkUpdated validates the attributes that an update has written.
func checkUpdated(s *Schema, item value.Item, written []string) error {
	for _, name := range written {
		if v, ok := item[name]; ok && value.Depth(v) > value.MaxDepth {
			return invalid("Nesting Levels have exceeded supported limits")
		}
	}
	if len(s.Indexes) == 0 && len(s.vectors) == 0 {
		return nil
	}
	return s.checkIndexKeys(item, written)
}

// commit stores the result of evaluate, updates the indexes, counts the
// capacity and calls the hook. The caller holds the lock of the partition.
func (e *Engine) commit(p *storage.Partition, a *action, fx *effect) {
	fx.meter.addTable(writeCost(fx.size()))
	if a.kind == actionCheck {
		return
	}
	switch {
	case fx.new != nil:
		p.Put(a.storeKey, fx.new)
	case fx.old != nil:
		p.Delete(a.storeKey)
	default:
		return
	}
	grown := sizeOf(fx.new) - sizeOf(fx.old)
	for _, x := range a.schema.Indexes {
		if x.isDeleting() {
			continue
		}
		delta := a.reindex(x, fx)
		if x.Local {
			grown += delta
		}
	}
	if a.table.collections != nil {
		a.table.collections.add(a.schema.Key.collectionKey(a.key), grown)
	}
	now := e.clock.Now()
	if h := a.table.history.Load(); h != nil {
		h.add(now, a, fx)
	}
	if e.hooks.Commit != nil {
		e.hooks.Commit(&Change{
			Table: a.table, Schema: a.schema, Time: now, Reason: a.reason,
			Key: a.key, Old: fx.old, New: fx.new,
		})
	}
}
