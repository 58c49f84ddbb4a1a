// SPDX-License-Identifier: Apache-2.0

// Package rawitem has items and attribute values whose Go type a program does not know: they keep their stored form.
//
//	item, err := rawitem.Parse([]byte(`{"id":{"S":"a"},"n":{"N":"1.50"}}`))
//	n, ok := item.Attr("n") // n.JSON() is {"N":"1.50"}
//
// A table whose items are known at run time only is a ddb.RawTable; package rawtable opens one by name. Package ddb makes
// the handles of its attributes.
package rawitem

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Item is an item of any type in its stored form, for functions that distinguish types (ddb.RecognizeBy), and for items of
// types that a program does not know (ddb.RawTable). It is immutable. The zero Item has no attributes. Printing it shows no
// data.
type Item struct{ data []byte }

// Parse reads an item in DynamoDB's JSON, {"id":{"S":"a"}}, such as a line of an export. What DynamoDB would not
// store is refused, as by [ParseValue], and so is a duplicate attribute. White space is dropped; everything else is kept
// as written, including the text of numbers, the order of attributes and the members of sets.
func Parse(data []byte) (Item, error) {
	if err := codec.CheckItem(data); err != nil {
		return Item{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return Item{codec.AppendCompact(make([]byte, 0, len(data)), data)}, nil
}

// Unchecked returns the item with the given JSON, which must be an item that [Parse] accepts, without white space between
// its parts. It neither checks nor copies data, which must not be changed afterwards.
func Unchecked(data []byte) Item { return Item{data} }

// Of converts an item from the SDK's form, with the checks of [Parse]. Its attributes are in the order of
// their names.
func Of(item map[string]types.AttributeValue) (Item, error) {
	data, err := codec.AppendItemMap(nil, item)
	if err == nil {
		err = codec.CheckItem(data)
	}
	if err != nil {
		return Item{}, &ddberr.InvalidError{Problems: []error{err}}
	}
	return Item{data}, nil
}

// JSON returns a copy of the item in DynamoDB's JSON, {"id":{"S":"a"}}, which typeditem.DecodeJSON reads.
func (r Item) JSON() []byte {
	if r.data == nil {
		return []byte("{}")
	}
	return slices.Clone(r.data)
}

// Values returns the item in the SDK's form, which typeditem.Decode reads.
func (r Item) Values() (map[string]types.AttributeValue, error) { return codec.ParseItem(r.JSON()) }

// Has reports whether the item has a top-level attribute.
func (r Item) Has(attr string) bool { return r.attr(attr) != nil }

// Attr returns a top-level attribute. ok is false if the item lacks it.
func (r Item) Attr(name string) (value Value, ok bool) {
	return rawValue(r.attr(name))
}

// rawValue copies a value of an item that was checked.
func rawValue(data []byte) (value Value, ok bool) {
	if data == nil {
		return Value{}, false
	}
	return Value{codec.AppendCompact(make([]byte, 0, len(data)), data)}, true
}

// Attrs yields the top-level attributes in the order in which they are stored in the item.
func (r Item) Attrs() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
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
func (r Item) Equal(other Item) bool { return codec.EqualItems(r.JSON(), other.JSON()) }

// With returns the item with an attribute set, in its place if the item has it, otherwise at the end. The zero [Value]
// removes it. A name that is empty or not valid UTF-8 is refused.
func (r Item) With(name string, value Value) (Item, error) {
	if name == "" || !utf8.ValidString(name) {
		return Item{}, &ddberr.InvalidError{Problems: []error{errors.New("the name of an attribute is empty, or not valid UTF-8")}}
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
	return Item{append(b, '}')}, nil
}

// Text returns the value of a top-level attribute that is text. ok is false if the item lacks it or it has another type.
func (r Item) Text(attr string) (text string, ok bool) {
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
func (r Item) attr(name string) []byte { return codec.AttributeOf(r.data, name) }

func (r Item) text() string { return fmt.Sprintf("rawitem.Item of %d bytes", len(r.data)) }

// String returns the length of the item, without its data.
func (r Item) String() string { return r.text() }

// Format prints the same for every verb.
func (r Item) Format(s fmt.State, verb rune) { quiet.Format(s, verb, r.text()) }

// MarshalJSON returns the same text; [Item.JSON] returns the data.
func (r Item) MarshalJSON() ([]byte, error) { return json.Marshal(r.text()) }

// LogValue returns the same text.
func (r Item) LogValue() slog.Value { return slog.StringValue(r.text()) }
