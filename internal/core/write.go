// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/wire"
)

// writeCall holds the options of one write.
type writeCall struct {
	conds   []*handle.Condition
	changes []*handle.Change
	old     any // a *T
}

// ReturnOld is the result of ddb.ReturnOld; dst is a *T.
type ReturnOld struct{ Dst any }

// take adds the results of the options' methods.
func (w *writeCall) take(options []any) error {
	var errs []error
	for _, o := range options {
		switch o := o.(type) {
		case *handle.Change:
			w.add(o)
		case []*handle.Change:
			for _, c := range o {
				w.add(c)
			}
		case *handle.Condition:
			w.conds = append(w.conds, o)
		case *ReturnOld:
			w.old = nil
			if !reflect.ValueOf(o.Dst).IsNil() {
				w.old = o.Dst
			}
		case nil:
			errs = append(errs, errors.New("an option is nil"))
		default:
			errs = append(errs, fmt.Errorf("an option of type %T, which package ddb does not know", o))
		}
	}
	return errors.Join(errs...)
}

func (w *writeCall) add(c *handle.Change) {
	if c == nil {
		c = &handle.Change{Err: errors.New("a zero Change was given; make changes with handles")}
	}
	w.changes = append(w.changes, c)
}

// guard returns all conditions of the options.
func (w *writeCall) guard() (node expr.Node, err error) { return handle.AllOf(w.conds).Parts() }

// errNoAttributes is the error of a reply that lacks the item. DynamoDB always sends it, so the reply comes from something
// between client and service.
var errNoAttributes = errors.New("the reply lacks the item that was asked for, so it does not answer this request; look for a proxy between client and service")

// writeOptions collects the options of a put or a delete.
func writeOptions(options []any) (w writeCall, err error) {
	err = w.take(options)
	guard, wrong := w.guard()
	return w, errors.Join(err, wrong, expr.Check(guard))
}

func mentions(conds []*handle.Condition, path expr.Path) bool {
	for _, c := range conds {
		for _, p := range expr.Paths(c.Node) {
			if p.Overlaps(path) {
				return true
			}
		}
		if _, raw := c.Node.(expr.Text); raw {
			return true
		}
	}
	return false
}

// oldRows returns the destination of a returned item; nil (no interface value) if there is none.
func (c *Table) oldRows(dst any) wire.Rows {
	if dst == nil {
		return nil
	}
	row := &oneRow{plan: c.Plan, dst: dst, of: c}
	row.Reset(0)
	return row
}

// refusal makes the error of a failed condition, with the stored item.
func (c *Table) refusal(cond expr.Node, needed bool) func(error) error {
	return func(err error) error {
		var item map[string]types.AttributeValue
		if ccf := conditionFailure(err); ccf != nil {
			item = ccf.Item
		}
		return c.conditionFailed(cond, needed, item, err)
	}
}

// conditionFailed makes a ddb.ConditionFailed.
func (c *Table) conditionFailed(cond expr.Node, needed bool, item map[string]types.AttributeValue, cause error) error {
	if c.isTombstone(item) {
		item = nil
	}
	f := FailedCondition{Missing: len(item) == 0, Needed: needed, Cause: cause}
	if own, err := c.ownsMap(item); !f.Missing && (err != nil || !own) {
		f.Other, f.DecodeErr = err == nil, err
		if err == nil {
			f.DecodeErr = c.notOwn()
		}
		return c.of.conditionFailed(expr.Describe(c.ofEntity(cond)), f)
	}
	if !f.Missing {
		f.Stale = c.isStale(cond, item)
		current := reflect.New(gotype.Reflect(c.of.item))
		if f.DecodeErr = decodeMap(c.Plan, item, current.Elem()); f.DecodeErr == nil {
			f.Current = current.Interface()
		}
	}
	return c.of.conditionFailed(expr.Describe(cond), f)
}

// replyToWrite is the reply to the write of one item.
func replyToWrite(cc *types.ConsumedCapacity, m *types.ItemCollectionMetrics) replyInfo {
	return replyInfo{answered: true, capacity: cc, collection: m, items: 1}
}

// lostReply is the error of a write whose reply should have returned an item, and was lost.
func lostReply(wanted bool) func() error {
	if !wanted {
		return nil
	}
	return func() error { return ddberr.ErrReplyLost }
}

// keyCall returns a condition on whether there is an item with the key.
func (c *Table) keyCall(function string) expr.Node {
	return expr.Call{Name: function, Args: []expr.Node{expr.Attribute(c.Key.partition[0].Name)}}
}
