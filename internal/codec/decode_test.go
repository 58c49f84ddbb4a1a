// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

// reading is a stored form and its decoded value, or the reason why it is rejected.
type reading struct {
	name string
	run  func(t *testing.T)
}

func reads[V any](wire string, want V) reading {
	return makeReading(itemType[struct{ V V }](), wire, want)
}

func makeReading(typ typed, wire string, want any) reading {
	return reading{typ.of.Field(0).Type.String() + " from " + wire, func(t *testing.T) {
		out := typ.zero()
		if err := typ.decodeItem(planOf(t, typ.of), []byte(`{"V":`+wire+`}`), out); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, reflect.ValueOf(out).Elem().Field(0).Interface(), equal); d != "" {
			t.Errorf("-want +got:\n%s", d)
		}
	}}
}

func refuses[V any](wire, reason string) reading {
	return makeRefusal(itemType[struct{ V V }](), wire, reason)
}

func makeRefusal(typ typed, wire, reason string) reading {
	return reading{typ.of.Field(0).Type.String() + " from " + wire, func(t *testing.T) {
		out := typ.zero()
		err := typ.decodeItem(planOf(t, typ.of), []byte(`{"V":`+wire+`}`), out)
		var e *codec.Error
		if !errors.As(err, &e) {
			t.Fatalf("got %v and %v, want a *codec.Error", out, err)
		}
		if !strings.Contains(err.Error(), reason) || !strings.HasPrefix(e.Path, "V") || e.Type == nil || !e.Decode {
			t.Errorf("error is %q (%+v), want the path V and %q", err, e, reason)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("error %q contains the data", err)
		}
	}}
}

