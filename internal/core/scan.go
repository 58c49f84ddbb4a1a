// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/prefetch"
)

// maxSegments is DynamoDB's limit of the number of parts of a parallel scan.
const maxSegments = 1_000_000

// Segment is one part of a parallel scan; the zero segment is the whole scan.
type Segment struct{ Number, Total int }

// eachSegment runs fn for every segment, some at the same time, and waits for all. The first error cancels the rest.
func eachSegment(ctx context.Context, r *Read, fn func(context.Context, Segment) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var (
		wg    sync.WaitGroup
		once  sync.Once
		first error
		slots = make(chan struct{}, r.Core.concurrency)
	)
	stop := func(err error) {
		once.Do(func() { first = err })
		cancel()
	}
	for i := range r.segments {
		slots <- struct{}{}
		if ctx.Err() != nil {
			wg.Wait()
			stop(r.Fail(ctx.Err())) // unless an error is the reason
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
			if p := prefetch.Catch(func() { err = fn(ctx, Segment{i, r.segments}) }); p != nil {
				err = p
			}
		})
	}
	wg.Wait()
	return first
}

func scanSegment(ctx context.Context, r *Read, t *ReadText, seg Segment, pages chan<- *PageData) error {
	of := *r
	of.pageSize, of.limit = r.size(r.limit), 0 // the limit applies to all segments together
	for next := r.after.From(); ; {
		p := newPageRead(&of, t, 0, reflect.New(listType(r)).Interface())
		after, err := fill(ctx, &p.sink, next, &p.page, seg, false)
		if !p.page.empty() {
			select {
			case pages <- &p.page:
			case <-ctx.Done():
				return r.Fail(ctx.Err())
			}
		}
		if err != nil || after == nil {
			return err
		}
		next = after
	}
}

// Parallel reads n segments at the same time.
func (r *Read) Parallel(n int) *Read {
	r = r.Changed()
	r.segments = n
	if n < 1 || n > maxSegments {
		r.errs = append(slices.Clip(r.errs), fmt.Errorf("parallel scan of %d segments: must be 1 to %d", n, maxSegments))
	}
	return r
}

// Sequential refuses a parallel scan if a cursor is needed.
func (r *Read) Sequential() *Read {
	if r != nil && r.segments > 1 {
		return r.Wrong(errors.New("a parallel scan has no cursor; use Pages, All, Collect or Count"))
	}
	return r
}

// whole refuses a cursor if all segments are read.
func (r *Read) whole() *Read {
	if r.after != nil || r.upTo != nil {
		return r.Wrong(errors.New("a parallel scan cannot continue after a cursor"))
	}
	return r
}

// parallelPages returns the pages of all segments, as they arrive.
func (r *Read) parallelPages(ctx context.Context) PageSeq {
	r = r.whole()
	return func(yield func(*PageData, error) bool) {
		t, err := r.Text()
		if err != nil {
			yield(nil, r.Fail(err))
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		pages := make(chan *PageData)
		done := make(chan error, 1)
		go func() {
			defer close(pages)
			done <- eachSegment(ctx, r, func(ctx context.Context, seg Segment) error {
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

// ErrZeroSegments is the error of a nil or zero ddb.ScanSegments.
var ErrZeroSegments = operr.Invalid(errors.New("a nil or zero ScanSegments was used; make it with SegmentsOf"))

// CheckSegments returns why a read cannot be read in segments page by page, or nil.
func (r *Read) CheckSegments() error {
	var errs []error
	if !r.scan {
		errs = append(errs, errors.New("a query has no segments: pass a scan"))
	}
	if r.segments > 1 {
		errs = append(errs, errors.New("Parallel on a scan that is read in segments: they are read in parallel anyway"))
	}
	if r.after != nil || r.upTo != nil || r.limit > 0 || r.stops() {
		errs = append(errs, errors.New("a cursor, Limit, MaxScanned or MaxReadUnits on a scan that is read in segments: a segment is read from its beginning to its end, page by page; PageSize bounds a page"))
	}
	return operr.Invalid(errs...)
}

// SegmentPage reads one page of a segment, after a cursor in text form, into list, a *[]T. The text t is that of the read, made once for
// all pages.
func (r *Read) SegmentPage(ctx context.Context, t *ReadText, seg Segment, after string, list any) (*PageData, error) {
	if seg.Total < 1 || seg.Total > maxSegments || seg.Number < 0 || seg.Number >= seg.Total {
		return nil, r.Fail(operr.Invalid(fmt.Errorf("segment %d of %d: there must be 1 to %d segments, numbered from 0", seg.Number, seg.Total, maxSegments)))
	}
	start, err := r.Core.parseCursor(after, r.Index)
	if err == nil {
		err = t.Check(start, r)
	}
	if err != nil {
		return nil, r.Fail(err)
	}
	p := newPageRead(r, t, 0, list)
	next, err := fill(ctx, &p.sink, start.From(), &p.page, seg, false)
	p.page.Next = CursorAt(r, t, next)
	return &p.page, err
}
