// SPDX-License-Identifier: Apache-2.0

package partiql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// sameNumbers compares numbers by value.
var sameNumbers = cmp.Comparer(func(a, b value.Number) bool { return a.Cmp(b) == 0 })

func number(t *testing.T, s string) value.Value {
	t.Helper()
	n, err := value.ParseNumber(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func path(names ...string) partiql.Path {
	var p partiql.Path
	for _, n := range names {
		p = append(p, partiql.Step{Name: n})
	}
	return p
}

func TestParse(t *testing.T) {
	lit := func(v value.Value) partiql.Node { return &partiql.Literal{Value: v} }
	for _, c := range []struct {
		text       string
		parameters []value.Value
		want       partiql.Statement
	}{
		{`select * from Music`, nil, &partiql.Select{Table: "Music"}},
		{`SELECT a, "b c".d[1]['e'] FROM "My.Table"."By-Genre" -- a comment
			WHERE a = 'it''s' /* and
			another */ ORDER BY a, "b" DESC;`, nil, &partiql.Select{
			Table: "My.Table", Index: "By-Genre",
			Columns: []partiql.Path{path("a"), {{Name: "b c"}, {Name: "d"}, {Index: 1, IsIndex: true}, {Name: "e"}}},
			Where:   &partiql.Compare{Op: "=", Left: path("a"), Right: lit(value.String("it's"))},
			Order:   []partiql.Order{{Attribute: "a"}, {Attribute: "b", Descending: true}},
		}},
		{`EXISTS(SELECT * FROM m WHERE a IS NOT MISSING)`, nil, &partiql.Select{
			Table: "m", Exists: true, Where: &partiql.Is{Operand: path("a"), Not: true, Missing: true},
		}},
		{`SELECT * FROM m WHERE a = 1 OR NOT b != ? AND (c >= .5 OR d <= -1e2)`, []value.Value{value.Bool(true)}, &partiql.Select{
			Table: "m",
			Where: &partiql.Junction{Or: true, Parts: []partiql.Node{
				&partiql.Compare{Op: "=", Left: path("a"), Right: lit(number(t, "1"))},
				&partiql.Junction{Parts: []partiql.Node{
					&partiql.Not{Condition: &partiql.Compare{Op: "<>", Left: path("b"), Right: lit(value.Bool(true))}},
					&partiql.Junction{Or: true, Parts: []partiql.Node{
						&partiql.Compare{Op: ">=", Left: path("c"), Right: lit(number(t, "0.5"))},
						&partiql.Compare{Op: "<=", Left: path("d"), Right: lit(number(t, "-100"))},
					}},
				}},
			}},
		}},
		{`SELECT * FROM m WHERE a NOT BETWEEN 1 AND 2 AND b IN ['x', ?] AND c IN (?) AND Begins_With("d", 'y')`,
			[]value.Value{value.String("p"), value.List{value.String("q")}}, &partiql.Select{
				Table: "m",
				Where: &partiql.Junction{Parts: []partiql.Node{
					&partiql.Not{Condition: &partiql.Between{Operand: path("a"), Lower: lit(number(t, "1")), Upper: lit(number(t, "2"))}},
					&partiql.In{Operand: path("b"), List: []partiql.Node{lit(value.String("x")), lit(value.String("p"))}},
					&partiql.In{Operand: path("c"), List: []partiql.Node{lit(value.List{value.String("q")})}},
					&partiql.Call{Name: "begins_with", Args: []partiql.Node{path("d"), lit(value.String("y"))}},
				}},
			}},
		{`INSERT INTO m VALUE {'a': 'x', 'l': [1, true, NULL], 's': <<'p', 'q'>>, 'n': <<1, 2>>, 'm': {'k': +1}, 'p': ?}`,
			[]value.Value{value.Binary("b")}, &partiql.Insert{Table: "m", Item: value.Item{
				"a": value.String("x"), "l": value.List{number(t, "1"), value.Bool(true), value.Null{}},
				"s": value.StringSet{"p", "q"}, "n": value.NumberSet{number(t, "1").(value.Number), number(t, "2").(value.Number)},
				"m": value.Map{"k": number(t, "1")}, "p": value.Binary("b"),
			}}},
		{`UPDATE m SET a = b + 1, c = list_append(c, ['z']) REMOVE d, e[0] SET f = 'x' WHERE k = 'y' RETURNING MODIFIED OLD *`,
			nil, &partiql.Update{
				Table: "m",
				Changes: []partiql.Change{
					{Target: path("a"), Value: &partiql.Arithmetic{Op: "+", Left: path("b"), Right: lit(number(t, "1"))}},
					{Target: path("c"), Value: &partiql.Call{Name: "list_append", Args: []partiql.Node{path("c"), lit(value.List{value.String("z")})}}},
					{Target: path("d")},
					{Target: partiql.Path{{Name: "e"}, {Index: 0, IsIndex: true}}},
					{Target: path("f"), Value: lit(value.String("x"))},
				},
				Where:     &partiql.Compare{Op: "=", Left: path("k"), Right: lit(value.String("y"))},
				Returning: partiql.UpdatedOld,
			}},
		{`DELETE FROM m WHERE k = 'y' RETURNING ALL OLD *`, nil, &partiql.Delete{
			Table: "m", Where: &partiql.Compare{Op: "=", Left: path("k"), Right: lit(value.String("y"))}, Returning: partiql.AllOld,
		}},
		// https://partiql.org/dml/overview.html: FROM is the other form of UPDATE.
		{`FROM m SET a = 1 WHERE k = 'y' RETURNING ALL NEW *`, nil, &partiql.Update{
			Table: "m", Changes: []partiql.Change{{Target: path("a"), Value: lit(number(t, "1"))}},
			Where: &partiql.Compare{Op: "=", Left: path("k"), Right: lit(value.String("y"))}, Returning: partiql.AllNew,
		}},
		{`FROM m WHERE k = 'y' REMOVE a`, nil, &partiql.Update{
			Table: "m", Changes: []partiql.Change{{Target: path("a")}},
			Where: &partiql.Compare{Op: "=", Left: path("k"), Right: lit(value.String("y"))},
		}},
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-operators.html
		{`SELECT * FROM m WHERE a IS STRING AND b IS NOT bag AND c IS NULL`, nil, &partiql.Select{
			Table: "m", Where: &partiql.Junction{Parts: []partiql.Node{
				&partiql.Is{Operand: path("a"), Kinds: []value.Kind{value.KindString}},
				&partiql.Is{Operand: path("b"), Not: true, Kinds: []value.Kind{value.KindStringSet, value.KindNumberSet, value.KindBinarySet}},
				&partiql.Is{Operand: path("c"), Kinds: []value.Kind{value.KindNull}},
			}},
		}},
	} {
		got, err := partiql.Parse(c.text, c.parameters)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(c.want, got, sameNumbers, cmpopts.IgnoreUnexported(partiql.Call{})); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, diff)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const (
		form  = "Statement wasn't well formed, can't be processed: "
		count = "Number of parameters in request and statement don't match."
		param = "One or more parameter values were invalid: "
		bag   = "Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags"
		kind  = "Incorrect operand type for operator or function; operator or function: "
	)
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct{ text, message string }{
		{"", form + "Expected data manipulation"},
		{"NOT A STATEMENT", form + "Expected data manipulation"},
		{"UPDATE Payment-prod SET active = 1", form + "Expected data manipulation"},
		{"INSERT INTO urls (key, secret_key) VALUES (?, ?)", form + "Unexpected keyword"},
		{"INSERT INTO urls {'a': 1}", form + "Expected VALUE keyword"},
		{"SELECT * FROM", form + "Unexpected term"},
		{"SELECT FROM m", form + "Unexpected keyword"},
		{"SELECT * FROM m WHERE", form + "Unexpected term"},
		{"SELECT * FROM m WHERE key = 1", form + "Unexpected keyword"},
		{"SELECT * FROM m WHERE a = 1 garbage", form + "Unexpected token after expression"},
		{"SELECT * FROM m WHERE (a = 1", form + "Expected RIGHT_PAREN"},
		{"SELECT * FROM m LIMIT 3", form + "Unexpected token after expression"},
		{"SELECT * FROM m WHERE a = 'x", form},
		{"SELECT * FROM m WHERE a = `x`", form + "Unexpected term"},
		{"SELECT * FROM m WHERE a = ?", count},
		// https://github.com/floci-io/floci/pull/3798 for what follows
		{"INSERT INTO m VALUE {'a': <<>>}", "Empty bags are not supported"},
		{"INSERT INTO m VALUE {'a': <<'x', 1>>}", bag},
		{"INSERT INTO m VALUE {'a': <<true>>}", bag},
		{"INSERT INTO m VALUE {'a': <<'x', 'x'>>}", param + "Input collection [x, x] contains duplicates."},
		{"INSERT INTO m VALUE {'a': <<1, 1.0>>}", param + "Input collection [1, 1] contains duplicates! under root"},
		{"INSERT INTO m VALUE {'a': " + deep + "}", "Nesting Levels have exceeded supported limits under root" + strings.Repeat("[0]", 32)},
		{"INSERT INTO m VALUE {'a': {'b': [1, ?]}}", "Unsupported data type: Parameter under key root.b[1] at 1:37:1"},
		{"UPDATE m SET a = -? WHERE k = 1", "Unsupported operator in Condition Expression. Operator: -"},
		{"UPDATE m\nSET a = set_add(b, <<1>>) WHERE k = 1", "The first argument to SET_ADD must equal the assignment value at 2:9:7"},
		{"UPDATE m SET a = set_delete(\"a\", 1) WHERE k = 1", "The second argument to SET_DELETE must be a value with type SET at 1:29:3"},
		{"SELECT a[-1] FROM m", "List index is not within the allowable range; index: [-1] at 1:11:1"},
		{"SELECT a[2147483648] FROM m", "List index is not within the allowable range; index: [2147483648] at 1:10:10"},
		{"SELECT * FROM m.i.j", "A path may contain at most 2 components in the FROM clause"},
		{`SELECT * FROM "m".""`, "Path component cannot be an empty string"},
		{`SELECT * FROM ""`, "Path component cannot be an empty string"},
		{"INSERT INTO m.i VALUE {'a': 1}", "FROM clause may only contain a single table name"},
		{"UPDATE m.i SET a = 1", "This operation is not supported on an index"},
		{"DELETE FROM m.i", "This operation is not supported on an index"},
		{"DELETE FROM m WHERE k = 1 RETURNING MODIFIED NEW *", "Invalid returning clause: RETURNING MODIFIED NEW *. Only RETURNING ALL OLD * is allowed in DELETE statements."},
		{"SELECT * FROM m WHERE attribute_type(a, 'X')", "Invalid attribute type name found; type: X, valid types: {N,BS,L,B,NULL,M,S,SS,NS,BOOL}"},
		{"SELECT * FROM m WHERE attribute_type(a, 1)", kind + "attribute_type, operand type: N"},
		{"SELECT * FROM m WHERE attribute_exists(a) < true", kind + "<, operand type: BOOL"},
		{"SELECT * FROM m WHERE attribute_exists(a) BETWEEN 1 AND 2", kind + "BETWEEN, operand type: BOOL"},
		// https://github.com/nubo-db/dynoxide/blob/main/CHANGELOG.md, release 0.13.0
		{"SELECT COUNT(*) FROM m", "Unexpected path component at 1:8:5"},
		// Comparisons of conditions double with every level of nesting.
		{"SELECT * FROM m WHERE " + strings.Repeat("(", 200) + "contains(a, 'b')" + strings.Repeat(" = contains(a, 'c'))", 200), "The conditions of the statement are too complex"},
		{"INSERT INTO m VALUE {'a': 1e200}", "Number overflow. Attempting to store a number with magnitude larger than supported range"},
	} {
		err := refusal(c.text)
		v, ok := errors.AsType[*value.Error](err)
		if !ok || v.Message != c.message {
			t.Errorf("%s: got %v, want %s", c.text, err, c.message)
		}
	}
	if _, err := partiql.Parse("SELECT * FROM m WHERE a = '?'", []value.Value{value.Null{}}); err == nil || !strings.HasSuffix(err.Error(), count) {
		t.Errorf("one parameter too many: got %v", err)
	}
}

// refusal returns the error of parsing or rendering a statement.
func refusal(text string) error {
	s, err := partiql.Parse(text, nil)
	if err != nil {
		return err
	}
	switch s := s.(type) {
	case *partiql.Select:
		_, err = partiql.Condition(partiql.Conjuncts(s.Where))
	case *partiql.Update:
		_, err = partiql.Updates(s.Changes)
	}
	return err
}

// A condition that is compared with a value is a Boolean.
func TestConditionsAsValues(t *testing.T) {
	here := value.Item{"a": value.String("x"), "yes": value.Bool(true), "no": value.Bool(false), "s": value.StringSet{"x"}, "n": value.NumberSet{number(t, "1").(value.Number)}}
	for _, c := range []struct {
		where string
		want  bool
	}{
		// https://github.com/floci-io/floci/pull/3798
		{"attribute_exists(a)", true},
		{"attribute_not_exists(a)", false},
		{"attribute_exists(a) = true", true},
		{"attribute_exists(b) = false", true},
		{"true = attribute_exists(a)", true},
		{"attribute_exists(a) <> false", true},
		{"attribute_exists(a) = 1", false},
		{"attribute_exists(b) = 1", false},
		{"attribute_exists(a) <> 1", true},
		{"attribute_exists(a) = yes", true},
		{"attribute_exists(b) = \"no\"", true},
		{"attribute_exists(b) = yes", false},
		{"attribute_exists(a) = missing_one", false},
		{"attribute_exists(a) = begins_with(a, 'x')", true},
		{"(a = 'x') = (a = 'y')", false},
		{"(a = 'y') = (a = 'z')", true},
		{"attribute_exists(a) IN [1, true]", true},
		{"attribute_exists(a) IN [false]", false},
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-operators.html
		{"a IS STRING", true},
		{"a IS NOT STRING", false},
		{"a IS INT", false},
		{"b IS STRING", false},
		{"s IS BAG AND n IS BAG", true},
		{"a IS NOT BAG", true},
		{"yes IS BOOLEAN AND a IS NOT NULL", true},
	} {
		s, err := partiql.Parse("SELECT * FROM m WHERE "+c.where, nil)
		if err != nil {
			t.Errorf("%s: %v", c.where, err)
			continue
		}
		x, err := partiql.Condition(partiql.Conjuncts(s.(*partiql.Select).Where))
		if err != nil {
			t.Errorf("%s: %v", c.where, err)
			continue
		}
		params, err := x.Params()
		if err != nil {
			t.Fatal(err)
		}
		condition, err := expression.ParseCondition(expression.FilterExpression, x.Text, params)
		if err != nil {
			t.Errorf("%s, rendered as %s: %v", c.where, x.Text, err)
			continue
		}
		if got, _ := condition.Eval(here); got != c.want {
			t.Errorf("%s: %v, want %v", c.where, got, c.want)
		}
	}
}

// FuzzParse makes sure that every statement is parsed or refused with the
// service's text, and that its rendered expression is accepted by the
// expression parser, except for the types of its operands.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`SELECT * FROM "Music"."I" WHERE a.b[0] = ? AND NOT (b IN ['x', 1] OR c BETWEEN 1 AND 2) ORDER BY a DESC`,
		`EXISTS(SELECT a FROM m WHERE b IS NULL AND c IS NOT MISSING AND size(d) > 1)`,
		`INSERT INTO m VALUE {'a': [1, {'b': <<'x'>>}], 'n': -1.5e3, 't': true}`,
		`UPDATE m SET a = a + 1 SET s = set_add(s, <<1>>) REMOVE b[1] WHERE k = 'it''s' RETURNING ALL NEW *`,
		`DELETE FROM m WHERE k = 1 AND contains(a, 'b') RETURNING ALL OLD *`,
		`FROM m SET a = 1 WHERE (attribute_exists(a) = true) <> (b IS BAG) AND contains(a, 'b') IN [c, false]`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := partiql.Parse(text, []value.Value{value.String("p")})
		if err != nil {
			if _, ok := errors.AsType[*value.Error](err); !ok {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		var where partiql.Node
		switch s := s.(type) {
		case *partiql.Select:
			where = s.Where
		case *partiql.Delete:
			where = s.Where
		case *partiql.Update:
			where = s.Where
			checkRendered(t, text, func(x *partiql.Expression, params *expression.Params) error {
				_, err := expression.ParseUpdate(x.Text, params)
				return err
			}, func() (*partiql.Expression, error) { return partiql.Updates(s.Changes) })
		}
		if where != nil {
			checkRendered(t, text, func(x *partiql.Expression, params *expression.Params) error {
				_, err := expression.ParseCondition(expression.ConditionExpression, x.Text, params)
				return err
			}, func() (*partiql.Expression, error) { return partiql.Condition(partiql.Conjuncts(where)) })
		}
	})
}

func checkRendered(t *testing.T, text string, parse func(*partiql.Expression, *expression.Params) error, render func() (*partiql.Expression, error)) {
	t.Helper()
	x, err := render()
	if err != nil {
		return
	}
	params, err := x.Params()
	if err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	if err := parse(x, params); err != nil && (strings.Contains(err.Error(), "Syntax error") || strings.Contains(err.Error(), "redundant")) {
		t.Fatalf("%q: rendered as %q: %v", text, x.Text, err)
	}
	if err := params.Unused(); err != nil && parse(x, params) == nil {
		t.Fatalf("%q: %v", text, err)
	}
}
