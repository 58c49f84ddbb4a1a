// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/dynamotable/ddb/cmd/ddb/internal/plain"
	"github.com/dynamotable/ddb/rawitem"
)

// jsonLine returns a value as one line of JSON, without escapes for HTML.
func jsonLine(value any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(value)
	return b.Bytes(), err
}

// items writes items, one on each line.
type items struct {
	w     *bufio.Writer
	plain bool
	loss  plain.Loss
}

func newItems(w io.Writer, plain bool) *items {
	return &items{w: bufio.NewWriterSize(w, 64*1024), plain: plain}
}

func (o *items) write(item rawitem.Item) error {
	line := item.JSON()
	if o.plain {
		var err error
		if line, err = plain.FromItem(line, &o.loss); err != nil {
			return err
		}
	}
	if _, err := o.w.Write(line); err != nil {
		return err
	}
	return o.w.WriteByte('\n')
}

// flush writes all buffered lines.
func (o *items) flush() error { return o.w.Flush() }

// warn reports what was lost in the plain form.
func (o *items) warn(s streams) {
	var parts []string
	for _, l := range []struct {
		n    int
		what string
	}{
		{o.loss.Sets, "sets became lists"}, {o.loss.Binaries, "binary values became base64 text"},
		{o.loss.Numbers, "numbers have more digits than most readers of JSON keep"},
	} {
		if l.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", l.n, l.what))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(s.err, "warning: -plain loses types: %s\n", strings.Join(parts, ", "))
	}
}
