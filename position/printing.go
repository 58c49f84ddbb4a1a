// SPDX-License-Identifier: Apache-2.0

package position

import (
	"fmt"
	"log/slog"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v HandlerKey) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "handler key") }

// LogValue returns the text that Format prints.
func (v HandlerKey) LogValue() slog.Value { return slog.StringValue("handler key") }

// Format prints the type's name without data, for every verb.
func (v Position) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "position at number %d, epoch %d", v.Number, v.Epoch)
}

// LogValue returns the text that Format prints.
func (v Position) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("position at number %d, epoch %d", v.Number, v.Epoch))
}

// Format prints the type's name without data, for every verb.
func (v Reset) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "reset from %d to %d", v.From, v.To)
}

// LogValue returns the text that Format prints.
func (v Reset) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("reset from %d to %d", v.From, v.To))
}

// Format prints the type's name without data, for every verb.
func (v Claim) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "claim of a position") }

// LogValue returns the text that Format prints.
func (v Claim) LogValue() slog.Value { return slog.StringValue("claim of a position") }

// Format prints only the type's name, for every verb.
func (v Store) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "position.Store") }

// Format prints only the type's name, for every verb.
func (v *Owned) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "position.Owned") }
