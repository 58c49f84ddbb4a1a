package ddb

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

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
	d, err := t.prepareDeleteItem(item, w, err)
	if err != nil {
		return opError("DeleteItem", t.name, "", err)
	}
	d.old = oldRows[T](t.core, w.old)
	d.refused = t.refusal(ctx, "DeleteItem", t.deleteCondition(d), true)
	return opError("DeleteItem", t.name, "", t.sendDelete(ctx, d))
}

// put is Put, Create and Replace.
func (t *items[T, K]) put(ctx context.Context, v verb, item *T, opts []WriteOption[T]) error {
	buf := itemBuffers.Get().(*itemBuffer) //nolint:forcetypeassert // the pool holds nothing else
	defer buf.release()
	w, err := writeOptions(opts)
	p, err := t.preparePut(buf, v, item, w, t.newMark(), err)
	if err != nil {
		return opError("PutItem", t.name, "", err)
	}
	p.old = t.live(oldRows[T](t.core, w.old))
	if p.cond != nil {
		p.refused = t.refusal(ctx, "PutItem", p.cond, v == verbReplace)
	}
	err = t.sendPut(ctx, buf, p)
	if err == nil || errors.Is(err, ErrReplyLost) {
		p.done()
		t.warnSize(p.item)
	}
	return opError("PutItem", t.name, "", err)
}

// preparedPut is a put that is encoded and checked, ready to be sent alone or in a transaction.
type preparedPut struct {
	verb  verb
	guard expr.Node // what the verb and the version demand; the revision comes to it when it is sent
	extra expr.Node // what the caller demands
	cond  expr.Node // both, for error texts
	id    []byte    // of the item's key
	item  []byte
	// base is the item's revision, from which it was encoded with that of next.
	base, next Revision
	setNext    func(Revision) // changes the revision that done will give
	done       func()         // gives the caller's item its new version and stamps
	old        wire.Rows
	refused    func(error) error
}

// preparePut encodes into buf, in which the results stay. err is what is wrong with the options.
func (t *items[T, K]) preparePut(buf *itemBuffer, v verb, item *T, w writeCall[T], with mark, err error) (*preparedPut, error) {
	if item == nil {
		return nil, invalid(err, errors.New("the item is nil"))
	}
	p := &preparedPut{verb: v}
	var errs []error
	errs = append(errs, err)
	current := reflect.ValueOf(item).Elem()
	if t.revision != nil && v != verbCreate {
		p.base = t.revisionIn(current)
	}
	guard, err := t.putGuard(v, current)
	errs = append(errs, err)
	next, st, err := stamp(t.core, v, item, p.base, with)
	errs = append(errs, err)
	p.next, p.setNext = st.revision, st.setRevision
	next, done, err := derive(t.core, item, next, st.done)
	errs = append(errs, err)
	p.done = done
	data, err := codec.Append(buf.b[:0], t.plan, next)
	errs = append(errs, err)
	if err == nil {
		p.id, err = t.appendKeyID(data[len(data):], data)
		errs = append(errs, err, checkItemSize(data))
	}
	buf.b, p.item = data, data
	extra := And(w.conds...)
	errs = append(errs, extra.err)
	if err := invalid(errs...); err != nil {
		return nil, err
	}
	p.guard, p.extra = guard, extra.node
	p.cond = expr.All(t.putCondition(p, stored{revision: p.base}), p.extra)
	return p, nil
}

// putCondition is the precondition of a put that is prepared on a state.
func (c *core) putCondition(p *preparedPut, base stored) expr.Node {
	if c.revision == nil {
		return p.guard
	}
	switch {
	case !base.revision.IsZero():
		return expr.All(c.newestTag(base.revision), p.guard)
	case p.verb == verbCreate:
		return c.keyCall("attribute_not_exists")
	case p.verb == verbReplace:
		return expr.All(c.keyCall("attribute_exists"), c.noRevision(), p.guard)
	}
	return expr.All(c.noRevision(), p.guard)
}

// noRevision is the condition that nothing is stored, or an item from before the table had revisions.
func (c *core) noRevision() expr.Node {
	return expr.Call{Name: "attribute_not_exists", Args: []expr.Node{c.revision.path}}
}

