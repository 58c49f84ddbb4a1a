// SPDX-License-Identifier: Apache-2.0

package itemfile

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// errIon is the error for text that is not of the part of Ion that an item is written in: structures, lists, text in double quotes,
// decimals and integers, blobs, Booleans, null, and lists annotated as sets.
//
// https://amazon-ion.github.io/ion-docs/docs/spec.html
var errIon = errors.New("the line is not {Item:{...}} in Ion text")

// ionReader makes the wire form of the values that a line in Ion has, which package value then checks. It keeps that something is wrong, after which
// nothing more is read.
type ionReader struct {
	text      []byte
	out       []byte
	bad       bool
	attribute string // that is being read
	twice     error  // of the first name that a structure has twice
}

func decodeIon(line []byte) (value.Item, error) {
	if rest, ok := bytes.CutPrefix(line, []byte("$ion_1_0")); ok {
		if !bytes.HasPrefix(rest, []byte(" ")) && !bytes.HasPrefix(rest, []byte("{")) && !bytes.HasPrefix(rest, []byte("\t")) {
			return nil, errIon
		}
		line = rest
	}
	r := &ionReader{text: line}
	var item []byte
	r.list('{', '}', func() {
		name := r.field()
		r.out = nil
		r.structure(0)
		if name == itemMember {
			r.bad = r.bad || item != nil
			item = r.out
		}
	})
	if r.peek() != 0 || r.bad {
		return nil, errIon
	}
	if item == nil {
		return nil, errNoItem
	}
	if r.twice != nil {
		return nil, r.twice
	}
	return value.DecodeItem(item)
}

// peek is the next byte that is not space, 0 at the end.
func (r *ionReader) peek() byte {
	r.text = bytes.TrimLeft(r.text, " \t\r\n")
	if len(r.text) == 0 || r.bad {
		return 0
	}
	return r.text[0]
}

// take consumes the next byte if it is c.
func (r *ionReader) take(c byte) bool {
	if r.peek() != c || c == 0 {
		return false
	}
	r.text = r.text[1:]
	return true
}

func (r *ionReader) expect(c byte) {
	if !r.take(c) {
		r.bad = true
	}
}

// list reads members between two brackets. The last one may be followed by a comma.
func (r *ionReader) list(open, end byte, member func()) {
	r.expect(open)
	for !r.bad && !r.take(end) {
		member()
		if r.bad || r.take(end) {
			return
		}
		r.expect(',')
	}
}

// written reads a list and writes it between two brackets.
func (r *ionReader) written(open, end byte, member func()) {
	r.out = append(r.out, open)
	first := true
	r.list(open, end, func() {
		if !first {
			r.out = append(r.out, ',')
		}
		first = false
		member()
	})
	r.out = append(r.out, end)
}

// field reads the name of a field and the colon.
func (r *ionReader) field() string {
	name := r.symbol()
	r.expect(':')
	return name
}

// symbol reads an identifier, or text in quotes.
func (r *ionReader) symbol() string {
	switch c := r.peek(); {
	case c == '"' || c == '\'':
		return r.quoted(c)
	case isSymbol(c) && (c < '0' || c > '9'):
		n := 1
		for n < len(r.text) && isSymbol(r.text[n]) {
			n++
		}
		name := string(r.text[:n])
		r.text = r.text[n:]
		return name
	}
	r.bad = true
	return ""
}

const maxIonLevels = 100 // more than package value allows

// structure reads an item, at level 0, or a map. Ion allows a name twice in a structure, and DynamoDB does not document which value an import keeps, so it is an
// error here.
//
// https://amazon-ion.github.io/ion-docs/docs/spec.html#struct
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
func (r *ionReader) structure(level int) {
	if level > maxIonLevels {
		r.bad = true
		return
	}
	names := make(map[string]bool)
	r.written('{', '}', func() {
		name := r.field()
		if level == 0 {
			r.attribute = name
		}
		if names[name] && r.twice == nil {
			r.twice = fmt.Errorf("the item has attribute %q twice", name)
			if level > 0 {
				r.twice = fmt.Errorf("a map in attribute %q has a key twice", r.attribute)
			}
		}
		names[name] = true
		r.out = append(value.AppendString(r.out, name), ':')
		r.value(level + 1)
	})
}

