// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// handleMethods returns the exported methods of the types XHandle of the root package, by X, without the methods that all handles have.
func handleMethods(t *testing.T) map[string][]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	methods := map[string][]string{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil || !f.Name.IsExported() || slices.Contains([]string{"String", "Format", "Handle", "HandleOf"}, f.Name.Name) {
				continue
			}
			if kind, ok := strings.CutSuffix(receiver(f.Recv.List[0].Type), "Handle"); ok && kind != "" {
				methods[kind] = append(methods[kind], f.Name.Name)
			}
		}
	}
	return methods
}

func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

var quotedName = regexp.MustCompile("`([A-Za-z]+)(?:\\([a-z]\\))?`")

// TestHandlesAreListed: docs/handles.md lists the methods of every kind of handle, and no other.
func TestHandlesAreListed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "docs", "handles.md"))
	if err != nil {
		t.Fatal(err)
	}
	methods := handleMethods(t)
	if len(methods) < 8 {
		t.Fatalf("only %d kinds of handles", len(methods))
	}
	_, table, _ := strings.Cut(string(text), "## Methods")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 7 || !strings.Contains(cells[1], "`") {
			continue
		}
		kind := strings.Trim(cells[2], " `")
		var listed []string
		for _, m := range quotedName.FindAllStringSubmatch(strings.Join(cells[4:], "|"), -1) {
			listed = append(listed, m[1])
		}
		want := methods[kind]
		slices.Sort(listed)
		slices.Sort(want)
		if !slices.Equal(listed, want) {
			t.Errorf("docs/handles.md lists %v for %s, which has %v", listed, kind, want)
		}
		delete(methods, kind)
	}
	for kind := range methods {
		t.Errorf("docs/handles.md lacks %s", kind)
	}
}
