// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
)

// ErrDamaged matches every [DamageError].
var ErrDamaged = errors.New("the export is damaged")

// ErrBadLine matches every [LineError].
var ErrBadLine = errors.New("a line of the export is not of its format")

// DamageError means that a file of an export does not agree with its manifest.
type DamageError struct {
	// File is the name of the file, without folders.
	File   string
	reason string
}

func (e *DamageError) Error() string { return fmt.Sprintf("dump: file %s: %s", e.File, e.reason) }

// Is makes the error match [ErrDamaged].
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }

type moreError int

func (n moreError) Error() string { return fmt.Sprintf("dump: and %d more", int(n)) }

// LineError means that a line could not be read, or that an item could not be written. It contains no data.
type LineError struct {
	// File is the name of the file, without folders, and Line counts from 1.
	File string
	Line int
	Err  error
}

func (e *LineError) Error() string {
	why := ""
	if e.Err != nil {
		why = ddberr.Redact(e.Err).Error()
	}
	return fmt.Sprintf("dump: file %s, line %d: %s", e.File, e.Line, why)
}

// Format prints the text of Error for every verb.
func (e *LineError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *LineError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Unwrap returns the cause, in the form of [ddberr.Redact].
func (e *LineError) Unwrap() error { return ddberr.Redact(e.Err) }

// Is makes the error match [ErrBadLine].
func (e *LineError) Is(target error) bool { return target == ErrBadLine }

// FailedError has the number of lines and items that an import did not write. [OnFailure] is called for each of them.
type FailedError struct{ N int64 }

func (e *FailedError) Error() string {
	return fmt.Sprintf("%d lines or items were not imported; OnFailure names each", e.N)
}
