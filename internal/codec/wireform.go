// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// wireForm is a Go type that holds an item or a value as the bytes of its wire form. These bytes are written and read unchanged.
type wireForm struct {
	bytes func(ref) *[]byte
	value *Value // of an item: the codec of its attributes
}

var wireForms struct {
	items  sync.Map // reflect.Type -> *wireForm
	values sync.Map
}

// HoldsItem declares, at the start of a program, that T holds an item in wire form in the bytes that the function returns, with
// attributes of a type that was declared by [HoldsValue].
func HoldsItem[T, V any](bytes func(*T) *[]byte) {
	v, err := ValueOf(reflect.TypeFor[V](), "")
	if err != nil {
		panic(err) // an error of the package that declares it
	}
	wireForms.items.Store(reflect.TypeFor[T](), &wireForm{bytes: func(r ref) *[]byte { return bytes(as[T](r)) }, value: v})
}

// HoldsValue declares that T holds a value in wire form, such as {"S":"a"}.
func HoldsValue[T any](bytes func(*T) *[]byte) {
	wireForms.values.Store(reflect.TypeFor[T](), &wireForm{bytes: func(r ref) *[]byte { return bytes(as[T](r)) }})
}

func wireItemOf(t reflect.Type) *wireForm {
	w, _ := wireForms.items.Load(t)
	f, _ := w.(*wireForm)
	return f
}

func wireValueOf(t reflect.Type) *wireForm {
	w, _ := wireForms.values.Load(t)
	f, _ := w.(*wireForm)
	return f
}

// IsWire reports whether the items of the plan are held as bytes. Such items can have attributes of any name.
func (p *Plan) IsWire() bool { return p.wire != nil }

// IsWire reports whether values are held as bytes.
func (c *Value) IsWire() bool { return wireValueOf(gotype.Reflect(c.typ)) != nil }

// OfKind returns the codec of values in wire form that all have one kind.
func (c *Value) OfKind(k Kind) *Value {
	fixed := *c
	fixed.kind = k
	fixed.isNil = nil
	enc, dec := c.enc, c.dec
	fixed.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		from := len(b)
		b, err := enc(e, b, r)
		if err != nil {
			return b, err
		}
		if have := KindIn(b[from:]); have != k {
			return b, unfit(nil, fmt.Sprintf("it is stored as %s, and the value given is %s", k, have))
		}
		return b, nil
	}
	fixed.dec = func(d *Decoder, have Kind, r ref) error {
		if have != k {
			return c.mismatch(have)
		}
		return dec(d, have, r)
	}
	return &fixed
}

// KindIn returns the kind of a valid value in wire form.
func KindIn(b []byte) Kind {
	_, b, _ = bytes.Cut(b, []byte{'"'})
	tag, _, _ := bytes.Cut(b, []byte{'"'})
	k, _ := kindOf(tag)
	return k
}

// wireValueCodec passes a value in wire form through.
func wireValueCodec(v *Value, w *wireForm) {
	v.kind = KindAny
	none := func(r ref) bool { return len(*w.bytes(r)) == 0 }
	v.empty, v.isNil = none, none
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		data := *w.bytes(r)
		if len(data) == 0 {
			return b, unfit(nil, "the value is missing")
		}
		return append(b, data...), nil
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		payload, err := d.Raw()
		if err == nil {
			*w.bytes(r) = slices.Concat([]byte(`{"`+k.String()+`":`), payload, []byte{'}'})
		}
		return err
	}
	v.null = func(r ref) error {
		*w.bytes(r) = []byte(nullValue)
		return nil
	}
}

// wireItemCodec stores an item in wire form as a map.
func wireItemCodec(v *Value, w *wireForm) {
	v.kind, v.elem = M, w.value
	v.empty = func(r ref) bool { return len(*w.bytes(r)) == 0 }
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		return append(w.append(append(b, `{"M":`...), r), '}'), nil
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		if k != M {
			return v.mismatch(k)
		}
		payload, err := d.Raw()
		if err == nil {
			*w.bytes(r) = slices.Clone(payload)
		}
		return err
	}
}

// append writes the item.
func (w *wireForm) append(b []byte, r ref) []byte {
	data := *w.bytes(r)
	if data == nil {
		return append(b, `{}`...)
	}
	return append(b, data...)
}

// decode keeps the bytes of the item at the decoder's position, and records the watched attributes.
func (w *wireForm) decode(d *Decoder, r ref) error {
	d.Peek()
	from := d.i
	err := d.Object(func(name []byte) error {
		at := slices.IndexFunc(d.capture, func(watched string) bool { return watched == string(name) })
		value, err := d.Raw()
		if at >= 0 {
			d.captured[at] = value
		}
		return err
	})
	if err == nil {
		*w.bytes(r) = slices.Clone(d.Since(from))
	}
	return err
}

// fromAny is [Value.FromAny] for a value in wire form. It accepts everything that any field could hold.
func (c *Value) fromAny(v any) (types.AttributeValue, error) {
	if av, ok := v.(types.AttributeValue); ok {
		// The value is encoded once, so that a nil pointer and an unknown type are rejected.
		data, err := AppendAttributeValue(nil, av)
		if err != nil {
			return nil, withType(false, gotype.Reflect(c.typ), err)
		}
		return ParseAttributeValue(data)
	}
	if v == nil {
		return &types.AttributeValueMemberNULL{Value: true}, nil
	}
	held := reflect.New(reflect.TypeOf(v))
	held.Elem().Set(reflect.ValueOf(v))
	of, err := ValueOf(held.Type().Elem(), "")
	if err != nil {
		return nil, err
	}
	return of.attributeValue(refFrom(held.Elem()))
}

// AppendName appends the name of an attribute, which must be valid UTF-8, in quotes.
func AppendName(b []byte, name string) []byte {
	b, _ = appendText(b, name)
	return b
}
