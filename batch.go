package ddb

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of one batch request, see
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html and API_BatchGetItem.html.
const (
	maxBatchGet   = 100
	maxBatchWrite = 25
	maxBatchBytes = 16 << 20
)

// BatchOption is an option of the batch writes.
type BatchOption interface{ applyBatch(*batchCall) }

type batchCall struct{ stats *BatchStats }

// BatchStats is what a batch did. Hand it in with [StatsTo].
type BatchStats struct {
	// Done is how many inputs were read, written or deleted for certain.
	Done int
	// Requests is how many requests were answered, the SDK's own retries not counted.
	Requests int
	// Retries is how many of them sent again what DynamoDB had left unprocessed.
	Retries int
	// Elapsed is the time that the call took.
	Elapsed time.Duration
	// Consumed is what it cost; zero without capacity counting.
	Consumed Consumed
}

type statsOption struct{ dst *BatchStats }

func (o statsOption) applyBatch(b *batchCall) { b.stats = o.dst }
func (o statsOption) applyGet(r *readCall)    { r.stats = o.dst }

// StatsTo stores what a batch did in dst, after success and after failure:
//
//	var stats ddb.BatchStats
//	err := events.BatchPut(ctx, list, ddb.StatsTo(&stats))
func StatsTo(dst *BatchStats) interface {
	BatchOption
	GetOption
} {
	return statsOption{dst}
}

// BatchError is a batch of which a part was not done. Everything that it does
// not list was done. Use errors.Is and errors.As on it for the causes.
type BatchError struct {
	// Total is how many inputs the call had.
	Total int
	// Failed are the inputs that were not, or not for certain, done, in the order of the input.
	Failed []BatchFailure
}

// BatchFailure is one input of a batch that was not, or not for certain, done.
type BatchFailure struct {
	// Index is the place in the argument of the call.
	Index int
	// Delete tells a delete of BatchWrite from a put; Index then counts in the deletes.
	Delete bool
	// Unknown is set when the request was sent and no reply tells whether this
	// input was done. Sending it again is safe, for puts and deletes are idempotent.
	Unknown bool
	Err     error
}

// Error counts the failures and gives the distinct causes.
func (e *BatchError) Error() string {
	texts := []string{fmt.Sprintf("%d of %d not done", len(e.Failed), e.Total)}
	for _, f := range e.Failed {
		if cause := causeText(f.Err); !slices.Contains(texts, cause) && len(texts) < 4 {
			texts = append(texts, cause)
		}
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the distinct causes.
func (e *BatchError) Unwrap() []error {
	var causes []error
	for _, f := range e.Failed {
		if !slices.Contains(causes, f.Err) {
			causes = append(causes, f.Err)
		}
	}
	return causes
}

// Puts are the indexes of the puts, or of the keys of BatchGet, that failed.
func (e *BatchError) Puts() []int { return e.indexes(false) }

// Deletes are the indexes of the deletes that failed.
func (e *BatchError) Deletes() []int { return e.indexes(true) }

func (e *BatchError) indexes(del bool) []int {
	var all []int
	for _, f := range e.Failed {
		if f.Delete == del {
			all = append(all, f.Index)
		}
	}
	return all
}

// Pick returns the elements of a list at the given indexes, for example the items
// to try again:
//
//	var failed *ddb.BatchError
//	if errors.As(err, &failed) {
//		again := ddb.Pick(items, failed.Puts())
//	}
func Pick[E any](list []E, indexes []int) []E {
	picked := make([]E, 0, len(indexes))
	for _, i := range indexes {
		picked = append(picked, list[i])
	}
	return picked
}

// batch is one batch call under way: entries in chunks, some chunks at a time.
type batch struct {
	core    *core
	op      string
	write   bool
	entries []batchEntry
	byKey   map[string]*batchEntry // the entry that stands for each key
	stats   BatchStats
	start   time.Time
	mu      sync.Mutex // guards stats
	halt    atomic.Pointer[error]
}

// batchEntry is one input. Only the worker of its chunk writes to it.
type batchEntry struct {
	index   int
	del     bool
	key     string
	data    []byte      // the encoded item or key of a write
	winner  *batchEntry // of the same key, which stands for this one
	twin    *batchEntry // the next of the same key for which this one stands
	err     error
	unknown bool
}

// run works off the chunks, as many at a time as the table allows, and gathers what failed.
func (b *batch) run(ctx context.Context, chunks [][]*batchEntry, send func(context.Context, []*batchEntry) (left []*batchEntry, err error)) error {
	var wg sync.WaitGroup
	queue := make(chan []*batchEntry)
	for range min(b.core.concurrency, len(chunks)) {
		wg.Go(func() {
			for chunk := range queue {
				b.chunk(ctx, chunk, send)
			}
		})
	}
	for _, c := range chunks {
		queue <- c
	}
	close(queue)
	wg.Wait()
	return b.result()
}

// chunk sends one chunk until nothing is left of it or the retrier gives up.
func (b *batch) chunk(ctx context.Context, pending []*batchEntry, send func(context.Context, []*batchEntry) ([]*batchEntry, error)) {
	retry := newRetrier(b.core.retry, b.core.budget)
	for sent := false; ; sent = true {
		if cause := b.halt.Load(); cause != nil {
			fail(pending, *cause, false)
			return
		}
		if err := ctx.Err(); err != nil {
			fail(pending, err, false)
			return
		}
		left, err := send(ctx, pending)
		if err != nil {
			fail(pending, classify(err), outcomeOf(err) != NotApplied)
			if outcomeOf(err) == NotApplied && !IsRetryable(classify(err)) {
				b.halt.CompareAndSwap(nil, &err) // every other chunk would be refused as well
			}
			return
		}
		b.mu.Lock()
		b.stats.Requests++
		if sent {
			b.stats.Retries++
		}
		b.mu.Unlock()
		if len(left) == 0 {
			retry.succeeded()
			return
		}
		progressed := len(left) < len(pending)
		pending = left
		if err := retry.next(ctx, progressed); err != nil {
			fail(pending, fmt.Errorf("left unprocessed by DynamoDB: %w", err), false)
			return
		}
	}
}

func fail(entries []*batchEntry, err error, unknown bool) {
	for _, e := range entries {
		e.err, e.unknown = err, unknown
	}
}

func (b *batch) result() error {
	b.stats.Elapsed = time.Since(b.start)
	e := &BatchError{Total: len(b.entries)}
	for i := range b.entries {
		n := &b.entries[i]
		for n.winner != nil {
			n = n.winner
		}
		if n.err != nil {
			e.Failed = append(e.Failed, BatchFailure{Index: b.entries[i].index, Delete: n.del, Unknown: n.unknown, Err: n.err})
		}
	}
	b.stats.Done = len(b.entries) - len(e.Failed)
	if len(e.Failed) == 0 {
		return nil
	}
	return opError(b.op, b.core.name, "", e)
}

func (b *batch) report(dst *BatchStats) {
	if dst != nil {
		*dst = b.stats
	}
}
