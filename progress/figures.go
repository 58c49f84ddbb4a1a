// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"math"
	"time"
)

// amounts is the work done in a time, or in a second.
type amounts struct {
	units       Units
	items, work float64
}

func (a amounts) plus(b amounts) amounts {
	return amounts{Units{a.units.Read + b.units.Read, a.units.Write + b.units.Write}, a.items + b.items, a.work + b.work}
}

func (a amounts) over(seconds float64) amounts {
	return amounts{Units{a.units.Read / seconds, a.units.Write / seconds}, a.items / seconds, a.work / seconds}
}

const windowSeconds = 10

// window sums the work done in each of the last seconds.
type window struct {
	since time.Time
	all   amounts
	slots [windowSeconds + 1]struct {
		second int64 // since the beginning
		amounts
	}
}

func (w *window) second(at time.Time) int64 { return int64(max(0, at.Sub(w.since)) / time.Second) }

func (w *window) add(at time.Time, a amounts) {
	w.all = w.all.plus(a)
	second := w.second(at)
	slot := &w.slots[second%int64(len(w.slots))]
	if slot.second != second {
		slot.second, slot.amounts = second, amounts{}
	}
	slot.amounts = slot.plus(a)
}

// rate returns the recent work a second.
func (w *window) rate(at time.Time) amounts {
	now := w.second(at)
	var sum amounts
	for _, slot := range w.slots {
		if slot.second > now-windowSeconds {
			sum = sum.plus(slot.amounts)
		}
	}
	passed := at.Sub(w.since).Seconds()
	first := float64(max(0, now-windowSeconds+1))
	return sum.over(max(1, passed-first))
}

// parts is what is known about the sizes of parts.
type parts struct {
	n            int // that were done completely
	sum, squares float64
	open         map[int]float64 // how much of the running ones
}

func (p *parts) work(part int, work float64) {
	if p.open == nil {
		p.open = make(map[int]float64)
	}
	p.open[part] += work
}

func (p *parts) done(part int, whole bool) {
	size := p.open[part]
	delete(p.open, part)
	if whole {
		p.n++
		p.sum += size
		p.squares += size * size
	}
}

// deviations is how many standard deviations a 95 % interval extends to each side.
const deviations = 1.96

// left returns the work in the remaining parts: they are assumed to be like those that are done, whose mean has an error.
func (p *parts) left(remaining int) (least, most float64, known bool) {
	if remaining == 0 {
		return 0, 0, true
	}
	if p.n < 2 {
		return 0, 0, false
	}
	n, r := float64(p.n), float64(remaining)
	mean := p.sum / n
	variance := max(0, (p.squares-p.sum*mean)/(n-1))
	likely := mean * r
	for _, open := range p.open {
		likely -= min(open, mean)
	}
	spread := deviations * math.Sqrt(variance*(r+r*r/n))
	return max(0, likely-spread), max(0, likely) + spread, true
}
