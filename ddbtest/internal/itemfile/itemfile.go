// SPDX-License-Identifier: Apache-2.0

// Package itemfile writes and reads files of items in the formats of exports to S3 and of imports from it: DynamoDB JSON, Ion text and,
// for reading, CSV.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataImport.Format.html
package itemfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Formats, as the API names them.
const (
	JSON = "DYNAMODB_JSON"
	Ion  = "ION"
	CSV  = "CSV"
)

// itemMember is the member of a line that holds the item.
const itemMember = "Item"

// Part is a member of a line: "Item", or "NewImage".
type Part struct {
	Name string
	Item value.Item
}

// Append appends a line in a format, which is JSON or Ion.
func Append(b []byte, format string, parts ...Part) []byte {
	if format == Ion {
		b = append(b, "$ion_1_0 {"...)
	} else {
		b = append(b, '{')
	}
	for i, p := range parts {
		if i > 0 {
			b = append(b, ',')
		}
		if format == Ion {
			b = appendIonStruct(append(append(b, p.Name...), ':'), p.Item)
		} else {
			b = value.AppendItem(append(value.AppendString(b, p.Name), ':'), p.Item)
		}
	}
	return append(b, "}\n"...)
}

// Reader reads the items of a file.
type Reader interface {
	// Next returns the next item and the line on which it begins, which counts from 1. At the end of the file the error is [io.EOF]. After any
	// other error nothing more can be read.
	Next() (item value.Item, line int, err error)
}

// Why a line is not read.
var (
	errForm   = errors.New(`the line is not {"Item":{...}} in DynamoDB JSON`)
	errNoItem = errors.New(`the line has no member "Item"`)
	errLong   = errors.New("the line is longer than any item can be")
)

// lines reads a file in JSON or Ion.
type lines struct {
	source *bufio.Reader
	line   int
	long   []byte // the line, whose memory the next one uses
	decode func(line []byte) (value.Item, error)
}

// NewReader reads a file in DynamoDB JSON or in Ion text.
func NewReader(r io.Reader, format string) Reader {
	l := &lines{source: bufio.NewReader(r), decode: decodeJSON}
	if format == Ion {
		l.decode = decodeIon
	}
	return l
}

// Next reads the next line that is not blank.
func (l *lines) Next() (value.Item, int, error) {
	for {
		text, err := l.read()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, l.line + 1, err
		}
		if len(text) == 0 {
			return nil, l.line, io.EOF
		}
		l.line++
		if text = bytes.TrimSpace(text); len(text) > 0 {
			item, err := l.decode(text)
			return item, l.line, err
		}
	}
}

// maxLine bounds a line: an item of 400 KB in JSON with every byte escaped takes less.
const maxLine = 8 << 20

// read returns the next line with its end. It is valid until the next call.
func (l *lines) read() ([]byte, error) {
	l.long = l.long[:0]
	for {
		part, err := l.source.ReadSlice('\n')
		if len(l.long)+len(part) > maxLine {
			return nil, errLong
		}
		if l.long = append(l.long, part...); !errors.Is(err, bufio.ErrBufferFull) {
			return l.long, err
		}
	}
}

// decodeJSON reads {"Item":{...}}. Other members are left out.
func decodeJSON(line []byte) (value.Item, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(line, &members); err != nil || members == nil {
		return nil, errForm
	}
	text, ok := members[itemMember]
	if !ok {
		return nil, errNoItem
	}
	item, err := value.DecodeItem(text)
	if err == nil && item == nil {
		return nil, errNoItem
	}
	return item, err
}
