// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"encoding/json"
	"fmt"
	"log/slog"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v Aggregate[S]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "aggregate at version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v Aggregate[S]) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("aggregate at version %d", v.Version))
}

// Format prints the type's name without data, for every verb.
func (v Appended) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "versions %d to %d appended", v.First, v.Last)
}

// LogValue returns the text that Format prints.
func (v Appended) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("versions %d to %d appended", v.First, v.Last))
}

// Format prints the type's name without data, for every verb.
func (v Commit) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "commit %d of shard %d", v.Number, v.Shard)
}

// LogValue returns the text that Format prints.
func (v Commit) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("commit %d of shard %d", v.Number, v.Shard))
}

// Format prints the type's name without data, for every verb.
func (v Edition) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "edition of a stream") }

// LogValue returns the text that Format prints.
func (v Edition) LogValue() slog.Value { return slog.StringValue("edition of a stream") }

// Format prints the type's name without data, for every verb.
func (v Event) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "event at version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v Event) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("event at version %d", v.Version))
}

// Format prints the type's name without data, for every verb.
func (v Parked) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "parked commit %d of shard %d", v.Number, v.Shard)
}

// LogValue returns the text that Format prints.
func (v Parked) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("parked commit %d of shard %d", v.Number, v.Shard))
}

// Format prints the type's name without data, for every verb.
func (v NewEvent) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "new event") }

// LogValue returns the text that Format prints.
func (v NewEvent) LogValue() slog.Value { return slog.StringValue("new event") }

// Format prints the type's name without data, for every verb.
func (v Head) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "head of a stream at version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v Head) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("head of a stream at version %d", v.Version))
}

// Format prints the type's name without data, for every verb.
func (v View[V]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "view at version %d", v.Version)
}

// LogValue returns the text that Format prints.
func (v View[V]) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("view at version %d", v.Version))
}

// Format prints the text, for every verb.
func (e *AmbiguousError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *AmbiguousError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *GapError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *GapError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *WrongExpectedVersion) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *WrongExpectedVersion) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *CommitIDReused) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *CommitIDReused) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *DuplicateEventID) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *DuplicateEventID) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints only the type's name, for every verb.
func (v *Store) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.Store") }

// Format prints only the type's name, for every verb.
func (v Feed) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.Feed") }

// Format prints only the type's name, for every verb.
func (v *Repository[S, E]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.Repository") }

// Format prints only the type's name, for every verb.
func (v *Types[E]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.Types") }

// Format prints only the type's name, for every verb.
func (v Views[V]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.Views") }

// Format prints the type's name without names of streams, for every verb.
func (f TimeFeed) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.TimeFeed") }

// Format prints the type's name without names of streams, for every verb.
func (f FeedFilter) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "eventstore.FeedFilter") }