func TestReadings(t *testing.T) {
	const digits38 = "12345678901234567890123456789012345678"
	for _, r := range []reading{
		// Integers are exact in any notation, or rejected.
		reads(`{"N":"9007199254740993"}`, int64(9007199254740993)),
		reads(`{"N":"9007199254740991"}`, uint64(9007199254740991)),
		reads(`{"N":"9223372036854775807"}`, int64(math.MaxInt64)),
		reads(`{"N":"-9223372036854775808"}`, int64(math.MinInt64)),
		reads(`{"N":"18446744073709551615"}`, uint64(math.MaxUint64)),
		reads(`{"N":"1E2"}`, int8(100)),
		reads(`{"N":"1200.00"}`, 1200),
		reads(`{"N":"-0"}`, 0),
		reads(`{"N":"0E-130"}`, uint(0)),
		refuses[int64](`{"N":"9223372036854775808"}`, "does not fit"),
		refuses[uint64](`{"N":"18446744073709551616"}`, "does not fit"),
		refuses[uint](`{"N":"-1"}`, "does not fit"),
		refuses[int8](`{"N":"128"}`, "does not fit"),
		refuses[uint8](`{"N":"256"}`, "does not fit"),
		refuses[int](`{"N":"1.5"}`, "fraction"),
		refuses[int](`{"N":"1E-1"}`, "fraction"),
		refuses[int](`{"N":"1E999999999999999999999"}`, "above 9.99E+125"),
		refuses[int](`{"N":""}`, "not a number"),
		refuses[int](`{"N":"1x"}`, "not a number"),
		refuses[int](`{"N":"0x10"}`, "not a number"),
		refuses[int](`{"S":"secret"}`, "wire type S does not fit Go type int"),

		reads(`{"N":"0.1"}`, 0.1),
		reads(`{"N":"1E125"}`, 1e125),
		reads(`{"N":"1E-130"}`, 1e-130),
		reads(`{"N":"0.1"}`, float32(0.1)),
		refuses[float32](`{"N":"1E39"}`, "does not fit"),
		refuses[float32](`{"N":"1E-60"}`, "does not fit"),
		reads(`{"N":"0E5"}`, float32(0)),
		refuses[float64](`{"N":"NaN"}`, "not a number"),
		refuses[float64](`{"N":"0x1p4"}`, "not a number"),
		refuses[float64](`{"N":"1_0"}`, "not a number"),
		refuses[float64](`{"N":"Inf"}`, "not a number"),

		// A number keeps all its digits where the Go type can.
		reads(`{"N":"`+digits38+`"}`, attributevalue.Number(digits38)),
		reads(`{"N":"1.50"}`, json.Number("1.50")),
		reads(`{"S":"1.50"}`, json.Number("1.50")),
		refuses[json.Number](`{"N":"1`+digits38+`"}`, "more than 38"),
		refuses[json.Number](`{"S":"secret"}`, "not a number"),
		reads(`{"N":"1E3"}`, *big.NewInt(1000)),
		refuses[big.Int](`{"N":"1E-3"}`, "fraction"),
		refuses[big.Float](`{"N":"1E126"}`, "above"),
		reads(`{"N":"12.50"}`, "12.50"),
		reads[any](`{"N":"0.1"}`, 0.1),
		reads[any](`{"N":"9007199254740992"}`, 9007199254740992.0),
		reads[any](`{"N":"9007199254740993"}`, attributevalue.Number("9007199254740993")),
		reads[any](`{"N":"9007199254740990"}`, 9007199254740990.0),
		reads[any](`{"N":"`+digits38+`"}`, attributevalue.Number(digits38)),
		reads[any](`{"N":"0.30000000000000004"}`, 0.30000000000000004),
		reads[any](`{"NS":["1","2.5"]}`, []float64{1, 2.5}),
		reads[any](`{"NS":["1","9007199254740993"]}`, []attributevalue.Number{"1", "9007199254740993"}),
		refuses[any](`{"L":[{"N":"x"}]}`, "V[0]: wire type N"),

		// NULL is the zero value.
		reads(`{"NULL":true}`, 0), reads(`{"NULL":true}`, ""), reads(`{"NULL":true}`, []int(nil)), reads(`{"NULL":true}`, (*int)(nil)),
		reads(`{"NULL":true}`, map[string]int(nil)), reads[any](`{"NULL":true}`, nil), reads(`{"NULL":true}`, time.Time{}),
		reads(`{"NULL":true}`, inner{}), reads(`{"NULL":true}`, false), reads(`{"NULL":true}`, (*money)(nil)), reads(`{"NULL":true}`, [2]int{}),
		reads[types.AttributeValue](`{"NULL":true}`, &types.AttributeValueMemberNULL{Value: true}),
		refuses[money](`{"NULL":true}`, "UnmarshalDynamoDBAttributeValue of Go type codec_test.money failed with a *errors.errorString"),

		// Slices and arrays read lists and sets alike.
		reads(`{"SS":["a","b"]}`, []string{"a", "b"}), reads(`{"L":[{"S":"a"},{"NULL":true}]}`, []string{"a", ""}),
		reads(`{"NS":["1"]}`, []string{"1"}), reads(`{"NS":["1","2"]}`, []int{1, 2}), reads(`{"NS":["1","2"]}`, [3]int{1, 2, 0}),
		reads(`{"BS":["AQ==","Ag=="]}`, [][]byte{{1}, {2}}), reads(`{"L":[{"B":"AQ=="}]}`, [][]byte{{1}}),
		reads(`{"L":[{"N":"1"},{"N":"255"}]}`, []byte{1, 255}), reads(`{"SS":["1 EUR","2 EUR"]}`, []money{{1, "EUR"}, {2, "EUR"}}),
		reads(`{"L":[]}`, []int{}), reads(`{"L":[]}`, []string{}), reads(`{"B":""}`, []byte{}), reads(`{"SS":["x"]}`, []text{"x"}),
		refuses[[1]int](`{"L":[{"N":"1"},{"N":"2"}]}`, "more elements"), refuses[[2]byte](`{"B":"AQ=="}`, "exactly as many"),
		refuses[[2]byte](`{"B":"AQIDBA=="}`, "exactly as many"), refuses[[]int](`{"SS":["secret"]}`, "V[0]: wire type S does not fit Go type int"),
		refuses[[]int](`{"M":{}}`, "wire type M does not fit"), refuses[[]int](`{"S":""}`, "wire type S does not fit"),
		refuses[map[string]int](`{"L":[]}`, "wire type L"), refuses[inner](`{"S":"x"}`, "wire type S"), refuses[string](`{"BOOL":true}`, "wire type BOOL"),
		refuses[bool](`{"N":"1"}`, "wire type N"), refuses[time.Time](`{"BOOL":true}`, "wire type BOOL"), refuses[*int](`{"S":"x"}`, "wire type S"),
		refuses[map[string]map[string]int](`{"M":{"secret":{"M":{"x":{"S":"y"}}}}}`, "attribute V.*.*: wire type S does not fit Go type int"),
		refuses[inner](`{"M":{"B":{"S":"y"}}}`, "attribute V.B: wire type S"), refuses[[]inner](`{"L":[{"M":{}},{"M":{"B":{"S":"y"}}}]}`, "attribute V[1].B: wire type S"),

		// Map keys.
		reads(`{"M":{"1":{"S":"a"},"-2":{"S":"b"}}}`, map[int]string{1: "a", -2: "b"}), refuses[map[int8]int](`{"M":{"300":{"N":"1"}}}`, "map key does not fit"),
		refuses[map[uint8]int](`{"M":{"x":{"N":"1"}}}`, "map key does not fit"), refuses[map[bool]int](`{"M":{"x":{"N":"1"}}}`, "not a boolean"),
		refuses[map[color]int](`{"M":{"secret":{"N":"1"}}}`, "UnmarshalText of Go type codec_test.color"),
		refuses[map[int]int](`{"M":{"1":{"N":"1"},"2":{"S":"x"}}}`, "V.*"),

		// Times.
		reads(`{"S":"2026-11-20T01:02:03.000000001Z"}`, time.Date(2026, 11, 20, 1, 2, 3, 1, time.UTC)), reads(`{"N":"5"}`, time.Unix(5, 0)),
		refuses[time.Time](`{"S":"secret"}`, "no RFC 3339 time"), refuses[time.Time](`{"N":"1.5"}`, "fraction"),

		// Types with text methods read both forms.
		reads(`{"N":"1"}`, green), reads(`{"S":"green"}`, green), refuses[color](`{"S":"secret"}`, "UnmarshalText of Go type codec_test.color failed"),
	} {
		t.Run(r.name, r.run)
	}
}

