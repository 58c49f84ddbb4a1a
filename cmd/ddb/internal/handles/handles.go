// SPDX-License-Identifier: Apache-2.0

// Package handles writes the attribute handles of structs with dynamodbav tags, for the command ddb gen handles.
package handles

import (
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/dynamotable/ddb/cmd/ddb/internal/goname"
)

// Config sets whose handles are written.
type Config struct {
	Dir      string   // folder in which the patterns are resolved; empty for the current one
	Packages []string // patterns as in go list; empty for the package in Dir
	Types    []string // names of structs; empty for all tagged structs that are not part of another
	Tags     string   // build tags, separated by commas
	Tests    bool     // structs of test files as well
	Exported bool     // the handles have exported names
}

// File is a generated file with its intended content. A File without Content is to be removed.
type File struct {
	Path    string
	Content []byte
}

// Result is the result of a run.
type Result struct {
	Files []File   // those that differ from the files on disk
	Notes []string // what was left out, and why
}

// Generate returns the files to write. Its error joins all problems, each with file and line.
func Generate(ctx context.Context, c Config) (Result, error) {
	var r Result
	units, err := load(ctx, c)
	errs := []error{err}
	known := map[string]bool{}
	for _, u := range units {
		g := &generator{unit: u, config: c, known: known}
		files, err := g.run()
		r.Notes = append(r.Notes, g.notes...)
		errs = append(errs, err)
		r.Files = append(r.Files, files...)
	}
	for _, name := range c.Types {
		if !known[name] && err == nil {
			errs = append(errs, fmt.Errorf("there is no struct %s in the packages%s", name, hintOfTests(c)))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return Result{Notes: r.Notes}, err // nothing is written partially
	}
	return r, nil
}

func hintOfTests(c Config) string {
	if c.Tests {
		return ""
	}
	return "; for one in a test file add -test"
}

// generator writes the handles of one unit.
type generator struct {
	*unit
	config Config
	known  map[string]bool // names of the structs found
	notes  []string
	errs   []error
	names  map[string]handle // of generated handles

	reported bool // whether the compiler's errors were reported
}

// item is a struct that gets handles.
type item struct {
	name string
	typ  types.Type
	of   *types.Struct
	pos  token.Pos
	file *source
}

// handle is a handle to write.
type handle struct {
	name, maker string
	item        *item
	goPath      []string
	typ         types.Type
	pos         token.Pos
}

func (g *generator) failf(pos token.Pos, format string, args ...any) {
	g.errs = append(g.errs, fmt.Errorf("%s: %s", g.place(pos), fmt.Sprintf(format, args...)))
}

func (g *generator) notef(pos token.Pos, format string, args ...any) {
	g.notes = append(g.notes, fmt.Sprintf("%s: %s", g.place(pos), fmt.Sprintf(format, args...)))
}

// place returns file and line, in the shortest form.
func (g *generator) place(pos token.Pos) string {
	p := g.set.Position(pos)
	return fmt.Sprintf("%s:%d", Short(p.Filename), p.Line)
}

// Short returns the path relative to the current folder if that is shorter, otherwise the path itself.
func Short(path string) string {
	if base, err := os.Getwd(); err == nil {
		if rel, err := filepath.Rel(base, path); err == nil && len(rel) < len(path) {
			return rel
		}
	}
	return path
}

func (g *generator) run() ([]File, error) {
	items := g.items()
	g.names = map[string]handle{}
	existing := g.existing()
	byFile := map[*source][]handle{}
	for i := range items {
		it := &items[i]
		if g.broken(it) {
			continue
		}
		for _, h := range g.handlesOf(it, existing) {
			if g.free(h) {
				g.names[h.name] = h
				byFile[it.file] = append(byFile[it.file], h)
			}
		}
	}
	if len(g.errs) > 0 {
		return nil, errors.Join(g.errs...)
	}
	return g.files(byFile)
}

// items returns the structs that get handles, in the order of their declarations.
func (g *generator) items() []item {
	var all []item
	for _, f := range g.sources() {
		for _, d := range f.syntax.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.TYPE {
				continue
			}
			for _, spec := range gen.Specs {
				if it, ok := g.item(spec.(*ast.TypeSpec), f); ok {
					all = append(all, it)
				}
			}
		}
	}
	if len(g.config.Types) > 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(it item) bool {
		return slices.ContainsFunc(all, func(other item) bool {
			return !types.Identical(it.of, other.of) && holds(other.of, it.of, maxLevels) && !holds(it.of, other.of, maxLevels)
		})
	})
}

