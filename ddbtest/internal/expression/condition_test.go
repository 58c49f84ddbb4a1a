// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
)

func parseFilter(t testing.TB, text string, names []string, values string) error {
	_, err := expression.ParseCondition(expression.FilterExpression, text, params(t, names, values))
	return err
}

func TestConditionSyntax(t *testing.T) {
	for _, c := range []struct{ text, token, near string }{
		{"foo", "<EOF>", "foo"},
		{"a = ", "<EOF>", "="},
		{"(a)", "<EOF>", ")"},
		{"(a) AND b = c", "AND", ") AND b"},
		{"attribute_not_exists(", "<EOF>", "("},
		{"attribute_type()", ")", "()"},
		{"pk = !!", "!", "= !!"},
		{"a[abc].b = :v", "abc", "[abc]"},
		{"a[-1].b = :v", "-", "[-1"},
		{"a[].b", "]", "[]."},
		{"a > 4", "4", "> 4"},
		{"a in b", "b", "in b"},
		{"a > between", "between", "> between"},
		{"contains (themes, :theme", "<EOF>", ":theme"},
		{"things are not gonna be ok", "are", "things are not"},
		{"ü > a", "ü", "ü >"},
	} {
		wantInvalid(t, c.text, parseFilter(t, c.text, nil, ""),
			fmt.Sprintf(`Invalid FilterExpression: Syntax error; token: "%s", near: "%s"`, c.token, c.near))
	}
	for _, text := range []string{
		"attribute_exists(Pictures-RearView)",
		`attribute_exists("Pictures.RearView")`,
		"attribute_exists(Pictures..RearView)",
		"attribute_exists(Pi#ctures.RearView)",
		"attribute_exists(asdf[a])",
		"a.:a < b.:b",
		"a in b, c",
		"a in (b,c,)",
		"(a)between(b.(c.d))and(c)",
		"(a)between(b.c.d)and((c)",
		"#$.b > a",
		"a > :things.stuff",
		"b[:a] > a",
		"b[#_] > a",
		"(a)between(b.c[4.5].#d)and(:a)",
		"size(a).b > a",
		"(size(a)).b > a",
		"size(a)[0] > a",
		"(size(a))[0] > a",
		"a = (b = c)",
		"(a = b",
		"a = b)",
		"NOT a",
		"(NOT a)",
		"_a = b",
		"MyList[0.4] = a",
		"a = b c",
	} {
		wantInvalid(t, text, parseFilter(t, text, nil, ""), "Invalid FilterExpression: Syntax error; ...")
	}
}

