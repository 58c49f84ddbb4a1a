// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"log/slog"
)

// Format prints the operation, the tables and the fault without the body, for every verb.
func (r Request) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprint(s, r.text())
}

// LogValue returns the text that Format prints.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.text()) }

func (r Request) text() string {
	return fmt.Sprintf("%s of tables %v, fault %q", r.Operation, r.Tables, r.Fault)
}

// Format prints the type's name, for every verb.
func (p Plan) Format(s fmt.State, _ rune) { _, _ = fmt.Fprintf(s, "plan of %d faults", len(p.rules)) }
