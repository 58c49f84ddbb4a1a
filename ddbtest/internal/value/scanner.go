// SPDX-License-Identifier: Apache-2.0

package value

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// scanner walks over JSON text. Its methods report malformed text by setting
// bad; after that they return zero values.
type scanner struct {
	text []byte
	pos  int
	bad  bool
}

// maxJSONDepth limits the recursion to more levels than any valid request has.
const maxJSONDepth = 1000

// peek returns the first byte of the next token, or 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// eat consumes the next token if it is c.
func (s *scanner) eat(c byte) bool {
	if !s.bad && s.peek() == c {
		s.pos++
		return true
	}
	return false
}

func (s *scanner) expect(c byte) {
	if !s.eat(c) {
		s.bad = true
	}
}

// object calls member for each member of the next object; member
// must consume the member's value.
func (s *scanner) object(member func(name string)) {
	s.expect('{')
	if s.bad || s.eat('}') {
		return
	}
	for !s.bad {
		name := s.str()
		s.expect(':')
		if s.bad {
			return
		}
		member(name)
		if s.eat('}') {
			return
		}
		s.expect(',')
	}
}

// array calls element for each element of the next array; element
// must consume it.
func (s *scanner) array(element func()) {
	s.expect('[')
	if s.bad || s.eat(']') {
		return
	}
	for !s.bad {
		element()
		if s.eat(']') {
			return
		}
		s.expect(',')
	}
}

// literal consumes true, false or null.
func (s *scanner) literal(word string) {
	s.peek()
	if len(s.text)-s.pos < len(word) || string(s.text[s.pos:s.pos+len(word)]) != word {
		s.bad = true
		return
	}
	s.pos += len(word)
}

// number consumes a number and reports whether it is written as an integer.
func (s *scanner) number() (integer bool) {
	s.peek()
	digits := func() {
		start := s.pos
		for s.pos < len(s.text) && '0' <= s.text[s.pos] && s.text[s.pos] <= '9' {
			s.pos++
		}
		if s.pos == start {
			s.bad = true
		}
	}
	at := func(set string) bool {
		for i := range len(set) {
			if s.pos < len(s.text) && s.text[s.pos] == set[i] {
				s.pos++
				return true
			}
		}
		return false
	}
	at("-")
	digits()
	integer = true
	if at(".") {
		integer = false
		digits()
	}
	if at("eE") {
		integer = false
		at("+-")
		digits()
	}
	return integer
}

// skip consumes the next value, whatever it is.
func (s *scanner) skip(depth int) {
	if depth > maxJSONDepth {
		s.bad = true
	}
	if s.bad {
		return
	}
	switch s.peek() {
	case '{':
		s.object(func(string) { s.skip(depth + 1) })
	case '[':
		s.array(func() { s.skip(depth + 1) })
	case '"':
		s.str()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
}

// str consumes a string and returns it unescaped. Bytes that are not UTF-8 and
// lone surrogates become U+FFFD.
func (s *scanner) str() string {
	s.expect('"')
	if s.bad {
		return ""
	}
	start := s.pos
	ascii := true
	for s.pos < len(s.text) {
		switch c := s.text[s.pos]; {
		case c == '"':
			raw := s.text[start:s.pos]
			s.pos++
			if ascii || utf8.Valid(raw) {
				return string(raw)
			}
			return string([]rune(string(raw)))
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.bad = true
			return ""
		case c >= utf8.RuneSelf:
			ascii = false
		}
		s.pos++
	}
	s.bad = true
	return ""
}

// escaped finishes a string that has an escape in it.
func (s *scanner) escaped(start int) string {
	b := append([]byte(nil), s.text[start:s.pos]...)
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		s.pos++
		switch {
		case c == '"':
			if utf8.Valid(b) {
				return string(b)
			}
			return string([]rune(string(b)))
		case c < ' ':
			s.bad = true
			return ""
		case c != '\\':
			b = append(b, c)
			continue
		}
		if s.pos == len(s.text) {
			break
		}
		c = s.text[s.pos]
		s.pos++
		switch c {
		case '"', '\\', '/':
			b = append(b, c)
		case 'b':
			b = append(b, '\b')
		case 'f':
			b = append(b, '\f')
		case 'n':
			b = append(b, '\n')
		case 'r':
			b = append(b, '\r')
		case 't':
			b = append(b, '\t')
		case 'u':
			r := s.hex4()
			if utf16.IsSurrogate(r) {
				r = s.surrogate(r)
			}
			b = utf8.AppendRune(b, r)
		default:
			s.bad = true
			return ""
		}
	}
	s.bad = true
	return ""
}

// hex4 consumes the four digits of a \u escape.
func (s *scanner) hex4() rune {
	if len(s.text)-s.pos < 4 {
		s.bad = true
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(s.text[s.pos:s.pos+4]), 16, 16)
	if err != nil {
		s.bad = true
		return utf8.RuneError
	}
	s.pos += 4
	return rune(n)
}

// surrogate joins a surrogate with the one in the escape that follows it.
func (s *scanner) surrogate(first rune) rune {
	if len(s.text)-s.pos < 6 || s.text[s.pos] != '\\' || s.text[s.pos+1] != 'u' {
		return utf8.RuneError
	}
	before := s.pos
	s.pos += 2
	r := utf16.DecodeRune(first, s.hex4())
	if r == utf8.RuneError {
		s.pos = before
	}
	return r
}
