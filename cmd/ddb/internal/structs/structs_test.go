// SPDX-License-Identifier: Apache-2.0

package structs_test

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/cmd/ddb/internal/structs"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

func s(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
func n(v string) types.AttributeValue { return &types.AttributeValueMemberN{Value: v} }
func b(v string) types.AttributeValue { return &types.AttributeValueMemberB{Value: []byte(v)} }
func boolean(v bool) types.AttributeValue {
	return &types.AttributeValueMemberBOOL{Value: v}
}
func null() types.AttributeValue { return &types.AttributeValueMemberNULL{Value: true} }
func l(v ...types.AttributeValue) types.AttributeValue {
	return &types.AttributeValueMemberL{Value: slices.Concat([]types.AttributeValue{}, v)}
}
func m(v structs.Item) types.AttributeValue { return &types.AttributeValueMemberM{Value: v} }
func ss(v ...string) types.AttributeValue   { return &types.AttributeValueMemberSS{Value: v} }
func ns(v ...string) types.AttributeValue   { return &types.AttributeValueMemberNS{Value: v} }
func bs(v ...[]byte) types.AttributeValue   { return &types.AttributeValueMemberBS{Value: v} }
func element(attr, role string) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: &attr, KeyType: types.KeyType(role)}
}

// table is a table with items of one kind.
type table struct {
	name        string
	input       *dynamodb.CreateTableInput
	ttl         string
	items       []structs.Item
	differences int // differences between the table and the generated definition, which leaves some settings out
}

// simple returns a table with one key attribute.
func simple(attr string, kind types.ScalarAttributeType, items ...structs.Item) table {
	return table{items: items, input: &dynamodb.CreateTableInput{
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &attr, AttributeType: kind}},
		KeySchema:            []types.KeySchemaElement{element(attr, "HASH")}, BillingMode: types.BillingModePayPerRequest,
	}}
}

// keyed gives each item its own key.
func keyed(items ...structs.Item) table {
	for i, item := range items {
		item["pk"] = s(fmt.Sprint("item ", i))
	}
	return simple("pk", types.ScalarAttributeTypeS, items...)
}

