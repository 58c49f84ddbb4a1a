// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// TransactionError is the error of a transaction that DynamoDB cancelled; nothing of it was applied. Failed lists the
// operations that failed. [TransactionError.At] returns one by its position in the arguments of [Transact], and [CurrentOf]
// the item that made it fail:
//
//	if te, ok := errors.AsType[*ddb.TransactionError](err); ok {
//		if f := te.At(1); f != nil && errors.Is(f.Err, ddb.ErrConditionFailed) {
type TransactionError struct {
	Failed []TransactionFailure
	cause  error
}

// TransactionFailure is one operation that made DynamoDB cancel its transaction.
type TransactionFailure struct {
	Index int    // the position in the arguments of Transact, not counting options
	Verb  string // such as Create
	Table string
	// Reason is DynamoDB's code, such as ConditionalCheckFailed, TransactionConflict or ThrottlingError.
	Reason string
	// Err is the typed cause: a [*ConditionFailed] of the table's item type, a
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

// CurrentOf returns the item that made the operation at an index of a transaction fail, as it was when DynamoDB checked the
// condition:
//
//	err := ddb.Transact(ctx, client, orders.TxCreate(&o), stock.TxUpdate(key, qty.Sub(1), ddb.If(qty.Ge(1))))
//	if left, ok := ddb.CurrentOf[Stock](err, 1); ok {
//
// ok is false if that operation did not fail, if there was no item, or if its type is not T.
func CurrentOf[T any](err error, index int) (item T, ok bool) {
	te, ok := errors.AsType[*TransactionError](err)
	if !ok || te.At(index) == nil {
		return item, false
	}
	failed, ok := errors.AsType[*ConditionFailed[T]](te.At(index).Err)
	if !ok {
		return item, false
	}
	return failed.Current()
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

// cancelled converts the service's cancellation to a TransactionError.
func cancelled(actions []txAction, err error) error {
	var tce *types.TransactionCanceledException
	if !errors.As(err, &tce) {
		return err
	}
	e := &TransactionError{cause: err}
	for i, r := range tce.CancellationReasons {
		code := quiet.Code(deref(r.Code))
		if code == "None" || code == "" || i >= len(actions) {
			continue
		}
		a := actions[i]
		e.Failed = append(e.Failed, TransactionFailure{Index: a.arg, Verb: a.verb, Table: a.core.name, Reason: code, Err: a.reason(r, err)})
	}
	return e
}

func (a txAction) reason(r types.CancellationReason, cause error) error {
	reason := errors.New(redact.Message(deref(r.Message)))
	switch deref(r.Code) {
	case "ConditionalCheckFailed":
		return a.failed(r.Item, cause)
	case "ThrottlingError", "ProvisionedThroughputExceeded":
		return &ThrottledError{err: reason}
	case "ValidationError":
		return adviseOn("ValidationException", deref(r.Message), reason)
	}
	return reason
}
