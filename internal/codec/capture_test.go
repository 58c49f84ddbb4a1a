// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/internal/codec"
)

type watchedItem struct {
	Kid  *leaf             `dynamodbav:"kid,omitempty"`
	A    string            `dynamodbav:"a"`
	N    int               `dynamodbav:"n,omitempty"`
	Map  map[string]string `dynamodbav:"m"`
	Last []byte            `dynamodbav:"z"`
}

// TestAppendWatched: the recorded values are those of the item, and nothing else changes.
func TestAppendWatched(t *testing.T) {
	p := plan[watchedItem](t)
	for _, c := range []struct {
		v     watchedItem
		names []string
		want  [2]string
	}{
		{watchedItem{A: "x\"y", N: 7}, []string{"a", "n"}, [2]string{`{"S":"x\"y"}`, `{"N":"7"}`}},
		{watchedItem{A: "x", Kid: &leaf{A: "inner"}}, []string{"n", "a"}, [2]string{"", `{"S":"x"}`}},
		{watchedItem{Kid: &leaf{A: "inner"}}, []string{"kid"}, [2]string{`{"M":{"a":{"S":"inner"},"b":{"N":"0"},"c":{"S":""}}}`, ""}},
		{watchedItem{Kid: &leaf{B: 3}}, []string{"b", "c"}, [2]string{}}, // names of the inner struct
		{watchedItem{Last: []byte{1}}, []string{"z", "none"}, [2]string{`{"B":"AQ=="}`, ""}},
		{watchedItem{A: "a"}, []string{"a", "a"}, [2]string{`{"S":"a"}`, `{"S":"a"}`}},
		{watchedItem{A: "a"}, nil, [2]string{}},
	} {
		plain, err := codec.Append([]byte("before"), p, &c.v)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // encoders are used again
			out, values, err := codec.AppendCapturing([]byte("before"), p, reflect.ValueOf(&c.v).Elem(), c.names)
			if err != nil || string(out) != string(plain) {
				t.Errorf("%v: %s, %v; want %s", c.names, out, err, plain)
			}
			if string(values[0]) != c.want[0] || string(values[1]) != c.want[1] {
				t.Errorf("%v: %s and %s, want %s", c.names, values[0], values[1], c.want)
			}
		}
	}
	out, values, err := codec.AppendCapturing([]byte("before"), p, reflect.ValueOf(&watchedItem{A: "\xff"}).Elem(), []string{"a"})
	if err == nil || string(out) != "before" || values[0] != nil || !strings.Contains(err.Error(), "attribute a") {
		t.Errorf("%q %q %v", out, values, err)
	}
	if _, values, err := codec.AppendCapturing(nil, p, reflect.ValueOf(&watchedItem{A: "x"}).Elem(), []string{"n"}); err != nil || values[0] != nil {
		t.Errorf("left over: %q %v", values, err)
	}
}
