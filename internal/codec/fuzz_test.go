// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

// kitchen has a field of every kind that both codecs read in the same way.
type kitchen struct {
	S   string            `dynamodbav:"s"`
	I   int64             `dynamodbav:"i"`
	U   uint8             `dynamodbav:"u"`
	F   float64           `dynamodbav:"f"`
	G   float32           `dynamodbav:"g"`
	T   bool              `dynamodbav:"t"`
	B   []byte            `dynamodbav:"b"`
	At  time.Time         `dynamodbav:"at"`
	TTL time.Time         `dynamodbav:"ttl,unixtime"`
	L   []string          `dynamodbav:"l"`
	N   []int             `dynamodbav:"n"`
	SS  []string          `dynamodbav:"ss,stringset"`
	NS  []float64         `dynamodbav:"ns,numberset"`
	BS  [][]byte          `dynamodbav:"bs"`
	M   map[string]string `dynamodbav:"m"`
	K   map[int]bool      `dynamodbav:"k"`
	P   *string           `dynamodbav:"p"`
	Q   string            `dynamodbav:"q,omitempty"`
	R   int               `dynamodbav:"r,string"`
	In  inner             `dynamodbav:"in"`
	Kid *kitchen          `dynamodbav:"kid"`
	Num json.Number       `dynamodbav:"num,nullempty"`
}

var kitchenSeeds = []string{
	`{}`, `{"s":{"S":"\ud83d\ude00\u00e9"},"i":{"N":"12"}}`, ` { "s" : { "S" : "a\"b" } , "t":{"BOOL":true}, "zz":{"L":[{"M":{"a":{"NULL":true}}}]} } `,
	`{"f":{"N":"1.5E3"},"g":{"N":"0.1"},"u":{"N":"255"},"b":{"B":"AQ=="},"at":{"S":"2026-11-20T01:02:03.4Z"},"ttl":{"N":"5"}}`,
	`{"l":{"L":[{"S":"x"},{"NULL":true}]},"n":{"NS":["1","2"]},"ss":{"SS":["a"]},"ns":{"NS":["1.5"]},"bs":{"BS":["AQ=="]}}`,
	`{"m":{"M":{"k":{"S":"v"}}},"k":{"M":{"1":{"BOOL":false}}},"p":{"S":""},"r":{"S":"7"},"in":{"M":{"A":{"N":"1"}}},"kid":{"M":{"kid":{"NULL":true}}},"num":{"N":"1E-130"}}`,
	`{"i":{"N":"9223372036854775808"}}`, `{"s":{"S":1}}`, `[`, `{"s":{"S":"x"},"s":{"S":"y"}}`,
}

// decodeKitchen decodes data and checks the properties that hold for every input.
func decodeKitchen(t *testing.T, data []byte) (kitchen, bool) {
	var v kitchen
	p := plan[kitchen](t)
	if err := codec.Decode(p, data, &v); err != nil {
		var e *codec.Error
		if !errors.Is(err, codec.ErrSyntax) && !errors.As(err, &e) {
			t.Fatalf("%q: error of another kind: %v", data, err)
		}
		return v, false
	}
	if !json.Valid(data) || !utf8.Valid(data) {
		t.Fatalf("%q is not JSON and was read", data)
	}
	// Decoded values can be encoded, and are then unchanged.
	wire, err := codec.Append(nil, p, &v)
	if err != nil {
		if reason := err.Error(); strings.Contains(reason, "twice") || strings.Contains(reason, "set has no members") || strings.Contains(reason, "key is empty") ||
			strings.Contains(reason, "magnitude") || strings.Contains(reason, "year from") || strings.Contains(reason, "cannot hold it") {
			return v, true // the service would not have stored it
		}
		t.Fatalf("%q: cannot be written back: %v", data, err)
	}
	var again kitchen
	if err := codec.Decode(p, wire, &again); err != nil {
		t.Fatalf("%q became %s: %v", data, wire, err)
	}
	if d := cmp.Diff(v, again, alike); d != "" {
		t.Fatalf("%q became %s: %s", data, wire, d)
	}
	return v, true
}

var caseless = regexp.MustCompile(`(?i)"(s|i|u|f|g|t|b|at|ttl|l|n|ss|ns|bs|m|k|p|q|r|in|kid|num|a|b)"`)

// FuzzDecode decodes any bytes, and compares the result with that of attributevalue.
func FuzzDecode(f *testing.F) {
	for _, s := range kitchenSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		ours, ok := decodeKitchen(t, data)
		item, err := codec.ParseItem(data)
		if err != nil {
			if ok && !strings.Contains(string(data), "{") {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		wire, err := codec.AppendItemMap(nil, item)
		if err != nil {
			t.Fatalf("%q: the bridge cannot write it back: %v", data, err)
		}
		if again, err := codec.ParseItem(wire); err != nil || !cmp.Equal(item, again, equal) {
			t.Fatalf("%q became %s: %v", data, wire, err)
		}
		var theirs kitchen
		err = attributevalue.UnmarshalMap(item, &theirs)
		if !ok || err != nil || foldsNames(wire) {
			return // rejections have their own tests
		}
		if d := cmp.Diff(theirs, ours, equal); d != "" {
			t.Fatalf("attributevalue reads %q differently (-theirs +ours):\n%s", data, d)
		}
	})
}

