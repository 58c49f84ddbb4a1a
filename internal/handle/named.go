// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/rawitem"
)

// Named returns the handle of an attribute by its name and the names below it: fields, keys of maps, indexes of lists. Its values are of
// any type.
func Named(item reflect.Type, name string, below []string) *Handle {
	return &Handle{&attribute{item: gotype.Of(item), find: func(h *Handle) {
		plan, err := codec.PlanOf(item)
		if err != nil {
			h.a.err = err
			return
		}
		f, ok := plan.Field(name)
		if !ok {
			h.a.err = fmt.Errorf("%s has no attribute %q", item, name)
			return
		}
		h.a.path, h.a.field, h.a.value, h.a.anyType = expr.Attribute(f.Name), f, f.Codec, true
		for _, step := range below {
			if h.a.err = h.into(step); h.a.err != nil {
				return
			}
		}
	}}}
}

// RawKey returns the handle of a key attribute of raw items.
func RawKey(name string, t attrtype.Type) *Handle {
	item := reflect.TypeFor[rawitem.Item]()
	return &Handle{&attribute{item: gotype.Of(item), find: func(h *Handle) {
		plan, err := codec.PlanOf(item)
		if err != nil {
			h.a.err = err
			return
		}
		f, ok := plan.Field(name)
		kind, known := map[attrtype.Type]codec.Kind{attrtype.String: codec.S, attrtype.Number: codec.N, attrtype.Binary: codec.B}[t]
		switch {
		case !ok:
			h.a.err = errors.New("KeyAttr: the name of the attribute is empty")
		case !known:
			h.a.err = fmt.Errorf("KeyAttr of attribute %s: type %q; a key is text (S), number (N) or binary (B)", name, t)
		default:
			f.Codec = f.Codec.OfKind(kind)
			h.a.path, h.a.field, h.a.value = expr.Attribute(name), f, f.Codec
		}
	}}}
}
