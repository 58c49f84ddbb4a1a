// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/base64"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/gotype"
)

// sequence compiles slices and arrays: bytes, sets and lists.
func (c *compiler) sequence(v *Value) {
	if isBytes(gotype.Reflect(v.typ)) {
		v.elem = c.value(gotype.Reflect(v.typ).Elem(), options{})
		bytesCodec(v)
		return
	}
	if gotype.Reflect(v.typ) == reflect.TypeFor[[][]byte]() && v.opts.set == KindAny {
		v.opts.set = BS // like attributevalue
	}
	v.elem = c.value(gotype.Reflect(v.typ).Elem(), v.opts.elem())
	if v.opts.set == KindAny {
		listCodec(v)
		return
	}
	if k := v.elem.Kind(); k != KindAny && k != v.opts.set.member() {
		c.unfit(gotype.Reflect(v.typ), "a set of type "+v.opts.set.String()+" cannot hold members that are stored as "+k.String())
	}
	setCodec(v)
}

// isBytes reports whether a slice or array is stored as binary.
func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8
}

func bytesCodec(v *Value) {
	v.kind = B
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		return append(appendBinary(append(b, `{"B":`...), valueAt(r, gotype.Reflect(v.typ)).Bytes()), '}'), nil
	}
	if gotype.Reflect(v.typ).Kind() == reflect.Slice && gotype.Reflect(v.typ).Elem() == reflect.TypeFor[byte]() {
		v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
			return append(appendBinary(append(b, `{"B":`...), *as[[]byte](r)), '}'), nil
		}
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		switch {
		case k != B:
			return v.decodeElems(d, k, r)
		case gotype.Reflect(v.typ).Kind() == reflect.Slice:
			p, err := d.bytes()
			if err != nil {
				return err
			}
			if gotype.Reflect(v.typ).Elem() == reflect.TypeFor[byte]() {
				*as[[]byte](r) = p
			} else {
				valueAt(r, gotype.Reflect(v.typ)).SetBytes(p)
			}
			return nil
		default:
			return v.fillArray(d, r)
		}
	}
	v.plain = func(r ref) types.AttributeValue {
		rv := valueAt(r, gotype.Reflect(v.typ))
		if v.isNil != nil && v.isNil(r) {
			return nil
		}
		return &types.AttributeValueMemberB{Value: append([]byte{}, rv.Bytes()...)}
	}
}

// fillArray reads binary of exactly the array's length.
func (v *Value) fillArray(d *Decoder, r ref) error {
	s, err := d.base64()
	if err != nil {
		return err
	}
	dst := valueAt(r, gotype.Reflect(v.typ)).Bytes()
	buf := d.alloc(base64.StdEncoding.DecodedLen(len(s)))
	n, err := decode64(buf, s)
	if err != nil {
		return d.fail("base64")
	}
	if n != len(dst) {
		return refuse(B, gotype.Reflect(v.typ), "the array needs exactly as many bytes as it is long")
	}
	copy(dst, buf)
	return nil
}

func listCodec(v *Value) {
	v.kind = L
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		if err := e.enter(); err != nil {
			return b, err
		}
		rv := valueAt(r, gotype.Reflect(v.typ))
		b = append(b, `{"L":[`...)
		first := true
		for i := range rv.Len() {
			er := refFrom(rv.Index(i))
			if v.elem.omit(er) {
				continue
			}
			if !first {
				b = append(b, ',')
			}
			first = false
			var err error
			if b, err = v.elem.append(e, b, er); err != nil {
				return b, underIndex(i, err)
			}
		}
		e.leave()
		return append(b, `]}`...), nil
	}
	v.dec = v.decodeElems
	if gotype.Reflect(v.typ).Kind() == reflect.Slice && gotype.Reflect(v.typ).Elem() == reflect.TypeFor[string]() {
		v.empty = func(r ref) bool { return *as[[]string](r) == nil }
		if v.opts.elem() == (options{}) {
			v.enc = encodeStrings(v)
		}
		v.dec = v.decodeStrings
	}
	numberLists(v)
	naturalLists(v)
}

