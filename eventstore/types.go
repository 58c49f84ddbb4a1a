// SPDX-License-Identifier: Apache-2.0

package eventstore

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode"
)

// Format turns the Go value of an event into data and back. [JSON] and [Raw] are formats;
// any other, such as protobuf, is made with [FormatFuncs].
type Format interface {
	Marshal(v any) ([]byte, error)
	// Unmarshal sets the value that the pointer v points to.
	Unmarshal(data []byte, v any) error
}

// JSON is the format of encoding/json.
var JSON = FormatFuncs(json.Marshal, json.Unmarshal)

// Raw is the format of events that encode themselves: byte slices, and types
// with MarshalBinary and UnmarshalBinary.
var Raw = FormatFuncs(rawMarshal, rawUnmarshal)

// FormatFuncs makes a format from two functions. For protobuf:
//
//	eventstore.FormatFuncs(
//		func(v any) ([]byte, error) { return proto.Marshal(v.(proto.Message)) },
//		func(data []byte, v any) error { return proto.Unmarshal(data, v.(proto.Message)) })
func FormatFuncs(marshal func(v any) ([]byte, error), unmarshal func(data []byte, v any) error) Format {
	return formatFuncs{marshal, unmarshal}
}

type formatFuncs struct {
	marshal   func(any) ([]byte, error)
	unmarshal func([]byte, any) error
}

var errNoFormat = errors.New("eventstore: a function of FormatFuncs is nil")

func (f formatFuncs) Marshal(v any) ([]byte, error) {
	if f.marshal == nil {
		return nil, errNoFormat
	}
	return f.marshal(v)
}

func (f formatFuncs) Unmarshal(data []byte, v any) error {
	if f.unmarshal == nil {
		return errNoFormat
	}
	return f.unmarshal(data, v)
}

func rawMarshal(v any) ([]byte, error) {
	if m, ok := v.(encoding.BinaryMarshaler); ok {
		return m.MarshalBinary()
	}
	if r := reflect.ValueOf(v); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
		return r.Bytes(), nil
	}
	return nil, fmt.Errorf("raw format: a %T is not a byte slice and has no MarshalBinary", v)
}

func rawUnmarshal(data []byte, v any) error {
	if m, ok := v.(encoding.BinaryUnmarshaler); ok {
		return m.UnmarshalBinary(data)
	}
	if r := reflect.ValueOf(v).Elem(); r.Kind() == reflect.Slice && r.Type().Elem().Kind() == reflect.Uint8 {
		r.SetBytes(data)
		return nil
	}
	return fmt.Errorf("raw format: a %T does not point to a byte slice and has no UnmarshalBinary", v)
}

// ErrUnknownType means that no Go type is registered for the type of an event, or its schema is newer than the registered one.
var ErrUnknownType = errors.New("no Go type is registered for the event")

// Types is a registry of the Go types of events. E is an interface that all of them implement, preferably a sealed one:
//
//	var types = eventstore.NewTypes[Event](eventstore.JSON)
//
//	func init() {
//		eventstore.Register[Deposited](types, "deposited", 1)
//	}
//
// A Types is safe for concurrent use.
type Types[E any] struct {
	events any // see registry

	mu        sync.RWMutex // guards forgotten
	forgotten func(Event) (E, bool)
}

// NewTypes makes an empty registry.
func NewTypes[E any](format Format) *Types[E] { return &Types[E]{events: newRegistry(format)} }

// usable returns the error for a Types that lacks its format or was not made by NewTypes.
func (t *Types[E]) usable() error {
	if t == nil {
		return errNoTypes
	}
	return usableRegistry(t.events)
}

// Add registers the Go types of some events under their default names and schemas:
//
//	var types = eventstore.NewTypes[Event](eventstore.JSON).Add(Deposited{}, FundsMoved{})
//
// The name is that of the Go type, in lower case with underscores, such as funds_moved, unless it has a method EventType; the
// schema is 1, unless it has a method EventSchema. Names are stored with the events: give the method to a type that is renamed. Add panics if the program is wrong,
// as [Register] does.
func (t *Types[E]) Add(events ...E) *Types[E] {
	for _, e := range events {
		addEvent(t.events, e)
	}
	return t
}

// typeName returns the name of a Go type in lower case with underscores between its words.
func typeName(typ reflect.Type) string {
	for typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	name, _, _ := strings.Cut(typ.Name(), "[")
	var b strings.Builder
	letters := []rune(name)
	for i, r := range letters {
		if unicode.IsUpper(r) && i > 0 && (!unicode.IsUpper(letters[i-1]) || i+1 < len(letters) && unicode.IsLower(letters[i+1])) {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Register registers V as the Go type of events of a type and schema; events of
// older schemas need an [Upcaster]. V may be a pointer, as with protobuf messages.
// It panics if the program is wrong: if V is not an E, the schema is below 1, or the name or type is registered already.
func Register[V, E any](t *Types[E], name string, schema int) {
	_, is := any(*new(V)).(E)
	register(t.events, (*V)(nil), (*E)(nil), is, name, schema)
}

// Encode makes an event from a value.
func (t *Types[E]) Encode(e E) (NewEvent, error) {
	if err := t.usable(); err != nil {
		return NewEvent{}, err
	}
	return encodeEvent(t.events, e)
}

// Decode makes a value from an event.
func (t *Types[E]) Decode(e Event) (value E, err error) {
	if err := t.usable(); err != nil {
		return value, err
	}
	v, err := decodeEvent(t.events, &e)
	if err != nil {
		return value, err
	}
	value, _ = v.(E)
	return value, nil
}

// OnForgotten sets a function that returns a replacement for an event whose data was scrubbed or whose key was deleted (see [Encrypt]): a value that [Fold],
// [Decoded] and repositories use instead, or
// false to skip the event, as they do without a function. The event has its type, version, ids and time, but neither data nor metadata.
func (t *Types[E]) OnForgotten(replacement func(e Event) (E, bool)) *Types[E] {
	if t == nil {
		return nil // every call returns an error
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgotten = replacement
	return t
}

// value decodes an event or returns its replacement, and false for an event that is skipped.
func (t *Types[E]) value(e Event) (v E, ok bool, err error) {
	if !e.Scrubbed && !e.Forgotten {
		v, err = t.Decode(e)
		return v, true, err
	}
	if err := t.usable(); err != nil {
		return v, false, err
	}
	t.mu.RLock()
	replacement := t.forgotten
	t.mu.RUnlock()
	if replacement != nil {
		v, ok = replacement(e)
	}
	return v, ok, nil
}
