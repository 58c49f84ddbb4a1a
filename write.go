package ddb

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// verb is what a write of a whole item demands of the stored one.
type verb uint8

const (
	verbPut     verb = iota // anything
	verbCreate              // absent
	verbReplace             // present
)

func (v verb) String() string { return [...]string{"Put", "Create", "Replace"}[v] }

// Put stores the item, in place of any item with its key.
//
// With [Version] it succeeds only if the stored version is the item's, or, for
// version zero, if there is no item; then the item's version is raised by one.
//
// When a reply is lost, a put without a condition is sent again, which changes nothing,
// unless another write came between: its item is then overwritten. Under a condition the
// stored item is read back (a read unit for each 4 KB) and decides: equal to ours, or with
// our [WriteToken], is success; a version that admits the put still lets it be sent again;
// another item of our version is a plain [*ConditionFailed]; what proves nothing, such as
// a later version by others, is [ErrOutcomeUnknown].
//
// It costs a write unit for each 1 KB of the larger of the old and the new item,
// rounded up, and as much on every index that holds it.
func (t *items[T, K]) Put(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.put(ctx, verbPut, item, opts)
}

// Create stores the item only if there is none with its key; otherwise it returns
// a [*ConditionFailed] that holds the present item. After a lost reply the stored
// item decides as for Put: a retry does not mistake its own item for another's. Where
// another item is stored, [Version] has to show whether it took the place of ours;
// without, the outcome is unknown. One that another call deleted meanwhile is made
// again. It costs what [Table.Put] costs.
func (t *items[T, K]) Create(ctx context.Context, item *T) error {
	return t.put(ctx, verbCreate, item, nil)
}

// Replace stores the item only if there is one with its key; otherwise it returns
// a [*ConditionFailed] that matches [ErrNotFound]. Lost replies are as for Put. It
// costs what [Table.Put] costs.
func (t *items[T, K]) Replace(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	return t.put(ctx, verbReplace, item, opts)
}

// DeleteItem removes the item. With [Version] it succeeds only if the stored
// version is the item's; when the reply of such a delete is lost and the item is gone,
// nothing tells whose delete it was: [ErrOutcomeUnknown]. It costs what [Table.Delete] costs.
func (t *items[T, K]) DeleteItem(ctx context.Context, item *T, opts ...WriteOption[T]) error {
	w, err := writeOptions(opts)
	if item == nil {
		return opError("DeleteItem", t.name, "", invalid(err, errors.New("the item is nil")))
	}
	key, err2 := t.keyOfItem(item)
	guard, err3 := t.versionGuard("DeleteItem", item)
	if err := invalid(err, err2, err3); err != nil {
		return opError("DeleteItem", t.name, "", err)
	}
	return t.sendDelete(ctx, key, w, guard, latestToken(t.core, item))
}

