package ddb

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/wire"
)

// Got is one result of BatchGet.
type Got[T any] struct {
	Item T
	// Found is false when there is no item with the key, and when the key failed.
	Found bool
}

// BatchGet reads any number of items by their keys: got[i] belongs to keys[i].
// Keys are sent once however often they stand in the list, 100 at a time, up to
// the table's [Concurrency] requests at once. Keys that DynamoDB left unprocessed, or
// throttled, are sent again, with full jitter, within the [RetryPolicy]; large items come
// 16 MB at a time. It ends when no item was read for the policy's MaxElapsed, and before
// the deadline of the context, as [Table.BatchPut] does.
//
// Keys that could not be read are named by a [*BatchError]; the rest of the
// result is good. Keys that cannot be keys are refused before anything is sent.
// Options are those of Get, and [StatsTo].
//
// Each item is billed by itself, as by Get. The items of one call are not a snapshot.
func (t *items[T, K]) BatchGet(ctx context.Context, keys []K, opts ...GetOption) ([]Got[T], error) {
	ctx, stop := keepReportTime(ctx)
	defer stop()
	r := readOptions(opts)
	b := t.batchGetter(0, len(keys))
	defer func() { b.stats.report(r.stats) }()
	return t.batchGet(ctx, b, keys, r)
}

// BatchGetAll is BatchGet for a stream of keys of any length, in constant memory: it
// reads as many keys at once as the table's [Concurrency] allows. It yields the
// results in the order of the keys, up to the first key that could not be read: there
// it yields the error, whose indexes count from the first key of the stream, and ends.
func (t *items[T, K]) BatchGetAll(ctx context.Context, keys iter.Seq[K], opts ...GetOption) iter.Seq2[Got[T], error] {
	return func(yield func(Got[T], error) bool) {
		ctx, stop := keepReportTime(ctx)
		defer stop()
		var (
			r     = readOptions(opts)
			stats BatchStats
			first int
		)
		defer func() { stats.report(r.stats) }()
		if err := t.usable(); err != nil {
			yield(Got[T]{}, err)
			return
		}
		for window := range windows(keys, maxBatchGet*max(t.concurrency, 1)) {
			b := t.batchGetter(first, len(window))
			got, err := t.batchGet(ctx, b, window, r)
			stats.add(b.stats)
			if failed, ok := errors.AsType[*BatchError](err); ok {
				got = got[:failed.Failed[0].Index-first]
			}
			for _, g := range got {
				if !yield(g, nil) {
					return
				}
			}
			if err != nil {
				yield(Got[T]{}, err)
				return
			}
			first += len(window)
		}
	}
}

func (t *items[T, K]) batchGetter(first, n int) *batchGetter[T] {
	return &batchGetter[T]{batch: batch{core: t.core, op: "BatchGetItem", first: first, start: time.Now()}, got: make([]Got[T], n)}
}

func (t *items[T, K]) batchGet(ctx context.Context, b *batchGetter[T], keys []K, r readCall) ([]Got[T], error) {
	if err := t.usable(); err != nil {
		return nil, err
	}
	err := b.prepare(len(keys), func(data []byte, i int) ([]byte, error) { return t.appendKey(data, &keys[i]) }, r)
	if err != nil {
		return nil, opError(b.op, t.name, "", err)
	}
	err = b.run(ctx, b.unique, b.sendKeys)
	return b.got, err
}

// windows gathers a stream into slices of at most n elements.
func windows[E any](seq iter.Seq[E], n int) iter.Seq[[]E] {
	return func(yield func([]E) bool) {
		if seq == nil {
			return
		}
		window := make([]E, 0, n)
		for e := range seq {
			if window = append(window, e); len(window) == n {
				if !yield(window) {
					return
				}
				window = make([]E, 0, n)
			}
		}
		if len(window) > 0 {
			yield(window)
		}
	}
}

type batchGetter[T any] struct {
	batch
	got    []Got[T]
	unique []*batchEntry
	in     types.KeysAndAttributes
}

// prepare takes n keys, which encode appends in wire form, and names those that cannot be keys by their index.
func (b *batchGetter[T]) prepare(n int, encode func([]byte, int) ([]byte, error), r readCall) error {
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
			ids, err = b.core.keyNames.AppendWatched(ids, itemid.Plain(data[from:], b.core.keyNames), data[from:])
		}
		if i == 0 { // room for keys like the first
			data, ids = slices.Grow(data, n*(len(data)+keySlack)), slices.Grow(ids, n*(len(ids)+keySlack))
		}
		errs = append(errs, inputError("key", b.first+i, err)...)
		ends[i] = [2]int{len(data), len(ids)}
	}
	paths, err := b.core.projection(r.project, b.core.keyNames...)
	if err := invalid(append(errs, err)...); err != nil {
		return err
	}
	paths = b.core.withMark(paths)
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

