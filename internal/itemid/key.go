// SPDX-License-Identifier: Apache-2.0

// Package itemid implements DynamoDB's identity, equality and order of keys and values, and checks what can be a key.
package itemid

import (
	"bytes"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Key sizes in bytes, see
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
const (
	MaxPartitionKey = 2048
	MaxSortKey      = 1024
)

// Key names the attributes of a primary key, the partition key first.
type Key []string

// ID is an item's primary key as text that is equal for equal keys, however
// their numbers are written. It serves to match replies to requests.
func (k Key) ID(key map[string]types.AttributeValue) string {
	return string(k.AppendMap(make([]byte, 0, 64), key))
}

// AppendMap appends the ID of a key.
func (k Key) AppendMap(b []byte, key map[string]types.AttributeValue) []byte {
	for _, name := range k {
		b = AppendValue(b, key[name])
	}
	return b
}

// appendPlain is Append of n key values in wire form. It reports false for what it
// leaves to Append: absent values, and all spellings but {"S":"text"} without escapes.
func appendPlain(b []byte, values [2][]byte, n int) ([]byte, bool) {
	const head, tail = `{"S":"`, `"}`
	for _, v := range values[:n] {
		if len(v) <= len(head)+len(tail) || v[0] != '{' || v[1] != '"' || string(v[3:len(head)]) != head[3:] ||
			v[2] != 'S' && v[2] != 'N' && v[2] != 'B' || v[len(v)-2] != '"' || bytes.IndexByte(v, '\\') >= 0 {
			return b, false
		}
		b = appendPart(b, v[2], v[len(head):len(v)-len(tail)])
	}
	return b, true
}

// Plain finds the values of an encoded key that is nothing but its attributes in their
// order, each in the form that appendPlain reads. Otherwise it finds none.
func Plain(key []byte, names []string) (values [2][]byte) {
	const head, tail = `{"S":"`, `"}`
	rest := key
	for i, name := range names {
		before := byte('{')
		if i > 0 {
			before = ','
		}
		// {"name":
		n := len(name) + len(`{"":`)
		if len(rest) < n+len(head) || rest[0] != before || rest[1] != '"' || string(rest[2:n-2]) != name || string(rest[n-2:n]) != `":` {
			return [2][]byte{}
		}
		rest = rest[n:]
		end := bytes.IndexByte(rest[len(head):], '"')
		if end < 0 {
			return [2][]byte{}
		}
		end += len(head) + len(tail)
		if len(rest) < end || rest[end-1] != '}' {
			return [2][]byte{}
		}
		values[i], rest = rest[:end], rest[end:]
	}
	if string(rest) != `}` {
		return [2][]byte{}
	}
	return values
}

// Same reports whether an encoded key is exactly the one made of the values.
func Same(key []byte, names []string, values [2][]byte) bool {
	before := byte('{')
	for i, name := range names {
		value := values[i]
		n := len(name) + len(`{"":`)
		if len(value) == 0 || len(key) < n+len(value) || key[0] != before || key[1] != '"' || string(key[2:n-2]) != name || string(key[n-2:n]) != `":` ||
			string(key[n:n+len(value)]) != string(value) {
			return false
		}
		key, before = key[n+len(value):], ','
	}
	return string(key) == `}`
}

// AppendCaptured is Append of an encoded item whose key values, if they are known, are given.
func (k Key) AppendCaptured(b []byte, values [2][]byte, item []byte) ([]byte, error) {
	for _, v := range values {
		if len(v) > MaxSortKey { // which may be too long
			return k.Append(b, item)
		}
	}
	if longer, plain := appendPlain(b, values, len(k)); plain {
		return longer, nil
	}
	return k.Append(b, item)
}

// CheckValue refuses what cannot be the value of a key attribute.
func CheckValue(name string, av types.AttributeValue, limit int) error {
	n := 1
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		n = len(v.Value)
	case *types.AttributeValueMemberB:
		n = len(v.Value)
	case *types.AttributeValueMemberN:
	default:
		return fmt.Errorf("key attribute %s is absent or NULL; a key needs a value", name)
	}
	return CheckLength(name, n, limit)
}

// CheckLength refuses a key value of n bytes that is empty or above the limit.
func CheckLength(name string, n, limit int) error {
	if n == 0 {
		return fmt.Errorf("key attribute %s is empty; DynamoDB refuses empty keys", name)
	}
	if n > limit {
		return fmt.Errorf("key attribute %s has %d bytes; the limit is %d", name, n, limit)
	}
	return nil
}