// value reads a value and writes its wire form.
func (r *ionReader) value(level int) {
	if level > maxIonLevels {
		r.bad = true
		return
	}
	switch c := r.peek(); {
	case c == '{' && bytes.HasPrefix(r.text, []byte("{{")):
		r.typed("B", r.blob)
	case c == '{':
		r.typed("M", func() { r.structure(level) })
	case c == '[':
		r.typed("L", func() { r.written('[', ']', func() { r.value(level + 1) }) })
	case c == '"':
		r.typed("S", r.string)
	case c == '-' || c >= '0' && c <= '9':
		r.typed("N", r.decimal)
	default:
		r.word(r.symbol())
	}
}

// word reads what begins with a symbol: a Boolean, null, or a set.
func (r *ionReader) word(word string) {
	if r.take(':') {
		r.expect(':')
		members := map[string]func(){ionStrings: r.string, ionNumbers: r.decimal, ionBinaries: r.blob}[word]
		if members == nil || r.peek() != '[' {
			r.bad = true
			return
		}
		r.typed(word[len(word)-2:], func() { r.written('[', ']', members) })
		return
	}
	switch word {
	case "true", "false":
		r.typed("BOOL", func() { r.out = append(r.out, word...) })
	case "null":
		if r.take('.') { // null.string
			r.symbol()
		}
		r.typed("NULL", func() { r.out = append(r.out, "true"...) })
	default:
		r.bad = true
	}
}

func (r *ionReader) typed(kind string, content func()) {
	r.out = append(append(append(r.out, `{"`...), kind...), `":`...)
	content()
	r.out = append(r.out, '}')
}

func (r *ionReader) string() {
	if r.peek() != '"' {
		r.bad = true
		return
	}
	r.out = value.AppendString(r.out, r.quoted('"'))
}

func (r *ionReader) decimal() {
	r.peek()
	n := 0
	for n < len(r.text) && strings.IndexByte("+-.0123456789dDeE", r.text[n]) >= 0 {
		n++
	}
	digits := strings.NewReplacer("d", "E", "D", "E", "e", "E").Replace(string(r.text[:n]))
	r.bad = r.bad || n == 0
	r.text = r.text[n:]
	r.out = value.AppendString(r.out, digits)
}

func (r *ionReader) blob() {
	r.peek()
	rest, opened := bytes.CutPrefix(r.text, []byte("{{"))
	content, rest, closed := bytes.Cut(rest, []byte("}}"))
	content = bytes.TrimSpace(content)
	if _, err := base64.StdEncoding.DecodeString(string(content)); err != nil || !opened || !closed {
		r.bad = true
		return
	}
	r.text = rest
	r.out = value.AppendString(r.out, string(content))
}

// quoted reads text in quotes, with Ion's escapes.
func (r *ionReader) quoted(quote byte) string {
	var text []byte
	for i := 1; i < len(r.text); {
		switch c := r.text[i]; {
		case c == quote:
			r.text = r.text[i+1:]
			r.bad = r.bad || !utf8.Valid(text)
			return string(text)
		case c != '\\':
			text = append(text, c)
			i++
		default:
			char, n := ionEscape(r.text[i:])
			if n == 0 {
				r.bad = true
				return ""
			}
			text = utf8.AppendRune(text, char)
			i += n
		}
	}
	r.bad = true
	return ""
}

// ionEscape reads an escape and returns how long it is, 0 for one that is none. Two of \u that are halves of one character are one.
func ionEscape(text []byte) (char rune, n int) {
	if len(text) < 2 {
		return 0, 0
	}
	const letters, meanings = `0abtnfrv?/'"\`, "\x00\a\b\t\n\f\r\v?/'\"\\"
	if i := strings.IndexByte(letters, text[1]); i >= 0 {
		return rune(meanings[i]), 2
	}
	digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[text[1]]
	if digits == 0 || len(text) < 2+digits {
		return 0, 0
	}
	code, err := strconv.ParseUint(string(text[2:2+digits]), 16, 32)
	if err != nil || code > utf8.MaxRune {
		return 0, 0
	}
	char, n = rune(code), 2+digits
	if utf16.IsSurrogate(char) {
		if !bytes.HasPrefix(text[n:], []byte(`\u`)) {
			return 0, 0
		}
		if char = utf16.DecodeRune(char, ionEscapeUnit(text[n:])); char == utf8.RuneError {
			return 0, 0
		}
		n += ionUnitSize
	}
	return char, n
}

const ionUnitSize = len(`\u0000`)

// ionEscapeUnit reads \u and four digits; 0 is none.
func ionEscapeUnit(text []byte) rune {
	if len(text) < ionUnitSize {
		return 0
	}
	code, err := strconv.ParseUint(string(text[2:ionUnitSize]), 16, 16)
	if err != nil {
		return 0
	}
	return rune(code)
}
