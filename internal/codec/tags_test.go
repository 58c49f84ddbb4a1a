// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/json"
	"math"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

// equal compares decoded values; times and big numbers are compared by value.
var equal = cmp.Options{
	cmp.Exporter(func(reflect.Type) bool { return true }),
	cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) }),
	cmp.Comparer(func(a, b attributevalue.UnixTime) bool { return time.Time(a).Equal(time.Time(b)) }),
	cmp.Comparer(func(a, b stamp) bool { return time.Time(a).Equal(time.Time(b)) }),
	cmp.Comparer(func(a, b big.Int) bool { return a.Cmp(&b) == 0 }),
	cmp.Comparer(func(a, b big.Float) bool { return a.Text('g', -1) == b.Text('g', -1) }),
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
}

// form is one value and its stored form.
type form struct {
	name string
	run  func(t *testing.T)
}

// like is a form that attributevalue stores in the same way.
func like[T any](name string, v T, wire string) form {
	return form{name, itemForm{itemType[T](), &v, wire, &v, true}.run}
}

// ours is a form that attributevalue stores differently, or not at all.
func ours[T any](name string, v T, wire string) form {
	return form{name, itemForm{itemType[T](), &v, wire, &v, false}.run}
}

// back is a form that is read back as another value than was written.
func back[T any](name string, v T, wire string, want T) form {
	return form{name, itemForm{itemType[T](), &v, wire, &want, true}.run}
}

// itemForm is the stored form of the item that v points to. It is read back as what want points to.
type itemForm struct {
	typ  typed
	v    any
	wire string
	want any
	same bool // attributevalue stores the same
}

func (f itemForm) run(t *testing.T) {
	got, err := f.typ.appendItem(nil, planOf(t, f.typ.of), f.v)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != f.wire {
		t.Fatalf("Append gives\n%s, want\n%s", got, f.wire)
	}
	if f.same {
		m, err := attributevalue.MarshalMap(f.v)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := codec.ParseItem([]byte(f.wire))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(deliberate(m, parsed), parsed, equal); d != "" {
			t.Errorf("attributevalue stores it differently (-theirs +ours):\n%s", d)
		}
	}
	out := f.typ.zero()
	if err := f.typ.decodeItem(planOf(t, f.typ.of), []byte(f.wire), out); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(pointee(f.want), pointee(out), alike); d != "" {
		t.Errorf("Decode (-want +got):\n%s", d)
	}
}

type (
	text    string
	count   int16
	ratio   float32
	stamp   time.Time
	blob    []byte
	texts   []string
	inner   struct{ A, B int }
	pointer = struct{ V **int }
)

