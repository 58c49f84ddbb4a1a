// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"math/bits"
	"time"
)

const (
	finest   = 3  // bits of a duration, below the highest one, that distinguish buckets
	topBits  = 27 // of microseconds, more than two minutes; longer durations are in the last bucket
	nBuckets = (topBits - finest + 1) << finest

	coarseFirst = 16 // pairs of buckets, below 64 microseconds, that are one in a coarse histogram
	nCoarse     = nBuckets/2 - coarseFirst
)

// histogram counts durations in buckets that are an eighth of a power of two wide, so the middle of a bucket is off by at most a
// sixteenth.
type histogram struct {
	count        int64
	longest, sum time.Duration
	buckets      [nBuckets]uint32
}

func (h *histogram) add(d time.Duration) {
	h.count++
	h.longest = max(h.longest, d)
	h.sum += d
	h.buckets[bucketOf(d)]++
}

func (h *histogram) merge(o *histogram) {
	h.count += o.count
	h.longest = max(h.longest, o.longest)
	h.sum += o.sum
	for i, n := range o.buckets {
		h.buckets[i] += n
	}
}

func (h *histogram) quantile(q float64) time.Duration {
	return quantile(h.buckets[:], h.count, h.longest, q, middleOf)
}

// quantile returns the middle of the bucket with the duration of a rank; rank 0 is the shortest.
func quantile(buckets []uint32, count int64, longest time.Duration, q float64, middle func(int) time.Duration) time.Duration {
	rank := int64(q * float64(count))
	for i, n := range buckets {
		rank -= int64(n)
		if rank < 0 {
			return min(middle(i), longest)
		}
	}
	return longest
}

// bucketOf returns the number of microseconds up to 8, and above that a number made of their highest four bits and the position
// of these.
func bucketOf(d time.Duration) int {
	us := uint64(min(max(d.Microseconds(), 0), 1<<topBits-1))
	shift := bits.Len64(us) - finest - 1
	if shift <= 0 {
		return int(us)
	}
	return shift<<finest + int(us>>shift)
}

// lowOf returns the shortest duration in a bucket, in microseconds.
func lowOf(bucket int) uint64 {
	shift := bucket>>finest - 1
	if shift <= 0 {
		return uint64(bucket)
	}
	return uint64(bucket-shift<<finest) << shift
}

// middleOf returns the duration in the middle of a bucket.
func middleOf(bucket int) time.Duration {
	low, next := lowOf(bucket), lowOf(bucket+1)
	return time.Duration(low)*time.Microsecond + time.Duration(next-low)*time.Microsecond/2
}

// coarseOf returns the bucket of a coarse histogram. It is a quarter of a power of two wide, so its middle is off by at most an
// eighth.
func coarseOf(d time.Duration) int { return max(0, bucketOf(d)/2-coarseFirst) }

// coarseMiddle returns the duration in the middle of a bucket of a coarse histogram.
func coarseMiddle(bucket int) time.Duration {
	if bucket == 0 {
		return time.Duration(lowOf(2*coarseFirst+2)) * time.Microsecond / 2
	}
	return time.Duration(lowOf(2*(bucket+coarseFirst)+1)) * time.Microsecond
}

// bucketsOf lists the buckets that are not empty.
func bucketsOf(counts []uint32, middle func(int) time.Duration) []Bucket {
	list := []Bucket{}
	for i, n := range counts {
		if n > 0 {
			list = append(list, Bucket{Ms: milliseconds(middle(i)), Calls: int64(n)})
		}
	}
	return list
}

// countsOf is the inverse of bucketsOf.
func countsOf(list []Bucket, counts []uint32, bucket func(time.Duration) int) {
	for _, b := range list {
		at := bucket(time.Duration(b.Ms * float64(time.Millisecond)))
		counts[at] += uint32(min(max(b.Calls, 0), 1<<32-1))
	}
}