// The checks run over the whole expression; see the package
// documentation for their order.
func TestConditionErrors(t *testing.T) {
	const (
		s    = `{":a":{"S":"1"}}`
		n    = `{":a":{"N":"1"}}`
		flag = `{":a":{"BOOL":true}}`
		null = `{":a":{"NULL":true}}`
		list = `{":a":{"L":[]}}`
		m    = `{":a":{"M":{}}}`
		ss   = `{":a":{"SS":["1"]}}`

		parens   = "The expression has redundant parentheses;"
		function = "Invalid function name; function: "
		misused  = "The function is not allowed to be used this way in an expression; function: "
		reserved = "Attribute name is a reserved keyword; reserved keyword: "
		noName   = "An expression attribute name used in the document path is not defined; attribute name: "
		noValue  = "An expression attribute value used in expression is not defined; attribute value: "
		count    = "Incorrect number of operands for operator or function; operator or function: "
		kind     = "Incorrect operand type for operator or function; operator or function: "
		path     = "Operator or function requires a document path; operator or function: "
		distinct = "The first operand must be distinct from the remaining operands for this operator or function; operator: "
	)
	for _, c := range []struct{ text, values, message string }{
		{"a=a and a > ((views))", "", parens},
		{"(a)between(((b.c)).d)and(c)", "", parens},
		{"a > whatever((:things), ((a)))", "", parens},
		{"a=a AND ((a=a AND a=a)) AND a=a", "", parens},
		{"a=a OR ((a=a OR a=a)) OR a=a", "", parens},
		{"a=a AND ((a=a AND (a=a AND a=a)))", "", parens},
		{"((#name)) = :value", "", parens},
		{"((a = :a))", s, parens},

		{"a=a and whatever((:things)) > a", "", function + "whatever"},
		{"attRIbute_exIsts((views), #a)", "", function + "attRIbute_exIsts"},

		{"if_not_exists(s, :fallback) = :fallback", "", "The function is not allowed in a condition expression; function: if_not_exists"},
		{"a = b OR list_append(a, b) = c", "", "The function is not allowed in a condition expression; function: list_append"},
		{"a=a and attribute_exists((views), (#a)) > b", "", misused + "attribute_exists"},
		{"attribute_not_exists(things) > b", "", misused + "attribute_not_exists"},
		{"attribute_type(things, :a) > b", "", misused + "attribute_type"},
		{"begins_with(things, a) > b", "", misused + "begins_with"},
		{"contains(:things, c) > b", "", misused + "contains"},
		{"size(contains(a, b)) > a", "", misused + "contains"},
		{"size(things)", "", misused + "size"},
		{"NOT (a = b AND size(c))", "", misused + "size"},
		{"a between b and attribute_exists(things)", "", misused + "attribute_exists"},
		{"a in (b, attribute_exists(things))", "", misused + "attribute_exists"},

		{"attribute_exists(views, #a)", "", reserved + "views"},
		{":a < abOrT", "", reserved + "abOrT"},
		{"m.COMMENT = :value", "", reserved + "COMMENT"},

		{"attribute_exists(#Pictures.RearView, :a) and a=a", "", noName + "#Pictures"},
		{"begins_with(Pictures.#RearView)", "", noName + "#RearView"},
		{"(#P between :lo and :hi) and (#PC in (:cat1, :cat2))", "", noName + "#P"},
		{"#4g > a", "", noName + "#4g"},
		{"#_ > a", "", noName + "#_"},
		{"(a)between(b.c[45].#d)and(:a)", "", noName + "#d"},
		{"begins_with(:hello, #a, #b)", "", noValue + ":hello"},
		{":a < :b", "", noValue + ":a"},
		{":_ > a", "", noValue + ":_"},

		{"attribute_exists(things, a) and a=a", "", count + "attribute_exists, number of operands: 2"},
		{"attribute_not_exists(things, b)", "", count + "attribute_not_exists, number of operands: 2"},
		{"attribute_type(things)", "", count + "attribute_type, number of operands: 1"},
		{"begins_with(things)", "", count + "begins_with, number of operands: 1"},
		{"begins_with(things, size(a), b)", "", count + "begins_with, number of operands: 3"},
		{"contains(things)", "", count + "contains, number of operands: 1"},
		{"size(things, a) > b", "", count + "size, number of operands: 2"},

		{"attribute_type(a, size(a)) and a=a and a=:a", n, kind + "attribute_type, operand type: N"},
		{"attribute_type(a, b)", "", kind + "attribute_type, operand type: {..."},
		{"attribute_type(a, :a)", n, kind + "attribute_type, operand type: N"},
		{"attribute_type(a, :a)", ss, kind + "attribute_type, operand type: SS"},
		{"begins_with(a, size(a)) and a=:a", n, kind + "begins_with, operand type: N"},
		{"begins_with(a, :a)", n, kind + "begins_with, operand type: N"},
		{"begins_with(a, :a)", flag, kind + "begins_with, operand type: BOOL"},
		{"begins_with(a, :a)", null, kind + "begins_with, operand type: NULL"},
		{"begins_with(a, :a)", list, kind + "begins_with, operand type: L"},
		{"begins_with(:a, a)", m, kind + "begins_with, operand type: M"},
		{"begins_with(:a, a)", ss, kind + "begins_with, operand type: SS"},
		{"size(size(a)) > :a", n, kind + "size, operand type: N"},
		{"attribute_not_exists(size(:a))", n, kind + "size, operand type: N"},
		{"size(:a) > a", flag, kind + "size, operand type: BOOL"},
		{"size(:a) > a", null, kind + "size, operand type: NULL"},
		{"a < :a", flag, kind + "<, operand type: BOOL"},
		{"a >= :a", list, kind + ">=, operand type: L"},
		{"a BETWEEN :a AND b", null, kind + "BETWEEN, operand type: NULL"},

		{"attribute_type(a, :a)", s, "Invalid attribute type name found; type: 1, valid types: {..."},
		{"attribute_exists(:a) and a=a", s, path + "attribute_exists"},
		{"attribute_not_exists(size(:a))", s, path + "attribute_not_exists"},

		{"a = a AND #a = b AND :views > a", "", distinct + "=, first operand: [a]"},
		{"c <> c", "", distinct + "<>, first operand: [c]"},
		{"((a=a) OR (a=a))", "", distinct + "=, first operand: [a]"},
		{"contains(ab.bc[1].a, ab.bc[1].a)", "", distinct + "contains, first operand: [ab, bc, [1], a]"},
		{"attribute_type(ab.bc[1].a, ab.bc[1].a)", "", distinct + "attribute_type, first operand: [ab, bc, [1], a]"},
		{"begins_with(ab.bc[1].a, ab.bc[1].a)", "", distinct + "begins_with, first operand: [ab, bc, [1], a]"},

		{"a between :b and :a", `{":a":{"S":"a"},":b":{"N":"1"}}`, "The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {N:1}, upper bound operand: AttributeValue: {S:a}"},
		{"a between :b and :a", `{":a":{"S":"a"},":b":{"S":"b"}}`, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}"},
		{"a between :b and :a", `{":a":{"B":"YQ=="},":b":{"B":"eg=="}}`, "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {B:eg==}, upper bound operand: AttributeValue: {B:YQ==}"},
		{"a IN (" + strings.Repeat(":a,", 100) + ":a)", s, "The IN operator is provided with too many operands; number of operands: 101"},
	} {
		wantInvalid(t, c.text, parseFilter(t, c.text, nil, c.values), "Invalid FilterExpression: "+c.message)
	}

	for _, c := range []struct{ text, values string }{
		{":a > :a", n},
		{"a IN (" + strings.Repeat(":a,", 99) + ":a)", s},
		{"(a) = :a", s},
		{"(b.c).d = :a", s},
		{"(b)[1].d = :a", s},
		{"(a = :a)", s},
		{"size((a)) = :a", n},
		{"NOT NOT a = :a", s},
		{"NOT (a = :a)", s},
		{"a between :a and :a", n},
		{"a = :a AND attribute_type(b, :a)", `{":a":{"S":"NULL"}}`},
		{"A123_=:a", s},
	} {
		if err := parseFilter(t, c.text, nil, c.values); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
	}
	wantInvalid(t, "alias", parseFilter(t, "a > #a", []string{"#a=a"}, ""), "Invalid FilterExpression: "+distinct+">, first operand: [a]")
	if err := parseFilter(t, "#n.#c = :a", []string{"#n=name", "#c=COMMENT"}, s); err != nil {
		t.Error(err)
	}
}

