// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"reflect"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/revision"
)

// verb is what a write of a whole item requires of the stored one.
type verb uint8

// What a put requires of the stored item.
const (
	VerbPut     verb = iota // anything
	VerbCreate              // absent
	VerbReplace             // present
)

func (v verb) String() string { return [...]string{"Put", "Create", "Replace"}[v] }

// preparedPut is a put that is encoded and checked, ready to be sent alone or in a transaction.
type preparedPut struct {
	verb  verb
	guard expr.Node // what the verb and the version require; the revision is added when it is sent
	extra expr.Node // what the caller demands
	cond  expr.Node // both, for error texts
	id    []byte    // of the item's key
	item  []byte
	// base is the item's revision; the item was encoded with the revision of next instead.
	base, next revision.Revision
	setNext    func(revision.Revision) // changes the revision that done will give
	done       func()                  // gives the caller's item its new version and stamps
	old        wire.Rows
	rejected   func(error) error
}

// itemBuffer is a buffer to encode a put; it is reused by later puts.
type itemBuffer struct{ b []byte }

var itemBuffers = sync.Pool{New: func() any { return new(itemBuffer) }}

func (b *itemBuffer) release() {
	const most = 64 << 10 // larger ones are not worth keeping
	if cap(b.b) <= most {
		itemBuffers.Put(b)
	}
}

// putGuard returns the condition that the verb and the numeric version require for a put of the item.
func putGuard(c *Table, v verb, item reflect.Value) expr.Node {
	switch {
	case c.revision != nil && c.version == nil:
		return nil
	case v == VerbCreate:
		return c.absent()
	case c.version != nil:
		guard := versionGuard(c, item)
		if v == VerbReplace && versionIn(c, item).IsZero() {
			guard = expr.All(c.keyCall("attribute_exists"), guard)
		}
		return guard
	case v == VerbReplace:
		return c.keyCall("attribute_exists")
	}
	return nil
}

// Put writes the item that item points to, a *T; the verb says what must be stored before.
func (c *Table) Put(ctx context.Context, v verb, item any, opts []any) error {
	if err := c.Usable(); err != nil {
		return err
	}
	buf := itemBuffers.Get().(*itemBuffer) //nolint:forcetypeassert // the pool holds nothing else
	defer buf.release()
	w, err := writeOptions(opts)
	p, err := c.preparePut(buf, v, item, w, c.newMark(), err)
	if err != nil {
		return operr.New("PutItem", c.Name, "", err)
	}
	p.old = c.live(c.oldRows(w.old), false)
	if p.cond != nil || c.entityGuard() != nil {
		p.rejected = c.refusal(p.cond, v == VerbReplace)
	}
	err = c.sendPut(ctx, buf, p)
	if err == nil || errors.Is(err, ddberr.ErrReplyLost) {
		p.done()
		c.warnSize(p.item)
	}
	return c.ended(ctx, "PutItem", err)
}

// preparePut encodes into buf, which holds the results. err is the error of the options.
func (c *Table) preparePut(buf *itemBuffer, v verb, item any, w writeCall, with mark, err error) (*preparedPut, error) {
	pointer := reflect.ValueOf(item)
	if pointer.IsNil() {
		return nil, operr.Invalid(err, errors.New("the item is nil"))
	}
	p := &preparedPut{verb: v}
	var errs []error
	errs = append(errs, err)
	current := pointer.Elem()
	if c.revision != nil && v != VerbCreate {
		p.base = revisionIn(c, current)
	}
	guard := putGuard(c, v, current)
	next, st, err := stampItem(c, v, current, p.base, with)
	errs = append(errs, err)
	p.next, p.setNext = st.revision, st.setRevision
	next, done, err := deriveFields(c, current, next, st.done)
	errs = append(errs, err)
	p.done = done
	data, err := codec.AppendSlot(buf.b[:0], c.Plan, next)
	if err == nil {
		data, err = c.markItem(data)
	}
	errs = append(errs, err)
	if err == nil {
		p.id, err = c.KeyNames.Append(data[len(data):], data)
		errs = append(errs, err, c.checkItem(data))
	}
	buf.b, p.item = data, data
	extra, err := w.guard()
	errs = append(errs, err)
	if v != VerbCreate {
		errs = append(errs, c.needsCondition("a "+v.String(), extra))
	}
	if err := operr.Invalid(errs...); err != nil {
		return nil, err
	}
	p.guard, p.extra = guard, extra
	p.cond = expr.All(c.putCondition(p, stored{revision: p.base}), p.extra)
	return p, nil
}

