// SPDX-License-Identifier: Apache-2.0

package job

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
)

// ErrLeased means that another runner has the job, or has taken it over.
var ErrLeased = errors.New("another runner has the job")

// State is what a [Store] keeps of a job.
type State struct {
	// Position is where the sweep goes on, "" at the beginning. It shows keys to those who decode it.
	Position string
	// Token is the secret of the runner that has the lease, "" if none has; Owner says for people which it is.
	Token, Owner string
	// Until is when the lease ends unless it is renewed.
	Until time.Time
	// Runs is how many runs have ended with success.
	Runs int64
}

func (s State) equal(o State) bool {
	return s.Token == o.Token && s.Until.Equal(o.Until) && s.Position == o.Position && s.Runs == o.Runs
}

// leased is the error of a runner that expected another state.
func (s State) leased() error {
	if s.Token == "" {
		return fmt.Errorf("%w: it has run meanwhile, and nobody has it now; run the job again", ErrLeased)
	}
	return fmt.Errorf("%w: %s", ErrLeased, s.Owner)
}

// Format prints who has the job and how long, and neither position nor token.
func (s State) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "job.State: owner %q until %v, %d runs", s.Owner, s.Until, s.Runs)
}

// MarshalJSON is an error: the position shows keys.
func (s State) MarshalJSON() ([]byte, error) {
	return nil, errors.New("job: a State is not encoded by itself: its position shows keys")
}

// Store keeps the states of jobs. A store of your own must be atomic: of two runners that take or renew a lease at the same time, one is refused.
type Store interface {
	// Load is the state of a job; the zero State if it is not known.
	Load(ctx context.Context, job string) (State, error)
	// Swap stores a state if the stored one still has the Token, Until, Position and Runs of was; otherwise its error matches [ErrLeased]. Token and Until alone do not
	// suffice: both are empty before and after the run of another runner, which has moved the position. When the reply is lost it finds out what is stored, by the
	// Token and Until, which differ with each call.
	Swap(ctx context.Context, job string, was, will State) error
}

// claim is a lease that a run has. The zero claim is that of a run without a store.
type claim struct {
	store Store
	job   string
	lease time.Duration
	meter *cost.Budget // counts what the store costs

	mu     sync.Mutex
	state  State
	latest func() string // the position of what is done
	ran    bool          // to the end, with success
}

// free is the context of calls of the store: position and lease are kept when the budget of the run is spent, and do not wait for its gates.
func (c *claim) free(ctx context.Context) context.Context {
	return ddb.WithBudget(ddb.WithoutLimits(ctx), c.meter)
}

// claim takes the lease, of a restart without the position.
func (j *Job[T, K]) claim(ctx context.Context, meter *cost.Budget, restart bool) (*claim, error) {
	c := &claim{store: j.set.store, job: j.name, lease: j.set.lease, meter: meter}
	if c.store == nil {
		return c, nil
	}
	ctx = c.free(ctx)
	was, err := c.store.Load(ctx, j.name)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	if was.Token != "" && was.Until.After(now) {
		return nil, fmt.Errorf("job: %w: %s, for %v more", ErrLeased, was.Owner, was.Until.Sub(now).Round(time.Second))
	}
	host, _ := os.Hostname()
	c.state = State{Position: was.Position, Token: uuid.NewString(), Owner: fmt.Sprintf("%s, process %d", host, os.Getpid()), Until: until(now, c.lease), Runs: was.Runs}
	if restart {
		c.state.Position = ""
	}
	if err := c.store.Swap(ctx, j.name, was, c.state); err != nil {
		return nil, fmt.Errorf("job: %w", err)
	}
	return c, nil
}

// until is the end of a lease, in whole milliseconds, so that all stores keep it exactly.
func until(now time.Time, lease time.Duration) time.Time {
	return now.Add(lease).UTC().Truncate(time.Millisecond)
}

func (c *claim) position() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Position
}

// at notes how to get the position when it is wanted.
func (c *claim) at(position func() string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = position
}

// keep renews the lease, with the position, until stop is called, which returns why the lease was lost. The context ends when it is.
func (c *claim) keep(ctx context.Context) (_ context.Context, stop func() error) {
	if c.store == nil {
		return ctx, func() error { return nil }
	}
	ctx, cancel := context.WithCancelCause(ctx)
	done, ended := make(chan struct{}), make(chan struct{})
	var lost error
	go func() {
		defer close(ended)
		ticker := time.NewTicker(c.lease / 3)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if err := c.renewInTime(ctx); err != nil && (errors.Is(err, ErrLeased) || c.isOver()) {
				lost = fmt.Errorf("job: the lease is lost: %w", err)
				cancel(lost)
				return
			}
		}
	}()
	return ctx, sync.OnceValue(func() error {
		close(done)
		<-ended
		cancel(nil)
		return lost
	})
}

// renewInTime renews the lease while it lasts: a store that does not answer is asked again at the next time.
func (c *claim) renewInTime(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, c.lease/3)
	defer cancel()
	return c.renew(ctx, c.lease)
}

func (c *claim) isOver() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().After(c.state.Until)
}

// renew stores position and lease. A lease of 0 gives it back.
func (c *claim) renew(ctx context.Context, lease time.Duration) error {
	ctx = c.free(ctx)
	c.mu.Lock()
	was, latest := c.state, c.latest
	will := was
	if c.ran {
		will.Runs++
	}
	c.mu.Unlock()
	if latest != nil {
		will.Position = latest()
	}
	if will.Until = until(time.Now(), lease); lease == 0 {
		will.Token, will.Owner, will.Until = "", "", time.Time{}
	}
	err := c.store.Swap(ctx, c.job, was, will)
	if err != nil {
		if err = c.again(ctx, was, will, err); err != nil {
			return err
		}
	}
	c.mu.Lock()
	c.state = will
	c.mu.Unlock()
	return nil
}

// again finds out what a renewal that failed has left behind: an earlier one whose reply was lost may have been stored since, and is no lease of another.
func (c *claim) again(ctx context.Context, was, will State, failed error) error {
	now, err := c.store.Load(ctx, c.job)
	switch {
	case err != nil: // the owner of the lease is not known
		return fmt.Errorf("the lease could be neither renewed nor read: %w", err)
	case now.equal(will):
		return nil
	case now.Token != was.Token || now.Until.Equal(was.Until):
		return failed
	}
	c.mu.Lock()
	c.state.Until = now.Until
	c.mu.Unlock()
	return c.store.Swap(ctx, c.job, now, will)
}

// endTime is how long giving back the lease may take when the context of the run has ended.
const endTime = 10 * time.Second

// end stores the last position, or that all is done, and gives the lease back. ctx has no end.
func (c *claim) end(ctx context.Context, err error) error {
	if c.store == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, endTime)
	defer cancel()
	if err == nil {
		c.mu.Lock()
		c.latest = func() string { return "" }
		c.ran = true
		c.mu.Unlock()
	}
	if bad := c.renew(ctx, 0); bad != nil {
		return errors.Join(err, fmt.Errorf("job: its position could not be stored, what was done since the last time is done again: %w", bad))
	}
	return err
}
