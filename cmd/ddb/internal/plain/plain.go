// SPDX-License-Identifier: Apache-2.0

// Package plain converts items from DynamoDB's JSON, {"id":{"S":"a"},"n":{"N":"1"}}, to JSON without types, {"id":"a","n":1}, and
// back. Attributes keep their order, and numbers their digits.
package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Loss counts what is lost in plain JSON.
type Loss struct {
	Sets     int // that became lists
	Binaries int // that became text, in base64; members of sets count separately
	Numbers  int // that a 64-bit float, which most JSON parsers use, does not hold exactly
}

// maxLevels is the maximum nesting of lists and maps in an attribute. It also limits the recursion.
const maxLevels = 32

var errLevels = errors.New("the values nest deeper than the 32 levels of an item")

var errForm = errors.New("this is no item in DynamoDB's JSON")

// FromItem returns an item as JSON without types.
func FromItem(item []byte, loss *Loss) ([]byte, error) {
	r := newReader(item)
	r.loss = loss
	r.object(r.value)
	return r.end()
}

// reader reads one form and writes the other.
type reader struct {
	d     *json.Decoder
	out   bytes.Buffer
	texts *json.Encoder // to out
	loss  *Loss
	err   error

	depth int // of the value
}

func newReader(data []byte) *reader {
	r := &reader{d: json.NewDecoder(bytes.NewReader(data))}
	r.d.UseNumber()
	r.texts = json.NewEncoder(&r.out)
	r.texts.SetEscapeHTML(false)
	return r
}

func (r *reader) end() ([]byte, error) {
	if r.err == nil {
		if _, err := r.d.Token(); !errors.Is(err, io.EOF) { // More is false before a bracket that was not opened
			r.err = errForm
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	return r.out.Bytes(), nil
}

// deeper counts the level of a value, and reports whether it is allowed.
func (r *reader) deeper(most int) bool {
	if r.depth++; r.depth > most && r.err == nil {
		r.err = errLevels
	}
	return r.err == nil
}

func (r *reader) token() json.Token {
	if r.err != nil {
		return nil
	}
	t, err := r.d.Token()
	if err != nil {
		r.err = errForm
	}
	return t
}

func (r *reader) delim(want json.Delim) {
	if t := r.token(); r.err == nil && t != want {
		r.err = errForm
	}
}

func (r *reader) text() string {
	s, ok := r.token().(string)
	if !ok && r.err == nil {
		r.err = errForm
	}
	return s
}

func (r *reader) more() bool { return r.err == nil && r.d.More() }

// object copies an object; value writes its values.
func (r *reader) object(value func()) {
	r.delim('{')
	r.members(value)
}

// members copies an object after its first bracket.
func (r *reader) members(value func()) {
	r.out.WriteByte('{')
	for first := true; r.more(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		r.quoted(r.text())
		r.out.WriteByte(':')
		value()
	}
	r.delim('}')
	r.out.WriteByte('}')
}

// array copies an array; element writes its elements.
func (r *reader) array(element func()) {
	r.delim('[')
	r.elements(element)
}

// elements copies an array after its first bracket.
func (r *reader) elements(element func()) {
	r.out.WriteByte('[')
	for first := true; r.more(); first = false {
		if !first {
			r.out.WriteByte(',')
		}
		element()
	}
	r.delim(']')
	r.out.WriteByte(']')
}

// quoted writes a text as JSON.
func (r *reader) quoted(s string) {
	if err := r.texts.Encode(s); err != nil && r.err == nil {
		r.err = err
	}
	r.out.Truncate(r.out.Len() - 1) // without the line end
}

// value reads {"S":"a"} and writes "a".
func (r *reader) value() {
	defer func() { r.depth-- }()
	if !r.deeper(2 * maxLevels) { // everything that is stored can be printed
		return
	}
	r.delim('{')
	switch kind := r.text(); kind {
	case "S":
		r.quoted(r.text())
	case "N":
		r.number(r.text())
	case "B":
		r.binary()
	case "BOOL":
		b, ok := r.token().(bool)
		if !ok && r.err == nil {
			r.err = errForm
		}
		r.out.WriteString(strconv.FormatBool(b))
	case "NULL":
		r.token()
		r.out.WriteString("null")
	case "M":
		r.object(r.value)
	case "L":
		r.array(r.value)
	case "SS", "NS", "BS":
		r.loss.Sets++
		member := map[string]func(){"SS": func() { r.quoted(r.text()) }, "NS": func() { r.number(r.text()) }, "BS": r.binary}[kind]
		r.array(member)
	default:
		if r.err == nil {
			r.err = errForm
		}
	}
	r.delim('}')
}

func (r *reader) binary() {
	r.loss.Binaries++
	r.quoted(r.text())
}

// number writes the digits of a number unchanged, if JSON allows that form.
func (r *reader) number(digits string) {
	if !json.Valid([]byte(digits)) || strings.ContainsAny(digits, `"{[`) {
		if r.err == nil {
			r.err = errors.New("a number has no form that JSON knows")
		}
		return
	}
	if !isExact(digits) {
		r.loss.Numbers++
	}
	r.out.WriteString(digits)
}

// isExact reports whether a 64-bit float, printed in its shortest form, is the same number.
func isExact(digits string) bool {
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil {
		return false
	}
	a, ok := new(big.Rat).SetString(digits)
	b, ok2 := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	return ok && ok2 && a.Cmp(b) == 0
}

// ToItem returns an item in DynamoDB's JSON, from texts, numbers, booleans, nulls, lists and maps.
func ToItem(data []byte) ([]byte, error) {
	if !utf8.Valid(data) { // the decoder would replace invalid characters
		return nil, errors.New("this is no UTF-8 text")
	}
	r := newReader(data)
	r.object(r.typed)
	out, err := r.end()
	if errors.Is(err, errForm) {
		return nil, errors.New("this is no JSON object")
	}
	return out, err
}

// typed reads "a" and writes {"S":"a"}.
func (r *reader) typed() {
	defer func() { r.depth-- }()
	if !r.deeper(maxLevels + 1) { // one more inside of lists and maps
		return
	}
	switch t := r.token().(type) {
	case string:
		r.out.WriteString(`{"S":`)
		r.quoted(t)
	case json.Number:
		r.out.WriteString(`{"N":"` + t.String() + `"`)
	case bool:
		r.out.WriteString(`{"BOOL":` + strconv.FormatBool(t))
	case json.Delim:
		if r.depth > maxLevels {
			r.err = errLevels
			return
		}
		if t == '[' {
			r.out.WriteString(`{"L":`)
			r.elements(r.typed)
			break
		}
		r.out.WriteString(`{"M":`)
		r.members(r.typed)
	default:
		r.out.WriteString(`{"NULL":true`)
	}
	r.out.WriteByte('}')
}
