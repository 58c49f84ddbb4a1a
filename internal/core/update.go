// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

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

// preparedUpdate is an update that is checked, ready to be sent alone or in a transaction.
type preparedUpdate struct {
	key      map[string]types.AttributeValue
	wireKey  []byte
	present  bool // there must be an item
	update   *expr.Update
	extra    expr.Node          // the caller's conditions, without the revision
	cond     expr.Node          // all conditions, without those for tombstones
	demanded *revision.Revision // the revision that the item must have, if the caller requires one
	repeat   bool               // it may be applied twice: the effect is the same, or the caller accepts it
	blind    bool               // on a table with revisions, the caller accepts that it may be applied twice
	exact    bool               // a change requires a transaction
	parents  bool               // a change creates the maps that it is in

	old      bool // the reply is the item as it was before
	rows     wire.Rows
	arrived  func() error // whether the reply held the item
	rejected func(error) error
	lost     func(map[string]types.AttributeValue) error
}

// updateOptions collects the options of an update.
func updateOptions(options []any) (w writeCall, err error) {
	err = w.take(options)
	if len(w.changes) == 0 {
		err = errors.Join(err, errors.New("an update without changes"))
	}
	return w, err
}

// withActions returns an update with more SET actions.
func withActions(u *expr.Update, set []expr.Action) *expr.Update {
	more := *u
	more.Set = append(slices.Clip(more.Set), set...)
	return &more
}

// Update changes the item with the key that key points to, and reads the result into item, a *T. With present (ddb.Table.Update) there must be
// an item; without (Upsert) one is created.
func (c *Table) Update(ctx context.Context, key, item any, present bool, opts []any) error {
	if err := c.Usable(); err != nil {
		return err
	}
	call, err := updateOptions(opts)
	u, err := c.prepareUpdate(key, present, call, c.now(), err)
	if err != nil {
		return operr.New("UpdateItem", c.Name, "", err)
	}
	to := reflect.ValueOf(item).Elem()
	if u.exact && c.revision == nil { // a revision makes every update exact
		return updateExactly(ctx, c, u, to, call.old)
	}
	row := &oneRow{plan: c.Plan, dst: item, core: c, key: u.wireKey, of: c}
	if u.old = call.old != nil; u.old {
		row.dst = call.old
	}
	u.rows, u.arrived = c.live(row, false), func() error {
		if !row.seen && (!u.old || present) {
			return errNoAttributes
		}
		return nil
	}
	u.rejected = c.refusal(u.cond, present)
	u.lost = func(now map[string]types.AttributeValue) error {
		if u.old || len(now) == 0 || c.isTombstone(now) {
			return ddberr.ErrReplyLost
		}
		return decodeOwnMap(c, now, to)
	}
	if err := c.sendUpdate(ctx, u); err != nil {
		to.SetZero()
		return c.ended(ctx, "UpdateItem", err)
	}
	if u.old {
		to.Set(reflect.ValueOf(row.dst).Elem())
	}
	return nil
}

// prepareUpdate checks an update. err is the error of its options.
func (c *Table) prepareUpdate(key any, present bool, w writeCall, now time.Time, err error) (*preparedUpdate, error) {
	wireKey, err1 := appendKey(c, nil, reflect.ValueOf(key).Elem())
	var k map[string]types.AttributeValue
	if err1 == nil {
		k, err1 = codec.ParseItem(wireKey)
	}
	update, err2 := updateOf(w.changes)
	extra, err4 := w.guard()
	errs := []error{err, err1, err2, c.checkChanged(update), c.needsCondition("an update", extra)}
	if len(c.derived) > 0 && err1 == nil && err2 == nil {
		errs = append(errs, c.deriveUpdate(k, update, extra, present))
	}
	if err2 == nil {
		errs = append(errs, c.checkVectorUpdate(update)) // with what is derived
	}
	u := &preparedUpdate{key: k, wireKey: wireKey, present: present, update: update, repeat: c.version == nil, blind: true}
	for _, ch := range w.changes {
		if ch == nil {
			continue // which updateOf has refused
		}
		u.repeat = u.repeat && (!ch.Counts || ch.Again)
		u.blind = u.blind && ch.Again
		u.exact = u.exact || ch.Exact
		u.parents = u.parents || ch.Parents
	}
	if u.exact && u.parents {
		errs = append(errs, errors.New("WithParents together with Exact, whose transaction cannot be tried twice; give the table a Revision, which makes every update exact"))
	}
	rest, demanded, err3 := c.takeRevision(extra)
	u.extra, u.demanded = expr.All(rest, c.stampUpdate(update, present, now)), demanded
	u.repeat = u.repeat && u.extra == nil
	u.blind = u.blind && u.extra == nil && demanded == nil && present
	u.cond = u.extra
	switch {
	case demanded != nil:
		u.cond = expr.All(c.newestTag(*demanded), u.extra)
	case present:
		u.cond = expr.All(c.keyCall("attribute_exists"), u.extra)
	}
	if err2 == nil {
		errs = append(errs, update.Check())
	}
	return u, operr.Invalid(append(errs, err4, err3, expr.Check(u.cond))...)
}

