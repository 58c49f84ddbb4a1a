// SPDX-License-Identifier: Apache-2.0

package leaks_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// declared returns the exported types with fields or a value of all packages that programs import: those of the library from the golden
// files of its API, those of the nested modules from their source.
func declared(t *testing.T) map[string]bool {
	t.Helper()
	root := filepath.Join("..", "..", "..")
	files, err := filepath.Glob(filepath.Join(root, "internal", "archtest", "testdata", "api", "*.txt"))
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	declaration := regexp.MustCompile(`(?m)^type (\w+)(?:\[.*?\])? (\S+)`)
	all := map[string]bool{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declaration.FindAllStringSubmatch(string(text), -1) {
			if !strings.HasPrefix(m[2], "interface") && !strings.HasPrefix(m[2], "func(") {
				all[strings.TrimSuffix(filepath.Base(file), ".txt")+"."+m[1]] = true
			}
		}
	}
	for _, dir := range modules(t, root) {
		for _, spec := range typesOf(t, filepath.Join(root, dir)) {
			switch spec.Type.(type) {
			case *ast.InterfaceType, *ast.FuncType:
			default:
				all[strings.ReplaceAll(dir, "/", "-")+"."+spec.Name.Name] = true
			}
		}
	}
	return all
}

// modules are the folders of the nested modules that programs import.
func modules(t *testing.T, root string) (dirs []string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "go.mod" {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if top, _, _ := strings.Cut(filepath.ToSlash(dir), "/"); top != "." && top != "internal" && top != "bench" && top != "examples" {
			dirs = append(dirs, filepath.ToSlash(dir))
		}
		return err
	})
	if err != nil || len(dirs) < 3 {
		t.Fatal(dirs, err)
	}
	return dirs
}

// typesOf returns the exported types that the files of a folder declare.
func typesOf(t *testing.T, dir string) (specs []*ast.TypeSpec) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok {
				for _, spec := range gen.Specs {
					if ts, ok := spec.(*ast.TypeSpec); ok && ts.Name.IsExported() {
						specs = append(specs, ts)
					}
				}
			}
		}
	}
	return specs
}

// TestNoTypeShowsData fills all exported types of all packages with data, prints and logs them in every way, and
// walks errors as error trackers do.
func TestNoTypeShowsData(t *testing.T) {
	types := declared(t)
	for name := range exportedTypes {
		if !types[name] {
			t.Errorf("%s is no longer an exported type", name)
		}
	}
	for name := range types {
		x, ok := exportedTypes[name]
		switch {
		case !ok:
			t.Errorf("%s is new: list it in exportedTypes", name)
		case !x.word:
			t.Run(name, func(t *testing.T) { showsNothing(t, x) })
		case x.typ.Kind() != reflect.String && (x.typ.Kind() < reflect.Bool || x.typ.Kind() > reflect.Float64):
			t.Errorf("%s is not a word", name)
		}
	}
}

func showsNothing(t *testing.T, x exported) {
	p := reflect.New(x.typ)
	fill(p.Elem(), x.names, maxFill)
	list := reflect.MakeSlice(reflect.SliceOf(x.typ), 1, 1)
	list.Index(0).Set(p.Elem())
	byName := reflect.MakeMap(reflect.MapOf(reflect.TypeFor[string](), x.typ))
	byName.SetMapIndex(reflect.ValueOf("x"), p.Elem())
	forms := map[string]any{
		"pointer": p.Interface(), "value": p.Elem().Interface(), "list": list.Interface(), "map": byName.Interface(),
		"field": struct{ X any }{p.Interface()}, "pointers": []any{p.Interface()},
	}
	if !isError(x.typ) && isError(p.Type()) || holdsLock(x.typ) || x.point {
		delete(forms, "value") // errors are used as pointers, and values with a lock are not copied
		delete(forms, "list")
		delete(forms, "map")
	}
	for form, v := range forms {
		text := shown(v)
		if !x.json {
			text += encoded(v)
		} else if form == "pointer" || form == "value" {
			var log bytes.Buffer
			slog.New(slog.NewJSONHandler(&log, nil)).Error("x", "v", v)
			text += log.String()
		}
		if how, found := tells(text); found {
			t.Errorf("as %s it shows data as %s:\n%.1500s", form, how, text)
		}
	}
}

func holdsLock(t reflect.Type) bool {
	if t.Kind() != reflect.Struct {
		return false
	}
	if strings.HasPrefix(t.PkgPath(), "sync") {
		return true
	}
	for field := range t.Fields() {
		if holdsLock(field.Type) {
			return true
		}
	}
	return false
}

func isError(t reflect.Type) bool { return t.Implements(errorType) }

// TestFillFinds: data that fill puts into an unprotected type is found; otherwise the test above could not fail.
func TestFillFinds(t *testing.T) {
	type bare struct {
		Err    error
		hidden []byte
		Member *member
		Any    any
	}
	for name, verb := range map[string]string{"text": "%v", "hex": "%x", "Go": "%#v"} {
		var b bare
		fill(reflect.ValueOf(&b).Elem(), nil, maxFill)
		if b.Err == nil || b.hidden == nil || b.Member.Votes[canary] != 0 || b.Any != canary {
			t.Fatalf("%+v", b)
		}
		if _, found := tells(fmt.Sprintf(verb, b)); !found {
			t.Errorf("%s is not found", name)
		}
	}
}
