// SPDX-License-Identifier: Apache-2.0

// Package value holds DynamoDB attribute values: the ten types of the data
// model, their wire form, size, equality, order and key bytes.
//
// A value is immutable once it is made. The engine shares values between
// items, images and replies, so a List, Map or set must not be changed once it
// has been passed on.
package value

// Kind is the type of an attribute value.
type Kind uint8

// The ten types of the data model.
const (
	KindString Kind = iota + 1
	KindNumber
	KindBinary
	KindBool
	KindNull
	KindList
	KindMap
	KindStringSet
	KindNumberSet
	KindBinarySet
)

var kindNames = [...]string{"", "S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"}

// String returns the type descriptor of the wire format: S, N, B, BOOL, NULL,
// L, M, SS, NS or BS.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return ""
}

// ParseKind returns the type named by a descriptor such as "SS".
func ParseKind(descriptor string) (Kind, bool) {
	for k, name := range kindNames {
		if k > 0 && name == descriptor {
			return Kind(k), true
		}
	}
	return 0, false
}

// Value is one attribute value. Its concrete type is one of [String],
// [Number], [Binary], [Bool], [Null], [List], [Map], [StringSet],
// [NumberSet] and [BinarySet].
type Value interface {
	// Kind returns the type of the value.
	Kind() Kind
	sealed()
}

// Item is the set of attributes of one item.
type Item = map[string]Value

type (
	// String is a UTF-8 string.
	String string
	// Binary is a byte string; it holds the raw bytes, not their base64 form.
	Binary string
	// Bool is a Boolean.
	Bool bool
	// Null is the null value.
	Null struct{}
	// List is an ordered list of values of any types.
	List []Value
	// Map is an unordered set of names and values.
	Map map[string]Value
	// StringSet is a set of strings. Its wire form has them in the order of
	// their bytes, whatever their order here; so do the other sets.
	StringSet []string
	// NumberSet is a set of numbers; its wire form has them by value.
	NumberSet []Number
	// BinarySet is a set of byte strings.
	BinarySet []string
)

// Kind returns KindString.
func (String) Kind() Kind { return KindString }

// Kind returns KindNumber.
func (Number) Kind() Kind { return KindNumber }

// Kind returns KindBinary.
func (Binary) Kind() Kind { return KindBinary }

// Kind returns KindBool.
func (Bool) Kind() Kind { return KindBool }

// Kind returns KindNull.
func (Null) Kind() Kind { return KindNull }

// Kind returns KindList.
func (List) Kind() Kind { return KindList }

// Kind returns KindMap.
func (Map) Kind() Kind { return KindMap }

// Kind returns KindStringSet.
func (StringSet) Kind() Kind { return KindStringSet }

// Kind returns KindNumberSet.
func (NumberSet) Kind() Kind { return KindNumberSet }

// Kind returns KindBinarySet.
func (BinarySet) Kind() Kind { return KindBinarySet }

func (String) sealed()    {}
func (Number) sealed()    {}
func (Binary) sealed()    {}
func (Bool) sealed()      {}
func (Null) sealed()      {}
func (List) sealed()      {}
func (Map) sealed()       {}
func (StringSet) sealed() {}
func (NumberSet) sealed() {}
func (BinarySet) sealed() {}

// MaxDepth is the number of levels that an attribute may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const MaxDepth = 32

// MaxNameSize is the number of bytes that the name of an attribute, or of an
// entry of a map, may have.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html;
// https://github.com/ExtendDB/extenddb/issues/365 has the message.
const MaxNameSize = 65535

// The service's errors for a name of more than MaxNameSize bytes, or of none.
var (
	ErrNameSize  = Invalid(msgNameSize)
	ErrEmptyName = Invalid(msgEmptyName)
)

// ErrNesting is the service's error for a value of more than MaxDepth levels.
var ErrNesting = Invalid(msgNesting)

// Depth returns the number of levels of v: 1 for a scalar, a set and an empty
// list or map, and one more than the deepest element for any other list or map.
func Depth(v Value) int {
	deepest := 0
	switch v := v.(type) {
	case List:
		for _, e := range v {
			deepest = max(deepest, Depth(e))
		}
	case Map:
		for _, e := range v {
			deepest = max(deepest, Depth(e))
		}
	}
	return deepest + 1
}
