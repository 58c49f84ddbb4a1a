// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v4"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// handlerError is the permanent failure of a handler, as opposed to a failure of the subscription itself.
type handlerError struct{ err error }

func (e *handlerError) Error() string { return e.err.Error() }
func (e *handlerError) Unwrap() error { return e.err }

func ofHandler(err error) bool {
	_, ok := errors.AsType[*handlerError](err)
	return ok
}

// isTransient reports whether a failed operation may succeed later without a change.
func isTransient(err error) bool {
	switch {
	case ofHandler(err):
		return false
	case errors.Is(err, ddb.ErrInvalid), errors.Is(err, ddb.ErrTableNotFound), errors.Is(err, ErrGap), errors.Is(err, ErrSetup):
		return false
	case errors.Is(err, errNoAnswer), repeat.InDoubt(err), errors.Is(err, ErrAmbiguous), errors.Is(err, ErrContention), ddb.IsRetryable(err):
		return true
	case errors.Is(err, ddb.ErrConditionFailed), errors.Is(err, ddb.ErrNotFound):
		return false
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		var status interface{ HTTPStatusCode() int }
		if code := api.ErrorCode(); code == "ExpiredTokenException" || code == "RequestExpired" {
			return true
		}
		if errors.As(err, &status) {
			return status.HTTPStatusCode() >= 500 || status.HTTPStatusCode() == 429
		}
		return api.ErrorFault() != smithy.FaultClient
	}
	op, ok := errors.AsType[*ddb.OpError](err) // a request without a reply, or with an invalid one
	return ok && op.Op != ""
}

// passes reports whether a handler failed because of a transient failure of DynamoDB. All other failures of a handler count.
func passes(err error) bool {
	_, op := errors.AsType[*ddb.OpError](err)
	_, batch := errors.AsType[*ddb.BatchError](err)
	_, transaction := errors.AsType[*ddb.TransactionError](err)
	return (op || batch || transaction || errors.Is(err, ErrAmbiguous) || errors.Is(err, ErrContention)) && isTransient(err)
}

// newRetries returns a backoff that waits longer after every failure and never gives up.
func newRetries() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMaxInterval(10*time.Second),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.5), backoff.WithMaxElapsedTime(0))
}

// persist calls f until it succeeds, fails permanently, or the context ends.
func (s *subscription) persist(ctx context.Context, f func(context.Context) error) error {
	waits := newRetries()
	for {
		err := f(ctx)
		if err == nil || ctx.Err() == nil && !isTransient(err) {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		s.onRetry(err)
		if s.feed.store.o.wait(ctx, waits.NextBackOff()) != nil {
			return context.Cause(ctx)
		}
	}
}

// errNoAnswer is the error of a read that took too long.
var errNoAnswer = errors.New("no answer")

// noAnswer is how long a subscription waits for the next commit of a read: several times what a client's own retries take. A request that is
// never answered would stop a shard for ever.
const noAnswer = 5 * time.Minute

// idleTimeout ends a read that waits too long for the next value. The time that the caller takes for itself does not count.
type idleTimeout struct {
	ctx    context.Context //nolint:containedctx // of the read
	cancel context.CancelCauseFunc
	timer  *time.Timer
}

func newIdleTimeout(parent context.Context) (context.Context, *idleTimeout) {
	ctx, cancel := context.WithCancelCause(parent)
	return ctx, &idleTimeout{ctx: ctx, cancel: cancel, timer: time.AfterFunc(noAnswer, func() { cancel(errNoAnswer) })}
}

func (i *idleTimeout) pause()  { i.timer.Stop() }
func (i *idleTimeout) resume() { i.timer.Reset(noAnswer) }
func (i *idleTimeout) stop() {
	i.timer.Stop()
	i.cancel(nil)
}

// cause returns the error of the read, or errNoAnswer if it took too long.
func (i *idleTimeout) cause(err error) error {
	if err != nil && errors.Is(context.Cause(i.ctx), errNoAnswer) {
		return fmt.Errorf("read the feed: %w within %v: %w", errNoAnswer, noAnswer, err)
	}
	return err
}
