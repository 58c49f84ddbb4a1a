// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/dynamotable/ddb"
)

// ReadOption is an option of [Store.Read].
type ReadOption func(*reading)

// From starts a read at a version; the default is the first. Backward, it is where the read ends.
func From(version int64) ReadOption { return func(r *reading) { r.from = version } }

// UpTo ends a read at a version, which is included; the default is the last. Backward, it
// is where the read starts.
func UpTo(version int64) ReadOption { return func(r *reading) { r.to = version } }

// Backward reads from the newest event to the oldest.
func Backward() ReadOption { return func(r *reading) { r.backward = true } }

// Limit sets how many events are read at most.
func Limit(n int) ReadOption {
	return func(r *reading) {
		if r.limit = n; n < 1 {
			r.errs = append(r.errs, fmt.Errorf("read: limit %d; it must be at least 1", n))
		}
	}
}

// Last reads only the last n events, in their order: of all events, or of those up to the version given to [UpTo].
func Last(n int) ReadOption {
	return func(r *reading) {
		r.last = n
		if n < 1 {
			r.errs = append(r.errs, fmt.Errorf("read: Last(%d); it must be at least 1", n))
		}
	}
}

// PageSize sets how many items one request reads at most. Without it a request reads up to 1 MB.
func PageSize(n int) ReadOption {
	return func(r *reading) {
		if r.page = n; n < 1 {
			r.errs = append(r.errs, fmt.Errorf("read: page size %d; it must be at least 1", n))
		}
	}
}

// EventuallyConsistent reads at half the price; the newest events may be missing. It is for
// projections that read again later, never for deciding what to append.
func EventuallyConsistent() ReadOption { return func(r *reading) { r.stale = true } }

// reading is one read of a stream.
type reading struct {
	store    *Store
	stream   string
	from, to int64
	backward bool
	limit    int
	page     int
	stale    bool
	last     int
	errs     []error
}

