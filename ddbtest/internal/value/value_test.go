// SPDX-License-Identifier: Apache-2.0

package value_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

func decode(t testing.TB, json string) value.Value {
	t.Helper()
	v, err := value.Decode([]byte(json))
	if err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return v
}

func TestSize(t *testing.T) {
	for _, c := range []struct {
		json string
		want int
	}{
		{`{"S":""}`, 0}, {`{"S":"abc"}`, 3}, {`{"S":"é😀"}`, 6},
		{`{"B":""}`, 0}, {`{"B":"AQID"}`, 3},
		{`{"BOOL":true}`, 1}, {`{"NULL":true}`, 1},
		{`{"N":"0"}`, 1}, {`{"N":"1"}`, 2}, {`{"N":"-1"}`, 3}, {`{"N":"12"}`, 2}, {`{"N":"123"}`, 3},
		{`{"N":"1200"}`, 2}, {`{"N":"120"}`, 2}, {`{"N":"0.001"}`, 2}, {`{"N":"0.012"}`, 2}, {`{"N":"1.5"}`, 3},
		{`{"N":"120.5"}`, 4}, {`{"N":"123.45"}`, 4}, {`{"N":"-123.45"}`, 5}, {`{"N":"1e-130"}`, 2}, {`{"N":"1e125"}`, 2},
		{`{"N":"` + nines38 + `"}`, 20}, {`{"N":"-` + nines38 + `"}`, 21}, {`{"N":"9.` + nines38[1:] + `"}`, 21},
		{`{"SS":["a","bc"]}`, 3}, {`{"NS":["0","-1"]}`, 4}, {`{"BS":["AQ==","AQI="]}`, 3},
		{`{"L":[]}`, 3}, {`{"M":{}}`, 3},
		{`{"L":[{"S":"abc"},{"L":[]}]}`, 3 + 1 + 3 + 1 + 3},
		{`{"M":{"ké":{"N":"1"},"x":{"NULL":true}}}`, 3 + 1 + 3 + 2 + 1 + 1 + 1},
	} {
		if got := value.Size(decode(t, c.json)); got != c.want {
			t.Errorf("Size(%.60s) = %d, want %d", c.json, got, c.want)
		}
	}
	item := value.Item{"id": value.String("abc"), "né": number(t, "1")}
	if got := value.ItemSize(item); got != 2+3+3+2 {
		t.Errorf("ItemSize = %d", got)
	}
}

func TestDepth(t *testing.T) {
	for _, c := range []struct {
		json string
		want int
	}{
		{`{"S":"x"}`, 1}, {`{"SS":["x"]}`, 1}, {`{"L":[]}`, 1}, {`{"L":[{"S":"x"}]}`, 2},
		{`{"M":{"a":{"S":"x"},"b":{"L":[{"M":{}}]}}}`, 3}, {nest(32), 32},
	} {
		if got := value.Depth(decode(t, c.json)); got != c.want {
			t.Errorf("Depth(%.40s) = %d, want %d", c.json, got, c.want)
		}
	}
}

func TestEqual(t *testing.T) {
	classes := [][]string{
		{`{"S":"1"}`},
		{`{"N":"1"}`, `{"N":"1.0"}`, `{"N":"10e-1"}`},
		{`{"B":"MQ=="}`},
		{`{"BOOL":true}`},
		{`{"BOOL":false}`},
		{`{"NULL":true}`},
		{`{"SS":["a","b","c"]}`, `{"SS":["c","a","b"]}`},
		{`{"SS":["a","b"]}`},
		{`{"NS":["1","2"]}`, `{"NS":["2.0","1"]}`},
		{`{"NS":["1.00000000000000000001","2"]}`},
		{`{"BS":["YQ==","Yg=="]}`, `{"BS":["Yg==","YQ=="]}`},
		{`{"SS":["1","2","3","4","5","6","7","8","9"]}`, `{"SS":["9","8","7","6","5","4","3","2","1"]}`},
		{`{"SS":["1","2","3","4","5","6","7","8","x"]}`},
		{`{"L":[{"N":"1"},{"SS":["a","b"]}]}`, `{"L":[{"N":"1.0"},{"SS":["b","a"]}]}`},
		{`{"L":[{"SS":["a","b"]},{"N":"1"}]}`},
		{`{"M":{"a":{"N":"1"},"b":{"S":"x"}}}`, `{"M":{"b":{"S":"x"},"a":{"N":"1.0"}}}`},
		{`{"M":{"a":{"N":"1"},"c":{"S":"x"}}}`},
		{`{"M":{"a":{"N":"1"}}}`},
		{`{"L":[]}`},
		{`{"M":{}}`},
	}
	for i, these := range classes {
		for j, those := range classes {
			for _, a := range these {
				for _, b := range those {
					if got := value.Equal(decode(t, a), decode(t, b)); got != (i == j) {
						t.Errorf("Equal(%s, %s) = %v", a, b, got)
					}
				}
			}
		}
	}
	if !value.Equal(nil, nil) || value.Equal(nil, value.Null{}) || value.Equal(value.Null{}, nil) || value.Equal(nil, value.List{}) {
		t.Error("an absent value equals only an absent value")
	}
}

