// SPDX-License-Identifier: Apache-2.0

package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"golang.org/x/tools/go/analysis"
)

// EmptyCondition reports an If, Or or In without conditions or values, and with a list that was empty when it was made and that a way
// through the function leaves so. The call that gets such a condition refuses it. Whoever looks at the list, such as by len, has thought of it.
var EmptyCondition = &analysis.Analyzer{
	Name: "ddbempty", URL: page + "#empty-conditions",
	Doc: "report conditions of package ddb that have no parts, or may have none",
	Run: emptyConditions,
}

// fixed is the number of arguments before the list, by function.
var fixed = map[string]int{"If": 0, "Or": 0, "In": 1}

func emptyConditions(pass *analysis.Pass) (any, error) {
	functions(pass, func(body *ast.BlockStmt) {
		ast.Inspect(body, func(n ast.Node) bool {
			if _, inner := n.(*ast.FuncLit); inner {
				return false // has a turn of its own
			}
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f := calleeOf(pass, call)
			if !ofLibrary(f) || f.Signature().Recv() != nil {
				return true
			}
			before, ok := fixed[f.Name()]
			if !ok {
				return true
			}
			if len(call.Args) == before {
				pass.Reportf(call.Pos(), "%s of nothing is refused by every call that gets it; leave it out", f.Name())
				return true
			}
			if call.Ellipsis == token.NoPos {
				return true
			}
			switch x := ast.Unparen(call.Args[len(call.Args)-1]).(type) {
			case *ast.CompositeLit:
				if len(x.Elts) == 0 {
					pass.Reportf(call.Pos(), "%s of nothing is refused by every call that gets it; leave it out", f.Name())
				}
			case *ast.Ident:
				if mayBeEmpty(pass, body, x) {
					pass.Reportf(call.Pos(), "%s of %s, which may be empty, is refused by every call that gets it; look at its length before", f.Name(), x.Name)
				}
			}
			return true
		})
	})
	return nil, nil //nolint:nilnil // no result
}

// mayBeEmpty reports a variable that the body declares as an empty list and appends to on some ways only. It is silent where a
// reason may lie that cannot be seen: another use of the list, a use below a condition, a way out of the function before.
func mayBeEmpty(pass *analysis.Pass, body *ast.BlockStmt, use *ast.Ident) bool {
	object := pass.TypesInfo.ObjectOf(use)
	if object == nil {
		return false
	}
	l := list{pass: pass, object: object, spread: use}
	at := slices.IndexFunc(body.List, l.declares)
	if at < 0 || !l.plain(body) || l.guarded(body) {
		return false
	}
	return l.reaches(body.List[at+1:])
}

// list is a variable that is looked at.
type list struct {
	pass   *analysis.Pass
	object types.Object
	spread *ast.Ident // the use that is in question
}

// guarded reports a way out of the function before the use, which may be the one for an empty list. An error that is returned is none.
func (l *list) guarded(body *ast.BlockStmt) (found bool) {
	ast.Inspect(body, func(n ast.Node) bool {
		if s, ok := n.(*ast.IfStmt); ok && s.End() <= l.spread.Pos() && l.leaves(s.Body.List) && !l.aboutError(s.Cond) {
			found = true
		}
		return !found
	})
	return found
}

// aboutError reports a comparison of an error with nil.
func (l *list) aboutError(x ast.Expr) bool {
	b, ok := ast.Unparen(x).(*ast.BinaryExpr)
	if !ok || b.Op != token.NEQ {
		return false
	}
	t := l.pass.TypesInfo.TypeOf(b.X)
	return t != nil && types.Identical(t, types.Universe.Lookup("error").Type())
}

