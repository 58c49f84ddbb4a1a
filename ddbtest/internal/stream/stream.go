// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

const (
	// retention is how long records, closed shards and disabled streams can be read:
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html#Streams.DataRetention
	retention = 24 * time.Hour
	// rollAfter is the age at which a shard is closed and followed by another. The
	// documentation says that it happens "as needed"; about four hours are observed.
	rollAfter = 4 * time.Hour
)

// Stream is the stream of one table, from being enabled to being disabled.
type Stream struct {
	arn, label, table, view string
	key                     engine.KeySchema
	created                 time.Time

	mu       sync.Mutex // guards what follows
	disabled time.Time  // zero while the stream is enabled
	last     uint64     // the last sequence number assigned
	shards   []*Shard   // in the order of their creation
	open     []*Shard   // by their ranges, which cover all hashes
	lastID   int64      // the time in the id of the last shard
}

// Shard is a part of a stream: the changes of a range of partition keys during some time.
type Shard struct {
	id, parent    string
	low, high     uint64 // hashes of the partition keys, both included
	created       time.Time
	closed        time.Time // zero while the shard is open
	first, ending uint64    // sequence numbers; ending is 0 while the shard is open
	trimmed       uint64    // the last sequence number that is trimmed, at least first-1
	records       []record
}

func newStream(t *engine.Table, view string, now time.Time) *Stream {
	label, _ := t.Stream()
	s := &Stream{arn: t.StreamARN(), label: label, table: t.Name(), view: view, key: t.Schema().Key, created: now}
	s.openShard("", 0, ^uint64(0), now)
	return s
}

// openShard opens a shard. The caller holds mu.
func (s *Stream) openShard(parent string, low, high uint64, now time.Time) {
	s.lastID = max(s.lastID+1, now.UnixMilli()) // ids sort by creation
	s.last++
	h := fnv.New32a()
	fmt.Fprint(h, s.arn, s.last)
	shard := &Shard{
		id:     fmt.Sprintf("shardId-%020d-%08x", s.lastID, h.Sum32()),
		parent: parent, low: low, high: high, created: now, first: s.last, trimmed: s.last - 1,
	}
	s.shards = append(s.shards, shard)
	i, _ := slices.BinarySearchFunc(s.open, low, func(o *Shard, low uint64) int { return compare(o.low, low) })
	s.open = slices.Insert(s.open, i, shard)
}

func compare(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// close ends an open shard. The caller holds mu.
func (s *Stream) close(shard *Shard, now time.Time) {
	s.last++
	shard.ending, shard.closed = s.last, now
	s.open = slices.DeleteFunc(s.open, func(o *Shard) bool { return o == shard })
}

// replace closes a shard and opens n that share its range. The caller holds mu.
func (s *Stream) replace(shard *Shard, n int, now time.Time) {
	s.close(shard, now)
	width := (shard.high-shard.low)/uint64(n) + 1 // the last may be smaller
	low := shard.low
	for i := range n {
		high := low + width - 1
		if i == n-1 || high < low || high > shard.high {
			high = shard.high
		}
		s.openShard(shard.id, low, high, now)
		if high == shard.high {
			break
		}
		low = high + 1
	}
}

func (s *Stream) disable(now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.catchUp(now)
	for len(s.open) > 0 {
		s.close(s.open[0], now)
	}
	s.disabled = now
}

// expired reports whether a disabled stream can no longer be read. The caller holds mu.
func (s *Stream) expired(now time.Time) bool {
	return !s.disabled.IsZero() && now.Sub(s.disabled) >= retention
}

// catchUp rolls shards and trims what is too old. The caller holds mu.
func (s *Stream) catchUp(now time.Time) {
	for i := 0; i < len(s.open); {
		shard := s.open[i]
		due := shard.created.Add(rollAfter)
		if now.Before(due) {
			i++
			continue
		}
		// Shards that a long advance of the clock would open and trim at once are not made.
		if horizon := now.Add(-retention - rollAfter); due.Before(horizon) {
			due = horizon
		}
		s.replace(shard, 1, due)
	}
	for _, shard := range s.shards {
		shard.trim(now)
	}
	s.shards = slices.DeleteFunc(s.shards, func(shard *Shard) bool {
		return !shard.closed.IsZero() && now.Sub(shard.closed) > retention
	})
}

// trim drops the records that are too old.
func (h *Shard) trim(now time.Time) {
	n := 0
	for n < len(h.records) && now.Sub(h.records[n].at) > retention {
		n++
	}
	if n == 0 {
		return
	}
	h.trimmed = h.records[n-1].number
	clear(h.records[:n])
	h.records = h.records[n:]
}

// append records a change.
func (s *Stream) append(c *engine.Change) {
	hash := s.hash(c.Key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.disabled.IsZero() {
		return
	}
	if now := c.Time; !now.Before(s.open[0].created.Add(rollAfter)) {
		s.catchUp(now)
	}
	i, found := slices.BinarySearchFunc(s.open, hash, func(o *Shard, hash uint64) int { return compare(o.low, hash) })
	if !found {
		i--
	}
	shard := s.open[i]
	s.last++
	shard.records = append(shard.records, record{
		number: s.last, at: c.Time, key: c.Key, old: c.Old, new: c.New, expired: c.Reason == engine.ReasonExpiry,
	})
}

// hash returns the position of a partition key among the shards.
func (s *Stream) hash(key value.Item) uint64 {
	var room [64]byte
	b := room[:0]
	for _, a := range s.key.Hash {
		b = value.AppendKey(b, key[a.Name])
	}
	h := fnv.New64a()
	_, _ = h.Write(b)
	x := h.Sum64() // its high bits change little with the last byte
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	return x
}

// shard returns the shard with an id, or nil. The caller holds mu.
func (s *Stream) shard(id string) *Shard {
	for _, shard := range s.shards {
		if shard.id == id {
			return shard
		}
	}
	return nil
}

// sequenceNumber formats a number with 21 digits, so that strings sort as numbers do.
func sequenceNumber(n uint64) string { return fmt.Sprintf("1%020d", n) }

func parseSequenceNumber(s string) (uint64, bool) {
	if len(s) != 21 || s[0] != '1' {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:], 10, 64)
	return n, err == nil
}
