// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"

	"github.com/dynamotable/ddb/cost"
)

var DefaultLedger = cost.NewLedger()

// itemsLeft returns how many items a page may evaluate with what the budgets have left; 0 is no bound. If nothing is left it
// returns 1, and admit refuses the page.
func itemsLeft(ctx context.Context, size int) int {
	for _, b := range CallOptionsOf(ctx).Budgets {
		if left, limited := b.ItemsLeft(); limited && (size == 0 || left < int64(size)) {
			size = int(left)
		}
	}
	return size
}

// resumable adds to the error of an exceeded budget the cursor from which the query or scan can continue.
func resumable(err error, cursor func() string) {
	if e, ok := errors.AsType[*cost.BudgetExceeded](err); ok && e.Cursor == "" {
		e.Cursor = cursor()
	}
}
