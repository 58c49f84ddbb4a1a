// SPDX-License-Identifier: Apache-2.0

package codec

import (
	"encoding/base64"
	"errors"
	"fmt"
	"sync"
	"time"
)

// ErrSyntax matches every [SyntaxError] with errors.Is.
var ErrSyntax = errors.New("malformed DynamoDB JSON")

// SyntaxError means that a body is not the strict JSON that DynamoDB sends. It contains the position and never the data.
type SyntaxError struct {
	Offset int    // bytes from the start of the body
	Want   string // what was expected there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("malformed DynamoDB JSON at offset %d: want %s", e.Offset, e.Want)
}

// Is reports whether target is [ErrSyntax].
func (e *SyntaxError) Is(target error) bool { return target == ErrSyntax }

const (
	// maxLevels limits how deep attribute values may nest; DynamoDB allows 32 levels.
	// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
	maxLevels = 64
	// maxDepth limits the nesting of JSON containers: two for each level, and the envelope.
	maxDepth = 2*maxLevels + 16

	maxBlock = 16 << 10 // arena block: the memory that one retained string can keep alive
	minBlock = 256
)

// Options are the settings of a [Decoder]. The zero value is suitable for short-lived results.
type Options struct {
	// NoArena allocates every decoded string and byte slice separately. By default those of one body share blocks of up to 16 KB,
	// which needs a tenth of the allocations, but one retained string keeps its whole block alive.
	NoArena bool
}

// Decoder is a cursor over one body in wire form. It accepts only strict JSON: control characters, lone surrogates, invalid
// UTF-8, unknown escapes and nesting beyond 64 attribute levels are [SyntaxError]s. Its results do not alias the body, unless a
// method says so.
//
// A Decoder must only be used by one goroutine. After an error its position is undefined.
type Decoder struct {
	b     []byte
	i     int
	depth int

	arena   []byte   // current block; the used parts of it belong to decoded values
	chunk   int      // block size; 0 means no arena
	scratch []byte   // unescaped text
	str     string   // the current element
	strs    []string // the elements of a long list
	strings []string // block of string headers, shared like the arena

	extents []extent // members of a set
	slots   []uint16 // hash table of them

	taken int // bytes allocated for interfaces and maps, see takes

	zone   *time.Location // of the last time that had an offset
	offset int

	fresh bool // the destination of the decoding is zero

	orders [maxOrders]order // of the struct types seen so far
	known  int              // how many of them are in use

	capture   []string // attributes whose bytes are recorded
	captureOf *Plan
	captureAt [2]int // their fields in that plan
	captured  [2][]byte
}

var decoders = sync.Pool{New: func() any { return new(Decoder) }}

// NewDecoder returns a decoder at the beginning of data. data must not change while the Decoder is in use. [Decoder.Release]
// returns it for reuse.
func NewDecoder(data []byte, o Options) *Decoder {
	d := decoders.Get().(*Decoder)
	d.b, d.i, d.depth, d.taken, d.fresh = data, 0, 0, 0, false
	if d.known == maxOrders {
		d.known = 0 // they belong to earlier bodies
	}
	for i := range d.known {
		d.orders[i].lost = 0
	}
	d.chunk = 0
	if !o.NoArena {
		// A small body uses one block of its own size.
		d.chunk = min(max(len(data)*3/4, minBlock), maxBlock)
	}
	return d
}

// Release ends the use of d; decoded values remain valid. Calling it is optional.
func (d *Decoder) Release() {
	d.b, d.arena, d.strings, d.str = nil, nil, nil, ""
	d.capture, d.captureOf, d.captured = nil, nil, [2][]byte{}
	if cap(d.scratch) > 64<<10 {
		d.scratch = nil
	}
	decoders.Put(d)
}

// Capture makes [DecodeNext] record the bytes of up to two top-level attributes of each item, see [Decoder.Captured].
func (d *Decoder) Capture(names []string) {
	names = names[:min(len(names), len(d.captured))]
	if len(names) > 0 && len(names) == len(d.capture) && &names[0] == &d.capture[0] {
		return // the same as for the previous item
	}
	d.capture, d.captureOf = names, nil
}

// Captured returns the values of the captured attributes in the item that was decoded last, in the order of their names. They alias
// the body. A value is nil if the item lacks the attribute. All are nil if the type of the item decodes itself.
func (d *Decoder) Captured() [2][]byte { return d.captured }

