// SPDX-License-Identifier: Apache-2.0

package itemid

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// AppendValue appends one key value, and nothing for a value that cannot be a key.
func AppendValue(b []byte, v types.AttributeValue) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return appendPart(b, 'S', v.Value)
	case *types.AttributeValueMemberN:
		return appendPart(b, 'N', v.Value)
	case *types.AttributeValueMemberB:
		return appendPart(b, 'B', base64.StdEncoding.EncodeToString(v.Value))
	}
	return b
}

// appendPart appends type, length and value, so that no two keys run together.
func appendPart[S string | []byte](b []byte, kind byte, text S) []byte {
	if kind == 'N' {
		return appendPart(b, 'n', NormalNumber([]byte(text)))
	}
	b = append(b, kind)
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(b, ':')
	return append(b, text...)
}

// NormalNumber writes a decimal number as sign, digits without outer zeros, and
// exponent, so that 10, 10.0 and 1e1 become equal.
func NormalNumber(s []byte) []byte {
	digits := make([]byte, 0, len(s)+8)
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			digits = append(digits, '-')
		}
		s = s[1:]
	}
	sign, exp, point := len(digits), 0, -1
	for i, ch := range s {
		switch {
		case ch == '.':
			point = len(digits)
		case ch == 'e' || ch == 'E':
			exp, _ = strconv.Atoi(string(s[i+1:]))
			s = s[:i]
		case len(digits) == sign && ch == '0' && point < 0: // leading
		case ch >= '0' && ch <= '9':
			digits = append(digits, ch)
		}
		if ch == 'e' || ch == 'E' {
			break
		}
	}
	if point >= 0 {
		exp -= len(digits) - point
	}
	for len(digits) > sign && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exp++
	}
	for len(digits) > sign && digits[sign] == '0' {
		digits = append(digits[:sign], digits[sign+1:]...)
	}
	if len(digits) == sign {
		return []byte("0")
	}
	digits = append(digits, 'e')
	return strconv.AppendInt(digits, int64(exp), 10)
}

// Equal compares encoded key values; numbers are in normal form already.
func Equal(a, b types.AttributeValue) bool {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		b, ok := b.(*types.AttributeValueMemberS)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberN:
		b, ok := b.(*types.AttributeValueMemberN)
		return ok && a.Value == b.Value
	case *types.AttributeValueMemberB:
		b, ok := b.(*types.AttributeValueMemberB)
		return ok && string(a.Value) == string(b.Value)
	}
	return false
}

// Compare compares as DynamoDB does: numbers by value, text by its UTF-8 bytes, binary by its bytes, taken as unsigned.
// ok is false for values that have no order, or of different types.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
func Compare(a, b types.AttributeValue) (order int, ok bool) {
	switch a := a.(type) {
	case *types.AttributeValueMemberS:
		if b, same := b.(*types.AttributeValueMemberS); same {
			return cmp.Compare(a.Value, b.Value), true
		}
	case *types.AttributeValueMemberN:
		if b, same := b.(*types.AttributeValueMemberN); same {
			return compareNumbers(NormalNumber([]byte(a.Value)), NormalNumber([]byte(b.Value))), true
		}
	case *types.AttributeValueMemberB:
		if b, same := b.(*types.AttributeValueMemberB); same {
			return bytes.Compare(a.Value, b.Value), true
		}
	}
	return 0, false
}

// compareNumbers compares numbers in the form of NormalNumber.
func compareNumbers(a, b []byte) int {
	signA, digitsA, exponentA := splitNumber(a)
	signB, digitsB, exponentB := splitNumber(b)
	if signA != signB || signA == 0 {
		return cmp.Compare(signA, signB)
	}
	// The position of the first digit decides, then the digits from there on.
	order := cmp.Compare(exponentA+len(digitsA), exponentB+len(digitsB))
	if order == 0 {
		order = bytes.Compare(digitsA, digitsB)
	}
	return order * signA
}

// splitNumber splits a number in normal form.
func splitNumber(n []byte) (sign int, digits []byte, exponent int) {
	digits, power, ok := bytes.Cut(n, []byte{'e'})
	if !ok {
		return 0, nil, 0
	}
	exponent, _ = strconv.Atoi(string(power))
	if digits[0] == '-' {
		return -1, digits[1:], exponent
	}
	return 1, digits, exponent
}
