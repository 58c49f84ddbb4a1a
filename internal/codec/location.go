// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/internal/gotype"
)

// location leads to a field, possibly through embedded pointers.
type location struct {
	hops  []*embeddedPointer
	place place
}

// embeddedPointer is an embedded pointer.
type embeddedPointer struct {
	place place
	ptr   gotype.Type
}

// find returns the ref of the field; ok is false if an embedded pointer on the way is nil.
func (l *location) find(r ref) (_ ref, ok bool) {
	for _, h := range l.hops {
		v := valueAt(h.place.in(r), gotype.Reflect(h.ptr))
		if v.IsNil() {
			return r, false
		}
		r = refFrom(v.Elem())
	}
	return l.place.in(r), true
}

// reach is find, but allocates the embedded structs on the way.
func (l *location) reach(r ref) ref {
	for _, h := range l.hops {
		v := valueAt(h.place.in(r), gotype.Reflect(h.ptr))
		if v.IsNil() {
			v.Set(reflect.New(gotype.Reflect(h.ptr).Elem()))
		}
		r = refFrom(v.Elem())
	}
	return l.place.in(r)
}

// locate splits an index path at the embedded pointers.
func locate(t reflect.Type, index []int, hops map[string]*embeddedPointer, p *Plan) (l location) {
	at, from := t, 0
	for i := range index {
		f := at.FieldByIndex(index[from : i+1])
		if i == len(index)-1 {
			l.place = newPlace(at, index[from:])
			break
		}
		if f.Type.Kind() != reflect.Pointer {
			continue
		}
		key := fmt.Sprint(index[:i+1])
		if hops[key] == nil {
			hops[key] = &embeddedPointer{place: newPlace(at, index[from:i+1]), ptr: gotype.Of(f.Type)}
			if len(l.hops) == 0 {
				p.hops = append(p.hops, hops[key])
			}
		}
		l.hops = append(l.hops, hops[key])
		at, from = f.Type.Elem(), i+1
	}
	return l
}
