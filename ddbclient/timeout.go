// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go/middleware"

	"github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/internal/wire"
)

// delay is the wait before a retry; the SDK counts attempts from one.
func (c *clientConfig) delay(attempt int, _ error) (time.Duration, error) {
	return retry.Jitter(c.baseDelay, c.maxDelay, max(attempt-1, 0)), nil
}

// addTimeouts bounds the call as a whole and each of its attempts. It works in
// middleware rather than in the HTTP client, so that it covers the reading of the
// body and any HTTP client.
func (c *clientConfig) addTimeouts(stack *middleware.Stack) error {
	if c.operationTimeout > 0 {
		err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc(wire.OperationTimeout, c.boundOperation), middleware.Before)
		if err != nil {
			return err
		}
	}
	if c.attemptTimeout > 0 {
		return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("ddbAttemptTimeout", c.boundAttempt), "Retry", middleware.After)
	}
	return nil
}

func (c *clientConfig) boundOperation(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	bounded, cancel := context.WithTimeout(ctx, c.operationTimeout)
	defer cancel()
	out, md, err := next.HandleInitialize(bounded, in)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("the call did not end within %v (WithOperationTimeout): %w", c.operationTimeout, err)
	}
	return out, md, err
}

func (c *clientConfig) boundAttempt(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	bounded, cancel := context.WithTimeout(ctx, c.attemptTimeout)
	defer cancel()
	out, md, err := next.HandleFinalize(bounded, in)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		if _, before := errors.AsType[*unsent.Error](err); before {
			return out, md, &unsent.Error{Err: attemptTimeout(c.attemptTimeout)}
		}
		err = attemptTimeout(c.attemptTimeout)
	}
	return out, md, err
}

// attemptTimeout is the error of an attempt that got no whole reply in time. It
// holds no cause: the SDK would see the cancelled context in it and not retry.
type attemptTimeout time.Duration //nolint:errname // a duration first of all

func (e attemptTimeout) Error() string {
	return fmt.Sprintf("no complete reply within %v (WithAttemptTimeout)", time.Duration(e))
}

// Is makes the error match context.DeadlineExceeded.
func (e attemptTimeout) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout and RetryableError are how the SDK asks.
func (e attemptTimeout) Timeout() bool        { return true }
func (e attemptTimeout) RetryableError() bool { return true }
