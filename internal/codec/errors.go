// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/internal/quiet"
)

// Error means that an attribute could not be encoded or decoded. Its text names types and the path of the attribute, and never a
// value. A cause that may quote data, such as an error of a user's own UnmarshalText, is available with errors.As but is not part
// of the text.
type Error struct {
	Decode bool         // otherwise the error is from encoding
	Type   reflect.Type // the type that was passed to the call; may be nil
	Path   string       // attribute path such as address.lines[2], with * for a key of a Go map; empty for the value itself
	GoType reflect.Type // the Go type at Path; may be nil
	Kind   Kind         // the wire type at Path, if known
	Reason string       // what is wrong with it, and how to correct it
	Err    error        // cause; may be nil
}

func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("encode")
	if e.Decode {
		b.Reset()
		b.WriteString("decode")
	}
	if e.Type != nil {
		fmt.Fprintf(&b, " %s", e.Type)
	}
	if e.Path != "" {
		fmt.Fprintf(&b, ": attribute %s", e.Path)
	}
	b.WriteString(": ")
	b.WriteString(e.Reason)
	return b.String()
}

func (e *Error) Unwrap() error {
	if e.Err == nil {
		return nil
	}
	return quiet.New(fmt.Sprintf("a %T, which may quote data", e.Err), e.Err)
}

// Format prints the text of Error for every verb.
func (e *Error) Format(s fmt.State, verb rune) { quiet.Format(s, verb, e.Error()) }

// MarshalJSON returns the text of Error as a JSON string.
func (e *Error) MarshalJSON() ([]byte, error) { return json.Marshal(e.Error()) }

// mismatch returns the error for a wire type that the Go type cannot hold.
func mismatch(k Kind, t reflect.Type) error {
	return &Error{Decode: true, Kind: k, GoType: t, Reason: fmt.Sprintf("wire type %s does not fit Go type %s", k, t)}
}

// refuse returns the error for a value on the wire that the Go type cannot hold exactly.
func refuse(k Kind, t reflect.Type, reason string) error {
	return &Error{Decode: true, Kind: k, GoType: t, Reason: fmt.Sprintf("wire type %s into Go type %s: %s", k, t, reason)}
}

// unfit returns the error for a Go value that DynamoDB cannot store.
func unfit(t reflect.Type, reason string) error {
	if t == nil {
		return &Error{Reason: reason}
	}
	return &Error{GoType: t, Reason: fmt.Sprintf("Go type %s: %s", t, reason)}
}

// custom wraps an error of the user's own method.
func custom(decode bool, t reflect.Type, method string, err error) error {
	return &Error{Decode: decode, GoType: t, Err: err,
		Reason: fmt.Sprintf("%s of Go type %s failed with a %T", method, t, err)}
}

// under prefixes the path of an error with an attribute.
func under(name string, err error) error {
	return prefix(err, name)
}

// underKey prefixes it with a key of a map, which is data and so is not shown.
func underKey(err error) error {
	return prefix(err, "*")
}

// underIndex prefixes it with the index of an element of a list or set.
func underIndex(i int, err error) error {
	return prefix(err, "["+strconv.Itoa(i)+"]")
}

func prefix(err error, step string) error {
	e := &Error{}
	ok := errors.As(err, &e)
	if !ok {
		return err
	}
	switch {
	case e.Path == "":
		e.Path = step
	case e.Path[0] == '[':
		e.Path = step + e.Path
	default:
		e.Path = step + "." + e.Path
	}
	return err
}

// withType sets the type that was passed to the call.
func withType(decode bool, t reflect.Type, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Type == nil {
		e.Type = t
		e.Decode = decode
	}
	return err
}