func TestCompare(t *testing.T) {
	ascending := map[string][]string{
		"S": {`{"S":""}`, `{"S":"\u0000"}`, `{"S":"A"}`, `{"S":"AA"}`, `{"S":"B"}`, `{"S":"a"}`, `{"S":"z"}`, `{"S":"é"}`, `{"S":"😀"}`},
		"B": {`{"B":""}`, `{"B":"AA=="}`, `{"B":"AAE="}`, `{"B":"AQ=="}`, `{"B":"/w=="}`, `{"B":"//8="}`},
		"N": {`{"N":"-1e125"}`, `{"N":"-10"}`, `{"N":"-9.5"}`, `{"N":"-9"}`, `{"N":"-0.1"}`, `{"N":"-1e-130"}`, `{"N":"0"}`,
			`{"N":"1e-130"}`, `{"N":"0.09"}`, `{"N":"0.1"}`, `{"N":"0.11"}`, `{"N":"2"}`, `{"N":"10"}`, `{"N":"10.5"}`, `{"N":"9e125"}`},
	}
	for _, list := range ascending {
		for i, a := range list {
			for j, b := range list {
				v, w := decode(t, a), decode(t, b)
				want := 0
				if i < j {
					want = -1
				} else if i > j {
					want = 1
				}
				if got, ok := value.Compare(v, w); !ok || got != want {
					t.Errorf("Compare(%s, %s) = %d, %v", a, b, got, ok)
				}
				if got := bytes.Compare(value.AppendKey(nil, v), value.AppendKey(nil, w)); got != want {
					t.Errorf("key bytes of %s and %s: %d", a, b, got)
				}
			}
		}
	}
	for _, pair := range [][2]string{
		{`{"S":"1"}`, `{"N":"1"}`}, {`{"S":"1"}`, `{"B":"MQ=="}`}, {`{"BOOL":true}`, `{"BOOL":true}`}, {`{"L":[]}`, `{"L":[]}`}, {`{"NULL":true}`, `{"NULL":true}`},
	} {
		if _, ok := value.Compare(decode(t, pair[0]), decode(t, pair[1])); ok {
			t.Errorf("%s and %s have an order", pair[0], pair[1])
		}
	}
	if got := value.AppendKey([]byte("x"), value.Bool(true)); string(got) != "x" {
		t.Errorf("a Boolean has key bytes %x", got)
	}
}

// genKey draws a value of one type that a key attribute can have.
func genKey(kind int) *rapid.Generator[value.Value] {
	return rapid.Custom(func(t *rapid.T) value.Value {
		switch kind {
		case 0:
			return genNumber().Draw(t, "n")
		case 1:
			return value.String(rapid.StringMatching("[\x00\x01ab\uffff]{0,6}").Draw(t, "s"))
		default:
			return value.Binary(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 0xfe, 0xff}), 0, 6).Draw(t, "b"))
		}
	})
}

func TestKeyBytesProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.IntRange(0, 2).Draw(t, "kind")
		a, b := genKey(kind).Draw(t, "a"), genKey(kind).Draw(t, "b")
		want, _ := value.Compare(a, b)
		ka, kb := value.AppendKey(nil, a), value.AppendKey(nil, b)
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("key bytes %x and %x of %v and %v: %d, want %d", ka, kb, a, b, got, want)
		}
		if want != 0 && bytes.HasPrefix(kb, ka) {
			t.Fatalf("%x of %v begins %x of %v", ka, a, kb, b)
		}
		// Bytes that follow matter only if the values are equal.
		if want != 0 && bytes.Compare(append(ka, 0xff), append(kb, 0)) != want {
			t.Fatalf("%v and %v, followed by other bytes, are in another order", a, b)
		}
		if kind == 0 {
			return
		}
		var begins bool
		switch a := a.(type) {
		case value.String:
			begins = strings.HasPrefix(string(b.(value.String)), string(a))
		case value.Binary:
			begins = strings.HasPrefix(string(b.(value.Binary)), string(a))
		}
		if got := bytes.HasPrefix(kb, value.AppendKeyPrefix(nil, a)); got != begins {
			t.Fatalf("prefix %x of %v, key %x of %v: %v", value.AppendKeyPrefix(nil, a), a, kb, b, got)
		}
	})
}

// genSet draws sets whose members are in the order of their wire form.
func genSet[E comparable](member *rapid.Generator[E], order func(a, b E) int) *rapid.Generator[[]E] {
	return rapid.Map(rapid.SliceOfNDistinct(member, 1, 4, func(e E) E { return e }), func(set []E) []E {
		slices.SortFunc(set, order)
		return set
	})
}

