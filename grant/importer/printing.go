// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"fmt"
	"log/slog"
)

// Format prints the counts without keys, for every verb.
func (r Report) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, r.text()) }

// LogValue returns the text that Format prints.
func (r Report) LogValue() slog.Value { return slog.StringValue(r.text()) }

func (r Report) text() string {
	return fmt.Sprintf("%d grants read, %d saved, %d revoked, %d the same, %d different", r.Read, r.Saved, r.Revoked, r.Same, len(r.Different))
}
