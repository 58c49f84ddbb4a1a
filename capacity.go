// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/dynamotable/ddb/cost"
)

var defaultLedger = cost.NewLedger()

// DefaultLedger returns the ledger of all tables without the [WithLedger] option.
func DefaultLedger() *cost.Ledger { return defaultLedger }

// WithLabel labels the operations made with the context in the ledger, for example with the name of a job or route. The
// innermost label is used. Do not use identifiers of users or requests: a ledger keeps 256 labels of at most 128 bytes and
// counts all others as "other".
func WithLabel(ctx context.Context, label string) context.Context {
	s := callOptionsOf(ctx)
	s.label = label
	return s.into(ctx)
}

// WithBudget charges the calls made with the context to the budget, and to those that the context already has. The same
// budget may be in many contexts, and counts once in each. A nil budget has no effect.
func WithBudget(ctx context.Context, b *cost.Budget) context.Context {
	s := callOptionsOf(ctx)
	if b == nil || slices.Contains(s.budgets, b) {
		return ctx
	}
	s.budgets = append(append([]*cost.Budget(nil), s.budgets...), b)
	return s.into(ctx)
}

// WithoutLimits returns the context without its budgets and gates, which then do not limit calls made with it. Use it for
// bookkeeping that must not fail because the budget of the work is spent, such as saving how far the work got.
func WithoutLimits(ctx context.Context) context.Context {
	s := callOptionsOf(ctx)
	if s.budgets == nil && s.gates == nil {
		return ctx
	}
	s.budgets, s.gates = nil, nil
	return s.into(ctx)
}

// itemsLeft returns how many items a page may evaluate with what the budgets have left; 0 is no bound. If nothing is left it
// returns 1, and admit refuses the page.
func itemsLeft(ctx context.Context, size int) int {
	for _, b := range callOptionsOf(ctx).budgets {
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

// LogCapacity logs the default ledger: one line with the totals, then one for each table. Call it at the end of a program:
//
//	defer ddb.LogCapacity(slog.Default())
//
// To log another ledger, log its snapshot: logger.Info("capacity", "consumed", ledger.Snapshot()).
func LogCapacity(logger *slog.Logger) {
	if logger == nil {
		logger = slog.Default()
	}
	c := DefaultLedger().Snapshot()
	logger.LogAttrs(context.Background(), slog.LevelInfo, "DynamoDB capacity consumed", totals(c)...)
	for _, e := range c.ByTable().Entries {
		logger.LogAttrs(context.Background(), slog.LevelInfo, "DynamoDB capacity consumed by table",
			append([]slog.Attr{slog.String("table", e.Table)}, totals(cost.Capacity{Entries: []cost.Entry{e}})...)...)
	}
}

// totals are the sums of a capacity.
func totals(c cost.Capacity) []slog.Attr {
	return []slog.Attr{
		slog.Float64("read_units", c.Read()), slog.Float64("write_units", c.Write()),
		slog.Float64("total_units", c.Total()), slog.Int64("operations", c.Operations()),
	}
}
