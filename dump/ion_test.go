// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/rawitem"
)

// ion returns an export of one line of Ion text.
func ion(t testing.TB, line string) *dump.Source {
	t.Helper()
	return written(t, map[string]any{"outputFormat": "ION"}, line)
}

// Ion text is converted to what DynamoDB stores, including sets and binary values.
func TestIon(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		`$ion_1_0 {Item:{p:"a",n:6d2}}`:              `{"p":{"S":"a"},"n":{"N":"6E2"}}`,
		`{Item:{n:-1.50,i:12,z:0.,d:1.5D-3,e:-0d0}}`: `{"n":{"N":"-1.50"},"i":{"N":"12"},"z":{"N":"0."},"d":{"N":"1.5E-3"},"e":{"N":"-0E0"}}`,
		`$ion_1_0 {Item:{ss:$dynamodb_SS::["a","b"],ns:$dynamodb_NS::[1.,2.5],bs:$dynamodb_BS::[{{AA==}},{{ /w== }}]}}`: `{"ss":{"SS":["a","b"]},"ns":{"NS":["1.","2.5"]},"bs":{"BS":["AA==","/w=="]}}`,
		`{Item:{b:{{aGk=}},none:{{}},t:true,f:false,n:null,m:null.string}}`:                                             `{"b":{"B":"aGk="},"none":{"B":""},"t":{"BOOL":true},"f":{"BOOL":false},"n":{"NULL":true},"m":{"NULL":true}}`,
		`{Item:{l:[1.,"x",[],{k:{{AA==}}}],m:{},'a b':"q","c\"d":[true,],}}`:                                            `{"l":{"L":[{"N":"1."},{"S":"x"},{"L":[]},{"M":{"k":{"B":"AA=="}}}]},"m":{"M":{}},"a b":{"S":"q"},"c\"d":{"L":[{"BOOL":true}]}}`,
		`{Item:{s:"\"\\\n\t\x41\u00e9\U0001f600\uD83D\uDE00\0é{}[],:"}}`:                                                `{"s":{"S":"\"\\\u000a\u0009Aé😀😀\u0000é{}[],:"}}`,
		` $ion_1_0 { Item : { p : "a" , l : [ 1 , 2 ] , s : $dynamodb_SS :: [ "x" ] } } `:                               `{"p":{"S":"a"},"l":{"L":[{"N":"1"},{"N":"2"}]},"s":{"SS":["x"]}}`,
		`{Item:{'$dynamodb_SS':"a",x:'$dynamodb_SS'::["a"]}}`:                                                           `{"$dynamodb_SS":{"S":"a"},"x":{"SS":["a"]}}`,
	} {
		for i, err := range dump.Items[rawitem.Item](t.Context(), ion(t, line)) {
			if err != nil || string(i.JSON()) != want {
				t.Errorf("%s is read as %s: %v", line, i.JSON(), err)
			}
		}
	}
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, bad := range []string{
		`$ion_1_0`, `{Item:{p:secret}}`, `{Item:{p:"secret}}`, `{Item:{p:"a"}`, `{Item:{p:"a"}}}`, `{Item:{p:$dynamodb_XX::["secret"]}}`, `{Item:{p:$dynamodb_SS::[1]}}`,
		`{Item:{p:$dynamodb_NS::["secret"]}}`, `{Item:{p:$dynamodb_BS::["secret"]}}`, `{Item:{p:{{secret!}}}}`, `{Item:{p:{{AA==}}`, `{Item:"secret"}`, `{Item:{p:"\uD83D"}}`,
		`{Item:{p:"\q"}}`, `{Item:{p:"\x4"}}`, `{Item:{p:1.2.3}}`, `{Item:{p:--1}}`, `{Item:{p:"a" q:"b"}}`, `{Item:{1:"secret"}}`, `{Item:{p:` + deep + `}}`, `{Item:{p:$dynamodb_SS::[]}}`,
		"{Item:{p:\"secret\xff\"}}", `{Item:{p:"a",p:"secret"}}`, `{"p":"secret"}`, `[]`,
	} {
		n := 0
		for _, err := range dump.Items[rawitem.Item](t.Context(), ion(t, bad)) {
			if n++; !errors.Is(err, dump.ErrBadLine) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%s: %v", bad, err)
			}
		}
		if n != 1 {
			t.Errorf("%s: %d lines", bad, n)
		}
	}
}

