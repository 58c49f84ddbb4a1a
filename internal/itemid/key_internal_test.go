// SPDX-License-Identifier: Apache-2.0

package itemid

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/codec"
)

// TestIDOfNumbers: a number has one id in every notation, and no two numbers share an id.
func TestIDOfNumbers(t *testing.T) {
	for _, same := range [][]string{
		{"0", "-0", "0.0", "0e5", "000", "+0"},
		{"1", "1.0", "01", "1e0", "10e-1", "0.1e1", "0.1E+1", "+1", "1.00e0"},
		{"-1", "-1.0", "-01", "-10E-1"},
		{"1200", "1.2e3", "12E2", "0.0012e6", "1200.000"},
		{"0.001", "1e-3", ".001", "0.1e-2", "10e-4"},
		{"9007199254740993", "9007199254740993.0", "9.007199254740993e15"},
		{"99999999999999999999999999999999999999", "9.9999999999999999999999999999999999999e37"},
	} {
		for _, n := range same {
			if got, want := string(NormalNumber([]byte(n))), string(NormalNumber([]byte(same[0]))); got != want {
				t.Errorf("%s is %s, %s is %s", n, got, same[0], want)
			}
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.Custom(func(t *rapid.T) string {
			s := rapid.StringMatching(`-?[0-9]{1,6}(\.[0-9]{1,6})?`).Draw(t, "number")
			if e := rapid.IntRange(-4, 4).Draw(t, "exponent"); e != 0 {
				s += fmt.Sprintf("e%d", e)
			}
			return s
		})
		a, b := number.Draw(t, "a"), number.Draw(t, "b")
		x, ok1 := new(big.Rat).SetString(a)
		y, ok2 := new(big.Rat).SetString(b)
		if !ok1 || !ok2 {
			t.Fatal("no numbers", a, b)
		}
		if same := string(NormalNumber([]byte(a))) == string(NormalNumber([]byte(b))); same != (x.Cmp(y) == 0) {
			t.Errorf("%s and %s: same id %v", a, b, same)
		}
		// The sum in another notation is the same number.
		if got := string(NormalNumber([]byte(x.FloatString(10)))); got != string(NormalNumber([]byte(a))) {
			t.Errorf("%s is %s as %s", a, got, x.FloatString(10))
		}
	})
}

// TestIDBothWays: an encoded item and the map of its key have the same id, and different keys have different ids.
func TestIDBothWays(t *testing.T) {
	value := func(t *rapid.T, label string) types.AttributeValue {
		switch rapid.IntRange(0, 2).Draw(t, label+" kind") {
		case 0:
			return &types.AttributeValueMemberS{Value: rapid.StringN(1, 20, -1).Draw(t, label)}
		case 1:
			return &types.AttributeValueMemberN{Value: fmt.Sprint(rapid.Int64().Draw(t, label))}
		}
		return &types.AttributeValueMemberB{Value: rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, label)}
	}
	rapid.Check(t, func(t *rapid.T) {
		k := Key{"pk", "sk"}
		draw := func(label string) map[string]types.AttributeValue {
			return map[string]types.AttributeValue{"pk": value(t, label+" pk"), "sk": value(t, label+" sk")}
		}
		a, b := draw("a"), draw("b")
		item := map[string]types.AttributeValue{"pk": a["pk"], "sk": a["sk"], "a": value(t, "a"), "z": value(t, "z")}
		data, err := codec.AppendItemMap(nil, item)
		if err != nil {
			t.Fatal(err)
		}
		id, err := k.Append(nil, data)
		if err != nil || string(id) != k.ID(a) {
			t.Fatalf("item %q, key %q, %v", id, k.ID(a), err)
		}
		if key, err := codec.AppendItemMap(nil, a); err != nil {
			t.Fatal(err)
		} else if id, err := k.AppendCaptured(nil, Plain(key, k), key); err != nil || string(id) != k.ID(a) {
			t.Fatalf("encoded key %q, key %q, %v", id, k.ID(a), err)
		}
		for _, of := range []map[string]types.AttributeValue{a, b} {
			key, err := codec.AppendItemMap(nil, of)
			if err != nil {
				t.Fatal(err)
			}
			values := Plain(key, k)
			encoded, err := codec.AppendItemMap(nil, a)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := Same(encoded, k, values), values[0] != nil && string(key) == string(encoded); got != want {
				t.Fatalf("%s and %s: same %v, want %v", encoded, key, got, want)
			}
		}
		same := true
		for _, name := range k {
			x, isNumber := a[name].(*types.AttributeValueMemberN)
			y, ok := b[name].(*types.AttributeValueMemberN)
			if isNumber && ok {
				same = same && string(NormalNumber([]byte(x.Value))) == string(NormalNumber([]byte(y.Value)))
			} else {
				same = same && Equal(a[name], b[name])
			}
		}
		if (k.ID(a) == k.ID(b)) != same {
			t.Fatalf("ids %q and %q", k.ID(a), k.ID(b))
		}
	})
	// Lengths separate adjacent parts.
	k := Key{"pk", "sk"}
	one := k.ID(map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "aS1:b"}, "sk": &types.AttributeValueMemberS{Value: "c"}})
	two := k.ID(map[string]types.AttributeValue{"pk": &types.AttributeValueMemberS{Value: "a"}, "sk": &types.AttributeValueMemberS{Value: "bS1:c"}})
	if one == two {
		t.Errorf("two keys share %q", one)
	}
}

// TestIDRefuses: items without a valid key are refused with all reasons, and never panic.
func TestIDRefuses(t *testing.T) {
	k := Key{"pk", "sk"}
	for item, want := range map[string][]string{
		`{}`:                                  {"pk is absent", "sk is absent"},
		`{"pk":{"S":""}}`:                     {"pk is empty", "sk is absent"},
		`{"pk":{"S":"a"},"sk":{"NULL":true}}`: {"sk is absent or NULL"},
		`{"pk":{"BOOL":true},"sk":{"S":""}}`:  {"pk is absent or NULL", "sk is empty"},
		`{"pk":{"":"a"},"sk":{"S":"b"}}`:      {"pk is absent"},
		`{"pk":{},"sk":{"S":"b"}}`:            {"pk is absent"},
		`{"pk":{"B":""},"sk":{"B":"QQ=="}}`:   {"pk is empty"},
		`{"pk":{"S":1},"sk":{"S":"b"}}`:       {""},
		`{"pk":"a","sk":{"S":"b"}}`:           {""},
		`{"pk":{"S":"a"},"sk":{"S":"b"`:       {""},
		`[]`:                                  {""},
		``:                                    {""},
		`{"pk":{"S":"` + strings.Repeat("k", 2049) + `"},"sk":{"S":"` + strings.Repeat("k", 1025) + `"}}`: {"pk has 2049 bytes; the limit is 2048", "sk has 1025 bytes; the limit is 1024"},
	} {
		_, err := k.Append(nil, []byte(item))
		if _, err2 := k.AppendCaptured(nil, Plain([]byte(item), k), []byte(item)); fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("%.40s: %v, as a key %v", item, err, err2)
		}
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%.40s: got %v, want %q", item, err, w)
			}
		}
	}
	if _, err := k.Append(nil, []byte(`{"pk":{"N":"1"},"sk":{"B":"QUI="},"x":{"S":"`)); err != nil && !errors.Is(err, codec.ErrSyntax) {
		t.Error(err)
	}
	k.ID(map[string]types.AttributeValue{"pk": nil})
}
