// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
)

// ErrDamaged matches every [DamageError].
var ErrDamaged = errors.New("the export is damaged")

// ErrBadLine matches every [LineError].
var ErrBadLine = errors.New("a line of the export is not of its format")

// DamageError is a file of an export that is not what its manifest says.
type DamageError struct {
	// File is the name of the file, without folders.
	File   string
	reason string
}

func (e *DamageError) Error() string { return fmt.Sprintf("dump: file %s: %s", e.File, e.reason) }

// Is makes it match [ErrDamaged].
func (e *DamageError) Is(target error) bool { return target == ErrDamaged }

type moreError int

func (n moreError) Error() string { return fmt.Sprintf("dump: and %d more", int(n)) }

// LineError is a line that was not read, or an item that was not written. It holds no data.
type LineError struct {
	// File is the name of the file, without folders, and Line counts from 1.
	File string
	Line int
	Err  error
}

func (e *LineError) Error() string {
	why := ""
	if e.Err != nil {
		why = ddb.RedactError(e.Err).Error()
	}
	return fmt.Sprintf("dump: file %s, line %d: %s", e.File, e.Line, why)
}

// Format prints the text, whatever the verb.
func (e *LineError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON is the text.
func (e *LineError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Unwrap is the cause, as [ddb.RedactError] shows it.
func (e *LineError) Unwrap() error { return ddb.RedactError(e.Err) }

// Is makes it match [ErrBadLine].
func (e *LineError) Is(target error) bool { return target == ErrBadLine }

// FailedError says how many lines and items an import did not write; [OnFailure] names each.
type FailedError struct{ N int64 }

func (e *FailedError) Error() string {
	return fmt.Sprintf("%d lines or items were not imported; OnFailure names each", e.N)
}