// reaches reports that the use may be reached with an empty list.
func (l *list) reaches(stmts []ast.Stmt) bool {
	for _, s := range stmts {
		if contains(s, l.spread) {
			switch s := s.(type) {
			case *ast.BlockStmt:
				return l.reaches(s.List)
			case *ast.LabeledStmt:
				return l.reaches([]ast.Stmt{s.Stmt})
			case *ast.ForStmt:
				return contains(s.Body, l.spread) && l.reaches(s.Body.List)
			case *ast.RangeStmt:
				return contains(s.Body, l.spread) && l.reaches(s.Body.List)
			case *ast.IfStmt: // the use may be in its first statement
				return s.Init != nil && contains(s.Init, l.spread) || contains(s.Cond, l.spread)
			case *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt:
				return false
			}
			return true
		}
		if l.fills(s) {
			return false
		}
	}
	return false
}

func (l *list) declares(s ast.Stmt) bool {
	switch s := s.(type) {
	case *ast.DeclStmt:
		gen, ok := s.Decl.(*ast.GenDecl)
		if !ok {
			return false
		}
		for _, spec := range gen.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok {
				for i, name := range v.Names {
					if l.is(name) {
						return len(v.Values) == 0 || len(v.Values) == len(v.Names) && l.empty(v.Values[i])
					}
				}
			}
		}
	case *ast.AssignStmt:
		return s.Tok == token.DEFINE && len(s.Lhs) == 1 && len(s.Rhs) == 1 && l.is(s.Lhs[0]) && l.empty(s.Rhs[0])
	}
	return false
}

// empty reports expressions for a list without elements.
func (l *list) empty(x ast.Expr) bool {
	switch x := ast.Unparen(x).(type) {
	case *ast.CompositeLit:
		return len(x.Elts) == 0
	case *ast.CallExpr:
		if id, ok := ast.Unparen(x.Fun).(*ast.Ident); ok && len(x.Args) >= 2 {
			if b, ok := l.pass.TypesInfo.Uses[id].(*types.Builtin); ok && b.Name() == "make" {
				length := l.pass.TypesInfo.Types[x.Args[1]].Value
				return length != nil && length.String() == "0"
			}
		}
	}
	return false
}

func (l *list) is(x ast.Expr) bool {
	id, ok := ast.Unparen(x).(*ast.Ident)
	return ok && l.pass.TypesInfo.ObjectOf(id) == l.object
}

// appended reports conds = append(conds, ...) of an element or more. A list of unknown length is taken for enough.
func (l *list) appended(s ast.Stmt) bool {
	a, isAssign := s.(*ast.AssignStmt)
	if !isAssign || a.Tok != token.ASSIGN || len(a.Lhs) != 1 || len(a.Rhs) != 1 || !l.is(a.Lhs[0]) {
		return false
	}
	call, isCall := ast.Unparen(a.Rhs[0]).(*ast.CallExpr)
	if !isCall || len(call.Args) < 2 || !l.is(call.Args[0]) {
		return false
	}
	id, isIdent := ast.Unparen(call.Fun).(*ast.Ident)
	if !isIdent {
		return false
	}
	b, isBuiltin := l.pass.TypesInfo.Uses[id].(*types.Builtin)
	return isBuiltin && b.Name() == "append"
}

// plain reports that the variable is appended to and spread, and nothing else.
func (l *list) plain(body *ast.BlockStmt) bool {
	known := map[*ast.Ident]bool{l.spread: true}
	ast.Inspect(body, func(n ast.Node) bool {
		s, ok := n.(ast.Stmt)
		if !ok {
			return true
		}
		if l.appended(s) {
			a := s.(*ast.AssignStmt)
			known[ast.Unparen(a.Lhs[0]).(*ast.Ident)] = true
			known[ast.Unparen(ast.Unparen(a.Rhs[0]).(*ast.CallExpr).Args[0]).(*ast.Ident)] = true
		}
		return true
	})
	plain := true
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && l.pass.TypesInfo.Uses[id] == l.object && !known[id] {
			plain = false
		}
		return plain
	})
	return plain
}

