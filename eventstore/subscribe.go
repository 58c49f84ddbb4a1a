package eventstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
)

// Positions keeps how far a consumer has come in each partition of what it reads. Package position
// has one; anything with these methods will do.
type Positions interface {
	// Load returns the last position saved, 0 if there is none.
	Load(ctx context.Context, consumer, partition string) (int64, error)
	// Save must fail if the position would go back, or belongs to somebody else by now.
	Save(ctx context.Context, consumer, partition string, position int64) error
}

// SubscribeOption is an option of [Feed.Subscribe].
type SubscribeOption func(*subscription)

// Concurrency is how many shards are handled at the same time, 4 without it. The
// commits of one stream are always handled one after the other.
func Concurrency(n int) SubscribeOption { return func(s *subscription) { s.workers = n } }

// PollEvery is how long to wait before looking for new commits when there were none, 1
// second without it. A look costs a read unit for each shard.
func PollEvery(d time.Duration) SubscribeOption { return func(s *subscription) { s.poll = d } }

// SaveEvery saves the position of a shard after so many commits, 100 without it, and always when the shard is read
// to its end. After a crash, commits since the last save are handled again.
func SaveEvery(commits int) SubscribeOption { return func(s *subscription) { s.every = commits } }

// HandlerSaves leaves it to the handler to save the position, in a transaction with
// its effects: then each commit takes effect exactly once. The partition is the shard's number as text.
func HandlerSaves() SubscribeOption { return func(s *subscription) { s.handlerSaves = true } }

// UntilEnd ends the subscription, without an error, when it has handled all that there was when it began.
func UntilEnd() SubscribeOption { return func(s *subscription) { s.untilEnd = true } }

// Shards subscribes to some shards of the feed only, so that several processes can share it.
func Shards(numbers ...int) SubscribeOption {
	return func(s *subscription) { s.shards = slices.Clone(numbers) }
}

// Retries is how often a failing handler is tried again before [OnFailure] decides, 3 times without it,
// with waits in between that grow.
func Retries(n int) SubscribeOption { return func(s *subscription) { s.retries = n } }

// OnFailure decides about a commit whose handler failed for good: nil passes over it,
// an error ends the subscription. Without it, the handler's error does.
func OnFailure(decide func(ctx context.Context, c Commit, err error) error) SubscribeOption {
	return func(s *subscription) { s.onFailure = decide }
}

type subscription struct {
	feed         *Feed
	consumer     string
	positions    Positions
	handle       func(context.Context, Commit) error
	workers      int
	poll         time.Duration
	every        int
	handlerSaves bool
	untilEnd     bool
	shards       []int
	retries      int
	onFailure    func(context.Context, Commit, error) error
}

// Subscribe hands every commit to the handler: first all that the consumer has not seen, then
// new ones as they come, until the context ends or something fails for good. It returns when
// all of its work has ended.
//
// The commits of one stream are handled one after the other, in their order; those of different shards at the same time. The position is
// saved after the handler has returned, so after a crash the last commits come
// again: a handler must bear that, or save the position itself, see [HandlerSaves].
//
// A handler that fails is tried again, see [Retries] and [OnFailure]. An
// error of the positions, such as that another process has taken over, ends the subscription, and so does any of the feed.
func (f *Feed) Subscribe(ctx context.Context, consumer string, positions Positions, handle func(ctx context.Context, c Commit) error, opts ...SubscribeOption) error {
	s := &subscription{
		feed: f, consumer: consumer, positions: positions, handle: handle,
		workers: 4, poll: time.Second, every: 100, retries: 3,
		onFailure: func(_ context.Context, _ Commit, err error) error { return err },
	}
	for _, opt := range opts {
		opt(s)
	}
	if err := s.check(); err != nil {
		return err
	}
	at := make([]int64, len(s.shards))
	for i, shard := range s.shards {
		n, err := positions.Load(ctx, consumer, partition(shard))
		if err != nil {
			return fmt.Errorf("subscription: load the position of shard %d: %w", shard, err)
		}
		at[i] = n
	}
	return s.run(ctx, at)
}

