// SPDX-License-Identifier: Apache-2.0

package value

// The error types of the service that this package and the expression package
// return.
const (
	// ValidationException means that a request violates a rule of the service.
	ValidationException = "ValidationException"
	// SerializationException means that a request is not in the wire format.
	SerializationException = "SerializationException"
)

// Error is an error with the service's text.
type Error struct {
	// Type is the name of the exception, ValidationException or
	// SerializationException.
	Type string
	// Message is the message of the reply.
	Message string
	// Key is the name of the invalid top-level attribute if the error comes
	// from DecodeItem, or empty.
	Key string
}

// Nesting reports whether the error is about a value with too many levels.
func (e *Error) Nesting() bool { return e.Message == msgNesting }

// Structural reports whether the error is about a value without a type or
// with several types.
func (e *Error) Structural() bool { return e.Message == msgEmptyValue || e.Message == msgSeveralTypes }

// Error returns the type and the message.
func (e *Error) Error() string { return e.Type + ": " + e.Message }

// Invalid returns a ValidationException with the message.
func Invalid(message string) *Error {
	return &Error{Type: ValidationException, Message: message}
}
