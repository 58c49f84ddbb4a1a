// SPDX-License-Identifier: Apache-2.0

package check

import (
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"golang.org/x/tools/go/analysis"
)

// NoField reports functions of handles that return something else than the address of a stored field of their argument. Such a
// handle is refused by New or by the first call that uses it.
var NoField = &analysis.Analyzer{
	Name: "ddbfield", URL: page + "#functions-of-handles",
	Doc: "report functions of handles that do not return the address of a stored field of their argument",
	Run: noFields,
}

func noFields(pass *analysis.Pass) (any, error) {
	for _, file := range pass.Files {
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			f := calleeOf(pass, call)
			if !ofLibrary(f) || !(strings.HasSuffix(f.Name(), "Field") || f.Name() == "Within") {
				return true
			}
			if lit, ok := ast.Unparen(call.Args[len(call.Args)-1]).(*ast.FuncLit); ok {
				selector(pass, f.Name(), lit)
			}
			return true
		})
	}
	return nil, nil //nolint:nilnil // no result
}

// selector checks the function of a handle.
func selector(pass *analysis.Pass, maker string, lit *ast.FuncLit) {
	if lit.Type.Params.NumFields() != 1 {
		return
	}
	var param types.Object
	if list := lit.Type.Params.List[0].Names; len(list) == 1 {
		param = pass.TypesInfo.ObjectOf(list[0])
	}
	copies := copiesIn(pass, lit.Body)
	for _, s := range lit.Body.List { // not those below a condition or a loop, which a handle's own call may not reach
		ret, ok := s.(*ast.ReturnStmt)
		if !ok || len(ret.Results) != 1 {
			continue
		}
		if why := wrong(pass, ret.Results[0], param, copies, len(lit.Body.List) == 1); why != "" {
			pass.Reportf(ret.Results[0].Pos(), "the function of %s %s; it must return the address of a stored field of its argument, such as &v.Name", maker, why)
		}
	}
}

// wrong says what is wrong with what a selector returns, as far as that is certain. alone is that nothing is done before.
func wrong(pass *analysis.Pass, result ast.Expr, param types.Object, copies map[types.Object]bool, alone bool) string {
	switch x := ast.Unparen(result).(type) {
	case *ast.Ident:
		switch {
		case pass.TypesInfo.Types[x].IsNil():
			return "returns nil"
		case param != nil && pass.TypesInfo.ObjectOf(x) == param:
			return "returns its argument"
		}
	case *ast.CallExpr:
		if id, ok := ast.Unparen(x.Fun).(*ast.Ident); ok {
			if b, ok := pass.TypesInfo.Uses[id].(*types.Builtin); ok && b.Name() == "new" {
				return "returns a new variable"
			}
		}
	case *ast.SelectorExpr:
		if fromArgument(pass, x, param) {
			return "returns the value of a pointer field, which is nil"
		}
	case *ast.UnaryExpr:
		if x.Op == token.AND {
			return wrongAddress(pass, ast.Unparen(x.X), param, copies, alone)
		}
	}
	return ""
}

// wrongAddress says what is wrong with the operand of &.
func wrongAddress(pass *analysis.Pass, x ast.Expr, param types.Object, copies map[types.Object]bool, alone bool) string {
	switch x := x.(type) {
	case *ast.CompositeLit:
		return "returns a new value"
	case *ast.IndexExpr:
		if fromArgument(pass, x.X, param) {
			return "returns the address of an element; take the handle of the list, and At"
		}
	case *ast.Ident:
		if object := pass.TypesInfo.ObjectOf(x); object != nil && object != param && (alone || copies[object]) {
			return "returns the address of a variable"
		}
	case *ast.SelectorExpr:
		root := rootOf(x)
		if root == nil {
			return ""
		}
		object := pass.TypesInfo.ObjectOf(root)
		if _, isVar := object.(*types.Var); !isVar {
			return ""
		}
		if object != param {
			if copies[object] {
				return "returns the address of a field of a copy"
			}
			if alone {
				return "returns the address of a field of another variable"
			}
			return ""
		}
		return unstored(pass, x)
	}
	return ""
}

// fromArgument reports selectors that begin at the argument and end in a field.
func fromArgument(pass *analysis.Pass, x ast.Expr, param types.Object) bool {
	s, ok := ast.Unparen(x).(*ast.SelectorExpr)
	if !ok || param == nil {
		return false
	}
	root := rootOf(s)
	if root == nil || pass.TypesInfo.ObjectOf(root) != param {
		return false
	}
	_, isField := pass.TypesInfo.ObjectOf(s.Sel).(*types.Var)
	return isField
}

// rootOf is the variable that a chain of selectors begins with; nil if it begins otherwise.
func rootOf(x ast.Expr) *ast.Ident {
	switch x := ast.Unparen(x).(type) {
	case *ast.Ident:
		return x
	case *ast.SelectorExpr:
		return rootOf(x.X)
	case *ast.StarExpr:
		return rootOf(x.X)
	}
	return nil
}

// unstored says why a field that the selectors lead to is not stored.
func unstored(pass *analysis.Pass, x *ast.SelectorExpr) string {
	for at := ast.Expr(x); ; {
		s, ok := ast.Unparen(at).(*ast.SelectorExpr)
		if !ok {
			return ""
		}
		at = s.X
		selection := pass.TypesInfo.Selections[s]
		if selection == nil || selection.Kind() != types.FieldVal {
			continue
		}
		t := selection.Recv()
		for _, i := range selection.Index() {
			if p, ok := t.Underlying().(*types.Pointer); ok {
				t = p.Elem()
			}
			of, ok := t.Underlying().(*types.Struct)
			if !ok {
				break
			}
			f := of.Field(i)
			name, _, _ := strings.Cut(reflect.StructTag(of.Tag(i)).Get("dynamodbav"), ",")
			switch {
			case name == "-":
				return "returns the address of " + f.Name() + ", whose tag leaves it out"
			case !f.Exported() && !f.Embedded():
				return "returns the address of " + f.Name() + ", which is not exported and not stored"
			}
			t = f.Type()
		}
	}
}

// copiesIn are the variables of the body that hold a value, and so are no pointers into the argument.
func copiesIn(pass *analysis.Pass, body *ast.BlockStmt) map[types.Object]bool {
	copies := map[types.Object]bool{}
	ast.Inspect(body, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			if v, ok := pass.TypesInfo.Defs[id].(*types.Var); ok && !v.IsField() {
				if _, isStruct := v.Type().Underlying().(*types.Struct); isStruct {
					copies[v] = true
				}
			}
		}
		return true
	})
	return copies
}
