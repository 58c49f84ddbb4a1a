// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"container/list"
	"sync"
	"time"
)

// Cached keeps the states of the n most recently used aggregates in memory. A load then reads the head of the stream and the events since. The
// cache is used before snapshots and stored states. Streams that are encrypted ([Encrypt]) or time-limited ([Expiring]) are not cached, because their
// data must disappear when the key is deleted or the time is over.
//
// Several calls get the same state. Neither fold, nor decide, nor the caller may change what it refers to, such as a map, unless the state
// has a method Clone() S, which is then called for each of them. [Repository.CacheStats] counts the hits.
//
// A repeat of a commit ([CommitID]) is recognised as with a snapshot: if it is among the last 8 of the stream or among the events since the cached state.
func Cached(aggregates int) RepositoryOption {
	return func(o *repositoryOptions) { o.cached = aggregates }
}

// AllowStale lets [Repository.Load], and the first try of [Repository.Update], use a cached state that was current at most that long ago, without reading
// anything. It needs [Cached]. The state lacks what other writers have appended since. If an update decides on such a state, the append is refused and the update
// decides again
// on the current state. If it decides nothing, or returns an error, that may be based on the old state. An update with a [CommitID] still reads the head, because a
// repeat must be recognised.
func AllowStale(d time.Duration) RepositoryOption {
	return func(o *repositoryOptions) { o.stale = d }
}

// CacheStats holds counters of a repository's cache.
type CacheStats struct {
	// Entries is the number of aggregates in the cache.
	Entries int
	// Hits counts loads that began with a cached state, and Stale those of them that read nothing. Misses counts loads of aggregates that were not in the cache.
	Hits, Stale, Misses int64
}

// CacheStats returns the counters of the repository's cache since it was made. All are zero without [Cached].
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

// cache holds aggregates, the most recently used first.
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

// get returns the cached state of a stream, and whether it was current within the given time; with 0 it never was.
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

// put stores the state of an aggregate that was current at a time, unless the cache has a newer one.
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

// drop removes a state that get has returned and that turned out to be unusable. It does not count as a hit.
func (c *cache[S]) drop(stream string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stats.Hits--
	if e := c.byName[stream]; e != nil {
		c.order.Remove(e)
		delete(c.byName, stream)
	}
}

// cloned returns a copy of the state if its type can be cloned.
func cloned[S any](state S) S {
	if c, ok := any(state).(interface{ Clone() S }); ok {
		return c.Clone()
	}
	return state
}
