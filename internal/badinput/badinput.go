// SPDX-License-Identifier: Apache-2.0

// Package badinput has the errors of input that is refused before anything is sent, which the root and the packages below it
// share.
package badinput

import "errors"

// Err is ddb.ErrInvalid.
var Err = errors.New("invalid call")

// DefinitionError is the error of a wrong definition, such as a key format, as opposed to a wrong value. It matches [Err].
type DefinitionError struct{ Cause error }

// Error returns the text of the cause.
func (e *DefinitionError) Error() string { return e.Cause.Error() }

// Unwrap returns the cause.
func (e *DefinitionError) Unwrap() error { return e.Cause }

// Is makes the error match [Err].
func (e *DefinitionError) Is(target error) bool { return target == Err }
