// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
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
	return Attr[T, any](namedHandle(reflect.TypeFor[T](), name, below))
}

func namedHandle(item reflect.Type, name string, below []string) *handle {
	return &handle{&attribute{item: gotype.Of(item), find: func(h *handle) {
		plan, err := codec.PlanOf(item)
		if err != nil {
			h.a.err = err
			return
		}
		f, ok := plan.Field(name)
		if !ok {
			h.a.err = fmt.Errorf("%s has no attribute %q", item, name)
			return
		}
		h.a.path, h.a.field, h.a.value, h.a.anyType = expr.Attribute(f.Name), f, f.Codec, true
		for _, step := range below {
			if h.a.err = h.into(step); h.a.err != nil {
				return
			}
		}
	}}}
}

// into extends the handle to a named part of its attribute.
func (h *handle) into(name string) error {
	v := h.value()
	for v.Pointee() != nil {
		v = v.Pointee()
	}
	switch {
	case v.IsWire():
		return h.intoRaw(name)
	case v.Struct() != nil:
		f, ok := v.Struct().Field(name)
		if !ok {
			return fmt.Errorf("attribute %s of %s: %s has no attribute %q", h.path(), h.item(), v.Type(), name)
		}
		h.a.path, h.a.value = append(slices.Clip(h.path()), expr.Attribute(name)...), f.Codec
	case v.Kind() == codec.M && v.Elem() != nil:
		if name == "" {
			return fmt.Errorf("attribute %s: the key of the map is empty, which DynamoDB does not store", h.path())
		}
		h.a.path, h.a.value = h.path().Key(name), v.Elem()
	case v.Kind() == codec.L && v.Elem() != nil:
		i, err := strconv.ParseUint(name, 10, 31)
		if err != nil {
			return fmt.Errorf("attribute %s is a list; the name of an element is its index, counted from 0", h.path())
		}
		h.a.path, h.a.value = h.path().At(int(i)), v.Elem()
	default:
		return fmt.Errorf("attribute %s of %s is stored as %s and has no parts with names", h.path(), h.item(), v.Kind())
	}
	return nil
}
