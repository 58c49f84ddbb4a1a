// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

// aws-sdk-go-v2 issue 2526: with pk and PK in one item, the map's order decided which one was read.
func TestNamesAreMatchedByCase(t *testing.T) {
	type item struct {
		PK string `dynamodbav:"pk"`
	}
	for _, body := range []string{`{"pk":{"S":"a"},"PK":{"S":"b"}}`, `{"PK":{"S":"b"},"pk":{"S":"a"}}`} {
		var v item
		if err := codec.Decode(plan[item](t), []byte(body), &v); err != nil || v.PK != "a" {
			t.Errorf("%s: got %+v, %v", body, v, err)
		}
	}
	v := item{"old"}
	if err := codec.Decode(plan[item](t), []byte(`{"Pk":{"S":"b"}}`), &v); err != nil || v.PK != "" {
		t.Errorf("another name filled the field: %+v, %v", v, err)
	}
}

// attributevalue puts every number into an interface as a float64, so that
// 9007199254740993 becomes ...992.
func TestNumbersIntoInterfacesAreExact(t *testing.T) {
	type item struct{ V any }
	for _, n := range []string{"9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "-9007199254740993",
		"0.1", "123456789012345.6", "1234567890123456.7", "99999999999999999999999999999999999999", "1E-130", "9.99E+125",
		"9223372036854775807", "18446744073709551615", "0.30000000000000004", "0.300000000000000044"} {
		var v item
		if err := codec.Decode(plan[item](t), []byte(`{"V":{"N":"`+n+`"}}`), &v); err != nil {
			t.Fatal(err)
		}
		wire := encode(t, nil, &v)
		m, err := codec.ParseItem(wire)
		if err != nil {
			t.Fatal(err)
		}
		if got := avText(m["V"]); !sameNumber(got, n) {
			t.Errorf("%s was decoded into an interface as a %T and is written as %s", n, v.V, got)
		}
	}
}

// attributevalue ignores omitzero, so a zero time is stored as the year 1.
func TestOmitZeroIsHonoured(t *testing.T) {
	type item struct {
		At  time.Time `dynamodbav:"at,omitzero"`
		TTL time.Time `dynamodbav:"ttl,unixtime,omitzero"`
	}
	if got := string(encode(t, nil, &item{})); got != `{}` {
		t.Errorf("got %s", got)
	}
}

// attributevalue stores nil lists, maps and sets, and empty sets, as NULL, to which no update can add.
func TestNilContainersAreNotNull(t *testing.T) {
	type item struct {
		Tags  []string       `dynamodbav:"tags,stringset"`
		More  [][]byte       `dynamodbav:"more"`
		List  []string       `dynamodbav:"list"`
		Deep  [][]int        `dynamodbav:"deep"`
		Map   map[string]int `dynamodbav:"map"`
		Text  map[string]string
		Asked []string `dynamodbav:"asked,nullempty"`
		Set   []string `dynamodbav:"set,stringset,nullempty"`
		Bytes []byte
		Ptr   *[]int
	}
	for _, v := range []item{{}, {Tags: []string{}, More: [][]byte{}}} {
		if got := string(encode(t, nil, &v)); got != `{"list":{"L":[]},"deep":{"L":[]},"map":{"M":{}},"Text":{"M":{}},"asked":{"NULL":true},"set":{"NULL":true},"Bytes":{"NULL":true},"Ptr":{"NULL":true}}` {
			t.Errorf("got %s", got)
		}
	}
	if got := string(encode(t, nil, &struct{ V map[string][][]byte }{map[string][][]byte{"k": {}, "l": {{1}}}})); got != `{"V":{"M":{"l":{"BS":["AQ=="]}}}}` {
		t.Errorf("got %s", got)
	}
	for _, v := range [][]string{nil, {}} {
		if av, err := codec.ToAttributeValue(value[[]string](t, "stringset"), &v); err == nil || !strings.Contains(err.Error(), "the set has no members") {
			t.Errorf("got %v, %v", av, err)
		}
	}
	if got := string(encode(t, nil, &struct{ V map[string][]int }{map[string][]int{"k": nil}})); got != `{"V":{"M":{"k":{"L":[]}}}}` {
		t.Errorf("got %s", got)
	}
}

// attributevalue keeps what a reused value held for absent attributes.
func TestAbsentAttributesAreCleared(t *testing.T) {
	v := makeRow(1)
	if err := codec.Decode(plan[row](t), []byte(`{}`), &v); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprintf("%+v", v) != fmt.Sprintf("%+v", row{}) {
		t.Errorf("left over: %+v", v)
	}
}

// attributevalue sends NaN and infinity, and 39 digits.
func TestNumbersAreCheckedBeforeSending(t *testing.T) {
	type item struct{ V attributevalue.Number }
	for n, ok := range map[string]bool{
		"99999999999999999999999999999999999999": true, "999999999999999999999999999999999999999": false,
		"1E-130": true, "9.9E-131": false, "9.9999999999999999999999999999999999999E+125": true, "1E126": false, "-1E126": false,
		"100000000000000000000000000000000000000000000": true, "0.00000000000000000000000000000000000000000001": true,
		"000000000000000000000000000000000000000000001.000000000000000000000000000": true, "0E500": true, "NaN": false, "Infinity": false,
		"1e5": true, "+5": true, ".5": true, "5.": true, ".": false, "-": false, "": false, " 1": false, "1 ": false, "١": false,
	} {
		_, err := codec.Append(nil, plan[item](t), &item{attributevalue.Number(n)})
		if (err == nil) != ok {
			t.Errorf("%q: %v", n, err)
		}
	}
}

