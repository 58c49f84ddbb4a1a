// SPDX-License-Identifier: Apache-2.0

package handles

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// library is the package whose handles are written.
const library = "github.com/dynamotable/ddb"

// listed is the output of go list for a package.
type listed struct {
	Dir, ImportPath           string
	GoFiles, CgoFiles         []string
	TestGoFiles, XTestGoFiles []string
	Export                    string
	Error                     *struct{ Pos, Err string }
}

// unit is a set of files that are type-checked together: a package, the package with its tests, or its external tests.
type unit struct {
	path     string
	external bool // whether it has the external tests of another unit's package
	set      *token.FileSet
	files    []*source
	pkg      *types.Package
	info     *types.Info
	errs     []types.Error // of the package without the generated files
	importer types.Importer
}

// source is one file of a unit.
type source struct {
	path      string
	syntax    *ast.File
	generated bool // by this command
	ours      bool // whether handles of its structs are requested
}

// goList runs go list with -json.
func goList(ctx context.Context, dir string, args ...string) ([]listed, error) {
	cmd := exec.CommandContext(ctx, "go", append([]string{"list", "-e", "-json=Dir,ImportPath,GoFiles,CgoFiles,TestGoFiles,XTestGoFiles,Export,Error"}, args...)...)
	cmd.Dir = dir
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go list: %w: %s", err, strings.TrimSpace(errOut.String()))
	}
	var all []listed
	for d := json.NewDecoder(&out); ; {
		var l listed
		switch err := d.Decode(&l); { //nolint:musttag // the names are go list's
		case errors.Is(err, io.EOF):
			return all, nil
		case err != nil:
			return nil, fmt.Errorf("go list: %w", err)
		}
		all = append(all, l)
	}
}

// exports imports packages from the compiler's export data.
type exports struct {
	files map[string]string // by import path
	fails map[string]string
	gc    types.Importer
	own   *types.Package // the package whose external tests are checked
}

func (e *exports) Import(path string) (*types.Package, error) {
	if e.own != nil && path == e.own.Path() {
		return e.own, nil
	}
	return e.gc.Import(path)
}

// newExports lists the packages. This compiles them and everything that they import.
func newExports(ctx context.Context, set *token.FileSet, dir string, flags, paths []string) (*exports, error) {
	e := &exports{files: map[string]string{}, fails: map[string]string{}}
	list, err := goList(ctx, dir, slices.Concat([]string{"-export", "-deps"}, flags, paths)...)
	if err != nil {
		return nil, err
	}
	for _, l := range list {
		e.files[l.ImportPath] = l.Export
		if l.Error != nil {
			e.fails[l.ImportPath] = l.Error.Err
		}
	}
	e.gc = importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) {
		if file := e.files[path]; file != "" {
			return os.Open(file)
		}
		if why := e.fails[path]; why != "" {
			return nil, fmt.Errorf("it does not compile: %s", strings.TrimSpace(why))
		}
		return nil, errors.New("it does not compile, or is not there")
	})
	return e, nil
}

// load reads and type-checks the packages that match the patterns, with tests also their test files.
func load(ctx context.Context, c Config) ([]*unit, error) {
	var flags []string
	if c.Tags != "" {
		flags = append(flags, "-tags="+c.Tags)
	}
	patterns := c.Packages
	if len(patterns) == 0 {
		patterns = []string{"."}
	}
	// With -find the go command does not look for the imported packages; the second list has them.
	list, err := goList(ctx, c.Dir, slices.Concat([]string{"-find"}, flags, []string{"--"}, patterns)...)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	var units []*unit
	var errs []error
	paths := []string{library}
	for _, l := range list {
		of, err := unitsOf(set, c, l)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, u := range of {
			paths = append(paths, u.imports(l.ImportPath)...)
		}
		units = append(units, of...)
	}
	if len(units) == 0 {
		return nil, errors.Join(errs...)
	}
	slices.Sort(paths)
	e, err := newExports(ctx, set, c.Dir, flags, slices.Compact(paths))
	if err != nil {
		return nil, errors.Join(append(errs, err)...)
	}
	if e.files[library] == "" {
		return nil, fmt.Errorf("%s cannot be imported (%s); run go get %s in its module", library, strings.TrimSpace(e.fails[library]), library)
	}
	var own *types.Package
	for _, u := range units {
		u.importer = e
		if u.external {
			u.importer = &exports{files: e.files, gc: e.gc, own: own}
		}
		u.check()
		own = u.pkg
	}
	return units, errors.Join(errs...)
}

