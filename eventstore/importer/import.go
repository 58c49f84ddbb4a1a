package importer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
)

// Report is what an import or a verification has done.
type Report struct {
	// Streams and Events are how many were looked at, Written how many events were written by this call.
	Streams, Events, Written int64
	// Differences are what [Verify] has found, at most 1,000 of them.
	Differences []Difference
}

// Difference is an event that is not the same in the new store.
type Difference struct {
	Stream  string
	Version int64
	// What differs, such as "type" or "data", or that the event is missing.
	What string
}

// Option is an option of [Import] and [Verify].
type Option func(*work)

// Renumber imports streams whose sequences have gaps; without it these are refused with [ErrSequence].
func Renumber() Option { return func(w *work) { w.renumber = true } }

// Concurrency is how many streams are worked on at the same time, 4 without it.
func Concurrency(n int) Option { return func(w *work) { w.concurrency = n } }

// DryRun reads the whole source and writes nothing.
func DryRun() Option { return func(w *work) { w.dry = true } }

// OnProgress is told of every stream that is done, from many goroutines.
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

	mu     sync.Mutex
	report Report
}

// Import copies all streams of a source into a store. It can be called again, also after it has ended early, and then
// goes on behind what is there already. Each batch of up to 80 events is one append, with its cost.
//
// An error ends the import and says of which kind it is: [ErrMalformed], [ErrSequence],
// [ErrForeign], or one of the tables or the store. The report tells how far it came.
func Import(ctx context.Context, source Source, store *eventstore.Store, opts ...Option) (Report, error) {
	w := newWork(source, store, opts)
	return w.run(ctx, w.copy)
}

// Verify compares every event of a source with the store: id, type, schema, data, metadata, correlation and causation, and
// how many there are. It changes nothing. What differs is in the report; the error is for what could not be read.
func Verify(ctx context.Context, source Source, store *eventstore.Store, opts ...Option) (Report, error) {
	w := newWork(source, store, opts)
	return w.run(ctx, w.compare)
}

func newWork(source Source, store *eventstore.Store, opts []Option) *work {
	w := &work{source: source, store: store, concurrency: 4, progress: func(Stream, int64) {}}
	for _, opt := range opts {
		opt(w)
	}
	return w
}

// run works on all streams.
func (w *work) run(ctx context.Context, each func(context.Context, Stream) (int64, error)) (Report, error) {
	if w.concurrency < 1 || w.source == nil || w.store == nil || w.progress == nil {
		return Report{}, &ddb.InvalidError{Problems: []error{errors.New("import: it takes a source, a store, and a concurrency of at least 1")}}
	}
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
			w.progress(s, n)
		})
	}
	wg.Wait()
	return w.report, context.Cause(ctx)
}

// A batch stays below the limits of a transaction, with room for what the store adds.
const (
	batchEvents = 80
	batchBytes  = 3 << 20
)

