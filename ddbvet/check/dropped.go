// SPDX-License-Identifier: Apache-2.0

package check

import (
	"go/ast"
	"go/token"
	"go/types"

	"golang.org/x/tools/go/analysis"
)

// DroppedResult reports calls of package ddb that do nothing, because their result is thrown away: builders such as
// Query.Limit return a changed copy, conditions and changes are values, and an iterator runs in a loop only. An assignment to
// the blank identifier is taken as meant.
var DroppedResult = &analysis.Analyzer{
	Name: "ddbdropped", URL: page + "#dropped-results",
	Doc: "report calls of package ddb whose result is thrown away, so that they do nothing",
	Run: droppedResults,
}

// values are the types of package ddb that have no effect until they are given to a call, and what such a call is.
var values = map[string]string{
	"Query": "builders return a changed copy", "IndexQuery": "builders return a changed copy", "Scan": "builders return a changed copy",
	"IndexScan": "builders return a changed copy", "Reader": "builders return a changed copy",
	"CondOf": "it is a condition that no call gets", "SortCond": "it is a condition that no call gets", "SizeOf": "it is a condition that no call gets",
	"ChangeOf": "it is a change that no call gets", "UpdateOption": "it is an option that no call gets", "Option": "it is an option that no call gets",
	"TxOp":       "it is an operation that no transaction has",
	"AttrHandle": "it is a handle", "OrdHandle": "it is a handle", "NumHandle": "it is a handle", "StrHandle": "it is a handle",
	"BinHandle": "it is a handle", "SetHandle": "it is a handle", "ListHandle": "it is a handle", "MapHandle": "it is a handle",
}

func droppedResults(pass *analysis.Pass) (any, error) {
	report := func(x ast.Expr) {
		call, ok := ast.Unparen(x).(*ast.CallExpr)
		if !ok {
			return
		}
		f := calleeOf(pass, call)
		if !ofModule(f) {
			return
		}
		t := pass.TypesInfo.TypeOf(call)
		if t == nil {
			return
		}
		if iterates(t) {
			pass.Reportf(call.Pos(), "the result of %s is thrown away: an iterator does nothing until a loop ranges over it", f.Name())
			return
		}
		if why := values[named(t)]; why != "" {
			pass.Reportf(call.Pos(), "the result of %s is thrown away, so the call does nothing: %s", f.Name(), why)
		}
	}
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.ExprStmt:
				report(n.X)
			case *ast.GoStmt:
				report(n.Call)
			case *ast.DeferStmt:
				report(n.Call)
			}
			return true
		})
	}
	return nil, nil //nolint:nilnil // no result
}

// DroppedError reports loops over iterators of package ddb and of those below it that leave the error out. An iterator yields its
// error last, and then ends: without a look at it a failed read is taken for the end of the data, with one empty value before it. A loop
// without variables is not reported: there the error is one more turn.
var DroppedError = &analysis.Analyzer{
	Name: "ddbiterror", URL: page + "#dropped-errors",
	Doc: "report loops over iterators of package ddb that leave the error out",
	Run: droppedErrors,
}

func droppedErrors(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		made := iterators(pass, file)
		ast.Inspect(file, func(n ast.Node) bool {
			loop, ok := n.(*ast.RangeStmt)
			if !ok || loop.Key == nil || loop.Value != nil && !blank(loop.Value) {
				return true
			}
			if t := pass.TypesInfo.TypeOf(loop.X); t == nil || !iterates(t) {
				return true
			}
			switch x := ast.Unparen(loop.X).(type) {
			case *ast.CallExpr:
				if f := calleeOf(pass, x); ofModule(f) {
					pass.Reportf(loop.Pos(), "the loop leaves out the error of %s: a failed read looks like the end of the data", f.Name())
				}
			case *ast.Ident:
				if f := made[pass.TypesInfo.ObjectOf(x)]; f != nil {
					pass.Reportf(loop.Pos(), "the loop leaves out the error of %s: a failed read looks like the end of the data", f.Name())
				}
			}
			return true
		})
	}
	return nil, nil //nolint:nilnil // no result
}

func blank(x ast.Expr) bool {
	name, ok := x.(*ast.Ident)
	return ok && name.Name == "_"
}

// iterators are the variables of the file that hold the result of one call, and nothing else.
func iterators(pass *analysis.Pass, file *ast.File) map[types.Object]*types.Func {
	made := map[types.Object]*types.Func{}
	set := map[types.Object]int{}
	note := func(name ast.Expr, value ast.Expr) {
		id, ok := ast.Unparen(name).(*ast.Ident)
		if !ok {
			return
		}
		object := pass.TypesInfo.ObjectOf(id)
		if object == nil {
			return
		}
		set[object]++
		if call, ok := ast.Unparen(value).(*ast.CallExpr); ok {
			if f := calleeOf(pass, call); ofModule(f) && set[object] == 1 {
				made[object] = f
				return
			}
		}
		delete(made, object)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, name := range n.Lhs {
				value := n.Rhs[0]
				if len(n.Rhs) == len(n.Lhs) {
					value = n.Rhs[i]
				}
				note(name, value)
			}
		case *ast.ValueSpec:
			for i, name := range n.Names {
				if len(n.Values) == len(n.Names) {
					note(name, n.Values[i])
				} else {
					set[pass.TypesInfo.ObjectOf(name)]++
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND { // it may be set from anywhere
				note(n.X, n.X)
			}
		}
		return true
	})
	return made
}
