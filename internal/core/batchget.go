// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/progress"
)

// ResultSeq yields lists of results, each a *[]Got, and finally an error.
type ResultSeq func(yield func(got any, err error) bool)

const loopEnded = "the loop was left"

func (b *batchGetter) get(ctx context.Context, keys, got any, r ReadCall) error {
	list := reflect.ValueOf(keys).Elem()
	return b.getInto(ctx, list.Len(), func(data []byte, i int) ([]byte, error) { return appendKey(b.core, data, list.Index(i)) }, got, r)
}

// getInto reads n keys, which encode appends in wire form, into the list at got.
func (b *batchGetter) getInto(ctx context.Context, n int, encode func([]byte, int) ([]byte, error), got any, r ReadCall) error {
	to := reflect.ValueOf(got).Elem()
	if err := b.prepare(n, encode, r); err != nil {
		return operr.New(b.op, b.core.Name, "", err)
	}
	if n == 0 {
		to.Set(reflect.MakeSlice(to.Type(), 0, 0)) // which is not nil
	}
	to.Grow(n)
	to.SetLen(n)
	b.got = results{list: got}
	return b.run(ctx, b.unique, b.sendKeys)
}

// results is the destination of the items of a batch: a list of ddb.Got, or a list of items with found next to it.
type results struct {
	list  any // a pointer to the list
	found []bool
}

// listOf returns the list. It and resultAt are functions since every package that uses a table reads the methods of results.
func listOf(r *results) reflect.Value { return reflect.ValueOf(r.list).Elem() }

// resultAt returns the place of an item.
func resultAt(r *results, i int) reflect.Value {
	if r.found != nil {
		return listOf(r).Index(i)
	}
	return listOf(r).Index(i).Field(0)
}

func (r *results) isFound(i int) bool {
	if r.found != nil {
		return r.found[i]
	}
	return listOf(r).Index(i).Field(1).Bool()
}

func (r *results) setFound(i int) {
	if r.found != nil {
		r.found[i] = true
		return
	}
	listOf(r).Index(i).Field(1).SetBool(true)
}

func (r *results) clear(i int) {
	listOf(r).Index(i).SetZero()
	if r.found != nil {
		r.found[i] = false
	}
}

type batchGetter struct {
	batch
	got    results
	unique []*batchEntry
	in     types.KeysAndAttributes
	mixed  *Mixed // items of several types; nil for those of the table
}

// prepare takes n keys, which encode appends in wire form, and reports those that cannot be keys by their index.
func (b *batchGetter) prepare(n int, encode func([]byte, int) ([]byte, error), r ReadCall) error {
	var (
		data, ids []byte // of all keys
		ends      = make([][2]int, n)
		errs      []error
	)
	for i := range n {
		from := len(data)
		longer, err := encode(data, i)
		if err == nil {
			data = longer
			ids, err = b.core.KeyNames.AppendCaptured(ids, itemid.Plain(data[from:], b.core.KeyNames), data[from:])
		}
		if i == 0 { // room for keys like the first
			data, ids = slices.Grow(data, n*(len(data)+keySlack)), slices.Grow(ids, n*(len(ids)+keySlack))
		}
		errs = append(errs, operr.Input("key", b.first+i, err)...)
		ends[i] = [2]int{len(data), len(ids)}
	}
	paths, err := b.core.projection(r.project, b.core.KeyNames...)
	if err := operr.Invalid(append(errs, err)...); err != nil {
		return err
	}
	b.hide = b.core.hides(r.expired)
	paths = b.core.withExpiry(b.core.withMark(paths), b.hide)
	b.paths = paths
	b.entries = make([]batchEntry, n)
	b.byKey = make(map[string]*batchEntry, n)
	b.unique = make([]*batchEntry, 0, n)
	text, from := string(ids), [2]int{}
	for i, to := range ends {
		e := &b.entries[i]
		e.index, e.key, e.data = b.first+i, text[from[1]:to[1]], data[from[0]:to[0]]
		from = to
		if first := b.byKey[e.key]; first != nil {
			e.winner = first
			e.twin, first.twin = first.twin, e
			continue
		}
		b.byKey[e.key] = e
		b.unique = append(b.unique, e)
	}
	if r.consistent {
		b.in.ConsistentRead, b.consistent = aws.Bool(true), true
	}
	if len(paths) > 0 {
		var w expr.Writer
		b.in.ProjectionExpression = aws.String(w.Projection(paths))
		b.in.ExpressionAttributeNames = w.Names()
	}
	return nil
}

