// SPDX-License-Identifier: Apache-2.0

package plain_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/cmd/ddb/internal/plain"
)

func TestFromItem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]struct {
		text string
		loss plain.Loss
	}{
		`{}`: {`{}`, plain.Loss{}},
		`{"z":{"S":"a<b\"\u00e9"},"a":{"N":"1.50"}}`:                                {`{"z":"a<b\"é","a":1.50}`, plain.Loss{}},
		`{"n":{"N":"12345678901234567890.5"},"m":{"N":"9007199254740993"}}`:         {`{"n":12345678901234567890.5,"m":9007199254740993}`, plain.Loss{Numbers: 2}},
		`{"b":{"B":"aGk="},"t":{"BOOL":true},"f":{"BOOL":false},"n":{"NULL":true}}`: {`{"b":"aGk=","t":true,"f":false,"n":null}`, plain.Loss{Binaries: 1}},
		`{"l":{"L":[{"S":"a"},{"M":{"x":{"L":[]}}}]},"s":{"SS":["a","b"]},"i":{"NS":["1","1E+30"]},"y":{"BS":["aGk=","aGo="]}}`: {
			`{"l":["a",{"x":[]}],"s":["a","b"],"i":[1,1E+30],"y":["aGk=","aGo="]}`, plain.Loss{Sets: 3, Binaries: 2},
		},
	} {
		var loss plain.Loss
		got, err := plain.FromItem([]byte(in), &loss)
		if err != nil || string(got) != want.text || loss != want.loss {
			t.Errorf("%s: %s %+v %v", in, got, loss, err)
		}
	}
	for _, in := range []string{``, `[]`, `{"a":1}`, `{"a":{"X":"1"}}`, `{"a":{"S":1}}`, `{"a":{"S":"b","N":"1"}}`, `{"a":{"N":"x"}}`, `{"a":{"N":"[1]"}}`, `{"a":{"BOOL":"true"}}`, `{} {}`, `{}}`, `{}]x`, `{"a":{"L":[1]}}`, `{"a":{"SS":[1]}}`} {
		if got, err := plain.FromItem([]byte(in), new(plain.Loss)); err == nil {
			t.Errorf("%s became %s", in, got)
		}
	}
}

func TestToItem(t *testing.T) {
	t.Parallel()
	in := `{"z": "a<b", "n": 1.50, "big": 12345678901234567890.5, "t": true, "x": null, "l": [1, [], {"y": {}}]}`
	want := `{"z":{"S":"a<b"},"n":{"N":"1.50"},"big":{"N":"12345678901234567890.5"},"t":{"BOOL":true},"x":{"NULL":true},"l":{"L":[{"N":"1"},{"L":[]},{"M":{"y":{"M":{}}}}]}}`
	if got, err := plain.ToItem([]byte(in)); err != nil || string(got) != want {
		t.Errorf("%s %v", got, err)
	}
	for _, in := range []string{``, `1`, `[]`, `{"a":}`, `{} 1`, `{"a":1`, `{}}`, `{"a":1}} {"b":2}`, `{}]`, `{"a":1}x`, "{\"a\":\"\xff\"}"} {
		if got, err := plain.ToItem([]byte(in)); err == nil {
			t.Errorf("%s became %s", in, got)
		}
	}
}

// An item nests 32 levels deep at most.
func TestLevels(t *testing.T) {
	t.Parallel()
	nested := func(n int) []byte {
		return []byte(`{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}`)
	}
	typed, err := plain.ToItem(nested(32))
	if err != nil {
		t.Fatal(err)
	}
	if back, err := plain.FromItem(typed, new(plain.Loss)); err != nil || string(back) != string(nested(32)) {
		t.Errorf("%s %v", back, err)
	}
	if _, err := plain.ToItem([]byte(`{"a":` + strings.Repeat("[", 32) + "1" + strings.Repeat("]", 32) + `}`)); err != nil {
		t.Error(err)
	}
	for _, n := range []int{33, 1_000_000} {
		if _, err := plain.ToItem(nested(n)); err == nil || !strings.Contains(err.Error(), "32 levels") {
			t.Errorf("%d levels: %v", n, err)
		}
	}
	deep := strings.Repeat(`{"L":[`, 100_000) + strings.Repeat(`]}`, 100_000)
	if _, err := plain.FromItem([]byte(`{"a":`+deep+`}`), new(plain.Loss)); err == nil || !strings.Contains(err.Error(), "32 levels") {
		t.Error(err)
	}
}

// FuzzPlain: plain JSON keeps its meaning when it is converted to DynamoDB's JSON and back.
func FuzzPlain(f *testing.F) {
	f.Add([]byte(`{"a":[1,"x",{"b":null}],"c":true}`))
	f.Add([]byte(`{"a":{"SS":["x"]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = plain.FromItem(data, new(plain.Loss))
		typed, err := plain.ToItem(data)
		if err != nil {
			return
		}
		back, err := plain.FromItem(typed, new(plain.Loss))
		if err != nil || !json.Valid(back) {
			t.Fatalf("%q became %q and not back: %v", data, typed, err)
		}
		again, err := plain.ToItem(back)
		if err != nil || string(again) != string(typed) {
			t.Errorf("%q became %q, then %q: %v", data, typed, again, err)
		}
	})
}
