// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/dynamotable/ddb/consumers"
)

// figures are the counters of a subscription; see [consumers.List].
type figures struct {
	handled, retried, givenUp, lost atomic.Int64

	mu     sync.Mutex
	shards map[int]*shardFigures
}

// shardFigures are the counters of a shard that is being followed.
type shardFigures struct {
	mu       sync.Mutex
	at, to   int64     // the last number handled, and the last one seen in the feed
	oldest   time.Time // when the commit that is handled next was recorded, if it was read
	answered time.Time // when a read was last answered
	parked   int
}

// follow starts the counters of a shard.
func (g *figures) follow(shard int) (is *shardFigures, end func()) {
	is = &shardFigures{answered: time.Now()}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shards == nil {
		g.shards = make(map[int]*shardFigures)
	}
	g.shards[shard] = is
	return is, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.shards[shard] == is {
			delete(g.shards, shard)
		}
	}
}

// noteLast records the last number of a shard.
func (s *shardFigures) noteLast(at, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.to, s.answered = at, to, time.Now()
	if at >= to {
		s.oldest = time.Time{}
	}
}

// reached records a commit that was read.
func (s *shardFigures) reached(c *Commit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oldest, s.answered = c.RecordedAt, time.Now()
}

// passed records the number up to which everything is handled or dropped.
func (s *shardFigures) passed(at int64, parked int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at, s.parked = at, parked
	if at >= s.to {
		s.oldest = time.Time{}
	}
}

// stats returns the sum of the counters.
func (s *subscription) stats() consumers.Stats {
	g := &s.figures
	is := consumers.Stats{
		Kind: "feed", Table: s.feed.store.Name(), Consumer: s.consumer,
		Handled: g.handled.Load(), Retries: g.retried.Load(), GivenUp: g.givenUp.Load(), LeasesLost: g.lost.Load(),
	}
	now, clock := time.Now(), s.feed.store.o.now()
	g.mu.Lock()
	defer g.mu.Unlock()
	is.Shards = len(g.shards)
	for _, shard := range g.shards {
		shard.mu.Lock()
		is.Lag += max(shard.to-shard.at, 0)
		is.Parked += int64(shard.parked)
		is.ReadAge = max(is.ReadAge, now.Sub(shard.answered))
		if !shard.oldest.IsZero() {
			is.Age = max(is.Age, clock.Sub(shard.oldest))
		}
		shard.mu.Unlock()
	}
	return is
}
