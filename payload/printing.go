// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"fmt"
	"log/slog"
)

// What holds data or names that are keys prints and logs without them, for every verb; programs read the fields.
// encoding/json gives them, for that is how a program passes its own data on.

// Format prints the type's name and no data, for every verb.
func (v Data) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, v.text()) }

// LogValue is the text that Format prints.
func (v Data) LogValue() slog.Value { return slog.StringValue(v.text()) }

func (v Data) text() string {
	if v.Ref != "" {
		return "payload, stored outside"
	}
	return fmt.Sprintf("payload of %d bytes", len(v.Inline))
}

// Format prints the type's name, for every verb, and nothing of its object store.
func (v Payloads) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "payload.Payloads") }
