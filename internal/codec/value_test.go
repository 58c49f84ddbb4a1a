// SPDX-License-Identifier: Apache-2.0

package codec_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/codec"
)

// single is one value of a key, a condition or an update.
func single[V any](tag string, v V, wire string) form {
	return form{wire + " " + tag, valueForm{valueType[V](), tag, &v, wire}.run}
}

// valueForm is the stored form of the value that v points to.
type valueForm struct {
	typ  typed
	tag  string
	v    any
	wire string
}

func (f valueForm) run(t *testing.T) {
	c := valueOf(t, f.typ.of, f.tag)
	b, err := f.typ.appendValue([]byte("x"), c, f.v)
	if err != nil || string(b) != "x"+f.wire {
		t.Fatalf("AppendValue gives %s, %v", b, err)
	}
	parsed, err := codec.ParseAttributeValue([]byte(f.wire))
	if err != nil {
		t.Fatal(err)
	}
	av, err := f.typ.toSDK(c, f.v)
	if d := cmp.Diff(parsed, av, equal); err != nil || d != "" {
		t.Errorf("ToAttributeValue: %v\n%s", err, d)
	}
	out := f.typ.zero()
	if err := f.typ.decodeValue(c, []byte(f.wire), out); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(pointee(f.v), pointee(out), equal); d != "" {
		t.Errorf("DecodeValue: %s", d)
	}
}

func TestSingleValues(t *testing.T) {
	for _, f := range []form{
		single("", "a\"b", `{"S":"a\"b"}`), single("", text("a"), `{"S":"a"}`), single("", -5, `{"N":"-5"}`), single("string", uint8(5), `{"S":"5"}`),
		single("", 2.5, `{"N":"2.5"}`), single("", true, `{"BOOL":true}`), single("", []byte{1}, `{"B":"AQ=="}`), single("", []byte(nil), `{"NULL":true}`),
		single("", [2]byte{1, 2}, `{"B":"AQI="}`), single("", []string{"a"}, `{"L":[{"S":"a"}]}`), single("stringset", []string{"a"}, `{"SS":["a"]}`),
		single("stringset,nullempty", []string(nil), `{"NULL":true}`), single("", map[string]int{"k": 1}, `{"M":{"k":{"N":"1"}}}`), single("", inner{1, 2}, `{"M":{"A":{"N":"1"},"B":{"N":"2"}}}`),
		single("", (*int)(nil), `{"NULL":true}`), single("", new(1), `{"N":"1"}`), single[any]("", nil, `{"NULL":true}`), single[any]("", "x", `{"S":"x"}`),
		single("unixtime", time.Unix(7, 0), `{"N":"7"}`), single("", time.Unix(7, 0), `{"S":"1970-01-01T00:00:07.000000000Z"}`), single("sdktime", time.Unix(7, 0).UTC(), `{"S":"1970-01-01T00:00:07Z"}`), single("", green, `{"N":"1"}`), single("text", green, `{"S":"green"}`), single("", money{1, "EUR"}, `{"S":"1 EUR"}`),
		single("", attributevalue.UnixTime(time.Unix(7, 0)), `{"N":"7"}`), single("nullempty", 0, `{"NULL":true}`), single("nullempty", 1, `{"N":"1"}`),
		single[types.AttributeValue]("", &types.AttributeValueMemberBS{Value: [][]byte{{1}}}, `{"BS":["AQ=="]}`),
	} {
		t.Run(f.name, f.run)
	}
}

