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
// the table's [Concurrency] requests at once. Keys that DynamoDB left unprocessed
// are sent again, with full jitter, within the [RetryPolicy]; any progress renews its
// MaxIdle: large items come 16 MB at a time.
//
// Keys that could not be read are named by a [*BatchError]; the rest of the
// result is good. Keys that cannot be keys are refused before anything is sent.
// Options are those of Get, and [StatsTo].
//
// Each item is billed by itself, as by Get. The items of one call are not a snapshot.
func (t *items[T, K]) BatchGet(ctx context.Context, keys []K, opts ...GetOption) ([]Got[T], error) {
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
		var (
			r     = readOptions(opts)
			stats BatchStats
			first int
		)
		defer func() { stats.report(r.stats) }()
		for window := range windows(keys, maxBatchGet*t.concurrency) {
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
	if err := b.prepare(keysOf(t.encodeKey, keys, b.first), r); err != nil {
		return nil, opError(b.op, t.name, "", err)
	}
	err := b.run(ctx, chunksOf(b.unique, maxBatchGet), b.send)
	return b.got, err
}

// windows gathers a stream into slices of at most n elements.
func windows[E any](seq iter.Seq[E], n int) iter.Seq[[]E] {
	return func(yield func([]E) bool) {
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
	keys   []map[string]types.AttributeValue
	in     types.KeysAndAttributes
}

// keysOf encodes keys and names those that cannot be keys by their index.
func keysOf[K any](encode func(K) (map[string]types.AttributeValue, error), keys []K, first int) func() ([]map[string]types.AttributeValue, error) {
	return func() ([]map[string]types.AttributeValue, error) {
		encoded := make([]map[string]types.AttributeValue, len(keys))
		var errs []error
		for i, k := range keys {
			av, err := encode(k)
			if err != nil {
				errs = append(errs, inputError("key", first+i, err)...)
			}
			encoded[i] = av
		}
		return encoded, invalid(errs...)
	}
}

func (b *batchGetter[T]) prepare(encode func() ([]map[string]types.AttributeValue, error), r readCall) error {
	keys, err := encode()
	paths, err2 := b.core.projection(r.project, b.core.key.names()...)
	if err := invalid(err, err2); err != nil {
		return err
	}
	b.keys = keys
	b.entries = make([]batchEntry, len(keys))
	b.byKey = make(map[string]*batchEntry, len(keys))
	b.unique = make([]*batchEntry, 0, len(keys))
	var id []byte
	for i, k := range keys {
		e := &b.entries[i]
		e.index = b.first + i
		id = b.core.appendMapID(id[:0], k)
		first := b.byKey[string(id)]
		if first == nil {
			e.key = string(id)
			b.byKey[e.key] = e
			b.unique = append(b.unique, e)
			continue
		}
		e.key, e.winner = first.key, first
		e.twin, first.twin = first.twin, e
	}
	if r.consistent {
		b.in.ConsistentRead = aws.Bool(true)
	}
	if len(paths) > 0 {
		var w expr.Writer
		b.in.ProjectionExpression = aws.String(w.Projection(paths))
		b.in.ExpressionAttributeNames = w.Names()
	}
	return nil
}

func (b *batchGetter[T]) send(ctx context.Context, options wire.Options, pending []*batchEntry) ([]*batchEntry, error) {
	request := b.in
	request.Keys = make([]map[string]types.AttributeValue, len(pending))
	for i, e := range pending {
		request.Keys[i] = b.keys[e.index-b.first]
	}
	in := &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{b.core.name: request},
		ReturnConsumedCapacity: b.core.consumed(),
	}
	rows := &batchRows[T]{b: b, pending: pending}
	out, err := wire.BatchGetItem(ctx, b.core.client, in, options, func(string) wire.Rows { return rows })
	var unreadable *wire.RowError
	if errors.As(err, &unreadable) && out != nil {
		// One item is not a T. Read again, item by item, to save the others.
		b.booked(ctx, out.ConsumedCapacity)
		rows.careful = true
		out, err = wire.BatchGetItem(ctx, b.core.client, in, options, func(string) wire.Rows { return rows })
	}
	if err != nil {
		rows.Reset(0)
		return nil, err
	}
	b.booked(ctx, out.ConsumedCapacity)
	var left []*batchEntry
	for _, ka := range out.UnprocessedKeys {
		for _, k := range ka.Keys {
			if left, err = b.leftOf(left, pending, k); err != nil {
				rows.Reset(0)
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
	careful bool // an item that cannot be read must not spoil the others
	id      []byte
}

func (r *batchRows[T]) Reset(int) {
	for _, e := range r.pending {
		e.err = nil
		for ; e != nil; e = e.twin {
			r.b.got[e.index-r.b.first] = Got[T]{}
		}
	}
}

func (r *batchRows[T]) Row(d *codec.Decoder) error {
	var (
		item T
		raw  []byte
		bad  error
		err  error
	)
	if r.careful {
		if raw, err = d.Raw(); err != nil {
			return err
		}
		bad = codec.Decode(r.b.core.plan, raw, &item)
	} else {
		d.Peek()
		from := d.Pos()
		if err = codec.DecodeNext(r.b.core.plan, d, &item); err != nil {
			return err
		}
		raw = d.Since(from)
	}
	if r.id, err = r.b.core.appendKeyID(r.id[:0], raw); err != nil {
		return err
	}
	e := r.b.byKey[string(r.id)]
	if e == nil || !slices.Contains(r.pending, e) {
		return errors.New("the reply has an item whose key was not in the request")
	}
	if e.err = bad; bad != nil {
		return nil //nolint:nilerr // it is this key's error, not the reply's
	}
	r.b.got[e.index-r.b.first] = Got[T]{Item: item, Found: true}
	for e = e.twin; e != nil; e = e.twin {
		// Each place gets an item of its own: nothing is shared between them.
		g := &r.b.got[e.index-r.b.first]
		if err := codec.Decode(r.b.core.plan, raw, &g.Item); err != nil {
			return err
		}
		g.Found = true
	}
	return nil
}

func chunksOf(entries []*batchEntry, size int) [][]*batchEntry {
	var chunks [][]*batchEntry
	for len(entries) > 0 {
		n := min(size, len(entries))
		chunks = append(chunks, entries[:n:n])
		entries = entries[n:]
	}
	return chunks
}
