// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// DynamoDB exports a small subset of Ion text: a line is $ion_1_0 and a structure; text is in double quotes; numbers are
// decimals; binary is {{base64}}; sets are lists annotated with $dynamodb_SS, $dynamodb_NS or $dynamodb_BS. It is converted to
// DynamoDB's JSON, and that is read.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
// https://amazon-ion.github.io/ion-docs/docs/spec.html

var errIon = errors.New("it is not the Ion text that DynamoDB exports")

// maxIonDepth is how deep values nest: 32 levels of DynamoDB's and the line around them.
const maxIonDepth = 34

// ionReader rewrites a line.
type ionReader struct {
	in  []byte
	i   int
	out []byte
}

// fromIon appends a line in DynamoDB's JSON.
func fromIon(out, in []byte) ([]byte, error) {
	r := &ionReader{in: in, out: out}
	r.space()
	const version = "$ion_1_0"
	if bytes.HasPrefix(r.in[r.i:], []byte(version)) {
		r.i += len(version)
		r.space()
	}
	if err := r.structure(0, true); err != nil {
		return out, err
	}
	if r.space(); r.i != len(r.in) {
		return out, errIon
	}
	return r.out, nil
}

func (r *ionReader) space() { r.i = skipSpace(r.in, r.i) }

func (r *ionReader) peek() byte {
	if r.i < len(r.in) {
		return r.in[r.i]
	}
	return 0
}

func (r *ionReader) take(c byte) bool {
	r.space()
	if r.peek() != c {
		return false
	}
	r.i++
	return true
}

// structure rewrites {name:value,...} as an object. In the structure of the line itself a value is an object of attributes.
func (r *ionReader) structure(depth int, whole bool) error {
	if depth > maxIonDepth {
		return errIon
	}
	return r.members('{', '}', func() error {
		name, err := r.name()
		if err != nil {
			return err
		}
		if !r.take(':') {
			return errIon
		}
		r.out = append(appendText(r.out, name), ':')
		if whole {
			return r.structure(depth+1, false)
		}
		return r.value(depth + 1)
	})
}

// members rewrites the members between two brackets, separated by commas.
func (r *ionReader) members(begin, end byte, member func() error) error {
	if !r.take(begin) {
		return errIon
	}
	r.out = append(r.out, begin)
	for first := true; !r.take(end); first = false {
		if !first {
			if !r.take(',') {
				return errIon
			}
			if r.take(end) { // the last member may be followed by a comma
				break
			}
			r.out = append(r.out, ',')
		}
		r.space()
		if err := member(); err != nil {
			return err
		}
	}
	r.out = append(r.out, end)
	return nil
}

// name is the name of a field, or an annotation: a symbol, bare or in quotes.
func (r *ionReader) name() (string, error) {
	r.space()
	switch c := r.peek(); {
	case c == '"' || c == '\'':
		return r.quoted(c)
	case isSymbol(c) && (c < '0' || c > '9'):
		from := r.i
		for isSymbol(r.peek()) {
			r.i++
		}
		return string(r.in[from:r.i]), nil
	}
	return "", errIon
}

func isSymbol(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$'
}

// quoted reads text in quotes.
func (r *ionReader) quoted(quote byte) (string, error) {
	from := r.i + 1
	for i := from; i < len(r.in); i++ {
		switch r.in[i] {
		case quote:
			r.i = i + 1
			text := r.in[from:i]
			if !utf8.Valid(text) {
				return "", errIon
			}
			return string(text), nil
		case '\\':
			return r.escaped(from, quote)
		case '\n', '\r':
			return "", errIon
		}
	}
	return "", errIon
}

