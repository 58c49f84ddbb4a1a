// SPDX-License-Identifier: Apache-2.0

package keyformat

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/dynamotable/ddb/internal/keytext"
	"github.com/dynamotable/ddb/internal/quiet"
)

// fieldFormat writes and reads one field of a composite key; see [Format].
type fieldFormat struct {
	name   string
	index  int // of the struct's field
	append func([]byte, reflect.Value) ([]byte, error)
	parse  func(string, reflect.Value) error
	width  int    // of all texts; 0 if their lengths differ
	raw    bool   // the text is written unchanged
	behind string // the constant after the field
}

var (
	timeType            = reflect.TypeFor[time.Time]()
	textMarshalerType   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshalerType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func newFieldFormat(sf reflect.StructField) (fieldFormat, error) {
	f := fieldFormat{name: sf.Name}
	if !sf.IsExported() {
		return f, errors.New("it is not exported, so its value would be lost")
	}
	tag, value, _ := strings.Cut(sf.Tag.Get("ddbkey"), "=")
	pointer := reflect.PointerTo(sf.Type)
	var used string // the tag option that the field's type supports
	var err error
	switch {
	case sf.Type == timeType:
		used = "unit"
		f.append, f.parse, f.width, err = timeFormat(tag, value)
	case pointer.Implements(textMarshalerType) && pointer.Implements(textUnmarshalerType) && sf.Type.Kind() != reflect.Pointer:
		f.append, f.parse = appendMarshaled, parseMarshaled
	case sf.Type.Kind() == reflect.String:
		used = "raw"
		if f.append, f.parse = appendString, parseString; tag == used {
			f.raw, f.append, f.parse = true, appendRaw, parseRaw
		}
	case sf.Type.Kind() == reflect.Bool:
		f.append, f.parse = appendBool, parseBool
	case sf.Type.Kind() >= reflect.Int && sf.Type.Kind() <= reflect.Uint64:
		used = "pad"
		f.append, f.parse, f.width, err = integerFormat(sf.Type, tag, value)
	default:
		return f, fmt.Errorf("a %s cannot be part of a key; fields are text, integers, bool, time.Time or have MarshalText and UnmarshalText", sf.Type)
	}
	if tag != "" && tag != used {
		err = fmt.Errorf("its type does not support %q in the tag ddbkey", tag)
	}
	return f, err
}

func appendString(dst []byte, v reflect.Value) ([]byte, error) {
	return keytext.AppendEscaped(dst, v.String())
}

func parseString(text string, v reflect.Value) error {
	plain, err := keytext.Unescape(text)
	v.SetString(plain)
	return err
}

func appendBool(dst []byte, v reflect.Value) ([]byte, error) {
	return strconv.AppendBool(dst, v.Bool()), nil
}

func parseBool(text string, v reflect.Value) error {
	if text != "true" && text != "false" {
		return errors.New("it is neither true nor false")
	}
	v.SetBool(text == "true")
	return nil
}

func appendMarshaled(dst []byte, v reflect.Value) ([]byte, error) {
	text, err := marshaled(v)
	if err != nil {
		return nil, err
	}
	return keytext.AppendEscaped(dst, text)
}

func parseMarshaled(text string, v reflect.Value) error {
	plain, err := keytext.Unescape(text)
	if err != nil {
		return err
	}
	if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(plain)); err != nil {
		return quiet.New(fmt.Sprintf("it is not the text of a %s", v.Type()), err)
	}
	// With types that parse several texts as one value, a key could have several texts.
	if again, err := marshaled(v); err != nil || again != plain {
		return fmt.Errorf("it is not the text that %s.MarshalText returns", v.Type())
	}
	return nil
}

func marshaled(v reflect.Value) (string, error) {
	text, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil {
		return "", quiet.New(fmt.Sprintf("%s.MarshalText failed", v.Type()), err)
	}
	return string(text), nil
}

// integerFormat pads to the digits of the type's largest value, or to a tag's.
func integerFormat(t reflect.Type, tag, value string) (appendFn func([]byte, reflect.Value) ([]byte, error), parseFn func(string, reflect.Value) error, width int, err error) {
	signed := t.Kind() <= reflect.Int64
	largest := ^uint64(0) >> (64 - t.Bits())
	if signed {
		largest >>= 1
	}
	digits := len(strconv.FormatUint(largest, 10))
	width = digits
	if tag == "pad" {
		width, err = strconv.Atoi(value)
		if err != nil || width < 1 || width > digits {
			return nil, nil, 0, fmt.Errorf("pad=%s: the width must be 1 to %d, the digits of %s", value, digits, t)
		}
	}
	appendFn = func(dst []byte, v reflect.Value) ([]byte, error) {
		var text string
		switch {
		case !signed:
			text = strconv.FormatUint(v.Uint(), 10)
		case v.Int() < 0:
			return nil, errors.New("the number is negative; negative numbers do not sort as text")
		default:
			text = strconv.FormatInt(v.Int(), 10)
		}
		if len(text) > width {
			return nil, fmt.Errorf("the number has more than %d digits; widen the field's pad, for new keys only", width)
		}
		dst = append(dst, strings.Repeat("0", width-len(text))...)
		return append(dst, text...), nil
	}
	parseFn = func(text string, v reflect.Value) error {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil || len(text) != width || n > largest {
			return fmt.Errorf("it is not a %s of %d digits", t, width)
		}
		if signed {
			v.SetInt(int64(n))
		} else {
			v.SetUint(n)
		}
		return nil
	}
	return appendFn, parseFn, width, nil
}

// timeLayouts have a fixed width with the larger units first, so their texts sort.
var timeLayouts = map[string]string{
	"":       "2006-01-02T15:04:05.000000000Z",
	"nano":   "2006-01-02T15:04:05.000000000Z",
	"micro":  "2006-01-02T15:04:05.000000Z",
	"milli":  "2006-01-02T15:04:05.000Z",
	"second": "2006-01-02T15:04:05Z",
	"minute": "2006-01-02T15:04Z",
	"hour":   "2006-01-02T15Z",
	"day":    "2006-01-02",
	"month":  "2006-01",
	"year":   "2006",
}

func timeFormat(tag, unit string) (appendFn func([]byte, reflect.Value) ([]byte, error), parseFn func(string, reflect.Value) error, width int, err error) {
	layout, ok := timeLayouts[unit]
	if !ok || tag == "unit" && unit == "" {
		return nil, nil, 0, fmt.Errorf("unit=%s: the unit must be year, month, day, hour, minute, second, milli, micro or nano", unit)
	}
	appendFn = func(dst []byte, v reflect.Value) ([]byte, error) {
		t := v.Interface().(time.Time).UTC()
		if t.Year() < 0 || t.Year() > 9999 {
			return nil, errors.New("the year of the time is not 0 to 9999")
		}
		text := t.Format(layout)
		if back, err := time.Parse(layout, text); err != nil || !back.Equal(t) {
			return nil, fmt.Errorf("the time has parts smaller than a %s; truncate it first", unit)
		}
		return append(dst, text...), nil
	}
	parseFn = func(text string, v reflect.Value) error {
		t, err := time.Parse(layout, text)
		if err != nil || t.Format(layout) != text {
			return fmt.Errorf("it is not a time written as %s", layout)
		}
		v.Set(reflect.ValueOf(t))
		return nil
	}
	return appendFn, parseFn, len(layout), nil
}
