// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// reader reads the JSON of a request. It keeps the first error, after which
// every method returns zero values and consumes nothing.
type reader struct {
	data []byte
	pos  int
	err  error
	host string // the host that the request was sent to, "" without a request
}

// malformed is the answer to a body that is not JSON.
func malformed() error {
	return &engine.Error{Type: engine.SerializationException}
}

func mistyped(message string) error {
	return &engine.Error{Type: engine.SerializationException, Message: message}
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.pos = len(r.data)
}

// peek returns the first byte of the next token, or 0 at the end.
func (r *reader) peek() byte {
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; c {
		case ' ', '\t', '\n', '\r':
			r.pos++
		default:
			return c
		}
	}
	return 0
}

// accept consumes the next byte if it is c.
func (r *reader) accept(c byte) bool {
	if r.peek() != c || r.err != nil {
		return false
	}
	r.pos++
	return true
}

// null consumes a null.
func (r *reader) null() bool {
	if r.peek() != 'n' {
		return false
	}
	r.word("null")
	return true
}

func (r *reader) word(w string) {
	if len(r.data)-r.pos < len(w) || string(r.data[r.pos:r.pos+len(w)]) != w {
		r.fail(malformed())
		return
	}
	r.pos += len(w)
}

// object reads an object member by member; each must consume the value. kind is
// its Java type. It returns false, and reads nothing, for null.
func (r *reader) object(kind string, each func(name []byte)) bool {
	if r.err != nil || r.null() {
		return false
	}
	if !r.accept('{') {
		r.fail(r.notStructure(kind))
		return false
	}
	if r.accept('}') {
		return true
	}
	for r.err == nil {
		if r.peek() != '"' {
			r.fail(malformed())
			return false
		}
		name := r.quoted()
		if !r.accept(':') {
			r.fail(malformed())
			return false
		}
		each(name)
		if r.accept(',') {
			continue
		}
		if r.accept('}') {
			return r.err == nil
		}
		r.fail(malformed())
	}
	return false
}

// array reads an array element by element; each must consume the element. It
// returns false, and reads nothing, for null.
func (r *reader) array(each func()) bool {
	if r.err != nil || r.null() {
		return false
	}
	if !r.accept('[') {
		r.fail(r.notList())
		return false
	}
	if r.accept(']') {
		return true
	}
	for r.err == nil {
		each()
		if r.accept(',') {
			continue
		}
		if r.accept(']') {
			return r.err == nil
		}
		r.fail(malformed())
	}
	return false
}

// str reads a string, or nil for null.
func (r *reader) str() *string {
	if r.err != nil || r.null() {
		return nil
	}
	if r.peek() != '"' {
		r.fail(r.notScalar("String"))
		return nil
	}
	s := string(r.quoted())
	if r.err != nil {
		return nil
	}
	return &s
}

// strs reads a list of strings; nil for null.
func (r *reader) strs() []string {
	list := []string{}
	if !r.array(func() {
		if s := r.str(); s != nil {
			list = append(list, *s)
		}
	}) {
		return nil
	}
	return list
}

// boolean reads true or false, or nil for null.
func (r *reader) boolean() *bool {
	if r.err != nil || r.null() {
		return nil
	}
	b := false
	switch r.peek() {
	case 't':
		r.word("true")
		b = true
	case 'f':
		r.word("false")
	default:
		r.fail(r.notScalar("Boolean"))
		return nil
	}
	return &b
}

// integer reads a whole number, or nil for null; a fraction is cut off. kind
// is Integer or Long.
func (r *reader) integer(kind string) *int64 {
	if r.err != nil || r.null() {
		return nil
	}
	c := r.peek()
	if c != '-' && (c < '0' || c > '9') {
		r.fail(r.notScalar(kind))
		return nil
	}
	text := string(r.number())
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			r.fail(malformed())
			return nil
		}
		n = int64(f)
	}
	return &n
}

func (r *reader) number() []byte {
	start := r.pos
	for r.pos < len(r.data) {
		switch c := r.data[r.pos]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			r.pos++
		default:
			return r.data[start:r.pos]
		}
	}
	return r.data[start:r.pos]
}

// quoted reads a string whose opening quote is next. The result may share
// memory with the request.
func (r *reader) quoted() []byte {
	r.pos++
	start := r.pos
	for i := start; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			if text := r.data[start:i]; utf8.Valid(text) {
				return text
			}
			r.fail(malformed())
			return nil
		case c == '\\':
			return r.escaped(start, i)
		case c < ' ':
			r.fail(malformed())
			return nil
		}
	}
	r.fail(malformed())
	return nil
}

