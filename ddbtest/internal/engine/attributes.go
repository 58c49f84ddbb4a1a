// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Attributes is a map of attribute values from a request. The whole request is
// read before any of it is validated, so an invalid value is kept
// as an error until it is checked.
type Attributes struct {
	// Present is false if the parameter is absent or null.
	Present bool
	// Item holds the attributes.
	Item value.Item
	// Err is the error of the first invalid value, or is nil.
	Err error
	// Text is the JSON of the attributes, if the request has kept it. It must
	// not be used after the operation.
	Text []byte
}

// Attribute is a single attribute value from a request.
type Attribute struct {
	// Value is nil if the parameter is absent or invalid.
	Value value.Value
	// Err is the error of the value, or is nil.
	Err error
}

// Given returns attributes that are present and valid, for callers without a
// request.
func Given(item value.Item) Attributes { return Attributes{Present: true, Item: item} }

// Placeholders are the parameters that the expressions of a request share.
type Placeholders struct {
	Names  expression.Names
	Values Attributes
}

// text returns what s points to, or "".
func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func is(s *string, want string) bool { return s != nil && *s == want }
