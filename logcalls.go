// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/redact"
)

// LogCalls returns a [Hook] that logs every request: failed and throttled ones at level Warn, those that took at least slow
// at Info (none if slow is 0), all others at Debug. A failed condition is an answer, not a failure. A nil logger means
// slog.Default.
//
//	remove := ddb.AddHook(ddb.LogCalls(logger, 100*time.Millisecond))
//
// No keys and no item data are logged. A level that the logger has not enabled costs nothing.
func LogCalls(logger *slog.Logger, slow time.Duration) Hook {
	return &callLogger{logger, slow}
}

type callLogger struct {
	logger *slog.Logger
	slow   time.Duration
}

func (l *callLogger) Begin(ctx context.Context, _ *Call) context.Context { return ctx }

func (l *callLogger) End(ctx context.Context, call *Call) {
	if call == nil {
		return
	}
	level := slog.LevelDebug
	switch {
	case call.Failed(), len(call.Throttled) > 0:
		level = slog.LevelWarn
	case l.slow > 0 && call.Duration >= l.slow:
		level = slog.LevelInfo
	}
	logger := l.logger
	if logger == nil {
		logger = slog.Default()
	}
	if logger.Enabled(ctx, level) {
		logger.LogAttrs(ctx, level, "DynamoDB "+call.Operation, call.attrs()...)
	}
}

// answered reports whether an error is an expected answer.
func answered(err error) bool {
	if tce, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return !slices.ContainsFunc(tce.CancellationReasons, func(r types.CancellationReason) bool {
			return aws.ToString(r.Code) != "None" && aws.ToString(r.Code) != "ConditionalCheckFailed"
		})
	}
	var failed *types.ConditionalCheckFailedException
	return errors.As(err, &failed) || errors.Is(err, context.Canceled)
}

func (c *Call) attrs() []slog.Attr {
	attrs := []slog.Attr{slog.String("operation", c.Operation), slog.String("table", c.Table)}
	text := func(name, value string) {
		if value != "" {
			attrs = append(attrs, slog.String(name, value))
		}
	}
	count := func(name string, n int) {
		if n != 0 {
			attrs = append(attrs, slog.Int(name, n))
		}
	}
	text("index", c.Index)
	text("label", c.Label)
	if len(c.Tables) > 1 {
		attrs = append(attrs, slog.Any("tables", c.Tables))
	}
	attrs = append(attrs, slog.Duration("duration", c.Duration))
	count("attempts", c.Attempts)
	count("items", c.Items)
	count("returned", c.Returned)
	count("scanned", c.Scanned)
	attrs = append(attrs, slog.Float64("read_units", c.Consumed.ReadUnits), slog.Float64("write_units", c.Consumed.WriteUnits))
	if len(c.ItemCollections) > 0 {
		attrs = append(attrs, slog.Float64("item_collection_gb", c.largestCollection()))
	}
	if len(c.Throttled) > 0 {
		reasons := make([]string, len(c.Throttled))
		for i, r := range c.Throttled {
			reasons[i] = r.Reason
		}
		attrs = append(attrs, slog.Any("throttled", reasons))
	}
	if c.Err != nil {
		attrs = append(attrs, slog.String("error_type", c.ErrorType()), slog.String("error", redact.Text(c.Err)))
	}
	return attrs
}
