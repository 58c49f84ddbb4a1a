// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

var cmpItem = cmp.Options{
	cmp.AllowUnexported(value.Number{}),
	cmp.Comparer(func(a, b value.StringSet) bool { return value.Equal(a, b) }),
}

func parseUpdate(t testing.TB, text string, names []string, values string) error {
	t.Helper()
	_, err := expression.ParseUpdate(text, params(t, names, values))
	return err
}

func TestUpdateSyntax(t *testing.T) {
	for _, c := range []struct{ text, token, near string }{
		{"INVALID SYNTAX HERE", "INVALID", "INVALID SYNTAX"},
		{"ADD hits : incr", ":", "hits : incr"},
		{"SET _123 = :val1", "_", "SET _123"},
		{"SET a = :v, #,", "#", ", #,"},
		{"SET #attr1 = :val1, ", "<EOF>", ","},
		{"ADD numx", "<EOF>", "numx"},
		{"DELETE setx", "<EOF>", "setx"},
		{"SET note = :v +", "<EOF>", "+"},
		{"SET numx = numx * :v", "*", "numx * :v"},
		{"SET numx = numx / :v", "/", "numx / :v"},
		{"ADD numx 1", "1", "numx 1"},
		{"DELETE setx a", "a", "setx a"},
		{"SET #list[0.#comment = :value", ".", "0.#comment"},
		{"SET", "<EOF>", "SET"},
	} {
		wantInvalid(t, c.text, parseUpdate(t, c.text, nil, ""),
			fmt.Sprintf(`Invalid UpdateExpression: Syntax error; token: "%s", near: "%s"`, c.token, c.near))
	}
	for _, text := range []string{
		"whatever",
		"set a",
		"add a",
		"delete a",
		"set a=set",
		"remove a = b",
		"add a = b",
		"delete a = b",
		"delete a b",
		"delete a if_not_exist(b)",
		"add abort b",
		"add a if_not_exist(b)",
		"remove a b",
		"set a b",
		"set :a = b",
		"add :a b",
		"delete :a b",
		"remove :a",
		`set a[1] = "eight"`,
		"set a[1] = 1",
		"SET a = if_not_exist(a, 100)",
		"SET if_not_exist(a, b) = a",
		"set (a = (b + c))",
		"set a = (b.c).d + e",
		"set a = (b.c)[0] + e",
		"set a = b + c + d",
		"SET a = _f(b,c,d)",
		"SET c = if_not_exists(c, :val1+:val2)",
		"SET a[:xyz] = :val1",
		"SET a[#xyz] = :val1",
		"SET a = :a,, b = :a",
		"SET a = :a AND b = :a",
		"SET hi-there = :val1",
		"SET #hi-there = :val1",
		"SET b = if_not_exists(non@sense, :val1)",
	} {
		wantInvalid(t, text, parseUpdate(t, text, nil, ""), "Invalid UpdateExpression: Syntax error; ...")
	}
	for _, text := range []string{
		"set a[1] = b",
		"set a.b = b",
		"SET a = if_not_exists(a, b) + b",
		"SET a = if_not_exists(a, if_not_exists(a, b))",
		"set a = (b + c)",
		"set a = ((b.c.d)+(e))",
		"sEt a=b rEmOvE c",
		"  set\ta =\n b  ",
		"SET a = list_append(if_not_exists(a, b), c)",
		"SET A123_ = b",
	} {
		if err := parseUpdate(t, text, nil, ""); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestUpdateErrors(t *testing.T) {
	names := []string{"#a=a", "#b=b"}
	values := `{
		":a": {"S": "a"}, ":b": {"N": "1"}, ":c": {"B": "YQ=="}, ":d": {"BOOL": true}, ":e": {"NULL": true},
		":f": {"SS": ["a"]}, ":g": {"NS": ["1"]}, ":h": {"BS": ["YQ=="]}, ":i": {"M": {}}, ":j": {"L": []}
	}`
	const (
		reserved = "Attribute name is a reserved keyword; reserved keyword: "
		section  = "section can only be used once in an update expression;"
		noName   = "An expression attribute name used in the document path is not defined; attribute name: "
		noValue  = "An expression attribute value used in expression is not defined; attribute value: "
		count    = "Incorrect number of operands for operator or function; operator or function: "
		kind     = "Incorrect operand type for operator or function; operator or function: "
		addend   = "Incorrect operand type for operator or function; operator: "
		path     = "Operator or function requires a document path; operator or function: "
		misused  = "The function is not allowed to be used this way in an expression; function: "
		place    = "The function is not allowed in an update expression; function: "
	)
	for _, c := range []struct{ text, message string }{
		{" set #x = :x set abOrt = true ", reserved + "abOrt"},
		{" remove Absolute ", reserved + "Absolute"},
		{"SET #x[0].COMMENT = :value", reserved + "COMMENT"},
		{"set #x = if_not_exist(:x) set c = d", "Invalid function name; function: if_not_exist"},
		{"SET a = f123_hi(b,c,d)", "Invalid function name; function: f123_hi"},
		{"SET a = LIST_APPEND(:a, :b)", "Invalid function name; function: LIST_APPEND"},
		{"SET #r = contains(s, :needle)", place + "contains"},
		{"SET #r = size(s)", place + "size"},
		{"SET #r = list_append(list_append(l, :tail), :tail2)", misused + "list_append"},

		{"set a = #x set c = :x", `The "SET" ` + section},
		{"remove #x set a = b remove e", `The "REMOVE" ` + section},
		{"add #x :e set a = b add e :f", `The "ADD" ` + section},
		{"delete #x :e set a = b delete #e :f", `The "DELETE" ` + section},

		{"SET #c = if_not_exists(:x)", noName + "#c"},
		{"SET #a = if_not_exists(:x)", noValue + ":x"},
		{"SET b = if_not_exists(:val2, :val1)", noValue + ":val2"},

		{"set b = list_append(:a, a), c = if_not_exists(a) add a.b :a", addend + "ADD, operand type: STRING, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"delete a.b :a", addend + "DELETE, operand type: STRING, typeSet: ALLOWED_FOR_DELETE_OPERAND"},
		{"add a.b :e", addend + "ADD, operand type: NULL, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"add a.b :d", addend + "ADD, operand type: BOOLEAN, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"add a.b :c", addend + "ADD, operand type: BINARY, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"add a.b :i", addend + "ADD, operand type: MAP, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"add a.b :j", addend + "ADD, operand type: LIST, typeSet: ALLOWED_FOR_ADD_OPERAND"},
		{"delete a.b :b", addend + "DELETE, operand type: NUMBER, typeSet: ALLOWED_FOR_DELETE_OPERAND"},

		{"set a = if_not_exists(c)", count + "if_not_exists, number of operands: 1"},
		{"set a = list_append(c)", count + "list_append, number of operands: 1"},
		{"set a = list_append(c, d, e)", count + "list_append, number of operands: 3"},
		{"set a = if_not_exists(:a, c)", path + "if_not_exists"},
		{"set a = if_not_exists(if_not_exists(a, b), c)", path + "if_not_exists"},
		{"set a = list_append(:a, a)", kind + "list_append, operand type: S"},
		{"set a = list_append(a, :b)", kind + "list_append, operand type: N"},
		{"set a = list_append(:i, a)", kind + "list_append, operand type: M"},
		{"set a = a + :a", kind + "+, operand type: S"},
		{"set a = :a + :c", kind + "+, operand type: S"},
		{"set a = :c + a", kind + "+, operand type: B"},
		{"set a = a + :j", kind + "+, operand type: L"},
		{"set a = a - :d", kind + "-, operand type: BOOL"},
		{"set a = a - :e", kind + "-, operand type: NULL"},
		{"set a = a - :f", kind + "-, operand type: SS"},
		{"set a = a - :g", kind + "-, operand type: NS"},
		{"set a = a - :h", kind + "-, operand type: BS"},
		{"set a = ((b))", "The expression has redundant parentheses;"},
	} {
		wantInvalid(t, c.text, parseUpdate(t, c.text, names, values), "Invalid UpdateExpression: "+c.message)
	}
}

func TestUpdatePaths(t *testing.T) {
	names := []string{"#c=c", "#d=[3]"}
	for _, c := range []struct{ text, verb, one, two string }{
		{"set d[1] = a, d.b = a, c[1].a = a, #c = if_not_exists(a)", "overlap", "[c, [1], a]", "[c]"},
		{"set c.b.#c = a, c = a, #d = a", "overlap", "[c, b, c]", "[c]"},
		{"set a = b remove a, #c, #d", "overlap", "[a]", "[a]"},
		{"set #c[3].#d = a, #c[3] = a", "overlap", "[c, [3], [3]]", "[c, [3]]"},
		{"remove c, #c.a, #d", "overlap", "[c]", "[c, a]"},
		{"remove a, #c, a, #d", "overlap", "[a]", "[a]"},
		{"SET a[1][1][1][1] = b, a[1][1] = b", "overlap", "[a, [1], [1], [1], [1]]", "[a, [1], [1]]"},
		{"set #c[3].#d = a, #c.#d[3] = if_not_exists(a)", "conflict", "[c, [3], [3]]", "[c, [3], [3]]"},
		{"remove a.#c set a[1] = #d", "conflict", "[a, c]", "[a, [1]]"},
	} {
		wantInvalid(t, c.text, parseUpdate(t, c.text, names, ""), "Invalid UpdateExpression: Two document paths "+c.verb+
			" with each other; must remove or rewrite one of these paths; path one: "+c.one+", path two: "+c.two)
	}
	u, err := expression.ParseUpdate("SET a.b = #c.d, e = if_not_exists(f, :v) REMOVE a.g[1] ADD h :v DELETE i :s",
		params(t, []string{"#c=c c"}, `{":v":{"N":"1"},":s":{"SS":["x"]}}`))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "e", "h", "i"}, u.Attributes()); diff != "" {
		t.Error(diff)
	}
	var paths []string
	for _, p := range u.Paths() {
		paths = append(paths, p.String())
	}
	if diff := cmp.Diff([]string{"[a, b]", "[c c, d]", "[e]", "[f]", "[a, g, [1]]", "[h]", "[i]"}, paths); diff != "" {
		t.Error(diff)
	}
}

// The examples of Expressions.UpdateExpressions in their order, each on the
// result of the last.
func TestUpdateGuide(t *testing.T) {
	it := item(t, `{"Id":{"N":"789"},"ProductCategory":{"S":"Home Improvement"},"Price":{"N":"52"},"InStock":{"BOOL":true},"Brand":{"S":"Acme"}}`)
	for _, c := range []struct {
		text   string
		names  []string
		values string
		want   string // of the written top-level attributes
	}{
		{"SET ProductCategory = :c, Price = :p", nil, `{":c":{"S":"Hardware"},":p":{"N":"60"}}`,
			`{"ProductCategory":{"S":"Hardware"},"Price":{"N":"60"}}`},
		{"SET RelatedItems = :ri, ProductReviews = :pr", nil,
			`{":ri":{"L":[{"S":"Hammer"}]},":pr":{"M":{"FiveStar":{"L":[{"S":"Best product ever!"}]}}}}`,
			`{"RelatedItems":{"L":[{"S":"Hammer"}]},"ProductReviews":{"M":{"FiveStar":{"L":[{"S":"Best product ever!"}]}}}}`},
		{"SET RelatedItems[1] = :ri", nil, `{":ri":{"S":"Nails"}}`, `{"RelatedItems":{"L":[{"S":"Hammer"},{"S":"Nails"}]}}`},
		{"SET #pr.#5star[1] = :r5, #pr.#3star = :r3", []string{"#pr=ProductReviews", "#5star=FiveStar", "#3star=ThreeStar"},
			`{":r5":{"S":"Very happy with my purchase"},":r3":{"L":[{"S":"Just OK - not that great"}]}}`,
			`{"ProductReviews":{"M":{"FiveStar":{"L":[{"S":"Best product ever!"},{"S":"Very happy with my purchase"}]},"ThreeStar":{"L":[{"S":"Just OK - not that great"}]}}}}`},
		{"SET Price = Price - :p", nil, `{":p":{"N":"15"}}`, `{"Price":{"N":"45"}}`},
		{"SET #ri = list_append(#ri, :vals)", []string{"#ri=RelatedItems"}, `{":vals":{"L":[{"S":"Screwdriver"},{"S":"Hacksaw"}]}}`,
			`{"RelatedItems":{"L":[{"S":"Hammer"},{"S":"Nails"},{"S":"Screwdriver"},{"S":"Hacksaw"}]}}`},
		{"SET #ri = list_append(:vals, #ri)", []string{"#ri=RelatedItems"}, `{":vals":{"L":[{"S":"Chisel"}]}}`,
			`{"RelatedItems":{"L":[{"S":"Chisel"},{"S":"Hammer"},{"S":"Nails"},{"S":"Screwdriver"},{"S":"Hacksaw"}]}}`},
		{"SET Price = if_not_exists(Price, :p)", nil, `{":p":{"N":"100"}}`, `{"Price":{"N":"45"}}`},
		{"REMOVE Brand, InStock, QuantityOnHand", nil, "", `{}`},
		{"REMOVE RelatedItems[1], RelatedItems[2]", nil, "", `{"RelatedItems":{"L":[{"S":"Chisel"},{"S":"Screwdriver"},{"S":"Hacksaw"}]}}`},
		{"ADD QuantityOnHand :q", nil, `{":q":{"N":"5"}}`, `{"QuantityOnHand":{"N":"5"}}`},
		{"ADD QuantityOnHand :q", nil, `{":q":{"N":"5"}}`, `{"QuantityOnHand":{"N":"10"}}`},
		{"ADD Color :c", nil, `{":c":{"SS":["Orange","Purple"]}}`, `{"Color":{"SS":["Orange","Purple"]}}`},
		{"ADD Color :c", nil, `{":c":{"SS":["Yellow","Green","Blue"]}}`, `{"Color":{"SS":["Orange","Purple","Yellow","Green","Blue"]}}`},
		{"DELETE Color :p", nil, `{":p":{"SS":["Yellow","Purple"]}}`, `{"Color":{"SS":["Orange","Green","Blue"]}}`},
	} {
		u, err := expression.ParseUpdate(c.text, params(t, c.names, c.values))
		if err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		if it, err = u.Apply(it); err != nil {
			t.Fatalf("%s: %v", c.text, err)
		}
		got := value.Item{}
		for _, name := range u.Attributes() {
			if v, ok := it[name]; ok {
				got[name] = v
			}
		}
		if diff := cmp.Diff(item(t, c.want), got, cmpItem); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, diff)
		}
	}
}

