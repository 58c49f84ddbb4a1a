// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
	"github.com/cenkalti/backoff/v4"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Client is what this package needs of a streams client: methods of the SDK's
// *dynamodbstreams.Client, which fits, as does anything else with the same methods. It must be
// safe for concurrent use.
type Client interface {
	ListStreams(context.Context, *dynamodbstreams.ListStreamsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error)
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// ErrStreamNotFound means that there is no such stream, or the table has none.
var ErrStreamNotFound = errors.New("stream not found")

// OpError is the error of a call on a stream. It says where, the wrapped error says why.
type OpError struct {
	Op     string // the operation, such as GetRecords
	Stream string // ARN, or the table's name while the stream is looked for
	Shard  string // empty for the stream itself
	Err    error
}

// Error names operation, stream, shard and cause, never data.
func (e *OpError) Error() string {
	where := e.Stream
	if e.Shard != "" {
		where += ", " + e.Shard
	}
	return fmt.Sprintf("change: %s %s: %s", e.Op, where, quietText(e.Err))
}

// Unwrap returns the cause, as [ddb.RedactError] shows it.
func (e *OpError) Unwrap() error { return ddb.RedactError(e.Err) }

// isTransient reports whether a call may succeed later without a change: whatever the service does not
// blame on the caller.
func isTransient(err error) bool {
	if errors.Is(err, ErrStreamNotFound) || errors.Is(err, ErrDataLoss) || errors.Is(err, ddb.ErrTableNotFound) || errors.Is(err, ddb.ErrInvalid) {
		return false
	}
	if repeat.InDoubt(err) {
		return true // of writes of leases, which are repeated under the same condition
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return true // the network, or a reply that is none
	}
	switch api.ErrorCode() {
	case "LimitExceededException", "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
		"InternalServerError", "ServiceUnavailable", "ExpiredTokenException", "RequestExpired", "ExpiredIteratorException":
		return true
	}
	var status interface{ HTTPStatusCode() int }
	if errors.As(err, &status) {
		return status.HTTPStatusCode() >= 500 || status.HTTPStatusCode() == 429
	}
	return api.ErrorFault() != smithy.FaultClient
}

func isNotFound(err error) bool {
	_, ok := errors.AsType[*types.ResourceNotFoundException](err)
	return ok
}

const (
	firstBackoff = 100 * time.Millisecond
	lastBackoff  = 10 * time.Second
)

// newBackoff waits longer after every failure, and never gives up by itself.
func newBackoff() *backoff.ExponentialBackOff {
	return backoff.NewExponentialBackOff(backoff.WithInitialInterval(firstBackoff), backoff.WithMaxInterval(lastBackoff),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.5), backoff.WithMaxElapsedTime(0))
}

// persist calls f until it succeeds, fails for good or the context ends. failed, if not nil, hears of each failure that passes.
func persist(ctx context.Context, failed func(error), f func() error) error {
	waits := newBackoff()
	for {
		err := f()
		if err == nil || ctx.Err() == nil && !isTransient(err) {
			return err
		}
		if ctx.Err() != nil {
			return ended(ctx, err)
		}
		if failed != nil {
			failed(err)
		}
		if !pause(ctx, waits.NextBackOff()) {
			return ended(ctx, err)
		}
	}
}

// ended is the error of a context, with what went wrong before.
func ended(ctx context.Context, last error) error {
	if last == nil || errors.Is(last, context.Canceled) || errors.Is(last, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w (before that: %w)", context.Cause(ctx), last)
}

// pause waits, and reports whether it waited to the end.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
