// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"iter"
	"strconv"

	"github.com/dynamotable/ddb"
)

// Correlated yields the events with a correlation id, of all streams, in the order in which they were
// recorded. It needs the option [ByCorrelation]. The index follows the table within moments,
// so the newest events may be missing. It costs the entries of the index, and a read of each event.
func (s *Store) Correlated(ctx context.Context, correlationID string) iter.Seq2[Event, error] {
	if err := s.usable(); err != nil {
		return failing[Event](err)
	}
	return indexed(ctx, s, indexesOf(s).byCorrelation, correlationID, "ByCorrelation")
}

// Caused yields the events that an event or command has led to, by their causation id. It
// needs the option [ByCausation]; otherwise it is like [Store.Correlated].
func (s *Store) Caused(ctx context.Context, causationID string) iter.Seq2[Event, error] {
	if err := s.usable(); err != nil {
		return failing[Event](err)
	}
	return indexed(ctx, s, indexesOf(s).byCausation, causationID, "ByCausation")
}

func indexed(ctx context.Context, s *Store, index *ddb.Index[row, string, int64], id, option string) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		if index == nil {
			yield(Event{}, &ddb.InvalidError{Problems: []error{errors.New("the store has no such index; it needs the option " + option)}})
			return
		}
		for e, err := range s.resolve(ctx, s.unfold(index.Query(id).Hydrate().All(ctx)), false) {
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// unfold yields the events of rows of streams.
func (s *Store) unfold(rows iter.Seq2[row, error]) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		var buf []Event
		for r, err := range rows {
			if err != nil {
				yield(Event{}, err)
				return
			}
			if s.isExpired(&r) {
				continue
			}
			buf = r.events(r.PK[len(streamPrefix):], buf[:0])
			for _, e := range buf {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// Streams yields the heads of the streams of a category, oldest first, without deleted ones. It needs
// the option [ByCategory]. The index follows the table within moments.
func (s *Store) Streams(ctx context.Context, category string) iter.Seq2[Head, error] {
	if err := s.usable(); err != nil {
		return failing[Head](err)
	}
	return func(yield func(Head, error) bool) {
		if indexesOf(s).byCategory == nil {
			yield(Head{}, &ddb.InvalidError{Problems: []error{errors.New("the store has no index of categories; it needs the option ByCategory")}})
			return
		}
		if _, err := s.complete(ctx, "ByCategory", func(r *row) bool { return r.CategoriesFull }); err != nil {
			yield(Head{}, err)
			return
		}
		var salts []iter.Seq2[row, error]
		for i := range s.o.categories {
			salts = append(salts, indexesOf(s).byCategory.Query(category+"#"+strconv.Itoa(i)).Hydrate().All(ctx))
		}
		for r, err := range merged(salts, func(a, b *row) bool { return a.Created < b.Created }) {
			if err != nil {
				yield(Head{}, err)
				return
			}
			if r.Deleted == 0 && !yield(r.asHead(r.PK[len(streamPrefix):]), nil) {
				return
			}
		}
	}
}
