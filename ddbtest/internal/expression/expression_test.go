// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// item decodes an item in wire form.
func item(t testing.TB, json string) value.Item {
	t.Helper()
	it, err := value.DecodeItem([]byte(json))
	if err != nil {
		t.Fatalf("%s: %v", json, err)
	}
	return it
}

// params makes placeholders from "#a=name" and a map of values in wire form.
func params(t testing.TB, names []string, values string) *expression.Params {
	t.Helper()
	var n expression.Names
	for _, s := range names {
		if n == nil {
			n = expression.Names{}
		}
		key, name, _ := strings.Cut(s, "=")
		n[key] = name
	}
	var v expression.Values
	if values != "" {
		v = expression.Values(item(t, values))
	}
	p, err := expression.NewParams(n, v)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// wantInvalid fails unless err is a ValidationException with the message. A
// message that ends in ... matches every message with that prefix.
func wantInvalid(t testing.TB, about string, err error, message string) {
	t.Helper()
	var e *value.Error
	if !errors.As(err, &e) {
		t.Errorf("%s\n got %v\nwant %s", about, err, message)
		return
	}
	if e.Type != value.ValidationException {
		t.Errorf("%s: got a %s", about, e.Type)
	}
	if prefix, ok := strings.CutSuffix(message, "..."); ok && strings.HasPrefix(e.Message, prefix) {
		return
	}
	if e.Message != message {
		t.Errorf("%s\n got %s\nwant %s", about, e.Message, message)
	}
}

func TestNewParams(t *testing.T) {
	s := value.String("x")
	for _, c := range []struct {
		names   expression.Names
		values  expression.Values
		message string
	}{
		{names: expression.Names{}, values: expression.Values{}, message: "ExpressionAttributeNames must not be empty"},
		{values: expression.Values{}, message: "ExpressionAttributeValues must not be empty"},
		{names: expression.Names{"a": "a"}, values: expression.Values{}, message: `ExpressionAttributeNames contains invalid key: Syntax error; key: "a"`},
		{names: expression.Names{"#": "a"}, message: `ExpressionAttributeNames contains invalid key: Syntax error; key: "#"`},
		{names: expression.Names{"#a-b": "a"}, message: `ExpressionAttributeNames contains invalid key: Syntax error; key: "#a-b"`},
		{values: expression.Values{"b": s, ":b": s}, message: `ExpressionAttributeValues contains invalid key: Syntax error; key: "b"`},
		{values: expression.Values{":": s}, message: `ExpressionAttributeValues contains invalid key: Syntax error; key: ":"`},
		{values: expression.Values{":hi!there": s}, message: `ExpressionAttributeValues contains invalid key: Syntax error; key: ":hi!there"`},
	} {
		_, err := expression.NewParams(c.names, c.values)
		wantInvalid(t, fmt.Sprint(c.names, c.values), err, c.message)
	}
	for _, key := range []string{"Alpha_Numeric_123", "123a", "123", "_"} {
		if _, err := expression.NewParams(expression.Names{"#" + key: "a"}, expression.Values{":" + key: s}); err != nil {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestUnused(t *testing.T) {
	p := params(t, []string{"#a=a", "#b=b", "#c=c"}, `{":a":{"S":"x"},":b":{"S":"x"},":c":{"S":"x"}}`)
	if _, err := expression.ParseUpdate("SET #a = :a", p); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, "names", p.Unused(), "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b, #c}")
	if _, err := expression.ParseCondition(expression.ConditionExpression, "#b = :b OR #c = :b", p); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, "values", p.Unused(), "Value provided in ExpressionAttributeValues unused in expressions: keys: {:c}")
	if _, err := expression.ParseCondition(expression.ConditionExpression, "x = :c", p); err != nil {
		t.Fatal(err)
	}
	if err := p.Unused(); err != nil {
		t.Error(err)
	}
}

// The rules that hold for every kind of expression.
func TestLimits(t *testing.T) {
	p := params(t, nil, `{":a":{"N":"1"}}`)
	long := func(prefix string) string { return prefix + strings.Repeat("a", 4097-len(prefix)) }
	parse := map[string]func(string) error{
		"ConditionExpression": func(s string) error {
			_, err := expression.ParseCondition(expression.ConditionExpression, s, p)
			return err
		},
		"FilterExpression": func(s string) error {
			_, err := expression.ParseCondition(expression.FilterExpression, s, p)
			return err
		},
		"KeyConditionExpression": func(s string) error { _, err := expression.ParseKeyCondition(s, p); return err },
		"UpdateExpression":       func(s string) error { _, err := expression.ParseUpdate(s, p); return err },
		"ProjectionExpression":   func(s string) error { _, err := expression.ParseProjection(s, p); return err },
	}
	for param, f := range parse {
		wantInvalid(t, param, f(""), "Invalid "+param+": The expression can not be empty;")
		wantInvalid(t, param, f(" \t"), "Invalid "+param+": The expression can not be empty;")
		wantInvalid(t, param, f(long("")), "Invalid "+param+": Expression size has exceeded the maximum allowed size;")
		// The length is checked before the syntax.
		wantInvalid(t, param, f(long("((((")), "Invalid "+param+": Expression size has exceeded the maximum allowed size;")
	}
	if err := parse["ProjectionExpression"](strings.Repeat("a", 4096)); err != nil {
		t.Errorf("4,096 bytes: %v", err)
	}
	p.ReportSize = true
	wantInvalid(t, "sized", parse["FilterExpression"](long("")),
		"Invalid FilterExpression: Expression size has exceeded the maximum allowed size; expression size: 4097")
	wantInvalid(t, "sized", parse["UpdateExpression"](long("")),
		"Invalid UpdateExpression: Expression size has exceeded the maximum allowed size;")
	p.ReportSize = false

	// 149 nested conditions make 299 operators; parentheses do not count.
	nested := func(n int) string { return "a<b " + strings.Repeat("or (a<b ", n) + strings.Repeat(")", n) }
	if err := parse["ConditionExpression"](nested(149)); err != nil {
		t.Errorf("299 operators: %v", err)
	}
	wantInvalid(t, "909 operators", parse["ConditionExpression"](nested(454)),
		"Invalid ConditionExpression: The expression contains too many operators; operator count: 301")
	wantInvalid(t, "1,000 NOTs", parse["ConditionExpression"](strings.Repeat("not ", 1000)+"a<b"),
		"Invalid ConditionExpression: The expression contains too many operators; operator count: 301")
	sums := func(n int) string {
		var b strings.Builder
		b.WriteString("SET a0=b+b")
		for i := 1; i < n; i++ {
			fmt.Fprintf(&b, ",a%d=b+b", i)
		}
		return b.String()
	}
	if err := parse["UpdateExpression"](sums(300)); err != nil {
		t.Errorf("300 operators: %v", err)
	}
	wantInvalid(t, "301 operators", parse["UpdateExpression"](sums(301)),
		"Invalid UpdateExpression: The expression contains too many operators; operator count: 301")

	path := func(n int) string { return "a" + strings.Repeat(".b", n-1) }
	if err := parse["ProjectionExpression"](path(32)); err != nil {
		t.Errorf("32 elements: %v", err)
	}
	wantInvalid(t, "33 elements", parse["ProjectionExpression"](path(33)),
		"Invalid ProjectionExpression: The document path has too many nesting levels; nesting levels: 33")
	wantInvalid(t, "index", parse["ProjectionExpression"]("l[999999999999999999999]"),
		"Invalid ProjectionExpression: List index is not within the allowable range; index: [999999999999999999999]")
	if err := parse["ProjectionExpression"]("l[4294967294]"); err != nil {
		t.Errorf("largest index: %v", err)
	}
	wantInvalid(t, "index", parse["ProjectionExpression"]("l[4294967295]"),
		"Invalid ProjectionExpression: List index is not within the allowable range; index: [4294967295]")

	// Nesting is limited by the length.
	for _, s := range []string{
		strings.Repeat("(", 4096),
		strings.Repeat("(", 2046) + "a<b" + strings.Repeat(")", 2046),
		"a < " + strings.Repeat("f(", 1355) + "b" + strings.Repeat(")", 1355),
		"a < " + strings.Repeat("size(", 680) + "b" + strings.Repeat(")", 680),
		strings.Repeat("not ", 1023),
	} {
		if err := parse["ConditionExpression"](s); err == nil {
			t.Errorf("%.20s: no error", s)
		}
	}
}
