// SPDX-License-Identifier: Apache-2.0

package value

import (
	"slices"
	"strings"
)

// Equal reports whether two values are equal in conditions: the same type,
// numbers by value, sets without regard to order, lists and maps in depth.
func Equal(a, b Value) bool {
	switch a := a.(type) {
	case List:
		b, ok := b.(List)
		return ok && slices.EqualFunc(a, b, Equal)
	case Map:
		b, ok := b.(Map)
		return ok && EqualItems(Item(a), Item(b))
	case StringSet:
		b, ok := b.(StringSet)
		return ok && equalSets(a, b)
	case NumberSet:
		b, ok := b.(NumberSet)
		return ok && equalSets(a, b)
	case BinarySet:
		b, ok := b.(BinarySet)
		return ok && equalSets(a, b)
	case nil:
		return b == nil
	default:
		if b == nil || a.Kind() != b.Kind() {
			return false
		}
		return a == b
	}
}

// EqualItems reports whether two items have the same attributes with equal
// values.
func EqualItems(a, b Item) bool {
	if len(a) != len(b) {
		return false
	}
	for name, v := range a {
		w, ok := b[name]
		if !ok || !Equal(v, w) {
			return false
		}
	}
	return true
}

// equalSets compares sets, which have no duplicate members.
func equalSets[E comparable](a, b []E) bool {
	if len(a) != len(b) {
		return false
	}
	if len(a) <= 8 {
		for _, e := range a {
			if !slices.Contains(b, e) {
				return false
			}
		}
		return true
	}
	in := make(map[E]struct{}, len(a))
	for _, e := range a {
		in[e] = struct{}{}
	}
	for _, e := range b {
		if _, ok := in[e]; !ok {
			return false
		}
	}
	return true
}

// Compare returns -1, 0 or +1 as a is less than, equal to or greater than b,
// and false if the two have no order: only two strings, two numbers and two
// binaries do. Strings and binaries are ordered by their bytes.
func Compare(a, b Value) (int, bool) {
	switch a := a.(type) {
	case String:
		if b, ok := b.(String); ok {
			return strings.Compare(string(a), string(b)), true
		}
	case Binary:
		if b, ok := b.(Binary); ok {
			return strings.Compare(string(a), string(b)), true
		}
	case Number:
		if b, ok := b.(Number); ok {
			return a.Cmp(b), true
		}
	}
	return 0, false
}

// AppendKey appends bytes for a key attribute to b. The bytes of values of one
// type are in the order of [Compare], and no value's bytes are the beginning
// of another's, so those of several attributes may follow each other. The type
// itself is not in them. Only strings, numbers and binaries have key bytes;
// for any other type nothing is appended.
func AppendKey(b []byte, v Value) []byte {
	switch v := v.(type) {
	case String:
		return append(appendEscaped(b, string(v)), 0, 0)
	case Binary:
		return append(appendEscaped(b, string(v)), 0, 0)
	case Number:
		return v.appendKey(b)
	default:
		return b
	}
}

// AppendKeyPrefix appends the common prefix of the key bytes of all strings, or binaries, that
// begin with v; no other key bytes have this prefix.
func AppendKeyPrefix(b []byte, v Value) []byte {
	switch v := v.(type) {
	case String:
		return appendEscaped(b, string(v))
	case Binary:
		return appendEscaped(b, string(v))
	default:
		return b
	}
}

// appendEscaped writes 0 as 0 255, so that 0 0 can end the value.
func appendEscaped(b []byte, s string) []byte {
	for {
		i := strings.IndexByte(s, 0)
		if i < 0 {
			return append(b, s...)
		}
		b = append(b, s[:i]...)
		b = append(b, 0, 0xff)
		s = s[i+1:]
	}
}

// appendKey writes 1, 2 or 3 for the sign, one byte for the exponent, the
// digits in pairs, each plus one, and 0 as the end. All but
// the sign is inverted for a negative number.
func (n Number) appendKey(b []byte) []byte {
	if n.hi == 0 {
		return append(b, 2)
	}
	sign, flip := byte(3), byte(0)
	if n.neg {
		sign, flip = 1, 0xff
	}
	b = append(b, sign, byte(int(n.exp)-minExp)^flip)
	digits, count := n.unpack()
	for i := 0; i < count; i += 2 {
		b = append(b, (digits[i]*10+digits[i+1]+1)^flip)
	}
	return append(b, flip)
}
