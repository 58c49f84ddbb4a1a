// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/revision"
)

const (
	leastTombstone   = 15 * time.Minute
	maxAttributeName = 64 << 10
)

// tombstones holds the settings of ddb.Tombstones.
type tombstones struct {
	attr string
	keep time.Duration
}

// liveRows passes on items except tombstones and expired ones.
type liveRows struct {
	rows    wire.Rows
	expiry  *expiry // nil if expired items are shown
	names   []string
	mark    int  // the index of the tombstones' mark in names, or -1
	time    int  // the index of the time to live
	hidden  bool // the last row was left out
	expired int  // how many rows of the reply were left out because they have expired
}

func (l *liveRows) Reset(n int) {
	l.hidden, l.expired = false, 0
	l.rows.Reset(n)
}

func (l *liveRows) Row(d *codec.Decoder) error {
	if err := l.look(d); err != nil {
		return err
	}
	if l.hidden {
		return d.Skip()
	}
	return l.rows.Row(d)
}

// look decides whether the next item is left out.
func (l *liveRows) look(d *codec.Decoder) error {
	var values [2][]byte
	if err := d.Lookahead(l.names, values[:len(l.names)]); err != nil {
		return err
	}
	l.hidden = l.mark >= 0 && values[l.mark] != nil
	if !l.hidden && l.time >= 0 && l.expiry.wire(values[l.time]) {
		l.hidden, l.expired = true, l.expired+1
	}
	return nil
}

// found reports whether the rows of a transaction have an item that is not a tombstone.
func (l *liveRows) found() bool {
	f, ok := l.rows.(foundRow)
	return ok && !l.hidden && f.found()
}

// hides reports whether rows have left out the only item.
func hides(rows wire.Rows) bool {
	l, ok := rows.(*liveRows)
	return ok && l.hidden
}

// unmark makes a tombstone an item again.
func (t *tombstones) unmark() []expr.Action {
	return []expr.Action{{Path: expr.Attribute(t.attr)}}
}

// of returns the tombstone of the item with the key.
func (t *tombstones) of(c *Table, key map[string]types.AttributeValue, r revision.Revision, now time.Time) map[string]types.AttributeValue {
	item := maps.Clone(key)
	until := &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(t.keep).Unix(), 10)}
	item[t.attr] = until
	if c.ttl != nil {
		item[c.ttl.Path()[0].Name] = until
	}
	item[c.revision.Path()[0].Name] = storedRevision(r)
	c.markTombstone(item)
	return item
}

// TombstonesOption is the option ddb.Tombstones.
//
//go:noinline
func TombstonesOption(attr string, keep time.Duration) TableOption {
	return TableOption(func(c *Table) error {
		var errs []error
		if attr == "" || len(attr) > maxAttributeName {
			errs = append(errs, fmt.Errorf("option Tombstones: an attribute name has 1 to %d bytes", maxAttributeName))
		}
		if _, taken := c.Plan.Field(attr); taken {
			errs = append(errs, fmt.Errorf("option Tombstones: %s has a field for attribute %s; tombstones need an attribute of their own", c.Plan.Type(), attr))
		}
		if keep < leastTombstone {
			errs = append(errs, fmt.Errorf("option Tombstones: %v is too short; a signed request is valid for some minutes, so keep them for %v at least", keep, leastTombstone))
		}
		c.tombstones = &tombstones{attr: attr, keep: keep}
		return errors.Join(errs...)
	})
}

// checkTombstones refuses tombstones without revisions.
func (c *Table) checkTombstones() error {
	if c.tombstones != nil && c.revision == nil {
		return errors.New("option Tombstones needs ddb.Version with an attribute of type ddb.Revision")
	}
	return nil
}

// checkTombstoneIndex refuses an index that holds tombstones but not the attribute that marks them: one whose keys are the
// table's.
func (c *Table) checkTombstoneIndex(x *IndexInfo) error {
	if c.tombstones == nil || x.projection == types.ProjectionTypeAll {
		return nil
	}
	for _, name := range x.key.names() {
		if !slices.Contains(c.KeyNames, name) && name != c.ttlAttribute() {
			return nil
		}
	}
	return fmt.Errorf("index %s has no keys but the table's and the time to live, so it holds tombstones, but not attribute %s that marks them: let it project all attributes", x.name, c.tombstones.attr)
}

// ttlAttribute returns the attribute of time to live, or "".
func (c *Table) ttlAttribute() string {
	switch {
	case c.ttl != nil:
		return c.ttl.Path().String()
	case c.tombstones != nil:
		return c.tombstones.attr
	}
	return ""
}

// notTombstone returns the filter that hides tombstones, nil on a table without them.
func (c *Table) notTombstone() expr.Node {
	if c.tombstones == nil {
		return nil
	}
	return expr.Call{Name: "attribute_not_exists", Args: []expr.Node{expr.Attribute(c.tombstones.attr)}}
}

