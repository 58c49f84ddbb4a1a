// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"crypto/cipher"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
)

// Limits of one transaction; see
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
const (
	maxActions = 100
	maxBytes   = 4 << 20
)

// AppendArg is an argument of [Store.Append]: a [NewEvent], [Events], [CommitID],
// [Dedup], [ExpireAfter] or [With].
type AppendArg interface{ addTo(*commit) }

// CommitArg is an argument of [Store.Commit]: [To], [CommitID], [Dedup], [ExpireAfter] or [With].
type CommitArg interface{ addToCommit(*commit) }

// Appended is what an append wrote to one stream.
type Appended struct {
	Stream      string
	First, Last int64 // versions
	CommitID    string
	// Deduplicated: an earlier call with the commit id, or an attempt whose reply
	// was lost, had written the events already.
	Deduplicated bool
}

// Append adds events to the end of a stream if the stream is in the expected state. It writes all of them or none:
//
//	done, err := store.Append(ctx, "account-42", eventstore.Exactly(3),
//		eventstore.NewEvent{Type: "deposited", Data: data})
//
// The events and the head of the stream are one transaction. Repeating an append with the same
// [CommitID] and events succeeds and writes nothing more. If a reply is lost, the append finds out whether the events were written. It returns
// [ErrAmbiguous] only if the context ends or DynamoDB stops answering before it knows.
//
// Errors: [*WrongExpectedVersion], [*BatchTooLarge] and [*EventTooLarge] before anything is written,
// [ErrStreamDeleted], [ErrTimeLimit], [*CommitIDReused], [ErrCorruptIdempotency], [ErrContention], [ErrAmbiguous], and
// those of [ddb.Transact].
//
// An append of one event of up to 1 KB costs 4 write units, 8 with a [Sequenced]
// feed, and as much again for each index entry: a transaction costs twice the units of
// its writes. A transaction has 100 actions: 99 events in one call, 97 with the feed.
//
// In global tables with eventual consistency, append to a stream in one Region only. With a [Sequenced] feed, append to the whole store in
// one Region only, because its streams share the counters: transactions hold within a Region, and between Regions the last writer wins.
func (s *Store) Append(ctx context.Context, stream string, expected Expected, args ...AppendArg) (Appended, error) {
	if err := s.usable(); err != nil {
		return Appended{}, err
	}
	c := s.newCommit()
	c.parts = []*part{{stream: stream, expected: expected}}
	for _, arg := range args {
		if arg == nil {
			c.errs = append(c.errs, errors.New("an argument is nil"))
			continue
		}
		arg.addTo(c)
	}
	if err := s.run(ctx, c); err != nil {
		return Appended{}, err
	}
	return c.parts[0].done(c), nil
}

// Commit appends events to several streams in one transaction, all or none:
//
//	_, err := store.Commit(ctx,
//		eventstore.To("account-1", eventstore.Exactly(3), withdrawn),
//		eventstore.To("account-2", eventstore.Any(), deposited))
//
// The result has one element for each [To], in their order. It costs as much as the single appends.
func (s *Store) Commit(ctx context.Context, args ...CommitArg) ([]Appended, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	c := s.newCommit()
	for _, arg := range args {
		if arg == nil {
			c.errs = append(c.errs, errors.New("an argument is nil"))
			continue
		}
		arg.addToCommit(c)
	}
	if err := s.run(ctx, c); err != nil {
		return nil, err
	}
	done := make([]Appended, len(c.parts))
	for i, p := range c.parts {
		done[i] = p.done(c)
	}
	return done, nil
}

// To is what [Store.Commit] appends to one stream.
func To(stream string, expected Expected, events ...NewEvent) CommitArg {
	return &part{stream: stream, expected: expected, events: events}
}

func (p *part) addToCommit(c *commit) {
	c.parts = append(c.parts, &part{stream: p.stream, expected: p.expected, events: p.events})
}

// CommitArgument is an argument of both [Store.Append] and [Store.Commit].
type CommitArgument interface {
	AppendArg
	CommitArg
}

type argument func(*commit)

func (f argument) addTo(c *commit)       { f(c) }
func (f argument) addToCommit(c *commit) { f(c) }

// CommitID makes a commit repeatable: calls with the same id and events write once. Ids of different streams are independent.
// Without it, or with the empty id, each call gets a new id, a UUID of version 7. An id has up to 128 bytes.
//
// A repeat with the same [Exactly] is always recognised. A repeat with another expectation, for example [Any] or that of a client that has
// loaded the stream again, is recognised while the commit is among the last 8 of the stream; [Dedup] extends this. A repeat succeeds with
// [Appended.Deduplicated] set, and costs a read of the events.
//
// If the id was used for other events, the error is [*CommitIDReused]. Types, schemas, data and given ids are compared as far as the stream
// still has them. Metadata, correlation and causation may differ; those of the first call are kept.
func CommitID(id string) CommitArgument {
	return argument(func(c *commit) {
		c.id = id
		if len(id) > 128 {
			c.errs = append(c.errs, fmt.Errorf("the commit id has %d bytes; it has at most 128", len(id)))
		}
	})
}

