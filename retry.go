// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/retry"
)

// RetryPolicy says how batches and transactions resend what DynamoDB did not process: unprocessed items and keys, requests
// of a batch that were throttled, conflicts, transactions in progress. The SDK client retries single calls
// (ddbclient.WithMaxAttempts).
//
// Before each retry the caller waits for a random time between zero and an upper limit (full jitter). The limit starts at
// BaseDelay, doubles with every consecutive retry without progress, and is at most MaxDelay. Retrying ends as soon as one of
// the bounds is reached, the [RetryBudget] is empty (a batch waits for it instead) or the context ends. A zero field has its
// default value.
type RetryPolicy struct {
	// MaxAttempts limits how often the work is sent, including the first time. By default there is no limit: work that makes
	// progress continues.
	MaxAttempts int
	// BaseDelay is the longest wait before the first retry, 50 ms by default.
	BaseDelay time.Duration
	// MaxDelay is the longest wait before any retry, 5 s by default.
	MaxDelay time.Duration
	// MaxElapsed ends a batch if no item was written or read for this long, 60 s by default, and cancels its requests in
	// flight. Other work is not retried later than this after its first attempt began; an attempt in flight is not
	// cancelled.
	MaxElapsed time.Duration
	// MaxIdle limits how many consecutive attempts may process nothing. Any progress resets the count. By default batches
	// have no such limit, since MaxElapsed ends them; for all other work it is 8.
	MaxIdle int
}

// RetryBudget limits the retries of everything that shares it, so that retries in several layers do not multiply the load on
// a service in trouble. It counts in the tokens of the SDK's own bucket: a retry costs 5 (in the SDK 10 after a timeout) and
// returns them if it succeeds; a success at the first attempt adds 1. In addition 5 tokens return every second, so that a
// rare caller is not blocked forever. Without enough tokens nothing is retried. A batch waits until there are enough, which
// allows one retry a second for everything that shares the budget.
//
// A client of ddbclient.New has its own budget, which its tables share; tables on other clients share the budget of the
// process. A budget can be the RateLimiter of the SDK's retry.StandardOptions. A nil *RetryBudget limits nothing.
type RetryBudget struct{ bucket retry.Budget }

const defaultBudgetRetries = 100

// budgetOf returns the budget that a client shares with its tables, or the one of the process.
func budgetOf(client Client) *retry.Budget {
	type owner interface{ RetryBudget() *RetryBudget }
	switch c := client.(type) {
	case owner:
		return c.RetryBudget().shared()
	case *dynamodb.Client:
		if c == nil {
			break
		}
		if r, ok := c.Options().Retryer.(owner); ok {
			return r.RetryBudget().shared()
		}
	}
	return defaultBudget.shared()
}

// defaultBudget is shared by all tables whose client has none.
var defaultBudget = NewRetryBudget(defaultBudgetRetries)

// NewRetryBudget makes a full budget for the given number of retries at once; clients have 100 by default. Zero or less
// allows no retry.
func NewRetryBudget(retries int) *RetryBudget {
	b := new(RetryBudget)
	b.bucket.Fill(retries)
	return b
}

// GetToken takes cost tokens or returns an error immediately; it never waits. The function that it returns puts them back.
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

// shared returns the bucket of tokens, nil if there is no limit.
func (b *RetryBudget) shared() *retry.Budget {
	if b == nil {
		return nil
	}
	return &b.bucket
}
