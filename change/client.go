// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/lease"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Client is the part of a streams client that this package needs. The SDK's
// *dynamodbstreams.Client implements it. It must be
// safe for concurrent use.
type Client interface {
	ListStreams(context.Context, *dynamodbstreams.ListStreamsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error)
	DescribeStream(context.Context, *dynamodbstreams.DescribeStreamInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error)
	GetShardIterator(context.Context, *dynamodbstreams.GetShardIteratorInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error)
	GetRecords(context.Context, *dynamodbstreams.GetRecordsInput, ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error)
}

// ErrStreamNotFound means that there is no such stream, or the table has none.
var ErrStreamNotFound = errors.New("stream not found")

// OpError is the error of a call on a stream. It gives the place; the wrapped error is the cause.
type OpError struct {
	Op     string // the operation, such as GetRecords
	Stream string // ARN, or the table's name if the stream is not known yet
	Shard  string // empty for the stream itself
	Err    error
}

// Error gives operation, stream, shard and cause, never data.
func (e *OpError) Error() string {
	where := e.Stream
	if e.Shard != "" {
		where += ", " + e.Shard
	}
	return fmt.Sprintf("change: %s %s: %s", e.Op, where, quietText(e.Err))
}

// Unwrap returns the cause, as [ddberr.Redact] shows it.
func (e *OpError) Unwrap() error { return ddberr.Redact(e.Err) }

// isTransient reports whether a call may succeed later without a change: its error is not one that the service
// attributes to the caller.
func isTransient(err error) bool {
	if errors.Is(err, ErrStreamNotFound) || errors.Is(err, ErrDataLoss) || errors.Is(err, ddb.ErrTableNotFound) || errors.Is(err, ddb.ErrInvalid) {
		return false
	}
	if repeat.InDoubt(err) {
		return true // from writes of leases, which are repeated under the same condition
	}
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return true // the network, or an invalid reply
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

// persist calls f until it succeeds, fails permanently or the context ends. failed, if not nil, is called for each transient failure.
func persist(ctx context.Context, failed func(error), f func() error) error {
	waits := lease.NewBackoff()
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
		if !lease.Pause(ctx, waits.NextBackOff()) {
			return ended(ctx, err)
		}
	}
}

// ended returns the error of a context, with the failure before it.
func ended(ctx context.Context, last error) error {
	if last == nil || errors.Is(last, context.Canceled) || errors.Is(last, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return fmt.Errorf("%w (before that: %w)", context.Cause(ctx), last)
}