// escaped is quoted for text with escapes.
func (r *ionReader) escaped(from int, quote byte) (string, error) {
	var b strings.Builder
	var high rune // the first of two that are one character
	add := func(c rune) bool {
		switch {
		case high != 0:
			if c < 0xDC00 || c > 0xDFFF {
				return false
			}
			c, high = (high-0xD800)<<10|(c-0xDC00)+0x10000, 0
		case c >= 0xD800 && c <= 0xDBFF:
			high = c
			return true
		}
		if !utf8.ValidRune(c) {
			return false
		}
		b.WriteRune(c)
		return true
	}
	for i := from; i < len(r.in); {
		c := r.in[i]
		switch {
		case c == quote && high == 0:
			r.i = i + 1
			return b.String(), nil
		case c != '\\':
			char, n := utf8.DecodeRune(r.in[i:])
			if char == utf8.RuneError && n <= 1 || c == '\n' || c == '\r' || !add(char) {
				return "", errIon
			}
			i += n
			continue
		}
		if i++; i >= len(r.in) {
			return "", errIon
		}
		digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[r.in[i]]
		if digits > 0 {
			if i+1+digits > len(r.in) {
				return "", errIon
			}
			n, err := strconv.ParseUint(string(r.in[i+1:i+1+digits]), 16, 32)
			if err != nil || n > utf8.MaxRune || !add(rune(n)) {
				return "", errIon
			}
			i += 1 + digits
			continue
		}
		char, ok := map[byte]rune{'0': 0, 'a': 7, 'b': 8, 't': 9, 'n': 10, 'f': 12, 'r': 13, 'v': 11, '?': '?', '/': '/', '\'': '\'', '"': '"', '\\': '\\'}[r.in[i]]
		if !ok || !add(char) {
			return "", errIon
		}
		i++
	}
	return "", errIon
}

// value rewrites an attribute value.
func (r *ionReader) value(depth int) error {
	if depth > maxIonDepth {
		return errIon
	}
	r.space()
	switch c := r.peek(); {
	case c == '{' && r.i+1 < len(r.in) && r.in[r.i+1] == '{':
		return r.wrapped(`{"B":`, r.blob)
	case c == '{':
		return r.wrapped(`{"M":`, func() error { return r.structure(depth, false) })
	case c == '[':
		return r.wrapped(`{"L":`, func() error { return r.list(func() error { return r.value(depth + 1) }) })
	case c == '"':
		return r.wrapped(`{"S":`, r.text)
	case c == '-' || c >= '0' && c <= '9':
		return r.wrapped(`{"N":`, r.number)
	}
	word, err := r.name()
	if err != nil {
		return err
	}
	if r.space(); bytes.HasPrefix(r.in[r.i:], []byte("::")) {
		r.i += len("::")
		return r.set(word)
	}
	switch word {
	case "true", "false":
		r.out = append(append(append(r.out, `{"BOOL":`...), word...), '}')
		return nil
	case "null":
		if r.peek() == '.' { // of a type
			r.i++
			if _, err := r.name(); err != nil {
				return err
			}
		}
		r.out = append(r.out, `{"NULL":true}`...)
		return nil
	}
	return errIon
}

func (r *ionReader) wrapped(head string, inner func() error) error {
	r.out = append(r.out, head...)
	if err := inner(); err != nil {
		return err
	}
	r.out = append(r.out, '}')
	return nil
}

func (r *ionReader) set(annotation string) error {
	members := map[string]func() error{"$dynamodb_SS": r.text, "$dynamodb_NS": r.number, "$dynamodb_BS": r.blob}[annotation]
	if members == nil {
		return errIon
	}
	r.space()
	return r.wrapped(`{"`+annotation[len(annotation)-2:]+`":`, func() error { return r.list(members) })
}

func (r *ionReader) list(element func() error) error { return r.members('[', ']', element) }

func (r *ionReader) text() error {
	if r.peek() != '"' {
		return errIon
	}
	text, err := r.quoted('"')
	r.out = appendText(r.out, text)
	return err
}

// number rewrites a decimal, 1.5d2, or an integer.
func (r *ionReader) number() error {
	from := r.i
	for c := r.peek(); c != 0 && strings.IndexByte("+-.0123456789dDeE", c) >= 0; c = r.peek() {
		r.i++
	}
	if r.i == from {
		return errIon
	}
	text := strings.Map(func(c rune) rune {
		if c == 'd' || c == 'D' || c == 'e' {
			return 'E'
		}
		return c
	}, string(r.in[from:r.i]))
	r.out = append(append(append(r.out, '"'), text...), '"')
	return nil
}

// blob rewrites {{base64}}.
func (r *ionReader) blob() error {
	rest := r.in[r.i:]
	if !bytes.HasPrefix(rest, []byte("{{")) {
		return errIon
	}
	inner, _, ok := bytes.Cut(rest[2:], []byte("}}"))
	if !ok {
		return errIon
	}
	r.i += len(inner) + len("{{}}")
	inner = bytes.TrimSpace(inner)
	if _, err := base64.StdEncoding.DecodeString(string(inner)); err != nil || bytes.ContainsAny(inner, "\r\n") {
		return errIon
	}
	r.out = append(append(append(r.out, '"'), inner...), '"')
	return nil
}

// appendText appends text, which is valid UTF-8, as JSON.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ':
			b = fmt.Appendf(b, `\u%04x`, c)
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
