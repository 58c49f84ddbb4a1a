// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
)

func TestLookahead(t *testing.T) {
	const item = ` {"a":{"S":"x"}, "m":{"M":{"type":{"S":"inner"}}} ,"t\u0079pe" : {"S":"order"},"z":{"N":"1"}}`
	names := []string{"type", "a", "none"}
	values := make([][]byte, len(names))
	d := codec.NewDecoder([]byte(item), codec.Options{})
	for range 2 { // the decoder has not moved
		if err := d.Lookahead(names, values); err != nil {
			t.Fatal(err)
		}
		if string(values[0]) != `{"S":"order"}` || string(values[1]) != `{"S":"x"}` || values[2] != nil {
			t.Fatalf("%q", values)
		}
	}
	if err := d.Skip(); err != nil {
		t.Fatal(err)
	}
	if err := d.End(); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{``, `[]`, `{"a"}`, `{"a":{"S":"x"`, `{"a":{"S":"x"}`} {
		d := codec.NewDecoder([]byte(bad), codec.Options{})
		if err := d.Lookahead(names, values); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	d = codec.NewDecoder([]byte(item), codec.Options{})
	if n := testing.AllocsPerRun(100, func() { _ = d.Lookahead(names, values) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