// The service returns sets in this order, whatever their order in the request;
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
// guarantees none.
func TestSetsAreSorted(t *testing.T) {
	for _, c := range []struct{ given, want string }{
		{`{"SS":["b","","é","B","a"]}`, `{"SS":["","B","a","b","é"]}`},
		{`{"NS":["10","-3","9","0.5","-20"]}`, `{"NS":["-20","-3","0.5","9","10"]}`},
		{`{"BS":["/w==","AA==","AAA="]}`, `{"BS":["AA==","AAA=","/w=="]}`},
		{`{"M":{"s":{"L":[{"SS":["b","a"]}]}}}`, `{"M":{"s":{"L":[{"SS":["a","b"]}]}}}`},
	} {
		v, err := value.Decode([]byte(c.given))
		if err != nil {
			t.Fatal(err)
		}
		before := fmt.Sprint(v)
		if got := value.Append(nil, v); string(got) != c.want {
			t.Errorf("%s comes back as %s", c.given, got)
		}
		if after := fmt.Sprint(v); after != before {
			t.Errorf("writing %s has changed it to %s", before, after)
		}
	}
}

// genValue draws values of all types, up to the given number of levels.
func genValue(levels int) *rapid.Generator[value.Value] {
	return rapid.Custom(func(t *rapid.T) value.Value {
		kinds := 8
		if levels > 1 {
			kinds = 10
		}
		text := rapid.String()
		switch rapid.IntRange(1, kinds).Draw(t, "kind") {
		case 1:
			return value.String(text.Draw(t, "S"))
		case 2:
			return genNumber().Draw(t, "N")
		case 3:
			return value.Binary(rapid.SliceOf(rapid.Byte()).Draw(t, "B"))
		case 4:
			return value.Bool(rapid.Bool().Draw(t, "BOOL"))
		case 5:
			return value.Null{}
		case 6:
			return value.StringSet(genSet(rapid.StringN(0, 5, -1), strings.Compare).Draw(t, "SS"))
		case 7:
			return value.NumberSet(genSet(genNumber(), value.Number.Cmp).Draw(t, "NS"))
		case 8:
			raw := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 5), func(b []byte) string { return string(b) })
			return value.BinarySet(genSet(raw, strings.Compare).Draw(t, "BS"))
		case 9:
			return value.List(rapid.SliceOfN(genValue(levels-1), 0, 4).Draw(t, "L"))
		default:
			return value.Map(rapid.MapOfN(text, genValue(levels-1), 0, 4).Draw(t, "M"))
		}
	})
}

func TestRoundTripProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := genValue(4).Draw(t, "v")
		wire := value.Append(nil, v)
		if !json.Valid(wire) {
			t.Fatalf("%s is not JSON", wire)
		}
		got, err := value.Decode(wire)
		if err != nil {
			t.Fatalf("%s: %v", wire, err)
		}
		if diff := cmp.Diff(v, got, cmp.AllowUnexported(value.Number{})); diff != "" {
			t.Fatalf("%s: (-want +got)\n%s", wire, diff)
		}
		if !value.Equal(v, got) {
			t.Fatalf("%s differs from its copy", wire)
		}
		// The standard decoder sees the same JSON.
		var std any
		if err := json.Unmarshal(wire, &std); err != nil {
			t.Fatal(err)
		}
		again, err := json.Marshal(std)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := value.Decode(again); err != nil || !value.Equal(v, got) {
			t.Fatalf("%s as %s: %v, %v", wire, again, got, err)
		}
		item := value.Item{"a": v, "b\"\n": value.Null{}}
		if got, err := value.DecodeItem(value.AppendItem(nil, item)); err != nil || !value.EqualItems(got, item) {
			t.Fatalf("item of %s: %v, %v", wire, got, err)
		}
	})
}

func TestKind(t *testing.T) {
	for _, descriptor := range []string{"S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"} {
		k, ok := value.ParseKind(descriptor)
		if !ok || k.String() != descriptor {
			t.Errorf("ParseKind(%q) = %v, %v", descriptor, k, ok)
		}
	}
	for _, descriptor := range []string{"", "s", "X"} {
		if k, ok := value.ParseKind(descriptor); ok {
			t.Errorf("ParseKind(%q) = %v", descriptor, k)
		}
	}
	if got := value.Kind(99).String(); got != "" {
		t.Errorf("Kind(99) = %q", got)
	}
}

func FuzzDecodeValue(f *testing.F) {
	for _, s := range []string{
		`{"S":"a\u00e9\ud83d\ude00"}`, `{"N":"1e2"}`, `{"B":"AQI="}`, `{"BS":["AQ==","AQ=="]}`, `{"L":[{"M":{"a":{"NULL":true}}},{"BOOL":false}]}`,
		`{"NS":["1","1.0"]}`, `{"S":1,"N":null}`, `null`, `{"SS":[]}`, `[`, `{"S":"\ud800"}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		v, err := value.Decode(raw)
		if err != nil {
			return
		}
		if value.Depth(v) > value.MaxDepth {
			t.Errorf("%s has %d levels", raw, value.Depth(v))
		}
		if !json.Valid(raw) {
			t.Errorf("%q is not JSON", raw)
		}
		got, err := value.Decode(value.Append(nil, v))
		if err != nil || !value.Equal(v, got) || value.Size(v) != value.Size(got) {
			t.Errorf("%s reads as %v, which reads as %v, %v", raw, v, got, err)
		}
	})
}
