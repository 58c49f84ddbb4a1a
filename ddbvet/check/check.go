// SPDX-License-Identifier: Apache-2.0

// Package check has analyzers for code that uses package ddb. They report what types cannot refuse and what is wrong for certain:
//
//   - [DroppedResult]: the result of a builder, a condition, a change or an iterator is thrown away, so the call does nothing.
//   - [DroppedError]: a loop over an iterator leaves its error out, so that it takes a failed read for the end of the data.
//   - [NoField]: the function of a handle returns something else than the address of a stored field.
//   - [EmptyCondition]: an If, an Or or an In gets no conditions or values, or a list that may have none, which the call refuses.
//
// Command ddbvet runs them all. For a command of your own with others:
//
//	func main() {
//		unitchecker.Main(append(check.Analyzers(), others...)...)
//	}
package check

import (
	"go/ast"
	"go/types"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// Analyzers are all of the package.
func Analyzers() []*analysis.Analyzer {
	return []*analysis.Analyzer{DroppedResult, DroppedError, NoField, EmptyCondition}
}

const (
	library = "github.com/dynamotable/ddb"
	page    = "https://github.com/dynamotable/ddb/blob/main/docs/guides/vet.md"
)

// calleeOf is the function or method that a call calls, without its type arguments; nil if it is a value.
func calleeOf(pass *analysis.Pass, call *ast.CallExpr) *types.Func {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = ast.Unparen(f.X)
	case *ast.IndexListExpr:
		fun = ast.Unparen(f.X)
	}
	var name *ast.Ident
	switch f := fun.(type) {
	case *ast.SelectorExpr:
		name = f.Sel
	case *ast.Ident:
		name = f
	default:
		return nil
	}
	f, ok := pass.TypesInfo.Uses[name].(*types.Func)
	if !ok {
		return nil
	}
	return f.Origin()
}

// ofLibrary reports a function of package ddb.
func ofLibrary(f *types.Func) bool { return f != nil && f.Pkg() != nil && f.Pkg().Path() == library }

// ofModule reports a function of package ddb or of those below it.
func ofModule(f *types.Func) bool {
	return f != nil && f.Pkg() != nil && (f.Pkg().Path() == library || strings.HasPrefix(f.Pkg().Path(), library+"/"))
}

// named is the name of a type of package ddb, pointers aside; empty for others.
func named(t types.Type) string {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != library {
		return ""
	}
	return n.Obj().Name()
}

// iterates reports an iterator of values with errors, an iter.Seq2[V, error].
func iterates(t types.Type) bool {
	outer, ok := t.Underlying().(*types.Signature)
	if !ok || outer.Params().Len() != 1 || outer.Results().Len() != 0 {
		return false
	}
	yield, ok := outer.Params().At(0).Type().Underlying().(*types.Signature)
	if !ok || yield.Params().Len() != 2 || yield.Results().Len() != 1 {
		return false
	}
	return types.Identical(yield.Params().At(1).Type(), types.Universe.Lookup("error").Type())
}

// functions visits the functions of the package, those in functions apart, with their bodies.
func functions(pass *analysis.Pass, visit func(body *ast.BlockStmt)) {
	for _, f := range pass.Files {
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Body != nil {
					visit(n.Body)
				}
			case *ast.FuncLit:
				visit(n.Body)
			}
			return true
		})
	}
}
