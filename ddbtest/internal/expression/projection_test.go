// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
)

func TestProjection(t *testing.T) {
	const pictured = `{"p":{"S":"k"},"a":{"M":{"b":{"L":[{"N":"2"},{"N":"4"},{"M":{"x":{"S":"hi"},"y":{"S":"yo"}}}]},"c":{"N":"5"}}},"b":{"S":"hello"},"a.b":{"S":"dot"}}`
	const product = `{"Id":{"N":"123"},"Title":{"S":"Bicycle"},"Price":{"N":"500"},"Color":{"SS":["Red","Black"]},"Description":{"S":"Fine"},
		"RelatedItems":{"L":[{"N":"341"},{"N":"472"}]},"Comment":{"S":"none"},"Safety.Warning":{"S":"Always wear a helmet"},
		"ProductReviews":{"M":{"FiveStar":{"L":[{"S":"Excellent!"}]},"OneStar":{"L":[{"S":"Terrible!"}]}}}}`
	const nested = `{"l":{"L":[{"M":{"a":{"N":"1"},"b":{"N":"2"}}},{"N":"1"},{"N":"2"}]}}`
	for _, c := range []struct {
		item, text string
		names      []string
		want       string
	}{
		// Expressions.ProjectionExpressions
		{product, "Title ", nil, `{"Title":{"S":"Bicycle"}}`},
		{product, "Title, Price, Color ", nil, `{"Title":{"S":"Bicycle"},"Price":{"N":"500"},"Color":{"SS":["Red","Black"]}}`},
		{product, "Description, RelatedItems[0], ProductReviews.FiveStar", nil,
			`{"Description":{"S":"Fine"},"RelatedItems":{"L":[{"N":"341"}]},"ProductReviews":{"M":{"FiveStar":{"L":[{"S":"Excellent!"}]}}}}`},
		// Expressions.ExpressionAttributeNames
		{product, "#c", []string{"#c=Comment"}, `{"Comment":{"S":"none"}}`},
		{product, "Safety.Warning", nil, `{}`},
		{product, "#sw", []string{"#sw=Safety.Warning"}, `{"Safety.Warning":{"S":"Always wear a helmet"}}`},
		{product, "#pr1star", []string{"#pr1star=ProductReviews.OneStar"}, `{}`},
		{product, "#pr.#1star", []string{"#pr=ProductReviews", "#1star=OneStar"}, `{"ProductReviews":{"M":{"OneStar":{"L":[{"S":"Terrible!"}]}}}}`},
		{product, "#pr.FiveStar, #pr.ThreeStar, #pr.OneStar", []string{"#pr=ProductReviews"},
			`{"ProductReviews":{"M":{"FiveStar":{"L":[{"S":"Excellent!"}]},"OneStar":{"L":[{"S":"Terrible!"}]}}}}`},

		{pictured, "a.b[0]", nil, `{"a":{"M":{"b":{"L":[{"N":"2"}]}}}}`},
		{pictured, "a.b[2].y", nil, `{"a":{"M":{"b":{"L":[{"M":{"y":{"S":"yo"}}}]}}}}`},
		{pictured, "x", nil, `{}`},
		{pictured, "a.b[3]", nil, `{}`},
		{pictured, "a.x.y", nil, `{}`},
		{pictured, "a.b.x", nil, `{}`},
		{pictured, "a[0]", nil, `{}`},
		{pictured, "a.b[0][0]", nil, `{}`},
		{pictured, "a.b[0],a.b[1]", nil, `{"a":{"M":{"b":{"L":[{"N":"2"},{"N":"4"}]}}}}`},
		{pictured, "a.b[1],a.b[0]", nil, `{"a":{"M":{"b":{"L":[{"N":"2"},{"N":"4"}]}}}}`},
		{pictured, "a.b[0],a.c", nil, `{"a":{"M":{"b":{"L":[{"N":"2"}]},"c":{"N":"5"}}}}`},
		{pictured, "a.x, a.b[0], x, a.b[3].x", nil, `{"a":{"M":{"b":{"L":[{"N":"2"}]}}}}`},
		{pictured, "#n", []string{"#n=a.b"}, `{"a.b":{"S":"dot"}}`},
		{nested, "l[2], l[0]", nil, `{"l":{"L":[{"M":{"a":{"N":"1"},"b":{"N":"2"}}},{"N":"2"}]}}`},
		{nested, "l[0].b, l[0].a", nil, `{"l":{"L":[{"M":{"a":{"N":"1"},"b":{"N":"2"}}}]}}`},
		{`{"l":{"L":[]},"m":{"M":{}}}`, "l, m", nil, `{"l":{"L":[]},"m":{"M":{}}}`},
	} {
		p, err := expression.ParseProjection(c.text, params(t, c.names, ""))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if diff := cmp.Diff(item(t, c.want), p.Apply(item(t, c.item)), cmpItem); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", c.text, diff)
		}
	}
	p, err := expression.ParseProjection("a.b, #c[1], a.d", params(t, []string{"#c=c.c"}, ""))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "c.c"}, p.Attributes()); diff != "" {
		t.Error(diff)
	}
	if got := fmt.Sprint(p.Paths()); got != "[[a, b] [c.c, [1]] [a, d]]" {
		t.Error(got)
	}
	var whole *expression.Projection
	if diff := cmp.Diff(item(t, nested), whole.Apply(item(t, nested)), cmpItem); diff != "" {
		t.Error(diff)
	}
}

