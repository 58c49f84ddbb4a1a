// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// keyedLocks is a set of locks by key. With them, appends of one process
// to one stream do not make each other fail.
type keyedLocks struct {
	mu    sync.Mutex
	locks map[string]*keyedLock
}

type keyedLock struct {
	free  chan struct{} // holds one value while the lock is free
	users int
}

// lock waits for the lock of a key. It returns the function that unlocks it.
func (l *keyedLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	l.mu.Lock()
	k := l.locks[key]
	if k == nil {
		k = &keyedLock{free: make(chan struct{}, 1)}
		k.free <- struct{}{}
		if l.locks == nil {
			l.locks = make(map[string]*keyedLock)
		}
		l.locks[key] = k
	}
	k.users++
	l.mu.Unlock()

	leave := func() {
		l.mu.Lock()
		if k.users--; k.users == 0 {
			delete(l.locks, key)
		}
		l.mu.Unlock()
	}
	select {
	case <-k.free:
		return func() { k.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}

// shard is what a store knows about one shard of the feed.
type shard struct {
	number int
	free   chan struct{}
	known  bool
	last   int64 // the last number assigned, if known

	contendedAt atomic.Int64 // when a conflict with other processes was last seen, in nanoseconds since begin
}

// begin is the origin of monotonic times.
var begin = time.Now()

// noteContention records that other processes have taken numbers of the shard.
func (s *shard) noteContention() { s.contendedAt.Store(int64(time.Since(begin))) }

// contentionTime is how long a shard counts as contended after a conflict with other processes.
const contentionTime = time.Second

func (s *shard) isContended() bool {
	at := s.contendedAt.Load()
	return at != 0 && time.Since(begin)-time.Duration(at) < contentionTime
}

func newShard(number int) *shard {
	s := &shard{number: number, free: make(chan struct{}, 1)}
	s.free <- struct{}{}
	return s
}

func (s *shard) lock(ctx context.Context) error {
	select {
	case <-s.free:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *shard) unlock() { s.free <- struct{}{} }
