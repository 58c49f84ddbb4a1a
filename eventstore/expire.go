// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// ErrTimeLimit means that the stream is time-limited and the append is not, or the other way round; nothing was written. The first event of a
// stream decides: give all writers the same option [Expiring], or each append [ExpireAfter].
var ErrTimeLimit = errors.New("the stream is time-limited and the append is not, or the other way round")

// minTimeLimit is the shortest time limit: expiry is stored in seconds.
const minTimeLimit = time.Second

// Expiring makes streams time-limited: the function returns how long after its recording an event of a stream expires; 0 means never. It is meant for
// data that matters for a limited time, such as sessions, carts and rate limits.
//
// An expired event is hidden from every read at once, by the clock of the reading process, which may be 15 minutes late, and DynamoDB deletes its item within some days
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/howitworks-ttl.html). The guarantees are:
//
//   - Events of a stream expire in their order: an event never expires before those that precede it, whatever the clocks of the writers show, and the events of one
//     append expire together.
//   - The head of a stream is never deleted, so versions continue even when all events have expired: no version and no derived event id is used twice.
//     It costs some 300 bytes of storage for each stream. [Head.ExpiresAt] is the time when the last event expires.
//   - The [Feed] stays dense. A commit is delivered without its expired events, which are counted in [Commit.Truncated].
//   - A repeat of an append is recognised while its events are there, or its commit is among the last 8 of the stream, or by [Dedup]. Later, the same
//     [Exactly] is refused with [ErrWrongExpectedVersion]; nothing is written twice.
//   - Aggregates are folded from the events that have not expired. Snapshots and stored states would keep the others: they are neither used nor taken.
//   - Views, and copies made by other readers, keep what they contain. With [UniqueIDs], the id of an expired event can never be used again.
//
// A stream is time-limited from its first event on, or never: an append that differs is refused with [ErrTimeLimit]. Events that expire are not stored in [Frames]. A read
// first looks for the first event that has not expired, among a hundred at a time, and additionally costs the read units of these. DynamoDB's deletions cost nothing.
func Expiring(limit func(stream string) time.Duration) Option {
	return func(o *options) error {
		o.limit = limit
		if limit == nil {
			return errors.New("option Expiring: no function")
		}
		return nil
	}
}

// ExpireAfter makes the events of a commit expire the given time after they were recorded, whatever [Expiring] returns. The time is at least a second. See
// [Expiring] for the guarantees.
func ExpireAfter(d time.Duration) CommitArgument {
	return argument(func(c *commit) {
		c.limit = d
		if d < minTimeLimit {
			c.errs = append(c.errs, fmt.Errorf("ExpireAfter: %s; it must be at least a second", d))
		}
	})
}

// timeLimit returns how long the events that a commit appends to a stream live; 0 means for ever.
func (s *Store) timeLimit(c *commit, stream string) time.Duration {
	d := c.limit
	if d == 0 && s.o.limit != nil {
		d = s.o.limit(stream)
	}
	if d <= 0 {
		return 0
	}
	return max(d, minTimeLimit)
}

// follow makes the events of a part expire no earlier than those before them.
func (p *part) follow(head *row) error {
	if head.Version == 0 {
		return nil
	}
	if (head.Expiry == 0) != (p.expiry == 0) {
		return ErrTimeLimit
	}
	p.expiry = max(p.expiry, head.Expiry)
	return nil
}

// isExpired reports whether the event of a row has expired. Events of one stream expire in their order.
func (s *Store) isExpired(r *row) bool { return r.TTL != 0 && r.TTL <= s.o.now().Unix() }

// clockSkew is how late the clock of a process may be: events that expire within it may be deleted already.
const clockSkew = 15 * time.Minute

// skipExpired returns the head with the first event that has not expired as its beginning. Other heads stay as they are.
func (s *Store) skipExpired(ctx context.Context, stream string, head row) (row, error) {
	if head.Expiry == 0 || head.Deleted != 0 {
		return head, nil
	}
	now := s.o.now()
	begin := max(head.Cut, 1)
	if head.Expiry <= now.Unix() || begin > head.Version {
		head.Cut = head.Version + 1
		return head, nil
	}
	sure := now.Add(clockSkew).Unix()
	waits := s.o.backoff.new()
	for look := range missingEventReads {
		if look > 0 {
			if err := s.o.wait(ctx, waits.NextBackOff()); err != nil {
				return head, err
			}
		}
		q := tableOf(s).Query(streamKey(stream, 0).Partition).SortKey(ddb.Between(begin, head.Version)).Filter(rowTTL.Gt(now.Unix())).Consistent()
		first, err := q.PageSize(100).First(ctx) // it is usually near the beginning, and without a limit a page has 1 MB
		switch {
		case err == nil && first.TTL > sure:
			head.Cut, err = s.firstLive(ctx, stream, first.First, begin, now.Unix())
			return head, err
		case err == nil || errors.Is(err, ddb.ErrNotFound):
			next, all, err := unsure(ctx, s, stream, head, q, now.Unix(), sure)
			if all || err != nil {
				head.Cut = next
				return head, err
			}
		default:
			return head, err
		}
	}
	return head, &GapError{Stream: stream, Version: head.Version}
}

// unsure finds the first event after all missing ones among those that expire soon. It reports whether the last event, which has not expired, was there.
func unsure(ctx context.Context, s *Store, stream string, head row, q *ddb.Query[row, int64], now, sure int64) (first int64, all bool, err error) {
	begin := max(head.Cut, 1)
	first = begin
	next := begin
	for r, err := range q.All(ctx) {
		if err != nil {
			return 0, false, err
		}
		if r.SK > next {
			behind, err := s.firstLive(ctx, stream, r.First, next, now)
			if err != nil {
				return 0, false, err
			}
			if behind > next { // otherwise they belong to one commit that is not visible yet
				first = behind
			}
		}
		if next = r.SK + 1; r.TTL > sure {
			return first, true, nil // from here on, nothing may be missing
		}
	}
	if next > head.Version {
		return first, true, nil
	}
	if head.Expiry > sure {
		return 0, false, nil // its transaction is not visible yet
	}
	_, found, err := s.get(ctx, streamKey(stream, head.Version))
	return head.Version + 1, err == nil && !found, err
}

// firstLive goes back from a commit whose events have not expired. The event before it may have been left out by a query because its transaction was
// not visible as a whole; a read of the item by its key sees what was committed before.
func (s *Store) firstLive(ctx context.Context, stream string, first, begin, now int64) (int64, error) {
	for first > begin {
		before, found, err := s.get(ctx, streamKey(stream, first-1))
		if err != nil {
			return 0, err
		}
		if !found || before.TTL <= now {
			return first, nil
		}
		first = before.First
	}
	return begin, nil
}

// unixTime returns the time of seconds since 1970, the zero time for 0.
func unixTime(seconds int64) time.Time {
	if seconds == 0 {
		return time.Time{}
	}
	return time.Unix(seconds, 0).UTC()
}
