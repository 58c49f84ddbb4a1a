// SPDX-License-Identifier: Apache-2.0

package lease

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Config configures how leases of type L are kept.
type Config[L any] struct {
	Owner    string        // this worker
	Failover time.Duration // how long a lease must be unchanged before another worker may take it
	Now      func() time.Time
	// State returns the State of a lease, and Next raises its counter.
	State func(*L) State
	Next  func(*L)
	// Moved reports whether the content to keep has changed between two writes; nil means never. See [Hold.Current].
	Moved func(was, now *L) bool
	// Swap replaces was by will, if the stored lease still has the owner and the counter of was. It returns the lease that
	// is then stored, and whether that is will.
	Swap func(ctx context.Context, was, will L) (stored L, swapped bool, err error)
	// Transient reports whether a failed swap may succeed later.
	Transient func(error) bool
	// Failed is called with each transient failure of a swap.
	Failed func(lease L, err error)
	// Lost is the error of a lost lease; it is the cause of the contexts that then end.
	Lost error
}

// Hold is a lease that this worker owns. Every write of it raises the counter, so every write is a
// renewal as well. It is safe for concurrent use.
type Hold[L any] struct {
	cfg *Config[L]
	// Context is the context of the work; it ends when the lease is lost.
	Context context.Context //nolint:containedctx // of the work that the lease is for
	lose    context.CancelCauseFunc
	// Reading ends when the lease is to be returned: current work is finished, and no new work is started. It does not end
	// when the lease is lost.
	Reading context.Context //nolint:containedctx // as above
	yield   context.CancelFunc

	writing chan struct{} // holds a token during a write: one at a time
	mu      sync.Mutex    // guards what follows
	lease   L             // as last stored
	renewed time.Time     // when its last write was sent: nobody takes the lease within Failover from then on
	moved   time.Time     // when the last write that moved it was sent
}

// NewHold holds a lease that was just taken by a write sent at the given time. The work ends at the latest with its context,
// and the reading with the other context.
func NewHold[L any](work, reading context.Context, cfg *Config[L], lease L, sent time.Time) *Hold[L] {
	h := &Hold[L]{cfg: cfg, lease: lease, renewed: sent, moved: sent, writing: make(chan struct{}, 1)}
	h.Context, h.lose = context.WithCancelCause(work)
	h.Reading, h.yield = context.WithCancel(reading) //nolint:gosec // Close calls it
	return h
}

// Current is the lease as last stored, when it was renewed, and when it was moved.
func (h *Hold[L]) Current() (lease L, renewed, moved time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lease, h.renewed, h.moved
}

// Close ends both contexts, after all work has ended.
func (h *Hold[L]) Close() {
	h.lose(nil)
	h.yield()
}

// IsLost reports whether the lease is lost.
func (h *Hold[L]) IsLost() bool { return errors.Is(context.Cause(h.Context), h.cfg.Lost) }

// Save writes the lease as edit changes it, with the next counter. It tries again until it succeeds, the
// context ends, or others may take the lease, which then is lost.
func (h *Hold[L]) Save(ctx context.Context, edit func(*L)) error {
	select {
	case h.writing <- struct{}{}:
		defer func() { <-h.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	waits := NewBackoff()
	for {
		was, renewed, _ := h.Current()
		left := h.cfg.Failover - h.cfg.Now().Sub(renewed)
		if left <= 0 {
			return h.drop(errors.New("it could not be renewed in time"))
		}
		will := was
		if edit != nil {
			edit(&will)
		}
		h.cfg.Next(&will)
		sent := h.cfg.Now()
		call, cancel := context.WithTimeout(ctx, left)
		stored, swapped, err := h.cfg.Swap(call, was, will)
		cancel()
		is, counter := h.cfg.State(&stored), h.cfg.State(&was).Counter
		switch {
		case swapped && err == nil:
			h.stored(will, sent)
			return nil
		case err == nil && is.Owner == h.cfg.Owner && (is.Counter == counter || is.Counter == counter+1):
			// The stored lease is from an attempt of ours whose reply was lost, or from a worker that requests the lease. It
			// does not prove when we were alive, so it does not renew the lease.
			h.stored(stored, renewed)
		case err == nil:
			return h.drop(nil)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !h.cfg.Transient(err):
			_ = h.drop(err)
			return err
		}
		if err != nil {
			h.cfg.Failed(was, err)
		}
		if err != nil || is.Counter == counter { // nothing was written
			if !Pause(ctx, min(waits.NextBackOff(), max(left/4, time.Millisecond), left)) {
				return context.Cause(ctx)
			}
		}
	}
}

func (h *Hold[L]) stored(lease L, sent time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.cfg.Moved != nil && h.cfg.Moved(&h.lease, &lease) {
		h.moved = sent
	}
	h.lease, h.renewed = lease, sent
	if h.cfg.State(&lease).RequestedBy != "" {
		h.yield()
	}
}

// drop gives the lease up as lost.
func (h *Hold[L]) drop(why error) error {
	err := h.cfg.Lost
	if why != nil {
		err = errors.Join(h.cfg.Lost, why)
	}
	h.lose(err)
	return err
}

// Keep renews the lease, as edit changes it, until the context ends or it is lost.
func (h *Hold[L]) Keep(ctx context.Context, edit func(*L)) {
	for {
		_, renewed, _ := h.Current()
		if !Pause(ctx, max(h.cfg.Failover/3-h.cfg.Now().Sub(renewed), h.cfg.Failover/100)) {
			return
		}
		if _, now, _ := h.Current(); now.After(renewed) {
			continue // it was written meanwhile
		}
		if err := h.Save(ctx, edit); err != nil {
			return // lost, which ends the work; or the work is over
		}
	}
}

// The waits of [NewBackoff].
const (
	FirstBackoff = 100 * time.Millisecond
	LastBackoff  = 10 * time.Second
)

// NewBackoff returns a backoff that waits longer after every failure and never gives up.
func NewBackoff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(FirstBackoff), backoff.WithMaxInterval(LastBackoff),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.5), backoff.WithMaxElapsedTime(0))
}

// Pause waits, and reports whether it waited to the end.
func Pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