// notTombstones is notTombstone for all tables whose items are read.
func (r *Read) notTombstones() expr.Node {
	if x := r.Index; x != nil && x.projection != types.ProjectionTypeAll {
		return nil // the index does not hold the mark, so it holds no tombstones
	}
	if r.mixed == nil {
		return r.Core.notTombstone()
	}
	var (
		all   []expr.Node
		attrs []string
	)
	for _, c := range r.mixed.parts {
		if c.tombstones != nil && !slices.Contains(attrs, c.tombstones.attr) {
			all, attrs = append(all, c.notTombstone()), append(attrs, c.tombstones.attr)
		}
	}
	return expr.All(all...)
}

// liveItem adds to the condition of an update that the item is not a tombstone.
func (c *Table) liveItem(cond expr.Node) expr.Node { return expr.All(cond, c.notTombstone()) }

// marked returns the condition that the item is a tombstone.
func (c *Table) marked() expr.Node {
	return expr.Call{Name: "attribute_exists", Args: []expr.Node{expr.Attribute(c.tombstones.attr)}}
}

// seenAsGone makes a condition treat a tombstone as absent, although it has the key.
func (c *Table) seenAsGone(n expr.Node) expr.Node {
	if c.tombstones == nil {
		return n
	}
	switch t := n.(type) {
	case expr.Logic:
		terms := make([]expr.Node, len(t.Terms))
		for i, term := range t.Terms {
			terms[i] = c.seenAsGone(term)
		}
		return expr.Logic{Op: t.Op, Terms: terms}
	case expr.Not:
		return expr.Not{Term: c.seenAsGone(t.Term)}
	}
	for _, p := range expr.Paths(n) {
		if slices.Contains(c.KeyNames, p[0].Name) {
			if call, ok := n.(expr.Call); ok && call.Name == "attribute_not_exists" {
				return expr.Any(n, c.marked())
			}
			return expr.All(n, c.notTombstone())
		}
	}
	return n
}

// withMark adds the mark of tombstones, and the attributes that items are recognised by, to a projection.
func (c *Table) withMark(paths []expr.Path) []expr.Path {
	paths = c.withEntity(paths)
	if c.tombstones == nil || len(paths) == 0 {
		return paths
	}
	return addPath(paths, expr.Attribute(c.tombstones.attr))
}

// live hides tombstones, and expired items if required, from rows, which may be nil.
func (c *Table) live(rows wire.Rows, hideExpired bool) wire.Rows {
	if rows == nil || c.tombstones == nil && !hideExpired {
		return rows
	}
	return c.newLiveRows(rows, hideExpired)
}

// liveFound is live for a read in a transaction.
func (c *Table) liveFound(row foundRow, hideExpired bool) foundRow {
	if c.tombstones == nil && !hideExpired {
		return row
	}
	return c.newLiveRows(row, hideExpired)
}

func (c *Table) newLiveRows(rows wire.Rows, hideExpired bool) *liveRows {
	l := &liveRows{rows: rows, expiry: c.expiry(hideExpired), mark: -1, time: -1}
	if c.tombstones != nil {
		l.mark, l.names = len(l.names), append(l.names, c.tombstones.attr)
	}
	if hideExpired {
		l.time, l.names = len(l.names), append(l.names, l.expiry.names...)
	}
	return l
}

// isTombstone reports whether a stored item is a tombstone.
func (c *Table) isTombstone(item map[string]types.AttributeValue) bool {
	if c.tombstones == nil {
		return false
	}
	_, marked := item[c.tombstones.attr]
	return marked
}

// overGone lets a put in a transaction also replace a tombstone, and a create an expired item, whose tags it does not know.
// The new revision does not record which write was the first.
func (c *Table) overGone(p *preparedPut) error {
	if c.revision == nil || !p.base.IsZero() {
		return nil
	}
	gone := []expr.Node{c.putCondition(p, stored{})}
	if c.tombstones != nil {
		gone = append(gone, c.marked())
	}
	if c.hideExpired && p.verb == VerbCreate {
		gone = append(gone, c.expiredNode())
	}
	if len(gone) == 1 {
		return nil
	}
	next := p.next
	next.First = revision.Tag{}
	item, err := c.replaceRevision(p.item, p.next, next)
	if err != nil {
		return err
	}
	p.item, p.next = item, next
	p.setNext(next)
	if p.verb != VerbReplace {
		p.cond = expr.All(expr.Any(gone...), c.seenAsGone(p.extra))
	}
	return nil
}

// buryOnce sends one replacement of the item by its tombstone.
func (c *Table) buryOnce(ctx context.Context, d *preparedDelete, cond expr.Node, next revision.Revision, o wire.Options) error {
	cond = c.ofEntity(cond)
	var w expr.Writer
	in := &dynamodb.PutItemInput{
		TableName: &c.Name, ConditionExpression: aws.String(w.Render(cond)),
		ExpressionAttributeNames: w.Names(), ExpressionAttributeValues: w.Values(),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if d.old != nil {
		in.ReturnValues = types.ReturnValueAllOld
	}
	item, err := codec.AppendItemMap(nil, c.tombstones.of(c, d.key, next, c.now()))
	if err != nil {
		return err
	}
	info := requestInfo{op: "PutItem", write: true, verb: "Delete", keyMap: d.key, item: item, cond: cond}
	return c.putItem(ctx, &info, in, item, o, d.old, nil)
}
