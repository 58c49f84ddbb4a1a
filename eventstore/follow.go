// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
)

// round is how many commits of a shard are handled before the others get their turn.
const round = 1000

// dropSave is how long the position after commits that a filter dropped may stay unsaved. Saving it costs more than reading their rows again.
const dropSave = time.Minute

// follower is one shard of a subscription, in one process at a time.
type follower struct {
	*subscription
	shard   int
	at      int64 // the last number that is handled or dropped
	saved   int64 // the last number that is saved
	handled bool  // some commit since then was handled, not just dropped
	savedAt time.Time
	parking parking
	figures *shardFigures
}

// work handles a shard until the context ends, something fails for good, or it is handled to its end. When reading ends, it finishes the current commit and saves.
// It returns nil only at the end of the shard.
func (s *subscription) work(ctx, reading context.Context, shard int) error {
	f := &follower{subscription: s, shard: shard}
	var end func()
	f.figures, end = s.figures.follow(shard)
	defer end()
	if err := f.load(ctx); err != nil {
		return err
	}
	for {
		var to int64
		err := s.persist(reading, func(ctx context.Context) (err error) {
			to, err = s.feed.store.counter(ctx, shard)
			return err
		})
		if err != nil {
			return errors.Join(err, f.last(ctx))
		}
		f.figures.noteLast(f.at, to)
		if s.untilEnd {
			to = min(to, s.end.Of(shard))
		}
		if err := f.replay(ctx, reading); err != nil {
			return errors.Join(err, f.last(ctx))
		}
		if f.at < to {
			if err := f.handleUpTo(ctx, reading, min(to, f.at+round)); err != nil {
				return err
			}
			continue
		}
		if s.untilEnd && f.at >= s.end.Of(shard) {
			return f.save(ctx)
		}
		if time.Since(f.savedAt) >= dropSave {
			if err := f.save(ctx); err != nil {
				return err
			}
		}
		if err := s.feed.store.o.wait(reading, s.poll); err != nil {
			return errors.Join(err, f.last(ctx))
		}
	}
}

// handleUpTo handles the commits up to a number when it is the shard's turn.
func (f *follower) handleUpTo(ctx, reading context.Context, to int64) error {
	err := f.persist(reading, func(context.Context) error {
		return f.whenFree(reading, func() error { return f.commits(ctx, reading, to) })
	})
	if err == nil || !f.shared || ctx.Err() != nil || !errors.Is(err, ddb.ErrConditionFailed) || ofHandler(err) {
		return err
	}
	// The position was set by hand, or by a process that does not use the leases: continue from there.
	f.onRetry(err)
	if err := f.feed.store.o.wait(reading, f.poll); err != nil {
		return err
	}
	return f.load(ctx)
}

// whenFree runs work while fewer than [Concurrency] shards are being handled.
func (f *follower) whenFree(reading context.Context, work func() error) error {
	select {
	case f.limit <- struct{}{}:
		defer func() { <-f.limit }()
		return work()
	case <-reading.Done():
		return reading.Err()
	}
}

func (f *follower) load(ctx context.Context) error {
	return f.persist(ctx, func(ctx context.Context) error {
		n, err := f.positions.Load(ctx, f.consumer, partition(f.shard))
		if err != nil {
			return fmt.Errorf("subscription: load the position of shard %d: %w", f.shard, err)
		}
		f.at, f.saved, f.handled, f.savedAt = n, n, false, time.Now()
		return f.loadParked(ctx)
	})
}

// save saves the position after handled and dropped commits, unless the handler saves it.
func (f *follower) save(ctx context.Context) error {
	if f.saved == f.at {
		return nil
	}
	err := f.persist(ctx, func(ctx context.Context) error {
		return f.positions.Save(ctx, f.consumer, partition(f.shard), f.at)
	})
	if err != nil {
		return fmt.Errorf("subscription: save the position of shard %d: %w", f.shard, err)
	}
	f.saved, f.handled, f.savedAt = f.at, false, time.Now()
	return nil
}

// commits handles the commits up to a number.
func (f *follower) commits(ctx, reading context.Context, to int64) error {
	read, idle := newIdleTimeout(ctx)
	defer idle.stop()
	for c, err := range f.feed.hydrate(read, f.feed.rows(read, f.shard, f.at, to)) {
		if err = idle.cause(err); err == nil {
			idle.pause()
			f.figures.reached(&c)
			if err = reading.Err(); err == nil && !c.dropped {
				err = f.one(ctx, reading, c)
			}
		}
		if err != nil {
			// Save the position of what was handled, if that is still possible.
			return errors.Join(err, f.last(ctx))
		}
		f.passed(&c)
		if f.at-f.saved >= int64(f.every) {
			if err := f.save(ctx); err != nil {
				return err
			}
		}
		idle.resume()
	}
	if !f.handled {
		return nil // dropped commits may stay unsaved for a while
	}
	return f.save(ctx)
}

// passed records a commit that is handled or dropped.
func (f *follower) passed(c *Commit) {
	f.at = c.Number
	f.figures.passed(f.at, len(f.parking.numbers))
	switch {
	case c.dropped:
	case f.handlerSaves:
		f.saved, f.handled, f.savedAt = f.at, false, time.Now()
	default:
		f.handled = true
	}
}

// lastSave is how long the last save may take after the context has ended.
const lastSave = 5 * time.Second

// last saves at the end of the work, even if its context has ended, but not if the lease of the shard is lost.
func (f *follower) last(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), errLeaseLost) {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastSave)
	defer cancel()
	return f.save(ctx)
}

// one passes a commit to the handler. If the handler fails permanently, the commit is parked or passed to OnFailure.
func (f *follower) one(ctx, reading context.Context, c Commit) error {
	if f.parking.streams[c.Stream] > 0 {
		return f.setAside(ctx, &c, 0, nil)
	}
	attempts, err := f.try(ctx, reading, c)
	switch {
	case err == nil || attempts == 0:
		return err
	case f.park:
		return f.setAside(ctx, &c, attempts, err)
	}
	if err = f.onFailure(ctx, c, err); err != nil {
		return f.ends(&c, err)
	}
	f.subscription.figures.givenUp.Add(1)
	return nil
}

// ends returns the error that ends the subscription at a commit.
func (f *follower) ends(c *Commit, err error) error {
	return &handlerError{fmt.Errorf("subscription: the handler failed at number %d of shard %d: %w", c.Number, c.Shard, err)}
}

// try passes a commit to the handler, several times if it fails. It returns how many attempts failed when it gives up, 0 if the work ended before that.
func (f *follower) try(ctx, reading context.Context, c Commit) (attempts int, err error) {
	waits, later := f.feed.store.o.backoff.new(), newRetries()
	for {
		err := f.handle(ctx, c)
		if err == nil {
			f.subscription.figures.handled.Add(1)
			return 0, nil
		}
		if ctx.Err() != nil {
			return 0, err
		}
		var d time.Duration
		if passes(err) {
			f.onRetry(fmt.Errorf("subscription: the handler failed at number %d of shard %d: %w", c.Number, c.Shard, err))
			d = later.NextBackOff()
		} else {
			if attempts++; attempts > f.retries {
				return attempts, err
			}
			f.subscription.figures.retried.Add(1)
			d = waits.NextBackOff()
		}
		if err := f.feed.store.o.wait(reading, d); err != nil {
			return 0, err
		}
	}
}
