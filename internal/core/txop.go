// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/revision"
)

// Compose makes one operation of n; see ddb.TxCompose.
func Compose(verb string, failed func(cause error) error, invalid error, n int, op func(int) TxPart) TxFunc {
	return TxFunc(func(tx *Transaction) {
		before, at, failure := len(tx.errs), len(tx.actions), invalid
		for i := range n {
			f, ok := op(i).(TxFunc)
			if !ok {
				failure = errors.Join(failure, errors.New("TxCompose: an operation is nil, or an option"))
				continue
			}
			f(tx)
		}
		if failure != nil {
			c := &Table{Failed: failure}
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

func noOld(verb string, old any) error {
	if old != nil {
		return fmt.Errorf("%s: ReturnOld in a transaction; DynamoDB returns no items from transactions", verb)
	}
	return nil
}

// txOp is an operation of the table, or the error that refuses it.
func (c *Table) txOp(add func(*Transaction)) TxFunc {
	return TxFunc(func(tx *Transaction) {
		if err := c.Usable(); err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		add(tx)
	})
}

// TxDelete is the operation that deletes by the key that key points to.
//
//go:noinline
func (c *Table) TxDelete(key any, opts []any) TxFunc {
	return c.txOp(func(tx *Transaction) {
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

// TxDeleteItem is the operation that deletes an item, a *T, on condition that it has the item's version.
//
//go:noinline
func (c *Table) TxDeleteItem(item any, opts []any) TxFunc {
	return c.txOp(func(tx *Transaction) {
		w, err := writeOptions(opts)
		d, err := c.prepareDeleteItem(item, w, err)
		if err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		tx.add(c.deleteAction(tx, d, true), noOld("DeleteItem", w.old))
	})
}

// TxCheck is the operation that requires conditions of an item and writes nothing.
//
//go:noinline
func (c *Table) TxCheck(key any, conds []*handle.Condition) TxFunc {
	return c.txOp(func(tx *Transaction) {
		k, err := c.encodeKey(key)
		cond, err2 := GuardOf("TxCheck", conds).Parts()
		node := c.ofEntity(c.seenAsGone(cond))
		a := c.action("Check", c.KeyNames.ID(k), node, false)
		var w expr.Writer
		text := w.Render(node)
		a.write.ConditionCheck = &types.ConditionCheck{
			TableName: &c.Name, Key: k, ConditionExpression: &text,
			ExpressionAttributeNames: w.Names(), ExpressionAttributeValues: w.Values(),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		tx.add(a, err, err2)
	})
}

func (c *Table) action(verb, id string, cond expr.Node, needed bool) txAction {
	return txAction{
		core: c, verb: verb, id: id,
		failed: func(item map[string]types.AttributeValue, cause error) error {
			return c.conditionFailed(cond, needed, item, cause)
		},
	}
}

// TxPut is the operation of a put, create or replace of an item, a *T.
//
//go:noinline
func (c *Table) TxPut(v verb, item any, opts []any) TxFunc {
	return c.txOp(func(tx *Transaction) {
		w, err := writeOptions(opts)
		with, err2 := tx.mark(c)
		p, err := c.preparePut(new(itemBuffer), v, item, w, with, errors.Join(err, err2))
		if err != nil {
			tx.add(txAction{core: c}, err)
			return
		}
		err = c.overGone(p)
		a := c.action(v.String(), string(p.id), p.cond, v == VerbReplace)
		a.item, a.done, a.base = p.item, p.done, p.base
		var ew expr.Writer
		put := &types.Put{TableName: &c.Name}
		if text := ew.Render(c.ofEntity(p.cond)); text != "" {
			put.ConditionExpression = &text
			put.ExpressionAttributeNames, put.ExpressionAttributeValues = ew.Names(), ew.Values()
			put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		a.write.Put = put
		tx.add(a, err, noOld(v.String(), w.old))
	})
}

// TxUpdate is the operation of an Update (the item must be present) or an Upsert.
//
//go:noinline
func (c *Table) TxUpdate(verb string, key any, present bool, opts []any) TxFunc {
	return c.txOp(func(tx *Transaction) {
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
func (c *Table) updateAction(verb string, u *preparedUpdate, tag revision.Tag) txAction {
	a := c.action(verb, c.KeyNames.ID(u.key), u.cond, u.present)
	set := u.update
	if c.revision != nil {
		set = withActions(set, c.shiftRevision(tag))
	}
	if u.demanded != nil {
		a.base = *u.demanded
	}
	var w expr.Writer
	update := &types.Update{TableName: &c.Name, Key: u.key, UpdateExpression: aws.String(w.Update(set))}
	if text := w.Render(c.ofEntity(c.liveItem(u.cond))); text != "" {
		update.ConditionExpression = &text
		update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	update.ExpressionAttributeNames, update.ExpressionAttributeValues = w.Names(), w.Values()
	a.write.Update = update
	return a
}

func (c *Table) deleteAction(tx *Transaction, d *preparedDelete, needed bool) txAction {
	cond := expr.All(d.guard, d.extra)
	if d.demanded != nil && c.revision != nil {
		cond = expr.All(c.onState(stored{item: d.key, revision: *d.demanded}), cond)
	}
	a := c.action("Delete", c.KeyNames.ID(d.key), cond, needed)
	if d.demanded != nil {
		a.base = *d.demanded
	}
	var w expr.Writer
	text := w.Render(c.ofEntity(cond))
	if c.tombstones != nil && d.demanded != nil {
		with, _ := tx.mark(c)
		put := &types.Put{TableName: &c.Name, Item: c.tombstones.of(c, d.key, nextRevision(*d.demanded, with.tag), with.time)}
		put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = &text, w.Names(), w.Values()
		put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		a.write.Put = put
		return a
	}
	del := &types.Delete{TableName: &c.Name, Key: d.key}
	if text != "" {
		del.ConditionExpression = &text
		del.ExpressionAttributeNames, del.ExpressionAttributeValues = w.Names(), w.Values()
		del.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	a.write.Delete = del
	return a
}

func (a *txAction) explained(verb string, failed func(cause error) error) {
	if verb != "" {
		a.verb = verb
	}
	if plain := a.failed; plain != nil && failed != nil {
		a.failed = func(item map[string]types.AttributeValue, cause error) error { return failed(plain(item, cause)) }
	}
}
