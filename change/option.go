// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// Option is an option of [NewStream] and [NewConsumer]. Options for leases and
// handlers have no effect on a Stream.
type Option func(*config)

type config struct {
	poll, discovery time.Duration
	call            time.Duration
	pageLimit       int
	onLoss          func(context.Context, *DataLossError) error
	onEvent         func(Event)
	now             func() time.Time

	start      Start
	worker     string
	failover   time.Duration
	drain      time.Duration
	checkpoint time.Duration
	maxShards  int
	maxPending int

	counts counts
}

// newConfig returns the configuration of the options, and their errors.
func newConfig(opts []Option) (*config, []error) {
	c := &config{
		poll: time.Second, discovery: time.Minute, call: 10 * time.Second, pageLimit: maxRecords, now: time.Now,
		failover: 10 * time.Second, drain: 10 * time.Second, checkpoint: time.Second, maxPending: 10 * maxRecords,
	}
	var errs []error
	for _, o := range opts {
		if o == nil {
			errs = append(errs, errors.New("an option is nil"))
			continue
		}
		o(c)
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"PollInterval", c.poll}, {"DiscoveryInterval", c.discovery}, {"CallTimeout", c.call}, {"Failover", c.failover}, {"DrainTimeout", c.drain},
	} {
		if d.value <= 0 {
			errs = append(errs, fmt.Errorf("%s must be positive, it is %v", d.name, d.value))
		}
	}
	if c.checkpoint < 0 {
		errs = append(errs, fmt.Errorf("CheckpointInterval is negative: %v", c.checkpoint))
	}
	if c.pageLimit < 1 || c.pageLimit > maxRecords {
		errs = append(errs, fmt.Errorf("PageLimit is %d, it must be 1 to %d", c.pageLimit, maxRecords))
	}
	if c.maxShards < 0 || c.maxPending < 1 {
		errs = append(errs, errors.New("MaxShards and MaxPending cannot be negative, MaxPending not zero"))
	}
	if c.now == nil {
		errs = append(errs, errors.New("the clock is nil"))
	}
	return c, errs
}

// invalid returns one [ddb.InvalidError] for all errors; nil if there are none.
func invalid(errs ...error) error {
	var problems []error
	for _, err := range errs {
		if err != nil {
			problems = append(problems, fmt.Errorf("change: %w", err))
		}
	}
	if len(problems) == 0 {
		return nil
	}
	return &ddb.InvalidError{Problems: problems}
}

// PollInterval sets the longest wait before a shard without new records is read again, 1 s by
// default. The first wait is a quarter of it. Every read costs a read request of the stream.
func PollInterval(d time.Duration) Option { return func(c *config) { c.poll = d } }

// DiscoveryInterval sets how often the shards of the stream are listed, 1 min by default. The
// children of a closed shard are found at once as well.
func DiscoveryInterval(d time.Duration) Option { return func(c *config) { c.discovery = d } }

// CallTimeout sets how long one call of the stream may take, including the client's retries, 10 s by
// default; a call of the lease store may also take at most a third of [Failover]. A call without an answer by then is repeated, like any transient failure; [OnEvent] and
// [ShardStats.ReadAge] report it.
func CallTimeout(d time.Duration) Option { return func(c *config) { c.call = d } }

// PageLimit sets the maximum number of records that one read returns, 1,000 by default, which is the service's limit
// (or 1 MB). It also limits the batches of handlers.
func PageLimit(n int) Option { return func(c *config) { c.pageLimit = n } }

// OnDataLoss makes reading continue after lost records, when f was called. Without it reading stops with the
// [*DataLossError], as it does if f returns an error. f may be called from several goroutines.
func OnDataLoss(f func(context.Context, *DataLossError) error) Option {
	return func(c *config) { c.onLoss = f }
}

// OnEvent sets a function that is called with events other than changes, such as leases taken and transient
// failures; see [Event]. It may be called from several goroutines and must not block.
func OnEvent(f func(Event)) Option { return func(c *config) { c.onEvent = f } }

// WithClock replaces time.Now, for tests. A consumer measures with it how long a lease did not
// change, so it must be monotonic, as time.Now is; it is never compared with the clocks of other hosts.
func WithClock(now func() time.Time) Option { return func(c *config) { c.now = now } }

// StartFrom sets where a consumer begins at its very first start, by default at the horizon.
// It applies to the shards that exist at that moment; later ones are read from their
// beginning. After a restart, reading continues at the checkpoints.
func StartFrom(s Start) Option { return func(c *config) { c.start = s } }

// WorkerName sets the beginning of the name under which this worker owns leases, for people who read them; a
// random part makes it unique. The default is the host's name.
func WorkerName(name string) Option { return func(c *config) { c.worker = name } }

// Failover sets how long a lease must stay unchanged before another worker may take it, 10 s by
// default. Leases are renewed three times as often. A worker that cannot renew a lease for
// that long stops handling its shard.
func Failover(d time.Duration) Option { return func(c *config) { c.failover = d } }

// DrainTimeout sets how long handlers may continue after the context of Run has ended, 10 s by
// default. After that their context ends too.
func DrainTimeout(d time.Duration) Option { return func(c *config) { c.drain = d } }

// CheckpointInterval sets the shortest time between two checkpoints of a shard, 1 s by default; with zero, a
// checkpoint follows every batch. Each costs a write. At the end of a shard, when
// there is nothing more to read, and on draining, checkpoints are written at once.
func CheckpointInterval(d time.Duration) Option { return func(c *config) { c.checkpoint = d } }

// MaxShards sets the maximum number of shards that one worker reads at a time. By default there is no limit.
func MaxShards(n int) Option { return func(c *config) { c.maxShards = n } }

// MaxPending sets how many changes of one shard may have been delivered to a [Manual] handler without being
// confirmed, 10,000 by default. Reading of the shard waits at that limit.
func MaxPending(n int) Option { return func(c *config) { c.maxPending = n } }

// lost reports a loss to the policy; nil means to continue.
func (c *config) lost(ctx context.Context, loss *DataLossError) error {
	if c.onLoss == nil {
		return loss
	}
	if err := c.onLoss(ctx, loss); err != nil {
		return fmt.Errorf("%w: %w", loss, err)
	}
	c.event(Event{Kind: DataLost, Shard: loss.Shard, Err: loss})
	return nil
}

func (c *config) event(e Event) {
	switch e.Kind {
	case CallFailed, HandlerRetry:
		c.counts.retried.Add(1)
	case Skipped:
		c.counts.givenUp.Add(1)
	case LeaseLost:
		c.counts.lost.Add(1)
	}
	if c.onEvent != nil {
		c.onEvent(e)
	}
}

// retried is called by persist for failures of a shard's calls.
func (c *config) retried(shard string) func(error) {
	return func(err error) { c.event(Event{Kind: CallFailed, Shard: shard, Err: err}) }
}
