// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

func TestStrictJSON(t *testing.T) {
	deep := func(n int) string {
		return strings.Repeat(`{"L":[`, n) + `{"S":"x"}` + strings.Repeat(`]}`, n)
	}
	for _, c := range []struct {
		body string
		ok   bool
	}{
		{`{}`, true}, {` { } `, true}, {"\t\r\n[1,2]\n", true}, {`"x"`, true}, {`true`, true}, {`null`, true}, {`-0.5e+10`, true}, {`0`, true},
		{`"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"`, true}, {"\"\u007f\u2028é😀\"", true}, {`{"a":{"b":[{},[]]}}`, true},
		{`{"a":1,"a":2}`, true}, // only attribute names are compared
		{``, false}, {` `, false}, {`{`, false}, {`{}x`, false}, {`{} {}`, false}, {`{"a"}`, false}, {`{"a":}`, false}, {`{a:1}`, false}, {`{"a":1,}`, false},
		{`{,}`, false}, {`[1,]`, false}, {`[1 2]`, false}, {`[`, false}, {`[1`, false}, {`tru`, false}, {`nul`, false}, {`nulll`, false}, {`falsey`, false}, {`'x'`, false},
		{`01`, false}, {`-`, false}, {`1.`, false}, {`.5`, false}, {`1e`, false}, {`+1`, false}, {`1e+`, false}, {`0x1`, false}, {`NaN`, false},
		{`"x`, false}, {`"\`, false}, {`"\"`, false}, {`"\x"`, false}, {`"\u12"`, false}, {`"\u12g4"`, false}, {"\"\n\"", false}, {"\"12345678\x00\"", false}, {"\"\x1f\"", false},
		{"\"\xff\"", false}, {"\"\xc0\x80\"", false}, {"\"\xed\xa0\x80\"", false}, {`"\ud800"`, false}, {`"\ude00"`, false}, {`"\ud800x"`, false}, {`"\ud800\u0041"`, false}, {`"\ud800\ud800"`, false},
		{"\xef\xbb\xbf{}", false}, {"{}\x00", false}, {"\u00a0{}", false}, {`<html>`, false},
		{deep(64), true}, {deep(80), false}, {strings.Repeat("[", 100000), false}, {strings.Repeat(`{"a":`, 100000), false},
	} {
		d := codec.NewDecoder([]byte(c.body), codec.Options{})
		err := d.Skip()
		if err == nil {
			err = d.End()
		}
		if (err == nil) != c.ok || err != nil && !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%.60q: %v", c.body, err)
		}
		if c.ok && !json.Valid([]byte(c.body)) {
			t.Errorf("%.60q: the test is wrong", c.body)
		}
		d.Release()
	}
}

// Attribute values of every kind are strict, too.
func TestStrictAttributeValues(t *testing.T) {
	type item struct {
		A string
		B []byte
		C map[string]any
		D any
		E []string
		F bool
	}
	for _, body := range []string{
		``, `null`, `[]`, `{"A":{}}`, `{"A":{"S":"x","S":"y"}}`, `{"A":{"S":"x","N":"1"}}`, `{"A":{"X":"x"}}`, `{"A":{"SSS":[]}}`, `{"A":{"s":"x"}}`, `{"A":"x"}`, `{"A":null}`,
		`{"A":{"S":null}}`, `{"A":{"S":1}}`, `{"A":{"S":"x"}`, `{"A":{"S":"x"}}}`, `{"A":{"S":"x"},}`, `{"A":{"S":"x"}}x`, `{"A":{"S":"x"},"A":{"S":"y"}}`,
		`{"B":{"B":"!"}}`, `{"B":{"B":"AQ="}}`, `{"B":{"B":"AQ==\n"}}`, `{"B":{"B":"A\nQ=="}}`, `{"B":{"B":[]}}`,
		`{"C":{"M":{"k":{"S":"x"},"k":{"S":"y"}}}}`, `{"C":{"M":[]}}`, `{"C":{"M":{"k":"x"}}}`, `{"D":{"M":{"k":{"N":"1"},"k":{"N":"1"}}}}`, `{"D":{"L":{}}}`, `{"D":{"SS":["x",1]}}`,
		`{"E":{"SS":"x"}}`, `{"E":{"L":["x"]}}`, `{"E":{"L":[{"S":"x"},]}}`, `{"F":{"BOOL":"true"}}`, `{"F":{"BOOL":1}}`, `{"F":{"NULL":null}}`,
		`{"unknown":}`, `{"unknown":{"S":"\ud800"}}`, `{"A":{"` + "\x00" + `":"x"}}`, `{"A":{"S" "x"}}`,
	} {
		var v item
		if err := codec.Decode(plan[item](t), []byte(body), &v); !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%s: %v", body, err)
		}
	}
	const spaced = " { \"A\" : { \"S\" : \"\\u0078\" } ,\n\"E\":{ \"\\u0053S\" : [ \"p\" , \"q\" ] } , \"F\" : {\"BOOL\" : true } , \"B\":{\"B\":\"\\/w==\"}, \"zz\" : { \"L\" : [ ] } } \n"
	var v item
	if err := codec.Decode(plan[item](t), []byte(spaced), &v); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(item{A: "x", E: []string{"p", "q"}, F: true, B: []byte{255}}, v); d != "" {
		t.Errorf("with whitespace and escapes (-want +got):\n%s", d)
	}
}

