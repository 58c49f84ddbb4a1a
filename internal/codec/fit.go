// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// FromAny returns the attribute value of v, whose type may differ from the codec's Go type if the value is the same: numbers that
// fit exactly, text of named text types and of types with UnmarshalText, and lists and maps of such values.
func (c *Value) FromAny(v any) (types.AttributeValue, error) {
	if c.IsWire() {
		return c.fromAny(v)
	}
	held := reflect.New(gotype.Reflect(c.typ)).Elem()
	if err := fit(held, reflect.ValueOf(v), 0); err != nil {
		return nil, withType(false, gotype.Reflect(c.typ), unfit(gotype.Reflect(c.typ), err.Error()))
	}
	r := refFrom(held)
	if c.lacksMembers(r) {
		return nil, withType(false, gotype.Reflect(c.typ), unfit(gotype.Reflect(c.typ), emptySet))
	}
	e := encoders.Get().(*encoder)
	defer e.release()
	buf, err := c.append(e, nil, r)
	if err != nil {
		return nil, withType(false, gotype.Reflect(c.typ), err)
	}
	return ParseAttributeValue(buf)
}

// fit sets dst to the value of v. Its errors only name types.
func fit(dst, v reflect.Value, depth int) error {
	if depth++; depth > maxLevels {
		return errors.New(tooDeep)
	}
	t := dst.Type()
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		switch t.Kind() {
		case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
			return nil
		}
		return errors.New("nil does not fit; remove the attribute instead")
	}
	if v.Type().AssignableTo(t) {
		dst.Set(v)
		return nil
	}
	if t.Kind() == reflect.Pointer {
		to := reflect.New(t.Elem())
		if err := fit(to.Elem(), v, depth); err != nil {
			return err
		}
		dst.Set(to)
		return nil
	}
	if number, ok := reflect.TypeAssert[json.Number](v); ok && !isNumber(t) {
		return fitNumber(dst, string(number), v.Type())
	}
	switch {
	case v.Kind() == reflect.String && reflect.PointerTo(t).Implements(textUnmarshalerType):
		if dst.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v.String())) != nil {
			return fmt.Errorf("a %s is not its text", v.Type())
		}
		return nil
	case v.Kind() == t.Kind() && (t.Kind() == reflect.String || t.Kind() == reflect.Bool):
		dst.Set(v.Convert(t))
		return nil
	case v.CanInt():
		return fitNumber(dst, strconv.FormatInt(v.Int(), 10), v.Type())
	case v.CanUint():
		return fitNumber(dst, strconv.FormatUint(v.Uint(), 10), v.Type())
	case v.CanFloat():
		return fitNumber(dst, strconv.FormatFloat(v.Float(), 'f', -1, v.Type().Bits()), v.Type())
	case v.Kind() == reflect.Slice && t.Kind() == reflect.Slice:
		list := reflect.MakeSlice(t, v.Len(), v.Len())
		for i := range v.Len() {
			if err := fit(list.Index(i), v.Index(i), depth); err != nil {
				return fmt.Errorf("element %d: %w", i, err)
			}
		}
		dst.Set(list)
		return nil
	case v.Kind() == reflect.Map && t.Kind() == reflect.Map && v.Type().Key().ConvertibleTo(t.Key()) && v.Type().Key().Kind() == t.Key().Kind():
		m := reflect.MakeMapWithSize(t, v.Len())
		for it := v.MapRange(); it.Next(); {
			elem := reflect.New(t.Elem()).Elem()
			if err := fit(elem, it.Value(), depth); err != nil {
				return fmt.Errorf("a value of the map: %w", err)
			}
			m.SetMapIndex(it.Key().Convert(t.Key()), elem)
		}
		dst.Set(m)
		return nil
	}
	return fmt.Errorf("a %s does not fit", v.Type())
}

// fitNumber sets dst to a number that it can hold exactly.
func fitNumber(dst reflect.Value, text string, from reflect.Type) error {
	var ok bool
	switch {
	case dst.CanInt():
		n, problem := parseInt([]byte(text))
		if ok = problem == "" && !dst.OverflowInt(n); ok {
			dst.SetInt(n)
		}
	case dst.CanUint():
		n, problem := parseUint([]byte(text))
		if ok = problem == "" && !dst.OverflowUint(n); ok {
			dst.SetUint(n)
		}
	case dst.CanFloat():
		f, err := strconv.ParseFloat(text, dst.Type().Bits())
		// An integer beyond 2^53 may not be representable as a float.
		integer := !strings.ContainsAny(text, ".eE")
		if ok = err == nil && !math.IsInf(f, 0) && (!integer || strconv.FormatFloat(f, 'f', -1, dst.Type().Bits()) == text); ok {
			dst.SetFloat(f)
		}
	case isNumber(dst.Type()):
		dst.SetString(text)
		ok = true
	default:
		return fmt.Errorf("a %s does not fit", from)
	}
	if !ok {
		return fmt.Errorf("the number of a %s does not fit exactly", from)
	}
	return nil
}
