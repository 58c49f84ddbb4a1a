// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/consumers"
)

// Positions keeps how far a consumer has come in each partition of what it reads. Package position
// has one; anything with these methods will do.
type Positions interface {
	// Load returns the last position saved, 0 if there is none. It is called again, by the process that takes a shard over, and
	// may claim the position then, so that the saves of the one before fail.
	Load(ctx context.Context, consumer, partition string) (int64, error)
	// Save must fail, best with an error that matches [ddb.ErrConditionFailed], if the position would go back, or belongs to somebody else by now.
	Save(ctx context.Context, consumer, partition string, position int64) error
}

// SubscribeOption is an option of [Feed.Subscribe].
type SubscribeOption func(*subscription)

// Concurrency is how many shards are handled at the same time; the default is 4. The
// commits of one stream are always handled one after the other.
func Concurrency(n int) SubscribeOption { return func(s *subscription) { s.workers = n } }

// PollEvery is how long to wait before looking for new commits when there were none, 1
// second without it. A look costs a read unit for each shard.
func PollEvery(d time.Duration) SubscribeOption { return func(s *subscription) { s.poll = d } }

// SaveEvery saves the position of a shard after this many commits, 100 by default, and always when the shard is read
// to its end. After a crash, commits since the last save are handled again.
func SaveEvery(commits int) SubscribeOption { return func(s *subscription) { s.every = commits } }

// HandlerSaves leaves it to the handler to save the position, in a transaction with
// its effects: then each commit takes effect exactly once. The partition is the shard's number as text.
func HandlerSaves() SubscribeOption { return func(s *subscription) { s.handlerSaves = true } }

// UntilEnd ends the subscription, without an error, when it has handled all that there was when it began.
func UntilEnd() SubscribeOption { return func(s *subscription) { s.untilEnd = true } }

// Shards subscribes to some shards of the feed only, so that several processes can share it by hand; see [Shared].
func Shards(numbers ...int) SubscribeOption {
	return func(s *subscription) { s.shards = slices.Clone(numbers) }
}

// Shared deals the shards among all processes that subscribe under the consumer's name with this option, as leases in the store's
// own table. Each has about the same number. A process that joins asks for its share, and the others finish what they have in hand first; one that
// ends gives its shards back, and one that dies is replaced after [Failover]: then the commits since its last save come again. A
// process that has no shard stands by. No clocks are compared.
//
// Positions that are claimed as they are loaded (As of package position) keep a process that was only paused from saving late.
//
// It costs a write unit for each shard three times in [Failover], and a read of the leases by each process twice in it.
func Shared() SubscribeOption { return func(s *subscription) { s.shared = true } }

// Failover is how long the lease of a shard must stand still before another process of a [Shared] subscription may
// take it, 10 seconds by default. Leases are renewed three times as often.
func Failover(d time.Duration) SubscribeOption { return func(s *subscription) { s.failover = d } }

// SubscriberName begins the name under which this process owns shards of a [Shared] subscription, for the people who read the
// leases; a random part makes it unique. Without it, it is the host's name.
func SubscriberName(name string) SubscribeOption { return func(s *subscription) { s.name = name } }

// Retries is how often a failing handler is tried again before [OnFailure] decides, 3 times by default,
// with waits in between that grow. Failures of DynamoDB that pass, such as throttling, do not count.
func Retries(n int) SubscribeOption { return func(s *subscription) { s.retries = n } }

// OnFailure decides about a commit whose handler has failed after all retries: nil skips it,
// an error ends the subscription. Without it, the handler's error does. It is the place for dead letters: send the commit elsewhere,
// and return nil when it is there. [Park] keeps it in the store instead.
func OnFailure(decide func(ctx context.Context, c Commit, err error) error) SubscribeOption {
	return func(s *subscription) { s.onFailure = decide }
}

