// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/internal/codec"
)

type scalars struct {
	F float64           `dynamodbav:"f"`
	B []byte            `dynamodbav:"b"`
	S string            `dynamodbav:"s"`
	M map[string]string `dynamodbav:"m"`
	R []string          `dynamodbav:"r,stringset,omitempty"`
}

// TestFloatSpellings: a number is decoded to exactly the float that strconv returns.
func TestFloatSpellings(t *testing.T) {
	p := plan[scalars](t)
	check := func(t rapid.TB, s string) {
		t.Helper()
		want, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return
		}
		var v scalars
		if err := codec.Decode(p, []byte(`{"f":{"N":"`+s+`"}}`), &v); err != nil {
			t.Errorf("%s: %v", s, err)
		} else if math.Float64bits(v.F) != math.Float64bits(want) {
			t.Errorf("%s is %v, want %v", s, v.F, want)
		}
	}
	for _, s := range []string{"0", "-0", "-0.0", "1.", ".5", "-.5", "0.1", "123456789012345", "999999999999999", "0.999999999999999",
		"1234567890123456", "12345678.9012345", "-123456.789012345", "000000000000001", "0.00000000000001", "9007199254740993", "1e5", "1E-5", "+1"} {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.StringMatching(`-?[0-9]{1,16}(\.[0-9]{0,16})?`).Draw(t, "number")) })
	for _, bad := range []string{"", ".", "-", "1.2.3", "--1", "1-", "0x1", "1_0", "inf"} {
		var v scalars
		if err := codec.Decode(p, []byte(`{"f":{"N":"`+bad+`"}}`), &v); err == nil {
			t.Errorf("%q was read as %v", bad, v.F)
		}
	}
}

// TestTimeSpellings: a time is decoded to the same time as by the time package.
func TestTimeSpellings(t *testing.T) {
	type timed struct{ At time.Time }
	p := plan[timed](t)
	check := func(t rapid.TB, s string) {
		t.Helper()
		want, bad := time.Parse(time.RFC3339, s)
		var v timed
		err := codec.Decode(p, []byte(`{"At":{"S":"`+s+`"}}`), &v)
		if (err == nil) != (bad == nil) || err == nil && (!v.At.Equal(want) || want.Location() == time.UTC && v.At != want) {
			t.Errorf("%s: %v %v, want %v %v", s, v.At, err, want, bad)
		}
	}
	for _, s := range []string{"2026-11-21T08:30:00Z", "2026-11-21T08:30:00.25Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
		"2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:60Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00.1234567891Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00+01:00", "2026-01-01 00:00:00Z", "2026-1-01T00:00:00Z", "Z", ""} {
		check(t, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringMatching(`[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9](\.[0-9]{0,10})?(Z|z|[+-][0-9]{2}:[0-9]{2})`).Draw(t, "time"))
	})
}

// TestBase64Spellings: binary is read as the base64 package reads it.
func TestBase64Spellings(t *testing.T) {
	p := plan[scalars](t)
	rapid.Check(t, func(t *rapid.T) {
		data := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "bytes")
		s := base64.StdEncoding.EncodeToString(data)
		if wire, err := codec.Append(nil, p, &scalars{B: data}); err != nil || !strings.Contains(string(wire), `{"B":"`+s+`"}`) {
			t.Fatalf("%x was written as %s, %v; want %s", data, wire, err, s)
		}
		if rapid.Bool().Draw(t, "spoil") && len(s) > 0 {
			i := rapid.IntRange(0, len(s)-1).Draw(t, "at")
			s = s[:i] + rapid.SampledFrom([]string{"", "=", "==", "-", "_", " ", "A", "é", "/", "*"}).Draw(t, "by") + s[i+1:]
		}
		want, bad := base64.StdEncoding.DecodeString(s)
		var v scalars
		err := codec.Decode(p, []byte(`{"b":{"B":"`+s+`"}}`), &v)
		if (err == nil) != (bad == nil) || err == nil && string(v.B) != string(want) {
			t.Fatalf("%q: %x %v, want %x %v", s, v.B, err, want, bad)
		}
	})
}

