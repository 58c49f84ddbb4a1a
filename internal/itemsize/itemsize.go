// SPDX-License-Identifier: Apache-2.0

// Package itemsize estimates how large the items of a table are, from what reading and writing them cost.
package itemsize

import "sync/atomic"

// What capacity units are counted by.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
const (
	MaxItem    = 400 << 10 // bytes of an item
	ReadBlock  = 4 << 10   // bytes of a read unit
	WriteBlock = 1 << 10   // bytes of a write unit
	PageBytes  = 1 << 20   // after so many a Query or Scan ends its page
)

// Sizes holds observations of the item sizes of a table or index: not exact sizes, but bounds that follow from units, which
// cost nothing to observe.
type Sizes struct{ seen, sum, most atomic.Int64 }

// Observe notes that n items were billed as so many blocks together. What that says of
// their sizes counts only if it says more: an item read for half a unit has up to 4 KB, but one
// written for a unit has up to 1 KB.
func (s *Sizes) Observe(n int, blocks float64, block int64) {
	bytes := int64(blocks * float64(block))
	if n < 1 || bytes < 1 {
		return
	}
	least, high := (bytes-block)/int64(n), (bytes+int64(n)-1)/int64(n)
	for {
		most := s.most.Load()
		if most > 0 && least < most {
			high = min(high, most)
			break
		}
		if high <= most || s.most.CompareAndSwap(most, high) {
			break
		}
	}
	s.seen.Add(int64(n))
	s.sum.Add(int64(n) * high)
}

// Read records that reading n items cost the given units; 0 if that is not known.
func (s *Sizes) Read(n int, units float64, consistent bool) {
	if n > 0 {
		s.Observe(n, units/ReadFactor(consistent, false), ReadBlock)
	}
}

// ReadFactor returns the cost of reading 4 KB.
func ReadFactor(consistent, transaction bool) float64 {
	switch {
	case transaction:
		return 2
	case consistent:
		return 1
	}
	return 0.5
}

// Largest returns the most bytes that an item has: the largest seen, with a margin of a quarter, or what DynamoDB allows.
func (s *Sizes) Largest() int64 {
	most := s.most.Load()
	if most == 0 {
		return MaxItem
	}
	return min(MaxItem, most+most/4)
}

// Blocks returns the units that are billed for a number of bytes, at least one.
func Blocks(bytes int64, block int64) float64 {
	return float64(max(1, (bytes+block-1)/block))
}

// Any reports whether items were observed.
func (s *Sizes) Any() bool { return s.seen.Load() > 0 }

// Seen returns how many items were observed, and how many bytes each had at most on average.
func (s *Sizes) Seen() (items, average int64) {
	n := s.seen.Load()
	return n, s.sum.Load() / max(1, n)
}
