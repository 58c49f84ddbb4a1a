// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
	"github.com/dynamotable/ddb/progress"
)

// listAt returns the list that a pointer points to, or an invalid value for nil.
func listAt(pointer any) (list reflect.Value, n int) {
	if pointer == nil {
		return reflect.Value{}, 0
	}
	list = reflect.ValueOf(pointer).Elem()
	return list, list.Len()
}

// blocks allocates many byte slices with few allocations.
type blocks struct{ rest []byte }

const maxBlock = 64 << 10

// firstBlocks holds the first blocks of finished calls: most calls need no other.
var firstBlocks = sync.Pool{New: func() any { return new([maxBlock]byte) }}

// free returns empty space to append to.
func (m *blocks) free() []byte { return m.rest[:0:len(m.rest)] }

// take ends the use of the space that data was appended to; more is about how many slices of its size are still to come.
func (m *blocks) take(data []byte, more int) {
	switch {
	case len(data) == 0:
		return
	case len(m.rest) > 0 && &data[0] == &m.rest[0]:
		m.rest = m.rest[len(data):]
	default:
		m.rest = nil // the space was too small, so data has its own memory
	}
	// A little more than their size, as few are of quite the same.
	if size := len(data) + len(data)/16 + 16; more > 0 && len(m.rest) < size {
		m.rest = make([]byte, min(size*more, max(size, maxBlock)))
	}
}

// BatchWrite puts the items of the list at puts, and deletes the keys of the list at deletes; each may be nil.
func (c *Table) BatchWrite(ctx context.Context, puts, deletes any, call BatchCall) error {
	if err := c.Usable(); err != nil {
		return err
	}
	ctx, stop := keepReportTime(ctx)
	defer stop()
	b := c.batchWriter(0)
	defer func() { b.stats.report(call.stats) }()
	return b.put(ctx, puts, deletes)
}

// BatchPutAll puts the items of windows of the stream, each in its own batches, and stops at the first window that fails.
func (c *Table) BatchPutAll(ctx context.Context, list Stream, call BatchCall) (err error) {
	if err := c.Usable(); err != nil {
		return err
	}
	ctx, stop := keepReportTime(ctx)
	defer stop()
	var (
		stats BatchStats
		first int
	)
	defer func() { stats.report(call.stats) }()
	ctx, task := progress.Start(ctx, "BatchWriteItem "+c.Name)
	defer task.Stop("it ended with a panic") // unless it has ended before
	list.windows(maxBatchWrite*c.concurrency, func(window any, n int) bool {
		b := c.batchWriter(first)
		err = b.put(ctx, window, nil)
		stats.add(b.stats)
		task.Items(int64(b.stats.Done))
		if invalid, ok := errors.AsType[*ddberr.InvalidError](err); ok {
			err = operr.New(b.op, c.Name, "", b.rejected(n, invalid))
		}
		first += n
		return err == nil
	})
	task.End(err)
	return err
}

func (c *Table) batchWriter(first int) *batch {
	return &batch{core: c, op: "BatchWriteItem", write: true, first: first, start: time.Now()}
}

// put writes the batch.
func (b *batch) put(ctx context.Context, puts, deletes any) error {
	room := firstBlocks.Get().(*[maxBlock]byte) //nolint:forcetypeassert // the pool holds nothing else
	defer func() {
		if !b.kept.Load() {
			firstBlocks.Put(room)
		}
	}()
	if err := b.prepare(room, puts, deletes); err != nil {
		return operr.New(b.op, b.core.Name, "", err)
	}
	err := b.run(ctx, b.winners(), b.sendWrites)
	if b.core.warn != nil {
		for _, e := range b.entries {
			if !e.del && e.winner == nil && e.err == nil {
				b.core.warnSize(e.data)
			}
		}
	}
	return err
}

// rejected lists all items of a window of which nothing was sent.
func (b *batch) rejected(n int, err error) *ddberr.BatchError {
	e := &ddberr.BatchError{Total: b.first + n}
	for i := range n {
		e.Failed = append(e.Failed, ddberr.BatchFailure{Index: b.first + i, Err: err})
	}
	return e
}

