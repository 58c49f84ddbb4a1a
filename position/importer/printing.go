// SPDX-License-Identifier: Apache-2.0

package importer

import (
	"fmt"
	"log/slog"
)

// Format prints the type's name without data, for every verb.
func (p Position) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, p.text()) }

// LogValue returns the text that Format prints.
func (p Position) LogValue() slog.Value { return slog.StringValue(p.text()) }

func (p Position) text() string { return fmt.Sprintf("position at version %d", p.Version) }
