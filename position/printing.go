// SPDX-License-Identifier: Apache-2.0

package position

import (
	"fmt"
	"log/slog"
)

// What holds data or names that are keys prints and logs without them, for every verb; programs read the fields.
// encoding/json gives them, for that is how a program passes its own data on.

// Format prints the type's name and no data, for every verb.
func (v HandlerKey) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "handler key") }

// LogValue is the text that Format prints.
func (v HandlerKey) LogValue() slog.Value { return slog.StringValue("handler key") }

// Format prints the type's name and no data, for every verb.
func (v Position) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "position at number %d, epoch %d", v.Number, v.Epoch)
}

// LogValue is the text that Format prints.
func (v Position) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("position at number %d, epoch %d", v.Number, v.Epoch))
}

// Format prints the type's name and no data, for every verb.
func (v Reset) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "reset from %d to %d", v.From, v.To)
}

// LogValue is the text that Format prints.
func (v Reset) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("reset from %d to %d", v.From, v.To))
}

// Format prints the type's name and no data, for every verb.
func (v Claim) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "claim of a position") }

// LogValue is the text that Format prints.
func (v Claim) LogValue() slog.Value { return slog.StringValue("claim of a position") }

// Format prints the type's name, for every verb, and nothing of its client or settings.
func (v Store) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "position.Store") }

// Format prints the type's name, for every verb, and nothing of its claims.
func (v *Owned) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "position.Owned") }
