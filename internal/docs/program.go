// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// program is what the Go blocks of a file become: one for all, or one for a block with a package clause.
type program struct {
	file   string
	blocks []block
	own    bool // one block with a package clause
	source string
	main   bool // it can be run
}

// tourPackage is the name of the packages that tours become: they are linked into one program, which no package main can be
// part of. In the output of a tour it is replaced by main.
const tourPackage = "docs_main"

// tourProgram is the folder of that program.
const tourProgram = "tours"

// support is the file that is compiled with the generated file of a tour.
const support = `package ` + tourPackage + `

import (
	"fmt"
	"os"
)

// docs_block reports that a block begins; the last number is the end's.
func docs_block(n int) { fmt.Fprintf(os.Stdout, "\x00%d\x00", n) }

func docs_error(err error, at string) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", at, err)
		os.Exit(3)
	}
}

func docs_fails(err error, at string) {
	if err == nil {
		fmt.Fprintf(os.Stderr, "%s: err is nil, and the block is said to fail\n", at)
		os.Exit(3)
	}
}
`

// programsOf makes the programs of a file's blocks.
func programsOf(root string, blocks []block, packages map[string]string) ([]*program, []problem) {
	var programs []*program
	var problems []problem
	tour := &program{main: true}
	for _, b := range blocks {
		if b.kind != "go" || b.is("skip") {
			continue
		}
		if b.want != nil && b.is("compile") {
			problems = append(problems, problem{b.file, b.want.line, "this is the output of a block that is only compiled"})
			continue
		}
		if tokens := strings.Fields(withoutComments(b.code)); len(tokens) > 1 && tokens[0] == "package" {
			if tokens[1] != "main" {
				problems = append(problems, parsed(b)...)
				continue
			}
			p := &program{file: b.file, blocks: []block{b}, own: true, main: !b.is("compile")}
			p.source = position(root, b.file, b.line) + b.code + "\n"
			programs = append(programs, p)
			continue
		}
		tour.file, tour.blocks = b.file, append(tour.blocks, b)
	}
	if len(tour.blocks) > 0 {
		if faults := tour.write(root, packages); len(faults) > 0 {
			return programs, append(problems, faults...)
		}
		programs = append(programs, tour)
	}
	return programs, problems
}

// parsed checks the syntax of a part of a package, which cannot be compiled without the rest.
func parsed(b block) []problem {
	if _, err := parser.ParseFile(token.NewFileSet(), "", b.code, parser.SkipObjectResolution); err != nil {
		return syntaxProblems(b.file, b.line, err)
	}
	return nil
}

func withoutComments(code string) string {
	var kept []string
	for line := range strings.SplitSeq(code, "\n") {
		if !strings.HasPrefix(strings.TrimSpace(line), "//") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "\n")
}

func position(root, file string, line int) string {
	return fmt.Sprintf("//line %s:%d\n", filepath.ToSlash(filepath.Join(root, file)), line)
}

// write makes the source of the program of a whole file.
func (p *program) write(root string, packages map[string]string) []problem {
	var problems []problem
	var imports, declarations, body strings.Builder
	var tests []string
	imported := map[string]bool{}
	outer := newScope()
	for i, b := range p.blocks {
		fmt.Fprintf(&body, "docs_block(%d)\n", i)
		s := outer
		inner := b.is("scope") || b.is("compile")
		if inner {
			s = newScope()
			body.WriteString("docs_f = func() error {\n")
		}
		for _, c := range split(b) {
			at := position(root, b.file, c.line)
			switch {
			case c.token == token.IMPORT:
				names, faults := importNames(b, c)
				problems = append(problems, faults...)
				for _, n := range names {
					imported[n] = true
				}
				imports.WriteString(at + c.text + "\n")
			case c.token != token.ILLEGAL && (c.token != token.VAR || !uses(c.names, outer.defined) && !uses(c.names, s.defined)):
				declarations.WriteString(at + c.text + "\n")
				if c.isTest() {
					tests = append(tests, c.name)
				}
			default:
				text, faults := s.statements(b, c)
				problems = append(problems, faults...)
				body.WriteString(at + text + "\n")
			}
		}
		body.WriteString(s.end(b))
		if inner {
			body.WriteString("return nil\n}\n")
			if !b.is("compile") {
				fmt.Fprintf(&body, "docs_error(docs_f(), %q)\n", fmt.Sprintf("%s:%d", b.file, b.line))
			}
		}
	}
	if len(problems) > 0 {
		return problems
	}
	code := declarations.String() + "\nfunc docs_tour() error {\nvar docs_f func() error; _ = docs_f\n" + body.String() +
		fmt.Sprintf("docs_block(%d)\nreturn nil\n}\n\n", len(p.blocks)) + mainOf(p.file, tests)
	found, err := importsOf(code, imported, packages)
	if err != nil {
		return []problem{{p.file, p.blocks[0].line, "the program that was made of the blocks cannot be parsed: " + err.Error()}}
	}
	p.source = "package " + tourPackage + "\n\n" + found + imports.String() + code
	return nil
}

