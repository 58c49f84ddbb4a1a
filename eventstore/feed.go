// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"time"

	"github.com/dynamotable/ddb"
)

// Feed reads everything that was ever appended, in an order without gaps. It
// needs the option [Sequenced]:
//
//	for c, err := range store.Feed().Read(ctx, position) {
//		...
//		position = position.After(c)
//	}
//
// Each commit gets the next number of its stream's shard in the transaction that writes its events. So the numbers of
// a shard are dense and in the order of the commits, a number is there exactly when its
// events are, and the commits of one stream come in their order. A reader that is
// at a position has seen every commit up to it: no clock, no delay of an index and no
// retention of a stream can make it miss one. Between shards there is no order.
type Feed struct {
	store   *Store
	filters []FeedFilter
}

// Feed returns the store's feed of all commits.
func (s *Store) Feed() *Feed { return &Feed{store: s} }

// usable returns the error of the store, or an error for a Feed that was not returned by Store.Feed.
func (f *Feed) usable() error {
	if f == nil {
		return notMade("Feed", "Store.Feed")
	}
	return f.store.usable()
}

// Commit is what one append wrote to one stream, as the feed reports it. A [Store.Commit] to several streams
// is one commit of each of them.
type Commit struct {
	// Shard and Number are the commit's place in the feed.
	Shard  int
	Number int64

	Stream      string
	First, Last int64 // versions
	CommitID    string
	RecordedAt  time.Time
	// Events are the commit's events in their order, without those that were truncated and those that a filter drops.
	Events []Event
	// Truncated is how many events of the commit were removed from the stream, by
	// Truncate or Delete, or have expired.
	Truncated int
	// Replayed: the subscription parked the commit, and it is handled later than its position; see [Park].
	Replayed bool

	keys    []int64
	types   []string // nil if unknown
	dropped bool     // by a filter of the feed
	expiry  int64    // when its events expire, 0 if they do not, or it is not known
	expired bool     // they have
}

var errNoFeed = errors.New("the store has no feed; it needs the option Sequenced")

// End returns the position after the last commit. It costs a read unit for each shard.
func (f *Feed) End(ctx context.Context) (Position, error) {
	if err := f.usable(); err != nil {
		return Position{}, err
	}
	s := f.store
	if s.o.shards == 0 {
		return Position{}, &ddb.InvalidError{Problems: []error{errNoFeed}}
	}
	keys := make([]ddb.Key[string, int64], s.o.shards)
	for i := range keys {
		keys[i] = counterKey(i)
	}
	got, err := tableOf(s).BatchGet(ctx, keys, ddb.Consistent())
	if err != nil {
		return Position{}, err
	}
	end := Position{make([]int64, s.o.shards)}
	for i, g := range got {
		end.shards[i] = g.Item.Version // 0 where there is none
	}
	return end, nil
}

// Lag returns the exact number of commits after a position.
func (f *Feed) Lag(ctx context.Context, p Position) (int64, error) {
	if err := f.usable(); err != nil {
		return 0, err
	}
	end, err := f.End(ctx)
	return p.Behind(end), err
}

