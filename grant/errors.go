// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
)

var (
	// ErrNotFound means that there is no grant with the key. It is [ddb.ErrNotFound].
	ErrNotFound = ddb.ErrNotFound
	// ErrConflict means that the stored grant does not meet the condition of Save; see [ConflictError].
	ErrConflict = errors.New("grant conflict")
	// ErrUnreadable means that a stored row is damaged, or was written by a later version of
	// the library. Check denies access; [Store.Erase] removes the row.
	ErrUnreadable = errors.New("unreadable row")
	// ErrContended means that other changes of the same grant came first, again
	// and again, and this one was not made. Call again.
	ErrContended = errors.New("too many concurrent changes")
)

// ConflictError is the error of a Save that failed because of the stored grant. It matches
// [ErrConflict].
type ConflictError struct {
	// Current is the grant that is stored; nil if there is none.
	Current *Grant
}

// Error gives the stored revision, never names.
func (e *ConflictError) Error() string {
	if e.Current == nil {
		return "no grant is stored"
	}
	return fmt.Sprintf("a grant of revision %d is stored", e.Current.Rev)
}

// Is makes the error match [ErrConflict].
func (e *ConflictError) Is(target error) bool { return target == ErrConflict }

// failed adds the call of the package to an error. Errors of ddb name
// operation and table themselves.
func failed(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("grant: %s: %w", op, err)
}

// refuse combines the errors of a call's arguments; nil if there are none.
func refuse(errs ...error) error {
	var all []error
	for _, err := range errs {
		if inv, ok := errors.AsType[*ddb.InvalidError](err); ok {
			all = append(all, inv.Problems...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	if all == nil {
		return nil
	}
	return &ddb.InvalidError{Problems: all}
}
