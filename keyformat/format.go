// SPDX-License-Identifier: Apache-2.0

package keyformat

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/dynamotable/ddb/internal/badinput"
	"github.com/dynamotable/ddb/internal/keytext"
)

// format is what a [Format] does whatever its keys are. A Format keeps it as any, and uses it by functions that are not inlined: each package
// with keys compiles the methods of Format again for each type of key, and with them whatever generic types it can reach, such as
// those of the methods of [reflect.Type]. Keys are passed by their addresses.
type format struct {
	of     reflect.Type
	prefix string
	fields []fieldFormat // in the order of the text
	err    error
}

// newFormat describes the keys of the type that key, a nil pointer, points to.
func newFormat(key any, prefix string) any { return describe(reflect.TypeOf(key).Elem(), prefix) }

func describe(t reflect.Type, prefix string) *format {
	f := &format{of: t, prefix: prefix}
	if prefix != "" {
		f.prefix += string(keytext.Delimiter)
	}
	var errs []error
	if !utf8.ValidString(prefix) {
		errs = append(errs, errors.New("the prefix is not valid UTF-8"))
	}
	if t.Kind() != reflect.Struct || t.NumField() == 0 {
		errs = append(errs, errors.New("it must be a struct with at least one field"))
	} else {
		for i := range t.NumField() {
			field, err := newFieldFormat(t.Field(i))
			if err != nil {
				errs = append(errs, fmt.Errorf("field %s: %w", t.Field(i).Name, err))
			}
			if field.index = i; i < t.NumField()-1 {
				field.behind = string(keytext.Delimiter)
			}
			f.fields = append(f.fields, field)
		}
	}
	f.refuse(errs)
	return f
}

// refuse records what is wrong with the definition.
func (f *format) refuse(errs []error) {
	if err := errors.Join(errs...); err != nil {
		f.err = &badinput.DefinitionError{Cause: fmt.Errorf("key format of %s: %w", f.of, err)}
	}
}

var (
	errNotMade error = &badinput.DefinitionError{Cause: errors.New("a key format that keyformat.New did not make")}
	errNilKey        = errors.New("key format: Parse into a nil pointer")
)

// usable returns the format in a [Format], and what is wrong with it.
func usable(core any) (*format, error) {
	f, ok := core.(*format)
	if !ok || f.fields == nil && f.err == nil {
		return nil, errNotMade
	}
	return f, f.err
}

//go:noinline
func errOf(core any) error {
	_, err := usable(core)
	return err
}

// appendKey returns the text of a key.
//
//go:noinline
func appendKey(core, key any) ([]byte, error) {
	f, err := usable(core)
	if err != nil {
		return nil, err
	}
	return f.appendFields([]byte(f.prefix), key, len(f.fields))
}

// prefixOf returns the prefix of keys with the first n fields of a key.
//
//go:noinline
func prefixOf(core, key any, n int) (string, error) {
	f, err := usable(core)
	if err != nil {
		return "", err
	}
	if n < 0 || n >= len(f.fields) {
		return "", fmt.Errorf("key %s: a prefix has 0 to %d fields, not %d", f.of, len(f.fields)-1, n)
	}
	text, err := f.appendFields([]byte(f.prefix), key, n)
	return string(text), err
}

func (f *format) appendFields(text []byte, key any, n int) ([]byte, error) {
	v := reflect.ValueOf(key).Elem()
	for i := range f.fields[:n] {
		field := &f.fields[i]
		from := len(text)
		var err error
		if text, err = field.append(text, v.Field(field.index)); err == nil {
			err = field.checkRaw(text[from:])
		}
		if err != nil {
			return nil, fmt.Errorf("key %s: field %s: %w", f.of, field.name, err)
		}
		text = append(text, field.behind...)
	}
	return text, nil
}

// parseKey sets a key to that of a text.
//
//go:noinline
func parseKey(core any, text string, key any) error {
	f, err := usable(core)
	if err != nil {
		return err
	}
	rest, ok := strings.CutPrefix(text, f.prefix)
	if !ok {
		return fmt.Errorf("key %s: the text does not begin with %s", f.of, f.prefix)
	}
	parsed := reflect.New(f.of).Elem()
	for i := range f.fields {
		field := &f.fields[i]
		var part string
		if part, rest, ok = field.cut(rest); !ok {
			return fmt.Errorf("key %s: the text does not have %d fields", f.of, len(f.fields))
		}
		if err := field.parse(part, parsed.Field(field.index)); err != nil {
			return fmt.Errorf("key %s: field %s: %w", f.of, field.name, err)
		}
	}
	if rest != "" {
		return fmt.Errorf("key %s: the text continues after the key", f.of)
	}
	reflect.ValueOf(key).Elem().Set(parsed)
	return nil
}
