// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"context"
	"errors"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

type rawKey = ddb.Key[rawitem.Value, rawitem.Value]

// entry is an item to be written, or a key to be deleted.
type entry struct {
	item rawitem.Item
	key  rawKey
	del  bool
	file string
	line int
}

// writer writes entries to a table and counts them.
type writer struct {
	settings
	table *rawtable.Table
	task  *progress.Task
	at    *position

	mu     sync.Mutex
	report Report
}

const batchSize = 25 // of BatchWriteItem

// failed records what could not be read or written.
func (w *writer) failed(e *LineError) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Failed++
	w.task.Count("failed", 1)
	if w.onFailure != nil {
		w.onFailure(e)
	}
}

func (w *writer) count(items, deleted, kept int) {
	w.mu.Lock()
	w.report.Items += int64(items)
	w.report.Deleted += int64(deleted)
	w.report.Kept += int64(kept)
	w.mu.Unlock()
	w.task.Items(int64(items + deleted + kept))
	w.task.Count("deleted", int64(deleted))
	w.task.Count("kept", int64(kept))
}

// advance records that more items of a part are done, and the position up to which the part is done; an empty position means all of it.
// whole reports whether this call has done the whole part.
func (w *writer) advance(part, items int, to string, whole bool) {
	w.at.advance(part, to, to == "")
	w.task.Work(part, float64(items))
	if to == "" {
		w.task.PartDone(part, whole)
	}
	if w.onPosition != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.onPosition(w.at.String)
	}
}

// write writes up to one batch. Items that cannot be written are failures; the returned error is one that ends the call.
func (w *writer) write(ctx context.Context, batch []entry) error {
	if len(batch) == 0 {
		return nil
	}
	if w.conditional() {
		return each(ctx, len(batch), batch, w.one)
	}
	var (
		puts, deletes []entry
		items         []rawitem.Item
		keys          []rawKey
	)
	for _, e := range batch {
		if e.del {
			deletes, keys = append(deletes, e), append(keys, e.key)
		} else {
			puts, items = append(puts, e), append(items, e.item)
		}
	}
	again, err := w.left(ctx, puts, func() error { return w.table.BatchPut(ctx, items) })
	if err != nil {
		return err
	}
	w.count(len(puts)-len(again), 0, 0)
	left, err := w.left(ctx, deletes, func() error { return w.table.BatchDelete(ctx, keys) })
	if err != nil {
		return err
	}
	w.count(0, len(deletes)-len(left), 0)
	for _, e := range append(again, left...) {
		if err := w.one(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// left returns the entries that a batch has not written. They are tried one by one, so that each has an error of its own.
func (w *writer) left(ctx context.Context, entries []entry, send func() error) ([]entry, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	err := send()
	if err == nil {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, err
	}
	if failed, ok := errors.AsType[*ddb.BatchError](err); ok {
		var left []entry
		for _, f := range failed.Failed {
			left = append(left, entries[f.Index])
		}
		return left, nil
	}
	if isItemError(err) {
		return entries, nil
	}
	return nil, err
}

// isItemError reports whether an error concerns only the item.
func isItemError(err error) bool {
	if errors.Is(err, ddb.ErrInvalid) {
		return true
	}
	api, ok := errors.AsType[interface {
		error
		ErrorCode() string
	}](err)
	return ok && (api.ErrorCode() == "ValidationException" || api.ErrorCode() == "ItemCollectionSizeLimitExceededException")
}

// one writes a single entry.
func (w *writer) one(ctx context.Context, e entry) error {
	err := w.put(ctx, e)
	switch {
	case err == nil && e.del:
		w.count(0, 1, 0)
	case err == nil:
		w.count(1, 0, 0)
	case errors.Is(err, ddb.ErrConditionFailed):
		w.count(0, 0, 1)
	case isItemError(err):
		w.failed(&LineError{e.file, e.line, err})
	default:
		return err
	}
	return nil
}

// attempts is the number of times that a write with an unknown outcome is tried.
const attempts = 5

// put sends one write. A conditional write whose reply was lost is sent again. Then a stored item that equals the item counts as
// written.
func (w *writer) put(ctx context.Context, e entry) error {
	if e.del {
		return w.table.DeleteKey(ctx, e.key)
	}
	if !w.conditional() {
		return w.table.Put(ctx, &e.item)
	}
	var err error
	for range attempts {
		unknown := errors.Is(err, ddb.ErrOutcomeUnknown)
		err = w.putIf(ctx, e.item)
		if failed, ok := errors.AsType[*ddb.ConditionFailed[rawitem.Item]](err); ok && unknown {
			if current, ok := failed.Current(); ok && current.Equal(e.item) {
				return nil
			}
		}
		if !errors.Is(err, ddb.ErrOutcomeUnknown) || ctx.Err() != nil {
			break
		}
	}
	return err
}

func (w *writer) putIf(ctx context.Context, item rawitem.Item) error {
	if w.onlyMissing {
		return w.table.Create(ctx, &item)
	}
	attribute := *w.onlyOlder
	ours, ok := item.Attr(attribute)
	if !ok {
		return invalid("the item lacks attribute " + attribute + ", by which OnlyOlder compares")
	}
	missing := ddb.NotExists(rawtable.Attr(w.table.Keys().Partition[0].Name))
	return w.table.Put(ctx, &item, ddb.If(ddb.Or(missing, rawtable.Attr(attribute).Lt(ours))))
}

// done completes the report. Failures result in an error, so that they are not overlooked.
func (w *writer) done(err error) (Report, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.at.left()) > 0 {
		w.report.Position = w.at.String()
	}
	if err == nil && w.report.Failed > 0 {
		err = &FailedError{w.report.Failed}
	}
	return w.report, err
}
