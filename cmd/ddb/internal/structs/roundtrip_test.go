// SPDX-License-Identifier: Apache-2.0

package structs_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	gotypes "go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cmd/ddb/internal/structs"
	"github.com/dynamotable/ddb/cmd/ddb/internal/structs/testdata/live"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/schema"
)

// TestRoundTrip: the code for tables of all kinds has no errors, and every item is unchanged if it is read into the struct and written
// again. The structs are built from the checked types, so that nothing is compiled.
func TestRoundTrip(t *testing.T) {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	all := tables()
	code := sources(t, engine.Client(), all, structs.Options{})
	pkg := checked(t, code)
	for _, table := range all {
		kind := reflected(t, pkg.Scope().Lookup(itemType(code[table.name])).Type())
		plan, err := codec.PlanOf(kind)
		if err != nil {
			t.Fatalf("%s: %v\n%s", table.name, err, code[table.name])
		}
		for _, item := range table.items {
			stored, err := codec.AppendItemMap(nil, item)
			if err != nil {
				t.Fatal(table.name, err)
			}
			v := reflect.New(kind).Elem()
			if err := codec.DecodeSlot(plan, stored, v); err != nil {
				t.Fatalf("%s: %v\n%s", table.name, err, code[table.name])
			}
			written, err := codec.AppendSlot(nil, plan, v)
			if err != nil {
				t.Fatalf("%s: %v\n%s", table.name, err, code[table.name])
			}
			again, err := codec.ParseItem(written)
			if err != nil || canonical(m(again)) != canonical(m(item)) {
				t.Errorf("%s: %s was read and written as %s: %v\n%s", table.name, stored, written, err, code[table.name])
			}
		}
	}
}

// itemType returns the name of the first type in generated code.
func itemType(code string) string {
	_, rest, _ := strings.Cut(code, "\ntype ")
	name, _, _ := strings.Cut(rest, " ")
	return name
}

// checked checks the files as one package, with the export data of the packages that go test has compiled.
func checked(t *testing.T, code map[string]string) *gotypes.Package {
	t.Helper()
	set := token.NewFileSet()
	list := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	var files []*ast.File
	for name, text := range code {
		file, err := parser.ParseFile(set, name+".go", text, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
		for _, spec := range file.Imports {
			if path := strings.Trim(spec.Path.Value, `"`); !slices.Contains(list, path) {
				list = append(list, path)
			}
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", list...).Output()
	if err != nil {
		t.Fatal(err)
	}
	exports := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		exports[path] = file
	}
	conf := gotypes.Config{
		Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) }),
		Error: func(err error) {
			t.Error(err)
		},
	}
	pkg, err := conf.Check("main", set, files, nil)
	if err != nil {
		t.FailNow()
	}
	return pkg
}

// basic are the types of generated fields that are no composites.
var basic = map[string]reflect.Type{
	"string": reflect.TypeFor[string](), "bool": reflect.TypeFor[bool](), "int64": reflect.TypeFor[int64](), "uint64": reflect.TypeFor[uint64](),
	"float64": reflect.TypeFor[float64](), "byte": reflect.TypeFor[byte](), "time.Time": reflect.TypeFor[time.Time](),
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue.Number": reflect.TypeFor[attributevalue.Number](),
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types.AttributeValue":  reflect.TypeFor[types.AttributeValue](),
}

// reflected returns the type that a type of generated code has at run time.
func reflected(t *testing.T, typ gotypes.Type) reflect.Type {
	t.Helper()
	if known, ok := basic[typ.String()]; ok {
		return known
	}
	switch u := typ.Underlying().(type) {
	case *gotypes.Pointer:
		return reflect.PointerTo(reflected(t, u.Elem()))
	case *gotypes.Slice:
		return reflect.SliceOf(reflected(t, u.Elem()))
	case *gotypes.Map:
		return reflect.MapOf(reflected(t, u.Key()), reflected(t, u.Elem()))
	case *gotypes.Struct:
		var fields []reflect.StructField
		for i := range u.NumFields() {
			fields = append(fields, reflect.StructField{Name: u.Field(i).Name(), Type: reflected(t, u.Field(i).Type()), Tag: reflect.StructTag(u.Tag(i))})
		}
		return reflect.StructOf(fields)
	}
	t.Fatalf("a field has the type %v, which this test does not know", typ)
	return nil
}

// defined is a generated table.
type defined[T any] interface {
	VerifyTable(ctx context.Context, opts ...schema.Option) ([]schema.Difference, error)
	EnsureTable(ctx context.Context, opts ...schema.Option) error
	Scan() *ddb.Scan[T]
	BatchPut(ctx context.Context, list []T, opts ...ddb.BatchOption) error
}

// TestLive: the files of testdata/live equal the generated ones. Their tables are compared with the definitions, and copied.
func TestLive(t *testing.T) {
	engine := ddbtest.NewEngine()
	defer engine.Close()
	client := engine.Client()
	all := slices.DeleteFunc(tables(), func(table table) bool { return strings.HasPrefix(table.name, "table") })
	for name, code := range sources(t, client, all, structs.Options{Package: "live"}) {
		file := filepath.Join("testdata/live", name+".go")
		if have, err := os.ReadFile(file); err != nil || string(have) != code {
			t.Errorf("%s should be\n%s", file, code)
		}
	}
	for _, table := range all {
		var err error
		switch table.name {
		case "orders":
			err = copied(t, client, table, live.NewOrderTable, live.OrderSchema())
		case "numbers":
			err = copied(t, client, table, live.NewNumberTable, live.NumberSchema())
		case "files":
			err = copied(t, client, table, live.NewFileTable, live.FileSchema())
		default:
			t.Fatal("no code for", table.name)
		}
		if err != nil {
			t.Fatal(table.name, err)
		}
		compare(t, client, table)
	}
}

func copied[T any, D defined[T]](t *testing.T, client ddb.Client, table table, define func(ddb.Client, ...ddb.TableOption) (D, error), options []schema.Option) error {
	t.Helper()
	source, err := define(client)
	if err != nil {
		return err
	}
	differences, err := source.VerifyTable(t.Context(), options...)
	if err != nil || len(differences) > table.differences {
		return fmt.Errorf("%v %w", differences, err)
	}
	target, err := define(client, ddb.TablePrefix("copy-"))
	if err != nil {
		return err
	}
	if err := target.EnsureTable(t.Context(), options...); err != nil {
		return err
	}
	list, err := source.Scan().Collect(t.Context())
	if err != nil {
		return err
	}
	return target.BatchPut(t.Context(), list)
}
