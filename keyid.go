package ddb

import (
	"encoding/base64"
	"errors"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// keyID is an item's primary key as text that is equal for equal keys, however
// their numbers are written. It serves to match replies to requests.
func (c *core) keyID(key map[string]types.AttributeValue) string {
	var b []byte
	for _, name := range c.key.names() {
		switch v := key[name].(type) {
		case *types.AttributeValueMemberS:
			b = appendKeyPart(b, 'S', []byte(v.Value))
		case *types.AttributeValueMemberN:
			b = appendKeyPart(b, 'N', []byte(v.Value))
		case *types.AttributeValueMemberB:
			b = appendKeyPart(b, 'B', base64.StdEncoding.AppendEncode(nil, v.Value))
		}
	}
	return string(b)
}

var errKeysFound = errors.New("all keys found")

// appendKeyID is keyID of an encoded item.
func (c *core) appendKeyID(b []byte, item []byte) ([]byte, error) {
	names := c.key.names()
	var parts [2][]byte
	found := 0
	d := codec.NewDecoder(item, codec.Options{})
	defer d.Release()
	err := d.Object(func(name []byte) error {
		for i, n := range names {
			if string(name) != n {
				continue
			}
			err := d.Object(func(tag []byte) error {
				kind := tag[0]
				text, err := d.Text()
				parts[i] = appendKeyPart(nil, kind, text)
				return err
			})
			if found++; err == nil && found == len(names) {
				return errKeysFound
			}
			return err
		}
		return d.Skip()
	})
	if !errors.Is(err, errKeysFound) {
		if err == nil {
			err = errors.New("the reply has an item without its key")
		}
		return b, err
	}
	for _, p := range parts[:len(names)] {
		b = append(b, p...)
	}
	return b, nil
}

// appendKeyPart appends type, length and value, so that no two keys run together.
func appendKeyPart(b []byte, kind byte, text []byte) []byte {
	if kind == 'N' {
		text = normalNumber(text)
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
