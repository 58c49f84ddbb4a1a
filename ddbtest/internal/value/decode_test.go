// SPDX-License-Identifier: Apache-2.0

package value_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

func number(t testing.TB, s string) value.Number {
	t.Helper()
	n, err := value.ParseNumber(s)
	if err != nil {
		t.Fatalf("ParseNumber(%q): %v", s, err)
	}
	return n
}

func TestDecode(t *testing.T) {
	for _, c := range []struct {
		json string
		want value.Value
	}{
		// The examples of API_AttributeValue.
		{`{"S": "Hello"}`, value.String("Hello")},
		{`{"N": "123.45"}`, number(t, "123.45")},
		{`{"B": "dGhpcyB0ZXh0IGlzIGJhc2U2NC1lbmNvZGVk"}`, value.Binary("this text is base64-encoded")},
		{`{"BOOL": true}`, value.Bool(true)},
		{`{"NULL": true}`, value.Null{}},
		{`{"L": [{"S": "Cookies"}, {"S": "Coffee"}, {"N": "3.14159"}]}`,
			value.List{value.String("Cookies"), value.String("Coffee"), number(t, "3.14159")}},
		{`{"M": {"Name": {"S": "Joe"}, "Age": {"N": "35"}}}`,
			value.Map{"Name": value.String("Joe"), "Age": number(t, "35")}},
		{`{"SS": ["Giraffe", "Hippo" ,"Zebra"]}`, value.StringSet{"Giraffe", "Hippo", "Zebra"}},
		{`{"NS": ["42.2", "-19", "7.5", "3.14"]}`,
			value.NumberSet{number(t, "42.2"), number(t, "-19"), number(t, "7.5"), number(t, "3.14")}},
		{`{"BS": ["U3Vubnk=", "UmFpbnk=", "U25vd3k="]}`, value.BinarySet{"Sunny", "Rainy", "Snowy"}},

		{`{"S": ""}`, value.String("")},
		{`{"B": ""}`, value.Binary("")},
		{`{"L": []}`, value.List{}},
		{`{"M": {}}`, value.Map{}},
		// https://github.com/ministackorg/ministack/issues/1039
		{`{"SS": ["a", ""]}`, value.StringSet{"a", ""}},
		{`{"SS": [""]}`, value.StringSet{""}},
		{`{"BS": ["aaaa", ""]}`, value.BinarySet{"i\xa6\x9a", ""}},
		{`{"S": null, "N": "1"}`, number(t, "1")},
		{`{"X": [{"y": 1}], "BOOL": false}`, value.Bool(false)},
		{`{"S": "\u00e9\ud83d\ude00\n\"\\\/\b\f\r\t"}`, value.String("é😀\n\"\\/\b\f\r\t")},
		{`{"S": "\ud800x"}`, value.String("\ufffdx")},
		{`{"S": "\ud800\u0041"}`, value.String("\ufffdA")},
		{"{\"S\": \"a\xffb\"}", value.String("a\ufffdb")},
		{"{\"S\": \"\\n\xffb\"}", value.String("\n\ufffdb")},
		{`{"X": [1.5e-3, true, false, null, "s", {"y": []}], "NULL": true}`, value.Null{}},
	} {
		got, err := value.Decode([]byte(c.json))
		if err != nil {
			t.Errorf("Decode(%s): %v", c.json, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(value.Number{})); diff != "" {
			t.Errorf("Decode(%s): (-want +got)\n%s", c.json, diff)
		}
	}
}

func nest(levels int) string {
	return strings.Repeat(`{"L":[`, levels-1) + `{"S":"x"}` + strings.Repeat(`]}`, levels-1)
}

func TestDecodeErrors(t *testing.T) {
	const (
		empty   = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
		several = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
		params  = "One or more parameter values were invalid: "
		nesting = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
	)
	for _, c := range []struct {
		json, class, message string
	}{
		{`{}`, value.ValidationException, empty},
		{`null`, value.ValidationException, empty},
		{`{"S": null}`, value.ValidationException, empty},
		{`{"a": ""}`, value.ValidationException, empty},
		{`{"M": {"a": {}}}`, value.ValidationException, empty},
		{`{"L": [{}]}`, value.ValidationException, empty},
		{`{"S": "a", "N": "1"}`, value.ValidationException, several},
		{`{"S": "a", "N": "b"}`, value.ValidationException, "The parameter cannot be converted to a numeric value: b"},
		{`{"N": ""}`, value.ValidationException, "The parameter cannot be converted to a numeric value"},
		{`{"NS": ["1", ""]}`, value.ValidationException, "The parameter cannot be converted to a numeric value"},
		{`{"NS": ["1", "b"]}`, value.ValidationException, "The parameter cannot be converted to a numeric value: b"},
		{`{"SS": []}`, value.ValidationException, params + "An string set  may not be empty"},
		{`{"NS": []}`, value.ValidationException, params + "An number set  may not be empty"},
		{`{"BS": []}`, value.ValidationException, params + "Binary sets should not be empty"},
		// https://github.com/nubo-db/dynoxide/issues/145
		{`{"NULL": false}`, value.ValidationException, params + "Null attribute value types must have the value of true"},
		{`{"L": [{"M": {"a": {"NULL": false}}}]}`, value.ValidationException, params + "Null attribute value types must have the value of true"},
		// https://github.com/aws/aws-dax-js-sdk, RequestValidator
		{`{"SS": ["a", null]}`, value.ValidationException, params + "An string set may not have a null string as a member"},
		{`{"SS": [null]}`, value.ValidationException, params + "An string set may not have a null string as a member"},
		{`{"NS": ["1", null]}`, value.ValidationException, "The parameter cannot be converted to a numeric value"},
		{`{"BS": ["aaaa", null]}`, value.ValidationException, params + "Binary sets may not contain null or empty values"},
		{`{"SS": ["", ""]}`, value.ValidationException, params + "Input collection [, ] contains duplicates."},
		// https://github.com/ExtendDB/extenddb/issues/365
		{`{"M": {"` + strings.Repeat("n", 65536) + `": {"S": ""}}}`, value.ValidationException, "Attribute name is too large, must be less than 65536 bytes"},
		{`{"SS": ["a", "a"]}`, value.ValidationException, params + "Input collection [a, a] contains duplicates."},
		{`{"BS": ["Yg==", "Yg=="]}`, value.ValidationException, params + "Input collection [Yg==, Yg==]of type BS contains duplicates."},
		{`{"NS": ["1", "1"]}`, value.ValidationException, "Input collection contains duplicates"},
		{`{"NS": ["1", "1.0"]}`, value.ValidationException, "Input collection contains duplicates"},
		{`{"NS": ["100", "1e2"]}`, value.ValidationException, "Input collection contains duplicates"},
		{nest(33), value.ValidationException, nesting},
		{nest(500), value.ValidationException, nesting},

		{`{"S": 1}`, value.SerializationException, "NUMBER_VALUE cannot be converted to String"},
		{`{"N": 1}`, value.SerializationException, "NUMBER_VALUE cannot be converted to String"},
		{`{"N": 1.5}`, value.SerializationException, "DECIMAL_VALUE cannot be converted to String"},
		{`{"S": true}`, value.SerializationException, "TRUE_VALUE cannot be converted to String"},
		{`{"SS": [false]}`, value.SerializationException, "FALSE_VALUE cannot be converted to String"},
		{`{"S": []}`, value.SerializationException, "Unrecognized collection type class java.lang.String"},
		{`{"S": {}}`, value.SerializationException, "Start of structure or map found where not expected"},
		{`{"B": 1}`, value.SerializationException, "only base-64-encoded strings are convertible to bytes"},
		{`{"B": []}`, value.SerializationException, "Unrecognized collection type class java.nio.ByteBuffer"},
		{`{"B": {}}`, value.SerializationException, "Start of structure or map found where not expected"},
		{`{"B": "23456"}`, value.SerializationException, "Base64 encoded length is expected a multiple of 4 bytes but found: 5"},
		{`{"B": "=+/="}`, value.SerializationException, "Invalid last non-pad Base64 character dectected"},
		{`{"B": "+/+="}`, value.SerializationException, "Invalid last non-pad Base64 character dectected"},
		{`{"B": "a*b="}`, value.SerializationException, "Invalid Base64 character: '*'"},
		{`{"BOOL": "23"}`, value.SerializationException, "Unexpected token received from parser"},
		{`{"NULL": "no"}`, value.SerializationException, "Unexpected token received from parser"},
		{`{"BOOL": 23}`, value.SerializationException, "NUMBER_VALUE cannot be converted to Boolean"},
		{`{"BOOL": -1e3}`, value.SerializationException, "DECIMAL_VALUE cannot be converted to Boolean"},
		{`{"BOOL": []}`, value.SerializationException, "Unrecognized collection type class java.lang.Boolean"},
		{`{"L": "23"}`, value.SerializationException, "Unexpected field type"},
		{`{"L": {}}`, value.SerializationException, "Start of structure or map found where not expected"},
		{`{"SS": 23}`, value.SerializationException, "Unexpected field type"},
		{`{"M": true}`, value.SerializationException, "Unexpected field type"},
		{`{"M": []}`, value.SerializationException,
			"Unrecognized collection type java.util.Map<java.lang.String, com.amazonaws.dynamodb.v20120810.AttributeValue>"},
		{`"23"`, value.SerializationException, "Unexpected value type in payload"},
		{`[]`, value.SerializationException, "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.AttributeValue"},
		{`{"L": [23]}`, value.SerializationException, "Unexpected value type in payload"},

		// The wire form is checked before the rules.
		{`{"L": [{}, {"S": 1}]}`, value.SerializationException, "NUMBER_VALUE cannot be converted to String"},
		{`{"S": "a"`, value.SerializationException, ""},
		{`{"S": "a"} x`, value.SerializationException, ""},
		{``, value.SerializationException, ""},
		{`{"S": "a` + "\x01" + `"}`, value.SerializationException, ""},
		{`{"S": "\x"}`, value.SerializationException, ""},
		{`{"S": "\u00zz"}`, value.SerializationException, ""},
		{`{"S": "\u00`, value.SerializationException, ""},
		{`{"S": "\`, value.SerializationException, ""},
		{`{"S": "\n` + "\x02" + `"}`, value.SerializationException, ""},
		{`{"S": "\n`, value.SerializationException, ""},
		{`{"S": "é`, value.SerializationException, ""},
		{`{"S": "a" "N"}`, value.SerializationException, ""},
		{`{"BOOL": tru}`, value.SerializationException, ""},
		{`{"L": [{"S":"a"} {"S":"b"}]}`, value.SerializationException, ""},
		{`{"X": -}`, value.SerializationException, ""},
		{`{"X": 1.}`, value.SerializationException, ""},
		{`{"X": 1e}`, value.SerializationException, ""},
		{`{"S" "a"}`, value.SerializationException, ""},
		{strings.Repeat(`{"L":[`, 5000), value.SerializationException, ""},
		{strings.Repeat(`[`, 5000), value.SerializationException, ""},
	} {
		got, err := value.Decode([]byte(c.json))
		var e *value.Error
		if !errors.As(err, &e) {
			t.Errorf("Decode(%.80s) = %v, %v; want a %s", c.json, got, err, c.class)
			continue
		}
		if e.Type != c.class || e.Message != c.message {
			t.Errorf("Decode(%.80s)\n got %v\nwant %s: %s", c.json, e, c.class, c.message)
		}
	}
	if _, err := value.Decode([]byte(nest(32))); err != nil {
		t.Errorf("Decode of 32 levels: %v", err)
	}
}

func TestDecodeItem(t *testing.T) {
	item, err := value.DecodeItem([]byte(` {"a":{"S":"x"},"b":{"N":"1.0"}} `))
	if err != nil {
		t.Fatal(err)
	}
	want := value.Item{"a": value.String("x"), "b": number(t, "1")}
	if diff := cmp.Diff(want, item, cmp.AllowUnexported(value.Number{})); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if item, err := value.DecodeItem([]byte(`null`)); item != nil || err != nil {
		t.Errorf("DecodeItem(null) = %v, %v", item, err)
	}
	if item, err := value.DecodeItem([]byte(`{}`)); item == nil || err != nil {
		t.Errorf("DecodeItem({}) = %v, %v", item, err)
	}
	_, err = value.DecodeItem([]byte(`{"a":{"S":"x"},"b":{"M":{"c":{"N":"x"}}},"d":{}}`))
	var e *value.Error
	if !errors.As(err, &e) || e.Key != "b" || e.Message != "The parameter cannot be converted to a numeric value: x" {
		t.Errorf("got %#v", err)
	}
}
