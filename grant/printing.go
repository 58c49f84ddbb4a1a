// SPDX-License-Identifier: Apache-2.0

package grant

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v Act) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "act") }

// LogValue returns the text that Format prints.
func (v Act) LogValue() slog.Value { return slog.StringValue("act") }

// Format prints the type's name without data, for every verb.
func (v Activity) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "activity") }

// LogValue returns the text that Format prints.
func (v Activity) LogValue() slog.Value { return slog.StringValue("activity") }

// Format prints the type's name without data, for every verb.
func (v Key) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "grant key") }

// LogValue returns the text that Format prints.
func (v Key) LogValue() slog.Value { return slog.StringValue("grant key") }

// Format prints the type's name without data, for every verb.
func (v Grant) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "grant of revision %d", v.Rev)
}

// LogValue returns the text that Format prints.
func (v Grant) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("grant of revision %d", v.Rev))
}

// Format prints the type's name without data, for every verb.
func (v Entry) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "%s, revision %d", v.Event, v.Grant.Rev)
}

// LogValue returns the text that Format prints.
func (v Entry) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("%s, revision %d", v.Event, v.Grant.Rev))
}

// Format prints the type's name without data, for every verb.
func (v Decision) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, v.text()) }

// LogValue returns the text that Format prints.
func (v Decision) LogValue() slog.Value { return slog.StringValue(v.text()) }

// Format prints the type's name without data, for every verb.
func (v Tenant) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, v.kind()) }

// LogValue returns the text that Format prints.
func (v Tenant) LogValue() slog.Value { return slog.StringValue(v.kind()) }

// Format prints the text, for every verb.
func (e *ConflictError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *ConflictError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

func (v Decision) text() string {
	if v.Allowed {
		return fmt.Sprintf("allowed: %s", v.Reason)
	}
	return fmt.Sprintf("denied: %s", v.Reason)
}

func (v Tenant) kind() string {
	switch v.text {
	case "":
		return "zero tenant"
	case noTenant:
		return "no tenant"
	}
	return "tenant"
}

// Format prints only the type's name, for every verb.
func (v Store) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "grant.Store") }
