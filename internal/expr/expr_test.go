// SPDX-License-Identifier: Apache-2.0

package expr_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/internal/expr"
)

func value(s string) expr.Value { return expr.Value{AV: &types.AttributeValueMemberS{Value: s}} }

func eq(name, v string) expr.Node {
	return expr.Compare{Left: expr.Attribute(name), Op: "=", Right: value(v)}
}

func TestRender(t *testing.T) {
	path := expr.Attribute("a", "b").At(3).Key("c.d")
	for _, tc := range []struct {
		node        expr.Node
		text, plain string
	}{
		{nil, "", ""},
		{path, "#0.#1[3].#2", "a.b[3].?"},
		{eq("name", "x"), "#0 = :0", "name = ?"},
		{expr.Between{Operand: path[:1], Low: value("1"), High: value("2")}, "#0 BETWEEN :0 AND :1", "a BETWEEN ? AND ?"},
		{expr.In{Operand: path[:1], List: []expr.Node{value("1"), value("2")}}, "#0 IN (:0, :1)", "a IN (?, ?)"},
		{expr.Call{Name: "contains", Args: []expr.Node{path[:2], value("x")}}, "contains(#0.#1, :0)", "contains(a.b, ?)"},
		{expr.Not{Term: eq("a", "1")}, "NOT (#0 = :0)", "NOT (a = ?)"},
		// A name has one placeholder, and each value its own.
		{expr.All(eq("a", "1"), eq("a", "2")), "#0 = :0 AND #0 = :1", "a = ? AND a = ?"},
		// The keys of a map are data. In raw text, any name below an attribute may be a key.
		{expr.Compare{Left: expr.Attribute("votes").Key("alice@example.org"), Op: ">", Right: value("1")}, "#0.#1 > :0", "votes.? > ?"},
		{expr.Attribute("votes").Key("alice@example.org").Key("2026"), "#0.#1.#2", "votes.?.?"},
		{expr.Text{Text: "#v.#who > :n AND votes . bob[0].x = :n", Names: map[string]string{"#v": "votes", "#who": "alice@example.org"},
			Values: map[string]types.AttributeValue{":n": &types.AttributeValueMemberN{Value: "7"}}}, "#0.#1 > :0 AND votes . bob[0].x = :1", "votes.? > ? AND votes .?[0].? = ?"},
		// Groups are kept, and there are no unnecessary parentheses.
		{expr.All(eq("a", "1"), expr.Any(eq("b", "2"), eq("c", "3"))), "#0 = :0 AND (#1 = :1 OR #2 = :2)", "a = ? AND (b = ? OR c = ?)"},
		{expr.All(expr.All(eq("a", "1"), nil), eq("b", "2")), "#0 = :0 AND #1 = :1", "a = ? AND b = ?"},
		{expr.Any(nil, eq("a", "1")), "#0 = :0", "a = ?"},
		{expr.All(nil, nil), "", ""},
		// Raw text gets new placeholders; placeholders that it does not define are unchanged.
		{expr.All(eq("a", "1"), expr.Text{
			Text: "#0 = :0 AND size(#00) > :x", Names: map[string]string{"#0": "q", "#00": "a"},
			Values: map[string]types.AttributeValue{":0": &types.AttributeValueMemberN{Value: "7"}},
		}), "#0 = :0 AND (#1 = :1 AND size(#0) > :x)", "a = ? AND (q = ? AND size(a) > :x)"},
	} {
		var w expr.Writer
		if got := w.Render(tc.node); got != tc.text {
			t.Errorf("text %q, want %q", got, tc.text)
		}
		if got := expr.Describe(tc.node); got != tc.plain {
			t.Errorf("description %q, want %q", got, tc.plain)
		}
	}
}

func TestWriterSharesPlaceholders(t *testing.T) {
	var w expr.Writer
	condition := w.Render(eq("a", "1"))
	update := w.Update(&expr.Update{
		Set: []expr.Action{
			{Path: expr.Attribute("a"), Right: value("2")},
			{Path: expr.Attribute("n"), Right: expr.Arithmetic{Left: expr.Attribute("n"), Op: "+", Right: value("3")}},
		},
		Remove: []expr.Action{{Path: expr.Attribute("b")}, {Path: expr.Attribute("c")}},
		Add:    []expr.Action{{Path: expr.Attribute("d"), Right: value("4")}},
		Delete: []expr.Action{{Path: expr.Attribute("e"), Right: value("5")}},
	})
	projection := w.Projection([]expr.Path{expr.Attribute("a"), expr.Attribute("z")})
	want := []string{"#0 = :0", "SET #0 = :1, #1 = #1 + :2 REMOVE #2, #3 ADD #4 :3 DELETE #5 :4", "#0, #6"}
	if diff := cmp.Diff(want, []string{condition, update, projection}); diff != "" {
		t.Error(diff)
	}
	names := map[string]string{"#0": "a", "#1": "n", "#2": "b", "#3": "c", "#4": "d", "#5": "e", "#6": "z"}
	if diff := cmp.Diff(names, w.Names()); diff != "" {
		t.Error(diff)
	}
	if v := w.Values()[":4"].(*types.AttributeValueMemberS).Value; len(w.Values()) != 5 || v != "5" {
		t.Errorf("values %v", w.Values())
	}
	if w := (expr.Writer{}); w.Names() != nil || w.Values() != nil {
		t.Error("an unused writer has names or values")
	}
}

func TestManyPlaceholders(t *testing.T) {
	var (
		w     expr.Writer
		terms []expr.Node
	)
	for i := range 100 {
		terms = append(terms, eq(string(rune('A'+i)), "x"))
	}
	_ = w.Render(expr.All(terms...))
	if len(w.Names()) != 100 || len(w.Values()) != 100 || w.Names()["#99"] != string(rune('A'+99)) {
		t.Errorf("%d names, %d values", len(w.Names()), len(w.Values()))
	}
}

func TestOverlaps(t *testing.T) {
	a := expr.Attribute("a")
	for _, tc := range []struct {
		p, q expr.Path
		want bool
	}{
		{a, a, true},
		{a, a.Key("b"), true},
		{a.At(1), a.At(2), false},
		{a.At(1), a.At(1).Key("x"), true},
		{a, expr.Attribute("b"), false},
		{a.Key("1"), a.At(1), false},
	} {
		if tc.p.Overlaps(tc.q) != tc.want || tc.q.Overlaps(tc.p) != tc.want {
			t.Errorf("%s and %s: overlap is not %v", tc.p, tc.q, tc.want)
		}
	}
}

func TestPaths(t *testing.T) {
	node := expr.All(expr.Not{Term: eq("a", "1")}, expr.In{Operand: expr.Attribute("b"), List: []expr.Node{value("1")}},
		expr.Between{Operand: expr.Call{Name: "size", Args: []expr.Node{expr.Attribute("c")}}, Low: value("1"), High: expr.Attribute("d")})
	var got []string
	for _, p := range expr.Paths(node) {
		got = append(got, p.String())
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "d"}, got); diff != "" {
		t.Error(diff)
	}
}
