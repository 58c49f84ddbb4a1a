package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"

	"github.com/dynamotable/ddb/internal/codec"
)

// Scan reads a whole table or index, in no order that means anything. It is an
// immutable value like [Query]. A scan costs read units for everything that the
// table holds, whatever its filter drops.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
type Scan[T any] struct {
	read read
	plan *codec.Plan
}

// IndexScan is a [Scan] of a global index, without Consistent.
type IndexScan[T any] struct{ scan Scan[T] }

// Scan selects all items of the table.
func (t *items[T, K]) Scan() Scan[T] {
	return Scan[T]{read{core: t.core, scan: true}.changed(), t.plan}
}

// Scan selects all items that the index holds.
func (x *Index[T, PK, SK]) Scan() IndexScan[T] { return IndexScan[T]{x.scan()} }

// Scan selects all items that the index holds.
func (x *SimpleIndex[T, PK]) Scan() IndexScan[T] { return IndexScan[T]{x.scan()} }

// Scan selects all items that the index holds.
func (x *LocalIndex[T, PK, SK]) Scan() Scan[T] { return x.scan() }

func (x indexBase[T]) scan() Scan[T] {
	return Scan[T]{read{core: x.core, index: x.info, scan: true}.changed(), x.plan}
}

// Filter drops items after they were read and billed; see [Query.Filter].
func (s Scan[T]) Filter(conds ...Cond[T]) Scan[T] {
	s.read = addFilter(s.read, conds)
	return s
}

// Project reads only the given attributes, and the keys, into T.
func (s Scan[T]) Project(attrs ...AnyAttr) Scan[T] {
	s.read = s.read.projected(attrs)
	return s
}

// Limit is how many items are returned, whatever the filter drops. Zero is no limit.
func (s Scan[T]) Limit(n int) Scan[T] {
	s.read = s.read.limited(n)
	return s
}

// PageSize is how many items one request evaluates at most, in place of the table's [PageSize].
func (s Scan[T]) PageSize(n int) Scan[T] {
	s.read = s.read.paged(n)
	return s
}

// Consistent makes the scan strongly consistent, at twice the price.
func (s Scan[T]) Consistent() Scan[T] {
	s.read = s.read.changed()
	s.read.consistent = true
	return s
}

// After continues behind a cursor. The zero Cursor is the beginning.
func (s Scan[T]) After(c Cursor[T]) Scan[T] {
	s.read.after = c.at
	return s
}

// maxSegments is DynamoDB's limit of the parts of a parallel scan.
const maxSegments = 1_000_000

// Parallel reads n parts of the table at the same time, as many requests under
// way as the table's [Concurrency] allows. Pages, All, Collect and Count then
// give items of all parts as they come; Page, First, After and Before are
// refused, because a position in all parts is no cursor.
func (s Scan[T]) Parallel(n int) Scan[T] {
	s.read = s.read.changed()
	s.read.segments = n
	if n < 1 || n > maxSegments {
		s.read = s.read.wrong(fmt.Errorf("parallel scan of %d segments: must be 1 to %d", n, maxSegments))
	}
	return s
}

// Page reads one page; see [Query.Page].
func (s Scan[T]) Page(ctx context.Context) (Page[T], error) {
	return readPage[T](ctx, s.read.sequential(), s.plan)
}