// tables are tables of all kinds.
func tables() []table {
	units := &types.ProvisionedThroughput{ReadCapacityUnits: new(int64), WriteCapacityUnits: new(int64)}
	*units.ReadCapacityUnits, *units.WriteCapacityUnits = 5, 6
	more := &types.ProvisionedThroughput{ReadCapacityUnits: new(int64), WriteCapacityUnits: new(int64)}
	*more.ReadCapacityUnits, *more.WriteCapacityUnits = 7, 8
	on := true
	define := func(attr string, kind types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &attr, AttributeType: kind}
	}
	full := table{ttl: "expires", input: &dynamodb.CreateTableInput{
		AttributeDefinitions: []types.AttributeDefinition{
			define("customer_id", "S"), define("order", "N"), define("status", "S"), define("country", "S"), define("placed", "S"), define("score", "N"), define("hash", "B"),
		},
		KeySchema:             []types.KeySchemaElement{element("customer_id", "HASH"), element("order", "RANGE")},
		ProvisionedThroughput: units, StreamSpecification: &types.StreamSpecification{StreamEnabled: &on, StreamViewType: types.StreamViewTypeNewImage},
		DeletionProtectionEnabled: &on, TableClass: types.TableClassStandardInfrequentAccess,
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{IndexName: new("by-status"), KeySchema: []types.KeySchemaElement{element("status", "HASH"), element("country", "HASH"), element("placed", "RANGE")}, Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll}, ProvisionedThroughput: more},
			{IndexName: new("by.hash"), KeySchema: []types.KeySchemaElement{element("hash", "HASH")}, Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"total", "never seen"}}, ProvisionedThroughput: units},
		},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{
			{IndexName: new("table"), KeySchema: []types.KeySchemaElement{element("customer_id", "HASH"), element("score", "RANGE")}, Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}},
		},
	}}
	for i := range 12 {
		item := structs.Item{
			"customer_id": s(fmt.Sprint("c", i%3)), "order": n(fmt.Sprint(i)), "status": s("open"), "country": s("it"), "placed": s("2026-11-21T06:30:00.500000000Z"),
			"total": n("12.5"), "tags": ss("a", "b"), "lines": l(m(structs.Item{"sku": s("x"), "qty": n("1")}), m(structs.Item{"sku": s("y")})), "paid": boolean(i%2 == 0),
		}
		if i%2 == 0 {
			item["expires"], item["score"], item["hash"], item["at"] = n("1800000000"), n("0"), b("h"), s("2026-11-21T06:30:00.500000000Z")
		}
		full.items = append(full.items, item)
	}

	numbers := simple("id", types.ScalarAttributeTypeN)
	for i, v := range []string{"0", "-1", "9223372036854775807", "18446744073709551615", "0.1", "-12345678901234567890123456789012345678", "1E+125", "1E-130", "3.14159265358979323846264338327950288"} {
		item := structs.Item{"id": n(fmt.Sprint(i)), "any": n(v), "set": ns(v, "7"), "float": n("0.5"), "big": n("123456789012345678901234567890"), "unsigned": n("18446744073709551615"), "list": l(n(v), n("1"))}
		if i > 3 {
			item["sometimes"] = n("0")
		}
		numbers.items = append(numbers.items, item)
	}

	odd := structs.Item{}
	for i, name := range []string{"日本", "1st", "a b", "a-b", "a_b", "A_B", "type", "a,b", "-", `q"uote`, "back`tick", `back\slash`, "rest", "Rest", "ID", "id", "Id", "line\nbreak", "…", "Übung", "customerId", "HTTPServer", "🙂"} {
		odd[name] = s(fmt.Sprint(i))
	}
	odd["nested"] = m(structs.Item{"a,b": n("1"), "c": s("2")})
	odd["inner"] = m(structs.Item{"日本": n("1"), "Rest": s("2"), `q"`: l()})

	mixed := keyed(
		structs.Item{"v": s("text"), "nul": null(), "maybe": s("x"), "three": null(), "list": l(s("a"), n("1"), null()), "sets": l(ss("a"), ss("b")), "bytes": l(b("a"), b("")), "deep": l(l(l(n("1")), l()), l())},
		structs.Item{"v": n("1"), "nul": null(), "maybe": null(), "three": s("y"), "list": l(), "sets": l(), "bytes": l(), "deep": l(), "only": null()},
		structs.Item{"v": m(structs.Item{"x": l(ns("1", "2"))}), "nul": null(), "maybe": s(""), "list": l(m(structs.Item{})), "sets": l(ss("c")), "bytes": l(b("z")), "deep": l()},
	)
	empty := keyed(
		structs.Item{"s": s(""), "b": b(""), "l": l(), "m": m(structs.Item{}), "zero": n("0"), "no": boolean(false), "time": s("0001-01-01T00:00:00.000000000Z"), "nb": null(), "nl": null(), "nm": null(), "nset": null(), "nbool": null(), "nstruct": null()},
		structs.Item{"s": s("x"), "b": b("x"), "l": l(s("")), "m": m(structs.Item{"k": s("")}), "zero": n("1"), "no": boolean(true), "time": s("2026-01-01T00:00:00.000000000Z"), "nb": b(""), "nl": l(), "nm": m(structs.Item{"a b": n("1")}), "nset": ss("q"), "nbool": boolean(false), "nstruct": m(structs.Item{"x": n("0")})},
		structs.Item{"nullInList": l(null()), "times": l(s("2026-01-01T00:00:00.000000000Z")), "bset": bs([]byte("a"), []byte("b"))},
	)
	var data []structs.Item
	for i := range 9 {
		entries := structs.Item{}
		for j := range 3 {
			entries[fmt.Sprintf("key %d", i*7+j*3)] = m(structs.Item{"n": n(fmt.Sprint(i)), "t": ss("a")})
		}
		data = append(data, structs.Item{"entries": m(entries), "flags": m(structs.Item{fmt.Sprint("f", i): boolean(true)})})
	}
	wrong := table{ttl: "ttl", input: &dynamodb.CreateTableInput{
		AttributeDefinitions: []types.AttributeDefinition{define("pk", "B")}, KeySchema: []types.KeySchemaElement{element("pk", "HASH")}, BillingMode: types.BillingModePayPerRequest,
	}, items: []structs.Item{{"pk": b("\x00\xff"), "ttl": s("never")}, {"pk": b("1"), "ttl": n("1")}}, differences: 1}
	full.name, numbers.name, wrong.name = "orders", "numbers", "files" // their code is in testdata/live
	all := []table{full, numbers, keyed(odd), mixed, empty, keyed(data...), wrong, keyed(), simple("only-key", "N")}
	random := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		items := make([]structs.Item, 15)
		for i := range items {
			items[i] = structs.Item{}
			for range random.IntN(8) {
				items[i][anyName(random)] = anyValue(random, 4)
			}
		}
		all = append(all, keyed(items...))
	}
	for i := range all {
		if all[i].name == "" {
			all[i].name = fmt.Sprint("table", i)
		}
	}
	return all
}