func (b *batch) prepare(room *[maxBlock]byte, puts, deletes any) error {
	var (
		c            = b.core
		items, nPuts = listAt(puts)
		keys, nDels  = listAt(deletes)
		errs         []error
	)
	if h := c.GuardAttr(); h != nil {
		errs = append(errs, fmt.Errorf("a batch write on a table with a version (attribute %s): the BatchWriteItem API takes no conditions; use Put, Delete or Transact", h.Path()))
	}
	errs = append(errs, c.needsPrefix())
	b.entries = make([]batchEntry, 0, nPuts+nDels)
	var (
		ids  []byte // of all entries
		ends = make([]int, 0, nPuts+nDels)
		mem  = blocks{rest: room[:]}
	)
	add := func(e batchEntry, what string, index int, values [2][]byte, err error) {
		longer := ids
		if err == nil {
			longer, err = c.KeyNames.AppendCaptured(ids, values, e.data)
		}
		if !e.del {
			err = errors.Join(err, c.checkItem(e.data))
		}
		if err != nil {
			errs = append(errs, operr.Input(what, index, err)...)
			return
		}
		if ids = longer; len(ends) == 0 { // room for keys like the first
			ids = slices.Grow(ids, cap(ends)*(len(ids)+keySlack))
		}
		b.entries = append(b.entries, e)
		ends = append(ends, len(ids))
	}
	for i := range nPuts {
		item, _, derr := deriveFields(c, items.Index(i), items.Index(i), nothing)
		data, values, err := codec.AppendCapturing(mem.free(), c.Plan, item, c.KeyNames)
		if err == nil {
			data, err = c.markItem(data)
		}
		mem.take(data, nPuts-i-1)
		add(batchEntry{index: b.first + i, data: data}, "item", b.first+i, values, errors.Join(derr, err))
	}
	for i := range nDels {
		data, err := appendKey(c, mem.free(), keys.Index(i))
		mem.take(data, nDels-i-1)
		add(batchEntry{index: i, del: true, data: data}, "key", i, itemid.Plain(data, c.KeyNames), err)
	}
	text, from := string(ids), 0
	for i, to := range ends {
		b.entries[i].key, from = text[from:to], to
	}
	return operr.Invalid(append(errs, b.dedupe())...)
}

// dedupe keeps only the last put of each key, since DynamoDB accepts a key once in a request. A put and a delete of one key
// contradict each other.
func (b *batch) dedupe() error {
	b.byKey = make(map[string]*batchEntry, len(b.entries))
	var errs []error
	for i := range b.entries {
		e := &b.entries[i]
		if before := b.byKey[e.key]; before != nil {
			if before.del != e.del {
				errs = append(errs, fmt.Errorf("%s and %s have the same key: it cannot be both put and deleted in a batch, which has no order", before.label(), e.label()))
			}
			before.winner = e
		}
		b.byKey[e.key] = e
	}
	return errors.Join(errs...)
}

func (e *batchEntry) label() string {
	if e.del {
		return fmt.Sprintf("delete %d", e.index)
	}
	return fmt.Sprintf("item %d", e.index)
}

// winners are the entries that are sent.
func (b *batch) winners() []*batchEntry {
	all := make([]*batchEntry, 0, len(b.entries))
	for i := range b.entries {
		if e := &b.entries[i]; e.winner == nil {
			all = append(all, e)
		}
	}
	return all
}

func (b *batch) sendWrites(ctx context.Context, options wire.Options, pending []*batchEntry) (left []*batchEntry, err error) {
	writes := make([]wire.Write, len(pending))
	for i, e := range pending {
		if e.del {
			writes[i].Delete = e.data
			continue
		}
		writes[i].Put = e.data
	}
	err = b.send(ctx, options, pending, func(ctx context.Context, o outgoing) (replyInfo, error) {
		if o.watched {
			b.kept.Store(true)
		}
		in := &dynamodb.BatchWriteItemInput{ReturnConsumedCapacity: o.capacity, ReturnItemCollectionMetrics: o.metrics}
		out, err := wire.BatchWriteItem(ctx, b.core.Client, in, []wire.TableWrites{{Table: b.core.Name, Writes: writes}}, o.options)
		if out == nil {
			return replyInfo{}, err
		}
		left, err = b.leftWrites(out.UnprocessedItems, pending)
		return replyInfo{
			answered: true, capacities: out.ConsumedCapacity, collections: out.ItemCollectionMetrics, items: len(pending) - len(left),
		}, err
	})
	return left, err
}

func (b *batch) leftWrites(unprocessed map[string][]types.WriteRequest, pending []*batchEntry) (left []*batchEntry, err error) {
	for _, requests := range unprocessed {
		for _, r := range requests {
			var item map[string]types.AttributeValue // or a key
			switch {
			case r.PutRequest != nil:
				item = r.PutRequest.Item
			case r.DeleteRequest != nil:
				item = r.DeleteRequest.Key
			}
			if left, err = b.leftOf(left, pending, item); err != nil {
				return nil, err
			}
		}
	}
	return left, nil
}