const catalog = `{
	"Id": {"N": "456"},
	"ProductCategory": {"S": "Sporting Goods"},
	"Price": {"N": "650"},
	"Brand": {"S": "Company A"},
	"Color": {"SS": ["Red", "Black"]},
	"Weights": {"NS": ["1.5", "2"]},
	"Codes": {"BS": ["AQI=", "Ag=="]},
	"VideoClip": {"B": "AQIDBA=="},
	"InStock": {"BOOL": true},
	"Gone": {"NULL": true},
	"RelatedItems": {"L": [{"N": "341"}, {"S": "x"}, {"M": {"k": {"S": "v"}}}]},
	"Pictures": {"M": {"FrontView": {"S": "http://example.com/front"}, "SideView": {"S": "http://example.com/side"}}},
	"ProductReviews": {"M": {"OneStar": {"L": [{"S": "bad"}, {"S": "worse"}, {"S": "worst"}, {"S": "no"}]}}},
	"Emoji": {"S": "a😀é"}
}`

func TestConditionEval(t *testing.T) {
	values := `{
		":cat1": {"S": "Sporting Goods"}, ":cat2": {"S": "Gardening Supplies"},
		":lo": {"N": "500"}, ":hi": {"N": "600"}, ":n650": {"N": "650.0"}, ":s650": {"S": "650"},
		":http": {"S": "http://"}, ":company": {"S": "Company"}, ":red": {"S": "Red"}, ":blue": {"S": "Blue"},
		":n2": {"N": "2"}, ":bin": {"B": "Ag=="}, ":bin0": {"B": "AQ=="}, ":n1": {"N": "1"}, ":n3": {"N": "3"}, ":n4": {"N": "4"},
		":L": {"S": "L"}, ":S": {"S": "S"}, ":k": {"M": {"k": {"S": "v"}}}, ":true": {"BOOL": true}, ":false": {"BOOL": false},
		":colors": {"SS": ["Black", "Red"]}, ":null": {"NULL": true}, ":empty": {"S": ""}
	}`
	for _, c := range []struct {
		text string
		want bool
	}{
		// Expressions.ConditionExpressions
		{"attribute_not_exists(Id)", false},
		{"attribute_not_exists(Cost)", true},
		{"attribute_exists(ProductReviews.OneStar)", true},
		{"attribute_exists(ProductReviews.FiveStar)", false},
		{"(ProductCategory IN (:cat1, :cat2)) and (Price between :lo and :hi)", false},
		{"(ProductCategory IN (:cat1, :cat2)) and (Price between :lo and :n650)", true},
		{"Price > :hi", true},
		{"attribute_exists (Pictures.SideView)", true},
		{"begins_with (Pictures.FrontView, :http)", true},
		{"contains(Brand, :company)", true},
		{"size(VideoClip) > :n3", true},

		// Expressions.OperatorsAndFunctions
		{"attribute_not_exists (Manufacturer)", true},
		{"attribute_type (RelatedItems, :L)", true},
		{"attribute_type (RelatedItems, :S)", false},
		{"attribute_type (Nothing, :S)", false},
		{"attribute_type (:S, :S)", true},
		{"contains (Color, :red)", true},
		{"contains (Color, :blue)", false},
		{"size (Brand) <= :lo", true},
		{"size(Color) > :n1", true},
		{"size(ProductReviews.OneStar) > :n3", true},
		{"size(Pictures) = :n2", true},
		// Precedence: a OR b AND c, then (a OR b) AND c.
		{"Price = :n650 OR Price = :n650 AND Price = :lo", true},
		{"(Price = :n650 OR Price = :n650) AND Price = :lo", false},
		{"NOT Price = :lo AND Price = :n650", true},
		{"NOT (Price = :lo OR Price = :n650)", false},

		// Equality is by value and by type.
		{"Price = :n650", true},
		{"Price <> :n650", false},
		{"Price = :s650", false},
		{"Price <> :s650", true},
		{"Price < :s650", false},
		{"Price >= :s650", false},
		{"Color = :colors", true},
		{"RelatedItems[2] = :k", true},
		{"InStock = :true", true},
		{"InStock = :false", false},
		{"Gone = :null", true},
		{"Gone = :false", false},
		// A missing value differs from everything, even from itself.
		{"Absent = :n1", false},
		{"Absent <> :n1", true},
		{"Absent < :n1", false},
		{"Absent = AbsentToo", false},
		{"Absent <> AbsentToo", true},
		{"Absent between :n1 and :n2", false},
		{"Absent IN (:n1)", false},
		{"NOT Absent = :n1", true},
		{"Price IN (:lo, :n650)", true},
		{"Price IN (:lo, :hi)", false},

		{"contains(Weights, :n2)", true},
		{"contains(Weights, :n1)", false},
		{"contains(Weights, :red)", false},
		{"contains(Codes, :bin)", true},
		{"contains(VideoClip, :bin)", true},
		{"contains(RelatedItems, :k)", true},
		{"contains(RelatedItems, :n1)", false},
		{"contains(Brand, :n1)", false},
		{"contains(Brand, :empty)", true},
		{"contains(Absent, :red)", false},
		{"contains(Price, :n650)", false},
		{"begins_with(VideoClip, :bin0)", true},
		{"begins_with(VideoClip, :bin)", false},
		{"begins_with(Brand, :bin)", false},
		{"begins_with(Price, :company)", false},
		{"begins_with(Absent, :company)", false},

		// A string's size is in UTF-16 code units; numbers have none.
		{"size(Emoji) = :n4", true},
		{"size(Price) = :n3", false},
		{"size(Price) <> :n3", true},
		{"size(InStock) > :n1", false},
		{"size(Absent) < :n1", false},
		{"size(Weights) = size(Color)", true},

		{"RelatedItems[0] < Price", true},
		{"RelatedItems[9] < Price", false},
		{"RelatedItems.x < Price", false},
		{"Pictures[0] < Price", false},
		{"Price.x < Price", false},
		{"(RelatedItems[2]).k = RelatedItems[1]", false},
	} {
		cond, err := expression.ParseCondition(expression.ConditionExpression, c.text, params(t, nil, values))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got, err := cond.Eval(item(t, catalog)); got != c.want || err != nil {
			t.Errorf("%s = %v, %v", c.text, got, err)
		}
	}
	cond, err := expression.ParseCondition(expression.ConditionExpression, "attribute_not_exists(Id)", params(t, nil, ""))
	if err != nil {
		t.Fatal(err)
	}
	if ok, _ := cond.Eval(nil); !ok {
		t.Error("an item that does not exist has an attribute")
	}
	var none *expression.Condition
	if ok, _ := none.Eval(nil); !ok {
		t.Error("a missing condition is not met")
	}
}

func TestConditionPaths(t *testing.T) {
	cond, err := expression.ParseCondition(expression.FilterExpression,
		"attribute_exists(a.b[1]) AND (#c IN (d, a) OR size(e) < f)", params(t, []string{"#c=c.c"}, ""))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c.c", "d", "e", "f"}, cond.Attributes()); diff != "" {
		t.Error(diff)
	}
	paths := cond.Paths()
	if len(paths) != 6 || paths[0].String() != "[a, b, [1]]" || !paths[0].Nested() || paths[1].Nested() || paths[1].Attribute() != "c.c" {
		t.Errorf("paths %v", paths)
	}
}