// sources returns the unit's own files by name, without the generated ones.
func (g *generator) sources() []*source {
	own := slices.DeleteFunc(slices.Clone(g.unit.files), func(f *source) bool { return !f.ours })
	slices.SortFunc(own, func(a, b *source) int { return strings.Compare(a.path, b.path) })
	return own
}

// item returns the item of a declaration, if it declares one.
func (g *generator) item(spec *ast.TypeSpec, f *source) (it item, ok bool) {
	asked := slices.Contains(g.config.Types, spec.Name.Name)
	if len(g.config.Types) > 0 && !asked {
		return it, false
	}
	object := g.info.Defs[spec.Name]
	if object == nil {
		return it, false
	}
	s, isStruct := object.Type().Underlying().(*types.Struct)
	if asked {
		g.known[spec.Name.Name] = true
	}
	switch {
	case !isStruct && asked:
		g.failf(spec.Pos(), "type %s is no struct, so it has no attributes", spec.Name.Name)
		return it, false
	case !isStruct, !asked && !anyTag(s), !asked && isForeignAlias(object, g.pkg):
		return it, false
	case spec.TypeParams != nil && spec.TypeParams.NumFields() > 0:
		text := fmt.Sprintf("%s is generic, and a handle needs one type; declare the types in use, such as type %sOfX %s[X], and they get handles", spec.Name.Name, spec.Name.Name, spec.Name.Name)
		if asked {
			g.failf(spec.Pos(), "%s", text)
		} else {
			g.notef(spec.Pos(), "left out: %s", text)
		}
		return it, false
	}
	return item{name: spec.Name.Name, typ: object.Type(), of: s, pos: spec.Pos(), file: f}, true
}

// isForeignAlias reports whether a declaration is an alias of a type that has a name already: of a struct of this package, which
// has handles itself, or of another package's, which should have them.
func isForeignAlias(object types.Object, pkg *types.Package) bool {
	alias, ok := object.Type().(*types.Alias)
	if !ok {
		return false
	}
	n, ok := types.Unalias(alias).(*types.Named)
	return ok && (n.TypeArgs().Len() == 0 || n.Obj().Pkg() != pkg)
}

func anyTag(s *types.Struct) bool {
	for i := range s.NumFields() {
		if tagged(s.Tag(i)) || malformed(s.Tag(i)) {
			return true
		}
		t := s.Field(i).Type()
		if p, ok := types.Unalias(t).(*types.Pointer); ok {
			t = p.Elem()
		}
		if inner, ok := t.Underlying().(*types.Struct); ok && s.Field(i).Embedded() && !types.Identical(inner, s) && anyTag(inner) {
			return true
		}
	}
	return false
}

// holds reports whether values of one struct contain values of another.
func holds(outer, inner *types.Struct, levels int) bool {
	if levels == 0 {
		return false
	}
	for f := range outer.Fields() {
		if s := structIn(f.Type(), maxLevels); s != nil && (types.Identical(s, inner) || holds(s, inner, levels-1)) {
			return true
		}
	}
	return false
}

// structIn returns the struct inside of pointers, lists and maps.
func structIn(t types.Type, levels int) *types.Struct {
	if levels == 0 {
		return nil
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		return u
	case *types.Pointer:
		return structIn(u.Elem(), levels-1)
	case *types.Slice:
		return structIn(u.Elem(), levels-1)
	case *types.Array:
		return structIn(u.Elem(), levels-1)
	case *types.Map:
		return structIn(u.Elem(), levels-1)
	}
	return nil
}

// broken reports the errors that the compiler found in the struct.
func (g *generator) broken(it *item) bool {
	if !invalid(it.typ, map[types.Type]bool{}) {
		return false
	}
	if g.reported {
		return true
	}
	g.reported = true
	before := len(g.errs)
	for _, e := range g.unit.errs {
		if g.ofTypes(e.Pos) { // other errors are in code that uses handles, which may not exist yet
			g.failf(e.Pos, "%s", e.Msg)
		}
	}
	if len(g.errs) == before {
		g.failf(it.pos, "the types of %s's fields cannot be found", it.name)
	}
	return true
}

// ofTypes reports whether a position is in a declaration of types or imports.
func (g *generator) ofTypes(pos token.Pos) bool {
	for _, f := range g.unit.files {
		for _, d := range f.syntax.Decls {
			if gen, ok := d.(*ast.GenDecl); ok && (gen.Tok == token.TYPE || gen.Tok == token.IMPORT) && gen.Pos() <= pos && pos < gen.End() {
				return true
			}
		}
	}
	return false
}

