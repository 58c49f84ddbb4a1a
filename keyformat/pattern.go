// SPDX-License-Identifier: Apache-2.0

package keyformat

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/dynamotable/ddb/internal/keytext"
)

// Pattern describes the keys of struct type K by a text with the names of its fields in braces, for keys with constants before,
// between and after the fields:
//
//	type TaskKey struct {
//		Workflow string
//		Status   string
//		Priority int `ddbkey:"pad=3"`
//	}
//
//	var taskKeys = keyformat.Pattern[TaskKey]("WF#{workflow}#STATUS#{status}#{priority}")
//
// The text of {"billing", "open", 7} is WF#billing#STATUS#open#007. Every field occurs in the pattern once, in any order; the case of the
// names is ignored. Fields are written as in [Format], so texts are distinct, can be parsed, and sort as the keys do, by the fields in the order of the
// pattern. [Format.Prefix] ends with the constant after its last field: WF#billing#STATUS# selects the tasks of a workflow, and with two fields
// WF#billing#STATUS#open# those that are open.
//
// Integers and times have texts of a fixed length, so anything may follow them. A field of another kind must be the last one, or be followed by a constant that
// begins with one of
// space, !, " and #, which no text of a field contains. Text with the tag ddbkey:"raw" may be followed by any constant, or the end; values that hold its first
// character are refused.
//
// Errors in the pattern are reported as by [New].
func Pattern[K any](pattern string) *Format[K] { return &Format[K]{newPattern((*K)(nil), pattern)} }

// newPattern describes the keys of the type that key, a nil pointer, points to.
func newPattern(key any, pattern string) any {
	f := describe(reflect.TypeOf(key).Elem(), "")
	if f.err != nil {
		return f
	}
	prefix, parts, err := cutPattern(pattern)
	errs := []error{err}
	f.prefix = prefix
	fields := f.fields
	f.fields = nil
	for _, p := range parts {
		at := slices.IndexFunc(fields, func(x fieldFormat) bool { return strings.EqualFold(x.name, p.name) })
		if at < 0 {
			errs = append(errs, fmt.Errorf("{%s} is not a field", p.name))
			continue
		}
		field := fields[at]
		if slices.ContainsFunc(f.fields, func(x fieldFormat) bool { return x.index == field.index }) {
			errs = append(errs, fmt.Errorf("{%s} occurs twice", p.name))
		}
		field.behind = p.behind
		f.fields = append(f.fields, field)
	}
	for i, field := range fields {
		if slices.ContainsFunc(fields[:i], func(x fieldFormat) bool { return strings.EqualFold(x.name, field.name) }) {
			errs = append(errs, fmt.Errorf("two fields have the name %s, differing only in case", field.name))
		}
		if !slices.ContainsFunc(f.fields, func(x fieldFormat) bool { return x.index == field.index }) {
			errs = append(errs, fmt.Errorf("field %s is missing in the pattern", field.name))
		}
	}
	for i, field := range f.fields {
		errs = append(errs, field.checkBehind(i == len(f.fields)-1))
	}
	f.refuse(errs)
	return f
}

// patternPart is a field of a pattern with the constant after it.
type patternPart struct{ name, behind string }

func cutPattern(pattern string) (prefix string, parts []patternPart, err error) {
	if !utf8.ValidString(pattern) {
		return "", nil, errors.New("the pattern is not valid UTF-8")
	}
	rest := pattern
	constant := func() string {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			i = len(rest)
		}
		text := rest[:i]
		rest = rest[i:]
		return text
	}
	for prefix = constant(); rest != ""; {
		name, behind, ok := strings.Cut(rest[1:], "}")
		if rest[0] != '{' || !ok || strings.Contains(name, "{") {
			return prefix, parts, errors.New("a brace of the pattern has no matching brace")
		}
		rest = behind
		parts = append(parts, patternPart{name, constant()})
	}
	return prefix, parts, nil
}

// checkBehind refuses a constant that would make the end of the field ambiguous, or break the order.
func (f *fieldFormat) checkBehind(last bool) error {
	switch {
	case f.width > 0 || f.behind == "" && last:
		return nil
	case f.behind == "":
		return fmt.Errorf("field %s has no constant after it, so its end would be ambiguous", f.name)
	case f.raw || f.behind[0] >= ' ' && f.behind[0] <= keytext.Delimiter:
		return nil
	}
	return fmt.Errorf("field %s: the constant after it must begin with a space, !, \" or #, or the keys would not sort; for text that other programs write, use the tag ddbkey:\"raw\"", f.name)
}

// checkRaw refuses unescaped text that contains the character at which it ends.
func (f *fieldFormat) checkRaw(text []byte) error {
	if f.raw && f.behind != "" && slices.Contains(text, f.behind[0]) {
		return fmt.Errorf("the text holds the character %q, which ends it", f.behind[0])
	}
	return nil
}

// cut removes the text of the field, and the constant after it, from the front of a key.
func (f *fieldFormat) cut(text string) (part, rest string, ok bool) {
	n := len(text)
	switch {
	case f.width > 0:
		n = f.width
	case f.behind != "":
		n = strings.IndexByte(text, f.behind[0])
	}
	if n < 0 || n > len(text) {
		return "", "", false
	}
	rest, ok = strings.CutPrefix(text[n:], f.behind)
	return text[:n], rest, ok
}

func appendRaw(dst []byte, v reflect.Value) ([]byte, error) {
	if !utf8.ValidString(v.String()) {
		return nil, errors.New("the text is not valid UTF-8")
	}
	return append(dst, v.String()...), nil
}

func parseRaw(text string, v reflect.Value) error {
	if !utf8.ValidString(text) {
		return errors.New("the text is not valid UTF-8")
	}
	v.SetString(text)
	return nil
}
