// SPDX-License-Identifier: Apache-2.0

package itemfile

import (
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// CSVOptions say how a CSV file is read.
type CSVOptions struct {
	// Delimiter separates the fields; 0 is a comma.
	Delimiter rune
	// Header names the attributes. Without it the first line of the file does.
	Header []string
	// Keys are the types of the attributes in the keys of the table and of its indexes; all others become strings.
	Keys map[string]value.Kind
}

// csvFile reads a CSV file.
type csvFile struct {
	source *csv.Reader
	CSVOptions
}

// NewCSV reads a CSV file.
func NewCSV(r io.Reader, o CSVOptions) Reader {
	f := &csvFile{source: csv.NewReader(r), CSVOptions: o}
	f.source.ReuseRecord = true
	f.source.FieldsPerRecord = len(o.Header) // 0: as many as the first line
	if o.Delimiter != 0 {
		f.source.Comma = o.Delimiter
	}
	return f
}

// Next reads the next line that is not blank.
func (f *csvFile) Next() (value.Item, int, error) {
	if f.Header == nil {
		names, line, err := f.record()
		if err != nil {
			return nil, line, err
		}
		f.Header = append([]string{}, names...)
	}
	fields, line, err := f.record()
	if err != nil {
		return nil, line, err
	}
	item := make(value.Item, len(fields))
	for i, name := range f.Header {
		if _, twice := item[name]; twice || name == "" {
			return nil, line, errors.New("the header names an attribute twice, or one without a name")
		}
		if item[name], err = f.value(name, fields[i]); err != nil {
			return nil, line, err
		}
	}
	return item, line, nil
}

func (f *csvFile) record() (fields []string, line int, err error) {
	fields, err = f.source.Read()
	if parse, ok := errors.AsType[*csv.ParseError](err); ok {
		return nil, parse.StartLine, fmt.Errorf("the line is not CSV of the header: %w", parse.Err)
	}
	if err != nil {
		return nil, 0, err
	}
	line, _ = f.source.FieldPos(0)
	return fields, line, nil
}

// value is the value of a field: a string, unless the attribute is in a key. How the service reads a binary key is documented nowhere; here it is
// base64.
func (f *csvFile) value(name, field string) (value.Value, error) {
	if !utf8.ValidString(field) {
		return nil, errors.New("the field of attribute " + name + " is not UTF-8")
	}
	switch f.Keys[name] {
	case value.KindNumber:
		return value.ParseNumber(field)
	case value.KindBinary:
		data, err := base64.StdEncoding.DecodeString(field)
		if err != nil {
			return nil, errors.New("the key " + name + " is binary, and the field is no base64")
		}
		return value.Binary(data), nil
	default:
		return value.String(field), nil
	}
}
