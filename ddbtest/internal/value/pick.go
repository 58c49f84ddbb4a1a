// SPDX-License-Identifier: Apache-2.0

package value

import (
	"bytes"
	"errors"
)

// errImage is the error for text that is not an item in the form that AppendItem writes.
var errImage = errors.New("not an item in wire form")

// Pick decodes the named attributes of a stored item, as far as it has them, into item, and reports whether it has
// others. It is meant for items encoded by AppendItem: skipped text is not validated.
func Pick(item Item, image []byte, names []string) (others bool, err error) {
	s := scanner{text: image}
	s.expect('{')
	if s.eat('}') {
		return false, nil
	}
	for missing := len(names); !s.bad; {
		if missing == 0 {
			return true, nil
		}
		s.peek()
		start := s.pos
		s.pass()
		name, found := s.pick(start, names)
		s.expect(':')
		s.peek()
		start = s.pos
		s.pass()
		if s.bad {
			break
		}
		if found {
			missing--
			if item[name], err = Decode(image[start:s.pos]); err != nil {
				return others, err
			}
		}
		others = others || !found
		if s.eat('}') {
			return others, nil
		}
		s.expect(',')
	}
	return others, errImage
}

// pick returns the name between start and the current position, with its quotation marks, if it is one of the names.
func (s *scanner) pick(start int, names []string) (name string, found bool) {
	raw := s.text[start:s.pos]
	if len(raw) < 2 || raw[0] != '"' {
		s.bad = true
		return "", false
	}
	raw = raw[1 : len(raw)-1]
	if bytes.IndexByte(raw, '\\') >= 0 {
		raw = []byte((&scanner{text: s.text[start:s.pos]}).str())
	}
	for _, name := range names {
		if string(raw) == name {
			return name, true
		}
	}
	return "", false
}

// pass skips the next value without validating it.
func (s *scanner) pass() {
	depth := 0
	for s.peek(); s.pos < len(s.text) && !s.bad; {
		switch s.text[s.pos] {
		case '"':
			s.passString()
		case '{', '[':
			depth++
			s.pos++
			continue
		case '}', ']':
			depth--
			s.pos++
		case ',', ':', ' ', '\t', '\r', '\n':
			s.pos++
			continue
		default: // a number, true, false or null
			for s.pos < len(s.text) && !endsWord(s.text[s.pos]) {
				s.pos++
			}
		}
		if depth <= 0 {
			s.bad = s.bad || depth < 0
			return
		}
	}
	s.bad = true
}

func endsWord(c byte) bool {
	switch c {
	case ',', ':', '}', ']', ' ', '\t', '\r', '\n':
		return true
	}
	return false
}

// passString skips a string.
func (s *scanner) passString() {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		next := bytes.IndexByte(s.text[s.pos:], '"')
		if next < 0 {
			break
		}
		escaped := bytes.IndexByte(s.text[s.pos:s.pos+next], '\\')
		if escaped < 0 {
			s.pos += next + 1
			return
		}
		s.pos += escaped + 1 // the escaped character; the loop continues after it
	}
	s.bad = true
}