// encodeStrings encodes a []string as a list.
func encodeStrings(v *Value) func(*encoder, []byte, ref) ([]byte, error) {
	return func(_ *encoder, b []byte, r ref) ([]byte, error) {
		b = append(b, `{"L":[`...)
		for i, s := range *as[[]string](r) {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = appendEscaped(append(b, `{"S":"`...), s); !ok {
				return b, underIndex(i, unfit(gotype.Reflect(v.elem.typ), notText))
			}
			b = append(b, endText...)
		}
		return append(b, `]}`...), nil
	}
}

// decodeElems reads a list or a set into a slice or array.
func (v *Value) decodeElems(d *Decoder, k Kind, r ref) error {
	member := k.member()
	if k != L && member == KindAny {
		return v.mismatch(k)
	}
	rv := valueAt(r, gotype.Reflect(v.typ))
	slice := rv.Kind() == reflect.Slice
	at := d.mark()
	var members []extent
	plain := false
	if k != L {
		var err error
		if members, plain, err = d.setMembers(); err != nil {
			return err
		}
	}
	if slice {
		rv.Set(reflect.MakeSlice(gotype.Reflect(v.typ), 0, len(members)))
	}
	if plain && slice && v.elem.text != nil && v.elem.kind == member {
		rv.SetLen(len(members))
		for i, m := range members {
			if err := v.elem.text(d, member, d.at(m), refFrom(rv.Index(i))); err != nil {
				return underIndex(i, err)
			}
		}
		return nil
	}
	if k != L {
		d.rewind(at)
	}
	n := 0
	more, err := d.open('[', ']')
	for ; more && err == nil; more, err = d.more(']') {
		switch {
		case slice:
			if n == rv.Cap() {
				rv.Grow(max(1, min(4, 256/max(1, int(gotype.Reflect(v.elem.typ).Size())))))
			}
			rv.SetLen(n + 1)
		case n == rv.Len():
			return refuse(k, gotype.Reflect(v.typ), "more elements than the array has")
		}
		er := refFrom(rv.Index(n))
		if k == L {
			err = v.elem.decode(d, er)
		} else {
			err = v.elem.dec(d, member, er)
		}
		if err != nil {
			return underIndex(n, err)
		}
		n++
	}
	if err == nil && !slice {
		for ; n < rv.Len(); n++ {
			rv.Index(n).SetZero()
		}
	}
	return err
}

// decodeStrings is decodeElems for []string.
func (v *Value) decodeStrings(d *Decoder, k Kind, r ref) error {
	if k != L && k != SS && k != NS {
		return v.decodeElems(d, k, r)
	}
	if k != L {
		members, plain, err := d.setMembers()
		if err != nil {
			return err
		}
		if plain {
			out := d.stringSlice(len(members))
			for i, m := range members {
				out[i] = d.keep(d.at(m))
			}
			*as[[]string](r) = out
			return nil
		}
	}
	var few [8]string // on the stack, where the garbage collector's write barrier is not needed
	n, long := 0, d.strs[:0]
	more, err := d.open('[', ']')
	for more && err == nil {
		var s string
		if s, err = v.decodeString(d, k); err != nil {
			err = underIndex(n+len(long), err)
			break
		}
		if n < len(few) {
			few[n] = s
			n++
		} else {
			long = append(long, s)
		}
		more, err = d.more(']')
	}
	if err == nil {
		out := d.stringSlice(n + len(long))
		copy(out[copy(out, few[:n]):], long)
		*as[[]string](r) = out
	}
	clear(long)
	if d.strs = long[:0]; cap(long) > 4<<10 {
		d.strs = nil
	}
	return err
}

// decodeString reads an element of a list or set.
func (v *Value) decodeString(d *Decoder, k Kind) (string, error) {
	if k != L {
		if text, ok := d.plainMember(); ok {
			return d.keep(text), nil
		}
		return d.String()
	}
	if text, ok := d.plain(plainString); ok {
		return d.keep(text), nil
	}
	d.str = ""
	err := v.elem.decode(d, refOf(&d.str))
	return d.str, err
}

// stringSlice returns part of a block that the rows of a large body share.
func (d *Decoder) stringSlice(n int) []string {
	switch {
	case n == 0:
		return []string{}
	case len(d.b) < 8<<10 || n > 64 || d.chunk == 0:
		return make([]string, n)
	case cap(d.strings)-len(d.strings) < n:
		d.strings = make([]string, 0, 256)
	}
	from := len(d.strings)
	d.strings = d.strings[:from+n]
	return d.strings[from : from+n : from+n]
}
