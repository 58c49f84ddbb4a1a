package change

import (
	"context"
	"errors"
	"sync"
	"time"
)

// hold is a lease that this worker owns. Every write of it raises the counter, so every write is a
// renewal as well.
type hold struct {
	w    *worker
	ctx  context.Context //nolint:containedctx // of handlers; ends when the lease is lost
	lose context.CancelCauseFunc
	// reading ends when the lease is to be given back.
	reading context.Context //nolint:containedctx // as above
	yield   context.CancelFunc

	writing chan struct{} // holds a token during a write: one at a time
	mu      sync.Mutex    // guards what follows
	lease   Lease         // as stored last
	renewed time.Time     // when its last write was sent: nobody takes the lease within Failover from then on
	saved   time.Time     // when its checkpoint moved last
}

func newHold(ctx context.Context, w *worker, lease Lease, sent time.Time) *hold {
	h := &hold{w: w, lease: lease, renewed: sent, saved: sent, writing: make(chan struct{}, 1)}
	h.ctx, h.lose = context.WithCancelCause(ctx)
	h.reading, h.yield = context.WithCancel(w.reading)
	return h
}

// state is the lease as stored last, and when it was renewed.
func (h *hold) state() (lease Lease, renewed, saved time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.lease, h.renewed, h.saved
}

// save writes the lease as edit changes it, with the next counter. It tries again until it succeeds, the
// context ends, or others may take the lease, which is ErrLeaseLost.
func (h *hold) save(ctx context.Context, edit func(*Lease)) error {
	select {
	case h.writing <- struct{}{}:
		defer func() { <-h.writing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	waits := newBackoff()
	for {
		was, renewed, _ := h.state()
		left := h.w.cfg.failover - h.w.cfg.now().Sub(renewed)
		if left <= 0 {
			return h.drop(errors.New("it could not be renewed in time"))
		}
		will := was
		if edit != nil {
			edit(&will)
		}
		will.Counter++
		sent := h.w.cfg.now()
		call, cancel := context.WithTimeout(ctx, left)
		stored, swapped, err := h.w.store.Swap(call, was, will)
		cancel()
		switch {
		case swapped && err == nil:
			h.stored(will, sent)
			return nil
		case err == nil && stored.Owner == h.w.owner && (stored.Counter == was.Counter || stored.Counter == will.Counter):
			// What is stored is of an attempt of ours whose reply was lost, or of a worker that asks for the lease. It is
			// no proof of when we were alive, so it renews nothing.
			h.stored(stored, renewed)
		case err == nil:
			return h.drop(nil)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !passing(err):
			_ = h.drop(err)
			return err
		}
		if err != nil {
			h.w.cfg.event(Event{Kind: CallFailed, Shard: was.Shard, Err: err})
			if !pause(ctx, min(waits.NextBackOff(), max(left/4, time.Millisecond), left)) {
				return context.Cause(ctx)
			}
		}
	}
}

func (h *hold) stored(lease Lease, sent time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.lease.Checkpoint != lease.Checkpoint {
		h.saved = sent
	}
	h.lease, h.renewed = lease, sent
	if lease.Heir != "" {
		h.yield()
	}
}

// drop gives the lease up as lost.
func (h *hold) drop(why error) error {
	err := ErrLeaseLost
	if why != nil {
		err = errors.Join(ErrLeaseLost, why)
	}
	h.lose(err)
	return err
}

// keep renews the lease until the context ends or it is lost.
func (h *hold) keep(ctx context.Context, checkpoint func() Checkpoint) {
	for {
		_, renewed, _ := h.state()
		if !pause(ctx, max(h.w.cfg.failover/3-h.w.cfg.now().Sub(renewed), h.w.cfg.failover/100)) {
			return
		}
		if _, now, _ := h.state(); now.After(renewed) {
			continue // a checkpoint was written meanwhile
		}
		if err := h.save(ctx, func(l *Lease) { l.Checkpoint = checkpoint() }); err != nil {
			return // lost, which cancels the handler; or the work is over
		}
	}
}
