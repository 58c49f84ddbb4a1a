package ddb

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// keyID is an item's primary key as text that is equal for equal keys, however
// their numbers are written. It serves to match replies to requests.
func (c *core) keyID(key map[string]types.AttributeValue) string {
	return string(c.appendMapID(make([]byte, 0, 64), key))
}

func (c *core) appendMapID(b []byte, key map[string]types.AttributeValue) []byte {
	for _, name := range c.keyNames {
		b = appendKeyValue(b, key[name])
	}
	return b
}

// appendKeyValue appends one key value, and nothing for what is none.
func appendKeyValue(b []byte, v types.AttributeValue) []byte {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return appendKeyPart(b, 'S', v.Value)
	case *types.AttributeValueMemberN:
		return appendKeyPart(b, 'N', v.Value)
	case *types.AttributeValueMemberB:
		return appendKeyPart(b, 'B', base64.StdEncoding.EncodeToString(v.Value))
	}
	return b
}

// appendPlainID is appendKeyID of n key values in wire form. It reports false for what it
// leaves to appendKeyID: absent values, and all spellings but {"S":"text"} without escapes.
func appendPlainID(b []byte, values [2][]byte, n int) ([]byte, bool) {
	const head, tail = `{"S":"`, `"}`
	for _, v := range values[:n] {
		if len(v) <= len(head)+len(tail) || v[0] != '{' || v[1] != '"' || string(v[3:len(head)]) != head[3:] ||
			v[2] != 'S' && v[2] != 'N' && v[2] != 'B' || v[len(v)-2] != '"' || bytes.IndexByte(v, '\\') >= 0 {
			return b, false
		}
		b = appendKeyPart(b, v[2], v[len(head):len(v)-len(tail)])
	}
	return b, true
}

// plainKey finds the values of an encoded key that is nothing but its attributes in their
// order, each in the form that appendPlainID reads. Otherwise it finds none.
func plainKey(key []byte, names []string) (values [2][]byte) {
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

// sameKey reports whether an encoded key is exactly what the values make.
func sameKey(key []byte, names []string, values [2][]byte) bool {
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

// appendWatchedID is appendKeyID of an encoded item whose key values, if they are known, are given.
func (c *core) appendWatchedID(b []byte, values [2][]byte, item []byte) ([]byte, error) {
	for _, v := range values {
		if len(v) > maxSortKey { // which may be too long
			return c.appendKeyID(b, item)
		}
	}
	if longer, plain := appendPlainID(b, values, len(c.keyNames)); plain {
		return longer, nil
	}
	return c.appendKeyID(b, item)
}

var errKeysFound = errors.New("all keys found")

// keyScan finds the primary key in an encoded item. Its functions are made once,
// because batches scan many items.
type keyScan struct {
	d      *codec.Decoder
	names  []string
	parts  [2][]byte
	seen   [2]bool
	at     int
	found  int
	errs   []error
	member func([]byte) error
	tag    func([]byte) error
}

var keyScans = sync.Pool{New: func() any {
	s := new(keyScan)
	s.member = s.onMember
	s.tag = s.onTag
	return s
}}

// appendKeyID is keyID of an encoded item. It refuses items without a key, and keys that
// DynamoDB does not take.
func (c *core) appendKeyID(b []byte, item []byte) ([]byte, error) {
	s := keyScans.Get().(*keyScan) //nolint:forcetypeassert // the pool holds nothing else
	defer keyScans.Put(s)
	s.names, s.found, s.seen, s.errs = c.keyNames, 0, [2]bool{}, nil
	for i := range s.parts {
		s.parts[i] = s.parts[i][:0]
	}
	s.d = codec.NewDecoder(item, codec.Options{})
	err := s.d.Object(s.member)
	s.d.Release()
	if err != nil && !errors.Is(err, errKeysFound) {
		return b, err
	}
	for i, name := range s.names {
		if !s.seen[i] {
			s.errs = append(s.errs, fmt.Errorf("key attribute %s is absent or NULL; a key needs a value", name))
		}
		b = append(b, s.parts[i]...)
	}
	return b, errors.Join(s.errs...)
}

func (s *keyScan) onMember(name []byte) error {
	for i, n := range s.names {
		if string(name) != n {
			continue
		}
		s.at = i
		if err := s.d.Object(s.tag); err != nil {
			return err
		}
		if s.found++; s.found == len(s.names) {
			return errKeysFound
		}
		return nil
	}
	return s.d.Skip()
}

func (s *keyScan) onTag(tag []byte) error {
	s.seen[s.at] = true
	if len(tag) != 1 || tag[0] != 'S' && tag[0] != 'B' && tag[0] != 'N' {
		s.errs = append(s.errs, fmt.Errorf("key attribute %s is absent or NULL; a key needs a value", s.names[s.at]))
		return s.d.Skip()
	}
	text, err := s.d.Text()
	if err != nil {
		return err
	}
	n, kind := len(text), tag[0]
	if kind == 'B' {
		n = len(text)/4*3 - (len(text) - len(bytes.TrimRight(text, "=")))
	}
	limit := maxPartitionKey
	if s.at > 0 {
		limit = maxSortKey
	}
	if err := checkKeyLength(s.names[s.at], n, limit); err != nil {
		s.errs = append(s.errs, err)
	}
	s.parts[s.at] = appendKeyPart(s.parts[s.at][:0], kind, text)
	return nil
}

// appendKeyPart appends type, length and value, so that no two keys run together.
func appendKeyPart[S string | []byte](b []byte, kind byte, text S) []byte {
	if kind == 'N' {
		return appendKeyPart(b, 'n', normalNumber([]byte(text)))
	}
	b = append(b, kind)
	b = strconv.AppendInt(b, int64(len(text)), 10)
	b = append(b, ':')
	return append(b, text...)
}

// normalNumber writes a decimal number as sign, digits without outer zeros, and
// exponent, so that 10, 10.0 and 1e1 become equal.
func normalNumber(s []byte) []byte {
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
