// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/cenkalti/backoff/v4"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/lease"
)

// Handler is how a [Consumer] handles changes: one by one ([Each]), in batches ([Batches]) or
// with your own confirmations ([Manual]); how often it tries again, and what happens to
// a change that cannot be handled. It is immutable: every method returns a new one.
//
// The changes of one shard are passed in order, one call at a time; calls for different shards are
// concurrent. The context of a call ends when the lease of the shard is lost, with [ErrLeaseLost] as
// its cause, or when draining takes too long.
type Handler[T any] struct {
	handle func(context.Context, *Delivery[T]) error
	single bool
	manual bool
	retry  RetryPolicy
	giveUp func(context.Context, Failure[T]) error
}

// RetryPolicy is how often a handler is called again after an error. Before each retry it waits
// for BaseDelay, doubled with every retry, at most MaxDelay, plus or minus 50 %.
// A zero field means its default.
type RetryPolicy struct {
	MaxAttempts int           // total calls, 5 by default; the count restarts when changes of a batch were handled
	BaseDelay   time.Duration // 100 ms by default
	MaxDelay    time.Duration // 10 s by default
}

// Failure is a change that was given up.
type Failure[T any] struct {
	Change   Change[T]     // the parts that could be read
	Record   *types.Record // as it came
	Err      error         // of the handler, or a [*DecodeError]
	Attempts int           // of the handler; zero if it could not be read
}

// HandlerError is the error of a consumer that stopped because its handler could not handle a change.
type HandlerError struct {
	Shard    string
	Seq      Seq // of the first change that is not handled
	Attempts int
	Err      error
}

// Error gives shard, change and cause.
func (e *HandlerError) Error() string {
	if e.Attempts == 0 {
		return fmt.Sprintf("change: shard %s cannot continue after %s: %s", e.Shard, e.Seq, quietText(e.Err))
	}
	return fmt.Sprintf("change: the handler failed %d times at %s of shard %s: %s", e.Attempts, e.Seq, e.Shard, quietText(e.Err))
}

// Unwrap returns the handler's error.
func (e *HandlerError) Unwrap() error { return ddberr.Redact(e.Err) }

// partialError is the error of a batch of which the first n changes were handled.
type partialError struct {
	n   int
	err error
}

func (e *partialError) Error() string { return fmt.Sprintf("after %d changes: %v", e.n, e.err) }
func (e *partialError) Unwrap() error { return e.err }

// Handled returns the error for a batch handler that handled the first n changes and failed at the next one:
// those n are not delivered again. If err is nil, it returns nil, and all are handled.
func Handled(n int, err error) error {
	if err == nil {
		return nil
	}
	return &partialError{n: n, err: err}
}

// Each handles changes one by one.
func Each[T any](f func(context.Context, Change[T]) error) Handler[T] {
	if f == nil {
		return Handler[T]{}
	}
	return Handler[T]{single: true, handle: func(ctx context.Context, d *Delivery[T]) error { return f(ctx, d.Changes[0]) }}
}

// Batches handles changes in batches, as they are read: up to [PageLimit], of one shard. An error
// means that none was handled, unless it is made by [Handled]. The handler may keep the slice.
func Batches[T any](f func(context.Context, []Change[T]) error) Handler[T] {
	if f == nil {
		return Handler[T]{}
	}
	return Handler[T]{handle: func(ctx context.Context, d *Delivery[T]) error { return f(ctx, d.Changes) }}
}

// Manual passes batches whose changes count as handled when [Delivery.Confirm] is called, possibly later and from other
// goroutines. Meanwhile reading continues, up to [MaxPending].
func Manual[T any](f func(context.Context, *Delivery[T]) error) Handler[T] {
	if f == nil {
		return Handler[T]{}
	}
	return Handler[T]{manual: true, handle: f}
}

// Retry replaces the policy of retries.
func (h Handler[T]) Retry(p RetryPolicy) Handler[T] {
	h.retry = p
	return h
}

// Skip skips a change that cannot be handled or read after all retries, and reports it by an event [Skipped].
func (h Handler[T]) Skip() Handler[T] {
	return h.DeadLetter(func(context.Context, Failure[T]) error { return nil })
}

// DeadLetter passes a change that cannot be handled or read after all retries to f, and continues when
// f succeeds. Without it (or [Handler.Skip]) the consumer stops with a [*HandlerError]. When a whole batch
// fails, its changes are tried one by one, so that only the failing ones are given up.
func (h Handler[T]) DeadLetter(f func(context.Context, Failure[T]) error) Handler[T] {
	h.giveUp = f
	return h
}

// Delivery is a batch of changes of one shard.
type Delivery[T any] struct {
	Changes  []Change[T]
	Shard    string
	progress *progress
}

// Confirm marks the first n changes of the delivery, and all of earlier deliveries of
// the shard, as handled. It sends nothing; the checkpoint is written soon after ([CheckpointInterval]). It fails with
// [ErrLeaseLost] if the shard belongs to another worker by now, which may get the same changes.
// It is safe for concurrent use. A confirmation cannot be undone.
func (d *Delivery[T]) Confirm(n int) error {
	if d == nil {
		return errors.New("change: Confirm of a nil delivery")
	}
	if n < 0 || n > len(d.Changes) {
		return fmt.Errorf("change: Confirm(%d) of a delivery with %d changes", n, len(d.Changes))
	}
	if n == 0 {
		return nil
	}
	if d.progress == nil {
		return errors.New("change: Confirm of a delivery that does not come from a consumer")
	}
	return d.progress.confirm(d.Changes[n-1].Seq)
}

func (h Handler[T]) check() error {
	p := h.retry
	switch {
	case h.handle == nil:
		return errors.New("the handler is empty; make it with Each, Batches or Manual")
	case p.MaxAttempts < 0 || p.BaseDelay < 0 || p.MaxDelay < 0:
		return errors.New("a field of RetryPolicy is negative; zero means the default")
	}
	return nil
}

func (p RetryPolicy) withDefaults() RetryPolicy {
	if p.MaxAttempts == 0 {
		p.MaxAttempts = 5
	}
	if p.BaseDelay == 0 {
		p.BaseDelay = lease.FirstBackoff
	}
	if p.MaxDelay == 0 {
		p.MaxDelay = max(lease.LastBackoff, p.BaseDelay)
	}
	return p
}

func (p RetryPolicy) waits() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(p.BaseDelay), backoff.WithMaxInterval(p.MaxDelay),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.5), backoff.WithMaxElapsedTime(0))
}