// unitsOf parses one package.
func unitsOf(set *token.FileSet, c Config, l listed) ([]*unit, error) {
	if len(l.GoFiles)+len(l.CgoFiles)+len(l.TestGoFiles)+len(l.XTestGoFiles) == 0 {
		if l.Error != nil {
			return nil, errors.New(strings.TrimSpace(l.Error.Pos + " " + l.Error.Err))
		}
		return nil, fmt.Errorf("package %s has no Go files", l.ImportPath)
	}
	plain, err := parse(set, l.Dir, slices.Concat(l.GoFiles, l.CgoFiles))
	if err != nil {
		return nil, err
	}
	units := []*unit{{path: l.ImportPath, set: set, files: plain}}
	if !c.Tests {
		return units, nil
	}
	inside, err1 := parse(set, l.Dir, l.TestGoFiles)
	external, err2 := parse(set, l.Dir, l.XTestGoFiles)
	if len(inside) > 0 {
		units = append(units, &unit{path: l.ImportPath, set: set, files: slices.Concat(foreign(plain), inside)})
	}
	if len(external) > 0 {
		units = append(units, &unit{path: l.ImportPath + "_test", set: set, files: external, external: true})
	}
	return units, errors.Join(err1, err2)
}

// imports returns the packages whose export data the unit needs.
func (u *unit) imports(own string) (paths []string) {
	for _, f := range u.files {
		for _, spec := range f.syntax.Imports {
			if path := strings.Trim(spec.Path.Value, "`\""); path != "C" && path != "unsafe" && !(u.external && path == own) {
				paths = append(paths, path)
			}
		}
	}
	return paths
}

// foreign returns copies of the files for a unit that writes no handles of their structs.
func foreign(files []*source) []*source {
	var out []*source
	for _, f := range files {
		other := *f
		other.ours = false
		out = append(out, &other)
	}
	return out
}

func parse(set *token.FileSet, dir string, names []string) ([]*source, error) {
	var files []*source
	var errs []error
	for _, name := range names {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		syntax, err := parser.ParseFile(set, path, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		generated := bytes.HasPrefix(text, []byte(header))
		files = append(files, &source{path: path, syntax: syntax, generated: generated, ours: !generated})
	}
	return files, errors.Join(errs...)
}

// check type-checks the package without the generated files. Code that uses missing handles then has errors, so they are kept
// until a declaration is examined.
func (u *unit) check() {
	var files []*ast.File
	for _, f := range u.files {
		if !f.generated {
			files = append(files, f.syntax)
		}
	}
	u.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{}}
	conf := types.Config{
		Importer: u.importer, IgnoreFuncBodies: true, FakeImportC: true,
		Error: func(err error) {
			if e, ok := errors.AsType[types.Error](err); ok {
				u.errs = append(u.errs, e)
			}
		},
	}
	u.pkg, _ = conf.Check(u.path, u.set, files, u.info) // the errors are in u.errs
}

// recheck returns the errors that the compiler would report for the new files.
func (u *unit) recheck(added []*ast.File) (errs []types.Error) {
	files := slices.Clone(added)
	for _, f := range u.files {
		if !f.generated {
			files = append(files, f.syntax)
		}
	}
	conf := types.Config{
		Importer: u.importer, FakeImportC: true,
		Error: func(err error) {
			e, ok := errors.AsType[types.Error](err)
			if !ok {
				return
			}
			name := u.set.Position(e.Pos).Filename
			if slices.ContainsFunc(added, func(f *ast.File) bool { return u.set.Position(f.Package).Filename == name }) {
				errs = append(errs, e)
			}
		},
	}
	_, _ = conf.Check(u.path, u.set, files, nil) // the errors are in errs
	return errs
}
