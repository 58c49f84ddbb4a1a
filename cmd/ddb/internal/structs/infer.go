// SPDX-License-Identifier: Apache-2.0

package structs

import (
	"maps"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// A goType is the Go type of an attribute or element, and the options that its tag needs.
type goType struct {
	name    string // such as int64; for a struct, the name of the struct
	options []string
	maker   string // the function of package ddb that makes its handle
	of      *structType
	zero    bool // the sample contains the zero value, so omitempty would lose it
}

// structType is a struct to write.
type structType struct {
	name   string
	fields []field
	rest   string // the field for attributes without a field
	count  int    // the number of items or maps of the sample that it describes
}

// field is one attribute of a struct.
type field struct {
	name, attr string
	typ        goType
	seen       int
	kinds      string // the types of its values in the sample
}

// inference determines Go types that store values without changes.
type inference struct {
	keys    map[string]types.ScalarAttributeType // attributes of keys, whose types are defined by the table
	primary []string                             // those of the table's own key
	ttl     string
	types   names
	list    []*structType // in the order in which they are written
}

// sampleOf is the sample of one attribute.
type sampleOf struct {
	values []types.AttributeValue
	owners int // the number of items or maps that could have it
}

func (s *sampleOf) optional() bool { return len(s.values) < s.owners }

// kindOf returns DynamoDB's name of a value's type.
func kindOf(v types.AttributeValue) string {
	switch v.(type) {
	case *types.AttributeValueMemberS:
		return "S"
	case *types.AttributeValueMemberN:
		return "N"
	case *types.AttributeValueMemberB:
		return "B"
	case *types.AttributeValueMemberBOOL:
		return "BOOL"
	case *types.AttributeValueMemberNULL:
		return "NULL"
	case *types.AttributeValueMemberM:
		return "M"
	case *types.AttributeValueMemberL:
		return "L"
	case *types.AttributeValueMemberSS:
		return "SS"
	case *types.AttributeValueMemberNS:
		return "NS"
	case *types.AttributeValueMemberBS:
		return "BS"
	}
	return "?"
}

func kindsOf(values []types.AttributeValue) []string {
	found := map[string]bool{}
	for _, v := range values {
		found[kindOf(v)] = true
	}
	return slices.Sorted(maps.Keys(found))
}

// raw returns a type that keeps any value unchanged.
func raw() goType { return goType{name: "types.AttributeValue", maker: "Field"} }

// structOf returns the struct of items or maps. It begins with the attributes in first, even if no item has them.
func (in *inference) structOf(name string, list []Item, first []string, attribute func(name, attr string, of *sampleOf) goType) *structType {
	s := &structType{name: in.types.unique(name), count: len(list)}
	in.list = append(in.list, s)
	seen := map[string]*sampleOf{}
	for _, attr := range first {
		seen[attr] = &sampleOf{owners: len(list)}
	}
	for _, m := range list {
		for attr, v := range m {
			if seen[attr] == nil {
				seen[attr] = &sampleOf{owners: len(list)}
			}
			seen[attr].values = append(seen[attr].values, v)
		}
	}
	order := slices.Sorted(maps.Keys(seen))
	slices.SortStableFunc(order, func(a, b string) int { return place(first, a) - place(first, b) })
	taken := names{} // by attributes: the codec would use a field's name for an attribute
	for attr := range seen {
		taken[attr] = true
	}
	s.rest = taken.unique("Rest")
	used := names{s.rest: true}
	for _, attr := range order {
		if !nameable(attr) {
			continue // kept with the unknown attributes
		}
		of := seen[attr]
		f := field{name: used.unique(identifier(attr)), attr: attr, seen: len(of.values), kinds: strings.Join(kindsOf(of.values), ", ")}
		f.typ = attribute(s.name+f.name, attr, of)
		s.fields = append(s.fields, f)
	}
	return s
}

// place returns the index of a name in a list, or the length of the list.
func place(list []string, name string) int {
	if i := slices.Index(list, name); i >= 0 {
		return i
	}
	return len(list)
}

// attribute returns the type of a top-level attribute.
func (in *inference) attribute(name, attr string, of *sampleOf) goType {
	if kind, ok := in.keys[attr]; ok {
		if t, ok := keyType(kind, of); ok {
			if slices.Contains(in.primary, attr) {
				return t
			}
			return present(t, of)
		}
	}
	if attr == in.ttl {
		if t, ok := expiry(of); ok {
			return t
		}
	}
	return in.member(name, attr, of)
}

// member returns the type of an attribute of a map, or of an item if no special rule applies.
func (in *inference) member(name, _ string, of *sampleOf) goType {
	kinds := kindsOf(of.values)
	if of.optional() && len(kinds) == 2 && slices.Contains(kinds, "NULL") {
		return present(raw(), of) // absent, NULL and a value are three different states
	}
	return present(in.value(name, of.values), of)
}

// keyType returns the type of a key attribute. It must hold for all items, not only for the sample, so text is a string.
func keyType(kind types.ScalarAttributeType, of *sampleOf) (goType, bool) {
	for _, v := range of.values {
		if kindOf(v) != string(kind) {
			return goType{}, false
		}
	}
	var t goType
	switch kind {
	case types.ScalarAttributeTypeS:
		t = goType{name: "string", maker: "StrField"}
	case types.ScalarAttributeTypeB:
		t = goType{name: "[]byte", maker: "BinField"}
	default:
		t = numberType(of.values)
		if len(of.values) == 0 {
			t = goType{name: "attributevalue.Number", maker: "OrdField"} // any number
		}
	}
	return t, true
}

// expiry returns the type of a time that is stored as whole seconds.
func expiry(of *sampleOf) (goType, bool) {
	for _, v := range of.values {
		n, ok := v.(*types.AttributeValueMemberN)
		if !ok {
			return goType{}, false
		}
		seconds, err := strconv.ParseInt(n.Value, 10, 64)
		if err != nil || seconds < 0 || seconds >= 253402300800 { // the year 10000
			return goType{}, false
		}
	}
	t := goType{name: "time.Time", maker: "TimeField", options: []string{"unixtime"}}
	if of.optional() || len(of.values) == 0 {
		t.options = append(t.options, "omitzero") // 1970 is not the zero time
	}
	return t, true
}

// present adds the tag options for an attribute that may be absent.
func present(t goType, of *sampleOf) goType {
	if !of.optional() && len(of.values) > 0 {
		return t
	}
	switch {
	case t.name == "time.Time":
		if !t.zero {
			t.options = append(t.options, "omitzero")
			return t
		}
		t = pointerTo(t)
	case t.name == "bool", t.maker == "NumField", t.name == "attributevalue.Number", t.of != nil, t.zero:
		t = pointerTo(t)
	}
	t.options = append(t.options, "omitempty")
	return t
}

func pointerTo(t goType) goType {
	t.name, t.maker, t.zero = "*"+t.name, "Field", false
	return t
}

// value returns a type that keeps all values unchanged.
func (in *inference) value(name string, values []types.AttributeValue) goType {
	kinds := kindsOf(values)
	null := slices.Index(kinds, "NULL")
	if null >= 0 && len(kinds) == 2 {
		rest := slices.DeleteFunc(slices.Clone(values), func(v types.AttributeValue) bool { return kindOf(v) == "NULL" })
		t := in.value(name, rest)
		switch {
		case t.name == "types.AttributeValue":
			return t
		case strings.HasPrefix(t.name, "["), strings.HasPrefix(t.name, "map"):
			if t.name != "[]byte" {
				t.options = append(t.options, "nullempty")
			}
			return t // a nil []byte is stored as NULL
		}
		return pointerTo(t)
	}
	if len(kinds) != 1 {
		return raw()
	}
	switch kinds[0] {
	case "S":
		return textType(values)
	case "N":
		return numberType(values)
	case "B":
		return goType{name: "[]byte", maker: "BinField"}
	case "BOOL":
		return goType{name: "bool", maker: "Field"}
	case "SS":
		return goType{name: "[]string", maker: "SetField", options: []string{"stringset"}}
	case "NS":
		var members []types.AttributeValue
		for _, v := range values {
			for _, n := range v.(*types.AttributeValueMemberNS).Value {
				members = append(members, &types.AttributeValueMemberN{Value: n})
			}
		}
		return goType{name: "[]" + numberType(members).name, maker: "SetField", options: []string{"numberset"}}
	case "BS":
		return goType{name: "[][]byte", maker: "SetField", options: []string{"binaryset"}}
	case "L":
		return in.listType(name, values)
	case "M":
		return in.mapType(name, values)
	}
	return raw()
}

// textType returns time.Time if all texts are times in the form that the library writes, otherwise string.
func textType(values []types.AttributeValue) goType {
	t := goType{name: "time.Time", maker: "TimeField"}
	for _, v := range values {
		text := v.(*types.AttributeValueMemberS).Value
		at, err := time.Parse(sortable, text)
		if err != nil || at.Format(sortable) != text {
			t = goType{name: "string", maker: "StrField"}
			break
		}
		t.zero = t.zero || at.IsZero()
	}
	if t.name == "string" {
		t.zero = slices.ContainsFunc(values, func(v types.AttributeValue) bool { return v.(*types.AttributeValueMemberS).Value == "" })
	}
	return t
}

// sortable is the format in which the library stores times.
const sortable = "2006-01-02T15:04:05.000000000Z"

// numberType returns the simplest type that holds all numbers exactly.
func numberType(values []types.AttributeValue) goType {
	signed, unsigned, float := true, true, true
	for _, v := range values {
		text := v.(*types.AttributeValueMemberN).Value
		n, ok := new(big.Rat).SetString(text)
		if !ok {
			return goType{name: "attributevalue.Number", maker: "OrdField"}
		}
		signed = signed && n.IsInt() && n.Num().IsInt64()
		unsigned = unsigned && n.IsInt() && n.Num().IsUint64()
		f, err := strconv.ParseFloat(text, 64)
		short, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
		float = float && err == nil && ok && short.Cmp(n) == 0
	}
	switch {
	case signed:
		return goType{name: "int64", maker: "NumField"}
	case unsigned:
		return goType{name: "uint64", maker: "NumField"}
	case float:
		return goType{name: "float64", maker: "NumField"}
	}
	return goType{name: "attributevalue.Number", maker: "OrdField"}
}

// listType returns a slice type.
func (in *inference) listType(name string, values []types.AttributeValue) goType {
	var elems []types.AttributeValue
	for _, v := range values {
		elems = append(elems, v.(*types.AttributeValueMemberL).Value...)
	}
	return goType{name: "[]" + in.elem(name+"Item", elems), maker: "ListField"}
}

// elem returns the name of a type for elements of lists and maps, which have no tag of their own.
func (in *inference) elem(name string, elems []types.AttributeValue) string {
	if len(elems) == 0 {
		return raw().name
	}
	t := in.value(name, elems)
	if len(t.options) > 0 || t.name == "[]byte" { // a list of bytes would be stored as a set
		return raw().name
	}
	return t.name
}

// mapType returns a struct type, or a map type if the keys differ between values, as keys that are data do.
func (in *inference) mapType(name string, values []types.AttributeValue) goType {
	var list []Item
	var all []types.AttributeValue
	keys := map[string]bool{}
	for _, v := range values {
		m := v.(*types.AttributeValueMemberM).Value
		list = append(list, m)
		for _, k := range slices.Sorted(maps.Keys(m)) {
			keys[k] = true
			all = append(all, m[k])
		}
	}
	asStruct := len(keys) > 0 && (len(list) < 4 && len(keys) <= 12 || 3*len(all) >= len(list)*len(keys))
	for k := range keys {
		asStruct = asStruct && nameable(k)
	}
	if !asStruct {
		return goType{name: "map[string]" + in.elem(name+"Value", all), maker: "MapField"}
	}
	s := in.structOf(name, list, nil, in.member)
	return goType{name: s.name, maker: "Field", of: s}
}