const updateValues = `{
	":v": {"S": "new"}, ":n": {"N": "1"}, ":l": {"L": [{"N": "9"}]}, ":m": {"M": {}},
	":ss": {"SS": ["a", "x"]}, ":ns": {"NS": ["1", "3"]}, ":bs": {"BS": ["YQ=="]}
}`

func TestUpdateApply(t *testing.T) {
	for _, c := range []struct{ old, text, want string }{
		// All operands are read from the old image.
		{`{"a":{"N":"1"},"b":{"N":"2"}}`, "SET a = b, b = a", `{"a":{"N":"2"},"b":{"N":"1"}}`},
		{`{"a":{"S":"hello"}}`, "REMOVE a SET b = a", `{"b":{"S":"hello"}}`},
		{`{"a":{"S":"hello"}}`, "SET c = a REMOVE a", `{"c":{"S":"hello"}}`},
		{`{"a":{"N":"2"}}`, "SET a = a + a, b = a - :n", `{"a":{"N":"4"},"b":{"N":"1"}}`},
		{`{"c":{"N":"5"}}`, "SET c = (c - :n)", `{"c":{"N":"4"}}`},
		{`{}`, "SET b = if_not_exists(b, :n)+:n", `{"b":{"N":"2"}}`},
		{`{"a":{"N":"3"}}`, "SET x = if_not_exists(b, if_not_exists(a, :n))", `{"a":{"N":"3"},"x":{"N":"3"}}`},
		{`{"a":{"N":"3"}}`, "SET x = if_not_exists(a, nothing)", `{"a":{"N":"3"},"x":{"N":"3"}}`},
		{`{}`, "SET a = list_append(if_not_exists(a, :l), :l)", `{"a":{"L":[{"N":"9"},{"N":"9"}]}}`},
		{`{"a":{"L":[]},"b":{"L":[]}}`, "SET c = list_append(a, b)", `{"a":{"L":[]},"b":{"L":[]},"c":{"L":[]}}`},

		// Nested paths.
		{`{"a":{"M":{"x":{"N":"3"},"y":{"N":"4"},"c":{"M":{"y":{"N":"3"}}}}},"b":{"M":{"x":{"N":"1"},"y":{"N":"2"}}}}`,
			"SET a.b = :v, a.c.d = :v, b.x = :n REMOVE a.x, b.y",
			`{"a":{"M":{"y":{"N":"4"},"b":{"S":"new"},"c":{"M":{"y":{"N":"3"},"d":{"S":"new"}}}}},"b":{"M":{"x":{"N":"1"}}}}`},
		{`{"a":{"M":{"b":{"N":"1"}}}}`, "REMOVE a.b", `{"a":{"M":{}}}`},
		{`{"a":{"L":[{"N":"1"}]}}`, "REMOVE a[0]", `{"a":{"L":[]}}`},
		{`{"a":{"M":{"x":{"N":"3"}}},"b":{"L":[{"S":"hi"}]}}`, "REMOVE a.y, b[7], c", `{"a":{"M":{"x":{"N":"3"}}},"b":{"L":[{"S":"hi"}]}}`},

		// Lists: indexes are those of the old list, and elements beyond its
		// end are appended in the order of the indexes.
		{`{"a":{"L":[{"N":"2"},{"N":"3"},{"N":"4"},{"N":"5"},{"N":"6"},{"N":"7"}]}}`, "REMOVE a[1] SET a[3] = :v",
			`{"a":{"L":[{"N":"2"},{"N":"4"},{"S":"new"},{"N":"6"},{"N":"7"}]}}`},
		{`{"a":{"L":[{"N":"2"},{"N":"3"},{"N":"4"},{"N":"5"},{"N":"6"},{"N":"7"}]}}`, "SET a[3] = :v REMOVE a[1]",
			`{"a":{"L":[{"N":"2"},{"N":"4"},{"S":"new"},{"N":"6"},{"N":"7"}]}}`},
		{`{"a":{"L":[{"N":"2"},{"N":"3"}]}}`, "SET a[84] = :v, a[37] = :n, a[17] = :m, a[50] = :l",
			`{"a":{"L":[{"N":"2"},{"N":"3"},{"M":{}},{"N":"1"},{"L":[{"N":"9"}]},{"S":"new"}]}}`},
		{`{"a":{"L":[{"N":"2"},{"N":"3"}]}}`, "SET a[5] = :v REMOVE a[0], a[2], a[9]", `{"a":{"L":[{"N":"3"},{"S":"new"}]}}`},
		{`{"a":{"L":[{"L":[{"N":"1"},{"N":"2"}]}]}}`, "REMOVE a[0][0] SET a[0][1] = :v", `{"a":{"L":[{"L":[{"S":"new"}]}]}}`},

		// ADD and DELETE.
		{`{"a":{"N":"0.1"}}`, "ADD a :n", `{"a":{"N":"1.1"}}`},
		{`{}`, "ADD a :n, b :ss", `{"a":{"N":"1"},"b":{"SS":["a","x"]}}`},
		{`{"a":{"SS":["b","a"]},"b":{"NS":["1","2"]},"c":{"BS":["Yg=="]}}`, "ADD a :ss, b :ns, c :bs",
			`{"a":{"SS":["b","a","x"]},"b":{"NS":["1","2","3"]},"c":{"BS":["Yg==","YQ=="]}}`},
		{`{"a":{"L":[{"N":"1"}]}}`, "ADD a[0] :n, a[4] :n", `{"a":{"L":[{"N":"2"},{"N":"1"}]}}`},
		{`{"a":{"SS":["b","a"]},"b":{"NS":["1","2"]},"c":{"BS":["Yg==","YQ=="]}}`, "DELETE a :ss, b :ns, c :bs",
			`{"a":{"SS":["b"]},"b":{"NS":["2"]},"c":{"BS":["Yg=="]}}`},
		{`{"a":{"SS":["a"]},"b":{"NS":["1"]},"c":{"BS":["YQ=="]}}`, "DELETE a :ss, b :ns, c :bs", `{}`},
		{`{"a":{"SS":["x","a"]},"m":{"M":{"s":{"SS":["x"]}}}}`, "DELETE a :ss, m.s :ss, nothing :ss", `{"m":{"M":{}}}`},
	} {
		u, err := expression.ParseUpdate(c.text, params(t, nil, updateValues))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		old, kept := item(t, c.old), item(t, c.old)
		got, err := u.Apply(old)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(item(t, c.want), got, cmpItem); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, diff)
		}
		if diff := cmp.Diff(kept, old, cmpItem); diff != "" {
			t.Errorf("%s changed the old item:\n%s", c.text, diff)
		}
	}
}

