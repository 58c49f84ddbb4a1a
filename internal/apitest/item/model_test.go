// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"bytes"
	"math"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/apitest/draw"
)

// everything has a field of every kind and tag that the codec knows.
type everything struct {
	Common
	*Extra
	Key      string               `dynamodbav:"key"`
	Bool     bool                 `dynamodbav:"bool"`
	Int      int                  `dynamodbav:"int"`
	Int8     int8                 `dynamodbav:"int8"`
	Int64    int64                `dynamodbav:"int64"`
	Uint64   uint64               `dynamodbav:"uint64"`
	Float    float64              `dynamodbav:"float"`
	IntText  int64                `dynamodbav:"int_text,string"`
	Text     string               `dynamodbav:"text"`
	TextOmit string               `dynamodbav:"text_omit,omitempty"`
	TextZero string               `dynamodbav:"text_zero,omitzero"`
	Bytes    []byte               `dynamodbav:"bytes"`
	Fixed    [4]byte              `dynamodbav:"fixed"`
	Array    [2]int               `dynamodbav:"array"`
	List     []string             `dynamodbav:"list"`
	Structs  []line               `dynamodbav:"structs"`
	Strings  []string             `dynamodbav:"strings,stringset,omitempty"`
	Numbers  []int                `dynamodbav:"numbers,numberset,omitempty"`
	Binaries [][]byte             `dynamodbav:"binaries,binaryset,omitempty"`
	Map      map[string]int       `dynamodbav:"map"`
	IntMap   map[int]string       `dynamodbav:"int_map"`
	Deep     map[string][]address `dynamodbav:"deep"`
	Pointer  *string              `dynamodbav:"pointer"`
	Struct   address              `dynamodbav:"struct"`
	StructP  *address             `dynamodbav:"struct_p"`
	Time     time.Time            `dynamodbav:"time"`
	Unix     time.Time            `dynamodbav:"unix,unixtime"`
	TimeZero time.Time            `dynamodbav:"time_zero,omitzero"`
	Addr     netip.Addr           `dynamodbav:"addr"`
	Big      *big.Int             `dynamodbav:"big"`
	Exact    attributevalue.Number
	Any      any `dynamodbav:"any"`
	Ignored  int `dynamodbav:"-"`
}

type Common struct {
	Shared string `dynamodbav:"shared"`
}

type Extra struct {
	More string `dynamodbav:"more"`
}

// drawFloat draws a number that DynamoDB can store.
func drawFloat(t *rapid.T) float64 {
	f := draw.Float(t, -1e100, 1e100, "float")
	if math.Abs(f) <= 1e-100 {
		return 0
	}
	return f
}

func drawEverything(t *rapid.T) everything {
	text, short := draw.AnyText(), draw.TextOf(1, 8, -1)
	key := draw.Matching(`[a-z]{1,8}`).Draw(t, "key")
	v := everything{
		Common: Common{text.Draw(t, "shared")}, Extra: &Extra{text.Draw(t, "more")}, Key: key,
		Bool: draw.Bool(t, "bool"), Int: draw.AnyInt(t, "int"), Int8: int8(draw.Int(t, math.MinInt8, math.MaxInt8, "int8")),
		Int64: draw.Int64(t, math.MinInt64, math.MaxInt64, "int64"), Uint64: draw.Uint64(t, "uint64"),
		Float:   drawFloat(t),
		IntText: draw.Int64(t, math.MinInt64, math.MaxInt64, "int text"), Text: text.Draw(t, "text"), TextOmit: text.Draw(t, "omit"), TextZero: text.Draw(t, "zero"),
		Bytes: draw.Bytes(t, 0, 40, "bytes"),
		Fixed: [4]byte(draw.Bytes(t, 4, 4, "fixed")), Array: [2]int{draw.AnyInt(t, "a0"), 7},
		List:     text.List(t, 0, 5, "list"),
		Structs:  []line{{SKU: text.Draw(t, "sku"), Qty: draw.AnyInt(t, "qty")}},
		Strings:  short.Distinct(t, 0, 5, "strings"),
		Numbers:  draw.DistinctInts(t, math.MinInt, math.MaxInt, 0, 5, "numbers"),
		Binaries: [][]byte{},
		Map:      map[string]int{}, IntMap: map[int]string{},
		Deep:   map[string][]address{"x": {{City: text.Draw(t, "city")}}},
		Struct: address{Zip: text.Draw(t, "zip")},
		Time:   time.Unix(draw.Int64(t, 0, 4e9, "s"), draw.Int64(t, 0, 999_999_999, "ns")).UTC(),
		Unix:   time.Unix(draw.Int64(t, 0, 4e9, "unix"), 0), Addr: netip.MustParseAddr("2001:db8::1"),
		Big:   new(big.Int).Exp(big.NewInt(10), big.NewInt(draw.Int64(t, 0, 37, "exp")), nil),
		Exact: attributevalue.Number(draw.Matching(`-?[1-9][0-9]{0,18}\.[0-9]{0,17}[1-9]`).Draw(t, "exact")),
		Any:   text.Draw(t, "any"),
	}
	for range draw.Int(t, 0, 3, "binaries") {
		b := draw.Bytes(t, 1, 8, "binary")
		if !slices.ContainsFunc(v.Binaries, func(other []byte) bool { return bytes.Equal(b, other) }) {
			v.Binaries = append(v.Binaries, b)
		}
	}
	for range draw.Int(t, 0, 5, "map") {
		v.Map[short.Draw(t, "map key")] = draw.AnyInt(t, "map value")
	}
	for range draw.Int(t, 0, 5, "int map") {
		v.IntMap[draw.AnyInt(t, "int map key")] = text.Draw(t, "int map value")
	}
	if draw.Bool(t, "pointers") {
		v.Pointer, v.StructP = &v.Text, &address{City: text.Draw(t, "city p")}
	}
	return v
}