func (d *Decoder) note(field, from int) {
	for i := range d.capture {
		if d.captureAt[i] == field {
			d.captured[i] = d.b[from:d.i]
		}
	}
}

// Pos returns the offset of the next unread byte.
func (d *Decoder) Pos() int { return d.i }

// Len returns the size of the whole body in bytes.
func (d *Decoder) Len() int { return len(d.b) }

// Peek skips whitespace and returns the next byte without reading it. It returns 0 at the end.
func (d *Decoder) Peek() byte {
	if d.i < len(d.b) && d.b[d.i] > ' ' {
		return d.b[d.i]
	}
	for d.i < len(d.b) {
		switch c := d.b[d.i]; c {
		case ' ', '\n', '\t', '\r':
			d.i++
		default:
			return c
		}
	}
	return 0
}

// End fails unless only whitespace remains.
func (d *Decoder) End() error {
	if d.Peek(); d.i != len(d.b) {
		return d.fail("end of body")
	}
	return nil
}

// Object reads an object and calls fn with each member's unescaped name; fn must
// read the member's value. The name is valid until fn's first call on d. Object
// does not compare names with each other.
func (d *Decoder) Object(fn func(key []byte) error) error {
	more, err := d.open('{', '}')
	for ; more && err == nil; more, err = d.more('}') {
		var k []byte
		if k, err = d.name(); err != nil {
			return err
		}
		if err = fn(k); err != nil {
			return err
		}
	}
	return err
}

// Array reads an array and calls fn for each element; fn must read the element.
func (d *Decoder) Array(fn func() error) error {
	more, err := d.open('[', ']')
	for ; more && err == nil; more, err = d.more(']') {
		if err = fn(); err != nil {
			return err
		}
	}
	return err
}

// Skip validates and skips one JSON value of any kind.
func (d *Decoder) Skip() error {
	switch c := d.Peek(); c {
	case '{':
		more, err := d.open('{', '}')
		for ; more && err == nil; more, err = d.more('}') {
			if err = d.skipText(); err != nil {
				return err
			}
			if err = d.expect(':'); err != nil {
				return err
			}
			if err = d.Skip(); err != nil {
				return err
			}
		}
		return err
	case '[':
		more, err := d.open('[', ']')
		for ; more && err == nil; more, err = d.more(']') {
			if err = d.Skip(); err != nil {
				return err
			}
		}
		return err
	case '"':
		return d.skipText()
	case 't', 'f':
		_, err := d.boolean()
		return err
	case 'n':
		if !d.Null() {
			return d.fail("null")
		}
		return nil
	default:
		return d.skipNumber()
	}
}

// Raw skips one value and returns its bytes, which alias the body.
func (d *Decoder) Raw() ([]byte, error) {
	d.Peek()
	from := d.i
	err := d.Skip()
	return d.b[from:d.i:d.i], err
}

// Since returns the bytes that were read since d was at an offset of [Decoder.Pos]. They alias the body.
func (d *Decoder) Since(from int) []byte { return d.b[from:d.i:d.i] }

// String reads a JSON string.
func (d *Decoder) String() (string, error) {
	s, err := d.text()
	if err != nil {
		return "", err
	}
	return d.keep(s), nil
}

// Null reads a JSON null if that is the next value, and reports whether it was.
func (d *Decoder) Null() bool {
	if d.Peek() == 'n' && len(d.b)-d.i >= 4 && string(d.b[d.i:d.i+4]) == "null" {
		d.i += 4
		return true
	}
	return false
}

func (d *Decoder) fail(want string) error { return &SyntaxError{Offset: d.i, Want: want} }

func (d *Decoder) expect(c byte) error {
	if d.i < len(d.b) && d.b[d.i] == c {
		d.i++
		return nil
	}
	if d.Peek() == c {
		d.i++
		return nil
	}
	return d.fail(string(rune(c)))
}

// open enters a container and reports whether it is not empty.
func (d *Decoder) open(begin, end byte) (more bool, err error) {
	if err := d.expect(begin); err != nil {
		return false, err
	}
	if d.depth++; d.depth > maxDepth {
		return false, d.fail("less nesting")
	}
	if d.Peek() == end {
		d.i++
		d.depth--
		return false, nil
	}
	return true, nil
}

