// SPDX-License-Identifier: Apache-2.0

// Package transient has the errors of calls that were not done and may succeed when they are made again.
package transient

import "github.com/dynamotable/ddb/internal/redact"

// UnprocessedError is the error of an input that was not done, or may not have been, when its batch ended; it was not
// permanently refused.
type UnprocessedError struct {
	What string // is known of it
	Why  error  // the batch has ended
	Last error  // what refused the whole of the last request, if anything did
}

func (e *UnprocessedError) Error() string {
	text := e.What + ": " + redact.Text(e.Why)
	if e.Last != nil {
		text += "; the last request was refused: " + redact.Text(e.Last)
	}
	return text
}

func (e *UnprocessedError) Unwrap() []error {
	if e.Last == nil {
		return []error{e.Why}
	}
	return []error{e.Why, e.Last}
}

// ReplacedError is the error of a write that was not applied because the item was deleted and created again after the call
// had read it.
type ReplacedError struct{}

func (e *ReplacedError) Error() string {
	return "the item was deleted and created again, or another program dropped its revision, while it was being written; nothing was applied: call again"
}
