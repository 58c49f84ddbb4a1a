// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/revision"
)

// TxPut is [Table.Put] in a transaction.
func (t *Table[T, PK, SK]) TxPut(item *T, opts ...WriteOption[T]) TxOp {
	return t.part().txPut(verbPut, item, writesOf(opts))
}

// TxPut is [SimpleTable.Put] in a transaction.
func (t *SimpleTable[T, PK]) TxPut(item *T, opts ...WriteOption[T]) TxOp {
	return t.part().txPut(verbPut, item, writesOf(opts))
}

// TxCreate is [Table.Create] in a transaction.
func (t *Table[T, PK, SK]) TxCreate(item *T) TxOp {
	return t.part().txPut(verbCreate, item, nil)
}

// TxCreate is [SimpleTable.Create] in a transaction.
func (t *SimpleTable[T, PK]) TxCreate(item *T) TxOp {
	return t.part().txPut(verbCreate, item, nil)
}

// TxReplace is [Table.Replace] in a transaction.
func (t *Table[T, PK, SK]) TxReplace(item *T, opts ...WriteOption[T]) TxOp {
	return t.part().txPut(verbReplace, item, writesOf(opts))
}

// TxReplace is [SimpleTable.Replace] in a transaction.
func (t *SimpleTable[T, PK]) TxReplace(item *T, opts ...WriteOption[T]) TxOp {
	return t.part().txPut(verbReplace, item, writesOf(opts))
}

// TxUpdate is [Table.Update] in a transaction; it returns no item.
func (t *Table[T, PK, SK]) TxUpdate(key Key[PK, SK], changes ...UpdateOption[T]) TxOp {
	return t.part().txUpdate("Update", &key, true, updatesOf(changes))
}

// TxUpdate is [SimpleTable.Update] in a transaction; it returns no item.
func (t *SimpleTable[T, PK]) TxUpdate(key PK, changes ...UpdateOption[T]) TxOp {
	return t.part().txUpdate("Update", &key, true, updatesOf(changes))
}

// TxUpsert is [Table.Upsert] in a transaction; it returns no item.
func (t *Table[T, PK, SK]) TxUpsert(key Key[PK, SK], changes ...UpdateOption[T]) TxOp {
	return t.part().txUpdate("Upsert", &key, false, updatesOf(changes))
}

// TxUpsert is [SimpleTable.Upsert] in a transaction; it returns no item.
func (t *SimpleTable[T, PK]) TxUpsert(key PK, changes ...UpdateOption[T]) TxOp {
	return t.part().txUpdate("Upsert", &key, false, updatesOf(changes))
}

// TxDelete is [Table.Delete] in a transaction.
func (t *Table[T, PK, SK]) TxDelete(key Key[PK, SK], opts ...WriteOption[T]) TxOp {
	return t.part().txDelete(&key, writesOf(opts))
}

// TxDelete is [SimpleTable.Delete] in a transaction.
func (t *SimpleTable[T, PK]) TxDelete(key PK, opts ...WriteOption[T]) TxOp {
	return t.part().txDelete(&key, writesOf(opts))
}

// TxDeleteItem is [Table.DeleteItem] in a transaction.
func (t *Table[T, PK, SK]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return t.part().txDeleteItem(item, writesOf(opts))
}

// TxDeleteItem is [SimpleTable.DeleteItem] in a transaction.
func (t *SimpleTable[T, PK]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return t.part().txDeleteItem(item, writesOf(opts))
}

// TxCheck makes a transaction depend on an item that it does not write. As for [If], there must be at least one condition,
// and none may be zero.
func (t *Table[T, PK, SK]) TxCheck(key Key[PK, SK], conds ...Cond[T]) TxOp {
	return t.part().txCheck(&key, untyped(conds))
}

// TxCheck makes a transaction depend on an item that it does not write; see [Table.TxCheck].
func (t *SimpleTable[T, PK]) TxCheck(key PK, conds ...Cond[T]) TxOp {
	return t.part().txCheck(&key, untyped(conds))
}

// The functions behind the operations are not inlined, since their closures would then be compiled again for each item type.

// txOp is an operation of the table, or the error that refuses it.
func (c *core) txOp(add func(*transaction)) txFunc {
	return txFunc(func(tx *transaction) {
		if err := c.usable(); err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		add(tx)
	})
}

//go:noinline
func (c *core) txDelete(key any, opts []any) txFunc {
	return c.txOp(func(tx *transaction) {
		w, err := writeOptions(opts)
		k, err2 := c.encodeKey(key)
		extra, _ := w.guard() // writeOptions has its error
		rest, demanded, err3 := c.takeRevision(extra)
		if c.revision != nil && demanded == nil {
			err3 = errors.Join(err3, fmt.Errorf("a Delete by key on a table with a revision: require it by a condition on attribute %s, or use TxDeleteItem", c.revision.Path()))
		}
		d := &preparedDelete{key: k, extra: rest, demanded: demanded}
		tx.add(c.deleteAction(tx, d, false), err, err2, err3, c.needsVersion(w.conds), c.needsCondition("a Delete", extra), noOld("Delete", w.old))
	})
}

//go:noinline
func (c *core) txDeleteItem(item any, opts []any) txFunc {
	return c.txOp(func(tx *transaction) {
		w, err := writeOptions(opts)
		d, err := c.prepareDeleteItem(item, w, err)
		if err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		tx.add(c.deleteAction(tx, d, true), noOld("DeleteItem", w.old))
	})
}

