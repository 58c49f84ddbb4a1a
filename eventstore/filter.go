// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/dynamotable/ddb"
)

// FeedFilter selects commits of a feed: [StreamPrefix], [InCategory] or [OfType]. See [Feed.Filter].
type FeedFilter struct {
	stream func(s *Store, stream string) bool // nil: any
	types  []string                           // nil: any
	err    error
}

// StreamPrefix selects the streams whose names begin with one of the prefixes.
func StreamPrefix(prefixes ...string) FeedFilter {
	return newFilter("StreamPrefix", prefixes, func(_ *Store, stream string) bool {
		return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(stream, p) })
	})
}

// InCategory selects the streams of the given categories: the category feed, known elsewhere as $ce-account. The category of a stream is
// that of [CategoryOf], or of the function given to [ByCategory]; the option itself is not needed.
func InCategory(categories ...string) FeedFilter {
	return newFilter("InCategory", categories, func(s *Store, stream string) bool {
		return slices.Contains(categories, s.o.category(stream))
	})
}

// OfType selects the events of the given types: a commit is delivered with those events only, and is dropped if it has none. The types are those that
// the reader sees: if an [Upcaster] changes the type, the new one.
//
// Rows of the feed contain the types of their commits if they fit (some 250 bytes); rows written by earlier versions of the package do not. For commits
// without types in their rows, and for types that an upcaster takes, the events are read first.
func OfType(types ...string) FeedFilter {
	f := newFilter("OfType", types, nil)
	f.types = types
	return f
}

func newFilter(name string, values []string, stream func(*Store, string) bool) FeedFilter {
	f := FeedFilter{stream: stream}
	if len(values) == 0 || slices.Contains(values, "") {
		f.err = fmt.Errorf("filter %s: it takes at least one text, none of them empty", name)
	}
	return f
}

// Filter returns a feed of the commits that all filters select, in their order and with their numbers in the whole
// feed, so that positions are valid for both:
//
//	accounts := store.Feed().Filter(eventstore.InCategory("account"), eventstore.OfType("opened", "closed"))
//
// Commits are dropped by the feed's rows, before their events are read: that costs about one read unit for 25 commits. A
// subscription also saves its position after dropped commits, every [SaveEvery] commits or once a minute.
//
// [Feed.End] and [Feed.Lag] count the whole feed, because what a filter drops is known only from the rows.
func (f *Feed) Filter(filters ...FeedFilter) *Feed {
	if f == nil {
		return nil
	}
	return &Feed{store: f.store, filters: append(slices.Clone(f.filters), filters...)}
}

// check refuses invalid filters.
func (f *Feed) check() error {
	var errs []error
	if f.store.o.shards == 0 {
		errs = append(errs, errNoFeed)
	}
	for _, filter := range f.filters {
		errs = append(errs, filter.err)
	}
	if err := errors.Join(errs...); err != nil {
		return &ddb.InvalidError{Problems: []error{err}}
	}
	return nil
}

// drops reports whether a commit can be dropped by its row alone.
func (f *Feed) drops(c *Commit) bool {
	for _, filter := range f.filters {
		if filter.stream != nil && !filter.stream(f.store, c.Stream) {
			return true
		}
	}
	if len(c.types) == 0 {
		return false // unknown
	}
	return !slices.ContainsFunc(c.types, func(t string) bool { return f.store.o.upcastTypes[t] || f.wantsType(t) })
}

func (f *Feed) wantsType(t string) bool {
	for _, filter := range f.filters {
		if filter.types != nil && !slices.Contains(filter.types, t) {
			return false
		}
	}
	return true
}

// dropEvents leaves out the events of other types; a commit without events is dropped then.
func (f *Feed) dropEvents(c *Commit) {
	if c.dropped || !slices.ContainsFunc(f.filters, func(filter FeedFilter) bool { return filter.types != nil }) {
		return
	}
	c.Events = slices.DeleteFunc(c.Events, func(e Event) bool { return !f.wantsType(e.Type) })
	c.dropped = len(c.Events) == 0
}

// typesOf returns the types of a commit's events for the row of the feed, each once. It returns none if the row would grow beyond 1 KB: up to that size
// a row costs one write unit.
func typesOf(r *row, events []NewEvent) []string {
	const fixed, most = 150, 256
	bytes := 0
	var types []string
	for i := range events {
		if t := events[i].Type; !slices.Contains(types, t) {
			types = append(types, t)
			bytes += len(t) + 1
		}
	}
	if bytes > most || fixed+len(r.Stream)+len(r.Commit)+12*len(r.Keys)+bytes > 1000 {
		return nil
	}
	return types
}

// Last yields the last commits of the feed, newest first: n of them, or as many as there are. Commits of different shards are ordered by
// the times at which they were recorded. It costs a read of n rows of each shard, and of the events; with a filter it reads back as far as needed.
func (f *Feed) Last(ctx context.Context, n int) iter.Seq2[Commit, error] {
	if err := f.usable(); err != nil {
		return failing[Commit](err)
	}
	return func(yield func(Commit, error) bool) {
		err := f.check()
		if n < 1 && err == nil {
			err = &ddb.InvalidError{Problems: []error{fmt.Errorf("Last: %d commits; it must be at least 1", n)}}
		}
		var end Position
		if err == nil {
			end, err = f.End(ctx)
		}
		if err != nil {
			yield(Commit{}, err)
			return
		}
		var shards []iter.Seq2[Commit, error]
		for i, last := range end.shards {
			if last > 0 {
				shards = append(shards, f.backward(ctx, i, last, int64(min(n, 100))))
			}
		}
		next, stop := iter.Pull2(merged(shards, func(a, b *Commit) bool { return a.RecordedAt.After(b.RecordedAt) }))
		defer stop()
		for left := n; left > 0; {
			more := false
			for c, err := range f.hydrate(ctx, upTo(left, next)) {
				if more = true; err == nil && c.dropped {
					continue
				}
				if left--; !yield(c, err) || err != nil || left == 0 {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}

// upTo yields at most that many values of next, and ends after an error.
func upTo(most int, next func() (Commit, error, bool)) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for range most {
			c, err, ok := next()
			if !ok || !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// backward yields the commits of a shard that are not dropped by their rows, newest first, without their events.
func (f *Feed) backward(ctx context.Context, shard int, end, chunk int64) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		for ; end > 0; end -= chunk {
			var rows []Commit
			for c, err := range f.rows(ctx, shard, max(end-chunk, 0), end) {
				if err != nil {
					yield(Commit{}, err)
					return
				}
				if !c.dropped {
					rows = append(rows, c)
				}
			}
			for _, c := range slices.Backward(rows) {
				if !yield(c, nil) {
					return
				}
			}
		}
	}
}
