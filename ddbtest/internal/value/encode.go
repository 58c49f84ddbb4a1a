// SPDX-License-Identifier: Apache-2.0

package value

import (
	"encoding/base64"
	"slices"
	"strings"
)

// Append appends the wire form of v to b, such as {"S":"text"}. Map entries
// are sorted by name, and members of sets by value, so equal
// values have equal forms.
func Append(b []byte, v Value) []byte {
	switch v := v.(type) {
	case String:
		b = append(b, `{"S":`...)
		b = AppendString(b, string(v))
	case Number:
		b = append(b, `{"N":"`...)
		b = append(v.AppendText(b), '"')
	case Binary:
		b = append(b, `{"B":`...)
		b = appendBase64(b, string(v))
	case Bool:
		if v {
			return append(b, `{"BOOL":true}`...)
		}
		return append(b, `{"BOOL":false}`...)
	case Null:
		return append(b, `{"NULL":true}`...)
	case List:
		b = append(b, `{"L":[`...)
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = Append(b, e)
		}
		b = append(b, ']')
	case Map:
		b = append(b, `{"M":`...)
		b = AppendItem(b, Item(v))
	case StringSet:
		b = append(b, `{"SS":[`...)
		for i, e := range sorted(v, strings.Compare) {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendString(b, e)
		}
		b = append(b, ']')
	case NumberSet:
		b = append(b, `{"NS":[`...)
		for i, e := range sorted(v, Number.Cmp) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = append(e.AppendText(b), '"')
		}
		b = append(b, ']')
	case BinarySet:
		b = append(b, `{"BS":[`...)
		for i, e := range sorted(v, strings.Compare) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendBase64(b, e)
		}
		b = append(b, ']')
	default:
		return append(b, "{}"...)
	}
	return append(b, '}')
}

// sorted returns the members of a set in the order in which the service returns
// them. The set itself may be shared and is not changed.
func sorted[S ~[]E, E any](set S, compare func(a, b E) int) S {
	if !slices.IsSortedFunc(set, compare) {
		set = slices.Clone(set)
		slices.SortFunc(set, compare)
	}
	return set
}

// AppendItem appends the wire form of an item, such as {"a":{"S":"text"}}, to b.
func AppendItem(b []byte, item Item) []byte {
	var room [24]string
	names := room[:0]
	for name := range item {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(AppendString(b, name), ':')
		b = Append(b, item[name])
	}
	return append(b, '}')
}

func appendBase64(b []byte, s string) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, []byte(s))
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string. Bytes that are not UTF-8 are copied
// unchanged; the decoder never returns such bytes.
func AppendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		start = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