//go:noinline
func (c *core) txCheck(key any, conds []*handle.Condition) txFunc {
	return c.txOp(func(tx *transaction) {
		k, err := c.encodeKey(key)
		cond, err2 := guardOf("TxCheck", conds).Parts()
		node := c.ofEntity(c.seenAsGone(cond))
		a := c.action("Check", c.keyNames.ID(k), node, false)
		var w expr.Writer
		text := w.Render(node)
		a.write.ConditionCheck = &types.ConditionCheck{
			TableName: &c.name, Key: k, ConditionExpression: &text,
			ExpressionAttributeNames: w.Names(), ExpressionAttributeValues: w.Values(),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		tx.add(a, err, err2)
	})
}

func (c *core) action(verb, id string, cond expr.Node, needed bool) txAction {
	return txAction{
		core: c, verb: verb, id: id,
		failed: func(item map[string]types.AttributeValue, cause error) error {
			return c.conditionFailed(cond, needed, item, cause)
		},
	}
}

//go:noinline
func (c *core) txPut(v verb, item any, opts []any) txFunc {
	return c.txOp(func(tx *transaction) {
		w, err := writeOptions(opts)
		with, err2 := tx.mark(c)
		p, err := c.preparePut(new(itemBuffer), v, item, w, with, errors.Join(err, err2))
		if err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		err = c.overGone(p)
		a := c.action(v.String(), string(p.id), p.cond, v == verbReplace)
		a.item, a.done, a.base = p.item, p.done, p.base
		var ew expr.Writer
		put := &types.Put{TableName: &c.name}
		if text := ew.Render(c.ofEntity(p.cond)); text != "" {
			put.ConditionExpression = &text
			put.ExpressionAttributeNames, put.ExpressionAttributeValues = ew.Names(), ew.Values()
			put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		a.write.Put = put
		tx.add(a, err, noOld(v.String(), w.old))
	})
}

//go:noinline
func (c *core) txUpdate(verb string, key any, present bool, opts []any) txFunc {
	return c.txOp(func(tx *transaction) {
		w, err := updateOptions(opts)
		with, err2 := tx.mark(c)
		u, err := c.prepareUpdate(key, present, w, with.time, errors.Join(err, err2))
		if err == nil && c.revision != nil && !present && u.demanded == nil {
			err = fmt.Errorf("an Upsert in a transaction on a table with a revision cannot read what is stored: use TxCreate or TxUpdate, or require the revision by a condition on attribute %s", c.revision.Path())
		}
		if err == nil && u.parents {
			err = errors.New("WithParents in a transaction, which cannot be tried twice: Set the whole map, or create it by an Update first")
		}
		if err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		tx.add(c.updateAction(verb, u, with.tag), noOld(verb, w.old))
	})
}

// updateAction is an update in a transaction. On a table with revisions it records its tag in whatever is stored.
func (c *core) updateAction(verb string, u *preparedUpdate, tag revision.Tag) txAction {
	a := c.action(verb, c.keyNames.ID(u.key), u.cond, u.present)
	set := u.update
	if c.revision != nil {
		set = withActions(set, c.shiftRevision(tag))
	}
	if u.demanded != nil {
		a.base = *u.demanded
	}
	var w expr.Writer
	update := &types.Update{TableName: &c.name, Key: u.key, UpdateExpression: aws.String(w.Update(set))}
	if text := w.Render(c.ofEntity(c.liveItem(u.cond))); text != "" {
		update.ConditionExpression = &text
		update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	update.ExpressionAttributeNames, update.ExpressionAttributeValues = w.Names(), w.Values()
	a.write.Update = update
	return a
}

func (c *core) deleteAction(tx *transaction, d *preparedDelete, needed bool) txAction {
	cond := expr.All(d.guard, d.extra)
	if d.demanded != nil && c.revision != nil {
		cond = expr.All(c.onState(stored{item: d.key, revision: *d.demanded}), cond)
	}
	a := c.action("Delete", c.keyNames.ID(d.key), cond, needed)
	if d.demanded != nil {
		a.base = *d.demanded
	}
	var w expr.Writer
	text := w.Render(c.ofEntity(cond))
	if c.tombstones != nil && d.demanded != nil {
		with, _ := tx.mark(c)
		put := &types.Put{TableName: &c.name, Item: c.tombstones.of(c, d.key, nextRevision(*d.demanded, with.tag), with.time)}
		put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = &text, w.Names(), w.Values()
		put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		a.write.Put = put
		return a
	}
	del := &types.Delete{TableName: &c.name, Key: d.key}
	if text != "" {
		del.ConditionExpression = &text
		del.ExpressionAttributeNames, del.ExpressionAttributeValues = w.Names(), w.Values()
		del.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	a.write.Delete = del
	return a
}

// TxCompose makes one operation of several, for packages that build on this one: it has one place in a [TransactionError], and counts as all of
// them in the limit of a transaction. verb is its name there; with an empty one each keeps its own. failed, unless it is nil, makes what the caller
// gets of a failed condition, a [*ConditionFailed]. invalid, unless it is nil, is why the operation cannot be: [Transact] returns it instead of sending
// anything. Options, such as [Token], are no operations. Without operations it adds nothing.
func TxCompose(verb string, failed func(cause error) error, invalid error, ops ...TxOp) TxOp {
	return composed(verb, failed, invalid, len(ops), func(i int) txPart { return ops[i] })
}

// composed makes one operation of n; see [TxCompose].
func composed(verb string, failed func(cause error) error, invalid error, n int, op func(int) txPart) txFunc {
	return txFunc(func(tx *transaction) {
		before, at, failure := len(tx.errs), len(tx.actions), invalid
		for i := range n {
			f, ok := op(i).(txFunc)
			if !ok {
				failure = errors.Join(failure, errors.New("TxCompose: an operation is nil, or an option"))
				continue
			}
			f(tx)
		}
		if failure != nil {
			c := &core{failed: failure}
			if len(tx.actions) > at {
				c = tx.actions[at].core // for its name
			}
			tx.errs, tx.actions = tx.errs[:before], tx.actions[:at]
			tx.add(txAction{core: c}, failure)
			return
		}
		for i := at; i < len(tx.actions); i++ {
			tx.actions[i].explained(verb, failed)
		}
	})
}

func (a *txAction) explained(verb string, failed func(cause error) error) {
	if verb != "" {
		a.verb = verb
	}
	if plain := a.failed; plain != nil && failed != nil {
		a.failed = func(item map[string]types.AttributeValue, cause error) error { return failed(plain(item, cause)) }
	}
}

func noOld(verb string, old any) error {
	if old != nil {
		return fmt.Errorf("%s: ReturnOld in a transaction; DynamoDB returns no items from transactions", verb)
	}
	return nil
}
