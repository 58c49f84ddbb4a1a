// SPDX-License-Identifier: Apache-2.0

package change

import (
	"cmp"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/consumers"
)

// Stats is the state of a consumer, for metrics and health checks.
type Stats struct {
	Worker string // the name by which it owns leases; empty while it does not run
	Stream string // ARN
	// Shards are those that this worker handles, by id.
	Shards []ShardStats
	// The leases of the stream, of all workers, as they were last read.
	Leases, Free, Done int
	// Waiting is the number of shards whose parents are not handled to their end.
	Waiting int
	// Workers is the number of workers that own leases, including this one.
	Workers int
}

// Lag is the longest lag of a shard of this worker.
func (s *Stats) Lag() (lag time.Duration) {
	if s == nil {
		return 0
	}
	for _, shard := range s.Shards {
		lag = max(lag, shard.Lag)
	}
	return lag
}

// ReadAge is the longest time since the last answered read of a shard of this worker.
func (s *Stats) ReadAge() (age time.Duration) {
	if s == nil {
		return 0
	}
	for _, shard := range s.Shards {
		age = max(age, shard.ReadAge)
	}
	return age
}

// ShardStats is the progress of a worker in a shard.
type ShardStats struct {
	Shard      string
	Checkpoint Checkpoint // as stored
	Handled    Checkpoint // the position up to which it is handled, stored or not
	Read       int64      // records, since the lease was taken
	Load       int64      // recent records a minute; shards are balanced by it
	// Pending is the number of changes that a manual handler got and did not confirm.
	Pending int
	// AtTip is true if the last read was answered and found nothing new.
	AtTip bool
	// Lag is the age of the last record read, by its own approximate time and this host's clock; zero at the tip. While reads
	// fail at the tip, it is the time since the last that was answered. A stream does not report how many records are still to be read.
	Lag time.Duration
	// ReadAge is the time since the last answered read of the shard, or since the lease was taken if there was none. It is normally below
	// [PollInterval] plus the handler's time. If it grows far beyond that, the shard is not being read: alarm at some minutes, because records are kept for 24 hours.
	ReadAge time.Duration
	// CheckpointAge is how far the stored checkpoint lags; zero when everything handled is stored.
	CheckpointAge time.Duration
	// RenewalAge is the time since the lease was renewed. Near Failover, the lease is about to be lost.
	RenewalAge time.Duration
}

// Stats returns the state of the consumer. It sends nothing.
func (c *Consumer[T]) Stats() Stats {
	if c == nil {
		return Stats{}
	}
	c.mu.Lock()
	w := c.worker
	c.mu.Unlock()
	if w == nil {
		return Stats{}
	}
	return w.stats()
}

func (w *worker) stats() Stats {
	now := w.cfg.now()
	w.mu.Lock()
	defer w.mu.Unlock()
	s := Stats{Worker: w.owner, Stream: w.stream, Leases: len(w.leases)}
	owners := map[string]bool{w.owner: true}
	for _, l := range w.leases {
		parent, hasParent := w.leases[l.Parent]
		switch {
		case l.Checkpoint == End:
			s.Done++
		case hasParent && parent.Checkpoint != End:
			s.Waiting++
		case l.Owner == "":
			s.Free++
		default:
			owners[l.Owner] = true
		}
	}
	s.Workers = len(owners)
	for _, r := range w.running {
		s.Shards = append(s.Shards, r.stats(now))
	}
	slices.SortFunc(s.Shards, func(a, b ShardStats) int { return cmp.Compare(a.Shard, b.Shard) })
	return s
}

// counts are sums since the consumer was made.
type counts struct{ handled, retried, givenUp, lost atomic.Int64 }

// figures returns the consumer's entry in [consumers.List].
func (c *Consumer[T]) figures() consumers.Stats {
	s := c.Stats()
	_, table, _ := strings.Cut(s.Stream, ":table/")
	table, _, _ = strings.Cut(table, "/stream/")
	n := &c.cfg.counts
	return consumers.Stats{
		Kind: "change", Table: table, Consumer: c.app, Shards: len(s.Shards), Lag: -1, Age: s.Lag(), ReadAge: s.ReadAge(),
		Handled: n.handled.Load(), Retries: n.retried.Load(), GivenUp: n.givenUp.Load(), LeasesLost: n.lost.Load(),
	}
}
