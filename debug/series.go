// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"math"
	"time"

	"github.com/dynamotable/ddb/hooks"
)

const (
	rateSeconds  = 300 // how far back rates by the second go
	stepSeconds  = 30  // of a step of the history
	historySteps = 120 // complete ones, an hour
	maxSeries    = 48
)

// series counts the calls of one table and label by time, in rings of fixed size.
type series struct {
	seconds [rateSeconds + 1]tally
	steps   [historySteps + 1]step
}

// tally counts the calls of one second or step.
type tally struct {
	at                                 int64 // its number since 1970; the counts are for this one
	calls, failed, throttled, rejected uint32
	read, write                        float64
}

// step is a tally with latencies.
type step struct {
	tally

	longest time.Duration
	latency [nCoarse]uint32
}

type seriesKey struct{ table, label string }

func (r *Recorder) seriesOf(table, label string) *series {
	s, _ := r.series.at(maxSeries, seriesKey{table, label}, seriesKey{table, overflowName}, seriesKey{overflowName, overflowName})
	return s
}

func (t *tally) add(call *hooks.Call) {
	t.calls++
	switch {
	case call.Failed():
		t.failed++
	case failedCondition(call):
		t.rejected++
	}
	t.throttled += uint32(min(len(call.Throttled), math.MaxInt32))
	t.read += call.Consumed.ReadUnits
	t.write += call.Consumed.WriteUnits
}

func (s *series) add(now time.Time, call *hooks.Call) {
	second := now.Unix()
	if t := &s.seconds[place(second, len(s.seconds))]; t.at <= second { // otherwise the clock went back, to a second that was discarded
		if t.at < second {
			*t = tally{at: second}
		}
		t.add(call)
	}
	number := second / stepSeconds
	if t := &s.steps[place(number, len(s.steps))]; t.at <= number {
		if t.at < number {
			*t = step{tally: tally{at: number}}
		}
		t.add(call)
		t.longest = max(t.longest, call.Duration)
		t.latency[coarseOf(call.Duration)]++
	}
}

func place(number int64, n int) int { return int((number%int64(n) + int64(n)) % int64(n)) }

// ratesOf returns the counts of the complete seconds before now.
func ratesOf(all []*series, now time.Time) Rates {
	out := newRates(time.Unix(now.Unix(), 0).UTC())
	for _, s := range all {
		for i := range rateSeconds {
			second := now.Unix() - rateSeconds + int64(i)
			if t := &s.seconds[place(second, len(s.seconds))]; t.at == second {
				out.add(i, t)
			}
		}
	}
	return out
}

func newRates(end time.Time) Rates {
	return Rates{End: end, Counts: newCounts(rateSeconds)}
}

func newCounts(n int) Counts {
	return Counts{
		Calls: make([]float64, n), Failed: make([]float64, n), FailedConditions: make([]float64, n), Throttled: make([]float64, n),
		ReadUnits: make([]float64, n), WriteUnits: make([]float64, n),
	}
}

func (c *Counts) add(i int, t *tally) {
	c.Calls[i] += float64(t.calls)
	c.Failed[i] += float64(t.failed)
	c.FailedConditions[i] += float64(t.rejected)
	c.Throttled[i] += float64(t.throttled)
	c.ReadUnits[i] += t.read
	c.WriteUnits[i] += t.write
}

// lists returns the lists of counts, for operations on each of them.
func (c *Counts) lists() []*[]float64 {
	return []*[]float64{&c.Calls, &c.Failed, &c.FailedConditions, &c.Throttled, &c.ReadUnits, &c.WriteUnits}
}

// plus adds counts that begin that many places earlier.
func (c *Counts) plus(o *Counts, earlier int) {
	mine, others := c.lists(), o.lists()
	for l := range mine {
		for i := range *mine[l] {
			if from := i + earlier; from >= 0 && from < len(*others[l]) {
				(*mine[l])[i] += (*others[l])[from]
			}
		}
	}
}

// averages returns the averages over the last seconds, or since the recorder was made.
func (r *Rates) averages(age time.Duration) []Average {
	var all []Average
	for _, seconds := range []int{10, 60, rateSeconds} {
		over := max(0, min(seconds, int(age/time.Second)))
		mean := func(values []float64) float64 {
			sum := 0.0
			for _, v := range values[len(values)-over:] {
				sum += v
			}
			return sum / float64(max(over, 1))
		}
		all = append(all, Average{
			Seconds: seconds, Calls: mean(r.Calls), Failed: mean(r.Failed), Throttled: mean(r.Throttled),
			ReadUnits: mean(r.ReadUnits), WriteUnits: mean(r.WriteUnits),
		})
	}
	return all
}

// historyOf returns the complete steps before now and the current one.
func historyOf(all []*series, now time.Time) History {
	last := now.Unix() / stepSeconds
	h := newHistory(time.Unix((last-historySteps)*stepSeconds, 0).UTC())
	var sum step
	for i := range historySteps + 1 {
		number := last - historySteps + int64(i)
		sum = step{}
		for _, s := range all {
			t := &s.steps[place(number, len(s.steps))]
			if t.at != number {
				continue
			}
			h.add(i, &t.tally)
			sum.longest = max(sum.longest, t.longest)
			for b, n := range t.latency {
				sum.latency[b] += n
			}
		}
		h.Buckets[i] = bucketsOf(sum.latency[:], coarseMiddle)
		h.setLatency(i, sum.latency[:], sum.longest)
	}
	return h
}

func newHistory(start time.Time) History {
	n := historySteps + 1
	buckets := make([][]Bucket, n)
	for i := range buckets {
		buckets[i] = []Bucket{}
	}
	return History{
		Start: start, Seconds: stepSeconds, Counts: newCounts(n),
		P50Ms: make([]float64, n), P99Ms: make([]float64, n), MaxMs: make([]float64, n), Buckets: buckets,
	}
}

func (h *History) setLatency(i int, counts []uint32, longest time.Duration) {
	calls := int64(0)
	for _, n := range counts {
		calls += int64(n)
	}
	if calls == 0 {
		return
	}
	h.P50Ms[i] = milliseconds(quantile(counts, calls, longest, 0.5, coarseMiddle))
	h.P99Ms[i] = milliseconds(quantile(counts, calls, longest, 0.99, coarseMiddle))
	h.MaxMs[i] = milliseconds(longest)
}
