// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"reflect"
	"strings"
)

// tagKey is the struct tag, shared with attributevalue.
const tagKey = "dynamodbav"

// options are the tag options of a value. They are comparable, because they are part of the cache key of a codec.
type options struct {
	omitEmpty, omitEmptyElem bool
	nullEmpty, nullEmptyElem bool
	asString, unixTime, text bool
	sdkTime                  bool // times in the form of the SDK, at all levels
	set                      Kind // SS, NS, BS, or KindAny
}

// fieldTag is a complete tag: the options, and what only concerns the field.
type fieldTag struct {
	options
	name     string
	ignore   bool
	omitZero bool
	unknown  bool
}

// elem returns the options that a list, set or map passes on to its elements.
func (o options) elem() options {
	return options{omitEmpty: o.omitEmptyElem, omitEmptyElem: o.omitEmptyElem, nullEmpty: o.nullEmptyElem, text: o.text, sdkTime: o.sdkTime}
}

// inner returns the options that a pointer or interface passes on. Whether the value is left out or NULL is decided by the
// caller.
func (o options) inner() options {
	o.omitEmpty, o.nullEmpty = false, false
	return o
}

// fitting removes sdktime, which is inherited, if the type contains no time.
func fitting(o options, t reflect.Type) options {
	o.sdkTime = o.sdkTime && !o.unixTime && holdsTime(t, 8)
	return o
}

// holdsTime reports whether values of the type may contain a time, down to the given number of levels.
func holdsTime(t reflect.Type, levels int) bool {
	switch t.Kind() {
	case reflect.Struct, reflect.Interface:
		return true
	case reflect.Slice, reflect.Array, reflect.Map, reflect.Pointer:
		return levels == 0 || holdsTime(t.Elem(), levels-1)
	}
	return false
}

func ignored(tag reflect.StructTag) bool {
	t, _ := parseTag(tag)
	return t.ignore
}

// malformed reports whether there is a tag that reflect does not find.
func malformed(tag reflect.StructTag) bool {
	_, found := tag.Lookup(tagKey)
	return !found && (strings.HasPrefix(string(tag), tagKey+":") || strings.Contains(string(tag), " "+tagKey+":"))
}

func parseTag(tag reflect.StructTag) (fieldTag, []string) {
	name, opts, _ := strings.Cut(tag.Get(tagKey), ",")
	if name == "-" {
		return fieldTag{ignore: true}, nil
	}
	t, problems := parseOptions(opts)
	t.name = name
	return t, problems
}

// parseOptions parses the options after the name; problems lists every error.
func parseOptions(opts string) (t fieldTag, problems []string) {
	for opt := range strings.SplitSeq(opts, ",") {
		switch opt {
		case "":
		case "omitempty":
			t.omitEmpty = true
		case "omitemptyelem":
			t.omitEmptyElem = true
		case "nullempty":
			t.nullEmpty = true
		case "nullemptyelem":
			t.nullEmptyElem = true
		case "omitzero":
			t.omitZero = true
		case "string":
			t.asString = true
		case "unixtime":
			t.unixTime = true
		case "sdktime":
			t.sdkTime = true
		case "text":
			t.text = true
		case "unknown":
			t.unknown = true
		case "stringset", "numberset", "binaryset":
			k := map[byte]Kind{'s': SS, 'n': NS, 'b': BS}[opt[0]]
			if t.set != KindAny && t.set != k {
				problems = append(problems, "two set options contradict each other")
			}
			t.set = k
		default:
			problems = append(problems, fmt.Sprintf("unknown tag option %q; docs/codec.md lists them", opt))
		}
	}
	if t.unixTime && t.sdkTime {
		problems = append(problems, "tag options unixtime and sdktime contradict each other")
	}
	if t.omitEmpty && t.nullEmpty {
		problems = append(problems, "tag options omitempty and nullempty contradict each other")
	}
	if t.omitEmptyElem && t.nullEmptyElem {
		problems = append(problems, "tag options omitemptyelem and nullemptyelem contradict each other")
	}
	return t, problems
}
