// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"fmt"
	"log/slog"
)

// What holds data or names that are keys prints and logs without them, for every verb; programs read the fields.
// encoding/json gives them, for that is how a program passes its own data on.

// Format prints the type's name and no data, for every verb.
func (v Snapshot) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "snapshot of version %d", v.Version)
}

// LogValue is the text that Format prints.
func (v Snapshot) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("snapshot of version %d", v.Version))
}

// Format prints the type's name, for every verb, and nothing of its client or settings.
func (v Store) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "snapshot.Store") }
