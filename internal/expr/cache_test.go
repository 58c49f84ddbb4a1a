// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/expr"
)

// render renders an update and a condition, as a request with both does.
func render(names ...string) (update, condition string, aliases map[string]string) {
	var (
		w expr.Writer
		u expr.Update
		c expr.Logic
	)
	for i, n := range names {
		u.Set = append(u.Set, expr.Action{Path: expr.Attribute(n), Right: expr.Value{AV: nil}})
		if i%2 == 0 {
			c.Terms = append(c.Terms, expr.Call{Name: "attribute_exists", Args: []expr.Node{expr.Attribute(n)}})
		}
	}
	c.Op = "AND"
	return w.Update(&u), w.Render(c), w.Names()
}

func TestTextsAreShared(t *testing.T) {
	for range 2 { // rendered, and then taken from the cache
		for _, c := range []struct {
			names []string
			want  map[string]string
		}{
			{[]string{"a", "b"}, map[string]string{"#0": "a", "#1": "b"}},
			{[]string{"b", "a"}, map[string]string{"#0": "b", "#1": "a"}},
			{[]string{"a:1", "b"}, map[string]string{"#0": "a:1", "#1": "b"}},
			{[]string{"a", "1:b"}, map[string]string{"#0": "a", "#1": "1:b"}},
		} {
			update, condition, aliases := render(c.names...)
			if update != "SET #0 = :0, #1 = :1" || condition != "attribute_exists(#0)" {
				t.Errorf("%q: %q, %q", c.names, update, condition)
			}
			if d := cmp.Diff(c.want, aliases); d != "" {
				t.Errorf("%q: %s", c.names, d)
			}
		}
	}
}

// Texts are correct even if there are more of them than the cache keeps, and in many goroutines.
func TestManyTexts(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 1500 {
				a, b := fmt.Sprintf("a%d_%d", g, i), fmt.Sprintf("b%d", i)
				_, _, aliases := render(a, b)
				if aliases["#0"] != a || aliases["#1"] != b {
					t.Errorf("%s, %s: %v", a, b, aliases)
				}
			}
		})
	}
	wg.Wait()
}

func TestRepeatedTextAllocatesForValuesOnly(t *testing.T) {
	u := expr.Update{Set: []expr.Action{{Path: expr.Attribute("status"), Right: expr.Value{}}, {Path: expr.Attribute("total"), Right: expr.Value{}}}}
	var cond expr.Node = expr.Compare{Left: expr.Attribute("status"), Op: "=", Right: expr.Value{}}
	render := func() {
		var w expr.Writer
		_, _, _ = w.Update(&u), w.Render(cond), w.Names()
	}
	render()
	if n := testing.AllocsPerRun(100, render); n > 1 { // the Writer
		t.Errorf("%v allocations besides the values, want 1", n)
	}
}
