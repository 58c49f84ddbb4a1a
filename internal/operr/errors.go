// SPDX-License-Identifier: Apache-2.0

// Package operr makes the errors of operations: it wraps what went wrong, turns errors of the service into those of package
// ddberr, and adds what to do about them.
package operr

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/badinput"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/unsent"
)

// Invalid collects non-nil errors into one InvalidError; nil if there are none.
func Invalid(errs ...error) error {
	var all []error
	for _, err := range errs {
		all = append(all, Flatten(err)...)
	}
	if len(all) == 0 {
		return nil
	}
	return &ddberr.InvalidError{Problems: all}
}

// Flatten returns the errors that were joined in one, and the problems of an InvalidError.
func Flatten(err error) []error {
	if err == nil {
		return nil
	}
	if inv, ok := err.(*ddberr.InvalidError); ok { //nolint:errorlint // only a bare list is taken apart, not one wrapped in context
		return inv.Problems
	}
	j, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var all []error
	for _, e := range j.Unwrap() {
		all = append(all, Flatten(e)...)
	}
	return all
}

// New wraps an error of one call. Errors of the service become typed errors where callers may want to branch.
func New(op, table, index string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*ddberr.OpError](err); ok {
		return err
	}
	return &ddberr.OpError{Op: op, Table: table, Index: index, Err: Classify(err)}
}

// Classify returns the error that callers see, without texts that may quote data.
func Classify(err error) error { return ddberr.Redact(classified(err)) }

func classified(err error) error {
	if _, ok := errors.AsType[*ddberr.OutcomeUnknownError](err); ok {
		return err // what matters most comes first in its text
	}
	if _, ok := errors.AsType[*unsent.CredentialsError](err); ok {
		return err // a refusal inside it is not the table's
	}
	reasons, throttled := Throttling(err)
	if throttled {
		attempts := 0
		if most, ok := errors.AsType[*retry.MaxAttemptsError](err); ok {
			attempts = most.Attempt
		}
		return ddberr.Throttled(err, attempts, reasons...)
	}
	return advise(err)
}

// Throttling reports whether an error is that of a throttled request, with the service's reasons.
func Throttling(err error) ([]ddberr.ThrottlingReason, bool) {
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
	reasons := make([]ddberr.ThrottlingReason, len(got))
	for i, r := range got {
		reasons[i] = ddberr.ThrottlingReason{Reason: quiet.Name(aws.ToString(r.Reason)), Resource: quiet.Name(aws.ToString(r.Resource))}
	}
	return reasons, true
}

// Input returns the errors of input i of a call, each with its number.
func Input(what string, i int, err error) []error {
	var all []error
	for _, e := range Flatten(err) {
		all = append(all, fmt.Errorf("%s %d: %w", what, i, e))
	}
	return all
}

// Wrong returns the mistakes that package schema found.
func Wrong(err error) error {
	if wrong, ok := errors.AsType[*badinput.DefinitionError](err); ok {
		return wrong.Cause
	}
	return err
}
