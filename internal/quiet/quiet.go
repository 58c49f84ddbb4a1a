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

// Error stands for an error whose text, fields or causes may quote data. It shows a text of its own. It has no Unwrap,
// so that what walks a chain of errors and prints each of them ends here; errors.Is and errors.As look behind it.
type Error struct {
	text  string
	cause error
}

// New is an error with the text that stands for cause.
func New(text string, cause error) error { return &Error{text, cause} }

// Error is the text that stands for the cause.
func (e *Error) Error() string { return e.text }

// Is reports whether the cause matches.
func (e *Error) Is(target error) bool { return errors.Is(e.cause, target) }

// As finds the first error of the cause's tree that fits target.
func (e *Error) As(target any) bool { return errors.As(e.cause, target) }

// Format prints the text.
func (e *Error) Format(s fmt.State, verb rune) { Format(s, verb, e.text) }

// MarshalJSON is the text.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.text) }

// LogValue is the text.
func (e *Error) LogValue() slog.Value { return slog.StringValue(e.text) }

// Format prints a text in place of a value, for every verb; %q quotes it.
func Format(s fmt.State, verb rune, text string) {
	if verb == 'q' {
		text = strconv.Quote(text)
	}
	_, _ = io.WriteString(s, text)
}
