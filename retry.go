// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/retry"
)

// RetryPolicy says how batches and transactions send again what DynamoDB did not
// process: unprocessed items and keys, batches that were throttled as a whole, conflicts,
// transactions in progress. The retries of single calls are the SDK client's (ddbclient.WithMaxAttempts).
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
	return RetryPolicy(retry.DefaultPolicy())
}

func (p RetryPolicy) withDefaults() RetryPolicy { return RetryPolicy(retry.Policy(p).WithDefaults()) }

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
// A client of ddbclient.New has a budget of its own, which its tables share; tables
// on other clients share one of the process. A budget fits the RateLimiter field
// of the SDK's retry.StandardOptions. A nil *RetryBudget bounds nothing.
type RetryBudget struct{ bucket retry.Budget }

const defaultBudgetRetries = 100

// budgetOf is the budget that a client shares with its tables, or the process's.
func budgetOf(client Client) *RetryBudget {
	type owner interface{ RetryBudget() *RetryBudget }
	switch c := client.(type) {
	case owner:
		return c.RetryBudget()
	case *dynamodb.Client:
		if c == nil {
			break
		}
		if r, ok := c.Options().Retryer.(owner); ok {
			return r.RetryBudget()
		}
	}
	return defaultBudget
}

// defaultBudget is shared by all tables whose client has none.
var defaultBudget = NewRetryBudget(defaultBudgetRetries)

// NewRetryBudget makes a full budget for so many retries at once; clients have 100
// by default. Zero or less allows no retry.
func NewRetryBudget(retries int) *RetryBudget {
	b := new(RetryBudget)
	b.bucket.Fill(retries)
	return b
}

// GetToken takes cost tokens or returns an error at once; it never waits. The
// function it returns gives them back.
func (b *RetryBudget) GetToken(_ context.Context, cost uint) (release func() error, err error) {
	if !b.shared().Take(float64(cost)) {
		return nil, retry.ErrBudgetEmpty
	}
	return func() error { return b.AddTokens(cost) }, nil
}

// AddTokens puts tokens back, up to the capacity. Its error is always nil.
func (b *RetryBudget) AddTokens(n uint) error {
	b.shared().Add(float64(n))
	return nil
}

// shared is the bucket of tokens, nil for no bound.
func (b *RetryBudget) shared() *retry.Budget {
	if b == nil {
		return nil
	}
	return &b.bucket
}

// retrier drives the retries of one piece of work on the table. It starts the clock of MaxElapsed.
func (c *core) retrier() *retry.Loop { return retry.New(retry.Policy(c.retry), c.budget.shared()) }

// patientRetrier is for one worker of a batch, which waits for an empty budget.
func (c *core) patientRetrier() *retry.Loop {
	return retry.NewPatient(retry.Policy(c.retry), c.budget.shared())
}