// Dedup remembers the commit for at least the given time: repeats are recognised whatever they expect, and however many commits
// come in between. It writes a marker item, which costs 2 write units and which DynamoDB deletes some days after the time has passed.
func Dedup(keep time.Duration) CommitArgument {
	return argument(func(c *commit) {
		c.dedup = keep
		if keep <= 0 {
			c.errs = append(c.errs, fmt.Errorf("Dedup: %s; the duration must be positive", keep))
		}
	})
}

// With adds the caller's operations to the transaction of the commit, such as an update of another table
// or the position of a consumer. If one of them fails, nothing is written, and the
// error is the [*ddb.TransactionError], which counts them from 0 in the order given.
func With(ops ...ddb.TxOp) CommitArgument {
	return argument(func(c *commit) { c.extra = append(c.extra, ops...) })
}

// commit is one call, from its arguments to its end.
type commit struct {
	id    string
	at    time.Time
	parts []*part
	extra []ddb.TxOp
	dedup time.Duration
	limit time.Duration // how long the events live, if given
	errs  []error

	call           string // names the call among repeats
	attempt        int    // counts the transactions that differ
	mayBeWritten   bool   // an earlier transaction may still be written
	resend         bool   // the next transaction must be the same as the last
	found          bool   // it was written by an earlier call or attempt
	roles          []role // of the operations of the last transaction
	shardConflicts int    // how often in a row it met others on its shards, and nothing else
}

// part is what a commit writes to one stream.
type part struct {
	stream   string
	expected Expected
	events   []NewEvent
	rows     []row        // their SK counts from 1; the base is added when they are sent
	aead     cipher.AEAD  // nil if the events are not encrypted; otherwise rows have room for it
	large    map[int]bool // the rows whose data go to the payload store when they are encrypted
	sent     []row        // the encrypted rows, which follow the version sentBase
	sentBase int64
	expiry   int64 // when the events expire, in seconds since 1970; 0 means never
	copied   bool  // expiry is the events' expiry in the store that they are copied from

	based bool
	// notInHead: the head was read at the base version and does not contain the commit.
	notInHead bool
	base      int64 // the stream's version before the commit, if based
	first     int64 // set at the end
	last      int64

	shard  *shard
	number int64 // in the feed, if sent
	op     int   // the place of the head's update among the operations
}

func (p *part) done(c *commit) Appended {
	return Appended{Stream: p.stream, First: p.first, Last: p.last, CommitID: c.id, Deduplicated: c.found}
}

func (s *Store) newCommit() *commit { return &commit{at: s.o.now(), call: uuid.NewString()} }

// run checks and prepares a commit, and sends it until its outcome is known.
func (s *Store) run(ctx context.Context, c *commit) error {
	if err := s.check(c); err != nil {
		return err
	}
	if err := s.checkSetup(ctx); err != nil {
		return err
	}
	if err := s.prepare(ctx, c); err != nil {
		return err
	}
	unlock, err := s.lockStreams(ctx, c)
	if err != nil {
		return err
	}
	defer unlock()
	return s.sendUntilKnown(ctx, c)
}

// check refuses invalid arguments and reports all of them at once.
func (s *Store) check(c *commit) error {
	errs := c.errs
	if c.id == "" {
		id, err := uuid.NewV7()
		if err != nil {
			return fmt.Errorf("append: no randomness for a commit id: %w", err)
		}
		c.id = id.String()
	}
	if len(c.parts) == 0 {
		errs = append(errs, errors.New("no stream"))
	}
	streams, ids := make(map[string]bool, len(c.parts)), make(map[string]bool)
	for i, p := range c.parts {
		errs = append(errs, checkStream(p.stream))
		if streams[p.stream] {
			errs = append(errs, fmt.Errorf("stream %d of the commit is given twice", i))
		}
		streams[p.stream] = true
		if p.expected.version < 0 {
			errs = append(errs, fmt.Errorf("the expected version %d is negative", p.expected.version))
		}
		if len(p.events) == 0 {
			errs = append(errs, errors.New("no events to append"))
		}
		for j := range p.events {
			e := &p.events[j]
			errs = append(errs, e.check(j))
			if e.ID != "" && ids[e.ID] {
				errs = append(errs, fmt.Errorf("event %d has the id of an event before it", j))
			}
			ids[e.ID] = true
		}
	}
	if err := errors.Join(errs...); err != nil {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("append: %w", err)}}
	}
	return nil
}

// maxStream is the length of the longest stream name: DynamoDB's limit of a partition key, less the prefixes.
const maxStream = 2000

func checkStream(stream string) error {
	switch {
	case stream == "":
		return errors.New("the stream has no name")
	case len(stream) > maxStream:
		return fmt.Errorf("the name of the stream has %d bytes; the limit is %d", len(stream), maxStream)
	}
	return nil
}
