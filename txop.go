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
		w, err := writeOptions(opts)
		k, err2 := t.encodeKey(key)
		tx.add(t.deleteAction(k, w, nil), err, err2, t.needsVersion(w.conds), noOld("Delete", w.old))
	})
}

// TxDeleteItem is [Table.DeleteItem] in a transaction.
func (t *items[T, K]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		w, err := writeOptions(opts)
		if item == nil {
			tx.add(txAction{core: t.core}, err, errors.New("the item is nil"))
			return
		}
		key, err2 := t.keyOfItem(item)
		guard, err3 := t.versionGuard("DeleteItem", item)
		tx.add(t.deleteAction(key, w, guard), err, err2, err3, noOld("DeleteItem", w.old))
	})
}

// TxCheck makes a transaction depend on an item that it does not write.
func (t *items[T, K]) TxCheck(key K, conds ...Cond[T]) TxOp {
	return txFunc(func(tx *transaction) {
		k, err := t.encodeKey(key)
		cond := And(conds...)
		if cond.err == nil && cond.node == nil {
			err = errors.Join(err, errors.New("a check without a condition"))
		}
		a := t.action("Check", t.keyID(k), cond.node, false)
		var w expr.Writer
		text := w.Render(cond.node)
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
		p, err := t.preparePut(new(itemBuffer), v, item, opts)
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		a := t.action(v.String(), string(p.id), p.cond, v == verbReplace)
		a.item, a.done = p.item, p.done
		var w expr.Writer
		put := &types.Put{TableName: &t.name}
		if text := w.Render(p.cond); text != "" {
			put.ConditionExpression = &text
			put.ExpressionAttributeNames, put.ExpressionAttributeValues = w.Names(), w.Values()
			put.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
		}
		a.write.Put = put
		tx.add(a, noOld(v.String(), p.call.old))
	})
}

func (t *items[T, K]) txUpdate(verb string, key K, present bool, opts []UpdateOption[T]) TxOp {
	return txFunc(func(tx *transaction) {
		u, err := t.prepareUpdate(key, present, opts)
		if err != nil {
			tx.add(txAction{core: t.core}, err)
			return
		}
		tx.add(t.updateAction(verb, u, present), noOld(verb, u.call.old))
	})
}

func (t *items[T, K]) updateAction(verb string, u preparedUpdate[T], present bool) txAction {
	a := t.action(verb, t.keyID(u.key), u.cond, present)
	var w expr.Writer
	update := &types.Update{TableName: &t.name, Key: u.key, UpdateExpression: aws.String(w.Update(u.update))}
	if text := w.Render(u.cond); text != "" {
		update.ConditionExpression = &text
		update.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	update.ExpressionAttributeNames, update.ExpressionAttributeValues = w.Names(), w.Values()
	a.write.Update = update
	return a
}

func (t *items[T, K]) deleteAction(key map[string]types.AttributeValue, w writeCall[T], guard expr.Node) txAction {
	cond := And(append([]Cond[T]{{node: guard}}, w.conds...)...)
	a := t.action("Delete", t.keyID(key), cond.node, guard != nil)
	var ew expr.Writer
	del := &types.Delete{TableName: &t.name, Key: key}
	if text := ew.Render(cond.node); text != "" {
		del.ConditionExpression = &text
		del.ExpressionAttributeNames, del.ExpressionAttributeValues = ew.Names(), ew.Values()
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
