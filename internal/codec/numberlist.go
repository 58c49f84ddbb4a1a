// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"reflect"

	"github.com/dynamotable/ddb/internal/gotype"
)

// numberLists reads lists and sets of the predeclared number types without reflection.
func numberLists(v *Value) {
	if v.elem.opts != (options{}) || v.elem.kind != N || v.elem.unmarshals {
		return
	}
	switch gotype.Reflect(v.typ) {
	case reflect.TypeFor[[]int]():
		numberList(v, parseSigned[int])
	case reflect.TypeFor[[]int32]():
		numberList(v, parseSigned[int32])
	case reflect.TypeFor[[]int64]():
		numberList(v, parseSigned[int64])
	case reflect.TypeFor[[]uint64]():
		numberList(v, parseUnsigned[uint64])
	case reflect.TypeFor[[]float32]():
		numberList(v, func(s []byte) (float32, string) { f, problem := parseFloat(s, 32); return float32(f), problem })
	case reflect.TypeFor[[]float64]():
		numberList(v, func(s []byte) (float64, string) { return parseFloat(s, 64) })
	}
}

func numberList[E int | int32 | int64 | uint64 | float32 | float64](v *Value, parse func([]byte) (E, string)) {
	v.dec = func(d *Decoder, k Kind, r ref) error {
		switch k {
		case L:
		case NS:
			members, plain, err := d.setMembers()
			if err != nil {
				return err
			}
			if !plain {
				return v.decodeElems(d, k, r)
			}
			out := make([]E, len(members))
			for i, m := range members {
				var problem string
				if out[i], problem = parse(d.at(m)); problem != "" {
					return underIndex(i, refuse(N, gotype.Reflect(v.elem.typ), problem))
				}
			}
			*as[[]E](r) = out
			return nil
		default:
			return v.decodeElems(d, k, r)
		}
		var few [16]E
		n, long := 0, []E(nil)
		more, err := d.open('[', ']')
		for more && err == nil {
			var x E
			if text, ok := d.plain(plainDigits); ok {
				var problem string
				if x, problem = parse(text); problem != "" {
					err = refuse(N, gotype.Reflect(v.elem.typ), problem)
				}
			} else {
				one := new(E)
				err = v.elem.decode(d, refOf(one))
				x = *one
			}
			if err != nil {
				return underIndex(n+len(long), err)
			}
			if n < len(few) {
				few[n] = x
				n++
			} else {
				long = append(long, x)
			}
			more, err = d.more(']')
		}
		if err != nil {
			return err
		}
		out := make([]E, n+len(long))
		copy(out[copy(out, few[:n]):], long)
		*as[[]E](r) = out
		return nil
	}
}
