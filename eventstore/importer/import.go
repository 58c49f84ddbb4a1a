// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/progress"
)

// Report is what an import or a verification has done.
type Report struct {
	// Streams and Events are the numbers that were read, Written the number of events that this call wrote.
	Streams, Events, Written int64
	// Pending is the number of streams that were imported only up to an event that the source has not decided yet.
	Pending int64
	// Differences are those found by [Verify], at most 1,000.
	Differences []Difference
}

// Option is an option of [Import] and [Verify].
type Option func(*work)

// Renumber imports streams whose sequences have gaps; without it they are refused with [ErrSequence].
func Renumber() Option { return func(w *work) { w.renumber = true } }

// Concurrency sets how many streams are processed at the same time; the default is 4.
func Concurrency(n int) Option { return func(w *work) { w.concurrency = n } }

// DryRun reads the whole source and writes nothing.
func DryRun() Option { return func(w *work) { w.dry = true } }

// OnProgress sets a function that is called for every finished stream, from many goroutines.
func OnProgress(f func(s Stream, events int64)) Option {
	return func(w *work) { w.progress = f }
}

type work struct {
	source      Source
	store       *eventstore.Store
	renumber    bool
	dry         bool
	concurrency int
	progress    func(Stream, int64)

	task *progress.Task

	mu     sync.Mutex
	report Report
}

// Import copies all streams of a source into a store. It can be called again, also after it has ended early, and then
// continues after what was imported already. Each batch of up to 80 events is one append, with its cost.
// If the source does not number its events, Import reads the new stream and finds the missing events by their ids. An event that the
// source received late is appended after the others, with [LateKey].
//
// An error ends the import: [ErrMalformed], [ErrSequence],
// [ErrForeign], or an error of the tables or the store. The report shows how far the import got.
func Import(ctx context.Context, source Source, store *eventstore.Store, opts ...Option) (Report, error) {
	w, err := newWork(source, store, opts)
	if err != nil {
		return Report{}, err
	}
	return w.run(ctx, "import of events", w.copy)
}

func newWork(source Source, store *eventstore.Store, opts []Option) (*work, error) {
	w := &work{source: source, store: store, concurrency: 4, progress: func(Stream, int64) {}}
	if source == nil || store == nil || slices.ContainsFunc(opts, func(o Option) bool { return o == nil }) {
		return nil, &ddb.InvalidError{Problems: []error{errors.New("eventstore/importer: the source, the store or an option is nil")}}
	}
	for _, opt := range opts {
		opt(w)
	}
	return w, nil
}

// run processes all streams.
func (w *work) run(ctx context.Context, job string, each func(context.Context, Stream) (int64, error)) (Report, error) {
	if w.concurrency < 1 || w.source == nil || w.store == nil || w.progress == nil {
		return Report{}, &ddb.InvalidError{Problems: []error{errors.New("import: it needs a source, a store, and a concurrency of at least 1")}}
	}
	ctx, w.task = progress.Start(ctx, job)
	defer w.task.Stop("it ended with a panic") // unless it has ended before
	r, err := w.all(ctx, each)
	w.task.End(ddberr.Redact(err))
	return r, err
}

func (w *work) all(ctx context.Context, each func(context.Context, Stream) (int64, error)) (Report, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	limit := make(chan struct{}, w.concurrency)
	for s, err := range w.source.Streams(ctx) {
		if err != nil {
			cancel(fmt.Errorf("import: list the streams: %w", err))
		}
		if ctx.Err() != nil {
			break
		}
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			n, err := each(ctx, s)
			if err != nil {
				cancel(err)
				return
			}
			w.mu.Lock()
			w.report.Streams++
			w.mu.Unlock()
			w.task.Count("streams", 1)
			w.progress(s, n)
		})
	}
	wg.Wait()
	return w.report, context.Cause(ctx)
}

// copy imports one stream.
func (w *work) copy(ctx context.Context, s Stream) (int64, error) {
	there, err := w.newest(ctx, s)
	if err != nil {
		return 0, err
	}
	a := &appender{w: w, s: s, next: there.version + 1}
	var known map[string]bool // the events of the new stream, if the source does not number its events
	place := int64(0)
	err = w.records(ctx, s, func(r Record) error {
		place++
		if place == 1 && there.version > 0 && r.Sequence < 0 && r.Event.ID != "" {
			if known, err = w.known(ctx, s); err != nil {
				return err
			}
		}
		switch {
		case known != nil && known[r.Event.ID]:
			delete(known, r.Event.ID)
			a.skip(r)
			return nil
		case known != nil:
			if len(known) > 0 { // later ones are there already
				r.Event.Metadata = with(maps.Clone(r.Event.Metadata), LateKey, "1")
			}
			return a.add(ctx, r)
		case place == there.version && r.event(s, place).ID != there.id:
			return fmt.Errorf("import: %w: version %d has another id", ErrForeign, place)
		case place <= there.version:
			a.skip(r)
			return nil
		}
		return a.add(ctx, r)
	})
	if err == nil {
		err = a.flush(ctx)
	}
	if err == nil && place < there.version {
		err = fmt.Errorf("import: %w: it has %d events, the source %d", ErrForeign, there.version, place)
	}
	return place, err
}

