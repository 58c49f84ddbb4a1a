// SPDX-License-Identifier: Apache-2.0

// Package ddberr has the errors that tables return, and what can be asked of them. Package ddb has the same variables, and
// the same names for the types that callers usually look for:
//
//	if throttled, ok := errors.AsType[*ddb.ThrottledError](err); ok {
//		for _, reason := range throttled.Reasons { // a ddberr.ThrottlingReason
//
// No error contains a key value or item data in its text, its JSON or what fmt prints of it; see [Redact].
package ddberr

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/dynamotable/ddb/internal/badinput"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
	"github.com/dynamotable/ddb/internal/repeat"
)

// Conditions that callers branch on; test them with errors.Is. Typed errors
// (ddb.ConditionFailed, [ThrottledError], [BatchError], [TransactionError], [InvalidError]) carry the details and match their sentinel.
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
	// ErrReplyLost means that a write was applied, but the reply with the item to return was lost. Read the item instead of
	// writing again.
	ErrReplyLost = repeat.ErrReplyLost
	// ErrTableNotFound means that the table or index does not exist, or is not yet ready.
	ErrTableNotFound = errors.New("table not found")
	// ErrOtherEntity means that an item under the key, or in the range that was read, is of another type than those of the table; see ddb.Discriminator.
	ErrOtherEntity = errors.New("item of another type")
	// ErrItemTooLarge means that an item exceeds 400 KB.
	ErrItemTooLarge = errors.New("item too large")
	// ErrExplained is the error of calls under ddb.Explain: they are not made.
	ErrExplained = errors.New("explained, not made")
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

// Unwrap returns the cause, redacted as by [Redact].
func (e *OpError) Unwrap() error { return Redact(e.Err) }

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

// Redact returns err in a form that is safe to log. Messages of the service and of the SDK may quote key values and
// item data: the operands of a range, document paths with map keys, parts of a reply. So the text, the JSON and the result
// of errors.Unwrap contain only the service's error code, its message if that is known to quote nothing, and the request ID.
// errors.Is and errors.As find the same errors as in err, including the SDK's own error types with all that they hold.
//
// Errors of this package are already redacted and are returned unchanged, as are nil and errors that contain none of the SDK's.
func Redact(err error) error { return redact.Error(err) }
