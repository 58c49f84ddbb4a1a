package ddb

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// RetryPolicy says how batches and transactions send again what DynamoDB did not
// process: unprocessed items and keys, batches that were throttled as a whole, conflicts,
// transactions in progress. The retries of single calls are the SDK client's ([WithMaxAttempts]).
//
// Before each retry the caller waits for a random time between zero and BaseDelay
// doubled by every retry in a row without progress, at most MaxDelay (full
// jitter). Retrying ends as soon as one of the bounds is reached, the
// [RetryBudget] is empty (a batch waits for it instead) or the context ends. A zero field
// takes its default.
type RetryPolicy struct {
	// MaxAttempts is how often the work is sent in all, the first time included. By
	// default there is no such bound: work that advances goes on.
	MaxAttempts int
	// BaseDelay is the longest wait before the first retry, 50 ms by default.
	BaseDelay time.Duration
	// MaxDelay is the longest wait before any retry, 5 s by default.
	MaxDelay time.Duration
	// MaxElapsed ends a batch in which no item was written or read for this long, 60 s by
	// default, whatever is under way then. Other work ends when retrying would go on longer
	// than this after the first attempt began; an attempt under way is not cut short.
	MaxElapsed time.Duration
	// MaxIdle is how many attempts in a row may process nothing. Any progress starts the count
	// again. By default batches have no such bound, for MaxElapsed ends them, and all other work 8.
	MaxIdle int
}

// DefaultRetryPolicy is the policy of tables without the [Retry] option.
func DefaultRetryPolicy() RetryPolicy {
	return RetryPolicy{BaseDelay: 50 * time.Millisecond, MaxDelay: 5 * time.Second, MaxElapsed: time.Minute}
}

// defaultMaxIdle is MaxIdle of all work but batches.
const defaultMaxIdle = 8