// escaped reads on from the first backslash of a string, at i.
func (r *reader) escaped(start, i int) []byte {
	text := append(make([]byte, 0, 2*(i-start)+16), r.data[start:i]...)
	for i < len(r.data) {
		c := r.data[i]
		switch {
		case c == '"':
			r.pos = i + 1
			if !utf8.Valid(text) {
				r.fail(malformed())
				return nil
			}
			return text
		case c < ' ':
			r.fail(malformed())
			return nil
		case c != '\\':
			text = append(text, c)
			i++
			continue
		}
		if i+1 >= len(r.data) {
			break
		}
		i++
		switch e := r.data[i]; e {
		case '"', '\\', '/':
			text = append(text, e)
		case 'b':
			text = append(text, '\b')
		case 'f':
			text = append(text, '\f')
		case 'n':
			text = append(text, '\n')
		case 'r':
			text = append(text, '\r')
		case 't':
			text = append(text, '\t')
		case 'u':
			char, ok := r.hex(i + 1)
			if !ok {
				r.fail(malformed())
				return nil
			}
			i += 4
			if utf16.IsSurrogate(char) && i+2 < len(r.data) && r.data[i+1] == '\\' && r.data[i+2] == 'u' {
				low, ok := r.hex(i + 3)
				if pair := utf16.DecodeRune(char, low); ok && pair != utf8.RuneError {
					char = pair
					i += 6
				}
			}
			text = utf8.AppendRune(text, char)
		default:
			r.fail(malformed())
			return nil
		}
		i++
	}
	r.fail(malformed())
	return nil
}

func (r *reader) hex(at int) (rune, bool) {
	if at+4 > len(r.data) {
		return 0, false
	}
	n, err := strconv.ParseUint(string(r.data[at:at+4]), 16, 16)
	return rune(n), err == nil
}

// skip consumes the next value, whatever it is.
func (r *reader) skip() { r.raw() }

// raw consumes the next value and returns its text. It finds the end of the
// value and leaves it to others to check what is inside.
func (r *reader) raw() []byte {
	r.peek()
	start, depth := r.pos, 0
	for i := start; i < len(r.data); i++ {
		switch r.data[i] {
		case '"':
			for i++; i < len(r.data) && r.data[i] != '"'; i++ {
				if r.data[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			depth--
			if depth < 0 {
				r.pos = i
				return r.nonempty(start)
			}
		case ',':
			if depth == 0 {
				r.pos = i
				return r.nonempty(start)
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			r.pos = min(i+1, len(r.data))
			return r.nonempty(start)
		}
	}
	if depth == 0 && start < len(r.data) {
		r.pos = len(r.data)
		return r.data[start:]
	}
	r.fail(malformed())
	return nil
}

func (r *reader) nonempty(start int) []byte {
	if r.pos == start {
		r.fail(malformed())
		return nil
	}
	return r.data[start:r.pos]
}

// end checks that nothing but space is left.
func (r *reader) end() {
	if r.err == nil && r.peek() != 0 {
		r.fail(malformed())
	}
}

// attributes reads a map of attribute values.
func (r *reader) attributes() engine.Attributes {
	if r.err != nil || r.null() {
		return engine.Attributes{}
	}
	text := r.raw()
	item, err := value.DecodeItem(text)
	if r.err != nil {
		return engine.Attributes{}
	}
	if err = r.keep(err); r.err != nil {
		return engine.Attributes{}
	}
	return engine.Attributes{Present: true, Item: item, Err: err, Text: text}
}

// attribute reads one attribute value, or nil for null.
func (r *reader) attribute() *engine.Attribute {
	if r.err != nil || r.null() {
		return nil
	}
	v, err := value.Decode(r.raw())
	if r.err != nil {
		return nil
	}
	if err = r.keep(err); r.err != nil {
		return nil
	}
	return &engine.Attribute{Value: v, Err: err}
}

// keep returns an error of validation, which is reported later, and fails with
// an error of the format.
func (r *reader) keep(err error) error {
	if err == nil {
		return nil
	}
	if e := engine.AsError(err); e.Type == engine.SerializationException {
		r.fail(e)
	}
	return err
}
