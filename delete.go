package ddb

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// DeleteItem removes the item. With [Version] it succeeds only if the stored item is what was read. When its reply is
// lost and the item is gone, only [Tombstones] tell whose delete it was; otherwise it is [ErrOutcomeUnknown]. It costs what [Table.Delete] costs.
func (t *items[T, K]) DeleteItem(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	if err := t.usable(); err != nil {
		return err
	}
	w, err := writeOptions(opts)
	d, err := t.prepareDeleteItem(item, w, err)
	if err != nil {
		return opError("DeleteItem", t.name, "", err)
	}
	d.old = oldRows(t.core, oldOf[T](w))
	d.refused = t.refusal(t.deleteCondition(d), true)
	return opError("DeleteItem", t.name, "", t.sendDelete(ctx, d))
}

func (t *items[T, K]) delete(ctx context.Context, key K, opts []WriteOption[T]) error {
	if err := t.usable(); err != nil {
		return err
	}
	w, err := writeOptions(opts)
	k, err2 := t.encodeKey(key)
	extra, _ := w.guard() // writeOptions has its error
	rest, demanded, err3 := t.takeRevision(extra)
	if err := invalid(err, err2, err3, t.needsVersion(w.conds)); err != nil {
		return opError("DeleteItem", t.name, "", err)
	}
	d := &preparedDelete{key: k, extra: rest, demanded: demanded, old: oldRows(t.core, oldOf[T](w))}
	d.refused = t.refusal(t.deleteCondition(d), demanded != nil)
	return opError("DeleteItem", t.name, "", t.sendDelete(ctx, d))
}

// needsVersion refuses a delete by key that would not see a lost update.
func (t *items[T, K]) needsVersion(conds []*condition) error {
	if t.version == nil || t.revision != nil || mentions(conds, t.version.path) {
		return nil
	}
	return fmt.Errorf("a Delete by key on a table with a version: add a condition on attribute %s, or use DeleteItem", t.version.path)
}

// preparedDelete is a delete that is checked, ready to be sent alone or in a transaction.
type preparedDelete struct {
	key      map[string]types.AttributeValue
	guard    expr.Node // that the numeric version is the item's
	extra    expr.Node // what the caller demands
	demanded *Revision // that the item must have, if it is known
	old      wire.Rows
	refused  func(error) error
}

// deleteCondition is the whole condition, for error texts.
func (c *core) deleteCondition(d *preparedDelete) expr.Node {
	if d.demanded == nil || c.revision == nil {
		return expr.All(d.guard, d.extra)
	}
	return expr.All(c.newestTag(*d.demanded), d.guard, d.extra)
}

func (t *items[T, K]) prepareDeleteItem(item *T, w writeCall, err error) (*preparedDelete, error) {
	if item == nil {
		return nil, invalid(err, errors.New("the item is nil"))
	}
	key, err2 := t.keyOfItem(item)
	d := &preparedDelete{key: key}
	v := reflect.ValueOf(item).Elem()
	if t.revision != nil {
		r := t.revisionIn(v)
		d.demanded = &r
	}
	if t.version != nil {
		d.guard = t.versionGuard(v)
		if t.versionIn(v).IsZero() {
			d.guard = expr.All(t.keyCall("attribute_exists"), d.guard)
		}
	}
	extra, err3 := w.guard()
	d.extra = extra
	return d, invalid(err, err2, err3)
}

// sendDelete sends a delete until its outcome is known.
func (c *core) sendDelete(ctx context.Context, d *preparedDelete) error {
	if c.revision == nil {
		cond := expr.All(d.guard, d.extra)
		w := plainWrite{
			core: c, key: given(d.key), repeat: cond == nil, refused: d.refused, replyLost: lostReply(d.old != nil),
			send: func(o wire.Options) error { return c.deleteOnce(ctx, d, cond, o) },
		}
		return w.do(ctx)
	}
	w := provenWrite{
		core: c, key: given(d.key), refused: d.refused,
		send: func(ctx context.Context, base stored, t Tag, o wire.Options) error {
			cond := expr.All(c.onState(base), d.guard, d.extra)
			if c.tombstones != nil && base.exists() {
				return c.buryOnce(ctx, d, cond, base.revision.next(t), o)
			}
			return c.deleteOnce(ctx, d, cond, o)
		},
		again: func(stored) bool { return true },
	}
	switch {
	case d.demanded == nil && d.extra == nil: // what is gone need not be deleted
		w.gone = func() error { return nil }
	case d.demanded != nil && (c.tombstones == nil || !d.demanded.short()):
		w.base = &stored{item: d.key, revision: *d.demanded}
	}
	if d.demanded != nil {
		w.again = func(now stored) bool { return w.base == nil && now.revision.Same(*d.demanded) }
	}
	if d.old != nil {
		w.lost = func(map[string]types.AttributeValue) error { return ErrReplyLost }
	}
	return w.do(ctx)
}

// onState is the condition that the item is in the state.
func (c *core) onState(base stored) expr.Node {
	switch {
	case !base.revision.IsZero():
		return c.newestTag(base.revision)
	case len(base.item) == 0:
		return c.keyCall("attribute_not_exists")
	}
	return expr.All(c.keyCall("attribute_exists"), c.noRevision())
}

// deleteOnce sends one DeleteItem.
func (c *core) deleteOnce(ctx context.Context, d *preparedDelete, cond expr.Node, o wire.Options) error {
	in := &dynamodb.DeleteItemInput{TableName: &c.name, Key: d.key}
	var w expr.Writer
	if text := w.Render(cond); text != "" {
		in.ConditionExpression = &text
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	if d.old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	info := requestInfo{op: "DeleteItem", write: true, verb: "Delete", keyMap: d.key, cond: cond}
	_, err := c.send(ctx, &info, o, func(ctx context.Context, o outgoing) (replyInfo, error) {
		in.ReturnConsumedCapacity = o.capacity
		out, err := wire.DeleteItem(ctx, c.client, in, o.options, d.old)
		if out == nil {
			return replyInfo{}, err
		}
		return replyToWrite(out.ConsumedCapacity), err
	})
	return err
}
