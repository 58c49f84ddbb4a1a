// SPDX-License-Identifier: Apache-2.0

package rawitem

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Value is one attribute value in the service's form, such as {"N":"1.50"}, for attributes whose Go type a program does
// not know: the text of numbers, sets and binary values are unchanged. A field of this type is stored and read unchanged.
// The zero Value is no value: a field is stored as NULL, or left out with omitempty, and a key is refused. Printing it
// shows no data.
type Value struct{ data []byte }

// The codec passes the bytes of both types through.
func init() { //nolint:gochecknoinits // the codec has to know the types before the first plan is made
	codec.HoldsValue(func(v *Value) *[]byte { return &v.data })
	codec.HoldsItem[Item, Value](func(i *Item) *[]byte { return &i.data })
}

// ParseValue reads a value in DynamoDB's JSON, such as {"S":"a"}. What DynamoDB would not store is refused: unknown
// types, malformed numbers, empty sets and sets with duplicate members. White space is dropped; everything else is kept as
// written.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
func ParseValue(data []byte) (Value, error) {
	if err := codec.CheckValue(data); err != nil {
		return Value{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return Value{codec.AppendCompact(make([]byte, 0, len(data)), data)}, nil
}

// ValueOf converts a value from the SDK's form, with the checks of [ParseValue].
func ValueOf(av types.AttributeValue) (Value, error) {
	data, err := codec.AppendAttributeValue(nil, av)
	if err == nil {
		err = codec.CheckValue(data)
	}
	if err != nil {
		return Value{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return Value{data}, nil
}

// IsZero reports whether there is no value.
func (v Value) IsZero() bool { return len(v.data) == 0 }

// JSON returns a copy of the value in DynamoDB's JSON, {"S":"a"}; nil for the zero Value.
func (v Value) JSON() []byte { return slices.Clone(v.data) }

// Value returns the value in the SDK's form. The zero Value is an error.
func (v Value) Value() (types.AttributeValue, error) {
	if v.IsZero() {
		return nil, errors.New("rawitem: a zero Value has no value")
	}
	return codec.ParseAttributeValue(v.data)
}

// Equal reports whether two values are equal; see [Item.Equal].
func (v Value) Equal(other Value) bool {
	return v.IsZero() && other.IsZero() || !v.IsZero() && !other.IsZero() && codec.EqualValues(v.data, other.data)
}

// Type returns the DynamoDB type of the value; it is empty for the zero Value.
func (v Value) Type() attrtype.Type {
	if v.IsZero() {
		return ""
	}
	return attrtype.Type(codec.KindIn(v.data).String())
}

func (v Value) text() string { return fmt.Sprintf("rawitem.Value of %d bytes", len(v.data)) }

// String returns the length of the value, without its data.
func (v Value) String() string { return v.text() }

// Format prints the same for every verb.
func (v Value) Format(s fmt.State, verb rune) { quiet.Format(s, verb, v.text()) }

// MarshalJSON returns the same text; [Value.JSON] returns the data.
func (v Value) MarshalJSON() ([]byte, error) { return json.Marshal(v.text()) }

// LogValue returns the same text.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.text()) }