// Pages reads page after page; see [Query.Pages].
func (s Scan[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	if s.read.segments > 1 {
		return scanParallel[T](ctx, s.read.whole(), s.plan)
	}
	return readPages[T](ctx, s.read, s.plan)
}

// All yields the items one by one; see [Query.All].
func (s Scan[T]) All(ctx context.Context) iter.Seq2[T, error] { return readAll(s.Pages(ctx)) }

// Collect reads all items into memory; on an error it returns those before it too.
func (s Scan[T]) Collect(ctx context.Context) ([]T, error) { return readCollect(s.All(ctx)) }

// Count counts the items of the whole scan. It costs as much as reading them.
func (s Scan[T]) Count(ctx context.Context) (int, error) {
	if s.read.segments > 1 {
		return countParallel(ctx, s.read.whole())
	}
	return readCount(ctx, s.read, segment{})
}

// First returns some item, or [ErrNotFound] if there is none.
func (s Scan[T]) First(ctx context.Context) (T, error) {
	return readFirst[T](ctx, s.read.sequential(), s.plan)
}

// ViewScan is [View] for scans.
func ViewScan[V, T any](s Scan[T]) Reader[V] { return viewOf[V](s.read.sequential()) }

// Filter drops items after they were read and billed; see [Query.Filter].
func (s IndexScan[T]) Filter(conds ...Cond[T]) IndexScan[T] {
	return IndexScan[T]{s.scan.Filter(conds...)}
}

// Project reads only the given attributes, and the keys, into T.
func (s IndexScan[T]) Project(attrs ...AnyAttr) IndexScan[T] {
	return IndexScan[T]{s.scan.Project(attrs...)}
}

// Limit is how many items are returned; see [Query.Limit].
func (s IndexScan[T]) Limit(n int) IndexScan[T] { return IndexScan[T]{s.scan.Limit(n)} }

// PageSize is how many items one request evaluates at most.
func (s IndexScan[T]) PageSize(n int) IndexScan[T] { return IndexScan[T]{s.scan.PageSize(n)} }

// After continues behind a cursor.
func (s IndexScan[T]) After(c Cursor[T]) IndexScan[T] { return IndexScan[T]{s.scan.After(c)} }

// Parallel reads n parts of the index at the same time; see [Scan.Parallel].
func (s IndexScan[T]) Parallel(n int) IndexScan[T] { return IndexScan[T]{s.scan.Parallel(n)} }

// Page reads one page; see [Query.Page].
func (s IndexScan[T]) Page(ctx context.Context) (Page[T], error) { return s.scan.Page(ctx) }

// Pages reads page after page; see [Query.Pages].
func (s IndexScan[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] { return s.scan.Pages(ctx) }

// All yields the items one by one; see [Query.All].
func (s IndexScan[T]) All(ctx context.Context) iter.Seq2[T, error] { return s.scan.All(ctx) }

// Collect reads all items into memory.
func (s IndexScan[T]) Collect(ctx context.Context) ([]T, error) { return s.scan.Collect(ctx) }

// Count counts the items of the whole scan.
func (s IndexScan[T]) Count(ctx context.Context) (int, error) { return s.scan.Count(ctx) }

// First returns some item, or [ErrNotFound] if there is none.
func (s IndexScan[T]) First(ctx context.Context) (T, error) { return s.scan.First(ctx) }

// sequential refuses a parallel scan where a cursor is needed.
func (r read) sequential() read {
	if r.segments > 1 {
		r = r.changed().wrong(errors.New("a parallel scan has no cursor; use Pages, All, Collect or Count"))
	}
	return r
}

// whole refuses a cursor where all segments are read.
func (r read) whole() read {
	if r.after != nil || r.before != nil {
		r = r.changed().wrong(errors.New("a parallel scan cannot continue behind a cursor"))
	}
	return r
}

// eachSegment runs fn for every segment, some at a time, and waits for all. The
// first error cancels the rest.
func eachSegment(ctx context.Context, r *read, fn func(context.Context, segment) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
		slots = make(chan struct{}, r.core.concurrency)
	)
	stop := func(err error) {
		once.Do(func() { first = err })
		cancel()
	}
	for i := range r.segments {
		slots <- struct{}{}
		if ctx.Err() != nil {
			wg.Wait()
			stop(r.fail(ctx.Err())) // unless an error is the reason
			break
		}
		wg.Go(func() {
			err := errGoexit
			defer func() {
				if err != nil {
					stop(err)
				}
				<-slots
			}()
			if p := contain(func() { err = fn(ctx, segment{i, r.segments}) }); p != nil {
				err = p
			}
		})
	}
	wg.Wait()
	return first
}

func scanParallel[T any](ctx context.Context, r read, plan *codec.Plan) iter.Seq2[Page[T], error] {
	return func(yield func(Page[T], error) bool) {
		t, err := r.text()
		if err != nil {
			yield(Page[T]{}, r.fail(err))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan Page[T])
		done := make(chan error, 1)
		go func() {
			defer close(pages)
			done <- eachSegment(ctx, &r, func(ctx context.Context, seg segment) error {
				return scanSegment(ctx, r, t, plan, seg, pages)
			})
		}()
		defer func() {
			cancel()
			for range pages {
			}
		}()
		left := r.limit
		for p := range pages {
			if r.limit > 0 && len(p.Items) >= left {
				p.Items = p.Items[:left]
				yield(p, nil)
				return
			}
			left -= len(p.Items)
			if !yield(p, nil) {
				return
			}
		}
		if err := <-done; err != nil {
			rethrow(err)
			yield(Page[T]{}, err)
		}
	}
}

func scanSegment[T any](ctx context.Context, r read, t *readText, plan *codec.Plan, seg segment, pages chan<- Page[T]) error {
	r.pageSize, r.limit = r.size(r.limit), 0 // the limit is of all segments together
	for next := r.after.from(); ; {
		var page Page[T]
		s := rowSink[T]{read: &r, text: t, plan: plan}
		after, err := fill(ctx, &s, next, &page, seg, false)
		if !page.empty() {
			select {
			case pages <- page:
			case <-ctx.Done():
				return r.fail(ctx.Err())
			}
		}
		if err != nil || after == nil {
			return err
		}
		next = after
	}
}

func countParallel(ctx context.Context, r read) (int, error) {
	if _, err := r.text(); err != nil {
		return 0, r.fail(err)
	}
	var (
		mu  sync.Mutex
		sum int
	)
	err := eachSegment(ctx, &r, func(ctx context.Context, seg segment) error {
		n, err := readCount(ctx, r, seg)
		mu.Lock()
		defer mu.Unlock()
		sum += n
		return err
	})
	rethrow(err)
	if r.limit > 0 {
		sum = min(sum, r.limit)
	}
	return sum, err
}
