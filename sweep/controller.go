// SPDX-License-Identifier: Apache-2.0

package sweep

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
)

// timing is how the time of a page was spent.
type timing struct {
	begun    time.Time
	admitted time.Time // in the gates before this one, such as a pace
	ended    time.Time // the reply is there
	taken    time.Time // by the loop

	throttled bool // by a limit of the table, the index or the account
	hot       bool // only the key range was throttled
}

type timingKey struct{}

// controller chooses how many pages are read at a time. It is the last gate of the requests, and so sees how long a pace has delayed them. It adds workers
// while that makes the sweep faster, and removes them when something else slows it down: the pace, DynamoDB's throttling, or the loop body.
type controller struct {
	most int
	want int

	growing bool // it was never too high: the number doubles
	round   []*timing

	mu    sync.Mutex
	calls map[*hooks.Call]*timing
}

func newController(most int) *controller {
	return &controller{most: most, want: 1, growing: true, calls: make(map[*hooks.Call]*timing)}
}

// Shares of the time of a page.
const (
	delayShareTooHigh    = 0.5  // of delays by others: fewer workers
	delayShareNoticeable = 0.25 // more workers
)

// note counts a page whose loop body has ended. The waits of a hot segment do not count for the others.
func (c *controller) note(t *timing, wasHot bool) {
	if !wasHot && !t.hot || t.throttled {
		c.round = append(c.round, t)
	}
	if len(c.round) < 2*c.want {
		return
	}
	var held, idle, all time.Duration
	throttled := false
	for _, t := range c.round {
		admitted := t.admitted
		if admitted.IsZero() {
			admitted = t.begun
		}
		held += admitted.Sub(t.begun)
		idle += t.taken.Sub(t.ended)
		all += t.taken.Sub(t.begun)
		throttled = throttled || t.throttled
	}
	c.round = c.round[:0]
	share := func(d time.Duration) float64 { return float64(d) / float64(max(1, all)) }
	switch {
	case throttled:
		c.want, c.growing = max(1, c.want/2), false
	case share(held) > delayShareTooHigh && c.want > 1:
		c.want, c.growing = c.want-1, false
	case share(idle) > delayShareTooHigh && c.want > 2: // two, so that one page is read while the loop handles the other
		c.want, c.growing = c.want-1, false
	case share(held) > delayShareNoticeable || share(idle) > delayShareNoticeable && c.want >= 2:
	case c.growing:
		c.want = min(c.most, 2*c.want)
	default:
		c.want = min(c.most, c.want+1)
	}
}

// PageSize sets no page size.
func (c *controller) PageSize(string, string, bool) int { return 0 }

// Admit records when the preceding gates have admitted the request.
func (c *controller) Admit(ctx context.Context, call *hooks.Call) error {
	if t, ok := ctx.Value(timingKey{}).(*timing); ok {
		t.admitted = time.Now()
		c.mu.Lock()
		c.calls[call] = t
		c.mu.Unlock()
	}
	return nil
}

// Throttled records whether only the key range is over its limit.
func (c *controller) Throttled(call *hooks.Call, reasons []ddberr.ThrottlingReason) {
	c.mu.Lock()
	t := c.calls[call]
	c.mu.Unlock()
	if t == nil {
		return
	}
	t.hot = t.hot || slices.ContainsFunc(reasons, ddberr.ThrottlingReason.HotKey)
	t.throttled = t.throttled || len(reasons) == 0 || slices.ContainsFunc(reasons, func(r ddberr.ThrottlingReason) bool { return !r.HotKey() })
}

// Done removes the request.
func (c *controller) Done(call *hooks.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, call)
}
