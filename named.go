// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/handle"
)

// Named returns the handle of an attribute whose name is only known at run time, for example from a PATCH request or a field
// mask:
//
//	var changes []ddb.Change[Order]
//	for name, value := range patch { // a map[string]any, from JSON
//		changes = append(changes, ddb.Named[Order](name).Set(value))
//	}
//	o, err := orders.Update(ctx, key, ddb.Changes(changes...))
//
// The first name is an attribute of T, as its tags say. Each further name is an attribute of a struct, a key of a map, or
// the index of a list element in it. A name that T does not have is an error of the call that uses the handle, before
// anything is sent. So is a change of a key or of an attribute that the table maintains. First check the names against a
// list of the attributes that your callers may change.
//
// Values are checked against the attribute's Go type, and encoded like it. A value of another type is accepted if it
// converts without loss: numbers that fit exactly, also those of encoding/json (float64, [encoding/json.Number]), text for
// named text types and for types with UnmarshalText such as time.Time, and lists and maps of such values. Anything else is
// an error that names the types, never the value. nil is accepted for pointers, interfaces, lists and maps; use Remove for
// others.
func Named[T any](name string, below ...string) Attr[T, any] {
	return Attr[T, any](handle.Named(reflect.TypeFor[T](), name, below))
}
