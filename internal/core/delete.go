// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/revision"
)

// preparedDelete is a delete that is checked, ready to be sent alone or in a transaction.
type preparedDelete struct {
	key      map[string]types.AttributeValue // nil if wireKey is set
	wireKey  []byte
	guard    expr.Node          // the numeric version must be the item's
	extra    expr.Node          // the caller's conditions
	demanded *revision.Revision // the revision that the item must have, if it is known
	old      wire.Rows
	rejected func(error) error
}

// keyMap is the key in the SDK's form.
func (d *preparedDelete) keyMap() (map[string]types.AttributeValue, error) {
	if d.wireKey == nil {
		return d.key, nil
	}
	return codec.ParseItem(d.wireKey)
}

// DeleteItem deletes what item points to.
func (c *Table) DeleteItem(ctx context.Context, item any, opts []any) error {
	if err := c.Usable(); err != nil {
		return err
	}
	w, err := writeOptions(opts)
	d, err := c.prepareDeleteItem(item, w, err)
	if err != nil {
		return operr.New("DeleteItem", c.Name, "", err)
	}
	d.old = c.oldRows(w.old)
	d.rejected = c.refusal(c.deleteCondition(d), true)
	return c.ended(ctx, "DeleteItem", c.sendDelete(ctx, d))
}

// Delete deletes the item with the key that key points to.
func (c *Table) Delete(ctx context.Context, key any, opts []any) error {
	if err := c.Usable(); err != nil {
		return err
	}
	w, err := writeOptions(opts)
	wireKey, err2 := appendKey(c, make([]byte, 0, keyRoom), reflect.ValueOf(key).Elem())
	extra, _ := w.guard() // writeOptions has its error
	rest, demanded, err3 := c.takeRevision(extra)
	if err := operr.Invalid(err, err2, err3, c.needsVersion(w.conds), c.needsCondition("a Delete", extra)); err != nil {
		return operr.New("DeleteItem", c.Name, "", err)
	}
	d := &preparedDelete{extra: rest, demanded: demanded, old: c.oldRows(w.old)}
	if c.revision == nil {
		d.wireKey = wireKey
	} else if d.key, err = codec.ParseItem(wireKey); err != nil {
		return operr.New("DeleteItem", c.Name, "", err)
	}
	if c.revision != nil || extra != nil || c.entityGuard() != nil {
		d.rejected = c.refusal(c.deleteCondition(d), demanded != nil)
	}
	return c.ended(ctx, "DeleteItem", c.sendDelete(ctx, d))
}

// needsVersion refuses a delete by key that would not see a lost update.
func (c *Table) needsVersion(conds []*handle.Condition) error {
	if c.version == nil || c.revision != nil || mentions(conds, c.version.Path()) {
		return nil
	}
	return fmt.Errorf("a Delete by key on a table with a version: add a condition on attribute %s, or use DeleteItem", c.version.Path())
}

// deleteCondition is the whole condition, for error texts.
func (c *Table) deleteCondition(d *preparedDelete) expr.Node {
	if d.demanded == nil || c.revision == nil {
		return expr.All(d.guard, d.extra)
	}
	return expr.All(c.newestTag(*d.demanded), d.guard, d.extra)
}

func (c *Table) prepareDeleteItem(item any, w writeCall, err error) (*preparedDelete, error) {
	pointer := reflect.ValueOf(item)
	if pointer.IsNil() {
		return nil, operr.Invalid(err, errors.New("the item is nil"))
	}
	key, err2 := keyOfItem(c, pointer.Elem())
	d := &preparedDelete{key: key}
	v := pointer.Elem()
	if c.revision != nil {
		r := revisionIn(c, v)
		d.demanded = &r
	}
	if c.version != nil {
		d.guard = versionGuard(c, v)
		if versionIn(c, v).IsZero() {
			d.guard = expr.All(c.keyCall("attribute_exists"), d.guard)
		}
	}
	extra, err3 := w.guard()
	d.extra = extra
	return d, operr.Invalid(err, err2, err3, c.needsCondition("a DeleteItem", d.extra))
}

// sendDelete sends a delete until its outcome is known.
func (c *Table) sendDelete(ctx context.Context, d *preparedDelete) error {
	if c.revision == nil {
		cond := expr.All(d.guard, d.extra)
		w := plainWrite{
			core: c, key: d.keyMap, repeat: cond == nil, rejected: d.rejected, replyLost: lostReply(d.old != nil),
			send: func(o wire.Options) error { return c.deleteOnce(ctx, d, cond, o) },
		}
		return w.do(ctx)
	}
	w := provenWrite{
		core: c, key: given(d.key), rejected: d.rejected,
		send: func(ctx context.Context, base stored, t revision.Tag, o wire.Options) error {
			cond := expr.All(c.onState(base), d.guard, d.extra)
			if c.tombstones != nil && base.exists() {
				return c.buryOnce(ctx, d, cond, nextRevision(base.revision, t), o)
			}
			return c.deleteOnce(ctx, d, cond, o)
		},
		again: func(stored) bool { return true },
	}
	switch {
	case d.demanded == nil && d.extra == nil: // it is gone already
		w.gone = func() error { return nil }
	case d.demanded != nil && (c.tombstones == nil || !isShort(*d.demanded)):
		w.base = &stored{item: d.key, revision: *d.demanded}
	}
	if d.demanded != nil {
		w.again = func(now stored) bool { return w.base == nil && now.revision.Same(*d.demanded) }
	}
	if d.old != nil {
		w.lost = func(map[string]types.AttributeValue) error { return ddberr.ErrReplyLost }
	}
	return w.do(ctx)
}

// onState is the condition that the item is in the state.
func (c *Table) onState(base stored) expr.Node {
	switch {
	case !base.revision.IsZero():
		return c.newestTag(base.revision)
	case len(base.item) == 0:
		return c.keyCall("attribute_not_exists")
	}
	return expr.All(c.keyCall("attribute_exists"), c.noRevision())
}

// deleteOnce sends one DeleteItem.
func (c *Table) deleteOnce(ctx context.Context, d *preparedDelete, cond expr.Node, o wire.Options) error {
	in := &dynamodb.DeleteItemInput{TableName: &c.Name, Key: d.key}
	if cond = c.ofEntity(cond); cond != nil {
		var w expr.Writer
		in.ConditionExpression = aws.String(w.Render(cond))
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	if d.old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	info := requestInfo{op: "DeleteItem", write: true, verb: "Delete", key: d.wireKey, keyMap: d.key, cond: cond}
	_, err := c.send(ctx, &info, o, func(ctx context.Context, o outgoing) (replyInfo, error) {
		in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics = o.capacity, o.metrics
		out, err := wire.DeleteItem(ctx, c.Client, in, d.wireKey, o.options, d.old)
		if out == nil {
			return replyInfo{}, err
		}
		return replyToWrite(out.ConsumedCapacity, out.ItemCollectionMetrics), err
	})
	return err
}
