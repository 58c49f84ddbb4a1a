// SPDX-License-Identifier: Apache-2.0

package archtest_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// itemOperations are the functions of internal/wire that send requests.
var itemOperations = map[string]bool{
	"GetItem": true, "Query": true, "Scan": true, "PutItem": true, "UpdateItem": true, "DeleteItem": true,
	"BatchGetItem": true, "BatchWriteItem": true, "TransactGetItems": true, "TransactWriteItems": true,
}

// besidePath returns the calls in a file that send a request outside a function that is passed to Table.send or sendAll; such a
// function has a parameter of type outgoing.
func besidePath(file *ast.File) (beside []token.Pos, inside int) {
	var onPath []ast.Node // the function literals that contain the node
	var stack []ast.Node
	ast.Inspect(file, func(n ast.Node) bool {
		if n == nil {
			last := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			if len(onPath) > 0 && onPath[len(onPath)-1] == last {
				onPath = onPath[:len(onPath)-1]
			}
			return true
		}
		stack = append(stack, n)
		switch n := n.(type) {
		case *ast.FuncLit:
			for _, p := range n.Type.Params.List {
				if name, ok := p.Type.(*ast.Ident); ok && name.Name == "outgoing" {
					onPath = append(onPath, n)
				}
			}
		case *ast.CallExpr:
			f, ok := n.Fun.(*ast.SelectorExpr)
			if !ok {
				break
			}
			if pkg, ok := f.X.(*ast.Ident); !ok || pkg.Name != "wire" || !itemOperations[f.Sel.Name] {
				break
			}
			if len(onPath) == 0 {
				beside = append(beside, n.Pos())
			} else {
				inside++
			}
		}
		return true
	})
	return beside, inside
}

// TestRequestPath: every request on items goes through the function that admits, records and ends it.
func TestRequestPath(t *testing.T) {
	t.Parallel()
	all := 0
	for _, f := range goFiles(t) {
		if f.isTest() || f.dir() == "internal/wire" || f.module != "" {
			continue
		}
		beside, inside := besidePath(f.syntax)
		if inside > 0 && f.dir() != "internal/core" {
			t.Errorf("%s sends requests of tables; only internal/core does", f.name)
		}
		if all += inside; len(beside) > 0 {
			t.Errorf("%s sends %d requests itself; every request goes through Table.send or sendAll (internal/core/request.go)", f.name, len(beside))
		}
	}
	if all < len(itemOperations) {
		t.Errorf("only %d places send requests; this test looks for the wrong thing", all)
	}
}

func TestRequestPathRule(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]int{
		"func f() { c.send(ctx, func(ctx Context, o outgoing) error { return wire.GetItem() }) }": 0,
		"func f() { wire.GetItem() }": 1,
		"func f() { c.send(ctx, func(ctx Context, o outgoing) error { return nil }); wire.Query() }": 1,
		"func f() { func() { wire.Scan() }() }":                                                      1,
		"func f() { wire.Mismatch() }":                                                               0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "", "package p\n"+source, 0)
		if err != nil {
			t.Fatal(err)
		}
		if beside, _ := besidePath(file); len(beside) != want {
			t.Errorf("%s: found %d, want %d", source, len(beside), want)
		}
	}
}
