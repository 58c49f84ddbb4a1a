// SPDX-License-Identifier: Apache-2.0

package change

import (
	"encoding/base64"
	"fmt"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// maxDepth is more than the 32 levels that DynamoDB allows.
const maxDepth = 64

// appendItem appends an item of a stream record in DynamoDB's JSON, from which the root
// package reads items: the SDK's types of streams are not those of tables.
func appendItem(b []byte, item map[string]types.AttributeValue, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, fmt.Errorf("a value is nested deeper than %d levels", maxDepth)
	}
	b = append(b, '{')
	first := true
	for name, av := range item {
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(appendString(b, name), ':')
		var err error
		if b, err = appendValue(b, av, depth); err != nil {
			return b, err
		}
	}
	return append(b, '}'), nil
}

func appendValue(b []byte, av types.AttributeValue, depth int) ([]byte, error) {
	switch av := av.(type) {
	case *types.AttributeValueMemberS:
		b = appendString(append(b, `{"S":`...), av.Value)
	case *types.AttributeValueMemberN:
		b = appendString(append(b, `{"N":`...), av.Value)
	case *types.AttributeValueMemberB:
		b = appendBinary(append(b, `{"B":`...), av.Value)
	case *types.AttributeValueMemberBOOL:
		b = fmt.Appendf(b, `{"BOOL":%t`, av.Value)
	case *types.AttributeValueMemberNULL:
		b = fmt.Appendf(b, `{"NULL":%t`, av.Value)
	case *types.AttributeValueMemberSS:
		b = appendList(append(b, `{"SS":`...), av.Value, appendString)
	case *types.AttributeValueMemberNS:
		b = appendList(append(b, `{"NS":`...), av.Value, appendString)
	case *types.AttributeValueMemberBS:
		b = appendList(append(b, `{"BS":`...), av.Value, appendBinary)
	case *types.AttributeValueMemberM:
		var err error
		if b, err = appendItem(append(b, `{"M":`...), av.Value, depth+1); err != nil {
			return b, err
		}
	case *types.AttributeValueMemberL:
		b = append(b, `{"L":[`...)
		for i, e := range av.Value {
			if i > 0 {
				b = append(b, ',')
			}
			var err error
			if b, err = appendValue(b, e, depth+1); err != nil {
				return b, err
			}
		}
		b = append(b, ']')
	default:
		return b, fmt.Errorf("a %T is not an attribute value of the service", av)
	}
	return append(b, '}'), nil
}

func appendList[E any](b []byte, list []E, one func([]byte, E) []byte) []byte {
	b = append(b, '[')
	for i, e := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = one(b, e)
	}
	return append(b, ']')
}

func appendBinary(b, p []byte) []byte {
	b = base64.StdEncoding.AppendEncode(append(b, '"'), p)
	return append(b, '"')
}

// appendString appends a string in quotes. Bytes that are not UTF-8 are passed on; the reader refuses them.
func appendString(b []byte, s string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' || c >= utf8.RuneSelf {
			continue
		}
		b = append(b, s[from:i]...)
		from = i + 1
		if c == '"' || c == '\\' {
			b = append(b, '\\', c)
		} else {
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	b = append(b, s[from:]...)
	return append(b, '"')
}