// fills reports statements behind which the list has an element, if they are passed at all.
func (l *list) fills(s ast.Stmt) bool {
	if l.appended(s) {
		return true
	}
	switch s := s.(type) {
	case *ast.BlockStmt:
		return l.anyFills(s.List)
	case *ast.LabeledStmt:
		return l.fills(s.Stmt)
	case *ast.IfStmt:
		if s.Else == nil {
			return false
		}
		return (l.fills(s.Body) || l.leaves(s.Body.List)) && (l.fills(s.Else) || l.leaves([]ast.Stmt{s.Else}))
	case *ast.SwitchStmt:
		return l.clauses(s.Body)
	case *ast.TypeSwitchStmt:
		return l.clauses(s.Body)
	case *ast.ForStmt:
		return mentions(s.Body, l) // how often it runs cannot be seen
	case *ast.RangeStmt:
		return l.ranges(s)
	case *ast.SelectStmt:
		return mentions(s.Body, l)
	}
	return mentions(s, l) // a way to add that is not known
}

func (l *list) anyFills(stmts []ast.Stmt) bool { return slices.ContainsFunc(stmts, l.fills) }

// clauses reports a switch each of whose clauses fills the list or leaves the function.
func (l *list) clauses(body *ast.BlockStmt) bool {
	hasDefault := false
	for _, c := range body.List {
		clause := c.(*ast.CaseClause)
		hasDefault = hasDefault || clause.List == nil
		if !l.anyFills(clause.Body) && !l.leaves(clause.Body) {
			return false
		}
	}
	return hasDefault
}

// ranges reports loops that run at least once and fill the list: over a literal that has elements, an array, or a
// number. A loop over what a caller gives is one that may not run; all other loops are given the benefit of the doubt.
func (l *list) ranges(s *ast.RangeStmt) bool {
	if !mentions(s.Body, l) {
		return false
	}
	id, ok := ast.Unparen(s.X).(*ast.Ident)
	if !ok {
		return true
	}
	v, ok := l.pass.TypesInfo.ObjectOf(id).(*types.Var)
	if !ok {
		return true
	}
	switch v.Type().Underlying().(type) {
	case *types.Slice, *types.Map:
		return !isParam(l.pass, v)
	}
	return true
}

// isParam reports a parameter of a function.
func isParam(pass *analysis.Pass, v *types.Var) bool {
	for _, f := range pass.Files {
		if f.FileStart > v.Pos() || v.Pos() >= f.FileEnd {
			continue
		}
		found := false
		ast.Inspect(f, func(n ast.Node) bool {
			if t, ok := n.(*ast.FuncType); ok && t.Params != nil && t.Params.Pos() <= v.Pos() && v.Pos() < t.Params.End() {
				found = true
			}
			return !found
		})
		return found
	}
	return false
}

// leaves reports statements whose last leaves the block for good.
func (l *list) leaves(list []ast.Stmt) bool {
	if len(list) == 0 {
		return false
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt, *ast.BranchStmt:
		return true
	case *ast.BlockStmt:
		return l.leaves(s.List)
	case *ast.IfStmt:
		return s.Else != nil && l.leaves(s.Body.List) && l.leaves([]ast.Stmt{s.Else})
	case *ast.ExprStmt:
		call, ok := s.X.(*ast.CallExpr)
		if !ok {
			return false
		}
		if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && id.Name == "panic" {
			return true
		}
		f := calleeOf(l.pass, call)
		return f != nil && (f.Name() == "Fatal" || f.Name() == "Fatalf" || f.Name() == "Exit" || f.Name() == "FailNow" || f.Name() == "Skip")
	}
	return false
}

func contains(n ast.Node, use *ast.Ident) bool { return n.Pos() <= use.Pos() && use.End() <= n.End() }

// mentions reports a use of the variable below a node.
func mentions(n ast.Node, l *list) (found bool) {
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && l.pass.TypesInfo.ObjectOf(id) == l.object {
			found = true
		}
		return !found
	})
	return found
}
