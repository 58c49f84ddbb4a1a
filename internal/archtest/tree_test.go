// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const modulePath = "github.com/dynamotable/ddb"

// root is the folder of the repository, relative to this package.
var root = filepath.Join("..", "..")

// goFile is one parsed file of the repository.
type goFile struct {
	name    string // slash-separated, relative to the repository
	module  string // folder of its nested module; "" in the root module
	pkgName string
	imports []string
	lines   int
	source  string
	syntax  *ast.File
}

func (f goFile) dir() string {
	if d := path.Dir(f.name); d != "." {
		return d
	}
	return ""
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// local returns the folder of an import inside this repository; ok is false for other imports. The folder of the root is "".
func local(imported string) (dir string, ok bool) {
	if imported == modulePath {
		return "", true
	}
	return strings.CutPrefix(imported, modulePath+"/")
}

// under reports whether dir is one of the folders or below one of them.
func under(dir string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return dir == folder || strings.HasPrefix(dir, folder+"/")
	})
}

// goFiles parses every Go file of the repository once.
func goFiles(t *testing.T) []goFile {
	t.Helper()
	files, err := parseRepository()
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go file found: the walk starts in the wrong folder")
	}
	return files
}

var parseRepository = sync.OnceValues(func() ([]goFile, error) {
	var files []goFile
	positions := token.NewFileSet()
	modules, err := nestedModules()
	if err != nil {
		return nil, err
	}
	err = walk(func(name string) error {
		if path.Ext(name) != ".go" {
			return nil
		}
		source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		syntax, err := parser.ParseFile(positions, name, source, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		f := goFile{
			name:    name,
			pkgName: syntax.Name.Name,
			lines:   strings.Count(string(source), "\n"),
			source:  string(source),
			syntax:  syntax,
		}
		for _, m := range modules {
			if under(f.dir(), m) {
				f.module = m
			}
		}
		for _, spec := range syntax.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, imported)
		}
		files = append(files, f)
		return nil
	})
	return files, err
})

// nestedModules returns the folders that have their own go.mod.
func nestedModules() ([]string, error) {
	var modules []string
	err := walk(func(name string) error {
		if path.Base(name) == "go.mod" && name != "go.mod" {
			modules = append(modules, path.Dir(name))
		}
		return nil
	})
	return modules, err
}

// walk visits every file of the repository that git would track. It leaves out hidden folders, except those with the project's
// own settings, and installed packages of other languages.
func walk(visit func(name string) error) error {
	return filepath.WalkDir(root, func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if entry.IsDir() {
			base := entry.Name()
			hidden := strings.HasPrefix(base, ".") && name != "." && base != ".." && base != ".ci" && base != ".github"
			if hidden || base == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		if !entry.Type().IsRegular() || name == ".git" { // a file in linked worktrees
			return nil
		}
		return visit(name)
	})
}
