package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
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
// are sent again, with full jitter, within the [RetryPolicy]; progress renews its attempts.
//
// Keys that could not be read are named by a [*BatchError]; the rest of the
// result is good. Keys that cannot be keys are refused before anything is sent.
// Options are those of Get, and [StatsTo].
//
// Each item is billed by itself, as by Get. The items of one call are not a snapshot.
func (t *items[T, K]) BatchGet(ctx context.Context, keys []K, opts ...GetOption) ([]Got[T], error) {
	r := readOptions(opts)
	b := &batchGetter[T]{batch: batch{core: t.core, op: "BatchGetItem", start: time.Now()}, got: make([]Got[T], len(keys))}
	if err := b.prepare(keysOf(t.encodeKey, keys), r); err != nil {
		return nil, opError(b.op, t.name, "", err)
	}
	chunks := chunksOf(b.unique, maxBatchGet)
	err := b.run(ctx, chunks, b.send)
	b.report(r.stats)
	return b.got, err
}

// BatchGetAll is BatchGet for a stream of keys of any length, in constant memory. It
// yields the results in the order of the keys. The first failure is yielded with its
// key and ends the loop.
func (t *items[T, K]) BatchGetAll(ctx context.Context, keys iter.Seq[K], opts ...GetOption) iter.Seq2[Got[T], error] {
	return func(yield func(Got[T], error) bool) {
		for window := range windows(keys, maxBatchGet*t.concurrency) {
			got, err := t.BatchGet(ctx, window, opts...)
			if err != nil {
				yield(Got[T]{}, err)
				return
			}
			for _, g := range got {
				if !yield(g, nil) {
					return
				}
			}
		}
	}
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
func keysOf[K any](encode func(K) (map[string]types.AttributeValue, error), keys []K) func() ([]map[string]types.AttributeValue, error) {
	return func() ([]map[string]types.AttributeValue, error) {
		encoded := make([]map[string]types.AttributeValue, len(keys))
		var errs []error
		for i, k := range keys {
			av, err := encode(k)
			if err != nil {
				errs = append(errs, fmt.Errorf("key %d: %w", i, err))
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
		e.index = i
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

func (b *batchGetter[T]) send(ctx context.Context, pending []*batchEntry) ([]*batchEntry, error) {
	request := b.in
	request.Keys = make([]map[string]types.AttributeValue, len(pending))
	for i, e := range pending {
		request.Keys[i] = b.keys[e.index]
	}
	in := &dynamodb.BatchGetItemInput{
		RequestItems:           map[string]types.KeysAndAttributes{b.core.name: request},
		ReturnConsumedCapacity: b.core.consumed(),
	}
	rows := &batchRows[T]{b: b, pending: pending}
	out, err := wire.BatchGetItem(ctx, b.core.client, in, b.core.wire, func(string) wire.Rows { return rows })
	var unreadable *wire.RowError
	if errors.As(err, &unreadable) && out != nil {
		// One item is not a T. Read again, item by item, to save the others.
		b.booked(ctx, out.ConsumedCapacity)
		rows.careful = true
		out, err = wire.BatchGetItem(ctx, b.core.client, in, b.core.wire, func(string) wire.Rows { return rows })
	}
	if err != nil {
		rows.Reset(0)
		return nil, err
	}
	b.booked(ctx, out.ConsumedCapacity)
	var left []*batchEntry
	for _, ka := range out.UnprocessedKeys {
		for _, k := range ka.Keys {
			e := b.byKey[b.core.keyID(k)]
			if e == nil {
				return nil, errors.New("the reply leaves a key unprocessed that was not asked for")
			}
			left = append(left, e)
		}
	}
	return left, nil
}

// booked counts the consumed capacity of one request.
func (b *batch) booked(ctx context.Context, ccs []types.ConsumedCapacity) {
	b.core.ledger.observe(ctx, b.op, b.write, b.core.name, ccs...)
	c := consumedOf(b.write, ccs...)
	b.mu.Lock()
	b.stats.Consumed.ReadUnits += c.ReadUnits
	b.stats.Consumed.WriteUnits += c.WriteUnits
	b.mu.Unlock()
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
			r.b.got[e.index] = Got[T]{}
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
	if e == nil {
		return errors.New("the reply has an item whose key was not asked for")
	}
	if e.err = bad; bad != nil {
		return nil //nolint:nilerr // it is this key's error, not the reply's
	}
	r.b.got[e.index] = Got[T]{Item: item, Found: true}
	for e = e.twin; e != nil; e = e.twin {
		// Each place gets an item of its own: nothing is shared between them.
		g := &r.b.got[e.index]
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
