// SPDX-License-Identifier: Apache-2.0

package core

import (
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/handle"
)

// throughPointer reports whether a promoted field is reached through an embedded pointer.
func throughPointer(t reflect.Type, index []int) bool {
	for _, x := range index[:len(index)-1] {
		t = t.Field(x).Type
		if t.Kind() == reflect.Pointer {
			return true
		}
	}
	return false
}

// FieldOf returns the index, as reflect.Value.FieldByIndex takes it, of the field of a top-level attribute.
func FieldOf(h *handle.Handle) (index []int, err error) {
	switch err := h.Resolve(); {
	case err != nil:
		return nil, err
	case len(h.Path()) != 1:
		return nil, fmt.Errorf("%s is not a top-level attribute", h.Path())
	case gotype.Reflect(h.Field().Type) == nil: // made by Deref or the like
		return nil, fmt.Errorf("attribute %s is not named by the handle of its field; pass the handle that ddb.Field, StrField or another constructor made", h.Path())
	case throughPointer(gotype.Reflect(h.Item()), h.Field().Index):
		return nil, fmt.Errorf("attribute %s is inside an embedded pointer, which may be nil", h.Path())
	}
	return h.Field().Index, nil
}

// resolveFor resolves a handle, and refuses one of another item type than the plan's.
func resolveFor(plan *codec.Plan, h *handle.Handle) error {
	if err := h.Resolve(); err != nil {
		return err
	}
	if !gotype.Same(h.Item(), plan.Type()) {
		return fmt.Errorf("handle of %s used on a table of %s", h.Item(), plan.Type())
	}
	return nil
}
