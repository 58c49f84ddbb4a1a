// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
)

// probeDepth bounds how deep nested structs are searched for the selected field.
const probeDepth = 16

// locate finds the stored field whose address the selector returns.
func locate(plan *codec.Plan, want reflect.Type, sel func(reflect.Value) reflect.Value) (path expr.Path, f codec.Field, err error) {
	t := gotype.Reflect(plan.Type())
	if want.Size() == 0 {
		return nil, f, fmt.Errorf("selector of %s: a field of type %s has no size and cannot be distinguished from its neighbours", t, want)
	}
	probe := reflect.New(t)
	allocate(plan, probe.Elem(), probeDepth)
	defer func() {
		if r := recover(); r != nil {
			path, err = nil, fmt.Errorf("selector of %s panicked on a probe value (%v); it may only return the address of a field", t, r)
		}
	}()
	ptr := sel(probe)
	if ptr.IsNil() {
		return nil, f, fmt.Errorf("selector of %s returned nil; it must return the address of a field of its argument, such as &v.Name, "+
			"and for a pointer field the address of the pointer (ddb.Deref gives a handle of its value)", t)
	}
	path, f, ok := search(plan, probe.Elem(), ptr.Pointer(), want, probeDepth)
	if !ok {
		return nil, f, fmt.Errorf("selector of %s does not return a stored field of type %s: it must return the address of a field of its argument, "+
			"such as &v.Name, not of a copy; the field must be exported and not tagged \"-\"", t, want)
	}
	return path, f, nil
}

// allocate fills pointers to structs, so that selectors can reach through them.
func allocate(plan *codec.Plan, v reflect.Value, depth int) {
	if depth == 0 {
		return
	}
	for _, f := range plan.Fields() {
		fv := descend(v, f.Index)
		inner := f.Codec.Struct()
		if inner == nil {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			// A type that contains itself would otherwise be followed without end.
			if gotype.Same(inner.Type(), plan.Type()) {
				continue
			}
			fv.Set(reflect.New(fv.Type().Elem()))
			fv = fv.Elem()
		}
		if fv.Kind() == reflect.Struct {
			allocate(inner, fv, depth-1)
		}
	}
}

// descend is FieldByIndex that allocates nil embedded pointers on its way.
func descend(v reflect.Value, index []int) reflect.Value {
	for i, x := range index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				v.Set(reflect.New(v.Type().Elem()))
			}
			v = v.Elem()
		}
		v = v.Field(x)
	}
	return v
}

func search(plan *codec.Plan, v reflect.Value, target uintptr, want reflect.Type, depth int) (expr.Path, codec.Field, bool) {
	if depth == 0 {
		return nil, codec.Field{}, false
	}
	for _, f := range plan.Fields() {
		fv := descend(v, f.Index)
		if fv.Type() == want && fv.Addr().Pointer() == target {
			return expr.Attribute(f.Name), f, true
		}
		inner := f.Codec.Struct()
		if inner == nil {
			continue
		}
		if fv.Kind() == reflect.Pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		}
		if fv.Kind() != reflect.Struct {
			continue
		}
		if path, found, ok := search(inner, fv, target, want, depth-1); ok {
			return append(expr.Attribute(f.Name), path...), found, true
		}
	}
	return nil, codec.Field{}, false
}
