// SPDX-License-Identifier: Apache-2.0

package codec

// Kind is a DynamoDB data type, as the type descriptor of an attribute value on the wire. The zero Kind means that the type is
// not fixed.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html
type Kind uint8

// The DynamoDB data types.
const (
	KindAny Kind = iota
	S
	N
	B
	BOOL
	NULL
	M
	L
	SS
	NS
	BS
)

var kindNames = [...]string{KindAny: "any", S: "S", N: "N", B: "B", BOOL: "BOOL", NULL: "NULL", M: "M", L: "L", SS: "SS", NS: "NS", BS: "BS"}

// String returns the type descriptor of DynamoDB, such as "S" or "BOOL", and "any" for [KindAny].
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// member returns the kind of a set's members, or KindAny if k is not a set.
func (k Kind) member() Kind {
	switch k {
	case SS:
		return S
	case NS:
		return N
	case BS:
		return B
	}
	return KindAny
}

// kindOf parses a type descriptor.
func kindOf(tag []byte) (Kind, bool) {
	switch string(tag) {
	case "S":
		return S, true
	case "N":
		return N, true
	case "B":
		return B, true
	case "BOOL":
		return BOOL, true
	case "NULL":
		return NULL, true
	case "M":
		return M, true
	case "L":
		return L, true
	case "SS":
		return SS, true
	case "NS":
		return NS, true
	case "BS":
		return BS, true
	}
	return KindAny, false
}
