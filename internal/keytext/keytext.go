// SPDX-License-Identifier: Apache-2.0

// Package keytext escapes text for keys of several fields, so that it holds no delimiter and sorts as before.
package keytext

import (
	"errors"
	"unicode/utf8"
)

const (
	// Delimiter separates the fields of a key.
	Delimiter    = '#'
	escape       = '$' // the next byte above the delimiter, so that no text sorts between the two
	escapeOffset = '@' // added to an escaped byte, which makes it printable
)

// AppendEscaped writes text so that it holds no [Delimiter] and sorts as before: every
// byte up to the escape character becomes two, in the order of the bytes.
func AppendEscaped(dst []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, errors.New("the text is not valid UTF-8")
	}
	for i := range len(text) {
		if b := text[i]; b <= escape {
			dst = append(dst, escape, b+escapeOffset)
		} else {
			dst = append(dst, b)
		}
	}
	return dst, nil
}

// Unescape reads what AppendEscaped wrote, and nothing else.
func Unescape(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errors.New("the text is not valid UTF-8")
	}
	plain := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		b := text[i]
		switch {
		case b > escape:
		case b < escape || i+1 == len(text) || text[i+1] < escapeOffset || text[i+1] > escapeOffset+escape:
			return "", errors.New("the text is not escaped as Format does it")
		default:
			i++
			b = text[i] - escapeOffset
		}
		plain = append(plain, b)
	}
	return string(plain), nil
}
