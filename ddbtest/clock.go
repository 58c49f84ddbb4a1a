// SPDX-License-Identifier: Apache-2.0

package ddbtest

import (
	"sync"
	"time"
)

// Clock is the time of an engine. It runs with the time of the machine, ahead
// by what was added with Advance, unless the engine was made with
// [WithVirtualClock]; then it stands still between calls of Advance. It is safe
// for concurrent use.
type Clock struct {
	mu      sync.Mutex
	virtual bool
	now     time.Time     // of a virtual clock
	ahead   time.Duration // of a running one
	held    time.Time     // what a running clock shows while it is held
	due     []func(now time.Time)
}

func newClock() *Clock { return new(Clock) }

// Now returns the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.time()
}

// Advance moves the clock forward by d and then does what has become due in
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

// onAdvance registers what Advance is to do after it has moved the clock. It
// must be called before the clock is shared.
func (c *Clock) onAdvance(f func(now time.Time)) { c.due = append(c.due, f) }

// hold makes a running clock stand still until release, so that all that happens meanwhile has one time.
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