// Read yields the events of a stream in the order of their versions, page by page:
//
//	for e, err := range store.Read(ctx, "account-42", eventstore.From(18)) {
//
// Without options these are all events up to the version that the head of the
// stream has when the read begins. A missing stream yields nothing, a deleted one [ErrStreamDeleted].
// Events that were truncated or have expired are left out; any other version that is missing
// is a [*GapError], after a second look in case another transaction is just writing it.
// An error is yielded once, last. Offloaded data is fetched in parallel, ahead of the loop.
//
// It costs a read unit for each 4 KB of events, and one for the head; half of that with
// [EventuallyConsistent].
func (s *Store) Read(ctx context.Context, stream string, opts ...ReadOption) iter.Seq2[Event, error] {
	if err := s.usable(); err != nil {
		return failing[Event](err)
	}
	r := reading{store: s, stream: stream, from: 1, to: math.MaxInt64}
	for _, opt := range opts {
		if opt != nil {
			opt(&r)
		}
	}
	r.errs = append(r.errs, checkStream(stream))
	return func(yield func(Event, error) bool) {
		if err := errors.Join(r.errs...); err != nil {
			yield(Event{}, &ddb.InvalidError{Problems: []error{err}})
			return
		}
		for e, err := range s.resolve(ctx, r.events(ctx), r.backward) {
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// ReadAt reads a stream as it was at a time: the events in order, up to the first that was
// recorded later. The times are those of the writers' clocks; see [Event].
func (s *Store) ReadAt(ctx context.Context, stream string, at time.Time, opts ...ReadOption) iter.Seq2[Event, error] {
	if err := s.usable(); err != nil {
		return failing[Event](err)
	}
	return func(yield func(Event, error) bool) {
		for e, err := range s.Read(ctx, stream, append(slices.Clone(opts), func(r *reading) {
			if r.backward {
				r.errs = append(r.errs, errors.New("ReadAt reads forward only"))
			}
		})...) {
			if err == nil && e.RecordedAt.After(at) {
				return
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

// events yields the events as they are stored, without their offloaded data.
func (r reading) events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		left := r.limit
		one := func(e Event) bool {
			if !yield(e, nil) {
				return false
			}
			left--
			return left != 0
		}
		if r.backward || r.from > 1 || r.last > 0 {
			head, found, err := r.store.head(ctx, r.stream)
			if err == nil && head.Deleted != 0 {
				err = ErrStreamDeleted
			}
			if err == nil {
				head, err = r.store.skipExpired(ctx, r.stream, head)
			}
			if err != nil {
				yield(Event{}, err)
				return
			}
			if found {
				if r.last > 0 {
					r.from = max(r.from, min(r.to, head.Version)-int64(r.last)+1)
				}
				r.span(ctx, head, one, func(err error) { yield(Event{}, err) })
			}
			return
		}
		r.fromStart(ctx, one, func(err error) { yield(Event{}, err) })
	}
}

// fromStart reads forward from the beginning: the head comes first in the same query.
func (r reading) fromStart(ctx context.Context, yield func(Event) bool, fail func(error)) {
	var (
		head row
		c    check
		buf  []Event
	)
	for item, err := range queryOf(r, ddb.Ge[int64](0)).All(ctx) {
		if err != nil {
			fail(err)
			return
		}
		if item.SK == 0 {
			if head = item; head.Deleted != 0 {
				fail(ErrStreamDeleted)
				return
			}
			begin := max(head.Cut, 1)
			if head, err = r.store.skipExpired(ctx, r.stream, head); err != nil {
				fail(err)
				return
			}
			if head.Cut > begin { // what has expired may still be there, and is not read
				r.span(ctx, head, yield, fail)
				return
			}
			c = r.check(head)
			continue
		}
		if head.Version == 0 { // events of a transaction whose head is not visible yet: the stream did not exist before
			return
		}
		buf = item.events(r.stream, buf[:0])
		for _, e := range buf {
			switch c.compare(e.Version) {
			case alreadySeen:
			case asExpected:
				if !yield(e) {
					return
				}
			case afterEnd:
				return
			case missing: // perhaps not visible yet: look again from there
				r.from = c.next
				r.span(ctx, head, yield, fail)
				return
			}
		}
	}
	if head.Version != 0 && !c.complete() && !r.stale {
		r.from = c.next
		r.span(ctx, head, yield, fail)
	}
}

// missingEventReads is how often a read looks for a missing event. A transaction becomes visible
// item by item, within moments.
const missingEventReads = 10

// span reads the versions that exist according to a head that was read before.
func (r reading) span(ctx context.Context, head row, yield func(Event) bool, fail func(error)) {
	c := r.check(head)
	waits := r.store.o.backoff.new()
	for look := 0; !c.complete(); look++ {
		if look == missingEventReads {
			fail(&GapError{Stream: r.stream, Version: c.next})
			return
		}
		if look > 0 {
			if err := r.store.o.wait(ctx, waits.NextBackOff()); err != nil {
				fail(err)
				return
			}
			// Truncated, deleted or expired in between?
			now, found, err := r.store.head(ctx, r.stream)
			if err == nil {
				now, err = r.store.skipExpired(ctx, r.stream, now)
			}
			switch {
			case err != nil:
				fail(err)
				return
			case !found, now.Deleted != 0:
				fail(ErrStreamDeleted)
				return
			case now.Cut > head.Cut:
				head = now
				c = c.cut(now.Cut)
				continue
			}
		}
		before := c.next
		ended, err := r.pass(ctx, head, &c, yield)
		if err != nil {
			fail(err)
			return
		}
		if ended == byCaller || ended == byQuery && r.stale {
			return
		}
		if c.next != before {
			look = 0
		}
	}
}

// pass runs one query over the remaining versions. It stops where an event is missing.
func (r reading) pass(ctx context.Context, head row, c *check, yield func(Event) bool) (ending, error) {
	low, high := c.next, c.end
	if r.backward {
		low, high = c.end, c.next
	}
	if head.Framed { // the event may be inside a frame that begins before it
		first, err := queryOf(r, ddb.Between[int64](1, low)).Descending().Limit(1).First(ctx)
		if err != nil && !errors.Is(err, ddb.ErrNotFound) {
			return byQuery, err
		}
		if err == nil && first.newest() >= low {
			low = first.SK
		}
	}
	q := queryOf(r, ddb.Between(low, high))
	if r.backward {
		q = q.Descending()
	}
	if n := r.limit; n > 0 && !head.Framed {
		q = q.Limit(n)
	}
	var buf []Event
	for item, err := range q.All(ctx) {
		if err != nil {
			return byQuery, err
		}
		buf = item.events(r.stream, buf[:0])
		if r.backward {
			slices.Reverse(buf)
		}
		for _, e := range buf {
			switch c.compare(e.Version) {
			case asExpected:
				if !yield(e) {
					return byCaller, nil
				}
			case missing:
				return byGap, nil
			case afterEnd:
				return byQuery, nil
			}
		}
	}
	return byQuery, nil
}

// ending is the reason why a pass ended.
type ending uint8

const (
	byQuery ending = iota
	byCaller
	byGap
)

func queryOf(r reading, sort ddb.SortCond[int64]) *ddb.Query[row, int64] {
	q := tableOf(r.store).Query(streamPrefix + r.stream).SortKey(sort)
	if !r.stale {
		q = q.Consistent()
	}
	if r.page > 0 {
		q = q.PageSize(r.page)
	}
	return q
}

// span reads some versions of a stream whose head was read before, and is live.
func (s *Store) span(ctx context.Context, stream string, from, to int64, head row) (list []Event, failed error) {
	r := reading{store: s, stream: stream, from: from, to: to}
	r.span(ctx, head, func(e Event) bool { list = append(list, e); return true }, func(err error) { failed = err })
	if errors.Is(failed, ErrStreamDeleted) {
		failed = nil
	}
	return list, failed
}

// check follows the versions of a read.
type check struct {
	next, end int64 // the next version, and the last
	step      int64
}

type sequenceCheck uint8

const (
	asExpected sequenceCheck = iota
	alreadySeen
	missing
	afterEnd
)

// check is set to the versions that the read asks for and the stream has.
func (r reading) check(head row) check {
	low, high := max(r.from, head.Cut, 1), min(r.to, head.Version)
	if r.backward {
		return check{next: high, end: low, step: -1}
	}
	return check{next: low, end: high, step: 1}
}

func (c *check) complete() bool { return (c.end-c.next)*c.step < 0 }

// cut leaves out versions that were truncated in the meantime.
func (c check) cut(first int64) check {
	if c.step > 0 {
		c.next = max(c.next, first)
	} else {
		c.end = max(c.end, first)
	}
	return c
}

func (c *check) compare(version int64) sequenceCheck {
	switch d := (version - c.next) * c.step; {
	case c.complete(), (version-c.end)*c.step > 0:
		return afterEnd
	case d < 0:
		return alreadySeen
	case d > 0:
		return missing
	}
	c.next += c.step
	return asExpected
}