// Read yields all commits from a position to the end that the feed has when the read begins. The commits of
// each stream come in their order, those of different streams about in the order in which they were recorded. Read reads
// pages of the feed, and the events of many commits at once; memory is bounded by a page of each shard.
//
// An error is yielded once, last. If a number or an event is missing, it looks a second time; the error is then a [*GapError].
// It costs a read unit for each 4 KB of the feed's rows, of some 150 bytes each, and at least one for each event.
func (f *Feed) Read(ctx context.Context, from Position) iter.Seq2[Commit, error] {
	if err := f.usable(); err != nil {
		return failing[Commit](err)
	}
	return func(yield func(Commit, error) bool) {
		err := f.check()
		var end Position
		if err == nil {
			end, err = f.End(ctx)
		}
		if err != nil {
			yield(Commit{}, err)
			return
		}
		if len(from.shards) > len(end.shards) {
			yield(Commit{}, &ddb.InvalidError{Problems: []error{fmt.Errorf("the position has %d shards, the feed %d", len(from.shards), len(end.shards))}})
			return
		}
		var shards []iter.Seq2[Commit, error]
		for i, n := range end.shards {
			if n > from.Of(i) {
				shards = append(shards, f.rows(ctx, i, from.Of(i), n))
			}
		}
		for c, err := range f.hydrate(ctx, merged(shards, func(a, b *Commit) bool { return a.RecordedAt.Before(b.RecordedAt) })) {
			if err == nil && c.dropped {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// ReadShard reads a single shard, after a number. It is meant for workers that divide the shards among them.
func (f *Feed) ReadShard(ctx context.Context, shard int, after int64) iter.Seq2[Commit, error] {
	if err := f.usable(); err != nil {
		return failing[Commit](err)
	}
	return func(yield func(Commit, error) bool) {
		if shard < 0 || shard >= f.store.o.shards {
			yield(Commit{}, &ddb.InvalidError{Problems: []error{fmt.Errorf("there is no shard %d; the feed has %d", shard, f.store.o.shards)}})
			return
		}
		err := f.check()
		var end int64
		if err == nil {
			end, err = f.store.counter(ctx, shard)
		}
		if err != nil {
			yield(Commit{}, err)
			return
		}
		for c, err := range f.hydrate(ctx, f.rows(ctx, shard, after, end)) {
			if err == nil && c.dropped {
				continue
			}
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

// rows yields the commits of a shard between two numbers, without their events, and marks those that can be dropped by their rows alone.
func (f *Feed) rows(ctx context.Context, shard int, after, end int64) iter.Seq2[Commit, error] {
	s := f.store
	return func(yield func(Commit, error) bool) {
		next, look := after+1, 0
		waits := s.o.backoff.new()
		for next <= end {
			stop := min(end, (next/feedBlock+1)*feedBlock-1)
			q := tableOf(s).Query(feedPartition(shard, next)).SortKey(ddb.Between(next, stop)).Consistent()
			before := next
			for r, err := range q.All(ctx) {
				if err != nil {
					yield(Commit{}, err)
					return
				}
				if r.SK != next {
					break
				}
				next++
				c := r.asCommit(shard)
				c.dropped = f.drops(&c)
				if !yield(c, nil) {
					return
				}
			}
			if next > stop {
				look = 0
				continue
			}
			// The counter shows that there is more: the transaction may not be completely visible yet.
			if look++; next != before {
				look = 1
			}
			if look == missingEventReads {
				yield(Commit{}, &GapError{Shard: shard, Version: next})
				return
			}
			if err := s.o.wait(ctx, waits.NextBackOff()); err != nil {
				yield(Commit{}, err)
				return
			}
		}
	}
}

func (r *row) asCommit(shard int) Commit {
	return Commit{
		Shard: shard, Number: r.SK, Stream: r.Stream, First: r.First, Last: r.Last, CommitID: r.Commit,
		RecordedAt: time.Unix(0, r.At).UTC(), keys: r.Keys, types: r.Types, expiry: r.Expiry,
	}
}

// itemKeys returns the keys of the items that hold the commit's events.
func (c *Commit) itemKeys() iter.Seq[ddb.Key[string, int64]] {
	return func(yield func(ddb.Key[string, int64]) bool) {
		if c.dropped || c.expired {
			return
		}
		if len(c.keys) > 0 {
			for _, sk := range c.keys {
				if !yield(streamKey(c.Stream, sk)) {
					return
				}
			}
			return
		}
		for v := c.First; v <= c.Last; v++ {
			if !yield(streamKey(c.Stream, v)) {
				return
			}
		}
	}
}

func (c *Commit) items() int {
	if c.dropped || c.expired {
		return 0
	}
	if n := len(c.keys); n > 0 {
		return n
	}
	return int(c.Last - c.First + 1)
}

// hydration is how many items are read together; a frame counts as eight because it is large.
const hydration = 400

func (c *Commit) readCost() int {
	if c.dropped {
		return 0
	}
	return c.items() + 7*len(c.keys)
}

// hydrate reads the events of commits, many at once, in their order. Dropped commits have no events.
func (f *Feed) hydrate(ctx context.Context, commits iter.Seq2[Commit, error]) iter.Seq2[Commit, error] {
	return func(yield func(Commit, error) bool) {
		var group []Commit
		items := 0
		flush := func() bool {
			if err := f.store.readEvents(ctx, group); err != nil {
				yield(Commit{}, err)
				return false
			}
			for i := range group {
				f.dropEvents(&group[i])
				if !yield(group[i], nil) {
					return false
				}
			}
			group, items = group[:0], 0
			return true
		}
		for c, err := range commits {
			if err != nil {
				if flush() {
					yield(Commit{}, err)
				}
				return
			}
			group = append(group, c)
			if items += c.readCost(); (items >= hydration || len(group) >= round) && !flush() {
				return
			}
		}
		flush()
	}
}

// readEvents reads the events of a group of commits.
func (s *Store) readEvents(ctx context.Context, group []Commit) error {
	now := s.o.now().Unix()
	for i := range group {
		group[i].expired = group[i].expiry != 0 && group[i].expiry <= now
	}
	keys := func(yield func(ddb.Key[string, int64]) bool) {
		for i := range group {
			for k := range group[i].itemKeys() {
				if !yield(k) {
					return
				}
			}
		}
	}
	next, stop := iter.Pull2(tableOf(s).BatchGetAll(ctx, keys, ddb.Consistent()))
	defer stop()
	for i := range group {
		c := &group[i]
		if c.dropped {
			continue
		}
		c.Events = make([]Event, 0, c.Last-c.First+1)
		whole := true
		for range c.items() {
			got, err, ok := next()
			if !ok {
				return errors.New("read the feed: the reply has fewer items than were requested")
			}
			if err != nil {
				return err
			}
			if !got.Found || s.isExpired(&got.Item) {
				whole = false
				continue
			}
			c.Events = got.Item.events(c.Stream, c.Events)
		}
		if !whole {
			if err := s.again(ctx, c); err != nil {
				return err
			}
		}
		c.Truncated = int(c.Last-c.First+1) - len(c.Events)
	}
	return s.resolveCommits(ctx, group)
}

// again reads the events of a commit some of which were missing: they were truncated with the
// stream, or are not visible yet.
func (s *Store) again(ctx context.Context, c *Commit) error {
	waits := s.o.backoff.new()
	for range missingEventReads {
		head, _, err := s.head(ctx, c.Stream)
		if err == nil {
			head, err = s.skipExpired(ctx, c.Stream, head)
		}
		switch {
		case err != nil:
			return err
		case head.Deleted != 0 || head.Cut > c.Last:
			c.Events = nil
			return nil
		case head.Version >= c.Last:
			c.Events, err = s.span(ctx, c.Stream, c.First, c.Last, head)
			return err
		}
		if err := s.o.wait(ctx, waits.NextBackOff()); err != nil {
			return err
		}
	}
	return &GapError{Stream: c.Stream, Version: c.Last}
}

// resolveCommits is resolve for the events of many commits.
func (s *Store) resolveCommits(ctx context.Context, group []Commit) error {
	type place struct{ commit, event int }
	var places []place
	for i := range group {
		for j := range group[i].Events {
			places = append(places, place{i, j})
		}
	}
	i := 0
	for e, err := range s.restored(ctx, func(yield func(Event, error) bool) {
		for _, p := range places {
			if !yield(group[p.commit].Events[p.event], nil) {
				return
			}
		}
	}) {
		if err != nil {
			return err
		}
		group[places[i].commit].Events[places[i].event] = e
		i++
	}
	for i := range group {
		c := &group[i]
		if !slices.ContainsFunc(c.Events, func(e Event) bool { return s.upcasts(&e) }) {
			continue
		}
		events := make([]Event, 0, len(c.Events))
		for _, e := range c.Events {
			if !s.upcasts(&e) {
				events = append(events, e)
				continue
			}
			var err error
			if events, err = s.upcast(e, events); err != nil {
				return err
			}
		}
		c.Events = events
	}
	return nil
}

// merged yields the values of several ordered sequences as one.
func merged[T any](seqs []iter.Seq2[T, error], less func(a, b *T) bool) iter.Seq2[T, error] {
	if len(seqs) == 1 {
		return seqs[0]
	}
	type source struct {
		value T
		err   error
		next  func() (T, error, bool)
	}
	return func(yield func(T, error) bool) {
		var live []*source
		for _, seq := range seqs {
			next, stop := iter.Pull2(seq)
			defer stop()
			s := &source{next: next}
			var ok bool
			if s.value, s.err, ok = next(); ok {
				live = append(live, s)
			}
		}
		for len(live) > 0 {
			least := 0
			for i, s := range live {
				if s.err != nil || less(&s.value, &live[least].value) {
					least = i
				}
				if s.err != nil {
					break
				}
			}
			s := live[least]
			if !yield(s.value, s.err) || s.err != nil {
				return
			}
			var ok bool
			if s.value, s.err, ok = s.next(); !ok {
				live = slices.Delete(live, least, least+1)
			}
		}
	}
}

// partition returns the partition name under which the position of a shard is saved.
func partition(shard int) string { return strconv.Itoa(shard) }