// An array that is too short, and an array of bytes of another length: attributevalue
// drops elements in the one case and panics in the other.
func TestArraysRejectOtherLengths(t *testing.T) {
	for _, r := range []reading{
		refuses[[1]string](`{"SS":["a","b"]}`, "more elements than the array has"),
		refuses[[16]byte](`{"B":"AQ=="}`, "exactly as many bytes"),
	} {
		t.Run(r.name, r.run)
	}
}

// attributevalue passes the whole set to the first member's Unmarshaler.
func TestUnmarshalersInSetsGetTheirMember(t *testing.T) {
	type item struct {
		V []money `dynamodbav:",stringset"`
	}
	v := item{[]money{{1, "EUR"}, {2, "USD"}}}
	var out item
	if err := codec.Decode(plan[item](t), encode(t, nil, &v), &out); err != nil || len(out.V) != 2 || out.V[1] != v.V[1] {
		t.Errorf("got %+v, %v", out, err)
	}
}

// guregu/dynamo issues 99, 101 and 233: panics on nil embedded pointers and nil times.
func TestNilPointersDoNotPanic(t *testing.T) {
	type item struct {
		*More
		*Deep
		Time  *time.Time
		Unix  *time.Time `dynamodbav:",unixtime"`
		Omit  *time.Time `dynamodbav:",omitempty"`
		Zero  *time.Time `dynamodbav:",omitzero"`
		Money *money
		Color *color `dynamodbav:",text"`
		Any   any
		Inner **inner
	}
	var v, out item
	wire := encode(t, nil, &v)
	const want = `{"Time":{"NULL":true},"Unix":{"NULL":true},"Money":{"NULL":true},"Color":{"NULL":true},"Any":{"NULL":true},"Inner":{"NULL":true}}`
	if string(wire) != want {
		t.Errorf("got  %s\nwant %s", wire, want)
	}
	if err := codec.Decode(plan[item](t), wire, &out); err != nil || out != v {
		t.Errorf("got %+v, %v", out, err)
	}
	m, err := codec.ParseItem([]byte(`{"D":{"N":"1"}}`))
	if err != nil || m == nil {
		t.Fatal(err)
	}
	if err := codec.Decode(plan[item](t), []byte(`{"D":{"N":"1"}}`), &out); err != nil || out.Deep == nil || out.D != 1 || out.Deep.More != nil {
		t.Errorf("got %+v, %v", out, err)
	}
}

// A zone whose offset has seconds cannot be written in RFC 3339; the instant is kept.
func TestTimesKeepTheirInstant(t *testing.T) {
	type item struct{ V time.Time }
	for _, zone := range []*time.Location{time.UTC, time.FixedZone("", 1172), time.FixedZone("", -14*3600), time.FixedZone("", 23*3600+59*60)} {
		v, out := item{time.Date(1900, 1, 1, 0, 0, 0, 123456789, zone)}, item{}
		if err := codec.Decode(plan[item](t), encode(t, nil, &v), &out); err != nil || !out.V.Equal(v.V) {
			t.Errorf("%v became %v, %v", v.V, out.V, err)
		}
	}
}

// attributevalue formats a map key with its String method, but does not parse that form.
func TestMapKeysAreWrittenAsTheyAreRead(t *testing.T) {
	type item struct {
		V map[weekday]string
		W map[shout]int
	}
	v, out := item{map[weekday]string{1: "x"}, map[shout]int{"a": 1}}, item{}
	wire := encode(t, nil, &v)
	if string(wire) != `{"V":{"M":{"1":{"S":"x"}}},"W":{"M":{"a":{"N":"1"}}}}` {
		t.Errorf("got %s", wire)
	}
	if err := codec.Decode(plan[item](t), wire, &out); err != nil || out.V[1] != "x" || out.W["a"] != 1 {
		t.Errorf("got %+v, %v", out, err)
	}
}

type weekday int

func (weekday) String() string { return "Monday" }

type shout string

func (s shout) String() string { return string(s) + "!" }

// Plans are made at the first use, by any goroutine.
func TestConcurrentUse(t *testing.T) {
	type leaf struct{ V any }
	type item struct {
		A row
		B []leaf
		C *leaf
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			p, err := codec.PlanOf(reflect.TypeFor[item]())
			if err != nil {
				t.Error(err)
				return
			}
			for j := range 50 {
				v := item{A: makeRow(i*50 + j), B: []leaf{{"x"}, {float64(j)}}, C: &leaf{any(map[string]any{"k": []any{true}})}}
				wire, err := codec.Append(nil, p, &v)
				if err != nil {
					t.Error(err)
					return
				}
				var out item
				if err := codec.Decode(p, wire, &out); err != nil || !cmp.Equal(v, out, equal) {
					t.Errorf("%v, %s", err, cmp.Diff(v, out, equal))
					return
				}
			}
		})
	}
	wg.Wait()
}
