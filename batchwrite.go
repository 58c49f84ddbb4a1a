package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/wire"
)

// BatchPut stores any number of items, each in place of any item with its key: 25
// at a time, up to the table's [Concurrency] requests at once. What DynamoDB left
// unprocessed is sent again, with full jitter, within the [RetryPolicy]; progress
// renews its attempts.
//
// Items that were not written are named by a [*BatchError]; all others were.
// Of several items with one key the last is written, since DynamoDB takes a key only
// once. Items that cannot be written are refused before anything is sent. A batch is not
// atomic and has no conditions: on a table with [Version] it is refused, and the
// times of [Created] and [Updated] are written as they are in the items.
//
// Each item is billed by itself, as by Put.
func (t *items[T, K]) BatchPut(ctx context.Context, list []T, opts ...BatchOption) error {
	return t.BatchWrite(ctx, list, nil, opts...)
}

// BatchDelete removes the items with the keys; see [Table.BatchPut]. Removing what
// does not exist is no failure.
func (t *items[T, K]) BatchDelete(ctx context.Context, keys []K, opts ...BatchOption) error {
	return t.BatchWrite(ctx, nil, keys, opts...)
}

// BatchWrite stores and removes items in one call, in no order; see [Table.BatchPut].
// A key that stands in both is refused.
func (t *items[T, K]) BatchWrite(ctx context.Context, puts []T, deletes []K, opts ...BatchOption) error {
	var call batchCall
	for _, o := range opts {
		if o != nil {
			o.applyBatch(&call)
		}
	}
	b := &batch{core: t.core, op: "BatchWriteItem", write: true, start: time.Now()}
	if err := t.prepareBatch(b, puts, deletes); err != nil {
		return opError(b.op, t.name, "", err)
	}
	err := b.run(ctx, b.writeChunks(), b.sendWrites)
	b.report(call.stats)
	return err
}

// BatchPutAll is BatchPut for a stream of items of any length, in constant memory.
// The first failure ends it; its [*BatchError] counts from the first item of the stream.
func (t *items[T, K]) BatchPutAll(ctx context.Context, list iter.Seq[T], opts ...BatchOption) error {
	done := 0
	for window := range windows(list, maxBatchWrite*t.concurrency) {
		err := t.BatchPut(ctx, window, opts...)
		if failed, ok := errors.AsType[*BatchError](err); ok {
			for i := range failed.Failed {
				failed.Failed[i].Index += done
			}
			failed.Total += done
		}
		if err != nil {
			return err
		}
		done += len(window)
	}
	return nil
}

func (t *items[T, K]) prepareBatch(b *batch, puts []T, deletes []K) error {
	var errs []error
	if t.version != nil {
		errs = append(errs, fmt.Errorf("a batch write on a table with a version (attribute %s): the BatchWriteItem API takes no conditions; use Put, Delete or Transact", t.version.path))
	}
	b.entries = make([]batchEntry, 0, len(puts)+len(deletes))
	var id []byte
	for i := range puts {
		data, err := codec.Append(nil, t.plan, &puts[i])
		if err == nil {
			id, err = t.appendKeyID(id[:0], data)
			err = errors.Join(err, checkItemSize(data))
		}
		if err != nil {
			errs = append(errs, inputError("item", i, err)...)
			continue
		}
		b.entries = append(b.entries, batchEntry{index: i, key: string(id), data: data})
	}
	for i, k := range deletes {
		key, err := t.encodeKey(k)
		if err != nil {
			errs = append(errs, inputError("key", i, err)...)
			continue
		}
		data, err := codec.AppendItemMap(nil, key)
		errs = append(errs, err)
		b.entries = append(b.entries, batchEntry{index: i, del: true, key: t.keyID(key), data: data})
	}
	return invalid(append(errs, b.dedupe())...)
}

// dedupe lets the last put of a key stand for all, since DynamoDB takes a key
// once in a request. A put and a delete of one key contradict each other.
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

func inputError(what string, i int, err error) []error {
	var all []error
	for _, e := range flatten(err) {
		all = append(all, fmt.Errorf("%s %d: %w", what, i, e))
	}
	return all
}

func (e *batchEntry) label() string {
	if e.del {
		return fmt.Sprintf("delete %d", e.index)
	}
	return fmt.Sprintf("item %d", e.index)
}

// writeChunks splits by number and by size of the request body.
func (b *batch) writeChunks() [][]*batchEntry {
	var (
		chunks [][]*batchEntry
		chunk  []*batchEntry
		size   int
	)
	for i := range b.entries {
		e := &b.entries[i]
		if e.winner != nil {
			continue
		}
		if len(chunk) == maxBatchWrite || size+len(e.data) > maxBatchBytes {
			chunks, chunk, size = append(chunks, chunk), nil, 0
		}
		chunk = append(chunk, e)
		size += len(e.data)
	}
	if len(chunk) > 0 {
		chunks = append(chunks, chunk)
	}
	return chunks
}

func (b *batch) sendWrites(ctx context.Context, pending []*batchEntry) ([]*batchEntry, error) {
	writes := make([]wire.Write, len(pending))
	for i, e := range pending {
		if e.del {
			writes[i].Delete = e.data
			continue
		}
		writes[i].Put = e.data
	}
	in := &dynamodb.BatchWriteItemInput{ReturnConsumedCapacity: b.core.consumed()}
	out, err := wire.BatchWriteItem(ctx, b.core.client, in, []wire.TableWrites{{Table: b.core.name, Writes: writes}}, b.core.wire)
	if err != nil {
		return nil, err
	}
	b.booked(ctx, out.ConsumedCapacity)
	var left []*batchEntry
	for _, requests := range out.UnprocessedItems {
		for _, r := range requests {
			item := map[string]types.AttributeValue{}
			switch {
			case r.PutRequest != nil:
				item = r.PutRequest.Item
			case r.DeleteRequest != nil:
				item = r.DeleteRequest.Key
			}
			e := b.byKey[b.core.keyID(item)]
			if e == nil {
				return nil, errors.New("the reply leaves an item unprocessed that was not sent")
			}
			left = append(left, e)
		}
	}
	return left, nil
}
