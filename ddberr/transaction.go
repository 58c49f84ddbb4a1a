// SPDX-License-Identifier: Apache-2.0

package ddberr

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// TransactionError is the error of a transaction that DynamoDB cancelled; nothing of it was applied. Failed lists the
// operations that failed. [TransactionError.At] returns one by its position in the arguments of ddb.Transact, and ddb.CurrentOf
// the item that made it fail:
//
//	if te, ok := errors.AsType[*ddb.TransactionError](err); ok {
//		if f := te.At(1); f != nil && errors.Is(f.Err, ddb.ErrConditionFailed) {
type TransactionError struct {
	Failed []TransactionFailure
	cause  error
}

// Transaction returns the error of a transaction that the service cancelled, with the service's error as its cause.
func Transaction(cause error, failed ...TransactionFailure) *TransactionError {
	return &TransactionError{Failed: failed, cause: cause}
}

// TransactionFailure is one operation that made DynamoDB cancel its transaction.
type TransactionFailure struct {
	Index int    // the position in the arguments of Transact, not counting options
	Verb  string // such as Create
	Table string
	// Reason is DynamoDB's code, such as ConditionalCheckFailed, TransactionConflict or ThrottlingError.
	Reason string
	// Err is the typed cause: a ddb.ConditionFailed of the table's item type, a
	// [*ThrottledError], or DynamoDB's message.
	Err error
}

// Error lists the operations that failed.
func (e *TransactionError) Error() string {
	texts := make([]string, len(e.Failed))
	for i, f := range e.Failed {
		texts[i] = f.text()
	}
	if len(texts) == 0 {
		return "transaction cancelled without a reason: " + redact.Text(e.cause)
	}
	return "transaction cancelled: " + strings.Join(texts, "; ")
}

// At returns the failure of the operation at an index, or nil if it did not fail.
func (e *TransactionError) At(index int) *TransactionFailure {
	for i := range e.Failed {
		if e.Failed[i].Index == index {
			return &e.Failed[i]
		}
	}
	return nil
}

// Unwrap returns the causes of all failures and the service's error.
func (e *TransactionError) Unwrap() []error {
	errs := make([]error, 0, len(e.Failed)+1)
	for _, f := range e.Failed {
		errs = append(errs, f.Err)
	}
	return redact.All(append(errs, e.cause)...)
}

// Format prints the text of Error for every verb.
func (e *TransactionError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *TransactionError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

func (f TransactionFailure) text() string {
	return fmt.Sprintf("operation %d (%s %s) %s: %s", f.Index, f.Verb, f.Table, f.Reason, redact.Text(f.Err))
}

// Format prints what failed and why, for every verb.
func (f TransactionFailure) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.text()) }

// LogValue returns the text that Format prints.
func (f TransactionFailure) LogValue() slog.Value { return slog.StringValue(f.text()) }

// MarshalJSON returns an object with the fields, Err as text.
func (f TransactionFailure) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Index": f.Index, "Verb": f.Verb, "Table": f.Table, "Reason": f.Reason, "Err": redact.Text(f.Err)})
}

// isTransient reports whether all reasons may no longer apply at the next attempt.
func (e *TransactionError) isTransient() bool {
	for _, f := range e.Failed {
		switch f.Reason {
		case "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded":
		default:
			return false
		}
	}
	return len(e.Failed) > 0
}