// sendPut sends a put until its outcome is known.
func (c *core) sendPut(ctx context.Context, buf *itemBuffer, p *preparedPut) error {
	key := func() (map[string]types.AttributeValue, error) { return c.wireKey(p.item) }
	if c.revision == nil {
		w := plainWrite{
			core: c, key: key, repeat: p.cond == nil, refused: p.refused, replyLost: lostReply(p.old != nil),
			send: func(o wire.Options) error { return c.putOnce(ctx, buf, p, p.cond, o) },
		}
		return w.do(ctx)
	}
	base := &stored{revision: p.base}
	if p.base.short() {
		base = nil // the tags before the newest are read
	}
	w := provenWrite{
		core: c, key: key, base: base, refused: p.refused,
		send: func(ctx context.Context, base stored, t Tag, o wire.Options) error {
			next := base.revision.next(t)
			item, err := c.replaceRevision(p.item, p.next, next)
			if err != nil {
				return err
			}
			p.item, p.next, buf.b = item, next, item
			p.setNext(next)
			return c.putOnce(ctx, buf, p, expr.All(c.putCondition(p, base), p.extra), o)
		},
		again: func(now stored) bool {
			if p.base.IsZero() && p.verb != verbReplace {
				return now.tombstone || len(now.item) == 0 // a guess, which only a tombstone proves wrong in a way that can be repaired
			}
			return now.revision.Same(p.base) // it was read to complete the tags
		},
	}
	if p.old != nil {
		w.lost = func(map[string]types.AttributeValue) error { return ErrReplyLost }
	}
	return w.do(ctx)
}

