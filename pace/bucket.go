// SPDX-License-Identifier: Apache-2.0

package pace

import (
	"context"
	"math"
	"math/rand/v2"
	"time"
)

// bucket holds the units of one kind: those of a second at most, and less than none when a request has cost more than was held for it.
// It has a mutex in the Pace.
type bucket struct {
	ceiling float64 // 0 for no limit
	rate    float64
	units   float64 // left besides what is held
	held    float64
	at      time.Time

	// How the rate comes back after it was lowered: on a cubic curve that is flat at best, which is a little below the
	// rate that was too much, so that it stays there for long and tries more late. The idea is that of TCP CUBIC, RFC 9438.
	best    float64
	since   time.Time // when it was lowered; zero if it was not
	growing bool      // it has not been lowered yet, and is doubled each second

	turn    chan struct{} // who waits for units, one at a time in order
	changed chan struct{} // something has come back
}

// The curve of the rate after throttling.
const (
	lowerTo    = 0.7              // of the rate that was throttled
	bestAfter  = 0.8              // of it, which the rate comes back to
	curve      = 60 * time.Second // in this time
	lowerEvery = time.Second
	rest       = 3 * time.Second // after each
	firstRate  = 50              // units a second of a pace that does not know yet what the table can give
	leastRate  = 1

	// Waits are up to so much longer than they need, and what is saved meanwhile is spent at once. Requests at equal distances would leave the table the
	// time to recover from each, and meet no throttling while others do.
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

// fill brings the bucket, and the rate, to the present.
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

// raise is how the rate grows in time.
func (b *bucket) raise(now time.Time, passed float64) {
	switch {
	case b.growing:
		b.rate = min(b.ceiling, b.rate*math.Pow(2, min(passed, 1))) // idle time proves nothing
		b.growing = b.rate < b.ceiling
	case !b.since.IsZero():
		t := now.Sub(b.since).Seconds()/curve.Seconds() - 1 // -1 when it was lowered, 0 at best
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
	b.units = min(b.units, 0) - rest.Seconds()*b.rate // what the others lack now is not there
	return true
}

func (b *bucket) lowered() bool { return !b.since.IsZero() && b.rate < b.ceiling }

// try holds units if they fit, or else if nothing else is under way and the bucket is full, and returns how long to wait if not.
func (b *bucket) try(now time.Time, units float64) (wait time.Duration, ok bool) {
	b.fill(now)
	if b.ceiling == 0 {
		b.held += units // a limit may come before it is released
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
		full := (b.rate - b.held - b.units) / b.rate                       // what comes after that is lost
		d = min(d*(1+jitter*rand.Float64()), max(d, full))                 //nolint:gosec // no secret
		return time.Duration(math.Ceil(d*float64(time.Second))) + 1, false // 1 ns more, since a wait that rounds to none would spin
	}
	return time.Second, false // or until something comes back
}

// release gives back what was held and takes what was spent.
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

// wait holds units for a request, in the order in which requests come.
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

// sleep waits for a time or for a sign.
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