func anyName(r *rand.Rand) string {
	return []string{"a", "b", "c", "some_name", "someName", "x,y", "ID", "日"}[r.IntN(8)]
}

func anyValue(r *rand.Rand, depth int) types.AttributeValue {
	numbers := []string{"0", "1", "-5", "2.5", "18446744073709551615", "99999999999999999999999999999999999999", "1E+100"}
	words := []string{"", "a", "2026-11-21T06:30:00.500000000Z", "0001-01-01T00:00:00.000000000Z", "ü"}
	kinds := 10
	if depth == 0 {
		kinds = 8
	}
	switch r.IntN(kinds) {
	case 0:
		return s(words[r.IntN(len(words))])
	case 1:
		return n(numbers[r.IntN(len(numbers))])
	case 2:
		return b(words[r.IntN(2)])
	case 3:
		return boolean(r.IntN(2) == 0)
	case 4:
		return null()
	case 5:
		return ss("x", words[1+r.IntN(2)])
	case 6:
		return ns("1000", numbers[r.IntN(len(numbers))])
	case 7:
		return bs([]byte("x"), []byte(words[1+r.IntN(2)]))
	case 8:
		list := make([]types.AttributeValue, r.IntN(4))
		for i := range list {
			list[i] = anyValue(r, depth-1)
		}
		return l(list...)
	}
	item := structs.Item{}
	for range r.IntN(4) {
		item[anyName(r)] = anyValue(r, depth-1)
	}
	return m(item)
}

