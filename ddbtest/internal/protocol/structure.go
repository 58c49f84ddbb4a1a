// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"reflect"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/expression"
)

// field reads one member of a structure.
type field[T any] struct {
	name string
	read func(r *reader, to *T)
}

// structure is an object in wire format: the members that the engine knows. Other
// members are skipped, as in the service.
type structure[T any] []field[T]

// class returns the Java type of a structure that is read into a value of type t: the name of t, as the engine's names are
// those of the API; "" for the parameters of an operation and for a type of the engine that represents several.
func class(t reflect.Type) string {
	switch name := t.Name(); {
	case strings.HasSuffix(name, "Input"), name == "TransactAction", name == "SecondaryIndex":
		return ""
	case name == "TransactGet":
		return "class " + classPrefix + "Get"
	default:
		return "class " + classPrefix + name
	}
}

// read reads a structure into to. It returns false, and leaves to as it is, for
// null.
func (s structure[T]) read(r *reader, to *T) bool {
	if c := r.peek(); r.err == nil && c != '{' && c != 'n' {
		r.fail(r.notStructure(class(reflect.TypeFor[T]())))
	}
	return r.object("", func(name []byte) {
		for i := range s {
			if s[i].name == string(name) {
				s[i].read(r, to)
				return
			}
		}
		r.skip()
	})
}

// readPointer reads a structure, or nil for null.
//
// It is a function, as readList and readMap are: the compiler makes all methods for every structure, and functions only
// for those that are read in that way.
func readPointer[T any](r *reader, s structure[T]) *T {
	to := new(T)
	if !s.read(r, to) {
		return nil
	}
	return to
}

// readList reads a list of structures, or nil for null.
func readList[T any](r *reader, s structure[T]) []T {
	list := []T{}
	if !r.array(func() {
		var one T
		s.read(r, &one)
		list = append(list, one)
	}) {
		return nil
	}
	return list
}

// readMap reads a map of structures, or nil for null.
func readMap[T any](r *reader, s structure[T]) map[string]T {
	m := map[string]T{}
	if c := r.peek(); r.err == nil && c != '{' && c != 'n' {
		r.fail(r.notStructure(mapOf + strings.TrimPrefix(class(reflect.TypeFor[T]()), "class ") + ">"))
	}
	if !r.object("", func(name []byte) {
		key := string(name)
		var one T
		s.read(r, &one)
		m[key] = one
	}) {
		return nil
	}
	return m
}

// names reads ExpressionAttributeNames, or nil for null.
func (r *reader) names() expression.Names {
	m := expression.Names{}
	if !r.object(mapOf+"java.lang.String>", func(name []byte) {
		key := string(name)
		if s := r.str(); s != nil {
			m[key] = *s
		}
	}) {
		return nil
	}
	return m
}

// legacy returns the legacy parameters of a request, made at the first use.
func legacy(l **engine.Legacy) *engine.Legacy {
	if *l == nil {
		*l = new(engine.Legacy)
	}
	return *l
}

var expectedStructure = structure[engine.ExpectedAttributeValue]{
	{"Value", func(r *reader, to *engine.ExpectedAttributeValue) { to.Value = r.attribute() }},
	{"Exists", func(r *reader, to *engine.ExpectedAttributeValue) { to.Exists = r.boolean() }},
	{"ComparisonOperator", func(r *reader, to *engine.ExpectedAttributeValue) { to.ComparisonOperator = r.str() }},
	{"AttributeValueList", func(r *reader, to *engine.ExpectedAttributeValue) { to.AttributeValueList = r.attributeList() }},
}

var updateStructure = structure[engine.AttributeValueUpdate]{
	{"Value", func(r *reader, to *engine.AttributeValueUpdate) { to.Value = r.attribute() }},
	{"Action", func(r *reader, to *engine.AttributeValueUpdate) { to.Action = r.str() }},
}

var conditionStructure = structure[engine.Condition]{
	{"ComparisonOperator", func(r *reader, to *engine.Condition) { to.ComparisonOperator = r.str() }},
	{"AttributeValueList", func(r *reader, to *engine.Condition) { to.AttributeValueList = r.attributeList() }},
}

// attributeList reads a list of attribute values, or nil for null.
func (r *reader) attributeList() []engine.Attribute {
	list := []engine.Attribute{}
	if !r.array(func() {
		if v := r.attribute(); v != nil {
			list = append(list, *v)
		}
	}) {
		return nil
	}
	return list
}