// putCondition returns the condition of a put that is prepared on a state.
func (c *Table) putCondition(p *preparedPut, base stored) expr.Node {
	if c.revision == nil {
		return p.guard
	}
	switch {
	case c.overExpired(p, base):
		return expr.All(c.onExpired(base), c.expiredNode())
	case !base.revision.IsZero():
		return expr.All(c.newestTag(base.revision), p.guard)
	case p.verb == VerbCreate:
		return c.keyCall("attribute_not_exists")
	case p.verb == VerbReplace:
		return expr.All(c.keyCall("attribute_exists"), c.noRevision(), p.guard)
	}
	return expr.All(c.noRevision(), p.guard)
}

// overExpired reports whether a put replaces an expired item that counts as absent.
func (c *Table) overExpired(p *preparedPut, base stored) bool {
	return p.verb == VerbCreate && base.exists() && c.isExpired(base.item)
}

// onExpired returns the condition that the stored item has the revision of the base, or has none if the base has none.
func (c *Table) onExpired(base stored) expr.Node {
	if base.revision.IsZero() {
		return c.noRevision()
	}
	return c.newestTag(base.revision)
}

// noRevision returns the condition that nothing is stored, or an item from before the table had revisions.
func (c *Table) noRevision() expr.Node {
	return expr.Call{Name: "attribute_not_exists", Args: []expr.Node{c.revision.Path()}}
}

// sendPut sends a put until its outcome is known.
func (c *Table) sendPut(ctx context.Context, buf *itemBuffer, p *preparedPut) error {
	first := p.item // its key is the key of all that are sent; it may be read concurrently while a reply is missing
	key := func() (map[string]types.AttributeValue, error) { return c.wireKey(first) }
	if c.revision == nil {
		w := plainWrite{
			core: c, key: key, repeat: p.cond == nil, rejected: p.rejected, replyLost: lostReply(p.old != nil),
			send: func(o wire.Options) error { return c.putOnce(ctx, buf, p, p.cond, o) },
		}
		return w.do(ctx)
	}
	base := &stored{revision: p.base}
	switch {
	case isShort(p.base):
		base = nil // the tags before the newest are read
	case p.base.IsZero() && p.verb == VerbReplace: // of an item from before the table had revisions
		base.item = map[string]types.AttributeValue{c.KeyNames[0]: nil}
	}
	w := provenWrite{
		core: c, key: key, base: base, rejected: p.rejected,
		send: func(ctx context.Context, base stored, t revision.Tag, o wire.Options) error {
			next := nextRevision(base.revision, t)
			item, err := c.replaceRevision(p.item, p.next, next)
			if err != nil {
				return err
			}
			p.item, p.next, buf.b = item, next, item
			p.setNext(next)
			return c.putOnce(ctx, buf, p, expr.All(c.putCondition(p, base), p.extra), o)
		},
		again: func(now stored) bool {
			if p.base.IsZero() && p.verb != VerbReplace {
				return now.tombstone || len(now.item) == 0 || c.overExpired(p, now) // a guess, which only a tombstone proves wrong in a way that can be repaired
			}
			return now.revision.Same(p.base) // the state was read to complete the tags
		},
	}
	if p.old != nil {
		w.lost = func(map[string]types.AttributeValue) error { return ddberr.ErrReplyLost }
	}
	return w.do(ctx)
}

// putOnce sends one PutItem.
func (c *Table) putOnce(ctx context.Context, buf *itemBuffer, p *preparedPut, cond expr.Node, o wire.Options) error {
	in := &dynamodb.PutItemInput{TableName: &c.Name}
	cond = c.ofEntity(cond)
	if cond != nil {
		var w expr.Writer
		in.ConditionExpression = aws.String(w.Render(cond))
		in.ExpressionAttributeNames, in.ExpressionAttributeValues = w.Names(), w.Values()
		in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	}
	if p.old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	info := requestInfo{op: "PutItem", write: true, verb: p.verb.String(), id: p.id, item: p.item, cond: cond}
	return c.putItem(ctx, &info, in, p.item, o, p.old, buf)
}

// putItem sends one PutItem of an item in wire form. buf, which may be nil, is the buffer that the item is in.
func (c *Table) putItem(ctx context.Context, info *requestInfo, in *dynamodb.PutItemInput, item []byte, o wire.Options, old wire.Rows, buf *itemBuffer) error {
	_, err := c.send(ctx, info, o, func(ctx context.Context, o outgoing) (replyInfo, error) {
		if o.watched && buf != nil {
			buf.b = nil // a hook may keep the call, and the item with it
		}
		in.ReturnConsumedCapacity, in.ReturnItemCollectionMetrics = o.capacity, o.metrics
		out, err := wire.PutItem(ctx, c.Client, in, item, o.options, old)
		if out == nil {
			return replyInfo{}, err
		}
		return replyToWrite(out.ConsumedCapacity, out.ItemCollectionMetrics), err
	})
	return err
}
