// SPDX-License-Identifier: Apache-2.0

//go:build ddb_safe

package codec

import "reflect"

// ref is an addressable value; see unsafe.go.
type ref = reflect.Value

// refOf returns the ref of *v.
func refOf[T any](v *T) ref { return reflect.ValueOf(v).Elem() }

// as returns the value at r as a *T.
func as[T any](r ref) *T {
	p := r.Addr()
	if q, ok := reflect.TypeAssert[*T](p); ok {
		return q
	}
	return p.Convert(reflect.TypeFor[*T]()).Interface().(*T)
}

// refFrom returns the ref of an addressable value.
func refFrom(v reflect.Value) ref { return v }

// valueAt returns the settable value of type t at r.
func valueAt(r ref, _ reflect.Type) reflect.Value { return r }

// place is the position of a field in its struct, without following pointers.
type place struct{ index []int }

func newPlace(_ reflect.Type, index []int) place { return place{index} }

// in returns the ref of the field in the struct at r.
func (p *place) in(r ref) ref { return r.FieldByIndex(p.index) }

// keep copies s into a string.
func (d *Decoder) keep(s []byte) string { return string(s) }
