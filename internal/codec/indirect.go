// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"reflect"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// pointer compiles *E: nil is NULL, and decoding allocates a new E.
func (c *compiler) pointer(v *Value) {
	elem := gotype.Reflect(v.typ).Elem()
	inner := c.value(elem, v.opts.inner())
	v.kind, v.elem, v.plan, v.to = inner.kind, inner.elem, inner.plan, inner
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		rv := valueAt(r, gotype.Reflect(v.typ))
		if rv.IsNil() { // below another pointer or an interface
			return append(b, nullValue...), nil
		}
		if err := e.follow(); err != nil {
			return b, err
		}
		b, err := inner.enc(e, b, refFrom(rv.Elem()))
		e.steps--
		return b, err
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		fresh := reflect.New(elem)
		if err := inner.dec(d, k, refFrom(fresh.Elem())); err != nil {
			return err
		}
		valueAt(r, gotype.Reflect(v.typ)).Set(fresh)
		return nil
	}
}

// ifaceCodec stores the value that an interface holds. If the interface holds a pointer, decoding sets the value that it points
// to. Otherwise an empty interface receives the natural Go value of the wire type.
func ifaceCodec(v *Value) {
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		rv := valueAt(r, gotype.Reflect(v.typ))
		if rv.IsNil() {
			return append(b, nullValue...), nil
		}
		if err := e.follow(); err != nil {
			return b, err
		}
		b, err := encodeDynamic(v, e, b, rv.Elem())
		e.steps--
		return b, err
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		rv := valueAt(r, gotype.Reflect(v.typ))
		if p := rv.Elem(); p.Kind() == reflect.Pointer && !p.IsNil() {
			return decodePreset(v, d, k, p)
		}
		if gotype.Reflect(v.typ).NumMethod() > 0 {
			return refuse(k, gotype.Reflect(v.typ), "an interface with methods must hold a pointer to decode into")
		}
		x, err := d.natural(k, v)
		if err != nil {
			return err
		}
		rv.Set(reflect.ValueOf(x))
		return nil
	}
}

func encodeDynamic(v *Value, e *encoder, b []byte, x reflect.Value) ([]byte, error) {
	if av, ok := reflect.TypeAssert[types.AttributeValue](x); ok {
		if x.Kind() == reflect.Pointer && x.IsNil() {
			return append(b, nullValue...), nil
		}
		return appendAV(b, av, e.depth)
	}
	c, err := dynamic(x.Type(), v.opts.inner())
	if err != nil {
		return b, unfit(gotype.Reflect(v.typ), err.Error())
	}
	// The value is copied to be addressable, so that methods on the pointer can be called.
	held := reflect.New(x.Type()).Elem()
	held.Set(x)
	return c.enc(e, b, refFrom(held))
}

// decodePreset decodes into the value that a pointer in the interface points to.
func decodePreset(v *Value, d *Decoder, k Kind, p reflect.Value) error {
	// An interface can lead to itself without a byte being read.
	if d.depth++; d.depth > maxDepth {
		return d.fail("less nesting")
	}
	c, err := dynamic(p.Type().Elem(), options{})
	if err != nil {
		return refuse(k, gotype.Reflect(v.typ), err.Error())
	}
	err = c.dec(d, k, refFrom(p.Elem()))
	d.depth--
	return err
}

// dynamic returns the codec of a type that is known only at run time. Options that do not fit it are ignored, because they may
// fit other values.
func dynamic(t reflect.Type, o options) (*Value, error) {
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if !canBeSet(base) {
		o.set = KindAny
	}
	if !isTime(base) {
		o.unixTime = false
	}
	if !hasMethods(base, textMarshalerType) || !hasMethods(base, textUnmarshalerType) {
		o.text = false
	}
	o = fitting(o, t)
	if c, ok := compiled.values.Load(valueKey{t, o}); ok {
		return c.(*Value), nil
	}
	var c *Value
	err := compile(t, func(comp *compiler) { c = comp.value(t, o) })
	return c, err
}

// natural returns the Go value of a payload for an empty interface.
func (d *Decoder) natural(k Kind, v *Value) (any, error) {
	switch k {
	case S:
		if v.opts.asString {
			return d.naturalNumber(k, v)
		}
		s, err := d.String()
		if err == nil {
			err = d.takes(boxed(len(s), 16))
		}
		return s, err
	case N:
		return d.naturalNumber(k, v)
	case B:
		p, err := d.bytes()
		if err == nil {
			err = d.takes(boxed(len(p), 24))
		}
		return p, err
	case BOOL:
		return d.boolean()
	case M:
		return d.naturalMap()
	case L:
		return d.naturalList()
	case SS:
		return d.stringList()
	case NS:
		return d.naturalNumbers(v)
	case BS:
		av, err := d.payload(k)
		if err != nil {
			return nil, err
		}
		return av.(*types.AttributeValueMemberBS).Value, nil
	}
	return nil, mismatch(k, gotype.Reflect(v.typ))
}