// copy imports one stream.
func (w *work) copy(ctx context.Context, s Stream) (int64, error) {
	there, err := w.behind(ctx, s)
	if err != nil {
		return 0, err
	}
	var (
		batch []eventstore.NewEvent
		size  int
		next  = int64(1) // the version of the next record
	)
	flush := func() error {
		if len(batch) == 0 || w.dry {
			batch, size = nil, 0
			return nil
		}
		expected := next - 1 - int64(len(batch))
		_, err := w.store.Append(ctx, s.Name, eventstore.Exactly(expected), eventstore.Events(batch), eventstore.CommitID(commitID(s, expected)))
		if errors.Is(err, eventstore.ErrWrongExpectedVersion) || errors.Is(err, eventstore.ErrCorruptIdempotency) {
			return fmt.Errorf("import: %w: %w", ErrForeign, err)
		}
		if err != nil {
			return fmt.Errorf("import: %w", err)
		}
		w.mu.Lock()
		w.report.Written += int64(len(batch))
		w.mu.Unlock()
		batch, size = nil, 0
		return nil
	}
	err = w.records(ctx, s, func(e eventstore.NewEvent) error {
		if next <= there.version {
			if next == there.version && e.ID != there.id {
				return fmt.Errorf("import: %w: version %d has another id", ErrForeign, next)
			}
			next++
			return nil
		}
		n := len(e.Data) + 1000
		if len(batch) == batchEvents || size+n > batchBytes {
			if err := flush(); err != nil {
				return err
			}
		}
		batch, size = append(batch, e), size+n
		next++
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err == nil && there.version >= next {
		err = fmt.Errorf("import: %w: it has %d events, the source %d", ErrForeign, there.version, next-1)
	}
	return next - 1, err
}

// place is how far a stream has been imported.
type place struct {
	version int64
	id      string
}

func (w *work) behind(ctx context.Context, s Stream) (place, error) {
	for e, err := range w.store.Read(ctx, s.Name, eventstore.Backward(), eventstore.Limit(1)) {
		return place{e.Version, e.ID}, err
	}
	return place{}, nil
}

// records hands the events of a stream of the source over, as the new store gets them.
func (w *work) records(ctx context.Context, s Stream, each func(eventstore.NewEvent) error) error {
	version, last := int64(0), int64(-1)
	for r, err := range w.source.Events(ctx, s) {
		if err != nil {
			return fmt.Errorf("import: read a stream: %w", err)
		}
		if r.Sequence >= 0 {
			if last >= 0 && r.Sequence != last+1 && !w.renumber || last < 0 && r.Sequence > 1 && !w.renumber {
				return fmt.Errorf("import: %w: %d follows %d; the option Renumber imports it all the same", ErrSequence, r.Sequence, last)
			}
			last = r.Sequence
		}
		version++
		w.mu.Lock()
		w.report.Events++
		w.mu.Unlock()
		if err := each(r.event(s, version)); err != nil {
			return err
		}
	}
	return nil
}

// commitID names a batch by where it begins, so that a repeat is recognised.
func commitID(s Stream, expected int64) string {
	sum := sha256.Sum256([]byte(s.Key))
	return fmt.Sprintf("import-%s-%d", hex.EncodeToString(sum[:16]), expected)
}

// compare verifies one stream.
func (w *work) compare(ctx context.Context, s Stream) (int64, error) {
	var (
		want []eventstore.NewEvent
		n    int64
	)
	differ := func(version int64, what string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.report.Differences) < 1000 {
			w.report.Differences = append(w.report.Differences, Difference{s.Name, version, what})
		}
	}
	check := func() error {
		from := n - int64(len(want)) + 1
		i := 0
		for e, err := range w.store.Read(ctx, s.Name, eventstore.From(from), eventstore.UpTo(n)) {
			if err != nil {
				return fmt.Errorf("verify: %w", err)
			}
			for _, what := range differences(want[i], e) {
				differ(e.Version, what)
			}
			i++
		}
		for ; i < len(want); i++ {
			differ(from+int64(i), "it is missing")
		}
		want = want[:0]
		return nil
	}
	err := w.records(ctx, s, func(e eventstore.NewEvent) error {
		n++
		if want = append(want, e); len(want) == batchEvents {
			return check()
		}
		return nil
	})
	if err == nil && len(want) > 0 {
		err = check()
	}
	if err != nil {
		return n, err
	}
	if there, err := w.behind(ctx, s); err != nil {
		return n, fmt.Errorf("verify: %w", err)
	} else if there.version > n {
		differ(n+1, "it is not in the source")
	}
	return n, nil
}

func differences(want eventstore.NewEvent, got eventstore.Event) []string {
	var list []string
	for what, same := range map[string]bool{
		"id": want.ID == got.ID, "type": want.Type == got.Type, "schema": want.Schema == got.Schema,
		"data": bytes.Equal(want.Data, got.Data), "metadata": maps.Equal(want.Metadata, got.Metadata),
		"correlation id": want.CorrelationID == got.CorrelationID, "causation id": want.CausationID == got.CausationID,
	} {
		if !same {
			list = append(list, what)
		}
	}
	return list
}
