// SPDX-License-Identifier: Apache-2.0

package snapshot

import (
	"fmt"
	"log/slog"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v Snapshot) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "snapshot of version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v Snapshot) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("snapshot of version %d", v.Version))
}

// Format prints only the type's name, for every verb.
func (v Store) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "snapshot.Store") }
