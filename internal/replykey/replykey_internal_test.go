// SPDX-License-Identifier: Apache-2.0

package replykey

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/wire"
)

// TestCheck: an item is accepted if it has the key, in any notation, and refused otherwise.
func TestCheck(t *testing.T) {
	one, two := itemid.Key{"pk"}, itemid.Key{"pk", "sk"}
	for _, tc := range []struct {
		names itemid.Key
		key   string
		item  string
		want  error
	}{
		{one, `{"pk":{"S":"a"}}`, `{"pk":{"S":"a"},"x":{"N":"1"}}`, nil},
		{one, `{"pk":{"S":"a"}}`, `{"x":{"N":"1"}, "pk" : { "S" : "a" } }`, nil},
		{one, `{"pk":{"S":"a"}}`, `{"pk":{"S":"\u0061"}}`, nil},
		{one, `{"pk":{"S":"\u0061\"/"}}`, `{"pk":{"S":"a\"\/"}}`, nil},
		{one, `{"pk":{"S":"a"}}`, `{"pk":{"S":"b"}}`, ErrOtherKey},
		{one, `{"pk":{"S":"a"}}`, `{"pk":{"S":"ab"}}`, ErrOtherKey},
		{one, `{"pk":{"S":"1"}}`, `{"pk":{"N":"1"}}`, ErrOtherKey},
		{one, `{"pk":{"S":"a"}}`, `{"pk":{"B":"YQ=="}}`, ErrOtherKey},
		{one, `{"pk":{"S":"a"}}`, `{"x":{"pk":{"S":"a"}}}`, ErrNoKey},
		{one, `{"pk":{"S":"a"}}`, `{}`, ErrNoKey},
		{one, `{"pk":{"S":"a"}}`, `{"pk":{"NULL":true}}`, ErrNoKey},
		{one, `{"pk":{"N":"10"}}`, `{"pk":{"N":"1e1"}}`, nil},
		{one, `{"pk":{"N":"1e+21"}}`, `{"pk":{"N":"1000000000000000000000"}}`, nil},
		{one, `{"pk":{"N":"10"}}`, `{"pk":{"N":"100"}}`, ErrOtherKey},
		{one, `{"pk":{"B":"AAE="}}`, `{"pk":{"B":"AAE="}}`, nil},
		{one, `{"pk":{"B":"AAE="}}`, `{"pk":{"B":"AAI="}}`, ErrOtherKey},
		{two, `{"pk":{"S":"a"},"sk":{"N":"7"}}`, `{"sk":{"N":"7"},"pk":{"S":"a"}}`, nil},
		{two, `{"pk":{"S":"a"},"sk":{"N":"7"}}`, `{"pk":{"S":"a"},"sk":{"N":"7.0"}}`, nil},
		{two, `{"pk":{"S":"a"},"sk":{"N":"7"}}`, `{"pk":{"S":"a"},"sk":{"N":"8"}}`, ErrOtherKey},
		{two, `{"pk":{"S":"a"},"sk":{"N":"7"}}`, `{"pk":{"S":"b"},"sk":{"N":"7"}}`, ErrOtherKey},
		{two, `{"pk":{"S":"a"},"sk":{"S":"b"}}`, `{"pk":{"S":"b"},"sk":{"S":"a"}}`, ErrOtherKey},
		{two, `{"pk":{"S":"ab"},"sk":{"S":"c"}}`, `{"pk":{"S":"a"},"sk":{"S":"bc"}}`, ErrOtherKey},
		{two, `{"pk":{"S":"a"},"sk":{"N":"7"}}`, `{"pk":{"S":"a"}}`, ErrNoKey},
	} {
		// With the bytes of the key that the decoder records, and without.
		for _, watched := range [][2][]byte{{}, watchedIn(t, tc.names, tc.item)} {
			if err := Check(tc.names, []byte(tc.key), watched, []byte(tc.item)); !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
				t.Errorf("key %s, item %s: %v, want %v", tc.key, tc.item, err, tc.want)
			}
		}
	}
	if bad, ok := errors.AsType[wire.Mismatch](ErrOtherKey); !ok || strings.Contains(bad.Error(), "pk") {
		t.Error("the error is not a Mismatch")
	}
}

// watchedIn returns the values of attributes as a decoder records them.
func watchedIn(t *testing.T, names []string, item string) (values [2][]byte) {
	t.Helper()
	found, err := Find([]byte(item), names)
	if err != nil {
		t.Fatal(err)
	}
	copy(values[:], found[:len(names)])
	return values
}

