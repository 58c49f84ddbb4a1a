// SPDX-License-Identifier: Apache-2.0

package ddberr

import (
	"encoding/json"
	"fmt"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// OutcomeUnknownError is the error of a write if nothing proves whether it happened. It matches [ErrOutcomeUnknown]. It is
// the only error after which a write may have happened; after any other except [ErrReplyLost] it has not.
type OutcomeUnknownError struct {
	// Attempts is the number of requests that were sent; 0 if the client does not report it.
	Attempts int
	cause    error
}

// OutcomeUnknown returns the error of a write of which attempts requests were sent, with the last error as its cause.
func OutcomeUnknown(cause error, attempts int) *OutcomeUnknownError {
	return &OutcomeUnknownError{Attempts: attempts, cause: cause}
}

// Error returns the cause and what to do.
func (e *OutcomeUnknownError) Error() string {
	return fmt.Sprintf("outcome unknown after %d attempts, the write may have been applied: read the item before writing again: %s", e.Attempts, redact.Text(e.cause))
}

// Is makes the error match [ErrOutcomeUnknown].
func (e *OutcomeUnknownError) Is(target error) bool { return target == ErrOutcomeUnknown }

// Unwrap returns the last error.
func (e *OutcomeUnknownError) Unwrap() error { return Redact(e.cause) }

// Format prints the text, for every verb.
func (e *OutcomeUnknownError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON is the text.
func (e *OutcomeUnknownError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }
