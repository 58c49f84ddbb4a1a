// SPDX-License-Identifier: Apache-2.0

package dump

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/rawitem"
)

// line holds the parts of a line of an export, in DynamoDB's JSON. Missing parts are nil.
type line struct {
	item, keys, before, after []byte
	metadata                  []byte
}

var (
	errForm     = errors.New("it is not an object of the export's format")
	errNoItem   = errors.New("it has no Item")
	errNoKeys   = errors.New("it has no Keys")
	errMetadata = errors.New("its Metadata has no time of the write")
)

// The usual form of a line of a full export.
var (
	itemHead = []byte(`{"Item":`)
	itemTail = []byte(`}`)
)

// split splits a line in DynamoDB's JSON into its parts. It does not validate the parts.
func split(b []byte) (l line, err error) {
	if bytes.HasPrefix(b, itemHead) {
		if n := skipValue(b[len(itemHead):]); n > 0 && bytes.Equal(bytes.TrimSpace(b[len(itemHead)+n:]), itemTail) {
			l.item = b[len(itemHead) : len(itemHead)+n]
			return l, nil
		}
	}
	i := skipSpace(b, 0)
	if i >= len(b) || b[i] != '{' {
		return l, errForm
	}
	i = skipSpace(b, i+1)
	for first := true; i < len(b) && b[i] != '}'; first = false {
		if !first {
			if b[i] != ',' {
				return l, errForm
			}
			i = skipSpace(b, i+1)
		}
		n := skipValue(b[i:])
		if n <= 0 || b[i] != '"' {
			return l, errForm
		}
		name := string(b[i : i+n])
		if i = skipSpace(b, i+n); i >= len(b) || b[i] != ':' {
			return l, errForm
		}
		i = skipSpace(b, i+1)
		if n = skipValue(b[i:]); n <= 0 {
			return l, errForm
		}
		if err := l.set(name, b[i:i+n]); err != nil {
			return l, err
		}
		i = skipSpace(b, i+n)
	}
	if i >= len(b) || skipSpace(b, i+1) != len(b) {
		return l, errForm
	}
	return l, nil
}

// set stores a part; name is quoted.
func (l *line) set(name string, value []byte) error {
	parts := map[string]*[]byte{`"Item"`: &l.item, `"Keys"`: &l.keys, `"OldImage"`: &l.before, `"NewImage"`: &l.after, `"Metadata"`: &l.metadata}
	at, known := parts[name]
	if !known {
		return nil // from a later version of the format
	}
	if *at != nil {
		return errForm
	}
	*at = value
	return nil
}

func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skipValue returns the length of the JSON value that b begins with, or 0 if it does not end in b. It does not validate the
// value; its reader does.
func skipValue(b []byte) int {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if i >= len(b) {
				return 0
			}
		case '{', '[':
			depth++
			continue
		case '}', ']':
			if depth--; depth < 0 {
				return i
			}
		case ',', ':', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
			continue
		default:
			continue
		}
		if depth == 0 {
			return i + 1
		}
	}
	return 0
}

// Record is a line of an export: an item of a full export, or a changed item of an incremental one.
type Record struct {
	// File and Line are the place of the record; Line counts from 1.
	File string
	Line int
	// New is the item; in an incremental export, the item at the end of the time span. It has no attributes if the item was
	// deleted; see Deleted.
	New rawitem.Item
	// Old is the item at the beginning of the time span. Only an incremental export that was requested with old images has it,
	// and only if the item existed.
	Old rawitem.Item
	// Keys are the key attributes of the item, only in incremental exports.
	Keys rawitem.Item
	// Deleted reports that the item was deleted in the time span.
	Deleted bool
	// Written is the time of the last write of the item, only in incremental exports.
	Written time.Time
}

// Format prints the place of the record for every verb, and no data.
func (r Record) Format(s fmt.State, _ rune) {
	_, _ = fmt.Fprintf(s, "file %s, line %d", r.File, r.Line)
}

// recordOf parses a line in DynamoDB's JSON.
func recordOf(b []byte, isIncremental bool) (r Record, err error) {
	l, err := split(b)
	if err != nil {
		return r, err
	}
	if !isIncremental {
		if l.item == nil {
			return r, errNoItem
		}
		r.New, err = rawitem.Parse(l.item)
		return r, err
	}
	if l.keys == nil {
		return r, errNoKeys
	}
	var errs [3]error
	r.Keys, errs[0] = rawitem.Parse(l.keys)
	if l.before != nil {
		r.Old, errs[1] = rawitem.Parse(l.before)
	}
	if r.Deleted = l.after == nil; !r.Deleted {
		r.New, errs[2] = rawitem.Parse(l.after)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return r, err
	}
	r.Written, err = writtenOf(l.metadata)
	return r, err
}

// writtenOf parses {"WriteTimestampMicros":{"N":"1680109764000000"}}. In Ion the number may be a decimal, 1680109764000000. or
// 1680109764d6.
func writtenOf(metadata []byte) (time.Time, error) {
	m, err := rawitem.Parse(metadata)
	if err != nil {
		return time.Time{}, errMetadata
	}
	v, _ := m.Attr("WriteTimestampMicros")
	if v.Type() != attrtype.Number {
		return time.Time{}, errMetadata
	}
	text := v.JSON()
	micros, ok := wholeNumber(string(text[len(`{"N":"`) : len(text)-len(`"}`)]))
	if !ok {
		return time.Time{}, errMetadata
	}
	return time.UnixMicro(micros).UTC(), nil
}

// wholeNumber returns the value of a decimal number that is an integer. An exponent of more than two digits is rejected, before a
// number with that many digits is created.
func wholeNumber(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	digits, exponent, has := strings.Cut(strings.ReplaceAll(text, "e", "E"), "E")
	if n, err := strconv.Atoi(exponent); len(digits) > 64 || has && (err != nil || n < -99 || n > 99) || strings.ContainsFunc(digits, notDecimal) {
		return 0, false
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || !r.IsInt() || !r.Num().IsInt64() {
		return 0, false
	}
	return r.Num().Int64(), true
}

func notDecimal(r rune) bool { return (r < '0' || r > '9') && r != '.' && r != '-' && r != '+' }
