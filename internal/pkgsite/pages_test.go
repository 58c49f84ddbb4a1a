// SPDX-License-Identifier: Apache-2.0

package pkgsite_test

import (
	"cmp"
	"go/ast"
	"go/doc"
	"go/parser"
	"go/token"
	"go/types"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
	"golang.org/x/tools/go/packages"
)

// library is a public package as the compiler sees it.
type library struct {
	*packages.Package
	dir string
}

// load finds the public packages of the modules, and the types of all that they import.
func load(t *testing.T, modules []string) (public []library, all map[string]*types.Package) {
	t.Helper()
	all = map[string]*types.Package{}
	for _, module := range modules {
		config := packages.Config{
			Context: t.Context(), Dir: filepath.Join(root, module), Env: append(os.Environ(), "GOWORK=off"),
			Mode: packages.NeedName | packages.NeedFiles | packages.NeedTypes | packages.NeedImports,
		}
		loaded, err := packages.Load(&config, "./...")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range loaded {
			for _, e := range p.Errors {
				t.Fatal(e)
			}
			if p.Name == "main" || len(p.GoFiles) == 0 || regexp.MustCompile(`/(internal|examples|testdata|bench)(/|$)`).MatchString(p.PkgPath) {
				continue
			}
			public = append(public, library{p, filepath.Dir(p.GoFiles[0])})
			all[p.PkgPath] = p.Types
		}
	}
	return public, all
}

// loadTargets adds the packages of other modules and of the standard library that links in the pages name.
func loadTargets(t *testing.T, modules []string, pages map[string]*html.Node, all map[string]*types.Package) {
	t.Helper()
	var targets []string
	for _, content := range pages {
		for n := range content.Descendants() {
			u, err := url.Parse(attribute(n, "href"))
			if err != nil || u.IsAbs() || u.Path == "" || strings.HasPrefix(u.Path, "/files/") {
				continue
			}
			target := strings.ReplaceAll(strings.Trim(u.Path, "/"), "@v0.0.0", "") // internal packages are linked with their version
			if _, ours := pages[target]; !ours && target != "builtin" {
				targets = append(targets, target)
			}
		}
	}
	slices.Sort(targets)
	for _, module := range modules {
		config := packages.Config{
			Context: t.Context(), Dir: filepath.Join(root, module), Env: append(os.Environ(), "GOWORK=off"),
			Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports,
		}
		loaded, err := packages.Load(&config, slices.Compact(targets)...)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range loaded {
			if len(p.Errors) == 0 && all[p.PkgPath] == nil {
				all[p.PkgPath] = p.Types
			}
		}
	}
}

// codeIn: the element shows code.
func codeIn(n *html.Node) bool {
	if n == nil {
		return false
	}
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == "pre" {
			return true
		}
	}
	return false
}

// anchors returns the ids that the page of a package must have: one for each exported name, method and field.
func anchors(p *types.Package) []string {
	var ids []string
	for _, name := range p.Scope().Names() {
		object := p.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		ids = append(ids, name)
		named, ok := object.Type().(*types.Named)
		if _, isType := object.(*types.TypeName); !isType || !ok || object.(*types.TypeName).IsAlias() {
			continue
		}
		set := types.NewMethodSet(types.NewPointer(named))
		if _, ok := named.Underlying().(*types.Interface); ok {
			set = types.NewMethodSet(named)
		}
		for m := range set.Methods() {
			if m.Obj().Exported() && !documentedElsewhere(named, m) {
				ids = append(ids, name+"."+m.Obj().Name())
			}
		}
		if s, ok := named.Underlying().(*types.Struct); ok {
			for f := range s.Fields() {
				if f.Exported() && !f.Embedded() {
					ids = append(ids, name+"."+f.Name())
				}
			}
		}
	}
	return ids
}

// documentedElsewhere: the method comes from an exported type that is embedded by name, so the reader finds it there.
func documentedElsewhere(named *types.Named, m *types.Selection) bool {
	if len(m.Index()) < 2 {
		_, isInterface := named.Underlying().(*types.Interface)
		f, ok := m.Obj().(*types.Func)
		if !isInterface || !ok {
			return false
		}
		// A method of an interface that is embedded.
		for explicit := range named.Underlying().(*types.Interface).ExplicitMethods() {
			if explicit == f {
				return false
			}
		}
		return true
	}
	s, ok := named.Underlying().(*types.Struct)
	return ok && s.Field(m.Index()[0]).Exported()
}

// examples returns the ids of the package's examples on its page.
func examples(t *testing.T, lib library) []string {
	t.Helper()
	set := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(lib.dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if base := strings.TrimSuffix(file.Name.Name, "_test"); base == lib.Name {
			files = append(files, file)
		}
	}
	var ids []string
	for _, e := range doc.Examples(files...) {
		symbol, suffix, _ := strings.Cut(e.Name, "_")
		if name, rest, ok := strings.Cut(suffix, "_"); ok || (suffix != "" && ast.IsExported(suffix)) {
			symbol, suffix = symbol+"."+name, rest
		}
		id := "example-" + cmp.Or(symbol, "package")
		if suffix != "" {
			id += "-" + strings.ToUpper(suffix[:1]) + suffix[1:]
		}
		ids = append(ids, id)
	}
	return ids
}

