// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"sync"

	"github.com/dynamotable/ddb/internal/prefetch"
)

// Scan reads a whole table or index, in no particular order. It is immutable like [Query]. A scan costs read units for
// everything that the table holds, including what its filter drops.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Scan.html
type Scan[T any] readRef

// IndexScan is a [Scan] of a global index, without Consistent.
type IndexScan[T any] readRef

// Scan selects all items of the table.
func (t *Table[T, PK, SK]) Scan() *Scan[T] {
	return (*Scan[T])(newScan(index{core: t.part()}).ref())
}

// Scan selects all items of the table.
func (t *SimpleTable[T, PK]) Scan() *Scan[T] {
	return (*Scan[T])(newScan(index{core: t.part()}).ref())
}

// Scan selects all items that the index holds.
func (x *Index[T, PK, SK]) Scan() *IndexScan[T] {
	return (*IndexScan[T])(newScan((*indexRef)(x).index()).ref())
}

// Scan selects all items that the index holds.
func (x *SimpleIndex[T, PK]) Scan() *IndexScan[T] {
	return (*IndexScan[T])(newScan((*indexRef)(x).index()).ref())
}

// Scan selects all items that the index holds.
func (x *LocalIndex[T, PK, SK]) Scan() *Scan[T] {
	return (*Scan[T])(newScan((*indexRef)(x).index()).ref())
}

// Filter drops items after they were read and billed; see [Query.Filter].
func (s *Scan[T]) Filter(conds ...Cond[T]) *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().filtered(untyped(conds)).ref())
}

// Project reads only the given attributes, and the keys, into T.
func (s *Scan[T]) Project(attrs ...AnyAttr) *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().projected(handlesOf(attrs)).ref())
}

// Limit is the number of items returned, however many are evaluated; see [Query.Limit]. Zero is no limit.
func (s *Scan[T]) Limit(n int) *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().limited(n).ref())
}

// PageSize limits how many items one request evaluates, in place of the table's [PageSize].
func (s *Scan[T]) PageSize(n int) *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().paged(n).ref())
}

// Consistent makes the scan strongly consistent, at twice the cost.
func (s *Scan[T]) Consistent() *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().strong().ref())
}

// With adds options; see [Query.With].
func (s *Scan[T]) With(opts ...ReadOption) *Scan[T] {
	return (*Scan[T])(withOptions((*readRef)(s).read(), opts).ref())
}

// After continues after a cursor. The zero Cursor is the beginning.
func (s *Scan[T]) After(c Cursor[T]) *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().from(c.at).ref())
}

// maxSegments is DynamoDB's limit of the number of parts of a parallel scan.
const maxSegments = 1_000_000

// Parallel reads n parts of the table, as many at the same time as the table's [Concurrency] allows. Pages, All, Collect and
// Count then return items of all parts as they arrive. Page, First, After and Before are refused, because a cursor cannot
// hold a position in all parts.
func (s *Scan[T]) Parallel(n int) *Scan[T] {
	return (*Scan[T])((*readRef)(s).read().parallel(n).ref())
}

// Page reads one page; see [Query.Page].
func (s *Scan[T]) Page(ctx context.Context) (Page[T], error) {
	return pageOf[T]((*readRef)(s).read().page(ctx, new([]T)))
}

// Pages reads page after page; see [Query.Pages].
func (s *Scan[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*readRef)(s).read().pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (s *Scan[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*readRef)(s).read().all(ctx))
}

