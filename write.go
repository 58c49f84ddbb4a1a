package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
)

// Update changes the named attributes of an existing item and returns the item as
// it is afterwards:
//
//	o, err := orders.Update(ctx, orders.Key("c1", "o9"),
//		orderTotal.Add(5), orderTags.Insert("vip"), ddb.If(orderStatus.Eq("open")))
//
// A missing item is a [*ConditionFailed] that matches [ErrNotFound], never a new,
// partial item; [Table.Upsert] makes one. All changes are applied together.
//
// On a table with a [Revision] the item is read first, consistently, and the update applies only to what was read; it starts again if
// another write comes between. ddb.If(revision.Eq(r)) demands a revision and saves the read. When a reply is lost, the
// stored item proves what happened; see [Version].
//
// On other tables an update that has the same effect twice (Set, SetIfMissing, Remove, set members) and has no
// condition is sent again after a lost reply. One that counts (Add, Sub, Append, Prepend, list elements), is under a condition, or raises an integer
// version is not, and ends in [ErrOutcomeUnknown]: [ChangeOf.Exact] counts exactly once, at twice the price, and
// [ChangeOf.AtLeastOnce] accepts that it may count twice.
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
	if err := t.usable(); err != nil {
		return item, err
	}
	call, err := updateOptions(opts)
	old := oldOf[T](call)
	u, err := t.prepareUpdate(key, present, call, t.now(), err)
	if err != nil {
		return item, opError("UpdateItem", t.name, "", err)
	}
	if u.exact && t.revision == nil { // a revision makes every update exact
		return t.updateExactly(ctx, u, old)
	}
	row := &oneRow[T]{plan: t.plan, dst: &item, core: t.core, key: u.wireKey}
	if u.old = old != nil; u.old {
		row.dst = old
	}
	u.rows, u.arrived = t.live(row), func() error {
		if !row.seen && (!u.old || present) {
			return errNoAttributes
		}
		return nil
	}
	u.refused = t.refusal(u.cond, present)
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

func updateOptions[T any](opts []UpdateOption[T]) (w writeCall, err error) {
	list := make([]any, len(opts))
	for i, o := range opts {
		if o != nil {
			list[i] = o.ChangeOrIf(nil)
		}
	}
	err = w.take(list)
	if len(w.changes) == 0 {
		err = errors.Join(err, errors.New("an update without changes"))
	}
	return w, err
}

// prepareUpdate checks an update. err is what is wrong with its options.
func (t *items[T, K]) prepareUpdate(key K, present bool, w writeCall, now time.Time, err error) (*preparedUpdate, error) {
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
	extra, err4 := w.guard()
	rest, demanded, err3 := t.takeRevision(extra)
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
	return u, invalid(append(errs, err4, err3)...)
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
	in := &dynamodb.UpdateItemInput{TableName: &c.name, Key: u.key, ReturnValues: types.ReturnValueAllNew}
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
	info := requestInfo{op: "UpdateItem", write: true, verb: "Update", keyMap: u.key, cond: cond}
	_, err := c.send(ctx, &info, o, func(ctx context.Context, o outgoing) (replyInfo, error) {
		in.ReturnConsumedCapacity = o.capacity
		out, err := wire.UpdateItem(ctx, c.client, in, o.options, u.rows)
		if err == nil {
			err = u.arrived()
		}
		if out == nil {
			return replyInfo{}, err
		}
		return replyToWrite(out.ConsumedCapacity), err
	})
	return err
}

// errNoAttributes is a reply that lacks the item. DynamoDB always sends it, so the reply comes from something else on the way.
var errNoAttributes = errors.New("the reply lacks the item that was asked for, so it does not answer this request; look for a proxy between client and service")

func writeOptions[T any](opts []WriteOption[T]) (w writeCall, err error) {
	list := make([]any, len(opts))
	for i, o := range opts {
		if o != nil {
			list[i] = o.IfOrReturnOld(nil)
		}
	}
	err = w.take(list)
	_, wrong := w.guard()
	return w, errors.Join(err, wrong)
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
func (t *items[T, K]) refusal(cond expr.Node, needed bool) func(error) error {
	return func(err error) error {
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

func mentions(conds []*condition, path expr.Path) bool {
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
