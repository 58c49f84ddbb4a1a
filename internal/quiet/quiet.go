// SPDX-License-Identifier: Apache-2.0

// Package quiet keeps what may quote data out of the texts, logs and JSON of errors, while errors.Is and errors.As
// still find it.
package quiet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// Error replaces an error whose text, fields or causes may quote data. It has its own text. It has no Unwrap, so that code
// that prints each error of a chain ends here; errors.Is and errors.As still find the cause.
type Error struct {
	text  func(cause error) string
	cause error
}

// New returns an error with the given text in place of cause.
func New(text string, cause error) error {
	return &Error{func(error) string { return text }, cause}
}

// Later returns an error whose text is derived from the cause whenever it is asked for: most errors are only matched, and never printed.
func Later(text func(cause error) string, cause error) error { return &Error{text, cause} }

// Error returns the text that replaces the cause.
func (e *Error) Error() string { return e.text(e.cause) }

// Is reports whether the cause matches.
func (e *Error) Is(target error) bool { return errors.Is(e.cause, target) }

// As finds the first error of the cause's tree that fits target.
func (e *Error) As(target any) bool { return errors.As(e.cause, target) }

// Format prints the text.
func (e *Error) Format(s fmt.State, verb rune) { Format(s, verb, e.Error()) }

// MarshalJSON returns the text.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// LogValue returns the text.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.Error()) }

// Format prints a text in place of a value for every verb; %q quotes it.
func Format(s fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = io.WriteString(s, text)
}
