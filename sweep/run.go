// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/prefetch"
	"github.com/dynamotable/ddb/progress"
)

// run is one run of a sweep. The goroutine of the loop owns it, except for the position.
type run[T any] struct {
	scan     *ddb.ScanSegments[T]
	task     *progress.Task
	queue    []int        // segments of which a page can be read, the next one last; begun ones come first
	parked   []int        // segments whose key range is hot, the one that waits longest first
	begun    map[int]bool // segments that were begun and are not done
	hot      map[int]bool // segments whose key range was throttled
	rest     map[int]bool // segments that an earlier run has begun
	results  chan fetched[T]
	inFlight int
	workers  *controller

	mu sync.Mutex
	at position
}

// fetched is a page that was read.
type fetched[T any] struct {
	segment int
	page    ddb.Page[T]
	err     error
	timing  *timing
}

func (r *run[T]) positionWith(p Page[T]) string {
	r.mu.Lock()
	at, done := r.at.clone(), *p.done
	r.mu.Unlock()
	if !done { // its segment may have advanced since
		at.set(p.Segment, p.next)
	}
	return at.String()
}

func (r *run[T]) position() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at.String()
}

func (r *run[T]) cursor(segment int) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.at.cursors[segment]
}

// begin makes the run, which may request the size of the table.
func (s *Sweep[T]) begin(ctx context.Context) (*run[T], error) {
	r := &run[T]{
		scan: s.scan, begun: make(map[int]bool), hot: make(map[int]bool), rest: make(map[int]bool), results: make(chan fetched[T], s.set.workers), workers: newController(s.set.workers),
	}
	if s.start != nil {
		r.at = s.start.clone()
	} else {
		n := s.set.segments
		if n == 0 {
			n = segmentsFor(ctx, s.scan)
		}
		r.at = newPosition(s.scan.Identity(), n)
	}
	r.queue = r.at.open()
	slices.Reverse(r.queue)
	for segment := range r.at.cursors {
		r.rest[segment], r.begun[segment] = true, true
	}
	return r, ctx.Err()
}

// sized is what knows its size, as ScanSegments.
type sized interface {
	Size(ctx context.Context) (items, bytes int64, err error)
}

// sizeOf is the size of what is scanned, 0 if DynamoDB does not say it. A client or permissions that do not allow DescribeTable end no scan, because the size only
// serves to choose a number of segments; the progress says that it was not known.
func sizeOf(ctx context.Context, scan sized) (items, bytes int64) {
	items, bytes, err := scan.Size(ctx)
	if err != nil {
		progress.From(ctx).Count("unknown table size", 1)
		return 0, 0
	}
	return items, bytes
}

// segmentsFor chooses the number of segments by the size of what is scanned. If it is not known it is the least: more segments would only cost requests.
func segmentsFor(ctx context.Context, scan sized) int {
	_, size := sizeOf(ctx, scan)
	return int(min(mostSegments, max(leastSegments, size/segmentBytes)))
}

// run reads all pages and passes them to yield.
func (s *Sweep[T]) run(ctx context.Context, yield func(Page[T], error) bool) {
	ctx, task := progress.Start(ctx, "Scan "+s.scan.Name())
	defer task.Stop("the loop was left")
	r, err := s.begin(ctx)
	r.task = task
	task.Parts(r.at.n, r.at.doneCount())
	task.Position(r.position)
	if err != nil {
		r.stop(err, yield)
		return
	}
	ctx, cancel := context.WithCancel(ctx)
	var under sync.WaitGroup
	defer func() {
		cancel()
		under.Wait()
	}()
	reading := ddb.WithGate(ctx, r.workers)
	for {
		for r.inFlight < r.workers.want {
			segment, ok := r.pick()
			if !ok {
				break
			}
			r.inFlight++
			under.Go(func() { r.results <- r.read(reading, segment) })
		}
		if r.inFlight == 0 {
			task.End(nil)
			return
		}
		f := <-r.results
		f.timing.taken = time.Now()
		err := f.err
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			prefetch.Repanic(err)
			r.stop(err, yield)
			return
		}
		if !r.yieldPage(f, yield) {
			return
		}
		r.inFlight--
	}
}

// pick returns the segment of which a page is read next, if there is one. Reading continues in begun segments before another is begun, except in parked ones. Once
// more are parked than the maximum number of workers, reading continues in them as well, so that at most two segments for each worker are begun and not done.
func (r *run[T]) pick() (segment int, ok bool) {
	last := len(r.queue) - 1
	if last >= 0 {
		segment = r.queue[last]
	}
	switch {
	case last >= 0 && (r.begun[segment] || len(r.parked) <= r.workers.most):
		r.queue = r.queue[:last]
	case len(r.parked) > 0:
		segment, r.parked = r.parked[0], r.parked[1:]
	default:
		return 0, false
	}
	r.begun[segment] = true
	return segment, true
}

// stop ends the run with an error that contains the position.
func (r *run[T]) stop(err error, yield func(Page[T], error) bool) {
	at := r.position()
	if spent, ok := errors.AsType[*cost.BudgetExceeded](err); ok {
		spent.Cursor = at
	}
	r.task.End(ddberr.Redact(err))
	yield(Page[T]{}, &StoppedError{at, err})
}

// yieldPage passes a page to the loop, and records that it is done.
func (r *run[T]) yieldPage(f fetched[T], yield func(Page[T], error) bool) bool {
	next := f.page.Next.String()
	page := Page[T]{Items: f.page.Items, Segment: f.segment, Scanned: f.page.Scanned, Consumed: f.page.Consumed, run: r, next: next, done: new(bool)}
	if (f.page.Scanned > 0 || len(f.page.Items) > 0) && !yield(page, nil) {
		return false
	}
	r.mu.Lock()
	r.at.set(f.segment, next)
	*page.done = true
	r.mu.Unlock()
	r.task.Items(int64(len(f.page.Items)))
	r.task.Work(f.segment, float64(f.page.Scanned))
	wasHot := r.hot[f.segment]
	r.hot[f.segment] = f.timing.hot
	switch {
	case next == "":
		delete(r.hot, f.segment)
		delete(r.begun, f.segment)
		r.task.PartDone(f.segment, !r.rest[f.segment])
	case f.timing.hot:
		r.parked = append(r.parked, f.segment) // the others come first
	default:
		r.queue = append(r.queue, f.segment)
	}
	r.workers.note(f.timing, wasHot)
	return true
}

// read reads one page of a segment.
func (r *run[T]) read(ctx context.Context, segment int) (f fetched[T]) {
	f = fetched[T]{segment: segment, err: prefetch.ErrGoexit, timing: &timing{begun: time.Now()}}
	after := r.cursor(segment)
	caught := prefetch.Catch(func() {
		f.page, f.err = ReadPage(context.WithValue(ctx, timingKey{}, f.timing), r.scan, segment, r.at.n, after)
	})
	if caught != nil {
		f.err = caught
	}
	f.timing.ended = time.Now()
	return f
}
