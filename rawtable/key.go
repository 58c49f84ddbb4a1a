// SPDX-License-Identifier: Apache-2.0

package rawtable

import (
	"reflect"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/rawitem"
)

// Attr returns the handle of an attribute of raw items. Its conditions and changes accept values of any Go type that can
// be stored:
//
//	t.Update(ctx, key, rawtable.Attr("status").Set("paid"), ddb.If(rawtable.Attr("total").Ge(100)))
//
// A [rawitem.Value] and a value in the SDK's form are used unchanged. Each further name is a key of a map or, written as "[0]",
// the index of a list element, counted from 0. For changes such as Add and Append use rawexpr.ChangeText.
func Attr(name string, below ...string) ddb.Str[rawitem.Item, any] {
	return ddb.Str[rawitem.Item, any](handle.Named(reflect.TypeFor[rawitem.Item](), name, below))
}

// KeyAttr returns the handle of a key attribute of raw items; t is [attrtype.String], [attrtype.Number] or [attrtype.Binary]. A call with a
// value of another type is refused before anything is sent.
func KeyAttr(name string, t attrtype.Type) ddb.Ord[rawitem.Item, rawitem.Value] {
	return ddb.Ord[rawitem.Item, rawitem.Value](handle.RawKey(name, t))
}

// BeginsWith is [ddb.BeginsWith] for sort keys of raw items that are text or bytes. Of several values the last is the prefix.
func BeginsWith[SK rawitem.Value | []rawitem.Value](prefix SK) ddb.SortCond[SK] {
	return ddb.SortCond[SK](handle.NewSortCond("begins_with", &prefix, nil))
}