// more moves to the next member, or leaves the container.
func (d *Decoder) more(end byte) (bool, error) {
	switch d.Peek() {
	case ',':
		d.i++
		return true, nil
	case end:
		d.i++
		d.depth--
		return false, nil
	}
	return false, d.fail("comma or " + string(rune(end)))
}

// name reads the name of a member and the colon after it.
func (d *Decoder) name() ([]byte, error) {
	k, err := d.text()
	if err != nil {
		return nil, err
	}
	if d.i < len(d.b) && d.b[d.i] == ':' {
		d.i++
		return k, nil
	}
	return k, d.expect(':')
}

func (d *Decoder) boolean() (bool, error) {
	d.Peek()
	switch r := d.b[d.i:]; {
	case len(r) >= 4 && string(r[:4]) == "true":
		d.i += 4
		return true, nil
	case len(r) >= 5 && string(r[:5]) == "false":
		d.i += 5
		return false, nil
	}
	return false, d.fail("boolean")
}

// skipNumber skips a number by the grammar of RFC 8259.
func (d *Decoder) skipNumber() error {
	digits := func() bool {
		from := d.i
		for d.i < len(d.b) && d.b[d.i]-'0' < 10 {
			d.i++
		}
		return d.i > from
	}
	at := func(set string) bool {
		for i := range len(set) {
			if d.i < len(d.b) && d.b[d.i] == set[i] {
				d.i++
				return true
			}
		}
		return false
	}
	at("-")
	if !at("0") && !digits() {
		return d.fail("value")
	}
	if at(".") && !digits() {
		return d.fail("digit")
	}
	if at("eE") {
		at("+-")
		if !digits() {
			return d.fail("digit")
		}
	}
	return nil
}

// kind enters an attribute value: it reads {"X": and leaves d before the payload.
func (d *Decoder) kind() (Kind, error) {
	if d.depth++; d.depth > maxDepth {
		return KindAny, d.fail("less nesting")
	}
	// The compact form that the service sends is recognized by its six bytes.
	if b := d.b[d.i:]; len(b) >= 8 && b[0] == '{' && b[1] == '"' {
		n := 0
		switch {
		case b[3] == '"' && b[4] == ':':
			n = 1
		case b[4] == '"' && b[5] == ':':
			n = 2
		case b[6] == '"' && b[7] == ':':
			n = 4
		}
		if n > 0 {
			if k, ok := kindOf(b[2 : 2+n]); ok {
				d.i += n + 4
				return k, nil
			}
		}
	}
	if err := d.expect('{'); err != nil {
		return KindAny, err
	}
	tag, err := d.text()
	if err != nil {
		return KindAny, err
	}
	k, ok := kindOf(tag)
	if !ok {
		return KindAny, d.fail("attribute type")
	}
	return k, d.expect(':')
}

// close leaves an attribute value.
func (d *Decoder) close() error {
	d.depth--
	if d.i < len(d.b) && d.b[d.i] == '}' {
		d.i++
		return nil
	}
	return d.expect('}')
}

// bytes reads the payload of a B value into newly allocated memory.
func (d *Decoder) bytes() ([]byte, error) {
	s, err := d.base64()
	if err != nil {
		return nil, err
	}
	if len(s) == 0 {
		return []byte{}, nil
	}
	p := d.alloc(base64.StdEncoding.DecodedLen(len(s)))
	n, err := decode64(p, s)
	if err != nil {
		return nil, d.fail("base64")
	}
	return p[:n:n], nil
}

func (d *Decoder) base64() ([]byte, error) {
	s, esc, _, err := d.rawText()
	if err != nil || !esc {
		return s, err
	}
	if s, err = d.unescape(s); err != nil {
		return nil, err
	}
	for _, c := range s {
		// The base64 package ignores these characters; they can only come from escapes.
		if c == '\n' || c == '\r' {
			return nil, d.fail("base64")
		}
	}
	return s, nil
}

// alloc returns n bytes of the arena; large values are allocated separately.
func (d *Decoder) alloc(n int) []byte {
	if cap(d.arena)-len(d.arena) < n {
		if n > d.chunk/4 {
			return make([]byte, n)
		}
		d.arena = make([]byte, 0, d.chunk)
	}
	from := len(d.arena)
	d.arena = d.arena[:from+n]
	return d.arena[from : from+n : from+n]
}
