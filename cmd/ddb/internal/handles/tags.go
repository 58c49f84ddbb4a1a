// SPDX-License-Identifier: Apache-2.0

package handles

import (
	"fmt"
	"reflect"
	"strings"
)

// tagKey is the struct tag whose meaning docs/codec.md lists.
const tagKey = "dynamodbav"

// fieldTag is the part of a tag that determines the handle of a field.
type fieldTag struct {
	name     string
	ignore   bool
	unknown  bool // the field keeps attributes without a field
	set      bool
	asString bool
	text     bool
}

// tagged reports whether there is a dynamodbav tag.
func tagged(tag string) bool {
	_, ok := reflect.StructTag(tag).Lookup(tagKey)
	return ok
}

// malformed reports whether there is a tag that reflect does not find.
func malformed(tag string) bool {
	return !tagged(tag) && (strings.HasPrefix(tag, tagKey+":") || strings.Contains(tag, " "+tagKey+":"))
}

func parseTag(tag string) (t fieldTag, problem string) {
	name, options, _ := strings.Cut(reflect.StructTag(tag).Get(tagKey), ",")
	if name == "-" {
		return fieldTag{ignore: true}, ""
	}
	t.name = name
	for option := range strings.SplitSeq(options, ",") {
		switch option {
		case "", "omitempty", "omitemptyelem", "nullempty", "nullemptyelem", "omitzero", "sdktime", "unixtime":
		case "string":
			t.asString = true
		case "text":
			t.text = true
		case "unknown":
			t.unknown = true
		case "stringset", "numberset", "binaryset":
			t.set = true
		default:
			problem = fmt.Sprintf("unknown tag option %q; docs/codec.md lists them", option)
		}
	}
	return t, problem
}