// Decoding into a reused value clears its old content, and does not change values taken from it.
func TestDecodeIntoAReusedValue(t *testing.T) {
	type item struct {
		S    string
		L    []int
		M    map[string]int
		P    *inner
		I    inner
		A    [2]int
		T    []string
		Any  any
		U    map[string]types.AttributeValue `dynamodbav:",unknown"`
		Keep int                             `dynamodbav:"-"`
		own  int
		*More
	}
	p := plan[item](t)
	first := `{"S":{"S":"x"},"L":{"L":[{"N":"1"},{"N":"2"}]},"M":{"M":{"k":{"N":"1"}}},"P":{"M":{"A":{"N":"1"},"B":{"N":"2"}}},` +
		`"I":{"M":{"A":{"N":"1"},"B":{"N":"2"}}},"A":{"L":[{"N":"1"},{"N":"2"}]},"T":{"SS":["p","q"]},"Any":{"S":"a"},"B":{"N":"9"},"zz":{"BOOL":true}}`
	v := item{Keep: 7, own: 8}
	if err := codec.Decode(p, []byte(first), &v); err != nil {
		t.Fatal(err)
	}
	taken, copied := v, item{}
	if err := codec.Decode(p, []byte(first), &copied); err != nil {
		t.Fatal(err)
	}
	for _, second := range []string{`{}`, `{"L":{"L":[{"N":"5"}]},"M":{"M":{"z":{"N":"5"}}},"P":{"M":{"B":{"N":"5"}}},"I":{"M":{"B":{"N":"5"}}},"A":{"L":[{"N":"5"}]},"T":{"SS":["z"]},"B":{"N":"5"}}`} {
		fresh := item{Keep: 7, own: 8}
		for _, into := range []*item{&v, &fresh} {
			if err := codec.Decode(p, []byte(second), into); err != nil {
				t.Fatal(err)
			}
		}
		if d := cmp.Diff(fresh, v, equal); d != "" {
			t.Errorf("after %s a reused value differs from a fresh one:\n%s", second, d)
		}
	}
	copied.Keep, copied.own = 7, 8
	if d := cmp.Diff(copied, taken, equal); d != "" {
		t.Errorf("decoding again changed values taken before:\n%s", d)
	}
}

