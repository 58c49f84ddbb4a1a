// SPDX-License-Identifier: Apache-2.0

package ddberr

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/internal/transient"
	"github.com/dynamotable/ddb/internal/wire"
)

// IsRetryable reports whether the same call may succeed later: after throttling, server errors, timeouts, invalid replies to
// reads, and batches that DynamoDB processed only in part. It is false for failed conditions and invalid calls. A
// [BatchError] is retryable if every input that it lists is.
//
// It is also false if a write may already have been applied ([ErrOutcomeUnknown], [ErrReplyLost], a batch with an unknown
// item): the same call would apply it twice, or fail on its own item. Read what is stored, then decide.
func IsRetryable(err error) bool {
	if err == nil || errors.Is(err, ErrInvalid) || errors.Is(err, ErrConditionFailed) || errors.Is(err, ErrNotFound) ||
		errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrReplyLost) || errors.Is(err, context.Canceled) {
		return false
	}
	if te, ok := errors.AsType[*TransactionError](err); ok {
		return te.isTransient()
	}
	if be, ok := errors.AsType[*BatchError](err); ok {
		return be.isTransient()
	}
	if _, ok := errors.AsType[*transient.UnprocessedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*transient.ReplacedError](err); ok || errors.Is(err, ErrThrottled) {
		return true
	}
	if reply, ok := errors.AsType[*wire.ReplyError](err); ok && reply.Read {
		return reply.RetryableError()
	}
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return retryableCode(api.ErrorCode()) || api.ErrorFault() == smithy.FaultServer
	}
	var send *smithyhttp.RequestSendError
	return errors.As(err, &send) || errors.Is(err, context.DeadlineExceeded)
}

func retryableCode(code string) bool {
	switch code {
	case "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded", "LimitExceededException",
		"TransactionConflictException", "TransactionInProgressException", "ReplicatedWriteConflictException",
		"InternalServerError", "ServiceUnavailable":
		return true
	}
	return false
}
