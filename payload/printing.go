// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"fmt"
	"log/slog"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v Data) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, v.text()) }

// LogValue returns the text that Format prints.
func (v Data) LogValue() slog.Value { return slog.StringValue(v.text()) }

func (v Data) text() string {
	if v.Ref != "" {
		return "payload, stored outside"
	}
	return fmt.Sprintf("payload of %d bytes", len(v.Inline))
}

// Format prints only the type's name, for every verb.
func (v Payloads) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "payload.Payloads") }
