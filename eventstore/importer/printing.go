// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"fmt"
	"log/slog"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v Difference) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "difference at version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v Difference) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("difference at version %d", v.Version))
}

// Format prints the type's name without data, for every verb.
func (v ESSnapshot) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "snapshot of sequence %d", v.Sequence)
}

// LogValue returns the text that Format prints.
func (v ESSnapshot) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("snapshot of sequence %d", v.Sequence))
}

// Format prints the type's name without data, for every verb.
func (v ESView) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "view at version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v ESView) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("view at version %d", v.Version))
}

// Format prints the type's name without data, for every verb.
func (v Record) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "record of sequence %d", v.Sequence)
}

// LogValue returns the text that Format prints.
func (v Record) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("record of sequence %d", v.Sequence))
}

// Format prints the type's name without data, for every verb.
func (v Report) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "%d streams, %d events, %d written, %d differences", v.Streams, v.Events, v.Written, len(v.Differences))
}

// LogValue returns the text that Format prints.
func (v Report) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("%d streams, %d events, %d written, %d differences", v.Streams, v.Events, v.Written, len(v.Differences)))
}

// Format prints the type's name without data, for every verb.
func (v Stream) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "stream") }

// LogValue returns the text that Format prints.
func (v Stream) LogValue() slog.Value { return slog.StringValue("stream") }

// Format prints only the type's name, for every verb.
func (v SchemelessBridge) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprint(s, "importer.SchemelessBridge")
}