// unlinked matches a name in brackets that go/doc has not turned into a link.
var unlinked = regexp.MustCompile(`(^|[\s(])\[\*?([A-Z]\w*|[a-z]\w*\.[A-Z]\w*)(\.[A-Z]\w*)?\]`)

// TestPages: pkg.go.dev shows each public package with its overview first, every exported name, method and field, every
// example, and no link that leads nowhere.
func TestPages(t *testing.T) {
	modules := []string{".", "config", "ddbvet", "dump/s3", "payload/s3", "payload/zstd"}
	public, all := load(t, modules)
	if len(public) < 30 {
		t.Fatalf("only %d public packages", len(public))
	}
	s := serve(t, modules)
	pages, ids := map[string]*html.Node{}, map[string]map[string]bool{}
	for _, lib := range public {
		page, status, err := s.get(t.Context(), "/"+lib.PkgPath)
		if err != nil || status != http.StatusOK {
			t.Fatalf("%s: status %d, %v", lib.PkgPath, status, err)
		}
		content := find(page, "Documentation-content")
		if content == nil {
			t.Errorf("%s: no documentation", lib.PkgPath)
			continue
		}
		pages[lib.PkgPath], ids[lib.PkgPath] = content, map[string]bool{}
		for n := range page.Descendants() {
			if id := attribute(n, "id"); id != "" {
				ids[lib.PkgPath][id] = true
			}
		}
	}
	loadTargets(t, modules, pages, all)
	links := 0
	for _, lib := range public {
		content := pages[lib.PkgPath]
		if content == nil {
			continue
		}
		overview(t, lib, content)
		shown := examples(t, lib)
		for _, id := range slices.Concat(anchors(lib.Types), shown) {
			if !ids[lib.PkgPath][id] {
				t.Errorf("%s: the page lacks %s", lib.PkgPath, id)
			}
		}
		if len(shown) == 0 && !codeIn(find(content, "Documentation-overview")) {
			t.Errorf("%s has no example, neither as a function nor in its overview", lib.PkgPath)
		}
		for n := range content.Descendants() {
			switch {
			case n.Type == html.TextNode && n.Parent.Data != "a" && !within(n, "pre") && !within(n, "textarea"):
				for _, name := range unlinked.FindAllString(n.Data, -1) {
					t.Errorf("%s: %s is not a link, in %q", lib.PkgPath, name, strings.TrimSpace(n.Data))
				}
			case n.Type == html.ElementNode && n.Data == "a" && attribute(n, "href") != "":
				links++
				if why := dead(attribute(n, "href"), lib.PkgPath, ids, all); why != "" {
					t.Errorf("%s: the link %s %s", lib.PkgPath, attribute(n, "href"), why)
				}
			}
		}
	}
	t.Logf("%d packages, %d links", len(public), links)
}

func within(n *html.Node, element string) bool {
	for a := range n.Ancestors() {
		if a.Type == html.ElementNode && a.Data == element {
			return true
		}
	}
	return false
}

// overview checks that the page begins with the package overview.
func overview(t *testing.T, lib library, content *html.Node) {
	t.Helper()
	first := find(content, "Documentation-overview")
	if first == nil {
		t.Errorf("%s: no overview", lib.PkgPath)
		return
	}
	for n := range content.Descendants() {
		if n == first {
			break
		}
		if strings.HasPrefix(attribute(n, "class"), "Documentation-index") {
			t.Errorf("%s: the overview is not first", lib.PkgPath)
		}
	}
	for n := range first.Descendants() {
		if n.Type == html.ElementNode && n.Data == "p" {
			if !strings.HasPrefix(text(n), "Package "+lib.Name+" ") {
				t.Errorf("%s: the overview begins with %q", lib.PkgPath, text(n))
			}
			return
		}
	}
	t.Errorf("%s: the overview is empty", lib.PkgPath)
}

// dead returns the reason why a link is dead, or "". Links to other sites are not followed.
func dead(href, page string, ids map[string]map[string]bool, all map[string]*types.Package) string {
	u, err := url.Parse(href)
	if err != nil {
		return err.Error()
	}
	if u.IsAbs() {
		if u.Scheme != "https" && u.Hostname() != "localhost" && net.ParseIP(u.Hostname()) == nil { // the reader's own machine
			return "is not https"
		}
		return ""
	}
	if strings.HasPrefix(u.Path, "/files/") { // the source, which pkg.go.dev links to the repository
		return ""
	}
	target, fragment := strings.Trim(u.Path, "/"), u.Fragment
	if target == "" {
		target = page
	}
	target = strings.ReplaceAll(target, "@v0.0.0", "")
	switch {
	case ids[target] != nil:
		if fragment != "" && !ids[target][fragment] {
			return "has no such place on the page"
		}
	case target == "builtin":
		if types.Universe.Lookup(fragment) == nil {
			return "is not a predeclared name"
		}
	case all[target] == nil:
		return "is to no package"
	case fragment != "":
		name, member, _ := strings.Cut(fragment, ".")
		object := all[target].Scope().Lookup(name)
		if object == nil || !object.Exported() {
			return "has no such name"
		}
		if member != "" {
			if m, _, _ := types.LookupFieldOrMethod(object.Type(), true, all[target], member); m == nil {
				return "has no such method or field"
			}
		}
	}
	return ""
}
