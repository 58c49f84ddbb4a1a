// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"sync"
	"time"
)

// Clock is the clock of an engine. It shows the machine's time plus the durations given to Advance.
// If the engine was made with [WithVirtualClock], it moves only when Advance is called. It is safe
// for concurrent use.
type Clock struct {
	mu      sync.Mutex
	virtual bool
	now     time.Time     // of a virtual clock
	ahead   time.Duration // of a running one
	held    time.Time     // the time of a running clock while it is held
	due     []func(now time.Time)
}

func newClock() *Clock { return new(Clock) }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time()
}

// Advance moves the clock forward by d and then performs everything that has become due in
// the engine. It does nothing if d is negative.
func (c *Clock) Advance(d time.Duration) {
	if d < 0 {
		return
	}
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.ahead += d
	if !c.held.IsZero() {
		c.held = c.held.Add(d)
	}
	now := c.time()
	due := c.due
	c.mu.Unlock()
	for _, f := range due {
		f(now)
	}
}

// onAdvance registers a function that Advance calls after it has moved the clock. It
// must be called before the clock is shared.
func (c *Clock) onAdvance(f func(now time.Time)) { c.due = append(c.due, f) }

// hold stops a running clock until release, so that everything that happens meanwhile has the same time.
func (c *Clock) hold() (now time.Time, release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.held = c.time()
	return c.held, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.held = time.Time{}
	}
}

func (c *Clock) time() time.Time {
	switch {
	case c.virtual:
		return c.now
	case !c.held.IsZero():
		return c.held
	default:
		return time.Now().Add(c.ahead)
	}
}
