// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/internal/expr"
)

// The limits are exact, in operators and in bytes.
func TestLimits(t *testing.T) {
	chain := func(n int) expr.Node { // n comparisons are 2n-1 operators
		terms := make([]expr.Node, n)
		for i := range terms {
			terms[i] = eq("a", "1")
		}
		return expr.All(terms...)
	}
	long := func(bytes int) expr.Node { return expr.Text{Text: strings.Repeat("a", bytes)} }
	sums := func(n int) *expr.Update { // each counts twice: if_not_exists and +
		u := &expr.Update{}
		for i := range n {
			p := expr.Attribute("a" + strconv.Itoa(i))
			u.Set = append(u.Set, expr.Action{Path: p, Right: expr.Arithmetic{Left: expr.Call{Name: "if_not_exists", Args: []expr.Node{p, value("0")}}, Op: "+", Right: value("1")}})
		}
		return u
	}
	sets := func(n int) *expr.Update {
		u := &expr.Update{}
		for i := range n {
			u.Set = append(u.Set, expr.Action{Path: expr.Attribute("a" + strconv.Itoa(i)), Right: value("1")})
		}
		return u
	}
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"nothing":        {expr.Check(nil), ""},
		"299 operators":  {expr.Check(chain(150)), ""},
		"300 operators":  {expr.Check(expr.Not{Term: chain(150)}), ""},
		"301 operators":  {expr.Check(chain(151)), "301 operators"},
		"4096 bytes":     {expr.Check(long(4096)), ""},
		"4097 bytes":     {expr.Check(long(4097)), "4097 bytes"},
		"few sums":       {sums(100).Check(), ""},
		"302 of updates": {sums(151).Check(), "302 operators"},
		"a long update":  {sets(400).Check(), "bytes; DynamoDB takes 4096"},
		"an update":      {sets(300).Check(), ""},
	} {
		if tc.want == "" && tc.err != nil || tc.want != "" && (tc.err == nil || !strings.Contains(tc.err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, tc.err, tc.want)
		}
	}
}
