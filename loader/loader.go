// SPDX-License-Identifier: Apache-2.0

// Package loader combines calls of Get by many goroutines into one BatchGet (the dataloader pattern of GraphQL servers):
//
//	users := loader.New(ctx, table) // of the request that is being served
//	...
//	u, err := users.Get(ctx, "u1") // in each of many resolvers
//
// A loader belongs to one request: make it where the request begins, with the request's context. Its batches use the budgets, label and deadline of that context.
package loader

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
)

// Table is the table that a loader reads: a [ddb.Table] (K is its Key) or a [ddb.SimpleTable] (K is its partition key).
type Table[T, K any] interface {
	BatchGet(ctx context.Context, keys []K, opts ...ddb.GetOption) ([]ddb.Got[T], error)
}

const (
	// Moment is how long the first call of a batch waits for others.
	Moment = time.Millisecond
	// most is how many calls a batch collects: as many keys as one request can have.
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
	most = 100
)

// Loader collects calls of Get. It is safe for concurrent use. It does not cache: a later call reads again.
type Loader[T, K any] struct {
	ctx   context.Context //nolint:containedctx // the loader belongs to one request
	table Table[T, K]
	opts  []ddb.GetOption

	mu    sync.Mutex
	open  *batch[T, K] // that collects calls
	stats Stats
}

// Stats are the counters of a loader.
type Stats struct {
	Calls   int // of Get
	Batches int // that were read
}

type batch[T, K any] struct {
	keys    []K
	waiting int // callers that have not left
	full    chan struct{}
	done    chan struct{}
	cancel  context.CancelFunc
	got     []ddb.Got[T]
	err     error
	own     []error // of the keys that were read individually
}

// New makes a loader for the work of one context. The options are those of [ddb.Table.BatchGet] and apply to all of its calls. For consistent and eventually consistent
// reads, make two loaders.
func New[T, K any](ctx context.Context, table Table[T, K], opts ...ddb.GetOption) *Loader[T, K] {
	return &Loader[T, K]{ctx: ctx, table: table, opts: opts}
}

// Format prints the type's name without keys, for every verb.
func (l *Loader[T, K]) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, "loader.Loader") }

// LogValue returns the text that Format prints.
func (l *Loader[T, K]) LogValue() slog.Value { return slog.StringValue("loader.Loader") }

// Stats returns the counters so far.
func (l *Loader[T, K]) Stats() Stats {
	if l == nil {
		return Stats{}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.stats
}

// Get reads one item, together with the calls that others make within a [Moment], up to 100 of them. It returns [ddb.ErrNotFound] if there is no item, and otherwise only
// the error of its own key. Equal keys are read once; each caller gets a separate item.
//
// When ctx ends, this call returns its error and the others continue. When all callers of a batch have left, or the loader's context ends, the read ends.
// It is billed like BatchGet: each different key separately.
func (l *Loader[T, K]) Get(ctx context.Context, key K) (item T, err error) {
	if l == nil || l.table == nil || l.ctx == nil {
		return item, &ddb.InvalidError{Problems: []error{errors.New("a zero loader was used; make it with loader.New")}}
	}
	if err := ctx.Err(); err != nil {
		return item, err
	}
	b, i := l.join(key) //nolint:contextcheck // the read serves several callers; its context is the loader's
	select {
	case <-b.done:
	case <-ctx.Done():
		l.leave(b)
		return item, ctx.Err()
	}
	return b.result(i)
}

// join adds a key to the batch that is collecting calls, or begins one.
func (l *Loader[T, K]) join(key K) (*batch[T, K], int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stats.Calls++
	b := l.open
	if b == nil {
		b = &batch[T, K]{full: make(chan struct{}), done: make(chan struct{})}
		ctx, cancel := context.WithCancel(l.ctx) //nolint:gosec // the last caller that leaves calls it
		b.cancel = cancel
		l.open = b
		l.stats.Batches++
		go l.read(ctx, b)
	}
	b.keys = append(b.keys, key)
	b.waiting++
	if len(b.keys) == most {
		close(b.full)
		l.open = nil
	}
	return b, len(b.keys) - 1
}

// leave removes a caller. The last one ends the read and waits for it, so that no goroutine outlives its callers.
func (l *Loader[T, K]) leave(b *batch[T, K]) {
	l.mu.Lock()
	b.waiting--
	last := b.waiting == 0
	if last && l.open == b {
		l.open = nil
	}
	l.mu.Unlock()
	if last {
		b.cancel()
		<-b.done
	}
}

// read waits a moment and reads the batch.
func (l *Loader[T, K]) read(ctx context.Context, b *batch[T, K]) {
	defer close(b.done)
	defer b.cancel()
	moment := time.NewTimer(Moment)
	defer moment.Stop()
	select {
	case <-moment.C:
	case <-b.full:
	case <-ctx.Done():
	}
	l.mu.Lock()
	if l.open == b {
		l.open = nil
	}
	keys := b.keys
	l.mu.Unlock()
	b.err = errors.New("loader: the read ended before its result") // if BatchGet ends the goroutine
	got, err := l.table.BatchGet(ctx, keys, l.opts...)
	if len(keys) > 1 && errors.Is(err, ddb.ErrInvalid) {
		// An invalid key made BatchGet refuse all keys before anything was sent. It must not affect the others.
		b.own = make([]error, len(keys))
		got, err = make([]ddb.Got[T], len(keys)), nil
		for i := range keys {
			one, bad := l.table.BatchGet(ctx, keys[i:i+1], l.opts...)
			if b.own[i] = cause(bad); len(one) == 1 {
				got[i] = one[0]
			}
		}
	}
	b.got, b.err = got, err
}

// cause returns the error of the only key of a batch.
func cause(err error) error {
	if failed, ok := errors.AsType[*ddb.BatchError](err); ok && len(failed.Failed) == 1 {
		return failed.Failed[0].Err
	}
	return err
}

// result is the result for one key.
func (b *batch[T, K]) result(i int) (item T, err error) {
	if b.own != nil && b.own[i] != nil {
		return item, b.own[i]
	}
	if b.err != nil {
		failed, ok := errors.AsType[*ddb.BatchError](b.err)
		if !ok {
			return item, b.err
		}
		for _, f := range failed.Failed {
			if f.Index == i {
				return item, f.Err
			}
		}
	}
	if i >= len(b.got) || !b.got[i].Found {
		return item, ddb.ErrNotFound
	}
	return b.got[i].Item, nil
}