// TestTextAnywhere: bytes that need escaping are found anywhere in a text.
func TestTextAnywhere(t *testing.T) {
	p := plan[scalars](t)
	for _, special := range []string{"", `"`, `\`, "\x00", "\x1f", "\n", "\t", "\r", " ", "!", "#", "[", "]", "\x7f", "é", "漢", "😀", "\u2028"} {
		for before := range 20 {
			for _, after := range []int{0, 1, 7, 8, 9, 16} {
				want := strings.Repeat("a", before) + special + strings.Repeat("b", after)
				data := encode(t, nil, &scalars{S: want})
				var item struct{ S struct{ S string } }
				if err := json.Unmarshal(data, &item); err != nil || item.S.S != want {
					t.Fatalf("%q was written as %s: %v", want, data, err)
				}
				var back scalars
				if err := codec.Decode(p, data, &back); err != nil || back.S != want {
					t.Fatalf("%q was read as %q: %v", want, back.S, err)
				}
			}
		}
	}
	for before := range 20 {
		for _, bad := range []string{"\xff", "\xc3", "\xed\xa0\x80"} {
			for after := range 10 {
				v := scalars{S: strings.Repeat("a", before) + bad + strings.Repeat("b", after)}
				if b, err := codec.Append(nil, p, &v); err == nil {
					t.Errorf("%q was written as %s", v.S, b)
				}
			}
		}
	}
}

// TestMapNamesTwice: a map that contains a name twice is rejected, in whatever form its values are written.
func TestMapNamesTwice(t *testing.T) {
	values := []string{`{"S":"x"}`, ` {"S":"x"}`, `{"S":"\n"}`, `{"NULL":true}`}
	for _, a := range values {
		for _, b := range values {
			var v scalars
			if err := codec.Decode(plan[scalars](t), []byte(`{"m":{"M":{"k":`+a+`,"l":`+a+`,"k":`+b+`}}}`), &v); !errors.Is(err, codec.ErrSyntax) {
				t.Errorf("%s and %s: %v %v", a, b, v.M, err)
			}
			if err := codec.Decode(plan[scalars](t), []byte(`{"m":{"M":{"k":`+a+`,"l":`+b+`}}}`), &v); err != nil || len(v.M) != 2 {
				t.Errorf("%s and %s: %v %v", a, b, v.M, err)
			}
		}
	}
}

// TestLargeMapsAndSets: maps and sets that are too long for the fast paths.
func TestLargeMapsAndSets(t *testing.T) {
	for _, n := range []int{1, 2, 15, 16, 17, 18, 40} {
		v := scalars{M: map[string]string{}, B: []byte{}}
		for i := range n {
			name := fmt.Sprintf("key %02d", (i*7)%41)
			v.M[name] = strings.Repeat("v", i)
			v.R = append(v.R, name)
		}
		data := encode(t, nil, &v)
		if again := encode(t, nil, &v); string(again) != string(data) {
			t.Errorf("%d: %s and %s", n, data, again)
		}
		var back scalars
		if err := codec.Decode(plan[scalars](t), data, &back); err != nil || cmp.Diff(v, back) != "" {
			t.Errorf("%d: %v %s", n, err, cmp.Diff(v, back))
		}
		at := -1
		for i := range n {
			next := strings.Index(string(data), fmt.Sprintf(`"key %02d":`, i))
			if next >= 0 && next < at {
				t.Errorf("%d: out of order in %s", n, data)
			}
			at = max(at, next)
		}
		v.R = append(v.R, v.R[0])
		if b, err := codec.Append(nil, plan[scalars](t), &v); err == nil {
			t.Errorf("%d: a set with a member twice was written as %s", n, b)
		}
	}
}

// TestListsOfAnyLength: elements keep their order, however each is written.
func TestListsOfAnyLength(t *testing.T) {
	type listed struct {
		L []string `dynamodbav:"l"`
		S []string `dynamodbav:"s,stringset,omitempty"`
	}
	p := plan[listed](t)
	rapid.Check(t, func(t *rapid.T) {
		draw := func(label string, forms []string) (texts []string, wire string) {
			texts = []string{}
			for i := range rapid.IntRange(0, 30).Draw(t, label) {
				s := fmt.Sprint(label, i)
				if i > 0 {
					wire += ","
				}
				wire += fmt.Sprintf(rapid.SampledFrom(forms).Draw(t, "form"), s)
				texts = append(texts, s)
			}
			return texts, wire
		}
		var (
			want listed
			list string
		)
		want.L, list = draw("l", []string{`{"S":"%s"}`, ` {"S":"%s"}`, `{"S":"%s" }`, `{"S":"%.1s\u` + "006eX" + `"}`})
		for i := range want.L {
			if strings.Contains(strings.Split(list, ",")[i], "006e") {
				want.L[i] = "lnX"
			}
		}
		var members string
		want.S, members = draw("s", []string{`"%s"`, ` "%s"`, `"%s" `})
		var got listed
		if err := codec.Decode(p, []byte(`{"l":{"L":[`+list+`]},"s":{"SS":[`+members+`]}}`), &got); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatal(d)
		}
	})
}