// put is Put, Create and Replace.
func (t *items[T, K]) put(ctx context.Context, v verb, item *T, opts []WriteOption[T]) error {
	buf := itemBuffers.Get().(*itemBuffer) //nolint:forcetypeassert // the pool holds nothing else
	defer buf.release()
	p, err := t.preparePut(buf, v, item, opts)
	if err != nil {
		return opError("PutItem", t.name, "", err)
	}
	in := &dynamodb.PutItemInput{TableName: &t.name, ReturnConsumedCapacity: t.consumed(ctx)}
	if p.cond != nil {
		var w expr.Writer
		in.ConditionExpression = aws.String(w.Render(p.cond))
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	old := oldRows[T](t.core, p.call.old)
	if old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	a := attempt{
		core: t.core, key: func() (map[string]types.AttributeValue, error) { return t.wireKey(p.item) }, repeat: true,
		send: func(o wire.Options) error {
			rctx, q := t.begin(ctx, shape{op: "PutItem", write: true, verb: v.String(), id: p.id, item: p.item, cond: p.cond})
			if len(q.hooks) > 0 {
				buf.b = nil // a hook may keep the call, and the item with it
			}
			if q.refused != nil {
				return q.refused
			}
			out, err := wire.PutItem(rctx, t.client, in, p.item, q.options(o), old)
			var cc *types.ConsumedCapacity
			if out != nil {
				cc = out.ConsumedCapacity
			}
			t.wrote(rctx, &q, "PutItem", out != nil, cc, err)
			return err
		},
	}
	if p.cond != nil || p.token != "" {
		a.refused = t.refusal(ctx, "PutItem", p.cond, v == verbReplace)
		a.judge = t.judgePut(p.item, p.token, v, v == verbCreate || t.version != nil && versionOf(t.core, item).IsZero())
	}
	if old != nil {
		a.lost = func(map[string]types.AttributeValue) error { return ErrReplyLost }
	}
	err = a.do(ctx)
	if err == nil || errors.Is(err, ErrReplyLost) {
		p.done()
		t.warnSize(p.item)
	}
	return opError("PutItem", t.name, "", err)
}

// prepared is a put that is encoded and checked, ready to be sent alone or in a transaction.
type prepared[T any] struct {
	call writeCall[T]
	cond expr.Node
	id   []byte // of the item's key
	item []byte
	// token is the item's new write token, if the table has one.
	token string
	done  func() // gives the caller's item its new version and stamps
}

// preparePut encodes into buf, in which the results stay.
func (t *items[T, K]) preparePut(buf *itemBuffer, v verb, item *T, opts []WriteOption[T]) (prepared[T], error) {
	w, err := writeOptions(opts)
	if item == nil {
		return prepared[T]{}, invalid(err, errors.New("the item is nil"))
	}
	guard, err2 := t.putGuard(v, item)
	next, token, done := stamp(t.core, v, item)
	next, done, err5 := derive(t.core, item, next, done)
	data, err3 := codec.Append(buf.b[:0], t.plan, next)
	var (
		id   []byte
		err4 error
	)
	if err3 == nil {
		id, err4 = t.appendKeyID(data[len(data):], data)
		err4 = errors.Join(err4, checkItemSize(data))
	}
	buf.b = data
	var cond Cond[T]
	if guard != nil || len(w.conds) > 0 {
		cond = And(append([]Cond[T]{{node: guard}}, w.conds...)...)
	}
	if err := invalid(err, err2, err5, err3, err4, cond.err); err != nil {
		return prepared[T]{}, err
	}
	return prepared[T]{call: w, cond: cond.node, id: id, item: data, token: token, done: done}, nil
}

// itemBuffer is where a put is encoded; it serves many puts in turn.
type itemBuffer struct{ b []byte }

var itemBuffers = sync.Pool{New: func() any { return new(itemBuffer) }}

func (b *itemBuffer) release() {
	const most = 64 << 10 // larger ones are not worth keeping
	if cap(b.b) <= most {
		itemBuffers.Put(b)
	}
}

// putGuard is the precondition that the verb and the version give to a put.
func (t *items[T, K]) putGuard(v verb, item *T) (expr.Node, error) {
	switch {
	case v == verbCreate, v == verbPut && t.version != nil && versionOf(t.core, item).IsZero():
		return t.keyCall("attribute_not_exists"), nil
	case t.version != nil:
		return t.versionGuard(v.String(), item)
	case v == verbReplace:
		return t.keyCall("attribute_exists"), nil
	}
	return nil, nil
}

// keyCall is a condition on whether there is an item with the key.
func (c *core) keyCall(function string) expr.Node {
	return expr.Call{Name: function, Args: []expr.Node{expr.Attribute(c.key.partition[0].name)}}
}

// versionGuard is the condition that the stored version is the item's, nil on a
// table without versions.
func (t *items[T, K]) versionGuard(what string, item *T) (expr.Node, error) {
	if t.version == nil {
		return nil, nil
	}
	n := versionOf(t.core, item)
	if n.IsZero() {
		return nil, fmt.Errorf("%s of an item whose version attribute %s is zero, which means that it was never stored: read it first, or use Create", what, t.version.path)
	}
	return expr.Compare{Left: t.version.path, Op: "=", Right: expr.Value{AV: versionValue(n)}}, nil
}

func (t *items[T, K]) delete(ctx context.Context, key K, opts []WriteOption[T]) error {
	w, err := writeOptions(opts)
	k, err2 := t.encodeKey(key)
	if err := invalid(err, err2, t.needsVersion(w.conds)); err != nil {
		return opError("DeleteItem", t.name, "", err)
	}
	return t.sendDelete(ctx, k, w, nil, "")
}

// needsVersion refuses a delete by key that would not see a lost update.
func (t *items[T, K]) needsVersion(conds []Cond[T]) error {
	if t.version == nil || mentions(conds, t.version.path) {
		return nil
	}
	return fmt.Errorf("a Delete by key on a table with a version: add a condition on attribute %s, or use DeleteItem", t.version.path)
}

func (t *items[T, K]) sendDelete(ctx context.Context, key map[string]types.AttributeValue, w writeCall[T], guard expr.Node, token string) error {
	cond := And(append([]Cond[T]{{node: guard}}, w.conds...)...)
	in := &dynamodb.DeleteItemInput{TableName: &t.name, Key: key, ReturnConsumedCapacity: t.consumed(ctx)}
	var ew expr.Writer
	if text := ew.Render(cond.node); text != "" {
		in.ConditionExpression = &text
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = ew.Names(), ew.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	old := oldRows[T](t.core, w.old)
	if old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	a := attempt{
		core: t.core, key: given(key), repeat: true,
		send: func(o wire.Options) error {
			rctx, q := t.begin(ctx, shape{op: "DeleteItem", write: true, verb: "Delete", keyMap: key, cond: cond.node})
			if q.refused != nil {
				return q.refused
			}
			out, err := wire.DeleteItem(rctx, t.client, in, q.options(o), old)
			var cc *types.ConsumedCapacity
			if out != nil {
				cc = out.ConsumedCapacity
			}
			t.wrote(rctx, &q, "DeleteItem", out != nil, cc, err)
			return err
		},
		refused: t.refusal(ctx, "DeleteItem", cond.node, guard != nil),
	}
	if base, ok := t.guardedVersion(cond.node); ok {
		a.judge = t.judgeDelete(base, token)
	}
	if old != nil {
		a.lost = func(map[string]types.AttributeValue) error { return ErrReplyLost }
	}
	return opError("DeleteItem", t.name, "", a.do(ctx))
}

// Update changes the named attributes of an existing item and returns the item as
// it is afterwards:
//
//	o, err := orders.Update(ctx, orders.Key("c1", "o9"),
//		orderTotal.Add(5), orderTags.Insert("vip"), ddb.If(orderStatus.Eq("open")))
//
// A missing item is a [*ConditionFailed] that matches [ErrNotFound], never a new,
// partial item; [Table.Upsert] makes one. All changes are applied together.
// With [Version] the stored version is raised by one; add
// ddb.If(version.Eq(n)) to check it.
//
// When a reply is lost, an update that has the same effect twice (Set, SetIfMissing,
// Remove, set members) is sent again. One that counts (Add, Sub, Append, Prepend,
// list elements, and any on a table with [Version]) is not, for it might count twice:
//
//   - with a [WriteToken] that is found stored it is a success, else [ErrOutcomeUnknown];
//   - under ddb.If(version.Eq(n)) it is sent again while the version is n, for it can take
//     effect once only; with a token its outcome is then known in every case, until more
//     writes by others come between than tokens are kept;
//   - with [Change.Exact] it counts exactly once, at twice the price;
//   - [Change.AtLeastOnce] accepts that it may count twice.
//
// It costs a write unit for each 1 KB of the larger of the old and the new item,
// rounded up, and as much again on indexes that hold changed attributes.
func (t *items[T, K]) Update(ctx context.Context, key K, changes ...UpdateOption[T]) (T, error) {
	return t.update(ctx, key, true, changes)
}

// Upsert is [Table.Update] that makes the item where there is none, with its key
// and the changed attributes only. Lost replies are as for Update.
func (t *items[T, K]) Upsert(ctx context.Context, key K, changes ...UpdateOption[T]) (T, error) {
	return t.update(ctx, key, false, changes)
}

func (t *items[T, K]) update(ctx context.Context, key K, present bool, opts []UpdateOption[T]) (item T, err error) {
	u, err := t.prepareUpdate(key, present, opts)
	if err != nil {
		return item, opError("UpdateItem", t.name, "", err)
	}
	if u.exact {
		return t.updateExactly(ctx, u, present)
	}
	in := &dynamodb.UpdateItemInput{TableName: &t.name, Key: u.key, ReturnConsumedCapacity: t.consumed(ctx), ReturnValues: types.ReturnValueAllNew}
	var w expr.Writer
	in.UpdateExpression = aws.String(w.Update(u.update))
	if text := w.Render(u.cond); text != "" {
		in.ConditionExpression = &text
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
	dst := &item
	if u.call.old != nil {
		in.ReturnValues, dst = types.ReturnValueAllOld, u.call.old
	}
	rows := oldRows(t.core, dst)
	a := attempt{
		core: t.core, key: given(u.key), repeat: u.repeat,
		send: func(o wire.Options) error {
			rctx, q := t.begin(ctx, shape{op: "UpdateItem", write: true, verb: "Update", keyMap: u.key, cond: u.cond})
			if q.refused != nil {
				return q.refused
			}
			out, err := wire.UpdateItem(rctx, t.client, in, q.options(o), rows)
			var cc *types.ConsumedCapacity
			if out != nil {
				cc = out.ConsumedCapacity
			}
			t.wrote(rctx, &q, "UpdateItem", out != nil, cc, err)
			return err
		},
		refused: t.refusal(ctx, "UpdateItem", u.cond, present),
		lost: func(stored map[string]types.AttributeValue) error {
			if u.call.old != nil || len(stored) == 0 {
				return ErrReplyLost
			}
			var err error
			item, err = decodeMap[T](t.plan, stored)
			return err
		},
	}
	if u.token != "" || u.guarded {
		a.judge = t.judgeUpdate(u.token, u.base, u.guarded, u.repeat)
	}
	if err := a.do(ctx); err != nil {
		var zero T
		return zero, opError("UpdateItem", t.name, "", err)
	}
	return item, nil
}

type preparedUpdate[T any] struct {
	call   writeCall[T]
	key    map[string]types.AttributeValue
	update *expr.Update
	cond   expr.Node
	token  string
	// repeat: the update may be sent again when nobody knows whether it was applied.
	repeat bool
	// guarded: its condition demands the version base.
	guarded bool
	base    uint64
	exact   bool // a change demands a transaction
}

func (t *items[T, K]) prepareUpdate(key K, present bool, opts []UpdateOption[T]) (preparedUpdate[T], error) {
	var (
		w    writeCall[T]
		errs []error
	)
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		o.applyUpdate(&w)
	}
	k, err := t.encodeKey(key)
	update, err2 := updateOf(w.changes)
	errs = append(errs, err, err2)
	if len(w.changes) == 0 {
		errs = append(errs, errors.New("an update without changes"))
	}
	errs = append(errs, t.checkChanged(update))
	if len(t.derived) > 0 && err == nil && err2 == nil {
		errs = append(errs, deriveUpdate[T](t.core, k, update, present))
	}
	t.stampUpdate(update, present)
	token := t.stampToken(update)
	conds := w.conds
	if present {
		conds = append([]Cond[T]{{node: t.keyCall("attribute_exists")}}, conds...)
	}
	cond := And(conds...)
	if err := invalid(append(errs, cond.err)...); err != nil {
		return preparedUpdate[T]{}, err
	}
	u := preparedUpdate[T]{call: w, key: k, update: update, cond: cond.node, token: token, repeat: t.version == nil}
	for _, c := range w.changes {
		u.repeat = u.repeat && (!c.counts || c.again)
		u.exact = u.exact || c.exact
	}
	// A condition on the version admits the update once only.
	u.base, u.guarded = t.guardedVersion(cond.node)
	u.repeat = u.repeat || u.guarded
	return u, nil
}

func writeOptions[T any](opts []WriteOption[T]) (w writeCall[T], err error) {
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		o.applyWrite(&w)
	}
	for _, c := range w.conds {
		errs = append(errs, c.err)
	}
	return w, errors.Join(errs...)
}

// oldRows is where a returned item goes; nil (no interface value) for no destination.
func oldRows[T any](c *core, dst *T) wire.Rows {
	if dst == nil {
		return nil
	}
	var zero T
	*dst = zero
	return &oneRow[T]{plan: c.plan, dst: dst}
}

// refusal makes the error of a failed condition, which holds the item.
func (t *items[T, K]) refusal(ctx context.Context, op string, cond expr.Node, needed bool) func(error) error {
	return func(err error) error {
		// A failed condition is billed, but the error reply does not say how much.
		t.observe(ctx, op, true, nil)
		var item map[string]types.AttributeValue
		if ccf := conditionRefused(err); ccf != nil {
			item = ccf.Item
		}
		return conditionFailed[T](t.core, cond, needed, item, err)
	}
}

func conditionFailed[T any](c *core, cond expr.Node, needed bool, item map[string]types.AttributeValue, cause error) *ConditionFailed[T] {
	e := &ConditionFailed[T]{Condition: expr.Describe(cond), missing: len(item) == 0, needed: needed, cause: cause}
	if e.missing {
		return e
	}
	e.stale = c.version != nil && otherVersion(cond, c.version.path, item)
	current, err := decodeMap[T](c.plan, item)
	if err != nil {
		e.decodeErr = err
		return e
	}
	e.current = &current
	return e
}

func decodeMap[T any](plan *codec.Plan, item map[string]types.AttributeValue) (v T, err error) {
	data, err := codec.AppendItemMap(nil, item)
	if err != nil {
		return v, err
	}
	return v, codec.Decode(plan, data, &v)
}

func mentions[T any](conds []Cond[T], path expr.Path) bool {
	for _, c := range conds {
		for _, p := range expr.Paths(c.node) {
			if p.Overlaps(path) {
				return true
			}
		}
		if _, raw := c.node.(expr.Text); raw {
			return true
		}
	}
	return false
}