// handlesOf returns the missing handles of an item.
func (g *generator) handlesOf(it *item, existing map[string]bool) (list []handle) {
	var walk func(s *types.Struct, path []string, names []string, around []*types.Struct, place token.Pos)
	walk = func(s *types.Struct, path, names []string, around []*types.Struct, place token.Pos) {
		near := func(pos token.Pos) token.Pos { // the position of a field, or of the field of this package that leads to it
			if g.local(pos) {
				return pos
			}
			return place
		}
		problem := func(pos token.Pos, text string) { g.failf(near(pos), "%s: %s", it.name, text) }
		for _, f := range flattened(s, problem) {
			pos := near(f.pos)
			if f.tag.unknown {
				continue
			}
			k := kindOf(f.typ, f.tag)
			if k.wrong != "" {
				g.failf(pos, "field %s of %s: %s", strings.Join(append(slices.Clone(path), f.goPath...), "."), it.name, k.wrong)
				continue
			}
			steps := append(slices.Clone(path), selector(it.typ, path, f, g.pkg)...)
			label := append(slices.Clone(names), steps[len(path):]...)
			if k.maker == "" {
				g.notef(pos, "left out: field %s of %s has no size, so a handle could not distinguish it from its neighbours", strings.Join(steps, "."), it.name)
				continue
			}
			h := handle{name: g.handleName(it, label), maker: k.maker, item: it, goPath: steps, typ: f.typ, pos: pos}
			switch why := g.unwritable(f.typ); {
			case existing[g.key(it, steps)]:
			case why != "":
				g.notef(pos, "left out: field %s of %s: %s", strings.Join(steps, "."), it.name, why)
			default:
				list = append(list, h)
			}
			if k.nested != nil && !slices.ContainsFunc(around, func(s *types.Struct) bool { return types.Identical(s, k.nested) }) && len(around) < maxLevels {
				walk(k.nested, steps, label, append(slices.Clone(around), k.nested), pos)
			}
		}
	}
	walk(it.of, nil, nil, []*types.Struct{it.of}, it.pos)
	return list
}

// local reports whether a position is in one of the unit's files.
func (g *generator) local(pos token.Pos) bool {
	return slices.ContainsFunc(g.unit.files, func(f *source) bool { return f.syntax.FileStart <= pos && pos < f.syntax.FileEnd })
}

// selector returns the Go expression for a field: promoted if that is unambiguous, otherwise with its whole path.
func selector(item types.Type, path []string, f field, pkg *types.Package) []string {
	at := item
	for _, step := range path {
		v, _, _ := types.LookupFieldOrMethod(at, true, pkg, step)
		if v == nil {
			return f.goPath
		}
		at = v.Type()
	}
	last := f.goPath[len(f.goPath)-1]
	if v, index, _ := types.LookupFieldOrMethod(at, true, pkg, last); v != nil && slices.Equal(index, f.index) {
		return []string{last}
	}
	return f.goPath
}

// handleName returns the name of a handle: the names of the type and of the fields.
func (g *generator) handleName(it *item, fields []string) string {
	name := goname.LowerFirst(it.name)
	if g.config.Exported {
		name = upperFirst(it.name)
	}
	var all strings.Builder
	all.WriteString(name)
	for _, f := range fields {
		all.WriteString(upperFirst(f))
	}
	return all.String()
}

func upperFirst(name string) string {
	runes := []rune(name)
	runes[0] = unicode.ToUpper(runes[0])
	return string(runes)
}

// free reports whether the name of a handle is not used otherwise. An existing handle of the item with that name is assumed to be
// the same.
func (g *generator) free(h handle) bool {
	if other, ok := g.names[h.name]; ok {
		g.failf(h.pos, "the handles of %s.%s and %s.%s (%s) would both be named %s; write one by hand, under another name",
			h.item.name, strings.Join(h.goPath, "."), other.item.name, strings.Join(other.goPath, "."), g.place(other.pos), h.name)
		return false
	}
	object := g.pkg.Scope().Lookup(h.name)
	if object == nil {
		for _, f := range g.unit.files {
			for _, spec := range f.syntax.Imports {
				if spec.Name != nil && spec.Name.Name == h.name && !f.generated {
					g.failf(h.pos, "the handle of %s.%s would be named %s, as an import is (%s); rename the import, or write the handle by hand under another name",
						h.item.name, strings.Join(h.goPath, "."), h.name, g.place(spec.Pos()))
					return false
				}
			}
		}
		return true
	}
	if isHandleOf(object, h.item.typ) {
		return false
	}
	g.failf(h.pos, "the handle of %s.%s would be named %s, which is something else (%s); rename that, or write the handle by hand under another name",
		h.item.name, strings.Join(h.goPath, "."), h.name, g.place(object.Pos()))
	return false
}
