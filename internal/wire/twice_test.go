// SPDX-License-Identifier: Apache-2.0

package wire //nolint:testpackage // it calls the functions that split replies

import (
	"errors"
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
)

// counted counts the items that it receives.
type counted int

func (c *counted) Reset(int) {}

func (c *counted) Row(d *codec.Decoder) error {
	*c++
	return d.Skip()
}

// TestRepeatedMembersOfReplies: a reply with its list of items twice does not come from the service, and would be decoded twice.
func TestRepeatedMembersOfReplies(t *testing.T) {
	for name, body := range map[string]string{
		"Item":  `{"Item":{"a":{"S":"1"}},"Item":{"a":{"S":"2"}}}`,
		"later": `{"Item":{"a":{"S":"1"}},"x":1,"Item":null,"Item":{"a":{"S":"2"}}}`,
	} {
		var rows counted
		k := newCall("GetItem", true, Options{}, nil)
		k.direct = true
		k.item("Item", &rows)
		_, err := k.take(&buffer{body: []byte(body)})
		if m := Mismatch(""); !errors.As(err, &m) || rows != 1 {
			t.Errorf("%s: %v after %d items", name, err, rows)
		}
	}
	var rows counted
	s := &actionSink{rows: func(int) Rows { return &rows }, want: 1}
	body := []byte(`[{"Item":{"a":{"S":"1"}},"Item":{"a":{"S":"2"}}}]`)
	d := codec.NewDecoder(body, codec.Options{})
	defer d.Release()
	if err := s.read(page{d: d, body: body}); !mismatched(err) || rows != 1 {
		t.Errorf("transaction: %v after %d items", err, rows)
	}
}
