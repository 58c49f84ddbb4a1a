// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// model is a condition as a tree of functions: its text with as few
// parentheses as possible, and its value for a row of numbers.
type model struct {
	text string
	rank int // 0 OR, 1 AND, 2 NOT, 3 anything else
	eval func(row map[string]int) bool
}

func (m model) within(rank int) string {
	if m.rank < rank {
		return "(" + m.text + ")"
	}
	return m.text
}

func genModel(depth int) *rapid.Generator[model] {
	column := rapid.SampledFrom([]string{"a", "b", "c", "d"})
	constant := rapid.IntRange(0, 3)
	return rapid.Custom(func(t *rapid.T) model {
		form := 9
		if depth > 0 {
			form = rapid.IntRange(0, 9).Draw(t, "form")
		}
		switch form {
		case 0, 1, 2, 3, 4:
			x, y := genModel(depth-1).Draw(t, "x"), genModel(depth-1).Draw(t, "y")
			if form < 2 {
				return model{x.within(0) + " or " + y.within(1), 0, func(r map[string]int) bool { return x.eval(r) || y.eval(r) }}
			}
			return model{x.within(1) + " AND " + y.within(2), 1, func(r map[string]int) bool { return x.eval(r) && y.eval(r) }}
		case 5, 6:
			x := genModel(depth-1).Draw(t, "x")
			return model{"NOT " + x.within(2), 2, func(r map[string]int) bool { return !x.eval(r) }}
		}
		col, c := column.Draw(t, "column"), constant.Draw(t, "constant")
		d := min(c+rapid.IntRange(0, 2).Draw(t, "width"), 3)
		leaf := func(text string, eval func(v int) bool) model {
			return model{text, 3, func(r map[string]int) bool {
				v, ok := r[col]
				return ok && eval(v)
			}}
		}
		switch op := rapid.SampledFrom([]string{"=", "<>", "<", "<=", ">", ">=", "between", "in", "exists"}).Draw(t, "op"); op {
		case "=":
			return leaf(fmt.Sprintf("%s = :%d", col, c), func(v int) bool { return v == c })
		case "<>":
			return model{fmt.Sprintf("%s <> :%d", col, c), 3, func(r map[string]int) bool {
				v, ok := r[col]
				return !ok || v != c
			}}
		case "<":
			return leaf(fmt.Sprintf("%s<:%d", col, c), func(v int) bool { return v < c })
		case "<=":
			return leaf(fmt.Sprintf("(%s)<=:%d", col, c), func(v int) bool { return v <= c })
		case ">":
			return leaf(fmt.Sprintf(":%d < %s", c, col), func(v int) bool { return v > c })
		case ">=":
			return leaf(fmt.Sprintf("%s >= :%d", col, c), func(v int) bool { return v >= c })
		case "between":
			return leaf(fmt.Sprintf("%s BETWEEN :%d AND :%d", col, c, d), func(v int) bool { return c <= v && v <= d })
		case "in":
			return leaf(fmt.Sprintf("%s IN (:%d, :%d)", col, c, d), func(v int) bool { return v == c || v == d })
		default:
			return leaf("attribute_exists("+col+")", func(int) bool { return true })
		}
	})
}

func TestConditionProperty(t *testing.T) {
	values := expression.Values{}
	for i := range 4 {
		values[":"+strconv.Itoa(i)] = value.NumberFromInt(int64(i))
	}
	rapid.Check(t, func(t *rapid.T) {
		m := genModel(4).Draw(t, "condition")
		row := rapid.MapOf(rapid.SampledFrom([]string{"a", "b", "c", "d"}), rapid.IntRange(0, 3)).Draw(t, "row")
		p, err := expression.NewParams(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		cond, err := expression.ParseCondition(expression.ConditionExpression, m.text, p)
		if err != nil {
			t.Fatalf("%s: %v", m.text, err)
		}
		it := value.Item{}
		for name, v := range row {
			it[name] = value.NumberFromInt(int64(v))
		}
		got, err := cond.Eval(it)
		if want := m.eval(row); got != want || err != nil {
			t.Fatalf("%s with %v is %v, %v; want %v", m.text, row, got, err, want)
		}
	})
}

// A list whose elements are set and removed by index behaves like a slice of
// which the index ranges are written first and the removed ones then dropped.
func TestUpdateListProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(0, 6).Draw(t, "size")
		indexes := rapid.SliceOfNDistinct(rapid.IntRange(0, 9), 1, 6, rapid.ID[int]).Draw(t, "indexes")
		cut := rapid.IntRange(0, len(indexes)).Draw(t, "cut")
		set, remove := indexes[:cut], indexes[cut:]

		old := make([]int, size)
		list := make(value.List, size)
		for i := range old {
			old[i] = i
			list[i] = value.NumberFromInt(int64(i))
		}
		values := expression.Values{}
		var clauses []string
		if len(set) > 0 {
			var actions []string
			for _, i := range set {
				name := ":" + strconv.Itoa(i)
				values[name] = value.NumberFromInt(int64(100 + i))
				actions = append(actions, fmt.Sprintf("l[%d] = %s", i, name))
			}
			clauses = append(clauses, "SET "+strings.Join(actions, ", "))
		}
		if len(remove) > 0 {
			var actions []string
			for _, i := range remove {
				actions = append(actions, fmt.Sprintf("l[%d]", i))
			}
			clauses = append(clauses, "REMOVE "+strings.Join(actions, ", "))
		}
		if rapid.Bool().Draw(t, "swap") {
			slices.Reverse(clauses)
		}
		if len(set) == 0 {
			values = nil
		}
		p, err := expression.NewParams(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Join(clauses, " ")
		u, err := expression.ParseUpdate(text, p)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		it, err := u.Apply(value.Item{"l": list})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}

		want := value.List{}
		for i := range old {
			switch {
			case slices.Contains(remove, i):
			case slices.Contains(set, i):
				want = append(want, value.NumberFromInt(int64(100+i)))
			default:
				want = append(want, list[i])
			}
		}
		slices.Sort(set)
		for _, i := range set {
			if i >= size {
				want = append(want, value.NumberFromInt(int64(100+i)))
			}
		}
		if !value.Equal(it["l"], want) {
			t.Fatalf("%s on %v: %v, want %v", text, list, it["l"], want)
		}
	})
}