func TestSingleValueErrors(t *testing.T) {
	c := value[[]string](t, "stringset")
	if b, err := codec.AppendValue([]byte("x"), c, &[]string{"secret", "secret"}); err == nil || string(b) != "x" ||
		err.Error() != "encode []string: attribute [1]: Go type []string: the set holds this member twice, which DynamoDB refuses" {
		t.Errorf("got %s, %v", b, err)
	}
	if av, err := codec.ToAttributeValue(c, &[]string{}); err == nil || av != nil {
		t.Errorf("got %v, %v", av, err)
	}
	if av, err := codec.ToAttributeValue(value[string](t, ""), new("\xff")); err == nil || av != nil {
		t.Errorf("got %v, %v", av, err)
	}
	if err := codec.DecodeValue(value[int](t, ""), []byte(`{"S":"secret"}`), new(1)); err == nil || err.Error() != "decode int: wire type S does not fit Go type int" {
		t.Errorf("got %v", err)
	}
	for _, body := range []string{``, `{"N":"1"}x`, `{"N":"1"`, `1`} {
		if err := codec.DecodeValue(value[int](t, ""), []byte(body), new(1)); !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%q: %v", body, err)
		}
	}
}

// The result of ToAttributeValue shares no memory with the value.
func TestAttributeValuesShareNoMemory(t *testing.T) {
	v := []byte{1}
	av, err := codec.ToAttributeValue(value[[]byte](t, ""), &v)
	if err != nil {
		t.Fatal(err)
	}
	v[0] = 9
	if av.(*types.AttributeValueMemberB).Value[0] != 1 {
		t.Error("the bytes are shared")
	}
}