// Collect reads all items into memory. On an error it also returns the items read before it.
func (s *Scan[T]) Collect(ctx context.Context) (list []T, err error) {
	err = (*readRef)(s).read().collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole scan. It costs as much as reading them.
func (s *Scan[T]) Count(ctx context.Context) (int, error) {
	return (*readRef)(s).read().count(ctx)
}

// First returns any one item, or [ErrNotFound] if there is none.
func (s *Scan[T]) First(ctx context.Context) (item T, err error) {
	err = (*readRef)(s).read().first(ctx, &item)
	return item, err
}

// Filter drops items after they were read and billed; see [Query.Filter].
func (s *IndexScan[T]) Filter(conds ...Cond[T]) *IndexScan[T] {
	return (*IndexScan[T])((*readRef)(s).read().filtered(untyped(conds)).ref())
}

// Project reads only the given attributes, and the keys, into T.
func (s *IndexScan[T]) Project(attrs ...AnyAttr) *IndexScan[T] {
	return (*IndexScan[T])((*readRef)(s).read().projected(handlesOf(attrs)).ref())
}

// Limit is the number of items returned; see [Query.Limit].
func (s *IndexScan[T]) Limit(n int) *IndexScan[T] {
	return (*IndexScan[T])((*readRef)(s).read().limited(n).ref())
}

// PageSize limits how many items one request evaluates.
func (s *IndexScan[T]) PageSize(n int) *IndexScan[T] {
	return (*IndexScan[T])((*readRef)(s).read().paged(n).ref())
}

// With adds options; see [Query.With].
func (s *IndexScan[T]) With(opts ...ReadOption) *IndexScan[T] {
	return (*IndexScan[T])(withOptions((*readRef)(s).read(), opts).ref())
}

// After continues after a cursor.
func (s *IndexScan[T]) After(c Cursor[T]) *IndexScan[T] {
	return (*IndexScan[T])((*readRef)(s).read().from(c.at).ref())
}

// Parallel reads n parts of the index at the same time; see [Scan.Parallel].
func (s *IndexScan[T]) Parallel(n int) *IndexScan[T] {
	return (*IndexScan[T])((*readRef)(s).read().parallel(n).ref())
}

// Page reads one page; see [Query.Page].
func (s *IndexScan[T]) Page(ctx context.Context) (Page[T], error) {
	return pageOf[T]((*readRef)(s).read().page(ctx, new([]T)))
}

// Pages reads page after page; see [Query.Pages].
func (s *IndexScan[T]) Pages(ctx context.Context) iter.Seq2[Page[T], error] {
	return pagesOf[T]((*readRef)(s).read().pages(ctx))
}

// All yields the items one by one; see [Query.All].
func (s *IndexScan[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return itemsOf[T]((*readRef)(s).read().all(ctx))
}

// Collect reads all items into memory.
func (s *IndexScan[T]) Collect(ctx context.Context) (list []T, err error) {
	err = (*readRef)(s).read().collect(ctx, &list)
	return list, err
}

// Count counts the items of the whole scan.
func (s *IndexScan[T]) Count(ctx context.Context) (int, error) {
	return (*readRef)(s).read().count(ctx)
}

// First returns any one item, or [ErrNotFound] if there is none.
func (s *IndexScan[T]) First(ctx context.Context) (item T, err error) {
	err = (*readRef)(s).read().first(ctx, &item)
	return item, err
}

// parallel reads n segments at the same time.
func (r *read) parallel(n int) *read {
	r = r.changed()
	r.segments = n
	if n < 1 || n > maxSegments {
		r.errs = append(slices.Clip(r.errs), fmt.Errorf("parallel scan of %d segments: must be 1 to %d", n, maxSegments))
	}
	return r
}

// sequential refuses a parallel scan if a cursor is needed.
func (r *read) sequential() *read {
	if r != nil && r.segments > 1 {
		return r.wrong(errors.New("a parallel scan has no cursor; use Pages, All, Collect or Count"))
	}
	return r
}

// whole refuses a cursor if all segments are read.
func (r *read) whole() *read {
	if r.after != nil || r.upTo != nil {
		return r.wrong(errors.New("a parallel scan cannot continue after a cursor"))
	}
	return r
}

// eachSegment runs fn for every segment, some at the same time, and waits for all. The first error cancels the rest.
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
			err := prefetch.ErrGoexit
			defer func() {
				if err != nil {
					stop(err)
				}
				<-slots
			}()
			if p := prefetch.Catch(func() { err = fn(ctx, segment{i, r.segments}) }); p != nil {
				err = p
			}
		})
	}
	wg.Wait()
	return first
}

// parallelPages returns the pages of all segments, as they arrive.
func (r *read) parallelPages(ctx context.Context) pageSeq {
	r = r.whole()
	return func(yield func(*pageData, error) bool) {
		t, err := r.text()
		if err != nil {
			yield(nil, r.fail(err))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan *pageData)
		done := make(chan error, 1)
		go func() {
			defer close(pages)
			done <- eachSegment(ctx, r, func(ctx context.Context, seg segment) error {
				return scanSegment(ctx, r, t, seg, pages)
			})
		}()
		defer func() {
			cancel()
			for range pages {
			}
		}()
		left := r.limit
		for p := range pages {
			n := itemsIn(p).Len()
			if r.limit > 0 && n >= left {
				itemsIn(p).SetLen(left)
				yield(p, nil)
				return
			}
			left -= n
			if !yield(p, nil) {
				return
			}
		}
		if err := <-done; err != nil {
			prefetch.Repanic(err)
			yield(nil, err)
		}
	}
}

func scanSegment(ctx context.Context, r *read, t *readText, seg segment, pages chan<- *pageData) error {
	of := *r
	of.pageSize, of.limit = r.size(r.limit), 0 // the limit applies to all segments together
	for next := r.after.From(); ; {
		p := newPageRead(&of, t, 0, reflect.New(listType(r)).Interface())
		after, err := fill(ctx, &p.sink, next, &p.page, seg, false)
		if !p.page.empty() {
			select {
			case pages <- &p.page:
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
