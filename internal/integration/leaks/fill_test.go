// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	dumps3 "github.com/dynamotable/ddb/dump/s3"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/payload"
	payloads3 "github.com/dynamotable/ddb/payload/s3"
)

// maxFill is the depth to which values are filled.
const maxFill = 12

var (
	errorType = reflect.TypeFor[error]()
	valueType = reflect.TypeFor[types.AttributeValue]()
	nodeType  = reflect.TypeFor[expr.Node]()
)

// fill puts the canary wherever v can hold data, in unexported fields as well, except in the named fields, which hold
// names of operations, tables and the like.
func fill(v reflect.Value, names []string, depth int) {
	if depth == 0 {
		return
	}
	if v.Type() == reflect.TypeFor[expr.Step]() {
		v.Set(reflect.ValueOf(expr.Step{Name: canary, Data: true})) // names of attributes are not data, keys of maps are
		return
	}
	switch t := v.Type(); t.Kind() {
	case reflect.String:
		v.SetString(canary)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(canary))
			return
		}
		s := reflect.MakeSlice(t, 1, 1)
		fill(s.Index(0), names, depth-1)
		v.Set(s)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), names, depth-1)
		}
	case reflect.Map:
		key, elem := reflect.New(t.Key()).Elem(), reflect.New(t.Elem()).Elem()
		fill(key, nil, depth-1)
		fill(elem, names, depth-1)
		m := reflect.MakeMap(t)
		m.SetMapIndex(key, elem)
		v.Set(m)
	case reflect.Pointer:
		if defined(t.Elem()) {
			return
		}
		p := reflect.New(t.Elem())
		fill(p.Elem(), names, depth-1)
		v.Set(p)
	case reflect.Interface:
		fillInterface(v)
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if slices.Contains(names, f.Name) || strings.HasPrefix(f.Type.PkgPath(), "sync") || f.Type.PkgPath() == "time" {
				continue
			}
			fv := v.Field(i)
			fill(reflect.NewAt(fv.Type(), fv.Addr().UnsafePointer()).Elem(), below(names, f.Name), depth-1)
		}
	}
}

// below returns the names of a field's own fields.
func below(names []string, field string) (rest []string) {
	for _, name := range names {
		if after, ok := strings.CutPrefix(name, field+"."); ok {
			rest = append(rest, after)
		}
	}
	return rest
}

// defined reports whether a type is a definition, such as a table's, which all values made from it share, and which holds no items.
func defined(t reflect.Type) bool {
	switch path.Base(t.PkgPath()) {
	case "codec":
		return true
	case "core":
		return t.Name() == "Table" || t.Name() == "IndexInfo"
	case "handle":
		return t.Name() == "Handle"
	}
	return t.Name() == "store" || t.Name() == "table"
}

func fillInterface(v reflect.Value) {
	switch v.Type() {
	case errorType:
		v.Set(reflect.ValueOf(sdkError()))
	case valueType:
		v.Set(reflect.ValueOf(&types.AttributeValueMemberS{Value: canary}))
	case nodeType:
		v.Set(reflect.ValueOf(expr.Compare{Left: expr.Attribute("votes").Key(canary), Op: "=", Right: expr.Value{AV: &types.AttributeValueMemberS{Value: canary}}}))
	default:
		for _, secret := range secrets {
			if x := reflect.ValueOf(secret); x.Type().Implements(v.Type()) {
				v.Set(x)
				return
			}
		}
	}
}

// secrets are values that programs pass to constructors: clients and stores that hold credentials.
var secrets = []any{
	canary,
	struct {
		ddb.Client
		Key string
	}{Key: canary},
	struct {
		change.Client
		Key string
	}{Key: canary},
	struct {
		change.Store
		Key string
	}{Key: canary},
	struct {
		payload.Objects
		Key string
	}{Key: canary},
	struct {
		eventstore.Payloads
		Key string
	}{Key: canary},
	struct {
		eventstore.Snapshots
		Key string
	}{Key: canary},
	struct {
		dumps3.Client
		Key string
	}{Key: canary},
	struct {
		payloads3.Client
		Key string
	}{Key: canary},
}

// sdkError is an error like those of the SDK, with data in its text and in its fields.
func sdkError() error {
	return &smithy.OperationError{ServiceID: "DynamoDB", OperationName: "PutItem", Err: &types.ConditionalCheckFailedException{
		Message: new("odd: " + canary), Item: map[string]types.AttributeValue{canary: &types.AttributeValueMemberS{Value: canary}},
	}}
}

// tells returns the form in which a text shows the canary.
func tells(text string) (form string, found bool) {
	for name, form := range map[string]string{
		"text": canary, "lower-case hex": hex.EncodeToString([]byte(canary)), "upper-case hex": strings.ToUpper(hex.EncodeToString([]byte(canary))),
		"base64": base64.StdEncoding.EncodeToString([]byte(canary))[:8], "numbers": strings.Trim(fmt.Sprint([]byte(canary)), "[]"), //nolint:staticcheck // as %v prints bytes
		"Go": strings.TrimSuffix(strings.TrimPrefix(fmt.Sprintf("%#v", []byte(canary)), "[]byte{"), "}"),
	} {
		if strings.Contains(text, form) {
			return name, true
		}
	}
	return "", false
}