// updateOf combines changes into one update expression. It reports every mistake: invalid changes, and overlapping paths,
// which DynamoDB would refuse.
func updateOf(changes []*handle.Change) (*expr.Update, error) {
	var (
		u    expr.Update
		errs []error
	)
	for i, c := range changes {
		if c.Err != nil {
			errs = append(errs, c.Err)
			continue
		}
		for _, before := range changes[:i] {
			if before.Action.Path != nil && before.Action.Path.Overlaps(c.Action.Path) {
				twice := fmt.Errorf("attribute %s is changed twice in one update", c.Action.Path)
				if a, b := c.Action.Path.String(), before.Action.Path.String(); a != b {
					twice = fmt.Errorf("attributes %s and %s overlap, and are changed in one update", b, a)
				}
				errs = append(errs, twice)
				break
			}
		}
		switch c.Clause {
		case expr.ClauseSet:
			u.Set = append(u.Set, c.Action)
		case expr.ClauseRemove:
			u.Remove = append(u.Remove, c.Action)
		case expr.ClauseAdd:
			u.Add = append(u.Add, c.Action)
		case expr.ClauseDelete:
			u.Delete = append(u.Delete, c.Action)
		}
	}
	return &u, errors.Join(errs...)
}

// sendUpdate sends an update until its outcome is known.
func (c *Table) sendUpdate(ctx context.Context, u *preparedUpdate) error {
	if u.parents {
		return c.makeParents(ctx, u)
	}
	if c.revision == nil || u.blind {
		update := u.update
		if c.revision != nil {
			update = withActions(update, c.shiftRevision(newTag()))
		}
		w := plainWrite{
			core: c, key: given(u.key), repeat: u.repeat || u.blind, rejected: u.rejected,
			send: func(o wire.Options) error { return c.updateOnce(ctx, u, update, c.liveItem(u.cond), o) },
			replyLost: func() error {
				item, err := c.readBack(ctx, given(u.key))
				if err != nil {
					return fmt.Errorf("%w; reading it back failed: %w", ddberr.ErrReplyLost, err)
				}
				return u.lost(item)
			},
		}
		return w.do(ctx)
	}
	w := provenWrite{
		core: c, key: given(u.key), rejected: u.rejected, lost: u.lost,
		send: func(ctx context.Context, base stored, t revision.Tag, o wire.Options) error {
			revise := c.setRevision(nextRevision(base.revision, t))
			if isShort(base.revision) {
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

// updateOnce sends one UpdateItem.
func (c *Table) updateOnce(ctx context.Context, u *preparedUpdate, update *expr.Update, cond expr.Node, o wire.Options) error {
	in := &dynamodb.UpdateItemInput{TableName: &c.Name, Key: u.key, ReturnValues: types.ReturnValueAllNew}
	if u.old {
		in.ReturnValues = types.ReturnValueAllOld
	}
	var w expr.Writer
	in.UpdateExpression = aws.String(w.Update(update))
	cond = c.ofEntity(cond)
	if text := w.Render(cond); text != "" {
		in.ConditionExpression = &text
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
	info := requestInfo{op: "UpdateItem", write: true, verb: "Update", keyMap: u.key, cond: cond}
	_, err := c.send(ctx, &info, o, func(ctx context.Context, o outgoing) (replyInfo, error) {
		in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics = o.capacity, o.metrics
		out, err := wire.UpdateItem(ctx, c.Client, in, o.options, u.rows)
		if err == nil {
			err = u.arrived()
		}
		if out == nil {
			return replyInfo{}, err
		}
		return replyToWrite(out.ConsumedCapacity, out.ItemCollectionMetrics), err
	})
	return err
}

// updateExactly sends an update as a transaction of one operation, see ddb.ChangeOf.Exact.
func updateExactly(ctx context.Context, c *Table, u *preparedUpdate, item reflect.Value, old any) (err error) {
	verb := "Upsert"
	if u.present {
		verb = "Update"
	}
	tx := &Transaction{client: c.Client, start: time.Now()}
	tx.add(c.updateAction(verb, u, revision.Tag{}), noOld(verb, old))
	if err = tx.check(); err == nil {
		err = tx.send(ctx)
	}
	if err != nil {
		return c.ended(ctx, "TransactWriteItems", onlyFailure(err))
	}
	stored, err := c.readBack(ctx, given(u.key))
	switch {
	case err != nil:
		err = fmt.Errorf("%w; reading it back failed: %w", ddberr.ErrReplyLost, err)
	case len(stored) == 0:
		err = fmt.Errorf("%w; another call has deleted the item since", ddberr.ErrReplyLost)
	default:
		err = decodeOwnMap(c, stored, item)
	}
	if err != nil {
		item.SetZero()
		return operr.New("GetItem", c.Name, "", err)
	}
	return nil
}

// onlyFailure returns the failed condition of a transaction of one operation.
func onlyFailure(err error) error {
	te, ok := errors.AsType[*ddberr.TransactionError](err)
	if !ok || errors.Is(err, ddberr.ErrOutcomeUnknown) || !errors.Is(te, ddberr.ErrConditionFailed) {
		return err
	}
	return te.Failed[0].Err
}
