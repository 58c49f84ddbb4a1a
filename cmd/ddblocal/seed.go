// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddbtest"
)

// seedFile is the content of a seed file, in the form of the API.
type seedFile struct {
	Tables []json.RawMessage            `json:"tables"`
	Items  map[string][]json.RawMessage `json:"items"`
}

// seed creates the tables of a file, and stores its items in the tables that it created.
func seed(ctx context.Context, engine *ddbtest.Engine, name string) error {
	data, err := os.ReadFile(name) //nolint:gosec // the user names the file
	if err != nil {
		return err
	}
	s, err := readSeed(data)
	if err != nil {
		return err
	}
	made := make(map[string]bool)
	for i, request := range s.Tables {
		var table struct{ TableName string }
		if err := json.Unmarshal(request, &table); err != nil {
			return fmt.Errorf("tables[%d]: %w", i, err)
		}
		err := call(ctx, engine, "CreateTable", request)
		var rejected *refusal
		switch {
		case err == nil:
			made[table.TableName] = true
		case errors.As(err, &rejected) && rejected.is("ResourceInUseException"):
		default:
			return fmt.Errorf("tables[%d] (%q): %w", i, table.TableName, err)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(s.Items)) {
		if !made[table] {
			if err := call(ctx, engine, "DescribeTable", fmt.Appendf(nil, `{"TableName":%q}`, table)); err != nil {
				return fmt.Errorf("items of table %q: %w; list it under \"tables\"", table, err)
			}
			continue
		}
		for i, item := range s.Items[table] {
			if err := call(ctx, engine, "PutItem", fmt.Appendf(nil, `{"TableName":%q,"Item":%s}`, table, item)); err != nil {
				return fmt.Errorf("items.%s[%d]: %w; an item is in DynamoDB's JSON, such as {\"id\": {\"S\": \"u1\"}}", table, i, err)
			}
		}
	}
	return nil
}

// readSeed reads a seed file and reports all unknown keys at once: otherwise a misspelt key would be ignored, and the table
// would lack its setting.
func readSeed(data []byte) (s seedFile, err error) {
	var whole any
	if err := json.Unmarshal(data, &whole); err != nil {
		return s, position(data, err)
	}
	unknown := unknownKeys("", whole, reflect.TypeFor[seedFile]())
	if tables, ok := member(whole, "tables").([]any); ok {
		for i, table := range tables {
			unknown = append(unknown, unknownKeys(fmt.Sprintf("tables[%d]", i), table, reflect.TypeFor[dynamodb.CreateTableInput]())...)
		}
	}
	if len(unknown) > 0 {
		return s, fmt.Errorf("unknown keys: %s", strings.Join(unknown, ", "))
	}
	return s, position(data, json.Unmarshal(data, &s))
}

func member(object any, name string) any {
	members, _ := object.(map[string]any)
	return members[name]
}

// unknownKeys returns the keys of a JSON value that a Go type has no field for, with the field that differs only in
// capitals, if there is one.
func unknownKeys(path string, v any, t reflect.Type) (unknown []string) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch v := v.(type) {
	case []any:
		if t.Kind() == reflect.Slice {
			for i, element := range v {
				unknown = append(unknown, unknownKeys(fmt.Sprintf("%s[%d]", path, i), element, t.Elem())...)
			}
		}
	case map[string]any:
		if t.Kind() != reflect.Struct {
			return nil
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			field, similar := fieldOf(t, key)
			at := strings.TrimPrefix(path+"."+key, ".")
			switch {
			case field != nil:
				unknown = append(unknown, unknownKeys(at, v[key], field)...)
			case similar != "":
				unknown = append(unknown, fmt.Sprintf("%s (it is spelt %s)", at, similar))
			default:
				unknown = append(unknown, at)
			}
		}
	}
	return unknown
}

// fieldOf returns the type of the field with a name in JSON, or the name of one that differs from it in capitals.
func fieldOf(t reflect.Type, key string) (field reflect.Type, similar string) {
	for f := range t.Fields() {
		name := f.Name
		if tag := f.Tag.Get("json"); tag != "" {
			name = tag
		}
		switch {
		case !f.IsExported():
		case name == key:
			return f.Type, ""
		case strings.EqualFold(name, key):
			similar = name
		}
	}
	return nil, similar
}

// position adds to an error of package json the line of the file.
func position(data []byte, err error) error {
	var syntax *json.SyntaxError
	var mismatch *json.UnmarshalTypeError
	offset := int64(-1)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &mismatch):
		offset = mismatch.Offset
	}
	if offset < 0 || offset > int64(len(data)) {
		return err
	}
	return fmt.Errorf("line %d: %w", 1+bytes.Count(data[:offset], []byte{'\n'}), err)
}

// refusal is an error answer.
type refusal struct{ body string }

func (r *refusal) Error() string {
	var answer struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
		Upper   string `json:"Message"`
	}
	if json.Unmarshal([]byte(r.body), &answer) != nil || answer.Type == "" {
		return r.body
	}
	_, kind, _ := strings.Cut(answer.Type, "#")
	return kind + ": " + answer.Message + answer.Upper
}

func (r *refusal) is(kind string) bool { return strings.Contains(r.body, "#"+kind+`"`) }

// call sends one request to the engine.
func call(ctx context.Context, engine *ddbtest.Engine, operation string, body []byte) (err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://ddblocal.invalid/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-amz-json-1.0")
	req.Header.Set("X-Amz-Target", "DynamoDB_20120810."+operation)
	req.Header.Set("X-Amz-Date", "20260101T000000Z")
	req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=seed/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
	resp, err := engine.Do(req)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return &refusal{string(answer)}
	}
	return nil
}