// tokens are the tokens of random expressions.
var tokens = []string{
	"a", "b.c", "l[0]", "#n", ":v", ":s", "=", "<>", "<", "<=", ">", ">=", "(", ")", ",", ".", "[", "]", "0", "+", "-",
	"AND", "or", "Not", "BETWEEN", "in", "SET", "remove", "ADD", "delete", "size(", "contains(", "begins_with(",
	"attribute_exists(", "attribute_type(", "if_not_exists(", "list_append(", "f(", "name", "!", "é", "#", ":",
}

// parseAll parses the text with every parser and evaluates every expression on an item,
// and fails on an error that is not in the service's form.
func parseAll(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, text string) {
	p, err := expression.NewParams(expression.Names{"#n": "n"}, expression.Values{
		":v": value.NumberFromInt(1), ":s": value.StringSet{"x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	it := value.Item{
		"a": value.NumberFromInt(1), "b": value.Map{"c": value.StringSet{"x", "y"}},
		"l": value.List{value.NumberFromInt(1), value.List{}}, "n": value.String("x"),
	}
	size := value.ItemSize(it)
	check := func(err error, prefix string) {
		var e *value.Error
		if err == nil {
			return
		}
		if !errors.As(err, &e) || e.Type != value.ValidationException || !strings.HasPrefix(e.Message, prefix) {
			t.Fatalf("%q: %v", text, err)
		}
	}
	cond, err := expression.ParseCondition(expression.FilterExpression, text, p)
	check(err, "Invalid FilterExpression: ")
	if err == nil {
		for _, it := range []value.Item{it, nil} {
			if _, err := cond.Eval(it); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
		}
	}
	key, err := expression.ParseKeyCondition(text, p)
	check(err, "Invalid KeyConditionExpression: ")
	if err == nil {
		terms, err := key.Terms()
		check(err, "")
		for _, term := range terms {
			want := 1
			if term.Op == expression.OpBetween {
				want = 2
			}
			if term.Attribute == "" || len(term.Values) != want {
				t.Fatalf("%q: %v", text, term)
			}
		}
	}
	projection, err := expression.ParseProjection(text, p)
	check(err, "Invalid ProjectionExpression: ")
	if err == nil {
		if part := projection.Apply(it); value.ItemSize(part) > size {
			t.Fatalf("%q: %v", text, part)
		}
	}
	update, err := expression.ParseUpdate(text, p)
	check(err, "Invalid UpdateExpression: ")
	if err == nil {
		for _, old := range []value.Item{it, nil} {
			_, err := update.Apply(old)
			check(err, "")
		}
		update.Touched().Apply(it)
	}
	if value.ItemSize(it) != size {
		t.Fatalf("%q changed the item to %v", text, it)
	}
}

func TestParseProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.SampledFrom(tokens)).Draw(t, "tokens"), rapid.SampledFrom([]string{" ", ""}).Draw(t, "between"))
		parseAll(t, text)
	})
}

func FuzzExpression(f *testing.F) {
	for _, s := range []string{
		"", "a = :v AND (b.c <> :s OR NOT size(l) > :v)", "SET a = if_not_exists(#n, :v) + :v, l[3] = :s REMOVE b.c ADD n :v DELETE q :s",
		"a, b.c, l[0], #n", "a = :v AND begins_with(b, :v)", "a BETWEEN :v AND :v", "a IN (:v, b)", "((a = :v))", "SET a = (a + :v)",
		"contains(b.c, a) or attribute_type(a, :s)", "(a).b[0] = :v", "SET a = list_append(l, l)",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) { parseAll(t, text) })
}
