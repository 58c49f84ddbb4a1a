// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strconv"
	"time"

	"github.com/dynamotable/ddb"
)

// BucketUnit is the span of UTC time whose events share partitions of the index by time.
type BucketUnit string

// The units of [TimeBuckets].
const (
	Month BucketUnit = "month" // 2026-07
	Day   BucketUnit = "day"   // 2026-07-15
	Hour  BucketUnit = "hour"  // 2026-07-15T09
)

// layout returns the layout of a bucket's name.
func (u BucketUnit) layout() string {
	switch u {
	case Month:
		return "2006-01"
	case Day:
		return "2006-01-02"
	}
	return "2006-01-02T15"
}

// start returns the beginning of the bucket that contains a time. All arithmetic is in UTC: in
// other zones months end at other times, and hours repeat.
func (u BucketUnit) start(t time.Time) time.Time {
	t = t.UTC()
	switch u {
	case Month:
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
	case Day:
		return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	}
	return t.Truncate(time.Hour)
}

// next returns the beginning of the bucket after the one that begins at a time.
func (u BucketUnit) next(start time.Time) time.Time {
	switch u {
	case Month:
		return start.AddDate(0, 1, 0)
	case Day:
		return start.AddDate(0, 0, 1)
	}
	return start.Add(time.Hour)
}

// sortLayout has a fixed width, so that texts sort in the order of the times.
const sortLayout = "2006-01-02T15:04:05.000000000Z"

// bucketOf returns the key of a row in the index by time.
func (s *Store) bucketOf(stream string, at, version int64) (bucket, sort string) {
	t, h := time.Unix(0, at).UTC(), hash(stream)
	return saltedBucket(s.o.buckets, t, int(h%uint64(s.o.salts))), fmt.Sprintf("%s#%016x#%019d", t.Format(sortLayout), h, version)
}

func saltedBucket(unit BucketUnit, t time.Time, salt int) string {
	return t.UTC().Format(unit.layout()) + "#" + strconv.Itoa(salt)
}

// TimeFeed reads all events ordered by the time at which they were recorded. It is the cheap feed, and needs
// the option [TimeBuckets].
//
// It guarantees less than [Feed]. Events are delivered at least once. If the clocks of writers differ, events are delivered in the order
// of the clocks, even within one stream. An event that becomes visible in the index later than [HoldBack] and [Window] allow is never delivered.
//
// A TimeFeed remembers what it has read. It must not be used by several goroutines at once.
type TimeFeed struct {
	store    *Store
	holdBack time.Duration
	window   time.Duration
	err      error
	cursor   time.Time
	seen     map[seenKey]time.Time
}

type seenKey struct {
	stream  string
	version int64
}

// TimeFeedOption is an option of [Store.TimeFeed].
type TimeFeedOption func(*TimeFeed)

// HoldBack delays events until they are that old, 10 seconds by default, because events with
// earlier times may still be on their way into the index.
func HoldBack(d time.Duration) TimeFeedOption { return func(f *TimeFeed) { f.holdBack = d } }

// Window sets how far before its cursor each read begins, 2 minutes by default, to find
// events that arrived late. Events that were delivered before are left out.
func Window(d time.Duration) TimeFeedOption { return func(f *TimeFeed) { f.window = d } }

// TimeFeed reads all events that were recorded at or after a time; the zero time means
// the beginning. To resume after a restart, pass the last [TimeFeed.Cursor].
func (s *Store) TimeFeed(from time.Time, opts ...TimeFeedOption) *TimeFeed {
	f := &TimeFeed{store: s, holdBack: 10 * time.Second, window: 2 * time.Minute, cursor: from, seen: make(map[seenKey]time.Time)}
	for _, opt := range opts {
		if opt != nil {
			opt(f)
		}
	}
	var errs []error
	if s.usable() == nil && indexesOf(s).byTime == nil {
		errs = append(errs, errors.New("the store has no index by time; it needs the option TimeBuckets"))
	}
	if f.holdBack < 0 || f.window < 0 {
		errs = append(errs, errors.New("HoldBack and Window must not be negative"))
	}
	if err := errors.Join(errs...); err != nil {
		f.err = &ddb.InvalidError{Problems: []error{err}}
	}
	return f
}

// Cursor returns the time at which another TimeFeed can continue. That one delivers the events of the window before it again.
func (f *TimeFeed) Cursor() time.Time {
	if f == nil {
		return time.Time{}
	}
	return f.cursor
}

// usable returns the error of the store, or an error for a TimeFeed that was not returned by Store.TimeFeed.
func (f *TimeFeed) usable() error {
	if f == nil {
		return notMade("TimeFeed", "Store.TimeFeed")
	}
	return f.store.usable()
}

// Read yields the events that were not delivered before, up to the hold-back; call it again for
// more. It reads the index by UTC buckets, merges their salts, and reads the whole events from the table.
// An error is yielded once, last; the next Read continues where it happened.
func (f *TimeFeed) Read(ctx context.Context) iter.Seq2[Event, error] {
	if err := f.usable(); err != nil {
		return failing[Event](err)
	}
	return func(yield func(Event, error) bool) {
		if err := f.begin(ctx); err != nil {
			yield(Event{}, err)
			return
		}
		until := f.store.o.now().Add(-f.holdBack)
		from := f.cursor.Add(-f.window)
		for e, err := range f.store.resolve(ctx, f.fresh(ctx, from, until), false) {
			if err == nil && !e.more {
				f.cursor = later(f.cursor, e.RecordedAt)
				f.seen[seenKey{e.Stream, e.Version}] = e.RecordedAt
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		f.cursor = later(f.cursor, until)
		for k, at := range f.seen {
			if at.Before(f.cursor.Add(-f.window)) {
				delete(f.seen, k)
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// begin finds the beginning, which is the time at which the table was set up. It refuses an index that is not complete.
func (f *TimeFeed) begin(ctx context.Context) error {
	if f.err != nil {
		return f.err
	}
	r, err := f.store.complete(ctx, "TimeBuckets", func(r *row) bool { return r.TimeFull })
	if err != nil || !f.cursor.IsZero() {
		return err
	}
	f.cursor = time.Unix(0, r.Created).UTC()
	if r.First != 0 { // older events were imported
		f.cursor = time.Unix(0, r.First).UTC()
	}
	return nil
}

// fresh yields the events of a time range that were not delivered before.
func (f *TimeFeed) fresh(ctx context.Context, from, until time.Time) iter.Seq2[Event, error] {
	s := f.store
	low, high := from.UTC().Format(sortLayout), until.UTC().Format(sortLayout)
	return func(yield func(Event, error) bool) {
		var buf []Event
		for b := s.o.buckets.start(from); !b.After(until); b = s.o.buckets.next(b) {
			var salts []iter.Seq2[row, error]
			for salt := range s.o.salts {
				// "~" sorts behind everything that follows a time.
				q := indexesOf(s).byTime.Query(saltedBucket(s.o.buckets, b, salt)).SortKey(ddb.Between(low, high+"~")).Hydrate()
				salts = append(salts, q.All(ctx))
			}
			for r, err := range merged(salts, func(a, b *row) bool { return a.BucketAt < b.BucketAt }) {
				if err != nil {
					yield(Event{}, err)
					return
				}
				if s.isExpired(&r) {
					continue
				}
				buf = r.events(r.PK[len(streamPrefix):], buf[:0])
				for _, e := range buf {
					if _, ok := f.seen[seenKey{e.Stream, e.Version}]; ok {
						continue
					}
					if !yield(e, nil) {
						return
					}
				}
			}
		}
	}
}