func TestSyntaxErrorGivesPositionAndNoData(t *testing.T) {
	err := codec.Decode(plan[inner](t), []byte(`{"A":{"N":"secret`), new(inner))
	var e *codec.SyntaxError
	if !errors.As(err, &e) || e.Offset != 17 || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
}

// An envelope is decoded with the decoder's own methods.
func TestDecoderWalksAnEnvelope(t *testing.T) {
	body := []byte(`{"Count":2,"Items":[{"A":{"N":"1"}},{"B":{"N":"2"}}],"Key":{"x":{"S":"y"}},"Note":"n\u00e9","Gone":null}`)
	d := codec.NewDecoder(body, codec.Options{NoArena: true})
	if d.Len() != len(body) {
		t.Errorf("Len is %d", d.Len())
	}
	var items []inner
	var seen []string
	err := d.Object(func(key []byte) error {
		seen = append(seen, string(key))
		switch string(key) {
		case "Items":
			return d.Array(func() error {
				items = append(items, inner{})
				return codec.DecodeNext(plan[inner](t), d, &items[len(items)-1])
			})
		case "Key":
			raw, err := d.Raw()
			if string(raw) != `{"x":{"S":"y"}}` {
				t.Errorf("raw is %s", raw)
			}
			return err
		case "Note":
			s, err := d.String()
			if s != "né" {
				t.Errorf("text is %s", s)
			}
			return err
		case "Gone":
			if d.Peek() != 'n' || !d.Null() {
				t.Error("null was not seen")
			}
			return nil
		}
		return d.Skip()
	})
	if err == nil {
		err = d.End()
	}
	if err != nil || d.Pos() != len(body) {
		t.Fatalf("at %d: %v", d.Pos(), err)
	}
	if diff := cmp.Diff([]inner{{A: 1}, {B: 2}}, items); diff != "" {
		t.Error(diff)
	}
	if got := strings.Join(seen, " "); got != "Count Items Key Note Gone" {
		t.Errorf("saw %s", got)
	}
}

// Decoded values do not change when the body is overwritten and the decoder reused.
func TestDecodedValuesShareNoMemory(t *testing.T) {
	for _, o := range []codec.Options{{}, {NoArena: true}} {
		want := make([]row, 50)
		for i := range want {
			want[i] = makeRow(i)
		}
		body := page(t, 50, makeRow)
		d := codec.NewDecoder(body, o)
		var got []row
		err := d.Array(func() error {
			got = append(got, row{})
			return codec.DecodeNext(plan[row](t), d, &got[len(got)-1])
		})
		if err != nil {
			t.Fatal(err)
		}
		d.Release()
		for i := range body {
			body[i] = 'x'
		}
		other := page(t, 50, func(i int) row { return makeRow(i + 1000) })
		if _, err := decodePage[row](other, plan[row](t), nil); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Errorf("%+v: %s", o, diff)
		}
		// Appending to one slice must not overwrite its neighbour's memory.
		for i := range got {
			_ = append(got[i].Tags, "overflow")
			_ = append(got[i].Blob, 99)
		}
		if diff := cmp.Diff(want, got, equal); diff != "" {
			t.Errorf("%+v, after append: %s", o, diff)
		}
	}
}

// Rows of one body may differ in the order and number of attributes.
func TestRowsInAnyOrder(t *testing.T) {
	body := []byte(`[{"A":{"N":"1"},"B":{"N":"2"}},{"B":{"N":"3"},"A":{"N":"4"}},{"z":{"S":"x"},"A":{"N":"5"}},{},{"A":{"N":"6"},"y":{"S":"x"},"B":{"N":"7"},"x":{"S":""}},{"B":{"N":"8"}}]`)
	got, err := decodePage[inner](body, plan[inner](t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]inner{{1, 2}, {4, 3}, {5, 0}, {}, {6, 7}, {0, 8}}, got); d != "" {
		t.Error(d)
	}
}