// Incremental exports can also be in Ion, and an import applies their changes.
func TestIonIncremental(t *testing.T) {
	t.Parallel()
	head := incrementalHead(span1, "2026-01-02T00:00:00Z")
	head["outputFormat"] = "ION"
	src := written(t, head, `$ion_1_0 {Metadata:{WriteTimestampMicros:1680109764000000},Keys:{p:"a",q:1.},NewImage:{p:"a",q:1.,s:$dynamodb_NS::[1.5,2.]}}`)
	table := newTable(t, engine(t), "things")
	report, err := dump.Import(t.Context(), src, table)
	noError(t, err)
	if report.Items != 1 || contents(t, table)[0] != `{"p":{"S":"a"},"q":{"N":"1"},"s":{"NS":["1.5","2"]}}` {
		t.Errorf("%+v, and the table has %q", report, contents(t, table))
	}
}

// The time of a write can be a decimal in several notations.
func TestIonTimes(t *testing.T) {
	t.Parallel()
	for form, want := range map[string]int64{
		"1680109764000000": 1680109764000000, "1680109764000000.": 1680109764000000, "1680109764000000.0": 1680109764000000, "6d2": 600, "1680109764d6": 1680109764000000,
		"1.680109764d15": 1680109764000000, "16d-1": -1, "1.5": -1, "1d100": -1, "1d99999999999999999999": -1, "1d-999999999": -1, "1d40": -1,
	} {
		head := incrementalHead(span1, "2026-01-02T00:00:00Z")
		head["outputFormat"] = "ION"
		src := written(t, head, `$ion_1_0 {Metadata:{WriteTimestampMicros:`+form+`},Keys:{p:"a",q:1.},NewImage:{p:"a",q:1.}}`)
		for r, err := range dump.Records(t.Context(), src) {
			if want < 0 && !errors.Is(err, dump.ErrBadLine) || want >= 0 && (err != nil || r.Written.UnixMicro() != want) {
				t.Errorf("%s: %v %v", form, r.Written, err)
			}
		}
	}
}

// FuzzLines: no line makes the readers panic, and lines that Verify accepts are the same after being written and read again.
func FuzzLines(f *testing.F) {
	for _, line := range []string{
		`{"Item":{"p":{"S":"a"},"q":{"N":"1"}}}`, `$ion_1_0 {Item:{p:"a\n",q:6d2,ss:$dynamodb_SS::["a"],b:{{aGk=}},l:[true,null]}}`,
		`{"Metadata":{"WriteTimestampMicros":{"N":"1680109764000000"}},"Keys":{"p":{"S":"a"}},"NewImage":{"p":{"S":"a"}}}`, `{"Item":{"a":"\`, `{Item:{p:{{`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if strings.ContainsAny(line, "\n") {
			return
		}
		span := incrementalHead(span1, "2026-01-02T00:00:00Z")
		for _, head := range []map[string]any{nil, {"outputFormat": "ION"}, span} {
			src := written(t, head, line)
			for r, err := range dump.Records(t.Context(), src) {
				if err != nil {
					if !errors.Is(err, dump.ErrBadLine) {
						t.Fatal(err)
					}
					continue
				}
				again, err := rawitem.Parse(r.New.JSON())
				if err != nil || !again.Equal(r.New) {
					t.Fatalf("%s is not read again: %v", r.New.JSON(), err)
				}
			}
		}
	})
}
