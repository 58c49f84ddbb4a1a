// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"math/bits"
	"slices"
	"time"
)

// recent is half of how far back latencies and calls go: what is of the period under way
// and of the one before it counts, so between five and ten minutes.
const recent = 5 * time.Minute

func periodOf(now time.Time) int64 { return now.Unix() / int64(recent/time.Second) }

// recentLatencies are histograms of the period under way and of the one before it.
type recentLatencies struct {
	period   int64
	now, old bounded[callKind, histogram]
}

func (l *recentLatencies) turn(now time.Time) {
	period := periodOf(now)
	switch {
	case period == l.period+1:
		l.old, l.now = l.now, bounded[callKind, histogram]{}
	case period > l.period:
		l.old, l.now = bounded[callKind, histogram]{}, bounded[callKind, histogram]{}
	default: // the same, or the clock went back
		return
	}
	l.period = period
}

func (l *recentLatencies) add(now time.Time, kind callKind, d time.Duration) {
	l.turn(now)
	h, _ := l.now.at(kind, callKind{overflowName, overflowName})
	h.add(d)
}

func (l *recentLatencies) latencies(now time.Time) []Latency {
	l.turn(now)
	sums := make(map[callKind]*histogram)
	for _, half := range []map[callKind]*histogram{l.now.m, l.old.m} {
		for kind, h := range half {
			sum := sums[kind]
			if sum == nil {
				sum = new(histogram)
				sums[kind] = sum
			}
			sum.merge(h)
		}
	}
	all := make([]Latency, 0, len(sums))
	for kind, h := range sums {
		all = append(all, Latency{
			Table: kind.table, Operation: kind.operation, Calls: h.count,
			P50Ms: milliseconds(h.quantile(0.5)), P90Ms: milliseconds(h.quantile(0.9)), P99Ms: milliseconds(h.quantile(0.99)),
			MaxMs: milliseconds(h.longest),
		})
	}
	slices.SortFunc(all, func(a, b Latency) int {
		return callKind{a.Operation, a.Table}.compare(callKind{b.Operation, b.Table})
	})
	return all
}

const (
	finest   = 3  // bits of a duration that tell buckets apart, below the highest
	topBits  = 27 // of microseconds, more than two minutes; what is longer is in the last bucket
	nBuckets = (topBits - finest + 1) << finest
)

// histogram counts durations in buckets that are an eighth of a power of two wide, so
// that the middle of one is off by at most a sixteenth.
type histogram struct {
	count   int64
	longest time.Duration
	buckets [nBuckets]uint32
}

func (h *histogram) add(d time.Duration) {
	h.count++
	h.longest = max(h.longest, d)
	h.buckets[bucketOf(d)]++
}

func (h *histogram) merge(o *histogram) {
	h.count += o.count
	h.longest = max(h.longest, o.longest)
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

// bucketOf is the number of microseconds up to 8, then its highest four bits and their place.
func bucketOf(d time.Duration) int {
	us := uint64(min(max(d.Microseconds(), 0), 1<<topBits-1))
	shift := bits.Len64(us) - finest - 1
	if shift <= 0 {
		return int(us)
	}
	return shift<<finest + int(us>>shift)
}

// middleOf is the duration in the middle of a bucket.
func middleOf(bucket int) time.Duration {
	shift := bucket>>finest - 1
	if shift <= 0 {
		return time.Duration(bucket)*time.Microsecond + time.Microsecond/2
	}
	low := uint64(bucket-shift<<finest) << shift
	return time.Duration(low+uint64(1)<<shift/2) * time.Microsecond
}

func (h *histogram) quantile(q float64) time.Duration {
	rank := int64(q * float64(h.count)) // 0 is the shortest
	for i, n := range h.buckets {
		rank -= int64(n)
		if rank < 0 {
			return min(middleOf(i), h.longest)
		}
	}
	return h.longest
}
