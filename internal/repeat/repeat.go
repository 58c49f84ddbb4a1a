// SPDX-License-Identifier: Apache-2.0

// Package repeat sends writes again whose replies were lost. The root gives its errors the names that users know; the layers repeat their writes by these functions.
package repeat

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrOutcomeUnknown is the root's error of this name.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrReplyLost is the root's error of this name.
	ErrReplyLost = errors.New("the write was applied, but its reply was lost")
)

// Attempts is how often a write whose reply was lost is sent in all.
const Attempts = 5

// InDoubt reports whether an error leaves open what is stored: the write may have been applied, or may be yet, or was applied with a result that is not known.
func InDoubt(err error) bool {
	return errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrReplyLost)
}

// Write calls a write that may be sent again without harm, until its outcome is known, the attempts are used up or the context has ended.
func Write(ctx context.Context, write func() error) error {
	for try := 1; ; try++ {
		if err := write(); !InDoubt(err) || try == Attempts || ctx.Err() != nil {
			return err
		}
	}
}

// WriteInDoubt is [Write] for writes that are refused when something else is stored. The write gets the error of the attempt before, nil for the first. A refusal after an attempt in doubt
// matches the error of that attempt too: it may have been applied, and something else have come since. An error that matches one of final is the last, in doubt or not.
func WriteInDoubt(ctx context.Context, write func(doubt error) error, final ...error) error {
	var doubt error
	for try := 1; ; try++ {
		err := write(doubt)
		last := try == Attempts || ctx.Err() != nil || slices.ContainsFunc(final, func(f error) bool { return errors.Is(err, f) })
		if !InDoubt(err) || last {
			if doubt != nil && err != nil && !InDoubt(err) {
				err = fmt.Errorf("%w; before that: %w", err, doubt)
			}
			return err
		}
		doubt = err
	}
}
