// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/internal/redact"
	"github.com/dynamotable/ddb/internal/wire"
)

// A batch keeps a share of its caller's time for what the caller does with the report.
const (
	reportShare = 10
	maxReport   = time.Second
)

// keepReportTime ends a call before the deadline of its caller: a tenth of the time that is
// left before it, at most a second, so that the caller can still act on what was not done.
func keepReportTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	left := time.Until(deadline)
	if !ok || left <= 0 {
		return ctx, func() {}
	}
	kept := min(left/reportShare, maxReport)
	return context.WithDeadlineCause(ctx, deadline.Add(-kept), &earlyEndError{kept})
}

// earlyEndError is why a batch ended before the deadline of its caller. It matches context.DeadlineExceeded.
type earlyEndError struct{ kept time.Duration }

func (e *earlyEndError) Error() string {
	return fmt.Sprintf("%v (ended %v before the deadline of the context, so that the caller can act on this report)", context.DeadlineExceeded, e.kept)
}

func (e *earlyEndError) Is(target error) bool { return target == context.DeadlineExceeded }

// noProgressError is why a batch ended in which nothing was done for too long.
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

// bounded is a context that ends when no item was written or read for as long as the policy
// allows, whatever is under way then. stop must be called.
func (b *batch) bounded(ctx context.Context) (_ context.Context, stop func()) {
	end := &noProgressError{b.core.retry.withDefaults().MaxElapsed, b.write}
	ctx, cancel := context.WithCancelCause(ctx)
	b.idle = time.AfterFunc(end.limit, func() { cancel(end) })
	b.idleLimit = end.limit
	return ctx, func() {
		b.idle.Stop()
		cancel(nil)
	}
}

// advanced starts the time without progress again.
func (b *batch) advanced() { b.idle.Reset(b.idleLimit) }

// ended is why the context of a batch has ended, or nil.
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

// failure is the error of inputs whose request has failed. When the batch was ended while the
// request was under way, that is the cause, and not what the SDK says of a cancelled context.
func failure(ctx context.Context, err error) error {
	end := ended(ctx)
	switch {
	case end == nil:
		return classify(err)
	case !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w; %w", classify(err), end)
	}
	return &unprocessedError{what: "no reply came", why: end}
}

// unprocessedError is an input that was not done, or not for certain, when its batch ended; nothing refused it for good.
type unprocessedError struct {
	what string // is known of it
	why  error  // the batch has ended
	last error  // what refused the whole of the last request, if anything did
}

func (e *unprocessedError) Error() string {
	text := e.what + ": " + redact.Text(e.why)
	if e.last != nil {
		text += "; the last request was refused: " + redact.Text(e.last)
	}
	return text
}

func (e *unprocessedError) Unwrap() []error {
	if e.last == nil {
		return []error{e.why}
	}
	return []error{e.why, e.last}
}

// throttleOnce hands a throttled request back to the batch, whose policy says when it is sent again.
type throttleOnce struct{ aws.RetryerV2 }

// IsErrorRetryable is asked about every failed attempt.
func (t *throttleOnce) IsErrorRetryable(err error) bool {
	retry := t.RetryerV2.IsErrorRetryable(err)
	_, throttled := throttlingOf(err)
	return retry && !throttled
}

// throttlesOnce puts throttleOnce into the options of a call.
func throttlesOnce(o wire.Options) wire.Options {
	o.Client = append(slices.Clip(o.Client), func(so *dynamodb.Options) {
		so.Retryer = &throttleOnce{asRetryerV2(so.Retryer)}
	})
	return o
}