var anyValue = &Value{typ: gotype.Of(reflect.TypeFor[any]())}

func (d *Decoder) naturalValue() (any, error) {
	if text, ok := d.plain(plainString); ok {
		return d.keep(text), d.takes(boxed(len(text), 16))
	}
	if text, ok := d.plain(plainDigits); ok {
		x, problem := d.number(text)
		if problem != "" {
			return nil, refuse(N, gotype.Reflect(anyValue.typ), problem)
		}
		return x, d.takes(16)
	}
	k, err := d.kind()
	if err != nil {
		return nil, err
	}
	if k == NULL {
		if _, err := d.boolean(); err != nil {
			return nil, err
		}
		return nil, d.close()
	}
	x, err := d.natural(k, anyValue)
	if err != nil {
		return nil, err
	}
	return x, d.close()
}

// naturalList reads a list. If it has more than a few elements, they are counted before memory is allocated.
func (d *Decoder) naturalList() ([]any, error) {
	var few [smallMap]any // on the stack
	var list []any        // all, if there are more
	n := 0
	more, err := d.open('[', ']')
	for more && err == nil {
		if n == len(few) {
			room := 0
			if d.depth <= maxCounted {
				room = d.remaining()
			}
			if err := d.takes(24 + 16*(n+room)); err != nil {
				return nil, err
			}
			list = append(make([]any, 0, n+room), few[:]...)
		}
		if n >= len(few) {
			if err := listed(d, list); err != nil {
				return nil, err
			}
		}
		x, err := d.naturalValue()
		if err != nil {
			return nil, underIndex(n, err)
		}
		if n < len(few) {
			few[n] = x
		} else {
			list = append(list, x)
		}
		n++
		if more, err = d.more(']'); err != nil {
			return nil, err
		}
	}
	if err == nil && n <= len(few) {
		err = d.takes(24 + 16*n)
		list = append(make([]any, 0, n), few[:n]...)
	}
	return list, err
}

func (d *Decoder) naturalMap() (map[string]any, error) {
	m, err := map[string]any{}, d.takes(mapHeader)
	if err != nil {
		return nil, err
	}
	more, err := d.open('{', '}')
	for ; more && err == nil; more, err = d.more('}') {
		name, err := d.name()
		if err != nil {
			return nil, err
		}
		key, n := d.keep(name), len(m)
		if m, err = withRoom(d, m); err != nil {
			return nil, err
		}
		x, err := d.naturalValue()
		if err != nil {
			return nil, underKey(err)
		}
		if m[key] = x; len(m) == n {
			return nil, d.fail("each attribute name once")
		}
	}
	return m, err
}

// naturalLists reads a []any without reflection.
func naturalLists(v *Value) {
	if gotype.Reflect(v.typ) != reflect.TypeFor[[]any]() || v.opts.elem() != (options{}) {
		return
	}
	elems := v.dec
	v.dec = func(d *Decoder, k Kind, r ref) (err error) {
		if k != L {
			return elems(d, k, r)
		}
		*as[[]any](r), err = d.naturalList()
		return err
	}
}

// naturalNumber reads a number. With the option string, text that is not a number remains text.
func (d *Decoder) naturalNumber(k Kind, v *Value) (any, error) {
	s, err := d.text()
	if err != nil {
		return nil, err
	}
	x, problem := d.number(s)
	switch {
	case problem == "":
		return x, d.takes(16)
	case k == S:
		return d.keep(s), nil
	}
	return nil, refuse(k, gotype.Reflect(v.typ), problem)
}

// naturalNumbers returns []float64 if that holds every member exactly, and otherwise []attributevalue.Number.
func (d *Decoder) naturalNumbers(v *Value) (any, error) {
	texts, err := d.stringList()
	if err != nil {
		return nil, err
	}
	floats := make([]float64, 0, len(texts))
	for i, s := range texts {
		dec, problem := parseDecimal(s)
		if problem != "" {
			return nil, underIndex(i, refuse(NS, gotype.Reflect(v.typ), problem))
		}
		if f, ok := dec.float([]byte(s)); ok {
			floats = append(floats, f)
		}
	}
	if len(floats) == len(texts) {
		return floats, nil
	}
	numbers := make([]attributevalue.Number, len(texts))
	for i, s := range texts {
		numbers[i] = attributevalue.Number(s)
	}
	return numbers, d.takes(16 * len(texts))
}
