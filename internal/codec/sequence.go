package codec

import (
	"encoding/base64"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// sequence compiles slices and arrays: bytes, sets and lists.
func (c *compiler) sequence(v *Value) {
	if isBytes(v.typ) {
		v.elem = c.value(v.typ.Elem(), options{})
		bytesCodec(v)
		return
	}
	if v.typ == reflect.TypeFor[[][]byte]() && v.opts.set == KindAny {
		v.opts.set = BS // as in attributevalue
	}
	v.elem = c.value(v.typ.Elem(), v.opts.elem())
	if v.opts.set == KindAny {
		listCodec(v)
		return
	}
	if k := v.elem.Kind(); k != KindAny && k != v.opts.set.member() {
		c.unfit(v.typ, "a set of type "+v.opts.set.String()+" cannot hold members that are stored as "+k.String())
	}
	setCodec(v)
}

// isBytes reports slices and arrays that are stored as binary.
func isBytes(t reflect.Type) bool {
	return (t.Kind() == reflect.Slice || t.Kind() == reflect.Array) && t.Elem().Kind() == reflect.Uint8
}

func bytesCodec(v *Value) {
	v.kind = B
	v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
		return append(appendBinary(append(b, `{"B":`...), valueAt(r, v.typ).Bytes()), '}'), nil
	}
	if v.typ.Kind() == reflect.Slice && v.typ.Elem() == reflect.TypeFor[byte]() {
		v.enc = func(_ *encoder, b []byte, r ref) ([]byte, error) {
			return append(appendBinary(append(b, `{"B":`...), *as[[]byte](r)), '}'), nil
		}
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		switch {
		case k != B:
			return v.decodeElems(d, k, r)
		case v.typ.Kind() == reflect.Slice:
			p, err := d.bytes()
			if err != nil {
				return err
			}
			if v.typ.Elem() == reflect.TypeFor[byte]() {
				*as[[]byte](r) = p
			} else {
				valueAt(r, v.typ).SetBytes(p)
			}
			return nil
		default:
			return v.fillArray(d, r)
		}
	}
	v.plain = func(r ref) types.AttributeValue {
		rv := valueAt(r, v.typ)
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
	dst := valueAt(r, v.typ).Bytes()
	buf := d.alloc(base64.StdEncoding.DecodedLen(len(s)))
	n, err := decode64(buf, s)
	if err != nil {
		return d.fail("base64")
	}
	if n != len(dst) {
		return refuse(B, v.typ, "the array needs exactly as many bytes as it is long")
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
		rv := valueAt(r, v.typ)
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
	if v.typ.Kind() == reflect.Slice && v.typ.Elem() == reflect.TypeFor[string]() {
		v.isNil = func(r ref) bool { return *as[[]string](r) == nil }
		v.empty = v.isNil
		if v.opts.elem() == (options{}) {
			v.enc = encodeStrings(v)
		}
		v.dec = v.decodeStrings
	}
}

// encodeStrings is the list encoder of []string.
func encodeStrings(v *Value) func(*encoder, []byte, ref) ([]byte, error) {
	return func(_ *encoder, b []byte, r ref) ([]byte, error) {
		b = append(b, `{"L":[`...)
		for i, s := range *as[[]string](r) {
			if i > 0 {
				b = append(b, ',')
			}
			var ok bool
			if b, ok = appendEscaped(append(b, `{"S":"`...), s); !ok {
				return b, underIndex(i, unfit(v.elem.typ, notText))
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
	rv := valueAt(r, v.typ)
	slice := rv.Kind() == reflect.Slice
	if slice {
		rv.Set(reflect.MakeSlice(v.typ, 0, 0))
	}
	n := 0
	more, err := d.open('[', ']')
	for ; more && err == nil; more, err = d.more(']') {
		switch {
		case slice:
			if n == rv.Cap() {
				rv.Grow(max(1, min(4, 256/max(1, int(v.elem.typ.Size())))))
			}
			rv.SetLen(n + 1)
		case n == rv.Len():
			return refuse(k, v.typ, "more elements than the array has")
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

// decodeStrings is decodeElems of []string.
func (v *Value) decodeStrings(d *Decoder, k Kind, r ref) error {
	if k != L && k != SS && k != NS {
		return v.decodeElems(d, k, r)
	}
	base := len(d.strs)
	more, err := d.open('[', ']')
	for ; more && err == nil; more, err = d.more(']') {
		var text []byte
		var ok bool
		if k == L {
			text, ok = d.plain(plainString)
		} else {
			text, ok = d.plainMember()
		}
		if ok {
			d.strs = append(d.strs, d.keep(text))
			continue
		}
		d.strs = append(d.strs, "")
		at := &d.strs[len(d.strs)-1]
		if k != L {
			*at, err = d.String()
		} else {
			err = v.elem.decode(d, refOf(at))
		}
		if err != nil {
			return underIndex(len(d.strs)-1-base, err)
		}
	}
	if err != nil {
		return err
	}
	out := d.stringSlice(len(d.strs) - base)
	copy(out, d.strs[base:])
	clear(d.strs[base:])
	d.strs = d.strs[:base]
	*as[[]string](r) = out
	return nil
}

// stringSlice carves a slice from a block that the rows of a large body share.
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
