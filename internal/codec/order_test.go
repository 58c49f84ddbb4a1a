// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/codec"
)

type leaf struct {
	A string `dynamodbav:"a"`
	B int    `dynamodbav:"b"`
	C string `dynamodbav:"c"`
}

type branch struct {
	L leaf   `dynamodbav:"l"`
	S string `dynamodbav:"s"`
	N []leaf `dynamodbav:"n"`
}

// TestOrderChanges: items with their attributes in any order, some of them missing or unknown, decode to
// the same value, whatever items came before.
func TestOrderChanges(t *testing.T) {
	p := plan[branch](t)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[a-z"\\é]{0,12}`)
		drawLeaf := func(label string) (leaf, string) {
			v := leaf{text.Draw(t, label+".a"), rapid.Int().Draw(t, label+".b"), text.Draw(t, label+".c")}
			members := []string{fmt.Sprintf(`"a":{"S":%s}`, quoted(t, v.A)), fmt.Sprintf(`"b":{"N":"%d"}`, v.B),
				fmt.Sprintf(`"c":{"S":%s}`, quoted(t, v.C)), `"x":{"L":[{"NULL":true}]}`}
			if rapid.Bool().Draw(t, label+" short") {
				members, v.C = append(members[:2:2], members[3]), ""
			}
			return v, "{" + strings.Join(rapid.Permutation(members).Draw(t, label), ",") + "}"
		}
		var want []branch
		var items []string
		for i := range rapid.IntRange(1, 6).Draw(t, "items") {
			var v branch
			var l, list string
			v.L, l = drawLeaf(fmt.Sprint(i))
			v.N = []leaf{}
			for j := range rapid.IntRange(0, 2).Draw(t, "leaves") {
				n, one := drawLeaf(fmt.Sprint(i, j))
				v.N = append(v.N, n)
				list += strings.Repeat(",", min(j, 1)) + `{"M":` + one + `}`
			}
			v.S = text.Draw(t, "s")
			members := []string{`"l":{"M":` + l + `}`, `"s":{"S":` + quoted(t, v.S) + `}`, `"n":{"L":[` + list + `]}`}
			want = append(want, v)
			items = append(items, "{"+strings.Join(rapid.Permutation(members).Draw(t, "members"), ",")+"}")
		}
		got, err := decodePage([]byte("["+strings.Join(items, ",")+"]"), p, []branch(nil))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}

// Names with equal beginnings and ends, short and long, with escapes and beyond ASCII, go to their own fields, in any order and
// among unknown names.
func TestSimilarNames(t *testing.T) {
	type names struct {
		A int `dynamodbav:"n"`
		B int `dynamodbav:"nn"`
		C int `dynamodbav:"customer"`
		D int `dynamodbav:"customers"`
		E int `dynamodbav:"customer-of-last-year"`
		F int `dynamodbav:"customer-in-last-year"`
		G int `dynamodbav:"customer-in-this-long-last-year"`
		H int `dynamodbav:"café"`
		I int `dynamodbav:"a\"b\\c"`
		J int `dynamodbav:"customer\"s-last-year"`
	}
	all := []string{
		"n", "nn", "customer", "customers", "customer-of-last-year", "customer-in-last-year", "customer-in-this-long-last-year", "café", `a"b\c`, `customer"s-last-year`,
	}
	others := []string{"", "nnn", "customer-on-last-year", "customer-in-last-yeaR", "Customer", "customerss", "cafe", "customer-in-that-long-last-year", "customer\\s-last-year"}
	p := plan[names](t)
	rapid.Check(t, func(t *rapid.T) {
		var items []string
		var want []names
		for range rapid.IntRange(1, 12).Draw(t, "items") {
			var v names
			var members []string
			for i, field := range []*int{&v.A, &v.B, &v.C, &v.D, &v.E, &v.F, &v.G, &v.H, &v.I, &v.J} {
				if rapid.IntRange(0, 4).Draw(t, "there") > 0 {
					*field = rapid.IntRange(1, 99).Draw(t, "value")
					members = append(members, fmt.Sprintf(`%s:{"N":"%d"}`, quoted(t, all[i]), *field))
				}
			}
			for _, name := range others {
				if rapid.Bool().Draw(t, "unknown") {
					members = append(members, quoted(t, name)+`:{"N":"7"}`)
				}
			}
			want = append(want, v)
			items = append(items, "{"+strings.Join(rapid.Permutation(members).Draw(t, "order"), ",")+"}")
		}
		got, err := decodePage([]byte("["+strings.Join(items, ",")+"]"), p, []names(nil))
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

func quoted(t *rapid.T, s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDuplicatesInKnownOrder: a name that occurs twice is rejected even if the order is known.
func TestDuplicatesInKnownOrder(t *testing.T) {
	const good = `{"a":{"S":"x"},"b":{"N":"1"},"c":{"S":"y"}}`
	for _, bad := range []string{
		`{"a":{"S":"x"},"b":{"N":"1"},"a":{"S":"y"}}`,
		`{"a":{"S":"x"},"a":{"S":"y"},"c":{"S":"y"}}`,
		`{"a":{"S":"x"},"b":{"N":"1"},"c":{"S":"y"},"b":{"N":"1"}}`,
	} {
		// The second list learns the bad order from its own first item.
		for _, body := range []string{good + "," + bad, bad, good + "," + good + "," + bad} {
			if rows, err := decodePage([]byte("["+body+"]"), plan[leaf](t), []leaf(nil)); err == nil {
				t.Errorf("%s: decoded as %v", body, rows)
			}
		}
	}
}

// TestMalformedPlainValues: values that begin like a plain value but are not plain are rejected or read as usual.
func TestMalformedPlainValues(t *testing.T) {
	first := `{"a":{"S":"x"},"b":{"N":"1"},"c":{"S":"y"}},`
	for value, ok := range map[string]bool{
		`{"S":"x"}`: true, `{"S":"x" }`: true, `{"S":"x\n"}`: true, `{"S":"12345678"}`: true, `{"S":"é"}`: true, ` {"S":"x"}`: true, `{"S":""}`: true,
		`{"S":"x"`: false, `{"S":"x`: false, `{"S":"x"]`: false, "{\"S\":\"a\xff\"}": false, "{\"S\":\"a\x01\"}": false, `{"S":"\x"}`: false,
		`{"S":"x","N":"1"}`: false, `{"S":"x\"}`: false, `{"N":"1"}`: true, `{"M":{}}`: false, `{"NULL":true}`: true,
	} {
		body := "[" + first + `{"a":` + value + `,"b":{"N":"2"},"c":{"S":"z"}}]`
		rows, err := decodePage([]byte(body), plan[leaf](t), []leaf(nil))
		if (err == nil) != ok {
			t.Errorf("%s: %v", value, err)
		}
		if ok && (len(rows) != 2 || rows[1].B != 2 || rows[1].C != "z") {
			t.Errorf("%s: %v", value, rows)
		}
	}
}

// TestDepthOfPlainValues: the deepest allowed level is the same for both ways of reading a value.
func TestDepthOfPlainValues(t *testing.T) {
	deep := func(levels int, value string) []byte {
		return []byte("[" + strings.Repeat(`{"A":{"S":""},"B":{"S":""},"Next":{"M":`, levels) + `{"A":` + value + `,"B":` + value + `}` + strings.Repeat(`}}`, levels) + "]")
	}
	rejected := 0
	for levels := 60; levels < 80; levels++ {
		_, plain := decodePage(deep(levels, `{"S":"x"}`), plan[t9](t), []t9(nil))
		_, spaced := decodePage(deep(levels, ` {"S":"x"}`), plan[t9](t), []t9(nil))
		if (plain == nil) != (spaced == nil) {
			t.Errorf("%d levels: %v and %v", levels, plain, spaced)
		}
		if plain != nil {
			rejected++
		}
	}
	if rejected == 0 || rejected == 20 {
		t.Errorf("%d of 20 refused", rejected)
	}
}

// Nine types, one more than those whose order is remembered.
type (
	t1 struct {
		X t2 `dynamodbav:"x"`
	}
	t2 struct {
		X t3 `dynamodbav:"x"`
	}
	t3 struct {
		X t4 `dynamodbav:"x"`
	}
	t4 struct {
		X t5 `dynamodbav:"x"`
	}
	t5 struct {
		X t6 `dynamodbav:"x"`
	}
	t6 struct {
		X t7 `dynamodbav:"x"`
	}
	t7 struct {
		X t8 `dynamodbav:"x"`
	}
	t8 struct {
		X t9 `dynamodbav:"x"`
	}
	t9 struct {
		A, B string
		Next *t9
	}
)

func TestOrderOfManyTypes(t *testing.T) {
	v := t1{}
	v.X.X.X.X.X.X.X.X = t9{A: "a", B: "b", Next: &t9{A: "c", Next: &t9{B: "d"}}}
	data := encode(t, nil, &v)
	body := []byte("[" + strings.Repeat(string(data)+",", 4) + string(data) + "]")
	for range 3 { // decoders are used again
		rows, err := decodePage(body, plan[t1](t), []t1(nil))
		if err != nil || len(rows) != 5 {
			t.Fatal(len(rows), err)
		}
		for _, r := range rows {
			if d := cmp.Diff(v, r); d != "" {
				t.Fatal(d)
			}
		}
		rest := t9{A: "a", Next: &t9{B: "b"}}
		var again t9
		if err := codec.Decode(plan[t9](t), encode(t, nil, &rest), &again); err != nil || !cmp.Equal(rest, again) {
			t.Fatal(again, err)
		}
	}
}
