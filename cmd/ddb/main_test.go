// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// output runs ddb and returns what it wrote.
func output(t *testing.T, args ...string) (out, errOut string, err error) {
	t.Helper()
	var o, e strings.Builder
	err = run(t.Context(), streams{out: &o, err: &e}, args)
	return o.String(), e.String(), err
}

func TestHelp(t *testing.T) {
	out, _, err := output(t, "help")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range commands() {
		if !strings.Contains(out, "ddb "+c.name+" ") || !strings.Contains(out, c.brief) {
			t.Errorf("the overview lacks %s:\n%s", c.name, out)
		}
		long, _, err := output(t, append([]string{"help"}, strings.Fields(c.name)...)...)
		if err != nil || !strings.HasPrefix(long, "usage: ddb "+c.name+" ") {
			t.Errorf("help %s: %v\n%s", c.name, err, long)
		}
		f := flag.NewFlagSet("", flag.ContinueOnError)
		c.prepare(f)
		f.VisitAll(func(f *flag.Flag) {
			if !strings.Contains(long, "  -"+f.Name) || f.Usage == "" {
				t.Errorf("help %s does not explain -%s", c.name, f.Name)
			}
		})
		if short, _, err := output(t, append(strings.Fields(c.name), "-h")...); err != nil || short != long {
			t.Errorf("%s -h: %v\n%s", c.name, err, short)
		}
	}
}

func TestUsage(t *testing.T) {
	for line, want := range map[string]string{
		"":                          "",
		"scum":                      `there is no command "scum"; see ddb help`,
		"gen":                       `there is no command "gen"; there is gen handles, gen struct`,
		"gen handels":               `there is no command "gen handels"; there is gen handles, gen struct`,
		"help gen":                  `there is gen handles, gen struct`,
		"gen handles -typ Order":    "gen handles: flag provided but not defined: -typ; see ddb help gen handles",
		"help gen handles together": `there is no command`,
	} {
		_, _, err := output(t, strings.Fields(line)...)
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// declared is what the generated code of userModule needs of the library.
const declared = "package ddb\n\ntype Str[T, V any] struct{}\n\nfunc StrField[T any, V ~string](func(*T) *V) Str[T, V] { return Str[T, V]{} }\n"

// userModule returns the folder of a module that uses a package of the library's name, which declares only what the file needs. With
// -long it uses this repository, as the tests of package handles do: the go command then lists 300 packages for each run.
func userModule(t *testing.T, file, source string) string {
	t.Helper()
	dir := t.TempDir()
	library := filepath.Join(dir, "library")
	files := map[string]string{
		file: source, "go.mod": "module example.com/shop\n\ngo 1.26.0\n",
		"library/go.mod": "module github.com/dynamotable/ddb\n\ngo 1.26.0\n", "library/ddb.go": declared,
	}
	if longtest.Enabled() {
		var err error
		if library, err = filepath.Abs("../.."); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"go.mod", "go.sum"} {
			text, err := os.ReadFile(filepath.Join(library, name))
			if err != nil {
				t.Fatal(err)
			}
			files[name] = strings.Replace(string(text), "module github.com/dynamotable/ddb", "module example.com/shop", 1)
		}
	}
	files["go.mod"] += "\nrequire github.com/dynamotable/ddb v0.0.0\n\nreplace github.com/dynamotable/ddb => " + library + "\n"
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestGenHandles: -check reports files that are out of date; without it the files are written, and are then up to date.
func TestGenHandles(t *testing.T) {
	t.Chdir(userModule(t, "order.go", "package shop\n\ntype Order struct {\n\tID string `dynamodbav:\"id\"`\n}\n"))
	for _, step := range []struct{ args, want string }{
		{"gen handles -check", "order_ddb.go is out of date\n"},
		{"gen handles", "wrote order_ddb.go\n"},
		{"gen handles", ""},
		{"gen handles -check", ""},
		{"gen handles -type Missing", "there is no struct Missing in the packages; for one in a test file add -test\n"},
	} {
		_, text, err := output(t, strings.Fields(step.args)...)
		if wantErr := strings.Contains(step.args, "Missing") || strings.Contains(step.want, "out of date"); text != step.want || (err != nil) != wantErr {
			t.Errorf("%s: %v\n%s", step.args, err, text)
		}
	}
	if err := os.WriteFile("order.go", []byte("package shop\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, text, err := output(t, "gen", "handles"); err != nil || text != "removed order_ddb.go\n" {
		t.Errorf("%v\n%s", err, text)
	}
}

// TestGenStruct prints code for a table of an endpoint, or writes it to a new file.
func TestGenStruct(t *testing.T) {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	server := httptest.NewServer(engine.Handler())
	defer server.Close()
	t.Setenv("AWS_REGION", "us-east-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "a")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "b")
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", server.URL)
	table, attr := "orders", "id"
	_, err := engine.Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest, KeySchema: []types.KeySchemaElement{{AttributeName: &attr, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &attr, AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, notes, err := output(t, "gen", "struct", "-package", "shop", "orders")
	if err != nil || !strings.HasPrefix(text, "package shop\n") || !strings.Contains(text, "type Order struct {") || !strings.Contains(notes, "sample of 0 items") {
		t.Errorf("%v\n%s\n%s", err, text, notes)
	}
	file := filepath.Join(t.TempDir(), "order.go")
	t.Setenv("AWS_ENDPOINT_URL_DYNAMODB", "")
	for i, test := range []struct{ args, want string }{
		{"-endpoint " + server.URL + " -type Bill -o " + file + " orders", ""},
		{"-endpoint " + server.URL + " -o " + file + " orders", "already exists"},
		{"-endpoint " + server.URL + " nowhere", "table nowhere: "},
		{"", "name one table"},
		{"-sample 0 orders", "-sample must be at least 1"},
	} {
		out, _, err := output(t, append([]string{"gen", "struct"}, strings.Fields(test.args)...)...)
		if out != "" || (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%d: %v\n%s", i, err, out)
		}
	}
	if text, err := os.ReadFile(file); err != nil || !strings.Contains(string(text), "type Bill struct {") {
		t.Errorf("%v\n%s", err, text)
	}
}

func TestMissingPackage(t *testing.T) {
	if err := run(t.Context(), streams{out: io.Discard, err: io.Discard}, []string{"gen", "handles", "./nowhere"}); !errors.Is(err, errShown) {
		t.Error(err)
	}
}