// putOnce sends one PutItem.
func (c *core) putOnce(ctx context.Context, buf *itemBuffer, p *preparedPut, cond expr.Node, o wire.Options) error {
	in := &dynamodb.PutItemInput{TableName: &c.name, ReturnConsumedCapacity: c.consumed(ctx)}
	if cond != nil {
		var w expr.Writer
		in.ConditionExpression = aws.String(w.Render(cond))
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	if p.old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	rctx, q := c.begin(ctx, shape{op: "PutItem", write: true, verb: p.verb.String(), id: p.id, item: p.item, cond: cond})
	if len(q.hooks) > 0 {
		buf.b = nil // a hook may keep the call, and the item with it
	}
	if q.refused != nil {
		return q.refused
	}
	out, err := wire.PutItem(rctx, c.client, in, p.item, q.options(o), p.old)
	var cc *types.ConsumedCapacity
	if out != nil {
		cc = out.ConsumedCapacity
	}
	c.wrote(rctx, &q, "PutItem", out != nil, cc, err)
	return err
}

// lostReply is what a write returns whose reply was to give an item, and is lost.
func lostReply(wanted bool) func() error {
	if !wanted {
		return nil
	}
	return func() error { return ErrReplyLost }
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

// putGuard is the precondition that the verb and the numeric version give to a put of the item.
func (c *core) putGuard(v verb, item reflect.Value) (expr.Node, error) {
	switch {
	case c.revision != nil && c.version == nil:
		return nil, nil
	case v == verbCreate:
		return c.keyCall("attribute_not_exists"), nil
	case c.version != nil:
		guard := c.versionGuard(item)
		if v == verbReplace && c.versionIn(item).IsZero() {
			guard = expr.All(c.keyCall("attribute_exists"), guard)
		}
		return guard, nil
	case v == verbReplace:
		return c.keyCall("attribute_exists"), nil
	}
	return nil, nil
}

// keyCall is a condition on whether there is an item with the key.
func (c *core) keyCall(function string) expr.Node {
	return expr.Call{Name: function, Args: []expr.Node{expr.Attribute(c.key.partition[0].name)}}
}

func (t *items[T, K]) delete(ctx context.Context, key K, opts []WriteOption[T]) error {
	w, err := writeOptions(opts)
	k, err2 := t.encodeKey(key)
	extra := And(w.conds...)
	rest, demanded, err3 := t.takeRevision(extra.node)
	if err := invalid(err, err2, err3, t.needsVersion(w.conds)); err != nil {
		return opError("DeleteItem", t.name, "", err)
	}
	d := &preparedDelete{key: k, extra: rest, demanded: demanded, old: oldRows[T](t.core, w.old)}
	d.refused = t.refusal(ctx, "DeleteItem", t.deleteCondition(d), demanded != nil)
	return opError("DeleteItem", t.name, "", t.sendDelete(ctx, d))
}

// needsVersion refuses a delete by key that would not see a lost update.
func (t *items[T, K]) needsVersion(conds []Cond[T]) error {
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

func (t *items[T, K]) prepareDeleteItem(item *T, w writeCall[T], err error) (*preparedDelete, error) {
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
	extra := And(w.conds...)
	d.extra = extra.node
	return d, invalid(err, err2, extra.err)
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
	in := &dynamodb.DeleteItemInput{TableName: &c.name, Key: d.key, ReturnConsumedCapacity: c.consumed(ctx)}
	var w expr.Writer
	if text := w.Render(cond); text != "" {
		in.ConditionExpression = &text
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	if d.old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	rctx, q := c.begin(ctx, shape{op: "DeleteItem", write: true, verb: "Delete", keyMap: d.key, cond: cond})
	if q.refused != nil {
		return q.refused
	}
	out, err := wire.DeleteItem(rctx, c.client, in, q.options(o), d.old)
	var cc *types.ConsumedCapacity
	if out != nil {
		cc = out.ConsumedCapacity
	}
	c.wrote(rctx, &q, "DeleteItem", out != nil, cc, err)
	return err
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
	call, err := updateOptions(opts)
	u, err := t.prepareUpdate(key, present, call, t.now(), err)
	if err != nil {
		return item, opError("UpdateItem", t.name, "", err)
	}
	if u.exact && t.revision == nil { // a revision makes every update exact
		return t.updateExactly(ctx, u, call.old)
	}
	row := &oneRow[T]{plan: t.plan, dst: &item, core: t.core, key: u.wireKey}
	if u.old = call.old != nil; u.old {
		row.dst = call.old
	}
	u.rows, u.arrived = t.live(row), func() error {
		if !row.seen && (!u.old || present) {
			return errNoAttributes
		}
		return nil
	}
	u.refused = t.refusal(ctx, "UpdateItem", u.cond, present)
	u.lost = func(now map[string]types.AttributeValue) error {
		if u.old || len(now) == 0 || t.isTombstone(now) {
			return ErrReplyLost
		}
		var err error
		item, err = decodeMap[T](t.plan, now)
		return err
	}
	if err := t.sendUpdate(ctx, u); err != nil {
		var zero T
		return zero, opError("UpdateItem", t.name, "", err)
	}
	return item, nil
}

// preparedUpdate is an update that is checked, ready to be sent alone or in a transaction.
type preparedUpdate struct {
	key      map[string]types.AttributeValue
	wireKey  []byte
	present  bool // there must be an item
	update   *expr.Update
	extra    expr.Node // what the caller demands, but for the revision
	cond     expr.Node // all that is demanded, but for tombstones
	demanded *Revision // that the item must have, if the caller knows it
	repeat   bool      // applied twice it has the effect of once, or the caller accepts that it has not
	blind    bool      // on a table with revisions, the caller accepts that it may be applied twice
	exact    bool      // a change demands a transaction

	old     bool // the reply is the item as it was before
	rows    wire.Rows
	arrived func() error // whether the reply held the item
	refused func(error) error
	lost    func(map[string]types.AttributeValue) error
}

func updateOptions[T any](opts []UpdateOption[T]) (w writeCall[T], err error) {
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		o.applyUpdate(&w)
	}
	if len(w.changes) == 0 {
		errs = append(errs, errors.New("an update without changes"))
	}
	return w, errors.Join(errs...)
}

// prepareUpdate checks an update. err is what is wrong with its options.
func (t *items[T, K]) prepareUpdate(key K, present bool, w writeCall[T], now time.Time, err error) (*preparedUpdate, error) {
	wireKey, err1 := t.appendKey(nil, &key)
	var k map[string]types.AttributeValue
	if err1 == nil {
		k, err1 = codec.ParseItem(wireKey)
	}
	update, err2 := updateOf(w.changes)
	errs := []error{err, err1, err2, t.checkChanged(update)}
	if len(t.derived) > 0 && err1 == nil && err2 == nil {
		errs = append(errs, deriveUpdate[T](t.core, k, update, present))
	}
	u := &preparedUpdate{key: k, wireKey: wireKey, present: present, update: update, repeat: t.version == nil, blind: true}
	for _, c := range w.changes {
		u.repeat = u.repeat && (!c.counts || c.again)
		u.blind = u.blind && c.again
		u.exact = u.exact || c.exact
	}
	extra := And(w.conds...)
	rest, demanded, err3 := t.takeRevision(extra.node)
	u.extra, u.demanded = expr.All(rest, t.stampUpdate(update, present, now)), demanded
	u.repeat = u.repeat && u.extra == nil
	u.blind = u.blind && u.extra == nil && demanded == nil && present
	u.cond = u.extra
	switch {
	case demanded != nil:
		u.cond = expr.All(t.newestTag(*demanded), u.extra)
	case present:
		u.cond = expr.All(t.keyCall("attribute_exists"), u.extra)
	}
	return u, invalid(append(errs, extra.err, err3)...)
}

// sendUpdate sends an update until its outcome is known.
func (c *core) sendUpdate(ctx context.Context, u *preparedUpdate) error {
	if c.revision == nil || u.blind {
		update := u.update
		if c.revision != nil {
			update = withActions(update, c.shiftRevision(newTag()))
		}
		w := plainWrite{
			core: c, key: given(u.key), repeat: u.repeat || u.blind, refused: u.refused,
			send: func(o wire.Options) error { return c.updateOnce(ctx, u, update, c.liveItem(u.cond), o) },
			replyLost: func() error {
				item, err := c.readBack(ctx, given(u.key))
				if err != nil {
					return fmt.Errorf("%w; reading it back failed: %w", ErrReplyLost, err)
				}
				return u.lost(item)
			},
		}
		return w.do(ctx)
	}
	w := provenWrite{
		core: c, key: given(u.key), refused: u.refused, lost: u.lost,
		send: func(ctx context.Context, base stored, t Tag, o wire.Options) error {
			revise := c.setRevision(base.revision.next(t))
			if base.revision.short() {
				revise = c.shiftRevision(t)
			}
			update := withActions(u.update, revise)
			if base.tombstone {
				update.Remove = append(slices.Clip(update.Remove), c.tombstones.unmark()...)
			}
			return c.updateOnce(ctx, u, update, expr.All(c.onState(base), u.extra), o)
		},
		again: func(now stored) bool { return now.exists() || !u.present },
	}
	if u.demanded != nil {
		w.base = &stored{item: u.key, revision: *u.demanded}
		w.again = func(stored) bool { return false }
	}
	return w.do(ctx)
}

// withActions is an update with more SET actions.
func withActions(u *expr.Update, set []expr.Action) *expr.Update {
	more := *u
	more.Set = append(slices.Clip(more.Set), set...)
	return &more
}

// updateOnce sends one UpdateItem.
func (c *core) updateOnce(ctx context.Context, u *preparedUpdate, update *expr.Update, cond expr.Node, o wire.Options) error {
	in := &dynamodb.UpdateItemInput{TableName: &c.name, Key: u.key, ReturnConsumedCapacity: c.consumed(ctx), ReturnValues: types.ReturnValueAllNew}
	if u.old {
		in.ReturnValues = types.ReturnValueAllOld
	}
	var w expr.Writer
	in.UpdateExpression = aws.String(w.Update(update))
	if text := w.Render(cond); text != "" {
		in.ConditionExpression = &text
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
	rctx, q := c.begin(ctx, shape{op: "UpdateItem", write: true, verb: "Update", keyMap: u.key, cond: cond})
	if q.refused != nil {
		return q.refused
	}
	out, err := wire.UpdateItem(rctx, c.client, in, q.options(o), u.rows)
	var cc *types.ConsumedCapacity
	if out != nil {
		cc = out.ConsumedCapacity
	}
	if err == nil {
		err = u.arrived()
	}
	c.wrote(rctx, &q, "UpdateItem", out != nil, cc, err)
	return err
}

// errNoAttributes is a reply that lacks the item. DynamoDB always sends it, so the reply comes from something else on the way.
var errNoAttributes = errors.New("the reply lacks the item that was asked for, so it does not answer this request; look for a proxy between client and service")

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
	if c.isTombstone(item) {
		item = nil
	}
	e := &ConditionFailed[T]{Condition: expr.Describe(cond), missing: len(item) == 0, needed: needed, cause: cause}
	if e.missing {
		return e
	}
	e.stale = c.isStale(cond, item)
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
