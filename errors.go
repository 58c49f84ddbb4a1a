// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/dynamotable/ddb/internal/badinput"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
	"github.com/dynamotable/ddb/internal/repeat"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/internal/wire"
)

// Conditions that callers branch on; test them with errors.Is. Typed errors
// ([ConditionFailed], [ThrottledError], [BatchError], [TransactionError],
// [InvalidError]) carry the details and match their sentinel.
var (
	// ErrNotFound means that no item has the key.
	ErrNotFound = errors.New("item not found")
	// ErrConditionFailed means that the condition of a write was false; nothing was written.
	ErrConditionFailed = errors.New("condition failed")
	// ErrInvalid means that the call was refused before anything was sent.
	ErrInvalid = badinput.Err
	// ErrBadCursor means that a cursor is damaged, or belongs to another table, index or query. A page token may also have expired,
	// belong to another tenant, or be sealed with an unknown key.
	ErrBadCursor = errors.New("bad cursor")
	// ErrThrottled means that DynamoDB refused the call for lack of capacity, after all retries.
	ErrThrottled = errors.New("throttled")
	// ErrOutcomeUnknown means that the reply of a write was lost and nothing proves whether it was applied.
	ErrOutcomeUnknown = repeat.ErrOutcomeUnknown
	// ErrTableNotFound means that the table or index does not exist, or is not yet ready.
	ErrTableNotFound = errors.New("table not found")
	// ErrOtherEntity means that an item under the key, or in the range that was read, is of another type than those of the table; see [Discriminator].
	ErrOtherEntity = errors.New("item of another type")
	// ErrItemTooLarge means that an item exceeds 400 KB.
	ErrItemTooLarge = errors.New("item too large")
)

// OpError is the error of one operation. Every error that a table method returns is or wraps an OpError: it says where, and
// the error that it wraps says why.
type OpError struct {
	Op    string // the operation, such as GetItem
	Table string
	Index string // empty for the table itself
	Err   error
}

// Error returns operation, table and cause, never a key value or item data.
func (e *OpError) Error() string {
	where := e.Op
	if e.Table != "" {
		where += " " + e.Table
	}
	if e.Index != "" {
		where += "/" + e.Index
	}
	return fmt.Sprintf("ddb: %s: %s", where, redact.Text(e.Err))
}

// Unwrap returns the cause, redacted as by [RedactError].
func (e *OpError) Unwrap() error { return RedactError(e.Err) }

// Format prints the text of Error for every verb.
func (e *OpError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *OpError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// InvalidError is the error of a call that was refused before anything was sent. Problems lists everything that is wrong with it.
type InvalidError struct{ Problems []error }

// Error lists all problems.
func (e *InvalidError) Error() string {
	texts := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		texts[i] = redact.Text(p)
	}
	return "invalid call: " + strings.Join(texts, "; ")
}

// Is makes the error match [ErrInvalid].
func (e *InvalidError) Is(target error) bool { return target == ErrInvalid }

// Unwrap gives errors.Is and errors.As access to each problem.
func (e *InvalidError) Unwrap() []error { return redact.All(e.Problems...) }

// Format prints the text of Error for every verb.
func (e *InvalidError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *InvalidError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// RedactError returns err in a form that is safe to log. Messages of the service and of the SDK may quote key values and
// item data: the operands of a range, document paths with map keys, parts of a reply. So the text, the JSON and the result
// of errors.Unwrap contain only the service's error code, its message if that is known to quote nothing, and the request ID.
// errors.Is and errors.As find the same errors as in err, including the SDK's own error types with all that they hold.
//
// Errors of this package are already redacted and are returned unchanged, as are nil and errors that contain none of the SDK's.
func RedactError(err error) error { return redact.Error(err) }

// invalid collects non-nil errors into one InvalidError; nil if there are none.
func invalid(errs ...error) error {
	var all []error
	for _, err := range errs {
		all = append(all, flatten(err)...)
	}
	if len(all) == 0 {
		return nil
	}
	return &InvalidError{Problems: all}
}

func flatten(err error) []error {
	if err == nil {
		return nil
	}
	if inv, ok := err.(*InvalidError); ok { //nolint:errorlint // only a bare list is taken apart, not one wrapped in context
		return inv.Problems
	}
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range j.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// ConditionFailed is the error of a write that was not applied because its condition was false. It matches
// [ErrConditionFailed], and also [ErrNotFound] if there is no item although the verb requires one (Replace, Update).
type ConditionFailed[T any] struct { //nolint:errname // reads as what happened, at the many places where it is caught
	// Condition is the whole condition, with attribute names and a question mark for each value.
	Condition string
	missing   bool
	needed    bool
	stale     bool // its version is not the required one
	other     bool // it is of another type
	current   *T
	decodeErr error
	cause     error
}

// failedCondition is the content of a ConditionFailed; current is a *T, if there is an item.
type failedCondition struct {
	condition              string
	missing, needed, stale bool
	other                  bool
	current                any
	decodeErr, cause       error
}

func newConditionFailed[T any](f failedCondition) error {
	e := &ConditionFailed[T]{Condition: f.condition, missing: f.missing, needed: f.needed, stale: f.stale, other: f.other, decodeErr: f.decodeErr, cause: f.cause}
	e.current, _ = f.current.(*T)
	return e
}

// Error returns the condition and whether there is an item, never its data.
func (e *ConditionFailed[T]) Error() string {
	if e.other {
		return fmt.Sprintf("condition failed: %s (there is an item of another type with this key)", e.Condition)
	}
	return conditionText(e.Condition, e.missing, e.stale)
}

func conditionText(condition string, missing, stale bool) string {
	state := "the item exists"
	switch {
	case missing:
		state = "there is no item with this key"
	case stale:
		state = "the item was written since it was read, and has another version: read it again and repeat the change"
	}
	return fmt.Sprintf("condition failed: %s (%s)", condition, state)
}

// Current returns the item as it was when the condition was checked. ok is false if there was none, or if it cannot be read
// as a T (use errors.As for the cause).
func (e *ConditionFailed[T]) Current() (item T, ok bool) {
	if e.current == nil {
		return item, false
	}
	return *e.current, true
}

// Is makes the error match [ErrConditionFailed] and, if a required item is missing, [ErrNotFound].
func (e *ConditionFailed[T]) Is(target error) bool {
	return target == ErrConditionFailed || target == ErrNotFound && e.missing && e.needed
}

// Unwrap returns the service's error, and the decoding error if the current
// item could not be read. Neither shows the item.
func (e *ConditionFailed[T]) Unwrap() []error { return redact.All(e.cause, e.decodeErr) }

// Format prints the text of Error for every verb, and so never the item.
func (e *ConditionFailed[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *ConditionFailed[T]) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// ThrottledError is the error of a call that was refused for lack of capacity after all retries. It matches [ErrThrottled].
type ThrottledError struct {
	// Reasons are DynamoDB's, such as TableReadKeyRangeThroughputExceeded: a hot key, for which more capacity does not help.
	Reasons []ThrottlingReason
	// Attempts is how often the SDK client sent the request; 0 if its retryer does not report it.
	Attempts int
	err      error
}

// ThrottlingReason says which limit of which resource was exceeded; see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html
type ThrottlingReason struct {
	Reason   string
	Resource string // ARN of the table or index
}

// HotKey reports whether a single partition is over its limit.
func (r ThrottlingReason) HotKey() bool { return strings.Contains(r.Reason, "KeyRange") }

// advice returns what to do about a reason other than a hot key.
func (r ThrottlingReason) advice() string {
	switch {
	case strings.Contains(r.Reason, "ProvisionedThroughput"):
		return "the provisioned units are used up: raise them, or bill on demand"
	case strings.Contains(r.Reason, "MaxOnDemand"):
		return "the maximum that was set for on-demand requests is reached: raise MaxOnDemand"
	case strings.Contains(r.Reason, "AccountLimit"):
		return "the account's quota for a table in this Region is reached: ask AWS for a higher one"
	}
	return ""
}

// Error lists the reasons, the number of attempts, and how to allow more.
func (e *ThrottledError) Error() string {
	var b strings.Builder
	b.WriteString("throttled: ")
	if len(e.Reasons) == 0 {
		b.WriteString(redact.Text(e.err))
	}
	var advices []string
	for i, r := range e.Reasons {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(r.Reason)
		if r.HotKey() {
			b.WriteString(" (one partition is over its limit: spread the key, more capacity does not help)")
		} else if advice := r.advice(); advice != "" && !slices.Contains(advices, advice) {
			advices = append(advices, advice)
		}
	}
	for _, advice := range advices {
		b.WriteString("; " + advice)
	}
	if e.Attempts > 1 {
		fmt.Fprintf(&b, "; after %d attempts, which ddbclient.WithMaxAttempts, or the retryer of your own client, can raise", e.Attempts)
	} else if e.Attempts == 1 {
		b.WriteString("; after one attempt, to which ddbclient.WithMaxAttempts, or the retryer of your own client, can add more")
	}
	return b.String()
}

// Is makes the error match [ErrThrottled].
func (e *ThrottledError) Is(target error) bool { return target == ErrThrottled }

// Unwrap returns the service's error, redacted as by [RedactError].
func (e *ThrottledError) Unwrap() error { return RedactError(e.err) }

// Format prints the text of Error for every verb.
func (e *ThrottledError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *ThrottledError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

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
	if _, ok := errors.AsType[*unprocessedError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*replacedError](err); ok || errors.Is(err, ErrThrottled) {
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

// opError wraps an error of one call. Errors of the service become typed errors where callers may want to branch.
func opError(op, table, index string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*OpError](err); ok {
		return err
	}
	return &OpError{Op: op, Table: table, Index: index, Err: classify(err)}
}

// classify returns the error that callers see, without texts that may quote data.
func classify(err error) error { return RedactError(classified(err)) }

func classified(err error) error {
	if _, ok := errors.AsType[*OutcomeUnknownError](err); ok {
		return err // what matters most comes first in its text
	}
	if _, ok := errors.AsType[*unsent.CredentialsError](err); ok {
		return err // a refusal inside it is not the table's
	}
	reasons, throttled := throttlingOf(err)
	if throttled {
		attempts := 0
		if most, ok := errors.AsType[*retry.MaxAttemptsError](err); ok {
			attempts = most.Attempt
		}
		return &ThrottledError{Reasons: reasons, Attempts: attempts, err: err}
	}
	return advise(err)
}

func throttlingOf(err error) ([]ThrottlingReason, bool) {
	var (
		pte *types.ProvisionedThroughputExceededException
		te  *types.ThrottlingException
		rle *types.RequestLimitExceeded
		api smithy.APIError
		got []types.ThrottlingReason
	)
	switch {
	case errors.As(err, &pte):
		got = pte.ThrottlingReasons
	case errors.As(err, &te):
		got = te.ThrottlingReasons
	case errors.As(err, &rle):
		got = rle.ThrottlingReasons
	case errors.As(err, &api) && (api.ErrorCode() == "ThrottlingException" || api.ErrorCode() == "Throttling"):
	default:
		return nil, false
	}
	reasons := make([]ThrottlingReason, len(got))
	for i, r := range got {
		reasons[i] = ThrottlingReason{Reason: quiet.Name(deref(r.Reason)), Resource: quiet.Name(deref(r.Resource))}
	}
	return reasons, true
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
