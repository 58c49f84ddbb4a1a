// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/internal/expr"
)

// FuzzNames: whatever attribute names contain, the text of expressions has only placeholders, each placeholder has a name, and
// the names are unchanged.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"a", "a.b", "a[0]", "#0", ":0", "", "size", "a\x00b", "SET x = :y", "é", "\" OR 1"} {
		f.Add(s, "b")
	}
	update := regexp.MustCompile(`^SET #\d+(\.#\d+)* = :\d+$`)
	condition := regexp.MustCompile(`^#\d+(\.#\d+)* = :\d+$`)
	placeholder := regexp.MustCompile(`#\d+`)
	f.Fuzz(func(t *testing.T, first, second string) {
		path := append(expr.Attribute(first), expr.Attribute(second)...)
		var w expr.Writer
		u := w.Update(&expr.Update{Set: []expr.Action{{Path: path, Right: expr.Value{}}}})
		c := w.Render(expr.Compare{Left: path, Op: "=", Right: expr.Value{}})
		if !update.MatchString(u) || !condition.MatchString(c) {
			t.Fatalf("update %q, condition %q", u, c)
		}
		names := w.Names()
		for _, p := range placeholder.FindAllString(u+c, -1) {
			if _, ok := names[p]; !ok {
				t.Fatalf("placeholder %s has no name", p)
			}
		}
		parts := strings.Split(strings.TrimSuffix(strings.TrimPrefix(u, "SET "), " = :0"), ".")
		if len(parts) != 2 || names[parts[0]] != first || names[parts[1]] != second {
			t.Fatalf("%q and %q became %q with %q", first, second, u, names)
		}
		if len(w.Values()) != 2 {
			t.Fatalf("%d values", len(w.Values()))
		}
	})
}
