// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// hasMethods reports whether an addressable t has the methods of an interface.
func hasMethods(t, iface reflect.Type) bool {
	return reflect.PointerTo(t).Implements(iface)
}

// methods uses the type's own Marshaler, Unmarshaler and TextUnmarshaler in place of its structure. It reports whether they
// replace all of it.
func (c *compiler) methods(v *Value) bool {
	t := gotype.Reflect(v.typ)
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface || t == unixTimeType {
		return false
	}
	if hasMethods(t, marshalerType) {
		v.marshals, v.kind = true, KindAny
		v.plan, v.plain = nil, nil
		v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
			av, err := valueAt(r, t).Addr().Interface().(attributevalue.Marshaler).MarshalDynamoDBAttributeValue()
			if err != nil {
				return b, custom(false, t, "MarshalDynamoDBAttributeValue", err)
			}
			if av == nil {
				return b, unfit(t, "MarshalDynamoDBAttributeValue gave no value; give NULL to store nothing")
			}
			return AppendAttributeValue(b, av)
		}
	}
	if hasMethods(t, unmarshalerType) {
		v.unmarshals, v.kind, v.text = true, KindAny, nil
		v.dec = func(d *Decoder, k Kind, r ref) error {
			av, err := d.payload(k)
			if err != nil {
				return err
			}
			return unmarshal(t, r, av)
		}
		v.null = func(r ref) error { return unmarshal(t, r, &types.AttributeValueMemberNULL{Value: true}) }
	} else if natural := v.dec; natural != nil && v.kind != S && v.kind != KindAny && hasMethods(t, textUnmarshalerType) {
		v.dec = func(d *Decoder, k Kind, r ref) error {
			if k == S {
				return unmarshalText(d, t, r)
			}
			return natural(d, k, r)
		}
	}
	return v.marshals && v.unmarshals
}

func unmarshal(t reflect.Type, r ref, av types.AttributeValue) error {
	err := valueAt(r, t).Addr().Interface().(attributevalue.Unmarshaler).UnmarshalDynamoDBAttributeValue(av)
	if err != nil {
		return custom(true, t, "UnmarshalDynamoDBAttributeValue", err)
	}
	return nil
}

func unmarshalText(d *Decoder, t reflect.Type, r ref) error {
	s, err := d.text()
	if err != nil {
		return err
	}
	err = valueAt(r, t).Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(slices.Clip(s))
	if err != nil {
		return custom(true, t, "UnmarshalText", err)
	}
	return nil
}

// isTextOnly reports whether a type is a struct with text methods and no field to store, such as netip.Addr: a map of its fields
// would be empty.
func isTextOnly(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || !hasMethods(t, textMarshalerType) || !hasMethods(t, textUnmarshalerType) {
		return false
	}
	for _, f := range reflect.VisibleFields(t) {
		if f.IsExported() && !f.Anonymous && !ignored(f.Tag) {
			return false
		}
	}
	return true
}

// text compiles a type that is stored by its MarshalText and UnmarshalText.
func (c *compiler) text(v *Value) {
	t := gotype.Reflect(v.typ)
	own := hasMethods(t, textMarshalerType) && hasMethods(t, textUnmarshalerType)
	switch t.Kind() {
	case reflect.Pointer, reflect.Interface:
		c.kind(v) // the option applies to the value that the pointer or interface holds
		return
	case reflect.Slice, reflect.Array, reflect.Map:
		if !own && !isBytes(t) {
			c.kind(v) // and to the elements
			return
		}
	}
	if !own {
		c.unfit(t, "tag option text needs MarshalText and UnmarshalText")
		return
	}
	var natural func(*Decoder, Kind, ref) error
	if !isTextOnly(t) {
		c.kind(v) // items that were written without the option can still be read
		natural = v.dec
	}
	v.kind, v.text, v.put, v.plain, v.elem, v.plan = S, nil, nil, nil, nil, nil
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		text, err := valueAt(r, t).Addr().Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			return b, custom(false, t, "MarshalText", err)
		}
		b, ok := appendText(append(b, `{"S":`...), string(text))
		if !ok {
			return b, unfit(t, "MarshalText gave text that is not valid UTF-8")
		}
		return append(b, '}'), nil
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		switch {
		case k == S:
			return unmarshalText(d, t, r)
		case natural != nil:
			return natural(d, k, r)
		}
		return v.mismatch(k)
	}
}

// bridgeCodec passes the SDK's own values through.
func bridgeCodec(v *Value) {
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		av := *as[types.AttributeValue](r)
		if av == nil {
			return append(b, nullValue...), nil
		}
		return appendAV(b, av, e.depth)
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		av, err := d.payload(k)
		if err == nil {
			*as[types.AttributeValue](r) = av
		}
		return err
	}
	v.null = func(r ref) error {
		*as[types.AttributeValue](r) = &types.AttributeValueMemberNULL{Value: true}
		return nil
	}
}