func (b *batchGetter[T]) sendKeys(ctx context.Context, options wire.Options, pending []*batchEntry) ([]*batchEntry, error) {
	rows := &batchRows[T]{b: b, pending: pending}
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

// countedRows are rows that know how many a reply held.
type countedRows interface {
	wire.Rows
	count() int
}

// readOnce sends one BatchGetItem.
func (b *batch) readOnce(ctx context.Context, options wire.Options, how types.KeysAndAttributes, pending []*batchEntry, rows countedRows) (left []*batchEntry, err error) {
	keys := []wire.TableKeys{{Table: b.core.name, Keys: make([][]byte, len(pending))}}
	for i, e := range pending {
		keys[0].Keys[i] = e.data
	}
	err = b.send(ctx, options, pending, func(ctx context.Context, o outgoing) (replyInfo, error) {
		in := &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{b.core.name: how}, ReturnConsumedCapacity: o.capacity}
		out, err := wire.BatchGetItem(ctx, b.core.client, in, keys, o.options, func(string) wire.Rows { return b.core.live(rows) })
		if out == nil {
			return replyInfo{}, err
		}
		if err == nil {
			left, err = b.leftKeys(out.UnprocessedKeys, pending)
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

// batchRows puts the items of one reply where their keys stand.
type batchRows[T any] struct {
	b       *batchGetter[T]
	pending []*batchEntry
	n       int  // items of the reply
	next    int  // of pending: whose item comes next, if the reply keeps the order of the keys
	careful bool // an item that cannot be read must not spoil the others
	id      []byte
	item    T
}

func (r *batchRows[T]) count() int { return r.n }

func (r *batchRows[T]) Reset(int) {
	r.n, r.next = 0, 0
	for _, e := range r.pending {
		e.err = nil
		for ; e != nil; e = e.twin {
			*r.place(e) = Got[T]{}
		}
	}
}

// place is where the result of an entry stands.
func (r *batchRows[T]) place(e *batchEntry) *Got[T] { return &r.b.got[e.index-r.b.first] }

func (r *batchRows[T]) Row(d *codec.Decoder) error {
	r.n++
	if r.careful {
		return r.carefulRow(d)
	}
	// It is decoded where the next item belongs, and moved if it is another.
	var zero T
	item, guess := &r.item, r.guess()
	if guess == nil {
		r.item = zero
	} else {
		item = &r.place(guess).Item
	}
	d.Peek()
	d.Watch(r.b.core.keyNames)
	from := d.Pos()
	if err := codec.DecodeNext(r.b.core.plan, d, item); err != nil {
		return err
	}
	raw := d.Since(from)
	if guess != nil && itemid.Same(guess.data, r.b.core.keyNames, d.Watched()) {
		r.next++
		return r.found(guess, raw)
	}
	var err error
	if r.id, err = r.b.core.keyNames.AppendWatched(r.id[:0], d.Watched(), raw); err != nil {
		return err
	}
	e := guess
	if guess != nil && guess.key == string(r.id) {
		r.next++
	} else {
		if e, err = r.entry(); err != nil {
			return err
		}
		r.place(e).Item, *item = *item, zero
	}
	return r.found(e, raw)
}

// guess is the entry whose item comes next in a reply that keeps the order of the keys, if it has none yet.
func (r *batchRows[T]) guess() *batchEntry {
	if r.next < len(r.pending) {
		if e := r.pending[r.next]; !r.place(e).Found {
			return e
		}
	}
	return nil
}

// entry finds the entry of the key r.id, and expects the one behind it next.
func (r *batchRows[T]) entry() (*batchEntry, error) {
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

// found completes the result of an entry whose item was decoded from raw, and gives it to the entry's twins.
func (r *batchRows[T]) found(e *batchEntry, raw []byte) error {
	e.err = nil
	r.place(e).Found = true
	for e = e.twin; e != nil; e = e.twin {
		// Each place gets an item of its own: nothing is shared between them.
		g := r.place(e)
		if err := codec.Decode(r.b.core.plan, raw, &g.Item); err != nil {
			return err
		}
		g.Found = true
	}
	return nil
}

// carefulRow is Row that makes an item which cannot be read the error of its key.
func (r *batchRows[T]) carefulRow(d *codec.Decoder) error {
	raw, err := d.Raw()
	if err != nil {
		return err
	}
	if r.id, err = r.b.core.keyNames.Append(r.id[:0], raw); err != nil {
		return err
	}
	e, err := r.entry()
	if err != nil {
		return err
	}
	g := r.place(e)
	*g = Got[T]{}
	if bad := codec.Decode(r.b.core.plan, raw, &g.Item); bad != nil {
		*g, e.err = Got[T]{}, bad
		return nil //nolint:nilerr // it is this key's error, not the reply's
	}
	return r.found(e, raw)
}
