// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"time"

	"github.com/dynamotable/ddb"
)

// Option is an option of [New].
type Option func(*options) error

type options struct {
	now          func() time.Time
	table        []ddb.TableOption
	shards       int
	buckets      BucketUnit
	salts        int
	frame        int
	payloads     Payloads
	threshold    int
	correlation  bool
	causation    bool
	categories   int
	uniqueIDs    bool
	category     func(stream string) string
	limit        func(stream string) time.Duration // how long events live; nil: for ever
	keys         Keys
	subject      func(stream string) string
	compressors  []Compressor
	compressFrom int
	upcasters    map[upcastKey]Upcaster
	upcastTypes  map[string]bool // the events that upcasters take
	tries        int
	backoff      backoffTimes
	wait         func(ctx context.Context, d time.Duration) error
}

// defaultOptions returns the defaults. With these waits of the backoff, 64 writers of one
// stream succeed in fewer than 3 tries each.
func defaultOptions() options {
	return options{
		now: time.Now, threshold: 350 << 10, category: CategoryOf, tries: 50, wait: wait,
		backoff: backoffTimes{base: 5 * time.Millisecond, ceiling: time.Second},
	}
}

// Payloads stores payloads that are too large for an item. Package payload provides an implementation.
type Payloads interface {
	// Store stores data and returns a reference to them. Data can be removed separately for each space,
	// which here is the stream.
	Store(ctx context.Context, space string, data []byte) (ref string, err error)
	// Fetch returns the stored data. It must not return anything else.
	Fetch(ctx context.Context, ref string) ([]byte, error)
}

// Clock replaces time.Now as the source of the times at which events are recorded.
func Clock(now func() time.Time) Option {
	return func(o *options) error {
		o.now = now
		return nil
	}
}

// TableOptions passes options to the table: a prefix of its name, a ledger, retries.
func TableOptions(opts ...ddb.TableOption) Option {
	return func(o *options) error {
		o.table = append(o.table, opts...)
		return nil
	}
}

// Sequenced keeps a feed of all commits without gaps; see [Store.Feed]. Every
// append writes two more small items and waits for other appends to its shard: a
// shard takes one commit at a time. The number of shards, a power of two up to
// 1,024, is fixed when the table gets its first event; 16 suits most stores. [Copy] copies a store to a table with another number.
func Sequenced(shards int) Option {
	return func(o *options) error {
		o.shards = shards
		if shards < 1 || shards > 1024 || bits.OnesCount(uint(shards)) != 1 {
			return fmt.Errorf("option Sequenced: %d shards; it must be a power of two from 1 to 1,024", shards)
		}
		return nil
	}
}

// TimeBuckets keeps an index of all events by time; see [Store.TimeFeed]. It is cheaper
// than [Sequenced] and has weaker guarantees. A partition key of the index is a span of UTC
// time and a salt from 0, which spreads the writes of the span over partitions: an
// index takes about 1,000 small events a second for each salt.
func TimeBuckets(unit BucketUnit, salts int) Option {
	return func(o *options) error {
		o.buckets, o.salts = unit, salts
		var errs []error
		if unit != Month && unit != Day && unit != Hour {
			errs = append(errs, fmt.Errorf("option TimeBuckets: there is no unit %q; it must be Month, Day or Hour", unit))
		}
		if salts < 1 || salts > 1000 {
			errs = append(errs, fmt.Errorf("option TimeBuckets: %d salts; it must be 1 to 1,000", salts))
		}
		return errors.Join(errs...)
	}
}

// Frames packs consecutive events of one append that share correlation and causation into
// one item of up to the given number of bytes; 64 KB is a good size. More events fit into a
// commit, and many small events cost fewer units.
func Frames(bytes int) Option {
	return func(o *options) error {
		o.frame = bytes
		if bytes < 1<<10 || bytes > 350<<10 {
			return fmt.Errorf("option Frames: %d bytes; it must be 1 KB to 350 KB", bytes)
		}
		return nil
	}
}

// Offload keeps the data of an event in a payload store if its item would have more bytes
// than the threshold; 0 is the default of 350 KB. The payload is stored before
// the commit: a crash in between leaves a payload that nothing refers to.
func Offload(payloads Payloads, threshold int) Option {
	return func(o *options) error {
		o.payloads = payloads
		if threshold != 0 {
			o.threshold = threshold
		}
		var errs []error
		if payloads == nil {
			errs = append(errs, errors.New("option Offload: no payload store"))
		}
		if threshold < 0 || threshold > ddb.MaxItemSize {
			errs = append(errs, fmt.Errorf("option Offload: a threshold of %d bytes; it must be 1 to %d", threshold, ddb.MaxItemSize))
		}
		return errors.Join(errs...)
	}
}

// ByCorrelation keeps a sparse index of events by correlation id, for [Store.Correlated].
func ByCorrelation() Option {
	return func(o *options) error {
		o.correlation = true
		return nil
	}
}

// ByCausation keeps a sparse index of events by causation id, for [Store.Caused].
func ByCausation() Option {
	return func(o *options) error {
		o.causation = true
		return nil
	}
}

// ByCategory keeps a sparse index of streams by category, for [Store.Streams]. The category
// comes from the function, or from [CategoryOf] if it is nil; a stream whose
// category is empty is left out. The streams of a category are spread
// over that many partitions by salts.
func ByCategory(salts int, category func(stream string) string) Option {
	return func(o *options) error {
		o.categories = salts
		if category != nil {
			o.category = category
		}
		if salts < 1 || salts > 1000 {
			return fmt.Errorf("option ByCategory: %d salts; it must be 1 to 1,000", salts)
		}
		return nil
	}
}

// MaxTries sets how often an append with [Any] or [StreamExists], or one that conflicts with others in
// the feed, is tried before it fails with [ErrContention]. The default is 50. Ten commits of
// other streams that took the number in the feed first count as one try.
func MaxTries(n int) Option {
	return func(o *options) error {
		o.tries = n
		if n < 1 {
			return fmt.Errorf("option MaxTries: %d; it must be at least 1", n)
		}
		return nil
	}
}

// Waits replaces the function that waits between tries and polls, for tests with their own
// clock. The function must return early, with the context's error, if the context ends.
func Waits(wait func(ctx context.Context, d time.Duration) error) Option {
	return func(o *options) error {
		o.wait = wait
		return nil
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
