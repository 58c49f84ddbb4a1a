// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/gotype"
	"github.com/dynamotable/ddb/internal/quiet"
)

// RawValue is one attribute value in the service's form, such as {"N":"1.50"}, for attributes whose Go type a program does
// not know: the text of numbers, sets and binary values are unchanged. A field of this type is stored and read unchanged.
// The zero RawValue is no value: a field is stored as NULL, or left out with omitempty, and a key is refused. Printing it
// shows no data.
type RawValue struct{ data []byte }

// The codec passes the bytes of both types through.
func init() { //nolint:gochecknoinits // the codec has to know the types before the first plan is made
	codec.HoldsValue(func(v *RawValue) *[]byte { return &v.data })
	codec.HoldsItem[RawItem, RawValue](func(i *RawItem) *[]byte { return &i.data })
}

// ParseRawValue reads a value in DynamoDB's JSON, such as {"S":"a"}. What DynamoDB would not store is refused: unknown
// types, malformed numbers, empty sets and sets with duplicate members. White space is dropped; everything else is kept as
// written.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
func ParseRawValue(data []byte) (RawValue, error) {
	if err := codec.CheckValue(data); err != nil {
		return RawValue{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return RawValue{codec.AppendCompact(make([]byte, 0, len(data)), data)}, nil
}

// RawValueOf converts a value from the SDK's form, with the checks of [ParseRawValue].
func RawValueOf(av types.AttributeValue) (RawValue, error) {
	data, err := codec.AppendAttributeValue(nil, av)
	if err == nil {
		err = codec.CheckValue(data)
	}
	if err != nil {
		return RawValue{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return RawValue{data}, nil
}

// IsZero reports whether there is no value.
func (v RawValue) IsZero() bool { return len(v.data) == 0 }

// JSON returns a copy of the value in DynamoDB's JSON, {"S":"a"}; nil for the zero RawValue.
func (v RawValue) JSON() []byte { return slices.Clone(v.data) }

// Value returns the value in the SDK's form. The zero RawValue is an error.
func (v RawValue) Value() (types.AttributeValue, error) {
	if v.IsZero() {
		return nil, errors.New("ddb: a zero RawValue has no value")
	}
	return codec.ParseAttributeValue(v.data)
}

// Equal reports whether two values are equal; see [RawItem.Equal].
func (v RawValue) Equal(other RawValue) bool {
	return v.IsZero() && other.IsZero() || !v.IsZero() && !other.IsZero() && codec.EqualValues(v.data, other.data)
}

// Type returns the DynamoDB type of the value; it is empty for the zero RawValue.
func (v RawValue) Type() attrtype.Type {
	if v.IsZero() {
		return ""
	}
	return attrtype.Type(codec.KindIn(v.data).String())
}

func (v RawValue) text() string { return fmt.Sprintf("RawValue of %d bytes", len(v.data)) }

// String returns the length of the value, without its data.
func (v RawValue) String() string { return v.text() }

// Format prints the same for every verb.
func (v RawValue) Format(s fmt.State, verb rune) { quiet.Format(s, verb, v.text()) }

// MarshalJSON returns the same text; [RawValue.JSON] returns the data.
func (v RawValue) MarshalJSON() ([]byte, error) { return json.Marshal(v.text()) }

// LogValue returns the same text.
func (v RawValue) LogValue() slog.Value { return slog.StringValue(v.text()) }

// RawAttr returns the handle of an attribute of raw items. Its conditions and changes accept values of any Go type that can
// be stored:
//
//	t.Update(ctx, key, ddb.RawAttr("status").Set("paid"), ddb.If(ddb.RawAttr("total").Ge(100)))
//
// A [RawValue] and a value in the SDK's form are used unchanged. Each further name is a key of a map or, written as "[0]",
// the index of a list element, counted from 0. For changes such as Add and Append use [RawChangeText].
func RawAttr(name string, below ...string) Str[RawItem, any] {
	return Str[RawItem, any](namedHandle(reflect.TypeFor[RawItem](), name, below))
}

// RawKey returns the handle of a key attribute of raw items; t is [attrtype.String], [attrtype.Number] or [attrtype.Binary]. A call with a
// value of another type is refused before anything is sent.
func RawKey(name string, t attrtype.Type) Ord[RawItem, RawValue] {
	return Ord[RawItem, RawValue](rawKey(name, t))
}

func rawKey(name string, t attrtype.Type) *handle {
	item := reflect.TypeFor[RawItem]()
	return &handle{&attribute{item: gotype.Of(item), find: func(h *handle) {
		plan, err := codec.PlanOf(item)
		if err != nil {
			h.err = err
			return
		}
		f, ok := plan.Field(name)
		kind, known := map[attrtype.Type]codec.Kind{attrtype.String: codec.S, attrtype.Number: codec.N, attrtype.Binary: codec.B}[t]
		switch {
		case !ok:
			h.err = errors.New("RawKey: the name of the attribute is empty")
		case !known:
			h.err = fmt.Errorf("RawKey of attribute %s: type %q; a key is text (S), number (N) or binary (B)", name, t)
		default:
			f.Codec = f.Codec.OfKind(kind)
			h.path, h.field, h.value = expr.Attribute(name), f, f.Codec
		}
	}}}
}

// RawKeys returns the key of a global index of raw items, of up to four attributes, or of none for an index without a sort
// key. Its values are lists: all values of a partition key, or the first values of a sort key; a condition applies to the
// last value given.
//
//	byStatus, err := ddb.NewIndex(t, "by-status", ddb.RawKeys(ddb.RawKey("status", "S")), ddb.RawKeys())
func RawKeys(attrs ...Ord[RawItem, RawValue]) MultiKey[RawItem, []RawValue] {
	s := new(severalAttrs)
	for _, a := range attrs {
		s.handles = append(s.handles, (*handle)(a))
	}
	s.encode = func(key any, n int) ([]types.AttributeValue, error) {
		values := *key.(*[]RawValue) //nolint:forcetypeassert // the type of the key
		if len(values) > len(attrs) || len(values) < min(n, len(attrs)) {
			return nil, fmt.Errorf("a key of %d attributes is given %d values", len(attrs), len(values))
		}
		var (
			avs  []types.AttributeValue
			errs []error
		)
		for i := range values {
			part, err := encodeKey(attrs[i], &values[i], 1)
			avs, errs = append(avs, part...), append(errs, err)
		}
		return avs, errors.Join(errs...)
	}
	return MultiKey[RawItem, []RawValue]{s}
}

// RawBeginsWith is [BeginsWith] for sort keys of raw items that are text or bytes. Of several values the last is the prefix.
func RawBeginsWith[SK RawValue | []RawValue](prefix SK) SortCond[SK] {
	return SortCond[SK]{sortCond{op: "begins_with", low: &prefix}}
}