func uses(names, defined map[string]bool) bool {
	for n := range names {
		if defined[n] {
			return true
		}
	}
	return false
}

// end is what follows the statements of a block: the look at its error.
func (s *scope) end(b block) string {
	s.unseen = false
	switch {
	case s.errLine == 0 && b.is("fails"):
		return fmt.Sprintf("docs_fails(nil, %q)\n", fmt.Sprintf("%s:%d", b.file, b.line))
	case s.errLine == 0:
		return ""
	case b.is("fails"):
		return fmt.Sprintf("docs_fails(err, %q); err = nil\n", fmt.Sprintf("%s:%d", b.file, s.errLine))
	}
	return errCheck(b.file, s.errLine) + "\n"
}

// toursMain is the source of the program that has all tours in it, and runs the one whose folder is its argument.
func toursMain(parent string, names []string) string {
	var imports, cases strings.Builder
	for _, name := range names {
		fmt.Fprintf(&imports, "import docs_%s %q\n", name, parent+"/"+name)
		fmt.Fprintf(&cases, "case %q:\ndocs_%s.Docs_run()\n", name, name)
	}
	return "package main\n\nimport \"os\"\n" + imports.String() + "\nfunc main() {\nname := os.Args[1]\nos.Args = os.Args[:1]\nswitch name {\n" + cases.String() + "}\n}\n"
}

// mainOf runs the statements, and then the tests that the blocks declare.
func mainOf(file string, tests []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "func Docs_run() {\ndocs_error(docs_tour(), %q)\n", file)
	if len(tests) > 0 {
		text.WriteString("testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{\n")
		for _, t := range tests {
			fmt.Fprintf(&text, "{Name: %q, F: %s},\n", t, t)
		}
		text.WriteString("}, nil, nil)\n")
	}
	text.WriteString("}\n")
	return text.String()
}

var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// importNames are the names that an import declaration of a document gives.
func importNames(b block, c chunk) ([]string, []problem) {
	tree, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+c.text+"\n", parser.ImportsOnly)
	if err != nil {
		return nil, syntaxProblems(b.file, c.line-1, err)
	}
	var names []string
	for _, spec := range tree.Imports {
		if spec.Name != nil {
			names = append(names, spec.Name.Name)
			continue
		}
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, []problem{{b.file, c.line, err.Error()}}
		}
		if majorVersion.MatchString(path.Base(imported)) {
			imported = path.Dir(imported)
		}
		names = append(names, path.Base(imported))
	}
	return names, nil
}

// importsOf finds the packages that code uses without importing them.
func importsOf(code string, imported map[string]bool, packages map[string]string) (string, error) {
	// Which name is no variable's is what the parser's resolution says; go/types would need the packages first.
	tree, err := parser.ParseFile(token.NewFileSet(), "", "package main\n"+code, 0)
	if err != nil {
		return "", err
	}
	unresolved := map[*ast.Ident]bool{}
	for _, id := range tree.Unresolved {
		unresolved[id] = true
	}
	found := map[string]bool{}
	ast.Inspect(tree, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if id, ok := s.X.(*ast.Ident); ok && unresolved[id] && !imported[id.Name] && packages[id.Name] != "" {
				found[id.Name] = true
			}
		}
		return true
	})
	var lines []string
	for name := range found {
		lines = append(lines, fmt.Sprintf("import %s %q\n", name, packages[name]))
	}
	slices.Sort(lines)
	return strings.Join(lines, ""), nil
}
