// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
)

// UniqueIDs keeps the ids of events unique in the table and makes it possible to read an event by its id; see [Store.EventByID]. An append of
// an event with the id of another one is refused with [*DuplicateEventID]. An id can never be used again, even after its
// event is truncated or its stream deleted.
//
// Every event needs one more item, which costs 2 write units and one action of the transaction: 49 events fit in one call, 48 with the feed, up to 98
// with [Frames]. The choice is fixed when the table gets its first event; a store with another choice is refused with [ErrSetup].
func UniqueIDs() Option {
	return func(o *options) error {
		o.uniqueIDs = true
		return nil
	}
}

// ErrDuplicateEventID means that an event has the id of one that was appended before; nothing was written. The typed error is [*DuplicateEventID].
var ErrDuplicateEventID = errors.New("the id of an event was used before")

// DuplicateEventID is the error of an append that was refused because an event has the id of one that was appended before. It matches [ErrDuplicateEventID].
type DuplicateEventID struct { //nolint:errname // reads as what happened, where it is caught
	// ID is the id. Stream and Version are the stream and version of the event that has or had it.
	ID      string
	Stream  string
	Version int64
	cause   error
}

// Error gives the version, never the id.
func (e *DuplicateEventID) Error() string {
	return fmt.Sprintf("append: the id of an event was used before, for version %d of a stream: give each event its own id, or none", e.Version)
}

// Is makes the error match ErrDuplicateEventID.
func (e *DuplicateEventID) Is(target error) bool { return target == ErrDuplicateEventID }

// Unwrap returns the error of the transaction.
func (e *DuplicateEventID) Unwrap() error { return ddberr.Redact(e.cause) }

// EventByID reads the event with an id. It needs the option [UniqueIDs]. The read is consistent. If no event has the id, or its event was truncated, the error
// is [ddb.ErrNotFound]; if its stream was deleted, [ErrStreamDeleted]. It costs two read units, and one for each 4 KB of the event.
func (s *Store) EventByID(ctx context.Context, id string) (Event, error) {
	if err := s.usable(); err != nil {
		return Event{}, err
	}
	if !s.o.uniqueIDs || id == "" || len(id) > maxText {
		return Event{}, &ddb.InvalidError{Problems: []error{fmt.Errorf("event by id: it needs the option UniqueIDs, and an id of 1 to %d bytes", maxText)}}
	}
	at, found, err := s.get(ctx, idKey(id))
	if err != nil {
		return Event{}, err
	}
	if !found {
		return Event{}, ddb.ErrNotFound
	}
	for e, err := range s.Read(ctx, at.Stream, From(at.First), UpTo(at.First)) {
		return e, err
	}
	return Event{}, ddb.ErrNotFound
}

func idKey(id string) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: "E#" + id}
}

// idCount returns the number of id items that a commit writes.
func (s *Store) idCount(c *commit) int {
	n := 0
	if s.o.uniqueIDs {
		for _, p := range c.parts {
			n += len(p.events)
		}
	}
	return n
}

// idOps returns the operations that reserve the ids of a commit's events, in the order of parts and events.
func (s *Store) idOps(c *commit) []ddb.TxOp {
	if !s.o.uniqueIDs {
		return nil
	}
	var ops []ddb.TxOp
	for _, p := range c.parts {
		for i, id := range p.ids(c) {
			key := idKey(id)
			ops = append(ops, tableOf(s).TxCreate(&row{PK: key.Partition, SK: key.Sort, Stream: p.stream, First: p.base + int64(i) + 1}))
		}
	}
	return ops
}

// taken handles a commit if the id of its n-th event is already there. The id was written either by this commit, in a call that no head remembers any
// more, or by another commit.
func (s *Store) taken(ctx context.Context, c *commit, n int, cause error) (outcome, error) {
	dup := &DuplicateEventID{cause: cause}
	if is, ok := ddb.CurrentOf[row](cause, len(c.extra)+n); ok {
		dup.Stream, dup.Version = is.Stream, is.First
	}
	for _, p := range c.parts {
		if n < len(p.events) && n >= 0 {
			dup.ID = p.ids(c)[n]
		}
		n -= len(p.events)
	}
	for _, p := range c.parts {
		first, last, err := s.findCommit(ctx, p.stream, c.id)
		if err != nil {
			return commitRejected, err
		}
		if first == 0 || last-first+1 != int64(len(p.events)) {
			c.mayBeWritten = false // a request that is still in flight will meet the id as well
			return commitRejected, dup
		}
		p.first, p.last = first, last
	}
	c.found = true
	return commitWritten, nil
}
