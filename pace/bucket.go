// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// bucket holds the available units of one kind, reads or writes. It never holds more than the units of one second. The number is
// negative after a request that cost more than was reserved for it. The mutex of the Pace protects it.
type bucket struct {
	ceiling float64 // 0 for no limit
	rate    float64
	units   float64 // available, without the reserved ones
	held    float64
	at      time.Time

	// How the rate recovers after it was lowered: along a cubic curve that is flat around best, a rate slightly below the one
	// that was throttled. So the rate stays near best for a long time and exceeds it late. The idea is that of TCP CUBIC, RFC
	// 9438.
	best    float64
	since   time.Time // when it was lowered; zero if it was not
	growing bool      // it has not been lowered yet, and doubles each second

	turn    chan struct{} // held by the request that waits for units, so that they wait in order
	changed chan struct{} // units were returned
}

// The curve of the rate after throttling.
const (
	lowerTo    = 0.7              // of the rate that was throttled
	bestAfter  = 0.8              // of the throttled rate: the rate at which the curve is flat
	curve      = 60 * time.Second // how long the rate takes to reach it
	lowerEvery = time.Second
	rest       = 3 * time.Second // pause after each lowering
	firstRate  = 50              // units a second while the throughput of the table is not known
	leastRate  = 1

	// A wait is extended at random by up to this factor, and the units that accumulate meanwhile are spent at once. Evenly spaced
	// requests would let the table recover between them: they would not be throttled, while other clients are.
	jitter = 2
)

// limit sets the ceiling.
func (b *bucket) limit(now time.Time, ceiling float64) {
	b.fill(now)
	b.ceiling = ceiling
	b.rate = min(b.rate, ceiling)
	b.growing = b.since.IsZero() && b.rate < ceiling
	b.at = now
}

// reset uses the whole ceiling.
func (b *bucket) reset() { b.rate, b.growing, b.since = b.ceiling, false, time.Time{} }

// fill updates the bucket and the rate to the given time.
func (b *bucket) fill(now time.Time) {
	passed := now.Sub(b.at).Seconds()
	if passed <= 0 {
		return
	}
	b.at = now
	if b.ceiling == 0 {
		return
	}
	before := b.rate
	b.raise(now, passed)
	b.units = min(b.rate-b.held, b.units+passed*min(before, b.rate))
}

// raise increases the rate by the time that has passed.
func (b *bucket) raise(now time.Time, passed float64) {
	switch {
	case b.growing:
		b.rate = min(b.ceiling, b.rate*math.Pow(2, min(passed, 1))) // idle time proves nothing
		b.growing = b.rate < b.ceiling
	case !b.since.IsZero():
		t := now.Sub(b.since).Seconds()/curve.Seconds() - 1 // -1 when it was lowered, 0 when it reaches best
		b.rate = max(b.rate, min(b.ceiling, b.best*(1+(1-lowerTo/bestAfter)*t*t*t)))
		if b.rate >= b.ceiling {
			b.since = time.Time{}
		}
	}
}

// lower backs off, at most once a second, and reports whether it did.
func (b *bucket) lower(now time.Time) bool {
	b.fill(now)
	if b.ceiling == 0 || !b.since.IsZero() && now.Sub(b.since) < lowerEvery {
		return false
	}
	b.best = b.rate * bestAfter
	b.rate = max(min(leastRate, b.ceiling), b.rate*lowerTo)
	b.since, b.growing = now, false
	b.units = min(b.units, 0) - rest.Seconds()*b.rate // the other clients lack units now
	return true
}

func (b *bucket) lowered() bool { return !b.since.IsZero() && b.rate < b.ceiling }

// try reserves units if they are available, or if nothing else is in progress and the bucket is full. Otherwise it returns how
// long to wait.
func (b *bucket) try(now time.Time, units float64) (wait time.Duration, ok bool) {
	b.fill(now)
	if b.ceiling == 0 {
		b.held += units // a limit may be set before they are released
		return 0, true
	}
	need := min(units, b.rate)
	if b.units >= need-1e-9 {
		b.units -= units
		b.held += units
		return 0, true
	}
	if missing := need - b.units; b.held == 0 || need <= b.rate-b.held {
		d := missing / b.rate
		full := (b.rate - b.held - b.units) / b.rate                       // units that accumulate after that are lost
		d = min(d*(1+jitter*rand.Float64()), max(d, full))                 //nolint:gosec // no secret
		return time.Duration(math.Ceil(d*float64(time.Second))) + 1, false // 1 ns more, since a wait that rounds to none would spin
	}
	return time.Second, false // or until units are returned
}

// release returns the units that were reserved, and subtracts those that were spent.
func (b *bucket) release(now time.Time, held, spent float64) {
	b.fill(now)
	b.held = max(0, b.held-held)
	if b.ceiling == 0 {
		return
	}
	b.units = min(b.rate-b.held, b.units+held-spent)
	b.notify()
}

func (b *bucket) notify() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// wait reserves units for a request, in the order in which requests arrive.
func (p *Pace) wait(ctx context.Context, b *bucket, units float64) error {
	if units == 0 {
		return nil
	}
	select {
	case b.turn <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-b.turn }()
	for {
		p.mu.Lock()
		d, ok := b.try(time.Now(), units)
		p.mu.Unlock()
		if ok {
			return nil
		}
		if err := sleep(ctx, d, b.changed); err != nil {
			return err
		}
	}
}

// sleep waits until the time has passed or sign receives a value.
func sleep(ctx context.Context, d time.Duration, sign <-chan struct{}) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-sign:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
