// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"bytes"
	"strings"
)

// The service's texts for a token of the wrong type, by the first byte of the
// token and the type of the parameter.
//
// They are those of the contents of an attribute value in package value, which
// https://github.com/localstack/localstack/issues/9412 has from the service;
// dynoxide has the texts for structures and maps, src/serialization_checks.rs in
// https://github.com/nubo-db/dynoxide.

const (
	startOfStructure = "Start of structure or map found where not expected"
	startOfList      = "Start of list found where not expected"
	unrecognized     = "Unrecognized collection type "
	unexpectedField  = "Unexpected field type"

	// classPrefix is the prefix of the service's own structures.
	classPrefix = "com.amazonaws.dynamodb.v20120810."
	mapOf       = "java.util.Map<java.lang.String, "
	// castFault is the answer to another token in place of a map in a list, or
	// a list in a map.
	castFault = "class sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl cannot be cast to class java.lang.Class " +
		"(sun.reflect.generics.reflectiveObjects.ParameterizedTypeImpl and java.lang.Class are in module java.base of loader 'bootstrap')"
)

// notScalar returns the error for a token in place of a String, Integer, Long or
// Boolean.
func (r *reader) notScalar(kind string) error {
	c := r.peek()
	switch token := r.tokenName(); {
	case c == '{':
		return mistyped(startOfStructure)
	case c == '[':
		return mistyped(unrecognized + "class java.lang." + kind)
	case token == "":
		return malformed()
	case kind == "Boolean" && c == '"':
		return mistyped("Unexpected token received from parser")
	default:
		return mistyped(token + " cannot be converted to " + kind)
	}
}

// notList returns the error for a token in place of a list.
func (r *reader) notList() error {
	switch {
	case r.peek() == '{':
		return mistyped(startOfStructure)
	case r.tokenName() == "":
		return malformed()
	default:
		return mistyped(unexpectedField)
	}
}

// notStructure returns the error for a token in place of a structure or a map of a Java
// type; the parameters of an operation have no type.
func (r *reader) notStructure(kind string) error {
	switch {
	case r.peek() == '[' && kind == "":
		return mistyped(startOfList)
	case r.peek() == '[':
		return mistyped(unrecognized + kind)
	case r.tokenName() == "":
		return malformed()
	case strings.HasPrefix(kind, mapOf):
		return mistyped(unexpectedField)
	default:
		return mistyped("Unexpected value type in payload")
	}
}

// tokenName returns the parser's name of the next scalar, or "" if
// there is none.
func (r *reader) tokenName() string {
	switch c := r.peek(); {
	case c == '"':
		return "STRING_VALUE"
	case c == 't':
		return "TRUE_VALUE"
	case c == 'f':
		return "FALSE_VALUE"
	case c == '-', c >= '0' && c <= '9':
		ahead := *r
		if bytes.ContainsAny(ahead.number(), ".eE") {
			return "DECIMAL_VALUE"
		}
		return "NUMBER_VALUE"
	default:
		return ""
	}
}