func TestBridge(t *testing.T) {
	const wire = `{"B":{"B":"AQ=="},"BOOL":{"BOOL":true},"BS":{"BS":["AQ==",""]},"L":{"L":[{"S":"x"},{"L":[]}]},"M":{"M":{"a":{"N":"1"},"z":{"M":{}}}},` +
		`"N":{"N":"1.0"},"NS":{"NS":["1"]},"NULL":{"NULL":true},"S":{"S":"x\"é"},"SS":{"SS":["a","b"]}}`
	item, err := codec.ParseItem([]byte(wire))
	if err != nil {
		t.Fatal(err)
	}
	if b, err := codec.AppendItemMap(nil, item); err != nil || string(b) != wire {
		t.Errorf("got  %s, %v\nwant %s", b, err, wire)
	}
	for _, bad := range []string{`{"a":{"S":"x"},"a":{"S":"x"}}`, `{"a":{"M":{"b":{"S":"x"},"b":{"S":"x"}}}}`, `{"a":{"S":"x"}} 1`, `[]`, `{"a":{}}`, strings.Repeat(`{"a":{"M":`, 70)} {
		if _, err := codec.ParseItem([]byte(bad)); !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%.60s: %v", bad, err)
		}
	}
	cycle := &types.AttributeValueMemberL{Value: []types.AttributeValue{nil}}
	cycle.Value[0] = cycle
	for _, av := range []types.AttributeValue{nil, (*types.AttributeValueMemberN)(nil), &types.UnknownUnionMember{Tag: "X"}, cycle,
		&types.AttributeValueMemberM{Value: map[string]types.AttributeValue{"secret": nil}}, &types.AttributeValueMemberSS{Value: []string{"secret\xff"}}} {
		b, err := codec.AppendAttributeValue([]byte("x"), av)
		if err == nil || string(b) != "x" || strings.Contains(err.Error(), "secret") {
			t.Errorf("%T: got %s, %v", av, b, err)
		}
	}
	if _, err := codec.AppendItemMap(nil, map[string]types.AttributeValue{"pk": nil}); err == nil || !strings.Contains(err.Error(), "attribute pk: ") {
		t.Errorf("got %v", err)
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		value string
		want  int // without the name
	}{
		{`{"S":""}`, 0}, {`{"S":"abc"}`, 3}, {`{"S":"\u00e9漢😀"}`, 9}, {`{"B":""}`, 0}, {`{"B":"AQI="}`, 2}, {`{"BOOL":true}`, 1}, {`{"NULL":true}`, 1},
		{`{"N":"0"}`, 1}, {`{"N":"-0.00"}`, 1}, {`{"N":"1"}`, 2}, {`{"N":"-1"}`, 3}, {`{"N":"12"}`, 2}, {`{"N":"123"}`, 3}, {`{"N":"100"}`, 2}, {`{"N":"1200"}`, 2}, {`{"N":"120"}`, 3},
		{`{"N":"0.1"}`, 2}, {`{"N":"0.01"}`, 2}, {`{"N":"0.001"}`, 2}, {`{"N":"0.0123"}`, 3}, {`{"N":"1.5"}`, 3}, {`{"N":"12345678901234567890123456789012345678"}`, 20}, {`{"N":"1E-130"}`, 2}, {`{"N":"1E+125"}`, 2},
		{`{"L":[]}`, 3}, {`{"L":[{"S":"a"},{"N":"1"}]}`, 3 + 2 + 3}, {`{"M":{}}`, 3}, {`{"M":{"ab":{"S":"c"}}}`, 3 + 1 + 2 + 1}, {`{"SS":["a","bc"]}`, 3}, {`{"NS":["1","22"]}`, 4}, {`{"BS":["AQ=="]}`, 1},
		{`{"B":"` + strings.Repeat("QUJD", 1000) + `"}`, 3000},
	} {
		item := []byte(` {"n":` + c.value + `,"other":{"S":"x"}} `)
		list, err := codec.AttributeSizes(item)
		if err != nil || len(list) != 2 || list[0] != (codec.AttributeSize{Name: "n", Bytes: c.want + 1}) || list[1].Bytes != 6 {
			t.Errorf("%.60s: got %v, %v, want %d", c.value, list, err, c.want+1)
		}
		if n, err := codec.ItemSize(item); err != nil || n != c.want+7 {
			t.Errorf("%.60s: item is %d, %v", c.value, n, err)
		}
	}
	for _, bad := range []string{``, `{}x`, `{"a":{"N":"x"}}`, `{"a":{"B":"!"}}`, `{"a":{"B":"AQ=="}`, `{"a":{"BS":["AQ==AQ=="]}}`, `{"a":{"M":{"b":{"S":""},"b":{"S":""}}}}`,
		`{"a":{"B":"` + strings.Repeat("QUJD", 255) + `QQ==` + `QUJD"}}`, `{"a":{"B":"` + strings.Repeat("QUJD", 255) + `QQ=="}}x`} {
		if _, err := codec.ItemSize([]byte(bad)); !errors.Is(err, codec.ErrSyntax) {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
}

// An interface may hold the SDK's own values, typed nil pointers and deep structures.
func TestInterfacesHoldAnything(t *testing.T) {
	c, asText := value[any](t, ""), value[any](t, "string")
	for _, x := range []struct {
		v    any
		wire string
	}{
		{&types.AttributeValueMemberNS{Value: []string{"1"}}, `{"NS":["1"]}`}, {(*types.AttributeValueMemberS)(nil), `{"NULL":true}`},
		{[]any{&types.AttributeValueMemberBOOL{Value: true}, (*inner)(nil), new(new(2))}, `{"L":[{"BOOL":true},{"NULL":true},{"N":"2"}]}`},
		{map[string]any{"k": green}, `{"M":{"k":{"N":"1"}}}`}, {struct{ V any }{time.Unix(0, 0).UTC()}, `{"M":{"V":{"S":"1970-01-01T00:00:00.000000000Z"}}}`},
	} {
		if b, err := codec.AppendValue(nil, c, &x.v); err != nil || string(b) != x.wire {
			t.Errorf("%T: got %s, %v, want %s", x.v, b, err, x.wire)
		}
	}
	for wire, want := range map[string]any{`{"S":"1.5"}`: 1.5, `{"S":"x"}`: "x", `{"S":"9007199254740993"}`: attributevalue.Number("9007199254740993")} {
		var got any
		if err := codec.DecodeValue(asText, []byte(wire), &got); err != nil || got != want {
			t.Errorf("%s: got %v, %v", wire, got, err)
		}
	}
	var got any
	const deep = `{"M":{"l":{"L":[{"M":{"n":{"NULL":true}}},{"SS":["a"]},{"BS":["AQ=="]},{"B":""},{"BOOL":false}]}}}`
	if err := codec.DecodeValue(c, []byte(deep), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"l": []any{map[string]any{"n": nil}, []string{"a"}, [][]byte{{1}}, []byte{}, false}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
