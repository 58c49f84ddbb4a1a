// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	ddbretry "github.com/dynamotable/ddb/internal/retry"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/internal/wire"
)

// outcome is what is known about a write that ended with an error.
type outcome uint8

// The outcomes, from the best known to the least known. The outcome of a call is the least known of all its attempts: a
// refusal says nothing about an earlier attempt whose reply was lost.
const (
	// notApplied: the write certainly did not happen; it was refused or never sent.
	notApplied outcome = iota
	// applied: the write certainly happened, although its reply was lost.
	applied
	// unknown: the write may have happened, or may still happen.
	unknown
)

func (o outcome) String() string {
	return [...]string{"not applied", "applied", "unknown"}[o]
}

// outcomeOf classifies the error of one attempt, or of a client that does not show attempts.
func outcomeOf(err error) outcome {
	var (
		reply  *wire.ReplyError
		api    smithy.APIError
		answer *smithyhttp.ResponseError
		ser    *smithy.SerializationError
		sign   *v4.SigningError
		op     *net.OpError
		dns    *net.DNSError
		cred   *unsent.CredentialsError
		before *unsent.Error
	)
	switch {
	case err == nil:
		return applied
	case errors.As(err, &cred), errors.As(err, &before):
		return notApplied
	case errors.As(err, &reply):
		if reply.Applied() {
			return applied
		}
		return unknown
	case errors.As(err, &api):
		if api.ErrorCode() == "TransactionInProgressException" {
			return unknown
		}
		if errors.As(err, &answer) {
			if rejectedByService(api.ErrorCode(), answer) {
				return notApplied
			}
			return unknown
		}
		if api.ErrorFault() == smithy.FaultServer {
			return unknown
		}
		return notApplied
	case errors.As(err, &ser), errors.As(err, &sign), errors.Is(err, wire.ErrOptionsDropped),
		errors.Is(err, cost.ErrBudgetExceeded), errors.Is(err, ddberr.ErrExplained),
		errors.As(err, &dns), errors.As(err, &op) && op.Op == "dial":
		return notApplied
	}
	return unknown
}

// rejectedByService reports whether DynamoDB itself refused a request. A proxy may answer with a 4xx of its own after it has
// forwarded the request, so the reply must have the service's headers and one of its error codes.
func rejectedByService(code string, answer *smithyhttp.ResponseError) bool {
	s := answer.HTTPStatusCode()
	if s < http.StatusBadRequest || s >= http.StatusInternalServerError || s == http.StatusRequestTimeout || answer.Response == nil {
		return false
	}
	h := answer.Response.Header
	marked := h.Get("X-Amz-Crc32") != "" || strings.HasPrefix(h.Get("Content-Type"), "application/x-amz-json")
	return marked && refusalCodes[code]
}

// refusalCodes are the errors by which DynamoDB says that it did not apply a request.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
var refusalCodes = map[string]bool{
	"AccessDeniedException": true, "BackupInUseException": true, "ConditionalCheckFailedException": true,
	"DuplicateItemException": true, "ExpiredTokenException": true, "ExportConflictException": true,
	"IdempotentParameterMismatchException": true, "IncompleteSignature": true, "IncompleteSignatureException": true,
	"InvalidClientTokenId": true, "InvalidEndpointException": true, "InvalidSignatureException": true,
	"ItemCollectionSizeLimitExceededException": true, "LimitExceededException": true, "MissingAuthenticationToken": true,
	"MissingAuthenticationTokenException": true, "NotAuthorized": true, "OptInRequired": true,
	"ProvisionedThroughputExceededException": true, "ReplicatedWriteConflictException": true, "RequestExpired": true,
	"RequestLimitExceeded": true, "ResourceInUseException": true, "ResourceNotFoundException": true,
	"SerializationException": true, "SignatureDoesNotMatch": true, "Throttling": true, "ThrottlingException": true,
	"TransactionCanceledException": true, "TransactionConflictException": true, "UnknownOperationException": true,
	"UnrecognizedClientException": true, "ValidationError": true, "ValidationException": true,
}

// attempts sees every attempt of one call, by replacing the client's retryer, and refuses to repeat what must not happen twice.
type attempts struct {
	aws.RetryerV2
	repeat bool // an attempt with unknown outcome may be repeated
	always bool // also an attempt that was applied, because its reply is needed
	n      int
	worst  outcome

	// Here, because a call allocates no more than it must.
	credentials unsent.Credentials
	fns         [1]func(*dynamodb.Options)
}

// IsErrorRetryable is called for every failed attempt.
func (a *attempts) IsErrorRetryable(err error) bool {
	a.n++
	o := outcomeOf(err)
	a.worst = max(a.worst, o)
	if o == applied && !a.always || o == unknown && !a.repeat {
		return false
	}
	// The SDK's retryer knows neither invalid replies nor conflicts of single writes.
	var (
		reply *wire.ReplyError
		api   smithy.APIError
	)
	if errors.As(err, &reply) {
		return true
	}
	if errors.As(err, &api) {
		if _, conflict := ddbretry.ConflictCodes[api.ErrorCode()]; conflict {
			return true
		}
	}
	return a.RetryerV2.IsErrorRetryable(err)
}

// into adds the observer to the options of a call.
func (a *attempts) into(o wire.Options) wire.Options {
	o.Client = append(append(a.fns[:0], o.Client...), a.watch)
	return o
}

// watch puts the observer into the options of the SDK's client.
func (a *attempts) watch(so *dynamodb.Options) {
	a.RetryerV2 = asRetryerV2(so.Retryer)
	so.Retryer = a
	if unsent.NeedsExplaining(so.Credentials) { // the user's own client
		a.credentials.CredentialsProvider = so.Credentials
		so.Credentials = &a.credentials
	}
}

func asRetryerV2(r aws.Retryer) aws.RetryerV2 {
	if v2, ok := r.(aws.RetryerV2); ok {
		return v2
	}
	return retryerV2{r}
}

// retryerV2 adds the newer method to an old retryer.
type retryerV2 struct{ aws.Retryer }

func (r retryerV2) GetAttemptToken(context.Context) (func(error) error, error) {
	return r.GetInitialToken(), nil
}

// isDenied reports whether the credentials lack a permission.
func isDenied(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "AccessDeniedException"
}