// TestPutGetEveryKind: Get returns what Put stored, for every kind
// of field, directly from the wire and through the SDK's maps.
func TestPutGetEveryKind(t *testing.T) {
	client := newClient(t)
	name := tableName(t)
	field := ddb.StrField(func(e *everything) *string { return &e.Key })
	direct, err := ddb.NewSimple(client, name, field)
	if err != nil {
		t.Fatal(err)
	}
	bridged, err := ddb.NewSimple(client, name, field, ddb.ThroughSDK())
	if err != nil {
		t.Fatal(err)
	}
	if err := direct.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	unordered := cmp.FilterPath(func(p cmp.Path) bool {
		last := p.Last().String()
		return last == ".Strings" || last == ".Numbers" || last == ".Binaries"
	}, cmp.Options{
		cmpopts.SortSlices(func(a, b string) bool { return a < b }), cmpopts.SortSlices(func(a, b int) bool { return a < b }),
		cmpopts.SortSlices(func(a, b []byte) bool { return string(a) < string(b) }),
	})
	opts := cmp.Options{unordered, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 }), cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmp.Comparer(time.Time.Equal)}
	rapid.Check(t, func(rt *rapid.T) {
		want := drawEverything(rt)
		writer, reader := direct, bridged
		if draw.Bool(rt, "bridged write") {
			writer = bridged
		}
		if draw.Bool(rt, "direct read") {
			reader = direct
		}
		if err := writer.Put(t.Context(), &want); err != nil {
			rt.Fatal(err)
		}
		got, err := reader.Get(t.Context(), want.Key, ddb.Consistent())
		if err != nil {
			rt.Fatal(err)
		}
		if diff := cmp.Diff(want, got, opts); diff != "" {
			rt.Fatalf("item differs (-want +got):\n%s", diff)
		}
	})
}

// TestNumbersOf38Digits: no number is rounded, and a number that does not fit is refused before it is sent.
func TestNumbersOf38Digits(t *testing.T) {
	ctx := t.Context()
	table, err := ddb.NewSimple(newClient(t), tableName(t), ddb.StrField(func(e *everything) *string { return &e.Key }))
	if err != nil {
		t.Fatal(err)
	}
	if err := table.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	digits := strings.Repeat("1234567890", 4)[:38]
	for _, n := range []string{digits, "-" + digits, "0." + digits, "9007199254740993", "18446744073709551615", "-9223372036854775808"} {
		if err := table.Put(ctx, &everything{Key: "a", Exact: attributevalue.Number(n)}); err != nil {
			t.Errorf("%s: %v", n, err)
			continue
		}
		if got, err := table.Get(ctx, "a"); err != nil || string(got.Exact) != n {
			t.Errorf("%s was read as %s, %v", n, got.Exact, err)
		}
	}
	for _, n := range []string{digits + "1", "1E126", "1E-131", "NaN", "Infinity", "", "1x"} {
		if err := table.Put(ctx, &everything{Key: "a", Exact: attributevalue.Number(n)}); err == nil {
			t.Errorf("%q was accepted", n)
		}
	}
}