// sources creates the tables and returns their code.
func sources(t *testing.T, client *dynamodb.Client, all []table, o structs.Options) map[string]string {
	t.Helper()
	list := map[string]string{}
	for _, table := range all {
		create(t, client, table)
		sample, err := structs.Take(t.Context(), client, table.name, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(sample.Items) != len(table.items) {
			t.Fatalf("%s: sample of %d items, want %d", table.name, len(sample.Items), len(table.items))
		}
		code, err := structs.Source(sample, o)
		if err != nil {
			t.Fatal(table.name, err)
		}
		list[table.name] = string(code)
		if again, err := structs.Source(sample, o); err != nil || string(again) != string(code) {
			t.Errorf("%s: a second run generates other code; %v", table.name, err)
		}
	}
	return list
}

// TestProgram: code is generated for tables of all kinds and built as a user's program. The program compares the live tables
// with their definitions, reads all items into the structs, and writes them to a copy of each table. The copies are equal. Without
// -long, TestRoundTrip checks the code of all tables, and TestLive runs that of three.
func TestProgram(t *testing.T) {
	if !longtest.Enabled() {
		t.Skip("the compiler works for seconds")
	}
	engine := ddbtest.NewEngine()
	defer engine.Close()
	server := httptest.NewServer(engine.Handler())
	defer server.Close()
	client := engine.Client()
	dir := module(t)
	var calls strings.Builder
	all := tables()
	code := sources(t, client, all, structs.Options{})
	for _, table := range all {
		write(t, dir, table.name+".go", code[table.name])
		constructor := regexp.MustCompile(`func New(\w+)Table\(`).FindStringSubmatch(code[table.name])[1]
		fmt.Fprintf(&calls, calling, constructor, table.differences)
	}
	write(t, dir, "main.go", fmt.Sprintf(program, calls.String()))
	cmd := exec.CommandContext(t.Context(), "go", "run", ".", server.URL)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, table := range all {
		compare(t, client, table)
	}
}

// compare compares a table with its copy.
func compare(t *testing.T, client *dynamodb.Client, table table) {
	t.Helper()
	before, after := contents(t, client, table.name), contents(t, client, "copy-"+table.name)
	if !slices.Equal(before, after) || len(before) != len(table.items) {
		t.Errorf("%s: %s", table.name, cmp.Diff(before, after))
	}
}

// program is the user's program; calling is its part for one table.
const (
	program = `package main

import (
	"context"
	"log"
	"os"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
)

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func main() {
	ctx := context.Background()
	client, err := ddbclient.New(ctx, ddbclient.WithEndpoint(os.Args[1]))
	must(err)
%s}
`
	calling = `	{
		source, err := New%[1]sTable(client)
		must(err)
		differences, err := source.VerifyTable(ctx, %[1]sSchema()...)
		must(err)
		if len(differences) > %[2]d {
			log.Fatal("%[1]s: ", differences)
		}
		target, err := New%[1]sTable(client, ddb.TablePrefix("copy-"))
		must(err)
		must(target.EnsureTable(ctx, %[1]sSchema()...))
		list, err := source.Scan().Collect(ctx)
		must(err)
		must(target.BatchPut(ctx, list))
	}
`
)

func create(t *testing.T, client *dynamodb.Client, table table) {
	t.Helper()
	name := table.name
	table.input.TableName = &name
	if _, err := client.CreateTable(t.Context(), table.input); err != nil {
		t.Fatal(err)
	}
	if table.ttl != "" {
		on := true
		_, err := client.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{TableName: &name, TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: &table.ttl, Enabled: &on}})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, item := range table.items {
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &name, Item: item}); err != nil {
			t.Fatal(name, err)
		}
	}
}

// contents returns the items of a table in order, each as a text that is the same for equal items.
func contents(t *testing.T, client *dynamodb.Client, name string) []string {
	t.Helper()
	out, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &name})
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, item := range out.Items {
		list = append(list, canonical(m(item)))
	}
	slices.Sort(list)
	return list
}

func canonical(v types.AttributeValue) string {
	number := func(text string) string {
		r, ok := new(big.Rat).SetString(text)
		if !ok {
			return "no number: " + text
		}
		return r.String()
	}
	var parts []string
	switch v := v.(type) {
	case *types.AttributeValueMemberN:
		return "N " + number(v.Value)
	case *types.AttributeValueMemberM:
		for _, k := range slices.Sorted(maps.Keys(v.Value)) {
			parts = append(parts, fmt.Sprintf("%q: %s", k, canonical(v.Value[k])))
		}
	case *types.AttributeValueMemberL:
		for _, e := range v.Value {
			parts = append(parts, canonical(e))
		}
	case *types.AttributeValueMemberSS:
		parts = slices.Sorted(slices.Values(v.Value))
	case *types.AttributeValueMemberNS:
		for _, e := range v.Value {
			parts = append(parts, number(e))
		}
		slices.Sort(parts)
	case *types.AttributeValueMemberBS:
		for _, e := range v.Value {
			parts = append(parts, string(e))
		}
		slices.Sort(parts)
	case *types.AttributeValueMemberS:
		return fmt.Sprintf("S %q", v.Value)
	case *types.AttributeValueMemberB:
		return fmt.Sprintf("B %q", v.Value)
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint("BOOL ", v.Value)
	}
	return fmt.Sprintf("%T %q", v, parts)
}

// module returns the folder of a module that uses this repository.
func module(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../../../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod, err1 := os.ReadFile(filepath.Join(root, "go.mod"))
	sum, err2 := os.ReadFile(filepath.Join(root, "go.sum"))
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.mod", strings.Replace(string(mod), "module github.com/dynamotable/ddb", "module example.com/shop", 1)+
		"\nrequire github.com/dynamotable/ddb v0.0.0\n\nreplace github.com/dynamotable/ddb => "+root+"\n")
	write(t, dir, "go.sum", string(sum))
	return dir
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}