func TestDecodeIntoAPointerInAnInterface(t *testing.T) {
	type item struct{ V, W any }
	target := inner{A: 7}
	v := item{V: &target, W: (*inner)(nil)}
	err := codec.Decode(plan[item](t), []byte(`{"V":{"M":{"B":{"N":"2"}}},"W":{"S":"x"}}`), &v)
	if err != nil || target != (inner{0, 2}) || v.V != any(&target) || v.W != "x" {
		t.Errorf("got %+v, %+v, %v", target, v, err)
	}
	v.V = &v.V
	if err := codec.Decode(plan[item](t), []byte(`{"V":{"S":"x"}}`), &v); err == nil {
		t.Error("an interface that leads to itself was filled")
	}
}

func TestUnknownAttributesAreKept(t *testing.T) {
	type parsed struct {
		A    int
		Rest map[string]types.AttributeValue `dynamodbav:",unknown"`
	}
	type raw struct {
		A    int
		Rest map[string]json.RawMessage `dynamodbav:",unknown"`
	}
	const wire = `{"A":{"N":"1"},"a":{"L":[{"S":"x"}]},"z":{"NS":["1"]}}`
	var p parsed
	var r raw
	if err := errors.Join(codec.Decode(plan[parsed](t), []byte(wire), &p), codec.Decode(plan[raw](t), []byte(wire), &r)); err != nil {
		t.Fatal(err)
	}
	if len(p.Rest) != 2 || string(r.Rest["z"]) != `{"NS":["1"]}` {
		t.Fatalf("kept %v and %s", p.Rest, r.Rest)
	}
	if got := string(encode(t, nil, &p)); got != wire {
		t.Errorf("parsed: wrote back %s", got)
	}
	if got := string(encode(t, nil, &r)); got != wire {
		t.Errorf("raw: wrote back %s", got)
	}
	if got := string(encode(t, nil, &raw{A: 1})); got != `{"A":{"N":"1"}}` {
		t.Errorf("without any: %s", got)
	}
	p.Rest["A"] = &types.AttributeValueMemberN{Value: "2"}
	r.Rest["z"] = json.RawMessage(`{"S":"x"},"A":{"N":"3"}`)
	if _, err := codec.Append(nil, plan[parsed](t), &p); err == nil || !strings.Contains(err.Error(), "has the name of a field") {
		t.Errorf("a kept attribute with the name of a field: %v", err)
	}
	if _, err := codec.Append(nil, plan[raw](t), &r); !errors.Is(err, codec.ErrSyntax) {
		t.Errorf("kept bytes that are two values: %v", err)
	}
	for _, twice := range []string{`{"z":{"N":"1"},"z":{"N":"1"}}`, `{"A":{"N":"1"},"A":{"N":"1"}}`} {
		if err := codec.Decode(plan[parsed](t), []byte(twice), &p); !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%s: %v", twice, err)
		}
		if err := codec.Decode(plan[raw](t), []byte(twice), &r); !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%s: %v", twice, err)
		}
	}
}

// A type that stores itself as one value may be an item, if the value is a map.
func TestItemThatMarshalsItself(t *testing.T) {
	v := union{"circle", 2}
	wire := encode(t, []byte("x"), &v)
	if string(wire) != `x{"figure":{"S":"circle"},"r":{"N":"2"}}` {
		t.Fatalf("got %s", wire)
	}
	var out union
	if err := codec.Decode(plan[union](t), wire[1:], &out); err != nil || out != v {
		t.Errorf("got %+v, %v", out, err)
	}
	if _, err := codec.Append(nil, plan[money](t), &money{1, "EUR"}); err == nil || !strings.Contains(err.Error(), "must give a map") {
		t.Errorf("an item that is text: %v", err)
	}
}

func TestPlanOfAnotherType(t *testing.T) {
	p := plan[inner](t)
	if _, err := codec.Append(nil, p, &row{}); err == nil {
		t.Error("Append accepted the plan of another type")
	}
	if err := codec.Decode(p, []byte(`{}`), &row{}); err == nil {
		t.Error("Decode accepted the plan of another type")
	}
	c, err := codec.ValueOf(reflect.TypeFor[int](), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := codec.AppendValue(nil, c, new("x")); err == nil {
		t.Error("AppendValue accepted the codec of another type")
	}
	if err := codec.DecodeValue(c, []byte(`{"N":"1"}`), new("x")); err == nil {
		t.Error("DecodeValue accepted the codec of another type")
	}
	if _, err := codec.ToAttributeValue(c, new("x")); err == nil {
		t.Error("ToAttributeValue accepted the codec of another type")
	}
}