func (b *batchGetter) sendKeys(ctx context.Context, options wire.Options, pending []*batchEntry) ([]*batchEntry, error) {
	rows := &batchRows{b: b, pending: pending}
	left, err := b.readOnce(ctx, options, b.in, pending, rows)
	if _, unreadable := errors.AsType[*wire.RowError](err); unreadable {
		// One item is not a T. Read again, item by item, to save the others.
		rows.careful = true
		left, err = b.readOnce(ctx, options, b.in, pending, rows)
	}
	if err != nil {
		rows.Reset(0)
		return nil, err
	}
	return left, nil
}

// countedRows are rows that know how many items a reply held.
type countedRows interface {
	wire.Rows
	count() int
}

// batchRows puts the items of one reply in the places of their keys.
type batchRows struct {
	b       *batchGetter
	pending []*batchEntry
	n       int  // items of the reply
	next    int  // of pending: whose item comes next, if the reply keeps the order of the keys
	careful bool // an item that cannot be read must not affect the others
	id      []byte
	spare   reflect.Value // for an item whose place is not known yet
}

func (r *batchRows) count() int { return r.n }

func (r *batchRows) Reset(int) {
	r.n, r.next = 0, 0
	for _, e := range r.pending {
		e.err, e.other = nil, false
		for ; e != nil; e = e.twin {
			r.b.got.clear(r.place(e))
		}
	}
}

// place returns the place of an entry's result.
func (r *batchRows) place(e *batchEntry) int { return e.index - r.b.first }

func (r *batchRows) Row(d *codec.Decoder) error {
	r.n++
	if own, err := r.b.takes(d); err != nil || !own {
		return r.other(d, err)
	}
	if r.careful {
		return r.carefulRow(d)
	}
	// It is decoded into the place of the expected item, and moved if it is another.
	var item reflect.Value
	guess := r.guess()
	switch {
	case guess != nil:
		item = resultAt(&r.b.got, r.place(guess))
	case !r.spare.IsValid():
		r.spare = reflect.New(resultAt(&r.b.got, 0).Type()).Elem()
		item = r.spare
	default:
		item = r.spare
	}
	d.Peek()
	d.Capture(r.b.core.KeyNames)
	from := d.Pos()
	if err := decodeGot(r.b, d, item); err != nil {
		return err
	}
	raw := d.Since(from)
	if guess != nil && itemid.Same(guess.data, r.b.core.KeyNames, d.Captured()) {
		r.next++
		return r.found(guess, raw)
	}
	var err error
	if r.id, err = r.b.core.KeyNames.AppendCaptured(r.id[:0], d.Captured(), raw); err != nil {
		return err
	}
	e := guess
	if guess != nil && guess.key == string(r.id) {
		r.next++
	} else {
		if e, err = r.entry(); err != nil {
			return err
		}
		if e != guess {
			resultAt(&r.b.got, r.place(e)).Set(item)
			item.SetZero()
		}
	}
	return r.found(e, raw)
}

// guess returns the entry whose item comes next if the reply keeps the order of the keys, unless that entry already has its item.
func (r *batchRows) guess() *batchEntry {
	if r.next < len(r.pending) {
		if e := r.pending[r.next]; !r.b.got.isFound(r.place(e)) {
			return e
		}
	}
	return nil
}

// entry finds the entry of the key r.id, and expects the following one next.
func (r *batchRows) entry() (*batchEntry, error) {
	e := r.b.byKey[string(r.id)]
	i := -1
	if e != nil {
		i = slices.Index(r.pending, e)
	}
	if i < 0 {
		return nil, wire.Mismatch("it holds an item whose key was not in the request")
	}
	r.next = i + 1
	return e, nil
}

// rawEntry reads an item as bytes, and finds the entry that waits for its key.
func (r *batchRows) rawEntry(d *codec.Decoder) ([]byte, *batchEntry, error) {
	raw, err := d.Raw()
	if err != nil {
		return nil, nil, err
	}
	if r.id, err = r.b.core.KeyNames.Append(r.id[:0], raw); err != nil {
		return nil, nil, err
	}
	e, err := r.entry()
	return raw, e, err
}

