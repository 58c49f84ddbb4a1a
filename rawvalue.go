// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"reflect"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/rawitem"
)

// RawAttr returns the handle of an attribute of raw items. Its conditions and changes accept values of any Go type that can
// be stored:
//
//	t.Update(ctx, key, ddb.RawAttr("status").Set("paid"), ddb.If(ddb.RawAttr("total").Ge(100)))
//
// A [rawitem.Value] and a value in the SDK's form are used unchanged. Each further name is a key of a map or, written as "[0]",
// the index of a list element, counted from 0. For changes such as Add and Append use [RawChangeText].
func RawAttr(name string, below ...string) Str[rawitem.Item, any] {
	return Str[rawitem.Item, any](handle.Named(reflect.TypeFor[rawitem.Item](), name, below))
}

// RawKey returns the handle of a key attribute of raw items; t is [attrtype.String], [attrtype.Number] or [attrtype.Binary]. A call with a
// value of another type is refused before anything is sent.
func RawKey(name string, t attrtype.Type) Ord[rawitem.Item, rawitem.Value] {
	return Ord[rawitem.Item, rawitem.Value](handle.RawKey(name, t))
}

// RawKeys returns the key of a global index of raw items, of up to four attributes, or of none for an index without a sort
// key. Its values are lists: all values of a partition key, or the first values of a sort key; a condition applies to the
// last value given.
//
//	byStatus, err := ddb.NewIndex(t, "by-status", ddb.RawKeys(ddb.RawKey("status", "S")), ddb.RawKeys())
func RawKeys(attrs ...Ord[rawitem.Item, rawitem.Value]) MultiKey[rawitem.Item, []rawitem.Value] {
	s := new(handle.SeveralAttrs)
	for _, a := range attrs {
		s.Handles = append(s.Handles, (*handle.Handle)(a))
	}
	s.Encode = func(key any, n int) ([]types.AttributeValue, error) {
		values := *key.(*[]rawitem.Value) //nolint:forcetypeassert // the type of the key
		if len(values) > len(attrs) || len(values) < min(n, len(attrs)) {
			return nil, fmt.Errorf("a key of %d attributes is given %d values", len(attrs), len(values))
		}
		var (
			avs  []types.AttributeValue
			errs []error
		)
		for i := range values {
			part, err := handle.EncodeKey(attrs[i], &values[i], 1)
			avs, errs = append(avs, part...), append(errs, err)
		}
		return avs, errors.Join(errs...)
	}
	return MultiKey[rawitem.Item, []rawitem.Value]{s}
}

// RawBeginsWith is [BeginsWith] for sort keys of raw items that are text or bytes. Of several values the last is the prefix.
func RawBeginsWith[SK rawitem.Value | []rawitem.Value](prefix SK) SortCond[SK] {
	return SortCond[SK]{handle.SortCond{Op: "begins_with", Low: &prefix}}
}