// foldsNames reports whether a name equals the name of a field except for
// its case, or contains a character that folds to one of its letters: attributevalue would take it for the field.
func foldsNames(wire []byte) bool {
	for _, m := range caseless.FindAll(wire, -1) {
		name := strings.Trim(string(m), `"`)
		if name != strings.ToLower(name) {
			return true
		}
	}
	return bytes.ContainsAny(wire, "\u017f\u212a")
}

// FuzzEncode writes any values, and compares the result with that of attributevalue.
func FuzzEncode(f *testing.F) {
	f.Add("text", int64(-1), 1.5, []byte{1}, true, int64(0), "k", uint8(3))
	f.Add("\x00\"\\\xff", int64(1)<<53+1, 1e-130, []byte(nil), false, int64(-62135596800), "", uint8(255))
	f.Fuzz(func(t *testing.T, s string, i int64, x float64, b []byte, yes bool, sec int64, key string, n uint8) {
		v := kitchen{S: s, I: i, U: n, F: x, G: float32(x), T: yes, B: b, At: time.Unix(sec, i&0xffff).UTC(), TTL: time.Unix(sec, 0),
			L: []string{s, key}, N: []int{int(i), int(n)}, SS: []string{s}, NS: []float64{x}, M: map[string]string{key: s}, K: map[int]bool{int(n): yes},
			P: &key, Q: key, R: int(i), In: inner{int(n), int(i)}}
		if len(b) > 0 {
			v.BS, v.Kid = [][]byte{b}, &kitchen{S: s, At: v.At}
		}
		p := plan[kitchen](t)
		wire, err := codec.Append(nil, p, &v)
		if err != nil {
			var e *codec.Error
			if !errors.As(err, &e) || strings.Contains(err.Error(), "\xff") {
				t.Fatalf("error of another kind: %v", err)
			}
			return
		}
		if !json.Valid(wire) || !utf8.Valid(wire) {
			t.Fatalf("%q is not JSON", wire)
		}
		captured := []string{"s", "kid"}
		again, values, err := codec.AppendCapturing(nil, p, reflect.ValueOf(&v).Elem(), captured)
		d := codec.NewDecoder(wire, codec.Options{})
		d.Capture(captured)
		var back kitchen
		if err2 := codec.DecodeNext(p, d, &back); err != nil || err2 != nil || !bytes.Equal(again, wire) {
			t.Fatalf("%q, noting keys %q: %v %v", wire, again, err, err2)
		}
		for i, value := range d.Captured() {
			if !bytes.Equal(value, values[i]) {
				t.Fatalf("%q: %s is noted as %q, want %q", wire, captured[i], values[i], value)
			}
		}
		d.Release()
		ours, err := codec.ParseItem(wire)
		if err != nil {
			t.Fatalf("%q: %v", wire, err)
		}
		theirs, err := attributevalue.MarshalMap(&v)
		if err != nil {
			t.Fatalf("attributevalue refuses the codec's output: %v", err)
		}
		if d := cmp.Diff(deliberate(theirs, ours), ours, byValue); d != "" {
			t.Fatalf("attributevalue writes it differently (-theirs +ours):\n%s", d)
		}
		if size, err := codec.ItemSize(wire); err != nil || size != modelSize(ours) {
			t.Fatalf("%q: size is %d (%v), want %d", wire, size, err, modelSize(ours))
		}
		if _, ok := decodeKitchen(t, wire); !ok {
			t.Fatalf("%q was written and cannot be read", wire)
		}
	})
}

var surrogate = regexp.MustCompile(`(?i)\\ud[89a-f]`)

// FuzzSkip compares the scanner with encoding/json.
func FuzzSkip(f *testing.F) {
	for _, s := range append(kitchenSeeds, `1`, `-0.0e-1`, `"x"`, `null`, `[[[]]]`, "\"12345678\x00\"", `{"a":[true,false,null,{"b":"\u0000"}]}`) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		d := codec.NewDecoder(data, codec.Options{})
		defer d.Release()
		err := d.Skip()
		if err == nil {
			err = d.End()
		}
		valid := json.Valid(data) && utf8.Valid(data)
		if err == nil && !valid {
			t.Fatalf("%q was accepted", data)
		}
		if err != nil && !errors.Is(err, codec.ErrSyntax) {
			t.Fatalf("%q: %v", data, err)
		}
		if err != nil && valid && !surrogate.Match(data) && !strings.Contains(err.Error(), "less nesting") {
			t.Fatalf("%q was refused: %v", data, err)
		}
		if _, err := codec.ItemSize(data); err == nil && !valid {
			t.Fatalf("%q was measured", data)
		}
	})
}