// OnRetry is called with failures that pass, before what failed is tried again, for logs and metrics. It may be called
// from several goroutines. Without it they are logged to slog.Default.
func OnRetry(report func(err error)) SubscribeOption {
	return func(s *subscription) { s.onRetry = report }
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
	shared       bool
	failover     time.Duration
	name         string
	retries      int
	onFailure    func(context.Context, Commit, error) error
	onRetry      func(error)
	park         bool
	mostParked   int

	owner   string // of leases
	figures figures
	limit   chan struct{} // a token for each shard that is handled
	end     Position      // where UntilEnd ends
}

// Subscribe hands every commit to the handler: first all that the consumer has not seen, then
// new ones as they come, until the context ends or something fails for good. It returns when
// all of its work has ended.
//
// The commits of one stream are handled one after the other, in their order; those of different shards at the same time. The position is
// saved after the handler has returned, so after a crash the last commits come
// again: to a handler a repeat must do no harm, or it saves the position itself, see [HandlerSaves].
//
// Failures that pass never end it, however long they last: throttling, errors of the service or the network, lost replies. They
// are tried again, with waits of up to 10 seconds, and [OnRetry] tells of them. So there is no need to start it again.
//
// A handler that fails is tried again, see [Retries] and [OnFailure]. A subscription ends with the handler's error then, with that of the positions
// if another process has taken over, and with whatever the service refuses for good, such as a call that it does not allow.
//
// One process at a time may subscribe under a consumer's name, or several with [Shared].
func (f *Feed) Subscribe(ctx context.Context, consumer string, positions Positions, handle func(ctx context.Context, c Commit) error, opts ...SubscribeOption) error {
	s, err := f.newSubscription(consumer, positions, handle, opts)
	if err != nil {
		return err
	}
	return s.run(ctx)
}

func (f *Feed) newSubscription(consumer string, positions Positions, handle func(context.Context, Commit) error, opts []SubscribeOption) (*subscription, error) {
	if err := f.usable(); err != nil {
		return nil, err
	}
	s := &subscription{
		feed: f, consumer: consumer, positions: positions, handle: handle,
		workers: 4, poll: time.Second, every: 100, retries: 3, failover: 10 * time.Second,
		onRetry: func(err error) {
			slog.Warn("eventstore: a subscription goes on after a failure", "consumer", consumer, "error", err)
		},
	}
	for _, opt := range opts {
		if opt != nil {
			opt(s)
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.limit = make(chan struct{}, s.workers)
	report := s.onRetry
	s.onRetry = func(err error) {
		s.figures.retried.Add(1)
		report(err)
	}
	return s, nil
}

func (s *subscription) run(ctx context.Context) error {
	defer consumers.Add(s.stats)()
	if s.shared {
		return s.share(ctx)
	}
	return s.alone(ctx)
}

func (s *subscription) check() error {
	total := s.feed.store.o.shards
	errs := []error{s.feed.check()}
	if s.consumer == "" || s.positions == nil || s.handle == nil {
		errs = append(errs, errors.New("a subscription needs a consumer's name, positions and a handler"))
	}
	if s.park && (s.handlerSaves || s.onFailure != nil || s.mostParked < 0) {
		errs = append(errs, errors.New("Park goes with neither HandlerSaves nor OnFailure, and takes no negative number"))
	}
	if s.onFailure == nil {
		s.onFailure = func(_ context.Context, _ Commit, err error) error { return err }
	}
	if s.onRetry == nil || s.failover <= 0 {
		errs = append(errs, errors.New("OnRetry takes a function, Failover more than 0"))
	}
	if s.shared && (s.shards != nil || s.untilEnd) {
		errs = append(errs, errors.New("a Shared subscription deals the shards itself and has no end: it goes with neither Shards nor UntilEnd"))
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

// alone handles the shards without leases.
func (s *subscription) alone(ctx context.Context) error {
	if s.untilEnd {
		err := s.persist(ctx, func(ctx context.Context) (err error) {
			s.end, err = s.feed.End(ctx)
			return err
		})
		if err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var wg sync.WaitGroup
	for _, shard := range s.shards {
		wg.Go(func() {
			if err := s.work(ctx, ctx, shard); err != nil {
				cancel(err)
			}
		})
	}
	wg.Wait()
	return context.Cause(ctx)
}
