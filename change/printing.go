// SPDX-License-Identifier: Apache-2.0

package change

import (
	"encoding/json"
	"fmt"
	"log/slog"

	"github.com/dynamotable/ddb/ddberr"
)

// Types that hold data, or names that are keys, are printed and logged without them, for every verb; programs read the fields.
// encoding/json includes them, because that is how a program passes on its own data.

// Format prints the type's name without data, for every verb.
func (v Change[T]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "%s at %s", v.Kind, v.Seq)
}

// LogValue returns the text that Format prints.
func (v Change[T]) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("%s at %s", v.Kind, v.Seq))
}

// Format prints the type's name without data, for every verb.
func (v Delivery[T]) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "%d changes of shard %s", len(v.Changes), v.Shard)
}

// LogValue returns the text that Format prints.
func (v Delivery[T]) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("%d changes of shard %s", len(v.Changes), v.Shard))
}

// Format prints the type's name without data, for every verb.
func (v Failure[T]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, v.text()) }

// LogValue returns the text that Format prints.
func (v Failure[T]) LogValue() slog.Value { return slog.StringValue(v.text()) }

// Format prints the type's name without data, for every verb.
func (v Event) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, v.text()) }

// LogValue returns the text that Format prints.
func (v Event) LogValue() slog.Value { return slog.StringValue(v.text()) }

// Format prints the text, for every verb.
func (e *DataLossError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *DataLossError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *DecodeError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *DecodeError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *HandlerError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *HandlerError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// Format prints the text, for every verb.
func (e *OpError) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, e.Error()) }

// MarshalJSON returns the text as a JSON string.
func (e *OpError) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

func (v Failure[T]) text() string {
	return fmt.Sprintf("%s at %s given up after %d attempts: %s", v.Change.Kind, v.Change.Seq, v.Attempts, quietText(v.Err))
}

// MarshalJSON returns an object with what was given up and why, without data.
func (v Failure[T]) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Kind": v.Change.Kind, "Seq": v.Change.Seq, "Attempts": v.Attempts, "Err": quietText(v.Err)})
}

func (v Event) text() string {
	text := string(v.Kind)
	if v.Shard != "" {
		text += " " + v.Shard
	}
	if v.Err != nil {
		text += ": " + quietText(v.Err)
	}
	return text
}

// MarshalJSON returns an object with the fields; Err is a text.
func (v Event) MarshalJSON() ([]byte, error) {
	return json.Marshal(map[string]any{"Kind": v.Kind, "Shard": v.Shard, "Err": quietText(v.Err)})
}

// quietText returns an error's text without the service's texts about data.
func quietText(err error) string {
	if err == nil {
		return ""
	}
	return ddberr.Redact(err).Error()
}

// Format prints only the type's name, for every verb.
func (v *Consumer[T]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "change.Consumer") }

// Format prints only the type's name, for every verb.
func (v Handler[T]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "change.Handler") }

// Format prints only the type's name, for every verb.
func (v *MemoryStore) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "change.MemoryStore") }

// Format prints only the type's name, for every verb.
func (v Stream[T]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "change.Stream") }

// Format prints only the type's name, for every verb.
func (v TableStore) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "change.TableStore") }

// Format prints only the type's name, for every verb.
func (v View[T, V, K]) Format(s fmt.State, _ rune) { _, _ = fmt.Fprint(s, "change.View") }