func (s *subscription) check() error {
	var errs []error
	total := s.feed.store.o.shards
	if total == 0 {
		errs = append(errs, errNoFeed)
	}
	if s.consumer == "" || s.positions == nil || s.handle == nil || s.onFailure == nil {
		errs = append(errs, errors.New("a subscription needs a consumer's name, positions and a handler"))
	}
	if s.workers < 1 || s.poll <= 0 || s.every < 1 || s.retries < 0 {
		errs = append(errs, errors.New("Concurrency and SaveEvery take at least 1, PollEvery more than 0, Retries at least 0"))
	}
	if s.shards == nil {
		for i := range total {
			s.shards = append(s.shards, i)
		}
	}
	slices.Sort(s.shards)
	s.shards = slices.Compact(s.shards)
	for _, n := range s.shards {
		if n < 0 || n >= total {
			errs = append(errs, fmt.Errorf("there is no shard %d; the feed has %d", n, total))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return &ddb.InvalidError{Problems: []error{fmt.Errorf("subscription: %w", err)}}
	}
	return nil
}

// round is how many commits of a shard are handled before the others get their turn.
const round = 1000

func (s *subscription) run(ctx context.Context, at []int64) error {
	var stop Position
	for first := true; ; first = false {
		end, err := s.feed.End(ctx)
		if err != nil {
			return err
		}
		if first {
			stop = end
		}
		if s.untilEnd {
			end = stop
		}
		busy, err := s.turn(ctx, at, end)
		if err != nil {
			return err
		}
		if busy {
			continue
		}
		if s.untilEnd {
			return nil
		}
		if err := s.feed.store.o.wait(ctx, s.poll); err != nil {
			return err
		}
	}
}

// turn handles a round of every shard that has something new.
func (s *subscription) turn(ctx context.Context, at []int64, end Position) (busy bool, err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	limit := make(chan struct{}, s.workers)
	for i, shard := range s.shards {
		from, to := at[i], min(end.Of(shard), at[i]+round)
		if to <= from {
			continue
		}
		busy = true
		limit <- struct{}{}
		wg.Go(func() {
			defer func() { <-limit }()
			var err error
			if at[i], err = s.shard(ctx, shard, from, to); err != nil {
				cancel(err)
			}
		})
		if ctx.Err() != nil {
			break
		}
	}
	wg.Wait()
	return busy, context.Cause(ctx)
}

// shard handles the commits between two numbers, and returns the last that was handled.
func (s *subscription) shard(ctx context.Context, shard int, from, to int64) (int64, error) {
	saved := from
	save := func() error {
		if s.handlerSaves || saved == from {
			return nil
		}
		if err := s.positions.Save(ctx, s.consumer, partition(shard), from); err != nil {
			return fmt.Errorf("subscription: save the position of shard %d: %w", shard, err)
		}
		saved = from
		return nil
	}
	store := s.feed.store
	for c, err := range store.hydrate(ctx, s.feed.rows(ctx, shard, from, to)) {
		if err == nil {
			if err = ctx.Err(); err == nil {
				err = s.one(ctx, c)
			}
		}
		if err != nil {
			// What was handled is handled: keep that, if it still can be kept.
			if ctx.Err() == nil {
				err = errors.Join(err, save())
			}
			return from, err
		}
		if from = c.Number; from-saved >= int64(s.every) {
			if err := save(); err != nil {
				return from, err
			}
		}
	}
	return from, save()
}

// one hands a commit to the handler, several times if it fails.
func (s *subscription) one(ctx context.Context, c Commit) error {
	waits := s.feed.store.o.backoff.new()
	for try := 0; ; try++ {
		err := s.handle(ctx, c)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return err
		}
		if try == s.retries {
			return s.failed(ctx, c, err)
		}
		if err := s.feed.store.o.wait(ctx, waits.NextBackOff()); err != nil {
			return err
		}
	}
}

// failed asks what to do about a commit whose handler failed for good.
func (s *subscription) failed(ctx context.Context, c Commit, err error) error {
	if err = s.onFailure(ctx, c, err); err != nil {
		return fmt.Errorf("subscription: the handler failed at number %d of shard %d: %w", c.Number, c.Shard, err)
	}
	return nil
}
