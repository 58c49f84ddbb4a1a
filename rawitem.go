// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"reflect"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/quiet"
)

// RawItem is an item of any type in its stored form, for functions that distinguish types ([RecognizeBy]), and for items of
// types that a program does not know ([RawTable]). It is immutable. The zero RawItem has no attributes. Printing it shows no
// data.
type RawItem struct{ data []byte }

// ParseRawItem reads an item in DynamoDB's JSON, {"id":{"S":"a"}}, such as a line of an export. What DynamoDB would not
// store is refused, as by [ParseRawValue], and so is a duplicate attribute. White space is dropped; everything else is kept
// as written, including the text of numbers, the order of attributes and the members of sets.
func ParseRawItem(data []byte) (RawItem, error) {
	if err := codec.CheckItem(data); err != nil {
		return RawItem{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return RawItem{codec.AppendCompact(make([]byte, 0, len(data)), data)}, nil
}

// Unchecked returns the item with the given JSON, which must be an item that [ParseRawItem] accepts, without white space between
// its parts. It neither checks nor copies data, which must not be changed afterwards.
func Unchecked(data []byte) RawItem { return RawItem{data} }

// RawItemOf converts an item from the SDK's form, with the checks of [ParseRawItem]. Its attributes are in the order of
// their names.
func RawItemOf(item map[string]types.AttributeValue) (RawItem, error) {
	data, err := codec.AppendItemMap(nil, item)
	if err == nil {
		err = codec.CheckItem(data)
	}
	if err != nil {
		return RawItem{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return RawItem{data}, nil
}

// DecodeRaw reads an item as reads of the table do, for items from other sources, such as the stream of a DynamoDB table of
// several item types:
//
//	consumer, err := change.NewConsumer(client, source, "app", store, func(ctx context.Context, b change.Batch[ddb.RawItem]) error { ... })
//	o, err := ddb.DecodeRaw(orders, *c.New)
//
// An item of another type is an error that matches [ErrOtherEntity], even with [SkipOthers]. It sends nothing.
func DecodeRaw[T any](table AnyTable[T], item RawItem) (to T, err error) {
	if err = coreOf(table).decodeRaw(item, &to); err != nil {
		var none T
		return none, err
	}
	return to, nil
}

// decodeRaw is DecodeRaw into the value that to points to.
func (c *core) decodeRaw(item RawItem, to any) error {
	if err := c.usable(); err != nil {
		return err
	}
	return opError("DecodeRaw", c.name, "", decodeOwn(c, item.JSON(), reflect.ValueOf(to).Elem()))
}

// JSON returns a copy of the item in DynamoDB's JSON, {"id":{"S":"a"}}, which [DecodeItemJSON] reads.
func (r RawItem) JSON() []byte {
	if r.data == nil {
		return []byte("{}")
	}
	return slices.Clone(r.data)
}

// Values returns the item in the SDK's form, which [DecodeItem] reads.
func (r RawItem) Values() (map[string]types.AttributeValue, error) { return codec.ParseItem(r.JSON()) }

// Has reports whether the item has a top-level attribute.
func (r RawItem) Has(attr string) bool { return r.attr(attr) != nil }

// Attr returns a top-level attribute. ok is false if the item lacks it.
func (r RawItem) Attr(name string) (value RawValue, ok bool) {
	return rawValue(r.attr(name))
}

// rawValue copies a value of an item that was checked.
func rawValue(data []byte) (value RawValue, ok bool) {
	if data == nil {
		return RawValue{}, false
	}
	return RawValue{codec.AppendCompact(make([]byte, 0, len(data)), data)}, true
}

// Attrs yields the top-level attributes in the order in which they are stored in the item.
func (r RawItem) Attrs() iter.Seq2[string, RawValue] {
	return func(yield func(string, RawValue) bool) {
		if r.data == nil {
			return
		}
		codec.EachAttribute(r.data, func(name string, data []byte) bool {
			value, _ := rawValue(data)
			return yield(name, value)
		})
	}
}

// Equal reports whether two items are equal. The order of attributes and of the members of sets does not matter, and numbers
// are compared by value.
func (r RawItem) Equal(other RawItem) bool { return codec.EqualItems(r.JSON(), other.JSON()) }

// With returns the item with an attribute set, in its place if the item has it, otherwise at the end. The zero [RawValue]
// removes it. A name that is empty or not valid UTF-8 is refused.
func (r RawItem) With(name string, value RawValue) (RawItem, error) {
	if name == "" || !utf8.ValidString(name) {
		return RawItem{}, &ddberr.InvalidError{Problems: []error{errors.New("the name of an attribute is empty, or not valid UTF-8")}}
	}
	b, found := []byte{'{'}, false
	add := func(name string, data []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(codec.AppendName(b, name), ':')
		b = append(b, data...)
	}
	if r.data != nil {
		codec.EachAttribute(r.data, func(have string, data []byte) bool {
			if have == name {
				found, data = true, value.data
			}
			if len(data) > 0 {
				add(have, data)
			}
			return true
		})
	}
	if !found && !value.IsZero() {
		add(name, value.data)
	}
	return RawItem{append(b, '}')}, nil
}

// Text returns the value of a top-level attribute that is text. ok is false if the item lacks it or it has another type.
func (r RawItem) Text(attr string) (text string, ok bool) {
	value := r.attr(attr)
	if value == nil {
		return "", false
	}
	av, err := codec.ParseAttributeValue(value)
	s, ok := av.(*types.AttributeValueMemberS)
	if err != nil || !ok {
		return "", false
	}
	return s.Value, true
}

// attr returns an attribute in wire form, or nil.
func (r RawItem) attr(name string) []byte { return codec.AttributeOf(r.data, name) }

func (r RawItem) text() string { return fmt.Sprintf("RawItem of %d bytes", len(r.data)) }

// String returns the length of the item, without its data.
func (r RawItem) String() string { return r.text() }

// Format prints the same for every verb.
func (r RawItem) Format(s fmt.State, verb rune) { quiet.Format(s, verb, r.text()) }

// MarshalJSON returns the same text; [RawItem.JSON] returns the data.
func (r RawItem) MarshalJSON() ([]byte, error) { return json.Marshal(r.text()) }

// LogValue returns the same text.
func (r RawItem) LogValue() slog.Value { return slog.StringValue(r.text()) }
