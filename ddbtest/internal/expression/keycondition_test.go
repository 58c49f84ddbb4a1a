// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

func TestKeyCondition(t *testing.T) {
	a, b := value.String("a"), value.String("b")
	term := func(attribute, op string, values ...value.Value) expression.KeyTerm {
		return expression.KeyTerm{Attribute: attribute, Op: op, Values: values}
	}
	for _, c := range []struct {
		text string
		want []expression.KeyTerm
	}{
		// Query.KeyConditionExpressions
		{"ForumName = :a", []expression.KeyTerm{term("ForumName", "=", a)}},
		{"ForumName = :a and Subject = :b", []expression.KeyTerm{term("ForumName", "=", a), term("Subject", "=", b)}},
		{"ForumName = :a and begins_with(Subject, :b)", []expression.KeyTerm{term("ForumName", "=", a), term("Subject", "begins_with", b)}},
		{"Id = :a and ReplyDateTime between :a and :b", []expression.KeyTerm{term("Id", "=", a), term("ReplyDateTime", "BETWEEN", a, b)}},

		{"(#pk = :a) AND (#sk >= :b)", []expression.KeyTerm{term("p k", "=", a), term("s", ">=", b)}},
		{"(#pk = :a AND #sk < :b)", []expression.KeyTerm{term("p k", "=", a), term("s", "<", b)}},
		{":a = pk AND :b <= sk", []expression.KeyTerm{term("pk", "=", a), term("sk", ">=", b)}},
		{":b < sk AND :b > x AND :b >= y", []expression.KeyTerm{term("sk", ">", b), term("x", "<", b), term("y", "<=", b)}},
		{"w = :a AND x = :a AND (y = :a AND z = :a)",
			[]expression.KeyTerm{term("w", "=", a), term("x", "=", a), term("y", "=", a), term("z", "=", a)}},
	} {
		k, err := expression.ParseKeyCondition(c.text, params(t, []string{"#pk=p k", "#sk=s"}, `{":a":{"S":"a"},":b":{"S":"b"}}`))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, err := k.Terms()
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, diff)
		}
	}
}

func TestKeyConditionErrors(t *testing.T) {
	const (
		operator  = "Invalid operator used in KeyConditionExpression: "
		condition = "Invalid condition in KeyConditionExpression: "
		first     = " operator must have the key attribute as its first operand"
		nestedOp  = "KeyConditionExpressions cannot contain nested operations"
		nested    = "KeyConditionExpressions cannot have conditions on nested attributes"
		one       = "KeyConditionExpressions must only contain one condition per key"
	)
	values := `{":a":{"N":"1"},":b":{"N":"1"},":s":{"S":"S"}}`
	for _, c := range []struct{ text, message string }{
		{"attribute_type(a, :s)", operator + "attribute_type"},
		{"a > b and size(b) > c or a > c", operator + "OR"},
		{"a in (b, size(c), d)", operator + "IN"},
		{"attribute_exists(a)", operator + "attribute_exists"},
		{"attribute_not_exists(a)", operator + "attribute_not_exists"},
		{"contains(a.d, b)", operator + "contains"},
		{"not a > b", operator + "NOT"},
		{"a <> b", operator + "<>"},
		{":a between size(b) and size(a) and b > :b", condition + "BETWEEN" + first},
		{"begins_with(:s, b) and a > :b", condition + "begins_with" + first},
		{"size(b) > a AND a.b > b AND b > c", nestedOp},
		{"a > size(b.d)", nestedOp},
		{"a between size(b) and size(a)", nestedOp},
		{"b > a.b", condition + "Multiple attribute names used in one condition"},
		{"b between c[1] and d", condition + "Multiple attribute names used in one condition"},
		{"a between b and size(a)", condition + "Multiple attribute names used in one condition"},
		{"begins_with(a, b)", condition + "Multiple attribute names used in one condition"},
		{"b.d > a AND c.d > e.f", nested},
		{"a.d > c", nested},
		{"b[0] > a", nested},
		{":b > :a AND a < :b", condition + "No key attribute specified"},
		{":a > b AND :a < :b", condition + "No key attribute specified"},
		{"b > :a AND b < :a and c = :a and d = :a", one},
		{"(a > :a and b > :a) and (b > :a and c > :a)", one},
	} {
		k, err := expression.ParseKeyCondition(c.text, params(t, nil, values))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		_, err = k.Terms()
		wantInvalid(t, c.text, err, c.message)
	}
	for _, c := range []struct{ text, message string }{
		{"user-id = :a", `Syntax error; token: "-", near: "user-id"`},
		{"a > 4", `Syntax error; token: "4", near: "> 4"`},
		{"attribute_type(a, :a)", "Incorrect operand type for operator or function; operator or function: attribute_type, operand type: N"},
		{"name = :a", "Attribute name is a reserved keyword; reserved keyword: name"},
		{"#a = :a", "An expression attribute name used in the document path is not defined; attribute name: #a"},
		{"a = :x", "An expression attribute value used in expression is not defined; attribute value: :x"},
		{"begins_with(a, :a)", "Incorrect operand type for operator or function; operator or function: begins_with, operand type: N"},
		{"((a = :a))", "The expression has redundant parentheses;"},
	} {
		_, err := expression.ParseKeyCondition(c.text, params(t, nil, values))
		wantInvalid(t, c.text, err, "Invalid KeyConditionExpression: "+c.message)
	}
}
