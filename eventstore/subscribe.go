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

// Positions stores how far a consumer has come in each partition of what it reads. Package position
// provides an implementation.
type Positions interface {
	// Load returns the last saved position, 0 if there is none. A process that takes over a shard calls it again. Load
	// may then claim the position, so that saves by the previous process fail.
	Load(ctx context.Context, consumer, partition string) (int64, error)
	// Save must fail if the position would go back, or if another process has claimed it. The error should match [ddb.ErrConditionFailed].
	Save(ctx context.Context, consumer, partition string, position int64) error
}

// SubscribeOption is an option of [Feed.Subscribe].
type SubscribeOption func(*subscription)

// Concurrency sets how many shards are handled at the same time; the default is 4. The
// commits of one stream are always handled one after the other.
func Concurrency(n int) SubscribeOption { return func(s *subscription) { s.workers = n } }

// PollEvery sets how long to wait before looking for new commits when there were none; the default is 1
// second. Each look costs a read unit for each shard.
func PollEvery(d time.Duration) SubscribeOption { return func(s *subscription) { s.poll = d } }

// SaveEvery sets after how many commits the position of a shard is saved; the default is 100. It is always saved when the shard is read
// to its end. After a crash, commits since the last save are handled again.
func SaveEvery(commits int) SubscribeOption { return func(s *subscription) { s.every = commits } }

// HandlerSaves lets the handler save the position, in a transaction with
// its effects: then each commit takes effect exactly once. The partition is the shard's number as text.
func HandlerSaves() SubscribeOption { return func(s *subscription) { s.handlerSaves = true } }

// UntilEnd ends the subscription without an error when it has handled everything that existed when it began.
func UntilEnd() SubscribeOption { return func(s *subscription) { s.untilEnd = true } }

// Shards subscribes only to some shards of the feed, so that you can divide it among several processes by hand; see [Shared].
func Shards(numbers ...int) SubscribeOption {
	return func(s *subscription) { s.shards = slices.Clone(numbers) }
}

// Shared distributes the shards among all processes that subscribe under the consumer's name with this option, by leases in the store's
// own table. Each process has about the same number. A process that joins asks for its share, and the others first finish their current commits. A process that
// ends gives its shards back. A process that dies is replaced after [Failover]; then the commits since its last save are delivered again. A
// process without a shard stands by. No clocks are compared.
//
// With positions that are claimed when they are loaded (As of package position), a process that was only paused cannot save late.
//
// In each period of [Failover] it costs three write units for each shard, and each process reads the leases twice.
func Shared() SubscribeOption { return func(s *subscription) { s.shared = true } }

// Failover sets how long the lease of a shard must stay unrenewed before another process of a [Shared] subscription may
// take it; the default is 10 seconds. Leases are renewed three times as often.
func Failover(d time.Duration) SubscribeOption { return func(s *subscription) { s.failover = d } }

// SubscriberName sets the beginning of the name under which this process holds leases of a [Shared] subscription, for people who read the
// leases; a random part makes it unique. The default is the host's name.
func SubscriberName(name string) SubscribeOption { return func(s *subscription) { s.name = name } }

// Retries sets how often a failed handler is tried again before [OnFailure] is called, with growing waits in between; the default
// is 3. Transient failures of DynamoDB, such as throttling, do not count.
func Retries(n int) SubscribeOption { return func(s *subscription) { s.retries = n } }

// OnFailure sets a function that is called for a commit whose handler has failed after all retries: nil skips the commit,
// an error ends the subscription. Without it, the handler's error ends the subscription. Use it for dead letters: send the commit elsewhere,
// and return nil when it has arrived. [Park] keeps the commit in the store instead.
func OnFailure(decide func(ctx context.Context, c Commit, err error) error) SubscribeOption {
	return func(s *subscription) { s.onFailure = decide }
}

// OnRetry sets a function that is called with transient failures before the next try, for logs and metrics. It may be called
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
	limit   chan struct{} // a semaphore for the shards that are handled
	end     Position      // where UntilEnd stops
}

// Subscribe passes every commit to the handler: first all that the consumer has not seen, then
// new ones as they come, until the context ends or something fails permanently. It returns when
// all of its work has ended.
//
// The commits of one stream are handled one after the other, in their order; those of different shards at the same time. The position is
// saved after the handler has returned, so the last commits are delivered again after a
// crash. The handler must be idempotent, or save the position itself; see [HandlerSaves].
//
// Transient failures never end it, however long they last: throttling, errors of the service or the network, lost replies. The failed
// operation is tried again, with waits of up to 10 seconds, and [OnRetry] is called. So there is no need to start the subscription again.
//
// A handler that fails is called again; see [Retries] and [OnFailure]. The subscription ends with the handler's error if it keeps failing, with the error of the positions
// if another process has taken over, and with any permanent error of the service, such as denied access.
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
	return s.withoutLeases(ctx)
}

func (s *subscription) check() error {
	total := s.feed.store.o.shards
	errs := []error{s.feed.check()}
	if s.consumer == "" || s.positions == nil || s.handle == nil {
		errs = append(errs, errors.New("a subscription needs a consumer's name, positions and a handler"))
	}
	if s.park && (s.handlerSaves || s.onFailure != nil || s.mostParked < 0) {
		errs = append(errs, errors.New("Park cannot be combined with HandlerSaves or OnFailure, and its number must not be negative"))
	}
	if s.onFailure == nil {
		s.onFailure = func(_ context.Context, _ Commit, err error) error { return err }
	}
	if s.onRetry == nil || s.failover <= 0 {
		errs = append(errs, errors.New("OnRetry needs a function, and Failover must be more than 0"))
	}
	if s.shared && (s.shards != nil || s.untilEnd) {
		errs = append(errs, errors.New("a Shared subscription distributes the shards itself and has no end: it cannot be combined with Shards or UntilEnd"))
	}
	if s.workers < 1 || s.poll <= 0 || s.every < 1 || s.retries < 0 {
		errs = append(errs, errors.New("Concurrency and SaveEvery must be at least 1, PollEvery more than 0, Retries at least 0"))
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

// withoutLeases handles the shards without leases.
func (s *subscription) withoutLeases(ctx context.Context) error {
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
