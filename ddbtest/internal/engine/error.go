// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Names of the service's exceptions.
const (
	ValidationException                      = value.ValidationException
	SerializationException                   = value.SerializationException
	ConditionalCheckFailedException          = "ConditionalCheckFailedException"
	AccessDeniedException                    = "AccessDeniedException"
	ResourceNotFoundException                = "ResourceNotFoundException"
	ResourceInUseException                   = "ResourceInUseException"
	GlobalTableNotFoundException             = "GlobalTableNotFoundException"
	PolicyNotFoundException                  = "PolicyNotFoundException"
	ContinuousBackupsUnavailableException    = "ContinuousBackupsUnavailableException"
	TableNotFoundException                   = "TableNotFoundException"
	LimitExceededException                   = "LimitExceededException"
	ItemCollectionSizeLimitExceededException = "ItemCollectionSizeLimitExceededException"
	ProvisionedThroughputExceededException   = "ProvisionedThroughputExceededException"
	RequestLimitExceeded                     = "RequestLimitExceeded"
	ThrottlingException                      = "ThrottlingException"
	TransactionCanceledException             = "TransactionCanceledException"
	TransactionConflictException             = "TransactionConflictException"
	TransactionInProgressException           = "TransactionInProgressException"
	IdempotentParameterMismatchException     = "IdempotentParameterMismatchException"
	DuplicateItemException                   = "DuplicateItemException"
	PointInTimeRecoveryUnavailableException  = "PointInTimeRecoveryUnavailableException"
	InvalidExportTimeException               = "InvalidExportTimeException"
	ExportConflictException                  = "ExportConflictException"
	ExportNotFoundException                  = "ExportNotFoundException"
	ImportConflictException                  = "ImportConflictException"
	ImportNotFoundException                  = "ImportNotFoundException"
	InternalServerError                      = "InternalServerError"
)

// Error is an error answer of the service.
type Error struct {
	// Type is the name of the exception, without its namespace.
	Type string
	// Message is the text for people; it may be empty.
	Message string
	// Item is the wire form of the item that failed a condition, if the request
	// asked for it.
	Item []byte
	// Reasons are the cancellation reasons of a TransactionCanceledException.
	Reasons []CancellationReason
	// Throttling says why a request was throttled.
	Throttling []ThrottlingReason

	// early marks an error that the service finds before it starts a transaction, so
	// that it is not a cancellation reason.
	early bool
	// bare marks an error that is reported without the envelope of others.
	bare bool
}

// CancellationReason is the part of one action in the failure of a transaction.
type CancellationReason struct {
	// Code is "None" for an action that did not fail.
	Code string
	// Message is empty if Code is "None".
	Message string
	// Item is the wire form of the item, if the action asked for it.
	Item []byte
}

// ThrottlingReason names a limit and the ARN of the resource it applies to.
type ThrottlingReason struct {
	Reason   string
	Resource string
}

// Error returns the type and the message.
func (e *Error) Error() string {
	if e.Message == "" {
		return e.Type
	}
	return e.Type + ": " + e.Message
}

// AsError returns err as the answer of the service. Errors of the value and
// expression packages keep their type and message; any other error becomes an
// InternalServerError.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if v, ok := errors.AsType[*value.Error](err); ok {
		return &Error{Type: v.Type, Message: v.Message}
	}
	return &Error{Type: InternalServerError, Message: err.Error()}
}

// invalid returns a ValidationException.
func invalid(format string, args ...any) error {
	if len(args) > 0 {
		format = fmt.Sprintf(format, args...)
	}
	return &Error{Type: ValidationException, Message: format}
}

// invalidEarly returns a ValidationException that is not a cancellation reason.
func invalidEarly(format string, args ...any) error {
	return &Error{Type: ValidationException, Message: fmt.Sprintf(format, args...), early: true}
}

// invalidParameter returns a ValidationException of the family that most
// checks of keys and tables belong to.
func invalidParameter(format string, args ...any) error {
	return invalid("One or more parameter values were invalid: "+format, args...)
}

// tableMissing is the answer of the item operations.
func tableMissing() error {
	return &Error{Type: ResourceNotFoundException, Message: "Requested resource not found"}
}

// tableNotFound is the answer of the table operations.
func tableNotFound(name string) error {
	return &Error{Type: ResourceNotFoundException, Message: "Requested resource not found: Table: " + name + " not found"}
}

func conditionFailed(image []byte) error {
	return &Error{Type: ConditionalCheckFailedException, Message: "The conditional request failed", Item: image}
}

func transactionConflict() error {
	return &Error{Type: TransactionConflictException, Message: "Transaction is ongoing for the item"}
}
