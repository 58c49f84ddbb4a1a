// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/transient"
	"github.com/dynamotable/ddb/internal/wire"
)

// A batch leaves its caller some time to act on the report.
const (
	reportShare = 10
	maxReport   = time.Second
)

// keepReportTime ends a call before the deadline of its caller, by a tenth of the time left but at most a second, so that
// the caller can still act on what was not done.
func keepReportTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	left := time.Until(deadline)
	if !ok || left <= 0 {
		return ctx, func() {}
	}
	kept := min(left/reportShare, maxReport)
	return context.WithDeadlineCause(ctx, deadline.Add(-kept), &earlyEndError{kept})
}

// earlyEndError is the error of a batch that ended before the deadline of its caller. It matches context.DeadlineExceeded.
type earlyEndError struct{ kept time.Duration }

func (e *earlyEndError) Error() string {
	return fmt.Sprintf("%v (ended %v before the deadline of the context, so that the caller can act on this report)", context.DeadlineExceeded, e.kept)
}

func (e *earlyEndError) Is(target error) bool { return target == context.DeadlineExceeded }

// noProgressError is the error of a batch that made no progress for too long.
type noProgressError struct {
	limit time.Duration
	write bool
}

func (e *noProgressError) Error() string {
	done := "read"
	if e.write {
		done = "written"
	}
	return fmt.Sprintf("no item was %s for %v (RetryPolicy.MaxElapsed)", done, e.limit)
}

// ended returns why the context of a batch has ended, or nil.
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	switch cause := context.Cause(ctx).(type) { //nolint:errorlint // our own, as they were made
	case *noProgressError, *earlyEndError:
		return cause
	default:
		if errors.Is(cause, err) {
			return err
		}
		return fmt.Errorf("%w: %w", err, cause)
	}
}

// failure returns the error of inputs whose request failed. If the batch ended while the request was in flight, that is the
// cause, not what the SDK reports for a cancelled context.
func failure(ctx context.Context, err error) error {
	end := ended(ctx)
	switch {
	case end == nil:
		return operr.Classify(err)
	case !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w; %w", operr.Classify(err), end)
	}
	return &transient.UnprocessedError{What: "no reply came", Why: end}
}

// throttleOnce returns a throttled request to the batch, whose policy decides when it is sent again.
type throttleOnce struct{ aws.RetryerV2 }

// IsErrorRetryable is called for every failed attempt.
func (t *throttleOnce) IsErrorRetryable(err error) bool {
	retry := t.RetryerV2.IsErrorRetryable(err)
	_, throttled := operr.Throttling(err)
	return retry && !throttled
}

// throttlesOnce puts throttleOnce into the options of a call.
func throttlesOnce(o wire.Options) wire.Options {
	o.Client = append(slices.Clip(o.Client), func(so *dynamodb.Options) {
		so.Retryer = &throttleOnce{asRetryerV2(so.Retryer)}
	})
	return o
}

// bounded returns a context that ends when no item was written or read for as long as the policy allows, even if requests
// are in flight. stop must be called.
func (b *batch) bounded(ctx context.Context) (_ context.Context, stop func()) {
	end := &noProgressError{b.core.retry.WithDefaults().MaxElapsed, b.write}
	ctx, cancel := context.WithCancelCause(ctx)
	b.idle = time.AfterFunc(end.limit, func() { cancel(end) })
	b.idleLimit = end.limit
	return ctx, func() {
		b.idle.Stop()
		cancel(nil)
	}
}

// advanced restarts the time without progress.
func (b *batch) advanced() { b.idle.Reset(b.idleLimit) }
