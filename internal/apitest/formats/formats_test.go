// SPDX-License-Identifier: Apache-2.0

// Package formats_test compares everything that the library stores or returns to programs with files of earlier formats: an
// accidental change of a format makes data of earlier programs unreadable.
//
//	go test ./internal/apitest/formats -update    writes the files; only for an intended change, with a migration for stored data
package formats_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

var update = flag.Bool("update", false, "write testdata")

// stored is the content of tables: items as DynamoDB JSON, by table, in the order of their text.
type stored map[string][]json.RawMessage

// check runs write, and compares what it stored with the golden file; then it runs read on a database with the items
// of the golden file. Both run in a bubble, whose clock begins at the start of the year 2000.
func check(t *testing.T, name string, create, write, read func(t *testing.T, client *dynamodb.Client)) {
	t.Helper()
	file := filepath.Join("testdata", name+".json")
	synctest.Test(t, func(t *testing.T) {
		client := open(t)
		create(t, client)
		write(t, client)
		got := dump(t, client)
		if *update {
			if err := os.WriteFile(file, got, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if g, w := mask(got), mask(want); !bytes.Equal(g, w) {
			t.Errorf("what is stored differs from %s:\n%s", file, difference(string(w), string(g)))
		}
	})
	// Files of earlier formats, which stored data may still have, have a suffix in their name.
	earlier, err := filepath.Glob(filepath.Join("testdata", name+"-*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(earlier, file) {
		synctest.Test(t, func(t *testing.T) {
			t.Logf("reading %s", file)
			client := open(t)
			create(t, client)
			load(t, client, file)
			read(t, client)
		})
	}
}

func open(t *testing.T) *dynamodb.Client {
	engine := ddbtest.NewEngine()
	t.Cleanup(engine.Close)
	return engine.Client()
}

// dump returns the text of all items of all tables.
func dump(t *testing.T, client *dynamodb.Client) []byte {
	t.Helper()
	ctx := context.Background()
	tables, err := client.ListTables(ctx, &dynamodb.ListTablesInput{})
	if err != nil {
		t.Fatal(err)
	}
	all := stored{}
	for _, table := range tables.TableNames {
		page, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: &table})
		if err != nil {
			t.Fatal(err)
		}
		var items []json.RawMessage
		for _, item := range page.Items {
			text, err := json.Marshal(plain(&types.AttributeValueMemberM{Value: item}).(map[string]any)["M"])
			if err != nil {
				t.Fatal(err)
			}
			items = append(items, text)
		}
		slices.SortFunc(items, func(a, b json.RawMessage) int { return bytes.Compare(mask(a), mask(b)) })
		all[table] = items
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(text, '\n')
}

// load stores the items of a golden file as they are.
func load(t *testing.T, client *dynamodb.Client, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all map[string][]map[string]map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for table, items := range all {
		for _, item := range items {
			values := map[string]types.AttributeValue{}
			for name, v := range item {
				values[name] = value(t, v)
			}
			if _, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &table, Item: values}); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// plain returns an attribute value as DynamoDB JSON.
func plain(av types.AttributeValue) any {
	switch v := av.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": slices.Sorted(slices.Values(v.Value))}
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}
	case *types.AttributeValueMemberL:
		list := make([]any, len(v.Value))
		for i, e := range v.Value {
			list[i] = plain(e)
		}
		return map[string]any{"L": list}
	case *types.AttributeValueMemberM:
		m := map[string]any{}
		for k, e := range v.Value {
			m[k] = plain(e)
		}
		return map[string]any{"M": m}
	}
	panic(fmt.Sprintf("attribute value %T", av))
}

// value is the inverse of plain.
func value(t *testing.T, v map[string]any) types.AttributeValue {
	t.Helper()
	for kind, of := range v {
		switch kind {
		case "S":
			return &types.AttributeValueMemberS{Value: of.(string)}
		case "N":
			return &types.AttributeValueMemberN{Value: of.(string)}
		case "BOOL":
			return &types.AttributeValueMemberBOOL{Value: of.(bool)}
		case "NULL":
			return &types.AttributeValueMemberNULL{Value: of.(bool)}
		case "B":
			return &types.AttributeValueMemberB{Value: binary(t, of)}
		case "SS", "NS", "BS":
			var texts []string
			var bins [][]byte
			for _, e := range of.([]any) {
				if kind == "BS" {
					bins = append(bins, binary(t, e))
					continue
				}
				texts = append(texts, e.(string))
			}
			return map[string]types.AttributeValue{
				"SS": &types.AttributeValueMemberSS{Value: texts},
				"NS": &types.AttributeValueMemberNS{Value: texts},
				"BS": &types.AttributeValueMemberBS{Value: bins},
			}[kind]
		case "L":
			list := &types.AttributeValueMemberL{}
			for _, e := range of.([]any) {
				list.Value = append(list.Value, value(t, e.(map[string]any)))
			}
			return list
		case "M":
			m := &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{}}
			for k, e := range of.(map[string]any) {
				m.Value[k] = value(t, e.(map[string]any))
			}
			return m
		}
	}
	t.Fatalf("no attribute value: %v", v)
	return nil
}

func binary(t *testing.T, of any) []byte {
	t.Helper()
	data, err := base64.StdEncoding.DecodeString(of.(string))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// random matches values that differ from run to run: ids, and binary values, of which only the length is compared.
var random = regexp.MustCompile(`"B": ?"[^"]*"|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}|[A-Z2-7]{26}|[0-9A-Za-z_-]{22}`)

// mask replaces random values by their lengths.
func mask(text []byte) []byte {
	return random.ReplaceAllFunc(text, func(m []byte) []byte {
		if bytes.HasPrefix(m, []byte(`"B"`)) {
			return fmt.Appendf(nil, `"B": "<%d random>"`, len(bytes.TrimPrefix(m[4:], []byte(" ")))-2)
		}
		return fmt.Appendf(nil, "<%d random>", len(m))
	})
}

// difference lists the lines that only one of the texts has.
func difference(want, got string) string {
	var b strings.Builder
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	for _, l := range w {
		if !slices.Contains(g, l) {
			fmt.Fprintf(&b, "- %s\n", l)
		}
	}
	for _, l := range g {
		if !slices.Contains(w, l) {
			fmt.Fprintf(&b, "+ %s\n", l)
		}
	}
	return b.String()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
