// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/dynamotable/ddb/internal/gotype"
)

// canBeSet reports whether the tag options of sets can be used with the type.
func canBeSet(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Slice, reflect.Array:
		return !isBytes(t)
	case reflect.Map:
		return t.Elem().Kind() == reflect.Bool || t.Elem().Kind() == reflect.Struct && t.Elem().NumField() == 0
	}
	return false
}

// mapSet stores the keys of a map[K]struct{} as a set. Of a map[K]bool it stores the keys whose value is true.
func (c *compiler) mapSet(v *Value) {
	if !canBeSet(gotype.Reflect(v.typ)) {
		return // checkOptions reports this
	}
	slice := reflect.SliceOf(gotype.Reflect(v.typ).Key())
	opts := v.opts
	opts.omitEmpty, opts.nullEmpty = false, false
	members := c.value(slice, opts)
	flags := gotype.Reflect(v.typ).Elem().Kind() == reflect.Bool
	v.kind, v.isSet, v.members, v.elem = v.opts.set, true, members, members.elem
	v.empty = func(r ref) bool {
		m := valueAt(r, gotype.Reflect(v.typ))
		if !flags {
			return m.Len() == 0
		}
		for it := m.MapRange(); it.Next(); {
			if it.Value().Bool() {
				return false
			}
		}
		return true
	}
	v.enc = func(e *encoder, b []byte, r ref) ([]byte, error) {
		m := valueAt(r, gotype.Reflect(v.typ))
		list := reflect.New(slice).Elem()
		for it := m.MapRange(); it.Next(); {
			if !flags || it.Value().Bool() {
				list.Set(reflect.Append(list, it.Key()))
			}
		}
		sortValues(list)
		return members.enc(e, b, refFrom(list))
	}
	v.dec = func(d *Decoder, k Kind, r ref) error {
		list := reflect.New(slice).Elem()
		if err := members.dec(d, k, refFrom(list)); err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(gotype.Reflect(v.typ), list.Len())
		in := reflect.Zero(gotype.Reflect(v.typ).Elem())
		if flags {
			in = reflect.ValueOf(true).Convert(gotype.Reflect(v.typ).Elem())
		}
		for i := range list.Len() {
			m.SetMapIndex(list.Index(i), in)
		}
		valueAt(r, gotype.Reflect(v.typ)).Set(m)
		return nil
	}
}

// sortValues sorts members, so that equal sets are stored as equal bytes.
func sortValues(list reflect.Value) {
	order := func(a, b reflect.Value) int {
		switch {
		case a.Kind() == reflect.String:
			return cmp.Compare(a.String(), b.String())
		case a.CanInt():
			return cmp.Compare(a.Int(), b.Int())
		case a.CanUint():
			return cmp.Compare(a.Uint(), b.Uint())
		case a.CanFloat():
			return cmp.Compare(a.Float(), b.Float())
		}
		return 0 // structs and arrays with text methods have no natural order
	}
	all := make([]reflect.Value, list.Len())
	for i := range all {
		all[i] = reflect.New(list.Type().Elem()).Elem()
		all[i].Set(list.Index(i))
	}
	slices.SortStableFunc(all, order)
	for i, m := range all {
		list.Index(i).Set(m)
	}
}
