// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
)

// The exit statuses of ddb.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartly  = 3   // a part failed, and was reported
	exitBudget  = 4   // the budget is spent; the rest can be resumed
	exitStopped = 130 // by a signal, the status that shells use for SIGINT; the rest can be resumed
)

var (
	errUsage  = errors.New("wrong usage")
	errShown  = errors.New("shown already") // there is nothing to add
	errPartly = errors.New("done in part")
)

// usageError is an error in the command line.
func usageError(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUsage, fmt.Sprintf(format, args...))
}

// exitStatus returns the status for the error of a command.
func exitStatus(err error) int {
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errUsage):
		return exitUsage
	case errors.Is(err, context.Canceled):
		return exitStopped
	case errors.Is(err, cost.ErrBudgetExceeded):
		return exitBudget
	case errors.Is(err, errPartly):
		return exitPartly
	case errors.Is(err, ddb.ErrInvalid):
		return exitUsage
	}
	return exitFailed
}

// message returns the text that is printed for an error.
func message(err error) string {
	if !errors.Is(err, context.Canceled) {
		return err.Error()
	}
	if stop, ok := errors.AsType[*interrupted](err); ok {
		return "stopped; " + stop.advice()
	}
	if errors.Is(err, errUnsure) {
		return "stopped; " + errUnsure.Error()
	}
	return "stopped"
}
