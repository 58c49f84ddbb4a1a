// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"time"
)

// Figure is what one call takes.
type Figure struct {
	NS            float64 // time, or processor time
	Bytes, Allocs float64
}

// Series are the figures of one library, one for each round.
type Series []Figure

// Median is the figure whose time is the median.
func (s Series) Median() Figure {
	return slices.SortedFunc(slices.Values(s), func(a, b Figure) int { return cmp.Compare(a.NS, b.NS) })[len(s)/2]
}

// Ratio is how many times as much time another library takes as this one: the median of the rounds, least and most.
func (s Series) Ratio(other Series) (median, least, most float64) {
	ratios := make([]float64, len(s))
	for i := range s {
		ratios[i] = other[i].NS / s[i].NS
	}
	slices.Sort(ratios)
	return ratios[len(ratios)/2], ratios[0], ratios[len(ratios)-1]
}

// Rounds measures works against each other. In each round all run, for the budget each, one after the other and none always
// the first, so that a machine that is busy with other things slows all of them. now is the clock.
func Rounds(rounds int, budget time.Duration, now func() time.Duration, works ...func(context.Context) error) ([]Series, error) {
	series := make([]Series, len(works))
	for i := range series {
		series[i] = make(Series, rounds)
	}
	for round := range rounds {
		for i := range works {
			at := (i + round) % len(works)
			f, err := measure(works[at], budget, now)
			if err != nil {
				return nil, err
			}
			series[at][round] = f
		}
	}
	return series, nil
}

func measure(work func(context.Context) error, budget time.Duration, now func() time.Duration) (Figure, error) {
	ctx := context.Background()
	for range 3 { // warm up
		if err := work(ctx); err != nil {
			return Figure{}, err
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, n, chunk := now(), 0, 1
	elapsed := time.Duration(0)
	for elapsed < budget {
		for range chunk {
			if err := work(ctx); err != nil {
				return Figure{}, err
			}
		}
		n += chunk
		if elapsed = now() - start; elapsed < budget/16 {
			chunk *= 2 // the clock takes time, too
		}
	}
	runtime.ReadMemStats(&after)
	per := float64(n)
	return Figure{float64(elapsed.Nanoseconds()) / per, float64(after.TotalAlloc-before.TotalAlloc) / per, float64(after.Mallocs-before.Mallocs) / per}, nil
}
