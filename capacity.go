// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"log/slog"
	"slices"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/core"
)

// DefaultLedger returns the ledger of all tables without the [WithLedger] option.
func DefaultLedger() *cost.Ledger { return core.DefaultLedger }

// WithLabel labels the operations made with the context in the ledger, for example with the name of a job or route. The
// innermost label is used. Do not use identifiers of users or requests: a ledger keeps 256 labels of at most 128 bytes and
// counts all others as "other".
func WithLabel(ctx context.Context, label string) context.Context {
	s := core.CallOptionsOf(ctx)
	s.Label = label
	return s.Into(ctx)
}

// WithBudget charges the calls made with the context to the budget, and to those that the context already has. The same
// budget may be in many contexts, and counts once in each. A nil budget has no effect.
func WithBudget(ctx context.Context, b *cost.Budget) context.Context {
	s := core.CallOptionsOf(ctx)
	if b == nil || slices.Contains(s.Budgets, b) {
		return ctx
	}
	s.Budgets = append(append([]*cost.Budget(nil), s.Budgets...), b)
	return s.Into(ctx)
}

// WithoutLimits returns the context without its budgets and gates, which then do not limit calls made with it. Use it for
// bookkeeping that must not fail because the budget of the work is spent, such as saving how far the work got.
func WithoutLimits(ctx context.Context) context.Context {
	s := core.CallOptionsOf(ctx)
	if s.Budgets == nil && s.Gates == nil {
		return ctx
	}
	s.Budgets, s.Gates = nil, nil
	return s.Into(ctx)
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
