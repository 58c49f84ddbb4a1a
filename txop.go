package ddb

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
)

// TxPut is [Table.Put] in a transaction.
func (t *items[T, K]) TxPut(item *T, opts ...WriteOption[T]) TxOp {
	return t.txPut(verbPut, item, opts)
}

// TxCreate is [Table.Create] in a transaction.
func (t *items[T, K]) TxCreate(item *T) TxOp { return t.txPut(verbCreate, item, nil) }

// TxReplace is [Table.Replace] in a transaction.
func (t *items[T, K]) TxReplace(item *T, opts ...WriteOption[T]) TxOp {
	return t.txPut(verbReplace, item, opts)
}

// TxUpdate is [Table.Update] in a transaction; it returns no item.
func (t *items[T, K]) TxUpdate(key K, changes ...UpdateOption[T]) TxOp {
	return t.txUpdate("Update", key, true, changes)
}

// TxUpsert is [Table.Upsert] in a transaction; it returns no item.
func (t *items[T, K]) TxUpsert(key K, changes ...UpdateOption[T]) TxOp {
	return t.txUpdate("Upsert", key, false, changes)
}

// TxDelete is [Table.Delete] in a transaction.
func (t *items[T, K]) TxDelete(key K, opts ...WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		if err := t.usable(); err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		w, err := writeOptions(opts)
		k, err2 := t.encodeKey(key)
		extra, _ := w.guard() // writeOptions has its error
		rest, demanded, err3 := t.takeRevision(extra)
		if t.revision != nil && demanded == nil {
			err3 = errors.Join(err3, fmt.Errorf("a Delete by key on a table with a revision: demand it by a condition on attribute %s, or use TxDeleteItem", t.revision.path))
		}
		d := &preparedDelete{key: k, extra: rest, demanded: demanded}
		tx.add(t.deleteAction(tx, d, false), err, err2, err3, t.needsVersion(w.conds), noOld("Delete", oldOf[T](w)))
	})
}

// TxDeleteItem is [Table.DeleteItem] in a transaction.
func (t *items[T, K]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		if err := t.usable(); err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		w, err := writeOptions(opts)
		d, err := t.prepareDeleteItem(item, w, err)
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		tx.add(t.deleteAction(tx, d, true), noOld("DeleteItem", oldOf[T](w)))
	})
}

// TxCheck makes a transaction depend on an item that it does not write. As in [If] there must be a condition, and each must be one.
func (t *items[T, K]) TxCheck(key K, conds ...Cond[T]) TxOp {
	return txFunc(func(tx *transaction) {
		if err := t.usable(); err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		k, err := t.encodeKey(key)
		cond := guardOf("TxCheck", untyped(conds))
		node := t.seenAsGone(cond.node)
		a := t.action("Check", t.keyNames.ID(k), node, false)
		var w expr.Writer
		text := w.Render(node)
		a.write.ConditionCheck = &types.ConditionCheck{
			TableName: &t.name, Key: k, ConditionExpression: &text,
			ExpressionAttributeNames: w.Names(), ExpressionAttributeValues: w.Values(),
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
		tx.add(a, err, cond.err)
	})
}

func (t *items[T, K]) action(verb, id string, cond expr.Node, needed bool) txAction {
	return txAction{
		core: t.core, verb: verb, id: id,
		failed: func(item map[string]types.AttributeValue, cause error) error {
			return conditionFailed[T](t.core, cond, needed, item, cause)
		},
	}
}

func (t *items[T, K]) txPut(v verb, item *T, opts []WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		if err := t.usable(); err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		w, err := writeOptions(opts)
		with, err2 := tx.mark(t.core)
		p, err := t.preparePut(new(itemBuffer), v, item, w, with, errors.Join(err, err2))
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		if t.tombstones != nil && p.base.IsZero() {
			err = t.overTombstone(p)
		}
		a := t.action(v.String(), string(p.id), p.cond, v == verbReplace)
		a.item, a.done, a.base = p.item, p.done, p.base
		var ew expr.Writer
		put := &types.Put{TableName: &t.name}
		if text := ew.Render(p.cond); text != "" {
			put.ConditionExpression = &text
			put.ExpressionAttributeNames, put.ExpressionAttributeValues = ew.Names(), ew.Values()
			put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		a.write.Put = put
		tx.add(a, err, noOld(v.String(), oldOf[T](w)))
	})
}

func (t *items[T, K]) txUpdate(verb string, key K, present bool, opts []UpdateOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		if err := t.usable(); err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		w, err := updateOptions(opts)
		with, err2 := tx.mark(t.core)
		u, err := t.prepareUpdate(key, present, w, with.time, errors.Join(err, err2))
		if err == nil && t.revision != nil && !present && u.demanded == nil {
			err = fmt.Errorf("an Upsert in a transaction on a table with a revision cannot read what is stored: use TxCreate or TxUpdate, or demand the revision by a condition on attribute %s", t.revision.path)
		}
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		tx.add(t.updateAction(verb, u, with.tag), noOld(verb, oldOf[T](w)))
	})
}

// updateAction is an update in a transaction. On a table with revisions it records its tag on whatever is stored.
func (t *items[T, K]) updateAction(verb string, u *preparedUpdate, tag Tag) txAction {
	a := t.action(verb, t.keyNames.ID(u.key), u.cond, u.present)
	set := u.update
	if t.revision != nil {
		set = withActions(set, t.shiftRevision(tag))
	}
	if u.demanded != nil {
		a.base = *u.demanded
	}
	var w expr.Writer
	update := &types.Update{TableName: &t.name, Key: u.key, UpdateExpression: aws.String(w.Update(set))}
	if text := w.Render(t.liveItem(u.cond)); text != "" {
		update.ConditionExpression = &text
		update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	update.ExpressionAttributeNames, update.ExpressionAttributeValues = w.Names(), w.Values()
	a.write.Update = update
	return a
}

func (t *items[T, K]) deleteAction(tx *transaction, d *preparedDelete, needed bool) txAction {
	cond := expr.All(d.guard, d.extra)
	if d.demanded != nil && t.revision != nil {
		cond = expr.All(t.onState(stored{item: d.key, revision: *d.demanded}), cond)
	}
	a := t.action("Delete", t.keyNames.ID(d.key), cond, needed)
	if d.demanded != nil {
		a.base = *d.demanded
	}
	var w expr.Writer
	text := w.Render(cond)
	if t.tombstones != nil && d.demanded != nil {
		with, _ := tx.mark(t.core)
		put := &types.Put{TableName: &t.name, Item: t.tombstones.of(t.core, d.key, d.demanded.next(with.tag), with.time)}
		put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = &text, w.Names(), w.Values()
		put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		a.write.Put = put
		return a
	}
	del := &types.Delete{TableName: &t.name, Key: d.key}
	if text != "" {
		del.ConditionExpression = &text
		del.ExpressionAttributeNames, del.ExpressionAttributeValues = w.Names(), w.Values()
		del.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	a.write.Delete = del
	return a
}

func noOld[T any](verb string, old *T) error {
	if old != nil {
		return fmt.Errorf("%s: ReturnOld in a transaction; DynamoDB returns no items from transactions", verb)
	}
	return nil
}