func wireText(s string) string {
	b, err := codec.AppendAttributeValue(nil, &types.AttributeValueMemberS{Value: s})
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestRanges: no item within the range is refused, and items outside it are refused if they can be recognised.
func TestRanges(t *testing.T) {
	pk := expr.Compare{Left: expr.Attribute("pk"), Op: "=", Right: expr.Value{AV: &types.AttributeValueMemberS{Value: "a"}}}
	type ordered struct {
		av      types.AttributeValue
		wire    string
		cmp     func(ordered) int
		text    string
		covered bool // a range of it is checked
	}
	number := rapid.Custom(func(t *rapid.T) ordered {
		s := rapid.OneOf(rapid.StringMatching(`-?(0|[1-9][0-9]{0,3})`), rapid.StringMatching(`-?[1-9][0-9]{17,24}`), rapid.StringMatching(`-?[0-9]{1,3}\.[0-9]{1,3}`)).Draw(t, "number")
		f, _, err := big.ParseFloat(s, 10, 200, big.ToNearestEven)
		if err != nil {
			t.Fatal(err)
		}
		return ordered{&types.AttributeValueMemberN{Value: s}, `{"N":"` + s + `"}`, func(o ordered) int {
			g, _, _ := big.ParseFloat(o.text, 10, 200, big.ToNearestEven)
			return f.Cmp(g)
		}, s, len(s) <= 18 && !strings.Contains(s, ".")}
	})
	text := rapid.Custom(func(t *rapid.T) ordered {
		s := rapid.OneOf(rapid.StringMatching(`[a-c]{1,3}`), rapid.StringN(1, 4, 12), rapid.SampledFrom([]string{`"`, `\`, "\n", "ä", "<"})).Draw(t, "text")
		w := wireText(s)
		return ordered{&types.AttributeValueMemberS{Value: s}, w, func(o ordered) int { return strings.Compare(s, o.text) }, s, !strings.Contains(w, `\`)}
	})
	rapid.Check(t, func(t *rapid.T) {
		kind := number
		ops := []string{"=", "<", "<=", ">", ">=", "BETWEEN"}
		if rapid.Bool().Draw(t, "of texts") {
			kind, ops = text, append(ops, "begins_with")
		}
		op := rapid.SampledFrom(ops).Draw(t, "op")
		low, high, v := kind.Draw(t, "low"), kind.Draw(t, "high"), kind.Draw(t, "value")
		var node expr.Node = expr.Compare{Left: expr.Attribute("sk"), Op: op, Right: expr.Value{AV: low.av}}
		in := false
		switch c := v.cmp(low); op {
		case "=":
			in = c == 0
		case "<":
			in = c < 0
		case "<=":
			in = c <= 0
		case ">":
			in = c > 0
		case ">=":
			in = c >= 0
		case "BETWEEN":
			node = expr.Between{Operand: expr.Attribute("sk"), Low: expr.Value{AV: low.av}, High: expr.Value{AV: high.av}}
			in = c >= 0 && v.cmp(high) <= 0
		case "begins_with":
			node = expr.Call{Name: op, Args: []expr.Node{expr.Attribute("sk"), expr.Value{AV: low.av}}}
			in = strings.HasPrefix(v.text, low.text)
		}
		var q Query
		q.Init(expr.All(pk, node))
		item := fmt.Sprintf(`{"sk":%s,"pk":{"S":"a"}}`, v.wire)
		watched := [2][]byte{[]byte(`{"S":"a"}`), []byte(v.wire)}
		covered := op == "=" || v.covered && low.covered && (op != "BETWEEN" || high.covered)
		for how, err := range map[string]error{"noted": q.Row(watched, []byte(item)), "found": q.Find([]byte(item)), "partly recorded": q.Row([2][]byte{watched[0]}, []byte(item))} {
			if in && err != nil || !in && covered && !errors.Is(err, ErrOtherKey) {
				t.Fatalf("%s: %s %s %s: in the range %v, %v", how, v.text, op, low.text, in, err)
			}
		}
		other := strings.Replace(item, `"pk":{"S":"a"}`, `"pk":{"S":"b"}`, 1)
		if q.Find([]byte(other)) == nil || q.Row([2][]byte{[]byte(`{"S":"b"}`), watched[1]}, []byte(other)) == nil {
			t.Fatalf("another partition was accepted")
		}
	})
	var scan Query
	scan.Init(nil)
	if err := errors.Join(scan.Row([2][]byte{}, []byte(`{}`)), scan.Find([]byte(`{}`))); err != nil {
		t.Errorf("a scan: %v", err)
	}
	// A key of several attributes.
	var several Query
	several.Init(expr.All(pk, expr.Compare{Left: expr.Attribute("p2"), Op: "=", Right: expr.Value{AV: &types.AttributeValueMemberN{Value: "1"}}},
		expr.Compare{Left: expr.Attribute("s1"), Op: "=", Right: expr.Value{AV: &types.AttributeValueMemberS{Value: "x"}}}))
	for item, want := range map[string]error{
		`{"pk":{"S":"a"},"p2":{"N":"1.0"},"s1":{"S":"x"}}`: nil,
		`{"pk":{"S":"a"},"p2":{"N":"1"},"s1":{"S":"y"}}`:   ErrOtherKey,
		`{"pk":{"S":"a"},"p2":{"N":"2"},"s1":{"S":"x"}}`:   ErrOtherKey,
		`{"pk":{"S":"a"},"p2":{"N":"1"}}`:                  ErrNoKey,
	} {
		if err := several.Row([2][]byte{}, []byte(item)); !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("%s: %v, want %v", item, err, want)
		}
	}
}
