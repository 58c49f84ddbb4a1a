// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"reflect"
)

// readable notes the fields that could be written and never read: an interface with methods says nothing of the type that
// is to be made for what is stored. Values that an interface holds are not looked at, as they are read as maps.
func (c *compiler) readable(p *Plan, seen map[*Plan]bool) {
	if seen[p] || p.self != nil && p.self.unmarshals {
		return
	}
	seen[p] = true
	for _, f := range p.fields {
		if t := unreadable(f.Codec); t != nil {
			c.problem(p.typ, f.GoPath, f.Name, fmt.Sprintf("Go type %s: an interface with methods can be stored, but nothing says which type to read it into; "+
				"use a struct with UnmarshalDynamoDBAttributeValue around it, or any, or tag it \"-\"", t))
			continue
		}
		if inner := innerPlan(f.Codec); inner != nil {
			c.readable(inner, seen)
		}
	}
}

// deepest is how deep lists, maps and pointers are followed, as a type may be a list of itself.
const deepest = 16

// unreadable is the interface with methods that values lead to, nil for none.
func unreadable(v *Value) reflect.Type {
	for range deepest {
		if v == nil || v.unmarshals {
			return nil
		}
		if v.typ.Kind() == reflect.Interface {
			if v.typ.NumMethod() > 0 && v.typ != attributeValueType {
				return v.typ
			}
			return nil
		}
		v = below(v)
	}
	return nil
}

// innerPlan is the plan of the structs that values lead to, nil for none.
func innerPlan(v *Value) *Plan {
	for range deepest {
		if v == nil || v.unmarshals {
			return nil
		}
		if v.plan != nil {
			return v.plan
		}
		v = below(v)
	}
	return nil
}

// below is what a pointer leads to, or the element of a list, set or map.
func below(v *Value) *Value {
	if v.to != nil {
		return v.to
	}
	return v.elem
}
