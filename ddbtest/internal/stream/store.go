// SPDX-License-Identifier: Apache-2.0

// Package stream keeps the change streams of an engine's tables: their records,
// shards and iterators, and the four operations that read them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
package stream

import (
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// Store holds the streams of one engine. Its methods are safe for concurrent use.
type Store struct {
	now    func() time.Time
	region string
	// live finds the stream that a change belongs to: *engine.Table to *Stream.
	live sync.Map

	mu      sync.RWMutex
	streams map[string]*Stream // by ARN
}

// New returns a store without streams. now returns the time of the engine's clock.
func New(now func() time.Time, region string) *Store {
	return &Store{now: now, region: region, streams: make(map[string]*Stream)}
}

// Commit records a change; it is the hook of the engine. A change that leaves
// the item unchanged makes no record.
func (s *Store) Commit(c *engine.Change) {
	v, ok := s.live.Load(c.Table)
	if !ok || c.Same() {
		return
	}
	v.(*Stream).append(c)
}

// TableChanged opens and closes streams; it is the hook of the engine.
func (s *Store) TableChanged(t *engine.Table, event engine.TableEvent) {
	now := s.now()
	if v, ok := s.live.Load(t); ok {
		s.live.Delete(t)
		v.(*Stream).disable(now)
	}
	_, view := t.Stream()
	if event == engine.TableDeleted || view == "" {
		return
	}
	stream := newStream(t, view, now)
	s.mu.Lock()
	s.streams[stream.arn] = stream
	s.mu.Unlock()
	s.live.Store(t, stream)
}

// CatchUp rolls shards and removes records, shards and streams that are too old.
// Operations have the same results without it; it frees memory.
func (s *Store) CatchUp(now time.Time) {
	for _, stream := range s.all() {
		stream.mu.Lock()
		stream.catchUp(now)
		expired := stream.expired(now)
		stream.mu.Unlock()
		if expired {
			s.mu.Lock()
			delete(s.streams, stream.arn)
			s.mu.Unlock()
		}
	}
}

// Split replaces every open shard of a table's stream by n others, as the
// service does when a table grows; n = 1 rolls them. It reports whether the
// table has an open stream.
func (s *Store) Split(t *engine.Table, n int) bool {
	v, ok := s.live.Load(t)
	if !ok {
		return false
	}
	stream := v.(*Stream)
	stream.mu.Lock()
	defer stream.mu.Unlock()
	now := s.now()
	stream.catchUp(now)
	for _, shard := range slices.Clone(stream.open) {
		stream.replace(shard, n, now)
	}
	return true
}

// all returns the streams in the order of their ARNs.
func (s *Store) all() []*Stream {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.SortedFunc(maps.Values(s.streams), func(a, b *Stream) int { return strings.Compare(a.arn, b.arn) })
}

// find returns the stream with an ARN, up to date and locked.
func (s *Store) find(arn string) (*Stream, time.Time, error) {
	s.mu.RLock()
	stream := s.streams[arn]
	s.mu.RUnlock()
	now := s.now()
	if stream != nil {
		stream.mu.Lock()
		stream.catchUp(now)
		if !stream.expired(now) {
			return stream, now, nil
		}
		stream.mu.Unlock()
	}
	return nil, now, notFound("Requested resource not found: Stream: " + arn + " not found")
}

func notFound(message string) error {
	return &engine.Error{Type: engine.ResourceNotFoundException, Message: message}
}

func invalid(message string) error {
	return &engine.Error{Type: engine.ValidationException, Message: message}
}
