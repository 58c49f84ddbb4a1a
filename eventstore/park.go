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
	"unicode/utf8"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Park sets a commit aside, in the store's own table, if the handler fails for it after all [Retries], and continues with the next one. Later commits of
// the same stream are parked as well, so that the order is kept; other streams continue. [Feed.Parked] lists parked commits with the reason,
// [Feed.Replay] makes the subscription handle them again in order, and [Feed.Discard] drops one.
//
// A shard parks at most that many commits; 0 means 1,000. At the next one the subscription ends with the handler's error, because then not just single commits fail.
//
// A commit that is handled again has [Commit.Replayed] set, because its position was saved before. So Park cannot be combined with [HandlerSaves], nor with
// [OnFailure], which handles the same failures differently.
//
// A parked commit costs one write unit, or two and a check of the lease with [Shared], and one more when it is handled. While commits are parked, the subscription
// checks every 10 seconds whether they are to be handled again, which costs a read unit for each shard that has any.
func Park(most int) SubscribeOption {
	return func(s *subscription) {
		s.park = true
		if s.mostParked = most; most == 0 {
			s.mostParked = 1000
		}
	}
}

// parkCheckInterval is how often a shard with parked commits checks whether they are to be handled again.
const parkCheckInterval = 10 * time.Second

// Parked is a commit that a subscription has set aside; see [Park]. Its events are in the stream: read it from First to Last.
type Parked struct {
	Consumer    string
	Shard       int
	Number      int64
	Stream      string
	First, Last int64 // versions
	CommitID    string
	// At is when it was parked, by the clock of the process that parked it.
	At time.Time
	// Attempts is how often the handler has failed; 0 if the commit waits for an earlier one of its stream.
	Attempts int
	// Reason is the handler's error, cut to 500 bytes. It contains whatever the handler puts into its errors.
	Reason string
	// Replay is true if it is to be handled again.
	Replay bool
}

const parkedPrefix = "P#"

// parkedKey returns the key of a commit that a consumer has parked, by shard and number. Number 0 counts the requests to look at them.
func parkedKey(consumer string, shard int, number int64) ddb.Key[string, int64] {
	return ddb.Key[string, int64]{Partition: parkedPrefix + strconv.Itoa(shard) + "#" + consumer, Sort: number}
}

func (r *row) asParked(consumer string, shard int) Parked {
	return Parked{
		Consumer: consumer, Shard: shard, Number: r.SK, Stream: r.Stream, First: r.First, Last: r.Last, CommitID: r.Commit,
		At: time.Unix(0, r.At).UTC(), Attempts: int(r.Version), Reason: r.Reason, Replay: r.Replay,
	}
}

// Parked yields the commits that a consumer has parked, by shard and number, consistently. It costs a read unit for each 4 KB of a shard's parked commits, of some
// 300 bytes each, and at least one for each shard.
func (f *Feed) Parked(ctx context.Context, consumer string) iter.Seq2[Parked, error] {
	if err := f.usable(); err != nil {
		return failing[Parked](err)
	}
	return func(yield func(Parked, error) bool) {
		if err := f.checkParked(consumer); err != nil {
			yield(Parked{}, err)
			return
		}
		for shard := range f.store.o.shards {
			for r, err := range f.store.parked(ctx, consumer, shard, 1) {
				if err != nil {
					yield(Parked{}, err)
					return
				}
				if !yield(r.asParked(consumer, shard), nil) {
					return
				}
			}
		}
	}
}

func (f *Feed) checkParked(consumer string) error {
	if err := f.check(); err != nil {
		return err
	}
	if consumer == "" {
		return &ddb.InvalidError{Problems: []error{errors.New("parked commits: the consumer has no name")}}
	}
	return nil
}

func (s *Store) parked(ctx context.Context, consumer string, shard int, from int64) iter.Seq2[row, error] {
	return tableOf(s).Query(parkedKey(consumer, shard, 0).Partition).SortKey(ddb.Ge(from)).Consistent().All(ctx)
}