func TestForms(t *testing.T) {
	when := time.Date(2026, 11, 20, 1, 2, 3, 456789012, time.UTC)
	noted := when.In(time.FixedZone("", 5*3600+1800))
	bigN, _ := new(big.Int).SetString("12345678901234567890123456789012345678", 10)
	bigF, _ := new(big.Float).SetPrec(128).SetString("0.1234567890123456789")
	forms := []form{
		like("name from the field", struct{ Name string }{"x"}, `{"Name":{"S":"x"}}`),
		like("name from the tag", struct {
			V string `dynamodbav:"v"`
		}{"x"}, `{"v":{"S":"x"}}`),
		like("left out", struct {
			A int `dynamodbav:"-"`
			B int
		}{0, 1}, `{"B":{"N":"1"}}`),
		like("unexported", struct{ a, B int }{0, 1}, `{"B":{"N":"1"}}`),
		like("other tags are ignored", struct {
			A int `json:"z"`
		}{1}, `{"A":{"N":"1"}}`),
		like("a name to escape", struct {
			A int `dynamodbav:"a\\b\\tü"`
		}{1}, `{"a\\b\\tü":{"N":"1"}}`),

		like("text", struct{ V text }{"a\"\\\n\t\r\x01/é漢😀\u2028"}, `{"V":{"S":"a\"\\\n\t\r\u0001/é漢😀`+"\u2028"+`"}}`),
		like("empty text", struct{ V string }{}, `{"V":{"S":""}}`),
		like("numbers", struct {
			A int8
			B uint64
			C count
			D float64
			E ratio
		}{-128, math.MaxUint64, 7, 0.1, 0.1}, `{"A":{"N":"-128"},"B":{"N":"18446744073709551615"},"C":{"N":"7"},"D":{"N":"0.1"},"E":{"N":"0.1"}}`),
		like("a large float", struct{ V float64 }{1e22}, `{"V":{"N":"10000000000000000000000"}}`),
		like("a small float", struct{ V float64 }{-1.5e-7}, `{"V":{"N":"-0.00000015"}}`),
		ours("negative zero", struct{ V float64 }{math.Copysign(0, -1)}, `{"V":{"N":"0"}}`),
		like("boolean", struct{ A, B bool }{true, false}, `{"A":{"BOOL":true},"B":{"BOOL":false}}`),
		like("number types", struct {
			A attributevalue.Number
			B json.Number
		}{"1.50", "12345678901234567890123456789012345678"}, `{"A":{"N":"1.50"},"B":{"N":"12345678901234567890123456789012345678"}}`),
		ours("big numbers", struct {
			A big.Int
			B *big.Int
			C big.Float
			D *big.Float
		}{*big.NewInt(-5), bigN, *bigF, nil}, `{"A":{"N":"-5"},"B":{"N":"12345678901234567890123456789012345678"},"C":{"N":"1.234567890123456789e-01"},"D":{"NULL":true}}`),

		like("as text", struct {
			A int                   `dynamodbav:",string"`
			B float64               `dynamodbav:",string"`
			C attributevalue.Number `dynamodbav:",string"`
			D *uint                 `dynamodbav:",string"`
			E string                `dynamodbav:",string"`
		}{1, 2.5, "3", new(uint(4)), "e"}, `{"A":{"S":"1"},"B":{"S":"2.5"},"C":{"S":"3"},"D":{"S":"4"},"E":{"S":"e"}}`),

		like("bytes", struct {
			A []byte
			B blob
			C [3]byte
			D []byte
		}{[]byte("abc"), blob{0xff}, [3]byte{1, 2, 3}, []byte{}}, `{"A":{"B":"YWJj"},"B":{"B":"/w=="},"C":{"B":"AQID"},"D":{"B":""}}`),
		like("nil bytes", struct{ A []byte }{}, `{"A":{"NULL":true}}`),
		like("list", struct {
			A []string
			B texts
			C []int
			D [2]bool
			E [][]string
		}{[]string{"a", ""}, texts{}, []int{1, 2}, [2]bool{true, false}, [][]string{nil, {"x"}}},
			`{"A":{"L":[{"S":"a"},{"S":""}]},"B":{"L":[]},"C":{"L":[{"N":"1"},{"N":"2"}]},"D":{"L":[{"BOOL":true},{"BOOL":false}]},"E":{"L":[{"L":[]},{"L":[{"S":"x"}]}]}}`),
		ours("nil list", struct{ A []int }{}, `{"A":{"L":[]}}`),
		like("sets", struct {
			A []string `dynamodbav:",stringset"`
			B []int    `dynamodbav:",numberset"`
			C [][]byte `dynamodbav:",binaryset"`
			D [][]byte
			E []text    `dynamodbav:",stringset"`
			F [2]string `dynamodbav:",stringset"`
			G []string  `dynamodbav:",stringset"`
			H []*int    `dynamodbav:",numberset"`
			I *[]string `dynamodbav:",stringset"`
		}{[]string{"b", "a"}, []int{2, 1}, [][]byte{{1}, {2}}, [][]byte{{3}}, []text{"x"}, [2]string{"p", "q"}, nil, []*int{new(1)}, &[]string{"i"}},
			`{"A":{"SS":["b","a"]},"B":{"NS":["2","1"]},"C":{"BS":["AQ==","Ag=="]},"D":{"BS":["Aw=="]},"E":{"SS":["x"]},"F":{"SS":["p","q"]},"H":{"NS":["1"]},"I":{"SS":["i"]}}`),
		like("an empty set that may be left out or NULL", struct {
			A []string `dynamodbav:",stringset,nullempty"`
		}{}, `{"A":{"NULL":true}}`),
		ours("an empty set left out", struct {
			A []string `dynamodbav:",stringset,omitempty"`
			B int
		}{nil, 1}, `{"B":{"N":"1"}}`),

		like("maps", struct {
			A map[string]int
			B map[text]string
			C map[int8]bool
			D map[string]string
			E map[bool]int
			F map[float64]int
			G map[uint]inner
		}{map[string]int{"y": 2, "x": 1}, map[text]string{"k": "v"}, map[int8]bool{-1: true}, map[string]string{"b": "2", "a": "1"},
			map[bool]int{true: 1}, map[float64]int{1.5: 1}, map[uint]inner{3: {1, 2}}},
			`{"A":{"M":{"x":{"N":"1"},"y":{"N":"2"}}},"B":{"M":{"k":{"S":"v"}}},"C":{"M":{"-1":{"BOOL":true}}},"D":{"M":{"a":{"S":"1"},"b":{"S":"2"}}},"E":{"M":{"true":{"N":"1"}}},"F":{"M":{"1.5":{"N":"1"}}},"G":{"M":{"3":{"M":{"A":{"N":"1"},"B":{"N":"2"}}}}}}`),
		like("keys with MarshalText", struct {
			A map[netip.Addr]int
		}{map[netip.Addr]int{netip.MustParseAddr("::1"): 1}}, `{"A":{"M":{"::1":{"N":"1"}}}}`),
		ours("empty and nil maps", struct{ A, B map[string]int }{map[string]int{}, nil}, `{"A":{"M":{}},"B":{"M":{}}}`),
		like("structs", struct {
			A inner
			B *inner
			C *inner
			D struct{}
		}{inner{1, 2}, &inner{3, 4}, nil, struct{}{}}, `{"A":{"M":{"A":{"N":"1"},"B":{"N":"2"}}},"B":{"M":{"A":{"N":"3"},"B":{"N":"4"}}},"C":{"NULL":true},"D":{"M":{}}}`),
		like("pointers", struct {
			A *string
			B *int
		}{new("x"), nil}, `{"A":{"S":"x"},"B":{"NULL":true}}`),
		like("pointer to pointer", pointer{new(new(1))}, `{"V":{"N":"1"}}`),
		back("pointer to nil pointer", pointer{new((*int)(nil))}, `{"V":{"NULL":true}}`, pointer{}),

		ours("time", struct {
			A time.Time
			B *time.Time
			C stamp
		}{when, &noted, stamp(when)}, `{"A":{"S":"2026-11-20T01:02:03.456789012Z"},"B":{"S":"2026-11-20T01:02:03.456789012Z"},"C":{"S":"2026-11-20T01:02:03.456789012Z"}}`),
		like("time in the form of the SDK", struct {
			A time.Time  `dynamodbav:",sdktime"`
			B *time.Time `dynamodbav:",sdktime"`
			C stamp      `dynamodbav:",text"`
		}{when, &noted, stamp(when)}, `{"A":{"S":"2026-11-20T01:02:03.456789012Z"},"B":{"S":"2026-11-20T06:32:03.456789012+05:30"},"C":{"S":"2026-11-20T01:02:03.456789012Z"}}`),
		like("unix time", struct {
			A time.Time  `dynamodbav:",unixtime"`
			B *time.Time `dynamodbav:",unixtime"`
			C attributevalue.UnixTime
			D stamp `dynamodbav:",unixtime"`
		}{time.Unix(1, 0), new(time.Unix(-2, 0)), attributevalue.UnixTime(time.Unix(3, 0)), stamp(time.Unix(4, 0))},
			`{"A":{"N":"1"},"B":{"N":"-2"},"C":{"N":"3"},"D":{"N":"4"}}`),
		back("unix time drops the fraction", struct {
			A time.Time `dynamodbav:",unixtime"`
		}{when}, `{"A":{"N":"1795136523"}}`, struct {
			A time.Time `dynamodbav:",unixtime"`
		}{when.Truncate(time.Second)}),
		ours("zero time", struct{ A time.Time }{}, `{"A":{"S":"0001-01-01T00:00:00.000000000Z"}}`),

		like("omitempty", struct {
			A string         `dynamodbav:",omitempty"`
			B int            `dynamodbav:",omitempty"`
			C []int          `dynamodbav:",omitempty"`
			D map[string]int `dynamodbav:",omitempty"`
			E *int           `dynamodbav:",omitempty"`
			F bool           `dynamodbav:",omitempty"`
			G any            `dynamodbav:",omitempty"`
			H float32        `dynamodbav:",omitempty"`
			I [0]int         `dynamodbav:",omitempty"`
		}{}, `{}`),
		like("omitempty keeps non-empty values", struct {
			A []int          `dynamodbav:",omitempty"`
			B map[string]int `dynamodbav:",omitempty"`
			C *int           `dynamodbav:",omitempty"`
			D [1]int         `dynamodbav:",omitempty"`
			E inner          `dynamodbav:",omitempty"`
			F time.Time      `dynamodbav:",omitempty,sdktime"`
		}{[]int{}, map[string]int{}, new(0), [1]int{}, inner{}, time.Time{}},
			`{"A":{"L":[]},"B":{"M":{}},"C":{"N":"0"},"D":{"L":[{"N":"0"}]},"E":{"M":{"A":{"N":"0"},"B":{"N":"0"}}},"F":{"S":"0001-01-01T00:00:00Z"}}`),
		ours("omitzero", struct {
			A time.Time  `dynamodbav:",omitzero"`
			B inner      `dynamodbav:",omitzero"`
			C *time.Time `dynamodbav:",omitzero"`
			D []int      `dynamodbav:",omitzero"`
			E [2]int     `dynamodbav:",omitzero"`
			F netip.Addr `dynamodbav:",omitzero"`
		}{D: []int{}}, `{"D":{"L":[]}}`),
		like("nullempty", struct {
			A string `dynamodbav:",nullempty"`
			B int    `dynamodbav:",nullempty"`
			C int    `dynamodbav:",nullempty"`
			D bool   `dynamodbav:",nullempty"`
		}{C: 1}, `{"A":{"NULL":true},"B":{"NULL":true},"C":{"N":"1"},"D":{"NULL":true}}`),
		back("omitemptyelem", struct {
			A []string          `dynamodbav:",omitemptyelem"`
			B map[string]int    `dynamodbav:",omitemptyelem"`
			C [][]string        `dynamodbav:",omitemptyelem"`
			D map[string]string `dynamodbav:",omitemptyelem"`
			E []string          `dynamodbav:",omitemptyelem,stringset"`
		}{[]string{"", "a"}, map[string]int{"x": 0, "y": 1}, [][]string{{"", "b"}, nil}, map[string]string{"p": "", "q": "r"}, []string{"", "e"}},
			`{"A":{"L":[{"S":"a"}]},"B":{"M":{"y":{"N":"1"}}},"C":{"L":[{"L":[{"S":"b"}]}]},"D":{"M":{"q":{"S":"r"}}},"E":{"SS":["e"]}}`,
			struct {
				A []string          `dynamodbav:",omitemptyelem"`
				B map[string]int    `dynamodbav:",omitemptyelem"`
				C [][]string        `dynamodbav:",omitemptyelem"`
				D map[string]string `dynamodbav:",omitemptyelem"`
				E []string          `dynamodbav:",omitemptyelem,stringset"`
			}{[]string{"a"}, map[string]int{"y": 1}, [][]string{{"b"}}, map[string]string{"q": "r"}, []string{"e"}}),
		like("nullemptyelem", struct {
			A []string          `dynamodbav:",nullemptyelem"`
			B map[string]string `dynamodbav:",nullemptyelem"`
		}{[]string{"", "a"}, map[string]string{"x": ""}}, `{"A":{"L":[{"NULL":true},{"S":"a"}]},"B":{"M":{"x":{"NULL":true}}}}`),

		like("any", struct{ A, B, C, D, E, F, G any }{"s", 1.5, true, nil, []any{"x", 2.0}, map[string]any{"k": []byte{1}}, []byte("b")},
			`{"A":{"S":"s"},"B":{"N":"1.5"},"C":{"BOOL":true},"D":{"NULL":true},"E":{"L":[{"S":"x"},{"N":"2"}]},"F":{"M":{"k":{"B":"AQ=="}}},"G":{"B":"Yg=="}}`),
		back("any with other types in it", struct{ A, B, C any }{7, inner{1, 2}, new("p")}, `{"A":{"N":"7"},"B":{"M":{"A":{"N":"1"},"B":{"N":"2"}}},"C":{"S":"p"}}`,
			struct{ A, B, C any }{7.0, map[string]any{"A": 1.0, "B": 2.0}, "p"}),
		back("any with a set", struct {
			A any `dynamodbav:",stringset"`
			B any `dynamodbav:",numberset"`
			C any
		}{[]string{"a"}, []int{1}, [][]byte{{1}}}, `{"A":{"SS":["a"]},"B":{"NS":["1"]},"C":{"BS":["AQ=="]}}`, struct {
			A any `dynamodbav:",stringset"`
			B any `dynamodbav:",numberset"`
			C any
		}{[]string{"a"}, []float64{1}, [][]byte{{1}}}),

		ours("attribute values pass through", struct {
			A types.AttributeValue
			B map[string]types.AttributeValue
			C []types.AttributeValue
		}{&types.AttributeValueMemberNS{Value: []string{"1"}}, map[string]types.AttributeValue{"k": &types.AttributeValueMemberBOOL{Value: true}},
			[]types.AttributeValue{&types.AttributeValueMemberNULL{Value: true}}},
			`{"A":{"NS":["1"]},"B":{"M":{"k":{"BOOL":true}}},"C":{"L":[{"NULL":true}]}}`),
		ours("types of text only", struct {
			A netip.Addr
			B *netip.Prefix
			C []netip.Addr `dynamodbav:",stringset"`
			D dated
		}{netip.MustParseAddr("10.0.0.1"), new(netip.MustParsePrefix("10.0.0.0/8")), []netip.Addr{netip.MustParseAddr("::1")}, dated{when}},
			`{"A":{"S":"10.0.0.1"},"B":{"S":"10.0.0.0/8"},"C":{"SS":["::1"]},"D":{"S":"2026-11-20T01:02:03.456789012Z"}}`),
		ours("the option text", struct {
			A color
			B color            `dynamodbav:",text"`
			C *color           `dynamodbav:",text"`
			D []color          `dynamodbav:",text,stringset"`
			E map[string]color `dynamodbav:",text"`
			F any              `dynamodbav:",text"`
		}{green, green, new(red), []color{red, green}, map[string]color{"k": red}, "f"}, `{"A":{"N":"1"},"B":{"S":"green"},"C":{"S":"red"},"D":{"SS":["red","green"]},"E":{"M":{"k":{"S":"red"}}},"F":{"S":"f"}}`),
		like("Marshaler and Unmarshaler", struct {
			A money
			B *money
			C *money
			D []money
			E map[string]*money
		}{money{1, "EUR"}, &money{2, "USD"}, nil, []money{{3, "GBP"}}, map[string]*money{"k": {4, "JPY"}}},
			`{"A":{"S":"1 EUR"},"B":{"S":"2 USD"},"C":{"NULL":true},"D":{"L":[{"S":"3 GBP"}]},"E":{"M":{"k":{"S":"4 JPY"}}}}`),
		ours("Marshalers in sets", struct {
			A []money `dynamodbav:",stringset"`
		}{nil}, `{}`),
		ours("Marshalers in a full set", struct {
			A []money `dynamodbav:",stringset"`
		}{[]money{{1, "EUR"}, {2, "EUR"}}}, `{"A":{"SS":["1 EUR","2 EUR"]}}`),
		ours("Marshalers on pointers in maps", struct {
			A map[string]money
		}{map[string]money{"k": {1, "EUR"}}}, `{"A":{"M":{"k":{"S":"1 EUR"}}}}`),

		like("embedded", struct {
			Base
			*More
			C int
		}{Base{1}, &More{2}, 3}, `{"A":{"N":"1"},"B":{"N":"2"},"C":{"N":"3"}}`),
		like("embedded nil pointer", struct {
			*More
			C int
		}{nil, 3}, `{"C":{"N":"3"}}`),
		like("embedded with a name", struct {
			Base `dynamodbav:"base"`
			C    int
		}{Base{1}, 3}, `{"base":{"M":{"A":{"N":"1"}}},"C":{"N":"3"}}`),
		like("embedded and hidden", struct {
			Base
			A int
		}{Base{0}, 3}, `{"A":{"N":"3"}}`),
		like("embedded unexported", struct {
			hidden
			C int
		}{hidden{1}, 3}, `{"H":{"N":"1"},"C":{"N":"3"}}`),
		like("embedded twice deep", struct {
			*Deep
		}{&Deep{More: &More{5}, D: 6}}, `{"B":{"N":"5"},"D":{"N":"6"}}`),
		like("embedded type that is no struct", struct{ Label }{"x"}, `{"Label":{"S":"x"}}`),
		like("types that hold themselves", tree{1, []tree{{2, nil, nil}}, &tree{3, nil, nil}},
			`{"V":{"N":"1"},"Kids":{"L":[{"M":{"V":{"N":"2"},"Kids":{"L":[]},"Next":{"NULL":true}}}]},"Next":{"M":{"V":{"N":"3"},"Kids":{"L":[]},"Next":{"NULL":true}}}}`),
		ours("a list of itself", struct{ V nest }{nest{nest{}, nil}}, `{"V":{"L":[{"L":[]},{"L":[]}]}}`),
	}
	for _, f := range forms {
		t.Run(f.name, f.run)
	}
}
