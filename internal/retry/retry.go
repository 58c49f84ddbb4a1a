// SPDX-License-Identifier: Apache-2.0

// Package retry decides whether and when work is sent again: under a policy, within a budget, after random waits.
package retry

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// Policy bounds the retries of a piece of work. A zero field takes its default.
type Policy struct {
	MaxAttempts int           // the first included; 0 is no bound
	BaseDelay   time.Duration // the longest wait before the first retry
	MaxDelay    time.Duration // the longest wait before any retry
	MaxElapsed  time.Duration // after the first attempt began
	MaxIdle     int           // attempts in a row without progress
}

// DefaultPolicy is the policy of zero fields, but for MaxIdle, which work other than batches has.
func DefaultPolicy() Policy {
	return Policy{BaseDelay: 50 * time.Millisecond, MaxDelay: 5 * time.Second, MaxElapsed: time.Minute}
}

const defaultMaxIdle = 8

// WithDefaults fills in zero fields.
func (p Policy) WithDefaults() Policy {
	d := DefaultPolicy()
	if p.BaseDelay == 0 {
		p.BaseDelay = d.BaseDelay
	}
	if p.MaxDelay == 0 {
		p.MaxDelay = max(d.MaxDelay, p.BaseDelay)
	}
	if p.MaxElapsed == 0 {
		p.MaxElapsed = d.MaxElapsed
	}
	if p.MaxIdle == 0 {
		p.MaxIdle = defaultMaxIdle
	}
	return p
}

// Validate reports every invalid field.
func (p Policy) Validate() error {
	var errs []error
	for _, f := range []struct {
		name     string
		negative bool
	}{
		{"MaxAttempts", p.MaxAttempts < 0}, {"BaseDelay", p.BaseDelay < 0}, {"MaxDelay", p.MaxDelay < 0},
		{"MaxElapsed", p.MaxElapsed < 0}, {"MaxIdle", p.MaxIdle < 0},
	} {
		if f.negative {
			errs = append(errs, fmt.Errorf("RetryPolicy.%s is negative; zero means the default", f.name))
		}
	}
	if p.MaxDelay > 0 && p.WithDefaults().BaseDelay > p.MaxDelay {
		errs = append(errs, fmt.Errorf("RetryPolicy.BaseDelay %v is longer than MaxDelay %v", p.WithDefaults().BaseDelay, p.MaxDelay))
	}
	return errors.Join(errs...)
}

// Loop drives the retries of one piece of work. It is not safe for concurrent use.
type Loop struct {
	policy   Policy
	budget   *Budget
	backoff  backoff.BackOff
	start    time.Time
	attempts int
	idle     int
	spent    float64 // tokens of the current attempt, returned if it makes progress
	patient  bool    // an empty budget is waited for
}

// New starts the clock of MaxElapsed; call it before the first attempt.
func New(p Policy, b *Budget) *Loop {
	p = p.WithDefaults()
	return &Loop{policy: p, budget: b, backoff: &fullJitter{base: p.BaseDelay, ceiling: p.MaxDelay}, start: time.Now()}
}

// NewPatient is for one worker of a batch, which bounds the time by its context and the attempts of each
// entry by itself: it waits for an empty budget, and only Policy.MaxIdle ends it, if that is set.
func NewPatient(p Policy, b *Budget) *Loop {
	r := New(p, b)
	r.patient, r.policy.MaxElapsed, r.policy.MaxAttempts = true, math.MaxInt64, 0
	if p.MaxIdle == 0 {
		r.policy.MaxIdle = math.MaxInt
	}
	return r
}

// Next is called after an attempt that left work to do. It waits and returns nil
// when the rest is to be sent again, or else why not; the error matches the
// context's when that has ended. progressed reports whether the attempt made progress.
func (r *Loop) Next(ctx context.Context, progressed bool) error {
	r.attempts++
	if progressed {
		r.idle = 0
		r.backoff.Reset()
		r.repay()
	} else {
		r.idle++
	}
	r.spent = 0
	wait := r.backoff.NextBackOff()
	switch {
	case ctx.Err() != nil:
		return waitError(ctx)
	case r.policy.MaxAttempts > 0 && r.attempts >= r.policy.MaxAttempts:
		return fmt.Errorf("gave up after %d attempts (RetryPolicy.MaxAttempts)", r.attempts)
	case r.idle >= r.policy.MaxIdle:
		return fmt.Errorf("gave up after %d attempts without progress (RetryPolicy.MaxIdle)", r.idle)
	case time.Since(r.start)+wait > r.policy.MaxElapsed:
		return fmt.Errorf("gave up after %d attempts within %v (RetryPolicy.MaxElapsed)", r.attempts, r.policy.MaxElapsed)
	}
	if !progressed { // the rest of work that advances is no repetition
		if err := r.pay(ctx); err != nil {
			return err
		}
	}
	return Sleep(ctx, wait)
}

// Soon is Next with short waits, for work that others can make impossible to prove meanwhile.
func (r *Loop) Soon(ctx context.Context) error {
	if r.attempts >= quickRetries {
		return r.Next(ctx, false)
	}
	r.attempts++
	r.idle++
	if err := r.Charge(); err != nil {
		return fmt.Errorf("gave up after %d attempts: %w", r.attempts, err)
	}
	if r.attempts == 1 {
		return nil
	}
	return Sleep(ctx, Jitter(restartBase, restartMost, r.attempts))
}

// Soon waits no longer than the policy says for its first retries, and Restart between two tries of work that lost a race.
const (
	quickRetries = 5
	restartBase  = 2 * time.Millisecond
	restartMost  = 200 * time.Millisecond
)

// Restart waits after work that lost a race against other writers and is prepared again.
func (r *Loop) Restart(ctx context.Context, races int) error {
	wait := Jitter(restartBase, restartMost, races)
	if time.Since(r.start)+wait > r.policy.MaxElapsed {
		return fmt.Errorf("gave up after %d lost races within %v (RetryPolicy.MaxElapsed)", races+1, r.policy.MaxElapsed)
	}
	return Sleep(ctx, wait)
}

// pay takes the price of a retry from the budget.
func (r *Loop) pay(ctx context.Context) error {
	for !r.budget.Take(Cost) {
		if !r.patient || r.budget.capacity < Cost {
			return fmt.Errorf("gave up after %d attempts: %w", r.attempts, ErrBudgetEmpty)
		}
		// The price of one retry comes back within a second.
		if err := Sleep(ctx, Jitter(2*time.Second, 2*time.Second, 0)); err != nil {
			return fmt.Errorf("%w; %w", ErrBudgetEmpty, err)
		}
	}
	r.spent = Cost
	return nil
}

// Charge takes the price of a retry without a wait.
func (r *Loop) Charge() error {
	if !r.budget.Take(Cost) {
		return ErrBudgetEmpty
	}
	r.spent = Cost
	return nil
}

// Succeeded is called when all work is done, for the budget's sake. More work may follow.
func (r *Loop) Succeeded() {
	r.repay()
	r.spent, r.idle = 0, 0
	r.backoff.Reset()
}

func (r *Loop) repay() {
	if r.spent > 0 {
		r.budget.Add(r.spent)
		return
	}
	r.budget.Add(FirstSuccess)
}