// Replay asks the subscription of a consumer to handle its parked commits again: all of them, or those of some streams. It returns their number. The
// subscription handles them within some seconds, or when it runs again: the commits of a stream one after the other, up to the first that fails again. It costs a write unit
// for each commit, and one for each shard that has any.
func (f *Feed) Replay(ctx context.Context, consumer string, streams ...string) (int, error) {
	if err := f.usable(); err != nil {
		return 0, err
	}
	n := 0
	shards := make(map[int]bool)
	for p, err := range f.Parked(ctx, consumer) {
		if err != nil {
			return n, err
		}
		if len(streams) > 0 && !slices.Contains(streams, p.Stream) {
			continue
		}
		err = repeat.Write(ctx, func() error {
			_, err := tableOf(f.store).Update(ctx, parkedKey(consumer, p.Shard, p.Number), rowReplay.Set(true))
			return err
		})
		if errors.Is(err, ddb.ErrNotFound) {
			continue // handled in the meantime
		}
		if err != nil {
			return n, err
		}
		n++
		shards[p.Shard] = true
	}
	for shard := range shards {
		if err := f.store.askParked(ctx, consumer, shard); err != nil {
			return n, err
		}
	}
	return n, nil
}

// Discard drops a parked commit: it will not be handled. Commits that were parked after it stay parked until [Feed.Replay].
// Discarding a commit that is no longer parked is not an error.
func (f *Feed) Discard(ctx context.Context, p Parked) error {
	if err := f.usable(); err != nil {
		return err
	}
	err := f.checkParked(p.Consumer)
	if err == nil {
		err = f.store.unpark(ctx, p.Consumer, p.Shard, p.Number)
	}
	if err != nil {
		return err
	}
	return f.store.askParked(ctx, p.Consumer, p.Shard)
}

// askParked asks the process that handles a shard to look at its parked commits.
func (s *Store) askParked(ctx context.Context, consumer string, shard int) error {
	return repeat.Write(ctx, func() error {
		_, err := tableOf(s).Upsert(ctx, parkedKey(consumer, shard, 0), rowVersion.Add(1)) // doing it twice is harmless
		return err
	})
}

func (s *Store) unpark(ctx context.Context, consumer string, shard int, number int64) error {
	key := parkedKey(consumer, shard, number)
	return repeat.Write(ctx, func() error { return tableOf(s).Delete(ctx, key.Partition, key.Sort) })
}

// parking is what a shard of a subscription knows about its parked commits.
type parking struct {
	streams         map[string]int // how many commits are parked, by stream
	numbers         map[int64]bool
	requestsHandled int64 // the number of requests that were handled
	retry           bool  // some may have to be handled again
	checkedAt       time.Time
}

// loadParked reads the parked commits. No other process parks commits of the shard.
func (f *follower) loadParked(ctx context.Context) error {
	if !f.park {
		return nil
	}
	_, err := f.readParked(ctx)
	return err
}

func (f *follower) readParked(ctx context.Context) ([]row, error) {
	is := parking{streams: make(map[string]int), numbers: make(map[int64]bool), checkedAt: time.Now()}
	var rows []row
	for r, err := range f.feed.store.parked(ctx, f.consumer, f.shard, 0) {
		if err != nil {
			return nil, fmt.Errorf("subscription: read the parked commits of shard %d: %w", f.shard, err)
		}
		if r.SK == 0 {
			is.requestsHandled = r.Version
			continue
		}
		is.streams[r.Stream]++
		is.numbers[r.SK] = true
		is.retry = is.retry || r.Replay
		rows = append(rows, r)
	}
	f.parking = is
	f.figures.passed(f.at, len(is.numbers))
	return rows, nil
}

