// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	_ "github.com/dynamotable/ddb/vector" // go test compiles it, so that go list need not
)

// unexported finds names of package ddb that users cannot look up: of types, of methods, and of internal packages.
var unexported = regexp.MustCompile(`ddb\.[a-z]|core\.|handle\.|method [a-z]|(have|want) [a-z]`)

// TestMisuseDoesNotCompile type-checks testdata/misuse and compares the
// compiler's errors with the want comments there.
func TestMisuseDoesNotCompile(t *testing.T) {
	const file = "testdata/misuse/misuse.go"
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	got := map[int][]string{}
	conf := types.Config{
		Importer: importer.ForCompiler(fset, "gc", exportData(t)),
		Error: func(err error) {
			e := err.(types.Error) //nolint:errorlint,forcetypeassert // go/types reports no other type
			if unexported.MatchString(e.Msg) {
				t.Errorf("%s: the compiler shows an unexported name: %s", fset.Position(e.Pos), e.Msg)
			}
			if !strings.HasPrefix(e.Msg, "\t") {
				line := fset.Position(e.Pos).Line
				got[line] = append(got[line], e.Msg)
			}
		},
	}
	_, _ = conf.Check("misuse", fset, []*ast.File{f}, nil)

	want := wants(t, fset, f)
	if len(want) < 20 {
		t.Fatalf("only %d misuses found in %s", len(want), file)
	}
	for line, patterns := range want {
		for _, p := range patterns {
			if !matches(got[line], p) {
				t.Errorf("%s:%d: want an error matching %q, got %q", file, line, p, got[line])
			}
		}
	}
	for line, msgs := range got {
		if want[line] == nil {
			t.Errorf("%s:%d: unwanted errors %q", file, line, msgs)
		}
	}
}

func matches(msgs []string, pattern string) bool {
	re := regexp.MustCompile(pattern)
	return slices.ContainsFunc(msgs, re.MatchString)
}

func wants(t *testing.T, fset *token.FileSet, f *ast.File) map[int][]string {
	t.Helper()
	want := map[int][]string{}
	quoted := regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	for _, g := range f.Comments {
		for _, c := range g.List {
			rest, ok := strings.CutPrefix(c.Text, "// want ")
			if !ok {
				continue
			}
			line := fset.Position(c.Pos()).Line
			for _, q := range quoted.FindAllString(rest, -1) {
				want[line] = append(want[line], strings.NewReplacer(`\"`, `"`).Replace(q[1:len(q)-1]))
			}
		}
	}
	return want
}

// exportData finds the compiler's export data of the packages that misuse imports.
func exportData(t *testing.T) importer.Lookup {
	t.Helper()
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", "{{.ImportPath}}\t{{.Export}}", ".", "./vector").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), "\t"); ok {
			files[path] = file
		}
	}
	return func(path string) (io.ReadCloser, error) {
		if files[path] == "" {
			return nil, fmt.Errorf("no export data of %s", path)
		}
		return os.Open(files[path])
	}
}
