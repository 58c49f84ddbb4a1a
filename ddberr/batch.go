// SPDX-License-Identifier: Apache-2.0

package ddberr

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"slices"
	"strings"

	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/internal/redact"
)

// BatchError is the error of a batch that was done only in part. Everything that it does not list was done. Use errors.Is
// and errors.As for the causes.
type BatchError struct {
	// Total is the number of inputs of the call.
	Total int
	// Failed lists the inputs that were not done, or may not have been, in input order.
	Failed []BatchFailure
}

// BatchFailure is one input of a batch that was not done, or may not have been.
type BatchFailure struct {
	// Index is the position in the argument of the call.
	Index int
	// Delete is true for a delete of BatchWrite; Index is then a position in the deletes.
	Delete bool
	// Unknown is true if a write was sent and no reply says whether this input was done; Err then matches
	// [ErrOutcomeUnknown]. Putting or deleting again gives the same result, unless another writer changed the item in
	// between. Reads are never unknown.
	Unknown bool
	Err     error
}

const maxCausesInText = 3

// Error returns the number of failures and the first distinct causes.
func (e *BatchError) Error() string {
	texts := []string{fmt.Sprintf("%d of %d not done", len(e.Failed), e.Total)}
	for _, err := range e.Unwrap() {
		if cause := redact.Text(err); !slices.Contains(texts, cause) && len(texts) <= maxCausesInText {
			texts = append(texts, cause)
		}
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the causes, one for each run of inputs that failed together.
func (e *BatchError) Unwrap() []error {
	var causes []error
	for _, f := range e.Failed {
		if n := len(causes); n == 0 || !sameError(causes[n-1], f.Err) {
			causes = append(causes, f.Err)
		}
	}
	return redact.All(causes...)
}

// isTransient reports whether nothing that failed was done, and all of it may succeed later.
func (e *BatchError) isTransient() bool {
	for _, f := range e.Failed {
		if f.Unknown {
			return false
		}
	}
	causes := e.Unwrap()
	for _, err := range causes {
		if !IsRetryable(err) {
			return false
		}
	}
	return len(causes) > 0
}

// sameError reports whether a == b, for errors whose types may not be comparable.
func sameError(a, b error) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b //nolint:errorlint // the very same error, not one like it
}

// Puts returns the indexes of the puts, or of the keys of BatchGet, that failed.
func (e *BatchError) Puts() []int { return e.indexes(false) }

// Deletes returns the indexes of the deletes that failed.
func (e *BatchError) Deletes() []int { return e.indexes(true) }

func (e *BatchError) indexes(del bool) []int {
	var all []int
	for _, f := range e.Failed {
		if f.Delete == del {
			all = append(all, f.Index)
		}
	}
	return all
}

// Format prints the text, for every verb.
func (e *BatchError) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON is the text.
func (e *BatchError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

func (f BatchFailure) text() string {
	of, state := "input", "not done"
	if f.Delete {
		of = "delete"
	}
	if f.Unknown {
		state = "unknown whether done"
	}
	return fmt.Sprintf("%s %d %s: %s", of, f.Index, state, redact.Text(f.Err))
}

// Format prints what failed and why, for every verb.
func (f BatchFailure) Format(s fmt.State, verb rune) { quiet.Format(s, verb, f.text()) }

// LogValue is the text that Format prints.
func (f BatchFailure) LogValue() slog.Value { return slog.StringValue(f.text()) }

// MarshalJSON is an object with the fields, Err as text.
func (f BatchFailure) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Index": f.Index, "Delete": f.Delete, "Unknown": f.Unknown, "Err": redact.Text(f.Err)})
}

// Pick returns the elements of a list at the given indexes, for example the items to retry:
//
//	var failed *ddb.BatchError
//	if errors.As(err, &failed) {
//		again := ddberr.Pick(items, failed.Puts())
//	}
//
// It panics, as indexing does, if the list is shorter than the one the indexes are of.
func Pick[E any](list []E, indexes []int) []E {
	picked := make([]E, 0, len(indexes))
	for _, i := range indexes {
		picked = append(picked, list[i])
	}
	return picked
}
