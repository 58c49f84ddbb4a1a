// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"encoding/json"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Conditions that callers branch on; test them with errors.Is. Typed errors ([ConditionFailed], [ThrottledError],
// [BatchError], [TransactionError], [InvalidError]) carry the details and match their sentinel.
var (
	// ErrNotFound means that no item has the key.
	ErrNotFound = ddberr.ErrNotFound
	// ErrConditionFailed means that the condition of a write was false; nothing was written.
	ErrConditionFailed = ddberr.ErrConditionFailed
	// ErrInvalid means that the call was refused before anything was sent.
	ErrInvalid = ddberr.ErrInvalid
	// ErrBadCursor means that a cursor is damaged, or belongs to another table, index or query. A page token may also have expired,
	// belong to another tenant, or be sealed with an unknown key.
	ErrBadCursor = ddberr.ErrBadCursor
	// ErrThrottled means that DynamoDB refused the call for lack of capacity, after all retries.
	ErrThrottled = ddberr.ErrThrottled
	// ErrOutcomeUnknown means that the reply of a write was lost and nothing proves whether it was applied.
	ErrOutcomeUnknown = ddberr.ErrOutcomeUnknown
	// ErrReplyLost means that a write was applied, but the reply with the item to return was lost. Read the item instead of
	// writing again.
	ErrReplyLost = ddberr.ErrReplyLost
	// ErrTableNotFound means that the table or index does not exist, or is not yet ready.
	ErrTableNotFound = ddberr.ErrTableNotFound
	// ErrOtherEntity means that an item under the key, or in the range that was read, is of another type than those of the table; see [Discriminator].
	ErrOtherEntity = ddberr.ErrOtherEntity
	// ErrItemTooLarge means that an item exceeds 400 KB.
	ErrItemTooLarge = ddberr.ErrItemTooLarge
)

// The types of errors that callers look for. Package ddberr has their fields and methods.
type (
	// OpError is the error of one operation. Every error that a table method returns is or wraps an OpError: it says where,
	// and the error that it wraps says why.
	OpError = ddberr.OpError
	// InvalidError is the error of a call that was refused before anything was sent. It lists everything that is wrong with it.
	InvalidError = ddberr.InvalidError
	// ThrottledError is the error of a call that was refused for lack of capacity after all retries.
	ThrottledError = ddberr.ThrottledError
	// OutcomeUnknownError is the error of a write if nothing proves whether it happened. It is the only error after which a
	// write may have happened; after any other except [ErrReplyLost] it has not.
	OutcomeUnknownError = ddberr.OutcomeUnknownError
	// TransactionError is the error of a transaction that DynamoDB cancelled; nothing of it was applied.
	TransactionError = ddberr.TransactionError
	// BatchError is the error of a batch that was done only in part. Everything that it does not list was done.
	BatchError = ddberr.BatchError
)

// IsRetryable reports whether the same call may succeed later; see [ddberr.IsRetryable]. It is false for failed conditions,
// for invalid calls, and if a write may already have been applied.
func IsRetryable(err error) bool { return ddberr.IsRetryable(err) }

// ConditionFailed is the error of a write that was not applied because its condition was false. It matches
// [ErrConditionFailed], and also [ErrNotFound] if there is no item although the verb requires one (Replace, Update).
type ConditionFailed[T any] struct { //nolint:errname // reads as what happened, at the many places where it is caught
	// Condition is the whole condition, with attribute names and a question mark for each value.
	Condition string
	failed    core.FailedCondition
}

func newConditionFailed[T any](condition string, failed core.FailedCondition) error {
	return &ConditionFailed[T]{condition, failed}
}

// Error returns the condition and whether there is an item, never its data.
func (e *ConditionFailed[T]) Error() string { return e.failed.Text(e.Condition) }

// Current returns the item as it was when the condition was checked. ok is false if there was none, or if it cannot be read
// as a T (use errors.As for the cause).
func (e *ConditionFailed[T]) Current() (item T, ok bool) {
	if current, ok := e.failed.Current.(*T); ok {
		return *current, true
	}
	return item, false
}

// Is makes the error match [ErrConditionFailed] and, if a required item is missing, [ErrNotFound].
func (e *ConditionFailed[T]) Is(target error) bool { return e.failed.Is(target) }

// Unwrap returns the service's error, and the decoding error if the current
// item could not be read. Neither shows the item.
func (e *ConditionFailed[T]) Unwrap() []error { return e.failed.Causes() }

// Format prints the text of Error for every verb, and so never the item.
func (e *ConditionFailed[T]) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *ConditionFailed[T]) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