// found completes the result of an entry whose item was decoded from raw, and of the other entries with the same key.
func (r *batchRows) found(e *batchEntry, raw []byte) error {
	e.err = nil
	r.b.got.setFound(r.place(e))
	for e = e.twin; e != nil; e = e.twin {
		// Each place gets an item of its own: nothing is shared between them.
		i := r.place(e)
		if err := decodeGotRaw(r.b, raw, resultAt(&r.b.got, i)); err != nil {
			return err
		}
		r.b.got.setFound(i)
	}
	return nil
}

// carefulRow is Row, but makes an item that cannot be read the error of its key.
func (r *batchRows) carefulRow(d *codec.Decoder) error {
	raw, e, err := r.rawEntry(d)
	if err != nil {
		return err
	}
	i := r.place(e)
	r.b.got.clear(i)
	if bad := decodeGotRaw(r.b, raw, resultAt(&r.b.got, i)); bad != nil {
		r.b.got.clear(i)
		e.err = bad
		return nil //nolint:nilerr // it is this key's error, not the reply's
	}
	return r.found(e, raw)
}

// BatchGet reads the keys of the list at keys into that at got, a *[]Got.
func (c *Table) BatchGet(ctx context.Context, keys, got any, r ReadCall) error {
	if err := c.Usable(); err != nil {
		return err
	}
	ctx, stop := keepReportTime(ctx)
	defer stop()
	b := c.batchGetter(0)
	defer func() { b.stats.report(r.stats) }()
	return b.get(ctx, keys, got, r)
}

// BatchGetAll reads a stream of keys and yields the results of each window of it, as lists of the type that list points to.
//
//go:noinline
func (c *Table) BatchGetAll(ctx context.Context, keys Stream, list any, r ReadCall) ResultSeq {
	return func(yield func(any, error) bool) {
		if err := c.Usable(); err != nil {
			yield(nil, err)
			return
		}
		ctx, stop := keepReportTime(ctx)
		defer stop()
		var (
			stats BatchStats
			first int
		)
		defer func() { stats.report(r.stats) }()
		ctx, task := progress.Start(ctx, "BatchGetItem "+c.Name)
		defer task.Stop(loopEnded) // by a panic
		keys.windows(maxBatchGet*max(c.concurrency, 1), func(window any, n int) bool {
			b := c.batchGetter(first)
			got := reflect.New(reflect.TypeOf(list).Elem())
			err := b.get(ctx, window, got.Interface(), r)
			stats.add(b.stats)
			if failed, ok := errors.AsType[*ddberr.BatchError](err); ok {
				got.Elem().SetLen(failed.Failed[0].Index - first)
			}
			first += n
			task.Items(int64(b.stats.Done))
			if !yield(got.Interface(), nil) {
				task.Stop(loopEnded)
				return false
			}
			if err != nil {
				task.End(err)
				yield(nil, err)
				return false
			}
			return true
		})
		task.End(nil) // unless it has ended before
	}
}

func (c *Table) batchGetter(first int) *batchGetter {
	return &batchGetter{batch: batch{core: c, op: "BatchGetItem", first: first, start: time.Now()}}
}

// readOnce sends one BatchGetItem.
func (b *batch) readOnce(ctx context.Context, options wire.Options, how types.KeysAndAttributes, pending []*batchEntry, rows countedRows) (left []*batchEntry, err error) {
	keys := []wire.TableKeys{{Table: b.core.Name, Keys: make([][]byte, len(pending))}}
	for i, e := range pending {
		keys[0].Keys[i] = e.data
	}
	live := b.core.live(rows, b.hide)
	err = b.send(ctx, options, pending, func(ctx context.Context, o outgoing) (replyInfo, error) {
		in := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{b.core.Name: how}, ReturnConsumedCapacity: o.capacity}
		out, err := wire.BatchGetItem(ctx, b.core.Client, in, keys, o.options, func(string) wire.Rows { return live })
		if out == nil {
			return replyInfo{}, err
		}
		if err == nil {
			left, err = b.leftKeys(out.UnprocessedKeys, pending)
		}
		if l, ok := live.(*liveRows); ok && err == nil {
			b.hidden.Add(int64(l.expired))
		}
		return replyInfo{answered: true, capacities: out.ConsumedCapacity, items: len(pending) - len(left), returned: rows.count()}, err
	})
	return left, err
}

func (b *batch) leftKeys(unprocessed map[string]types.KeysAndAttributes, pending []*batchEntry) (left []*batchEntry, err error) {
	for _, ka := range unprocessed {
		for _, k := range ka.Keys {
			if left, err = b.leftOf(left, pending, k); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}
