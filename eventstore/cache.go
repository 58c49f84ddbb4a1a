// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"container/list"
	"sync"
	"time"
)

// Cached keeps the states of so many aggregates in memory, those that were used last: a load reads the head of the stream, and the events since. It
// comes before snapshots and stored states. Streams that are encrypted ([Encrypt]) or time-limited ([Expiring]) are not cached, for their data must go
// when it is time.
//
// The state that one call has got is given to others: neither fold nor decide, nor who loads it, may change what it refers to, such as a map, unless the state
// has a method Clone() S, which is called for each of them. [Repository.CacheStats] counts the hits.
//
// A repeat of a commit ([CommitID]) is recognised as it is behind a snapshot: among the last 8 of the stream, and the events since the cached state.
func Cached(aggregates int) RepositoryOption {
	return func(o *repositoryOptions) { o.cached = aggregates }
}

// AllowStale lets [Repository.Load], and the first try of [Repository.Update], take a state from the cache that was current so long ago at most, without reading
// anything. It needs [Cached]. What others have appended since is not in it: an update that decides upon such a state is refused by the append, and then decided again
// upon the current one; one that decides nothing, or an error, may have done so upon the old one. An update with a [CommitID] reads the head nevertheless, for its repeat must be recognised.
func AllowStale(d time.Duration) RepositoryOption {
	return func(o *repositoryOptions) { o.stale = d }
}

// CacheStats counts what the cache of a repository did.
type CacheStats struct {
	// Entries is how many aggregates it holds.
	Entries int
	// Hits are loads that began with a cached state, Stale those of them that read nothing. Misses are loads of aggregates that it did not hold.
	Hits, Stale, Misses int64
}

// CacheStats counts what the cache of the repository did since it was made; all zero without [Cached].
func (r *Repository[S, E]) CacheStats() CacheStats {
	if r == nil || r.cache == nil {
		return CacheStats{}
	}
	r.cache.mu.Lock()
	defer r.cache.mu.Unlock()
	stats := r.cache.stats
	stats.Entries = r.cache.order.Len()
	return stats
}

// cache holds aggregates, the last used first.
type cache[S any] struct {
	mu     sync.Mutex
	max    int
	order  *list.List // of *cacheEntry[S]
	byName map[string]*list.Element
	stats  CacheStats
}

type cacheEntry[S any] struct {
	is Aggregate[S]
	at time.Time // when it was current
}

func newCache[S any](most int) *cache[S] {
	if most < 1 {
		return nil
	}
	return &cache[S]{max: most, order: list.New(), byName: make(map[string]*list.Element)}
}

// get is the cached state of a stream, and whether it was current a time ago at most, 0 being never.
func (c *cache[S]) get(stream string, stale time.Duration) (a Aggregate[S], found, fresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[stream]
	if e == nil {
		c.stats.Misses++
		return a, false, false
	}
	c.order.MoveToFront(e)
	entry := e.Value.(*cacheEntry[S]) //nolint:forcetypeassert // nothing else is in the list
	c.stats.Hits++
	if fresh = stale > 0 && time.Since(entry.at) <= stale; fresh {
		c.stats.Stale++
	}
	a = entry.is
	a.State = cloned(a.State)
	return a, true, fresh
}

// put keeps the state of an aggregate that was current at a time, unless a newer one is there.
func (c *cache[S]) put(a Aggregate[S], at time.Time) {
	if a.Version == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[a.Stream]
	if e != nil {
		c.order.MoveToFront(e)
		entry := e.Value.(*cacheEntry[S]) //nolint:forcetypeassert // as above
		if a.Version == entry.is.Version && at.After(entry.at) {
			entry.at = at
		}
		if a.Version <= entry.is.Version {
			return
		}
	}
	a.CommitID, a.State = "", cloned(a.State)
	if e != nil {
		e.Value = &cacheEntry[S]{a, at}
		return
	}
	c.byName[a.Stream] = c.order.PushFront(&cacheEntry[S]{a, at})
	if c.order.Len() > c.max {
		last := c.order.Back()
		delete(c.byName, c.order.Remove(last).(*cacheEntry[S]).is.Stream) //nolint:forcetypeassert // as above
	}
}

// drop forgets the state of a stream that get has returned and that turned out to be of no use, which is no hit.
func (c *cache[S]) drop(stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Hits--
	if e := c.byName[stream]; e != nil {
		c.order.Remove(e)
		delete(c.byName, stream)
	}
}

// cloned is a state of its own, if its type can be cloned.
func cloned[S any](state S) S {
	if c, ok := any(state).(interface{ Clone() S }); ok {
		return c.Clone()
	}
	return state
}
