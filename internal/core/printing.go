// SPDX-License-Identifier: Apache-2.0

package core

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"

	"github.com/dynamotable/ddb/internal/cursor"
	"github.com/dynamotable/ddb/internal/quiet"
)

// The texts of the types that packages which use a table print: the compiler makes their methods three times for each type of
// item, with what it inlines.

func cursorText(c cursor.Cursor) string {
	if c.Position() == nil {
		return "zero cursor"
	}
	return "cursor"
}

// PrintCursor formats a ddb.Cursor.
//
//go:noinline
func PrintCursor(s fmt.State, verb rune, c cursor.Cursor) { quiet.Format(s, verb, cursorText(c)) }

// LogCursor is the log value of a ddb.Cursor.
//
//go:noinline
func LogCursor(c cursor.Cursor) slog.Value { return slog.StringValue(cursorText(c)) }

func pageText(n int, next cursor.Cursor) string {
	if next.Position() == nil {
		return fmt.Sprintf("page of %d items, the last", n)
	}
	return fmt.Sprintf("page of %d items", n)
}

// PrintPage formats a ddb.Page of n items.
//
//go:noinline
func PrintPage(s fmt.State, verb rune, n int, next cursor.Cursor) {
	quiet.Format(s, verb, pageText(n, next))
}

// LogPage is the log value of a ddb.Page of n items.
//
//go:noinline
func LogPage(n int, next cursor.Cursor) slog.Value { return slog.StringValue(pageText(n, next)) }

func gotText(found bool) string {
	if found {
		return "an item"
	}
	return "no item"
}

// PrintGot formats a ddb.Got.
//
//go:noinline
func PrintGot(s fmt.State, verb rune, found bool) { quiet.Format(s, verb, gotText(found)) }

// LogGot is the log value of a ddb.Got.
//
//go:noinline
func LogGot(found bool) slog.Value { return slog.StringValue(gotText(found)) }

// PrintKey formats a ddb.Key as a hash.
//
//go:noinline
func PrintKey(s fmt.State, verb rune, partition, sort any) {
	quiet.Format(s, verb, HashText("key", partition, sort))
}

// LogKey is the log value of a ddb.Key.
//
//go:noinline
func LogKey(partition, sort any) slog.Value {
	return slog.StringValue(HashText("key", partition, sort))
}

// HashText distinguishes values without showing them.
func HashText(what string, values ...any) string {
	h := sha256.New()
	for _, v := range values {
		_, _ = fmt.Fprintf(h, "%#v\n", v)
	}
	return what + " #" + hex.EncodeToString(h.Sum(nil)[:8])
}
