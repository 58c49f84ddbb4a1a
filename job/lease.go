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

// State is the state of a job in a [Store].
type State struct {
	// Position is where the sweep continues, "" at the beginning. It contains keys for anyone who decodes it.
	Position string
	// Token is the secret of the runner that has the lease, "" if none has; Owner is its name for people.
	Token, Owner string
	// Until is when the lease ends unless it is renewed.
	Until time.Time
	// Runs is the number of successful runs.
	Runs int64
}

func (s State) equal(o State) bool {
	return s.Token == o.Token && s.Until.Equal(o.Until) && s.Position == o.Position && s.Runs == o.Runs
}

// leased returns the error of a runner that expected another state.
func (s State) leased() error {
	if s.Token == "" {
		return fmt.Errorf("%w: it has run meanwhile, and no runner has it now; run the job again", ErrLeased)
	}
	return fmt.Errorf("%w: %s", ErrLeased, s.Owner)
}

// Format prints who has the job and for how long, without position and token.
func (s State) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "job.State: owner %q until %v, %d runs", s.Owner, s.Until, s.Runs)
}

// MarshalJSON returns an error: the position contains keys.
func (s State) MarshalJSON() ([]byte, error) {
	return nil, errors.New("job: a State cannot be encoded: its position contains keys")
}

// Store stores the states of jobs. Implementations must be atomic: of two runners that take or renew a lease at the same time, one must be refused.
type Store interface {
	// Load returns the state of a job; the zero State if it is not known.
	Load(ctx context.Context, job string) (State, error)
	// Swap stores a state if the stored one still has the Token, Until, Position and Runs of was; otherwise its error matches [ErrLeased]. Token and Until are not
	// enough: both are empty before and after the run of another runner, which has moved the position. If a reply is lost, Swap finds out what is stored by the
	// Token and Until, which differ with each call.
	Swap(ctx context.Context, job string, was, will State) error
}

// claim is the lease of a run. The zero claim is that of a run without a store.
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

// withoutLimits returns the context for calls of the store: position and lease are stored even if the budget of the run is spent, and do not wait for its gates.
func (c *claim) withoutLimits(ctx context.Context) context.Context {
	return ddb.WithBudget(ddb.WithoutLimits(ctx), c.meter)
}

// claim takes the lease, for a restart without the position.
func (j *Job[T, K]) claim(ctx context.Context, meter *cost.Budget, restart bool) (*claim, error) {
	c := &claim{store: j.set.store, job: j.name, lease: j.set.lease, meter: meter}
	if c.store == nil {
		return c, nil
	}
	ctx = c.withoutLimits(ctx)
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

// until returns the end of a lease, in whole milliseconds, so that all stores keep it exactly.
func until(now time.Time, lease time.Duration) time.Time {
	return now.Add(lease).UTC().Truncate(time.Millisecond)
}

func (c *claim) position() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.Position
}

// at sets the function that returns the position when it is needed.
func (c *claim) at(position func() string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latest = position
}

// keep renews the lease, with the position, until stop is called, which returns why the lease was lost. The context ends when the lease is lost.
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

// renewInTime renews the lease while it lasts: if the store does not answer, it is tried again the next time.
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

// renew stores position and lease. A lease of 0 releases it.
func (c *claim) renew(ctx context.Context, lease time.Duration) error {
	ctx = c.withoutLimits(ctx)
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

// again finds out what is stored after a failed renewal: an earlier one whose reply was lost may have been stored since, and is not the lease of another runner.
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

// endTime is how long releasing the lease may take when the context of the run has ended.
const endTime = 10 * time.Second

// end stores the last position, or that everything is done, and releases the lease. ctx does not end.
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
		return errors.Join(err, fmt.Errorf("job: its position could not be stored, so the work since the last time is repeated: %w", bad))
	}
	return err
}
