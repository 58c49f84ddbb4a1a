// SPDX-License-Identifier: Apache-2.0

package handles

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
)

// existing returns the handles that are written by hand in variables of the package, by the keys of their fields.
func (g *generator) existing() map[string]bool {
	found := map[string]bool{}
	for _, f := range g.unit.files {
		if f.generated {
			continue
		}
		for _, d := range f.syntax.Decls {
			if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.VAR {
				ast.Inspect(gen, func(n ast.Node) bool {
					call, ok := n.(*ast.CallExpr)
					if ok && len(call.Args) > 0 && g.makesHandle(call.Fun) {
						if key := g.selected(call.Args[0]); key != "" {
							found[key] = true
						}
					}
					_, isFunc := n.(*ast.FuncLit)
					return !isFunc
				})
			}
		}
	}
	return found
}

// makesHandle reports whether a call is of a function of package ddb such as StrField, with or without type arguments.
func (g *generator) makesHandle(fun ast.Expr) bool {
	switch f := ast.Unparen(fun).(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	var name *ast.Ident
	switch f := ast.Unparen(fun).(type) {
	case *ast.SelectorExpr:
		name = f.Sel
	case *ast.Ident:
		name = f
	default:
		return false
	}
	object := g.info.Uses[name]
	return object != nil && object.Pkg() != nil && object.Pkg().Path() == library && strings.HasSuffix(object.Name(), "Field")
}

// selected returns the key of the field that the selector of a handle returns, or "".
func (g *generator) selected(arg ast.Expr) string {
	lit, ok := ast.Unparen(arg).(*ast.FuncLit)
	if !ok || lit.Type.Params.NumFields() != 1 || len(lit.Body.List) != 1 {
		return ""
	}
	ret, ok := lit.Body.List[0].(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return ""
	}
	address, ok := ast.Unparen(ret.Results[0]).(*ast.UnaryExpr)
	if !ok || address.Op != token.AND {
		return ""
	}
	var path []string
	for x := ast.Unparen(address.X); ; {
		s, ok := x.(*ast.SelectorExpr)
		if !ok {
			break
		}
		path = append(path, s.Sel.Name)
		x = ast.Unparen(s.X)
	}
	slices.Reverse(path)
	param, ok := g.info.Types[lit.Type.Params.List[0].Type]
	if !ok || len(path) == 0 {
		return ""
	}
	pointer, ok := types.Unalias(param.Type).(*types.Pointer)
	if !ok {
		return ""
	}
	return g.fieldKey(pointer.Elem(), path)
}

// key returns the key of a field of an item.
func (g *generator) key(it *item, path []string) string { return g.fieldKey(it.typ, path) }

// fieldKey returns the same key for all ways to name a field of a type.
func (g *generator) fieldKey(item types.Type, path []string) string {
	var key strings.Builder
	key.WriteString(types.TypeString(types.Unalias(item), nil))
	at := item
	for _, step := range path {
		v, index, _ := types.LookupFieldOrMethod(at, true, g.pkg, step)
		if v == nil {
			return ""
		}
		for _, i := range index {
			key.WriteString("." + strconv.Itoa(i))
		}
		at = v.Type()
	}
	return key.String()
}

// isHandleOf reports whether a variable holds a handle of the item type.
func isHandleOf(object types.Object, item types.Type) bool {
	if _, ok := object.(*types.Var); !ok {
		return false
	}
	pointer, ok := types.Unalias(object.Type()).(*types.Pointer)
	if !ok {
		return false
	}
	n, ok := types.Unalias(pointer.Elem()).(*types.Named)
	if !ok || n.Obj().Pkg() == nil || n.Obj().Pkg().Path() != library || !strings.HasSuffix(n.Obj().Name(), "Handle") || n.TypeArgs().Len() == 0 {
		return false
	}
	return types.Identical(n.TypeArgs().At(0), types.NewPointer(item))
}
