// SPDX-License-Identifier: Apache-2.0

// Package gotype holds types of Go values for structs that the public types of the module refer to.
//
// A package that uses a table compiles again what generic types it can reach from the table, through fields and through the
// signatures of methods. [reflect.Type] and [reflect.Value] have methods that return iterators, which are generic: a field of
// one of them, or a method with one in its signature, is 57 functions in each package of a user. So the fields are of type
// [Type], and what takes or returns a reflect.Type or a reflect.Value is a function.
package gotype

import "reflect"

// Type is a [reflect.Type] that the compiler does not see. The zero Type is none. [Same] compares Types.
type Type struct {
	_ [0]func() // no ==
	t any       // a *reflect.Type
}

// Of returns the Type of t, and the zero Type for nil.
func Of(t reflect.Type) Type {
	if t == nil {
		return Type{}
	}
	return Type{t: &t}
}

// Reflect returns the type that t was made of; nil for the zero Type.
func Reflect(t Type) reflect.Type {
	if p, ok := t.t.(*reflect.Type); ok {
		return *p
	}
	return nil
}

// Same reports whether a and b are the same type.
func Same(a, b Type) bool { return Reflect(a) == Reflect(b) }

// String returns the name of the type, such as shop.Order.
func (t Type) String() string {
	if t.t == nil {
		return "no type"
	}
	return Reflect(t).String()
}
