// SPDX-License-Identifier: Apache-2.0

//go:build !ddb_safe

package codec

import (
	"reflect"
	"unsafe"
)

// This file is the only one of the package that uses unsafe. Its twin safe.go
// (build tag ddb_safe) does the same by reflection; all tests pass with both.
//
// Invariants:
//   - A ref points to a live, addressable Go value of the type that its codec
//     was compiled for: it comes from a *T whose type was compared with the
//     plan's, or from an addressable reflect.Value, and moves on only by the
//     offset of a field of that very struct type.
//   - as[T] is used only where the value's type has T as its underlying type.
//   - Bytes turned into a string are never written again: an arena part is
//     filled once, before the string is made.

// ref is the address of a value whose type the codec knows.
type ref = unsafe.Pointer

// refOf returns the ref of *v.
func refOf[T any](v *T) ref { return unsafe.Pointer(v) }

// as returns the value at r as a *T.
func as[T any](r ref) *T { return (*T)(r) }

// refFrom returns the ref of an addressable value.
func refFrom(v reflect.Value) ref { return unsafe.Pointer(v.UnsafeAddr()) }

// valueAt returns the settable value of type t at r.
func valueAt(r ref, t reflect.Type) reflect.Value { return reflect.NewAt(t, r).Elem() }

// place is the position of a field in its struct, without following pointers.
type place struct{ offset uintptr }

func newPlace(t reflect.Type, index []int) place {
	return place{t.FieldByIndex(index).Offset + outerOffset(t, index)}
}

func outerOffset(t reflect.Type, index []int) (off uintptr) {
	for _, i := range index[:len(index)-1] {
		f := t.Field(i)
		off += f.Offset
		t = f.Type
	}
	return off
}

// in returns the ref of the field in the struct at r.
func (p *place) in(r ref) ref { return unsafe.Add(r, p.offset) }

// keep copies s into the arena and returns it as a string.
func (d *Decoder) keep(s []byte) string {
	if len(s) == 0 {
		return ""
	}
	p := d.alloc(len(s))
	copy(p, s)
	return unsafe.String(&p[0], len(p))
}