func (p RetryPolicy) withDefaults() RetryPolicy {
	d := DefaultRetryPolicy()
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

// validate names every field that makes no sense.
func (p RetryPolicy) validate() error {
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
	if p.MaxDelay > 0 && p.withDefaults().BaseDelay > p.MaxDelay {
		errs = append(errs, fmt.Errorf("RetryPolicy.BaseDelay %v is longer than MaxDelay %v", p.withDefaults().BaseDelay, p.MaxDelay))
	}
	return errors.Join(errs...)
}

// RetryBudget bounds the retries of everything that shares it, so that retries in
// several layers do not multiply the load on a service in trouble. It counts in
// the tokens of the SDK's own bucket: a retry costs 5 (the SDK: 10 after a
// timeout) and gives them back if it succeeds, a success at the first attempt
// adds 1; besides, 5 come back every second, so that a rare caller is not
// locked out for ever. Without enough tokens nothing is retried; a batch waits until
// they have come back, which makes one retry a second of everything that shares the budget.
//
// A client of [NewClient] has a budget of its own, which its tables share; tables
// on other clients share one of the process. A budget fits the RateLimiter field
// of the SDK's retry.StandardOptions. A nil *RetryBudget bounds nothing.
type RetryBudget struct {
	mu       sync.Mutex
	capacity float64
	tokens   float64
	filled   time.Time // when tokens was last brought up to date
}

const (
	defaultBudgetRetries = 100
	retryCost            = 5
	firstSuccessTokens   = 1
	tokensPerSecond      = 5
)

// defaultBudget is shared by all tables whose client has none.
var defaultBudget = NewRetryBudget(defaultBudgetRetries)

// NewRetryBudget makes a full budget for so many retries at once; clients have 100
// by default. Zero or less allows no retry.
func NewRetryBudget(retries int) *RetryBudget {
	capacity := float64(max(retries, 0)) * retryCost
	return &RetryBudget{capacity: capacity, tokens: capacity, filled: time.Now()}
}

// GetToken takes cost tokens or returns an error at once; it never waits. The
// function it returns gives them back.
func (b *RetryBudget) GetToken(_ context.Context, cost uint) (release func() error, err error) {
	if !b.take(float64(cost)) {
		return nil, errBudgetEmpty
	}
	return func() error { return b.AddTokens(cost) }, nil
}

// AddTokens puts tokens back, up to the capacity. Its error is always nil.
func (b *RetryBudget) AddTokens(n uint) error {
	b.add(float64(n))
	return nil
}

func (b *RetryBudget) take(n float64) bool {
	if b == nil {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	if b.tokens < n {
		return false
	}
	b.tokens -= n
	return true
}

func (b *RetryBudget) add(n float64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refill()
	b.tokens = min(b.capacity, b.tokens+n)
}

func (b *RetryBudget) refill() {
	now := time.Now()
	if d := now.Sub(b.filled); d > 0 {
		b.tokens = min(b.capacity, b.tokens+d.Seconds()*tokensPerSecond)
	}
	b.filled = now
}

var errBudgetEmpty = errors.New("the retry budget is empty, so many calls fail that more retries would only add load")

// retrier drives the retries of one piece of work. It is not safe for concurrent use.
type retrier struct {
	policy   RetryPolicy
	budget   *RetryBudget
	backoff  backoff.BackOff
	start    time.Time
	attempts int
	idle     int
	spent    float64 // tokens of the attempt under way, given back if it gets somewhere
	patient  bool    // an empty budget is waited for
}

// newRetrier starts the clock of MaxElapsed; call it before the first attempt.
func newRetrier(p RetryPolicy, b *RetryBudget) *retrier {
	p = p.withDefaults()
	return &retrier{policy: p, budget: b, backoff: &fullJitter{base: p.BaseDelay, ceiling: p.MaxDelay}, start: time.Now()}
}

// newPatientRetrier is for one worker of a batch, which bounds the time by its context and the attempts of each
// entry by itself.
func newPatientRetrier(p RetryPolicy, b *RetryBudget) *retrier {
	r := newRetrier(p, b)
	r.patient, r.policy.MaxElapsed, r.policy.MaxAttempts = true, math.MaxInt64, 0
	if p.MaxIdle == 0 {
		r.policy.MaxIdle = math.MaxInt
	}
	return r
}

// next is called after an attempt that left work to do. It waits and returns nil
// when the rest shall be sent again, or else why not; the error matches the
// context's when that has ended. progressed tells whether the attempt did a part.
func (r *retrier) next(ctx context.Context, progressed bool) error {
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
	return sleep(ctx, wait)
}

// soon is next with short waits, for work that others can make impossible to prove meanwhile.
func (r *retrier) soon(ctx context.Context) error {
	if r.attempts >= quickRetries {
		return r.next(ctx, false)
	}
	r.attempts++
	r.idle++
	if err := r.charge(); err != nil {
		return fmt.Errorf("gave up after %d attempts: %w", r.attempts, err)
	}
	if r.attempts == 1 {
		return nil
	}
	return sleep(ctx, jitter(restartBase, restartMost, r.attempts))
}

const quickRetries = 5

// restart waits after work that lost a race against other writers and is prepared anew.
func (r *retrier) restart(ctx context.Context, races int) error {
	wait := jitter(restartBase, restartMost, races)
	if time.Since(r.start)+wait > r.policy.MaxElapsed {
		return fmt.Errorf("gave up after %d lost races within %v (RetryPolicy.MaxElapsed)", races+1, r.policy.MaxElapsed)
	}
	return sleep(ctx, wait)
}

// pay takes the price of a retry from the budget.
func (r *retrier) pay(ctx context.Context) error {
	for !r.budget.take(retryCost) {
		if !r.patient || r.budget.capacity < retryCost {
			return fmt.Errorf("gave up after %d attempts: %w", r.attempts, errBudgetEmpty)
		}
		// The price of one retry comes back within a second.
		if err := sleep(ctx, jitter(2*time.Second, 2*time.Second, 0)); err != nil {
			return fmt.Errorf("%w; %w", errBudgetEmpty, err)
		}
	}
	r.spent = retryCost
	return nil
}

// charge takes the price of a retry without a wait.
func (r *retrier) charge() error {
	if !r.budget.take(retryCost) {
		return errBudgetEmpty
	}
	r.spent = retryCost
	return nil
}

// succeeded is called when all work is done, for the budget's sake. More work may follow.
func (r *retrier) succeeded() {
	r.repay()
	r.spent, r.idle = 0, 0
	r.backoff.Reset()
}

func (r *retrier) repay() {
	if r.spent > 0 {
		r.budget.add(r.spent)
		return
	}
	r.budget.add(firstSuccessTokens)
}

// sleep waits for d or until the context ends, whichever comes first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return waitError(ctx)
	}
}

func waitError(ctx context.Context) error {
	err := ctx.Err()
	if cause := context.Cause(ctx); !errors.Is(cause, err) {
		return fmt.Errorf("stopped before a retry: %w: %w", err, cause)
	}
	return fmt.Errorf("stopped before a retry: %w", err)
}

// fullJitter draws each wait between zero and an exponentially growing limit.
type fullJitter struct {
	base, ceiling time.Duration
	retries       int
}

var _ backoff.BackOff = (*fullJitter)(nil)

// NextBackOff is the wait before the next retry; it never is backoff.Stop.
func (f *fullJitter) NextBackOff() time.Duration {
	d := jitter(f.base, f.ceiling, f.retries)
	f.retries++
	return d
}

// Reset starts again with the shortest limit.
func (f *fullJitter) Reset() { f.retries = 0 }

// jitter is a random time between zero and base doubled by every earlier retry, at most ceiling.
func jitter(base, ceiling time.Duration, retries int) time.Duration {
	limit := ceiling
	if n := min(retries, 62); base <= ceiling>>n { // so that the shift does not overflow
		limit = base << n
	}
	return rand.N(limit + 1) //nolint:gosec // jitter is no secret
}
