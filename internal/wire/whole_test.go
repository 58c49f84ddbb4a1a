// SPDX-License-Identifier: Apache-2.0

package wire //nolint:testpackage // it compares every member of the SDK's inputs with the members handled here

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// TestWholeRequests: every member of an input is in the body, or the SDK writes the body.
func TestWholeRequests(t *testing.T) {
	item := []byte(`{"pk":{"S":"a"}}`)
	for _, fresh := range []func() (whole, reflect.Value){
		func() (whole, reflect.Value) { f := &putItem{item: item}; return f, reflect.ValueOf(&f.in).Elem() },
		func() (whole, reflect.Value) { f := &deleteKey{key: item}; return f, reflect.ValueOf(&f.in).Elem() },
		func() (whole, reflect.Value) { f := &getKey{key: item}; return f, reflect.ValueOf(&f.in).Elem() },
	} {
		_, in := fresh()
		for i := range in.NumField() {
			field := in.Type().Field(i)
			if !field.IsExported() || field.Name == "Item" || field.Name == "Key" { // which the request replaces
				continue
			}
			f, in := fresh()
			in.FieldByName("TableName").Set(reflect.ValueOf(aws.String("orders")))
			switch v := in.Field(i); {
			case field.Name == "TableName":
			case v.Kind() == reflect.String:
				v.SetString("ALL_OLD")
			case v.Kind() == reflect.Map:
				v.Set(reflect.MakeMap(v.Type()))
			case v.Kind() == reflect.Slice:
				v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			default:
				v.Set(reflect.New(v.Type().Elem()))
			}
			body, ok := f.whole(nil)
			var members map[string]any
			if ok && (json.Unmarshal(body, &members) != nil || members[field.Name] == nil || members["TableName"] != "orders") {
				t.Errorf("%T with %s: %s", f, field.Name, body)
			}
			if !ok && field.Name == "TableName" {
				t.Errorf("%T with only a table is left to the SDK", f)
			}
		}
		f, in := fresh()
		if body, ok := f.whole(nil); ok {
			t.Errorf("%T without a table: %s", f, body)
		}
		in.FieldByName("TableName").Set(reflect.ValueOf(aws.String(`a"b`)))
		if body, ok := f.whole(nil); ok {
			t.Errorf("%T with a name that JSON escapes: %s", f, body)
		}
	}
	if body, ok := (&putItem{item: []byte(`[]`)}).whole(nil); ok {
		t.Errorf("no item: %s", body)
	}
}
