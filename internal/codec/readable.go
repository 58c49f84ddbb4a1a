// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/gotype"
)

// readable records the fields that could be written but never read: an interface with methods does not determine the type to
// decode into. Values inside of interfaces are not examined, because they are decoded as maps.
func (c *compiler) readable(p *Plan, seen map[*Plan]bool) {
	if seen[p] || p.self != nil && p.self.unmarshals {
		return
	}
	seen[p] = true
	for _, f := range p.fields {
		if t := unreadable(f.Codec); t != nil {
			c.problem(gotype.Reflect(p.typ), f.GoPath, f.Name, fmt.Sprintf("Go type %s: an interface with methods can be stored, but nothing says which type to read it into; "+
				"use a struct with UnmarshalDynamoDBAttributeValue around it, or any, or tag it \"-\"", t))
			continue
		}
		if inner := innerPlan(f.Codec); inner != nil {
			c.readable(inner, seen)
		}
	}
}

// deepest is the depth to which lists, maps and pointers are followed, because a type may be a list of itself.
const deepest = 16

// unreadable returns the first interface with methods that a type contains, or nil.
func unreadable(v *Value) reflect.Type {
	for range deepest {
		if v == nil || v.unmarshals {
			return nil
		}
		if gotype.Reflect(v.typ).Kind() == reflect.Interface {
			if gotype.Reflect(v.typ).NumMethod() > 0 && gotype.Reflect(v.typ) != attributeValueType {
				return gotype.Reflect(v.typ)
			}
			return nil
		}
		v = below(v)
	}
	return nil
}

// innerPlan returns the plan of the struct that a type contains, or nil.
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

// below returns the type that a pointer points to, or of the elements of a list, set or map.
func below(v *Value) *Value {
	if v.to != nil {
		return v.to
	}
	return v.elem
}