func TestUpdateApplyErrors(t *testing.T) {
	const (
		path      = "The document path provided in the update expression is invalid for update"
		operand   = "An operand in the update expression has an incorrect data type"
		attribute = "The provided expression refers to an attribute that does not exist in the item"
		overflow  = "Number overflow. Attempting to store a number with magnitude larger than supported range"
	)
	old := `{
		"b": {"S": "x"}, "c": {"M": {"1": {"S": "a"}, "s": {"SS": ["1"]}}}, "d": {"L": [{"S": "a"}, {"S": "b"}]},
		"n": {"N": "1"}, "ns": {"NS": ["1"]}, "big": {"N": "1e50"}, "huge": {"N": "9e125"}
	}`
	for _, c := range []struct{ text, message string }{
		{"SET x = nothing", attribute},
		{"SET x = :n, y = x", attribute},
		{"SET x = list_append(nothing, :l)", attribute},
		{"SET x = nothing + :n", attribute},
		{"SET x = :n - nothing", attribute},
		{"SET x = if_not_exists(nothing, nothing)", attribute},
		{"SET x = c.nothing", attribute},
		{"SET x = b + :n", operand},
		{"SET x = n - ns", operand},
		{"SET x = list_append(ns, :l)", operand},
		{"SET x = list_append(ns, if_not_exists(f, :l))", operand},
		{"ADD b :n", operand},
		{"ADD ns :n", operand},
		{"ADD ns :ss", operand},
		{"ADD n :ns", operand},
		{"ADD d :ss", operand},
		{"DELETE ns :ss", operand},
		{"DELETE c :ns", operand},
		{"DELETE c.s :ns", operand},
		{"DELETE c.s :bs", operand},
		{"DELETE n :ns", operand},
		{"SET x = big + :n", overflow},
		{"SET x = big - :n", overflow},
		{"ADD big :n", overflow},
		{"SET x = huge + huge", overflow},

		{"SET b.a = :v", path},
		{"SET b[1] = :v", path},
		{"SET y.a = :v", path},
		{"SET y[1] = :v", path},
		{"SET c[1] = :v", path},
		{"SET d.x = :v", path},
		{"SET c.y.z = :v", path},
		{"SET d[2].z = :v", path},
		{"REMOVE b.a", path},
		{"REMOVE b[1]", path},
		{"REMOVE y.a", path},
		{"REMOVE y[1]", path},
		{"REMOVE c[1]", path},
		{"REMOVE d.x", path},
		{"DELETE b.a :ss", path},
		{"DELETE y[1] :ss", path},
		{"DELETE c[1] :ss", path},
		{"DELETE d.x :ss", path},
		{"ADD b.a :ss", path},
		{"ADD y.a :ss", path},
		{"ADD c[1] :ss", path},
		{"ADD d.x :ss", path},
	} {
		u, err := expression.ParseUpdate(c.text, params(t, nil, updateValues))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		_, err = u.Apply(item(t, old))
		wantInvalid(t, c.text, err, c.message)
	}

	deep := func(levels int) string {
		return strings.Repeat(`{"L":[`, levels-1) + `{"S":"x"}` + strings.Repeat(`]}`, levels-1)
	}
	u, err := expression.ParseUpdate("SET c.d = :deep", params(t, nil, `{":deep":`+deep(32)+`}`))
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Apply(item(t, old))
	wantInvalid(t, "33 levels", err,
		"Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit")
	if u, err = expression.ParseUpdate("SET c.d = :deep", params(t, nil, `{":deep":`+deep(31)+`}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Apply(item(t, old)); err != nil {
		t.Errorf("32 levels: %v", err)
	}
}

func TestUpdateApplyNew(t *testing.T) {
	key := item(t, `{"p":{"S":"k"},"q":{"N":"7"}}`)
	for _, c := range []struct{ text, want string }{
		{"SET a = p, b = q + q", `{"a":{"S":"k"},"b":{"N":"14"}}`},
		{"ADD a :n", `{"a":{"N":"1"}}`},
		// An action that only removes is ignored if its path does not exist.
		{"REMOVE x.y, z[0], a", `{}`},
		{"DELETE x.y :ss", `{}`},
		{"REMOVE x.y SET a = :n", `{"a":{"N":"1"}}`},
	} {
		u, err := expression.ParseUpdate(c.text, params(t, nil, updateValues))
		if err != nil {
			t.Fatal(err)
		}
		got, err := u.ApplyNew(key)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if diff := cmp.Diff(item(t, c.want), got, cmpItem); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, diff)
		}
	}
	for _, text := range []string{"SET b.a = p", "SET b[1] = p", "ADD b.a :n", "SET x.y = :n REMOVE x.z"} {
		u, err := expression.ParseUpdate(text, params(t, nil, updateValues))
		if err != nil {
			t.Fatal(err)
		}
		_, err = u.ApplyNew(key)
		wantInvalid(t, text, err, "The document path provided in the update expression is invalid for update")
	}
	u, err := expression.ParseUpdate("SET a = p", params(t, nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	_, err = u.Apply(nil)
	wantInvalid(t, "no key", err, "The provided expression refers to an attribute that does not exist in the item")
}

func TestUpdateTouched(t *testing.T) {
	u, err := expression.ParseUpdate("SET a.b = :v, l[1] = :v REMOVE c.d", params(t, nil, `{":v":{"S":"new"}}`))
	if err != nil {
		t.Fatal(err)
	}
	old := item(t, `{"a":{"M":{"b":{"S":"old"},"x":{"N":"1"}}},"l":{"L":[{"N":"0"},{"N":"1"},{"N":"2"}]},"c":{"M":{"d":{"N":"5"}}},"z":{"N":"1"}}`)
	updated, err := u.Apply(old)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(item(t, `{"a":{"M":{"b":{"S":"old"}}},"l":{"L":[{"N":"1"}]},"c":{"M":{"d":{"N":"5"}}}}`),
		u.Touched().Apply(old), cmpItem); diff != "" {
		t.Errorf("old: %s", diff)
	}
	if diff := cmp.Diff(item(t, `{"a":{"M":{"b":{"S":"new"}}},"l":{"L":[{"S":"new"}]}}`),
		u.Touched().Apply(updated), cmpItem); diff != "" {
		t.Errorf("new: %s", diff)
	}
}