func TestProjectionErrors(t *testing.T) {
	const separate = " with each other; must remove or rewrite one of these paths; path one: "
	for _, c := range []struct{ text, message string }{
		{"!!!", `Syntax error; token: "!", near: "!!"`},
		{"a,", `Syntax error; token: "<EOF>", near: ","`},
		{",a", `Syntax error; token: ",", near: ",a"`},
		{"a,,b", `Syntax error; token: ",", near: ",,b"`},
		{"l[a]", `Syntax error; token: "a", near: "[a]"`},
		{"l[]", `Syntax error; token: "]", near: "[]"`},
		{"#list[].#comment", `Syntax error; token: "]", near: "[]."`},
		{"a b", `Syntax error; token: "b", near: "a b"`},
		{"size(a)", `Syntax error; token: "(", near: "size(a"`},
		{"list[0].COMMENT", "Attribute name is a reserved keyword; reserved keyword: list"},
		{"#a, Comment", "Attribute name is a reserved keyword; reserved keyword: Comment"},
		{"#a", "An expression attribute name used in the document path is not defined; attribute name: #a"},
		{"a, a", "Two document paths overlap" + separate + "[a], path two: [a]"},
		{"a.b[0],a.b[0]", "Two document paths overlap" + separate + "[a, b, [0]], path two: [a, b, [0]]"},
		{"a, a.b[2].c", "Two document paths overlap" + separate + "[a], path two: [a, b, [2], c]"},
		{"a.b.d.e, a.b", "Two document paths overlap" + separate + "[a, b, d, e], path two: [a, b]"},
		{"a.b, a[1]", "Two document paths conflict" + separate + "[a, b], path two: [a, [1]]"},
	} {
		_, err := expression.ParseProjection(c.text, params(t, nil, ""))
		wantInvalid(t, c.text, err, "Invalid ProjectionExpression: "+c.message)
	}
	for _, text := range []string{"a, b", "a.b, a.c", "a.b.d, a.b.e", "a[1], a[2]", "a.b, a.c[2]", "set, remove"} {
		_, err := expression.ParseProjection(text, params(t, nil, ""))
		if strings.HasPrefix(text, "set") {
			wantInvalid(t, text, err, "Invalid ProjectionExpression: Attribute name is a reserved keyword; reserved keyword: set")
		} else if err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}
