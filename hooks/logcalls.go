// SPDX-License-Identifier: Apache-2.0

package hooks

import (
	"context"
	"log/slog"
	"time"
)

// LogCalls returns a [Hook] that logs every request: failed and throttled ones at level Warn, those that took at least slow
// at Info (none if slow is 0), all others at Debug. A failed condition is an answer, not a failure. A nil logger means
// slog.Default.
//
//	remove := hooks.Add(hooks.LogCalls(logger, 100*time.Millisecond))
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