// known reads the ids of the events of a new stream, and refuses one that the source does not have.
func (w *work) known(ctx context.Context, s Stream) (map[string]bool, error) {
	known := make(map[string]bool)
	for e, err := range w.store.Read(ctx, s.Name) {
		if err != nil {
			return nil, fmt.Errorf("import: read the new stream: %w", err)
		}
		known[e.ID] = true
	}
	foreign := len(known)
	for r, err := range w.source.Events(ctx, s) {
		if err != nil {
			return nil, fmt.Errorf("import: read a stream: %w", err)
		}
		if known[r.Event.ID] {
			foreign--
		}
	}
	if foreign > 0 {
		return nil, fmt.Errorf("import: %w: %d of its events", ErrForeign, foreign)
	}
	return known, nil
}

// reached returns how far a stream has been imported.
type reached struct {
	version int64
	id      string
}

// newest returns the newest event of a new stream.
func (w *work) newest(ctx context.Context, s Stream) (reached, error) {
	for e, err := range w.store.Read(ctx, s.Name, eventstore.Backward(), eventstore.Limit(1)) {
		return reached{e.Version, e.ID}, err
	}
	return reached{}, nil
}

// records passes on the events of a stream of the source, up to a pending one, and checks their order.
func (w *work) records(ctx context.Context, s Stream, each func(Record) error) error {
	last := int64(-1)
	for r, err := range w.source.Events(ctx, s) {
		if err != nil {
			return fmt.Errorf("import: read a stream: %w", err)
		}
		if r.Sequence >= 0 {
			switch {
			case last >= 0 && r.Sequence == last+1, last < 0 && (r.Sequence <= 1 || r.First), w.renumber && r.Sequence > last:
			case r.Sequence <= last:
				return fmt.Errorf("import: %w: %d follows %d", ErrSequence, r.Sequence, last)
			default:
				return fmt.Errorf("import: %w: %d follows %d; the option Renumber imports it anyway", ErrSequence, r.Sequence, last)
			}
			last = r.Sequence
		}
		w.mu.Lock()
		if r.Pending {
			w.report.Pending++
		} else {
			w.report.Events++
		}
		w.mu.Unlock()
		if r.Pending {
			return nil
		}
		w.task.Items(1)
		if err := each(r); err != nil {
			return err
		}
	}
	return nil
}

// A batch stays below the limits of a transaction and leaves room for what the store adds.
const (
	batchEvents = 80
	batchBytes  = 3 << 20
)

// appender appends records to a new stream, in batches.
type appender struct {
	w     *work
	s     Stream
	batch []eventstore.NewEvent
	size  int
	next  int64 // the version of the next record

	request string // that wrote the records of the batch
	whole   bool   // the batch begins with the first record of the request
}

// skip skips a record that was imported already: the rest of its request is then not the whole request.
func (a *appender) skip(r Record) { a.request, a.whole = r.CommitID, false }

func (a *appender) add(ctx context.Context, r Record) error {
	e := r.event(a.s, a.next)
	n := len(e.Data) + 1000
	if r.CommitID != a.request || len(a.batch) == batchEvents || a.size+n > batchBytes {
		if err := a.flush(ctx); err != nil {
			return err
		}
	}
	if r.CommitID != a.request {
		a.request, a.whole = r.CommitID, true
	}
	a.batch, a.size = append(a.batch, e), a.size+n
	a.next++
	return nil
}

// maxCommitID is the length of the longest commit id; see [eventstore.CommitID].
const maxCommitID = 128

func (a *appender) flush(ctx context.Context) error {
	batch := a.batch
	whole := a.whole
	a.batch, a.size, a.whole = nil, 0, false
	if len(batch) == 0 || a.w.dry {
		return nil
	}
	expected := a.next - 1 - int64(len(batch))
	id := commitID(a.s, expected)
	if whole && a.request != "" && len(a.request) <= maxCommitID {
		id = a.request
	}
	return a.append(ctx, batch, expected, id)
}

// append appends a batch. It splits the batch in halves if it does not fit into a transaction because of what the store's options add.
func (a *appender) append(ctx context.Context, batch []eventstore.NewEvent, expected int64, id string) error {
	done, err := a.w.store.Append(ctx, a.s.Name, eventstore.Exactly(expected), eventstore.Events(batch), eventstore.CommitID(id))
	if _, large := errors.AsType[*eventstore.BatchTooLarge](err); large && len(batch) > 1 {
		half := len(batch) / 2
		if err := a.append(ctx, batch[:half], expected, id); err != nil {
			return err
		}
		expected += int64(half)
		return a.append(ctx, batch[half:], expected, commitID(a.s, expected))
	}
	switch {
	case errors.Is(err, eventstore.ErrWrongExpectedVersion), errors.Is(err, eventstore.ErrCorruptIdempotency):
		return fmt.Errorf("import: %w: %w", ErrForeign, err)
	case err != nil:
		return fmt.Errorf("import: %w", err)
	case done.First != expected+1: // found as a commit with the same id at another version
		return fmt.Errorf("import: %w: version %d is there under the commit id of version %d", ErrForeign, done.First, expected+1)
	}
	a.w.mu.Lock()
	a.w.report.Written += int64(len(batch))
	a.w.mu.Unlock()
	return nil
}

// commitID derives the id of a batch from where it begins, so that a repeat is recognised.
func commitID(s Stream, expected int64) string {
	sum := sha256.Sum256([]byte(s.Key))
	return fmt.Sprintf("import-%s-%d", hex.EncodeToString(sum[:16]), expected)
}