// setAside parks a commit, for a reason or because earlier ones of its stream are parked.
func (f *follower) setAside(ctx context.Context, c *Commit, attempts int, reason error) error {
	if f.parking.numbers[c.Number] {
		return nil // it was parked before the position was saved
	}
	if len(f.parking.numbers) >= f.mostParked {
		if reason == nil {
			reason = errors.New("it waits for an earlier commit of its stream")
		}
		return f.ends(c, fmt.Errorf("%d commits of the shard are parked, which is the limit: %w", len(f.parking.numbers), reason))
	}
	key := parkedKey(f.consumer, f.shard, c.Number)
	r := &row{
		PK: key.Partition, SK: key.Sort, Stream: c.Stream, First: c.First, Last: c.Last, Keys: c.keys, Commit: c.CommitID,
		At: f.feed.store.o.now().UnixNano(), Version: int64(attempts), Reason: reasonText(reason),
	}
	err := f.persist(ctx, func(ctx context.Context) error {
		if !f.shared {
			err := tableOf(f.feed.store).Create(ctx, r)
			if errors.Is(err, ddb.ErrConditionFailed) {
				return nil // the reply of an attempt was lost
			}
			return err
		}
		// A process that was only paused must not park a commit that another process has handled by now.
		err := ddb.Transact(ctx, f.feed.store.client, tableOf(f.feed.store).TxCreate(r), tableOf(f.feed.store).TxCheck(leaseKey(f.consumer, f.shard), rowOwner.Eq(f.owner)))
		if te, ok := errors.AsType[*ddb.TransactionError](err); ok && te.At(1) == nil && te.At(0) != nil && te.At(0).Reason == conditionFailed {
			return nil
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("subscription: park number %d of shard %d: %w", c.Number, c.Shard, err)
	}
	f.parking.streams[c.Stream]++
	f.parking.numbers[c.Number] = true
	f.subscription.figures.givenUp.Add(1)
	return nil
}

// reasonText returns the text of an error, truncated.
func reasonText(err error) string {
	const most = 500
	if err == nil {
		return ""
	}
	text := ddberr.Redact(err).Error()
	if len(text) > most {
		text = text[:most]
		for !utf8.ValidString(text) {
			text = text[:len(text)-1]
		}
	}
	return text
}

// replay handles parked commits again if they are to be handled and it is time to look.
func (f *follower) replay(ctx, reading context.Context) error {
	if len(f.parking.numbers) == 0 || !f.parking.retry && time.Since(f.parking.checkedAt) < parkCheckInterval {
		return nil
	}
	return f.persist(reading, func(context.Context) error {
		if !f.parking.retry {
			asked, _, err := f.feed.store.get(ctx, parkedKey(f.consumer, f.shard, 0))
			if err != nil {
				return err
			}
			f.parking.checkedAt = time.Now()
			if asked.Version == f.parking.requestsHandled {
				return nil
			}
		}
		rows, err := f.readParked(ctx)
		if err != nil {
			return err
		}
		return f.whenFree(reading, func() error { return f.replayRows(ctx, reading, rows) })
	})
}

// replayRows handles parked commits: those of each stream up to the first that is not to be handled or fails.
func (f *follower) replayRows(ctx, reading context.Context, rows []row) error {
	stopped, later := make(map[string]bool), false
	for i := range rows {
		r := &rows[i]
		if stopped[r.Stream] || !r.Replay {
			stopped[r.Stream] = true
			continue
		}
		if r.SK > f.at { // it will come in its regular order, because its position is not saved
			stopped[r.Stream], later = true, true
			continue
		}
		if err := reading.Err(); err != nil {
			return err
		}
		failed, err := f.replayRow(ctx, reading, r)
		if err != nil {
			return err
		}
		if stopped[r.Stream] = failed; failed {
			continue
		}
		if err := f.persist(ctx, func(ctx context.Context) error { return f.feed.store.unpark(ctx, f.consumer, f.shard, r.SK) }); err != nil {
			return err
		}
		delete(f.parking.numbers, r.SK)
		if f.parking.streams[r.Stream]--; f.parking.streams[r.Stream] == 0 {
			delete(f.parking.streams, r.Stream)
		}
	}
	f.parking.retry = later // mark the failed commit
	f.figures.passed(f.at, len(f.parking.numbers))
	return nil
}

// replayRow handles a parked commit. It stays parked if it fails again.
func (f *follower) replayRow(ctx, reading context.Context, r *row) (failed bool, err error) {
	parked := Commit{
		Shard: f.shard, Number: r.SK, Stream: r.Stream, First: r.First, Last: r.Last, CommitID: r.Commit, keys: r.Keys, Replayed: true,
	}
	for c, err := range f.feed.hydrate(ctx, func(yield func(Commit, error) bool) { yield(parked, nil) }) {
		if err != nil {
			return false, err
		}
		if len(c.Events) > 0 {
			c.RecordedAt = c.Events[0].RecordedAt
		}
		if c.dropped {
			continue // dropped by a new filter
		}
		attempts, err := f.try(ctx, reading, c)
		if err == nil {
			continue
		}
		if attempts == 0 {
			return false, err
		}
		err = f.persist(ctx, func(ctx context.Context) error {
			return repeat.Write(ctx, func() error {
				_, err := tableOf(f.feed.store).Update(ctx, parkedKey(f.consumer, f.shard, r.SK),
					ddb.Remove(rowReplay), rowVersion.Set(r.Version+int64(attempts)), rowReason.Set(reasonText(err)))
				return err
			})
		})
		if errors.Is(err, ddb.ErrNotFound) {
			err = nil // discarded
		}
		return true, err
	}
	return false, nil
}
