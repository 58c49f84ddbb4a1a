// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"
)

// scope is the function that statements are put into: its variables, and the error that nobody has looked at.
type scope struct {
	defined map[string]bool
	errLine int // of the last assignment to err, 0 if there is none
	unseen  bool
}

func newScope() *scope { return &scope{defined: map[string]bool{}} }

// edit is text to insert at an offset of the source, in place of some of it.
type edit struct {
	at, instead int
	text        string
}

const (
	header = "package p\nfunc _() error {\n"
	footer = "\nreturn nil\n}\n"
)

// statements makes the statements of a chunk fit for a scope: variables that are all there are assigned to, all that
// are new count as used, a bare return becomes one of nil, and no error is overwritten unseen.
func (s *scope) statements(b block, c chunk) (string, []problem) {
	files := token.NewFileSet()
	tree, err := parser.ParseFile(files, "", header+c.text+footer, parser.SkipObjectResolution)
	if err != nil {
		return "", syntaxProblems(b.file, c.line-strings.Count(header, "\n"), err)
	}
	body := tree.Decls[0].(*ast.FuncDecl).Body
	e := editor{files: files, scope: s, block: b, line: c.line - strings.Count(header, "\n") - 1}
	list := body.List[:len(body.List)-1]
	for _, statement := range list {
		e.top(statement)
	}
	e.nested(list)
	return e.apply(c.text), nil
}

// syntaxProblems turns errors of the parser into those of the document; line is that of the parsed text's first line.
func syntaxProblems(file string, line int, err error) []problem {
	var list scanner.ErrorList
	if !errors.As(err, &list) {
		return []problem{{file, line, err.Error()}}
	}
	var problems []problem
	for _, e := range list {
		problems = append(problems, problem{file, line + e.Pos.Line - 1, e.Msg})
	}
	return problems
}

// editor gathers what has to change in the text of a chunk.
type editor struct {
	files *token.FileSet
	scope *scope
	block block
	line  int // of the document before the parsed text's first line
	edits []edit
}

func (e *editor) offset(p token.Pos) int { return e.files.Position(p).Offset - len(header) }

func (e *editor) insert(p token.Pos, text string) {
	e.edits = append(e.edits, edit{at: e.offset(p), text: text})
}

func (e *editor) apply(text string) string {
	slices.SortStableFunc(e.edits, func(a, b edit) int { return b.at - a.at })
	// Several insertions at one place keep their order.
	for i := 0; i < len(e.edits); {
		j := i
		var joined strings.Builder
		for ; j < len(e.edits) && e.edits[j].at == e.edits[i].at; j++ {
			joined.WriteString(e.edits[j].text)
		}
		at := e.edits[i].at
		text = text[:at] + joined.String() + text[at+e.edits[i].instead:]
		i = j
	}
	return text
}

// top sees to a statement of the scope itself.
func (e *editor) top(statement ast.Stmt) {
	s := e.scope
	assign, _ := statement.(*ast.AssignStmt)
	line := e.line + e.files.Position(statement.Pos()).Line
	if assign == nil {
		if mentions(statement, "err") > 0 {
			s.unseen = false
		}
		if d, ok := statement.(*ast.DeclStmt); ok {
			e.define(statement, declaredNames(d))
		}
		return
	}
	written := 0
	for _, x := range assign.Lhs {
		if id, ok := x.(*ast.Ident); ok && id.Name == "err" {
			written++
		}
	}
	if mentions(statement, "err") > written {
		s.unseen = false
	}
	if written > 0 {
		if s.unseen && !e.block.is("fails") {
			e.insert(statement.Pos(), errCheck(e.block.file, s.errLine)+"; ")
		}
		s.unseen, s.errLine = true, line
	}
	if assign.Tok != token.DEFINE {
		return
	}
	names := identifiers(assign.Lhs)
	if !slices.ContainsFunc(names, func(n string) bool { return !s.defined[n] }) {
		e.edits = append(e.edits, edit{at: e.offset(assign.TokPos), instead: len(":="), text: " ="})
		return
	}
	e.define(statement, names)
}

func (e *editor) define(statement ast.Stmt, names []string) {
	for _, n := range names {
		e.scope.defined[n] = true
	}
	e.insert(statement.End(), use(names))
}

// nested handles the blocks inside statements: variables count as used there too, and returns.
func (e *editor) nested(list []ast.Stmt) {
	var visit func(inLiteral bool) func(ast.Node) bool
	visit = func(inLiteral bool) func(ast.Node) bool {
		return func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				ast.Inspect(n.Body, visit(true))
				return false
			case *ast.ReturnStmt:
				if !inLiteral && len(n.Results) == 0 {
					e.insert(n.End(), " nil")
				}
			case *ast.BlockStmt:
				e.inBlock(n.List)
			case *ast.CaseClause:
				e.inBlock(n.Body)
			case *ast.CommClause:
				if a, ok := n.Comm.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
					e.insert(n.Colon+1, use(identifiers(a.Lhs))+";")
				}
				e.inBlock(n.Body)
			case *ast.RangeStmt:
				if n.Tok == token.DEFINE {
					e.insert(n.Body.Lbrace+1, use(identifiers([]ast.Expr{n.Key, n.Value}))+";")
				}
			case *ast.IfStmt:
				e.initial(n.Init, n.Body)
			case *ast.ForStmt:
				e.initial(n.Init, n.Body)
			}
			return true
		}
	}
	for _, statement := range list {
		ast.Inspect(statement, visit(false))
	}
}

func (e *editor) inBlock(list []ast.Stmt) {
	for _, statement := range list {
		switch d := statement.(type) {
		case *ast.AssignStmt:
			if d.Tok == token.DEFINE {
				e.insert(d.End(), use(identifiers(d.Lhs)))
			}
		case *ast.DeclStmt:
			e.insert(d.End(), use(declaredNames(d)))
		}
	}
}

func (e *editor) initial(statement ast.Stmt, body *ast.BlockStmt) {
	if a, ok := statement.(*ast.AssignStmt); ok && a.Tok == token.DEFINE {
		e.insert(body.Lbrace+1, use(identifiers(a.Lhs))+";")
	}
}

// use is a statement behind another that makes variables used.
func use(names []string) string {
	var b strings.Builder
	for _, n := range names {
		b.WriteString("; _ = " + n)
	}
	return b.String()
}

func errCheck(file string, line int) string {
	return fmt.Sprintf("docs_error(err, %q)", fmt.Sprintf("%s:%d", file, line))
}

// mentions counts the uses of a variable in a statement.
func mentions(n ast.Node, name string) int {
	count := 0
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			count += mentions(n.X, name)
			return false
		case *ast.Ident:
			if n.Name == name {
				count++
			}
		}
		return true
	})
	return count
}

func identifiers(list []ast.Expr) []string {
	var names []string
	for _, x := range list {
		if id, ok := x.(*ast.Ident); ok && id.Name != "_" {
			names = append(names, id.Name)
		}
	}
	return names
}

// declaredNames are the variables of a var declaration.
func declaredNames(d *ast.DeclStmt) []string {
	var names []string
	decl, ok := d.Decl.(*ast.GenDecl)
	if !ok || decl.Tok != token.VAR {
		return nil
	}
	for _, spec := range decl.Specs {
		for _, id := range spec.(*ast.ValueSpec).Names {
			if id.Name != "_" {
				names = append(names, id.Name)
			}
		}
	}
	return names
}
