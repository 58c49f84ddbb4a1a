// SPDX-License-Identifier: Apache-2.0

package expression_test

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/cmd/ddb/internal/expression"
	"github.com/dynamotable/ddb/ddbtest"
)

// show returns an expression with its values in the order of their placeholders.
func show(e expression.Expression) string {
	var b strings.Builder
	b.WriteString(e.Text)
	for _, name := range slices.Sorted(maps.Keys(e.Names)) {
		fmt.Fprintf(&b, " %s=%s", name, e.Names[name])
	}
	for _, name := range slices.Sorted(maps.Keys(e.Values)) {
		fmt.Fprintf(&b, " %s=%s", name, value(e.Values[name]))
	}
	return b.String()
}

func value(v types.AttributeValue) string {
	switch v := v.(type) {
	case *types.AttributeValueMemberL:
		var parts []string
		for _, e := range v.Value {
			parts = append(parts, value(e))
		}
		return "L(" + strings.Join(parts, " ") + ")"
	case *types.AttributeValueMemberM:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v.Value)) {
			parts = append(parts, k+":"+value(v.Value[k]))
		}
		return "M(" + strings.Join(parts, " ") + ")"
	case *types.AttributeValueMemberS:
		return "S(" + v.Value + ")"
	case *types.AttributeValueMemberN:
		return "N(" + v.Value + ")"
	case *types.AttributeValueMemberB:
		return "B(" + string(v.Value) + ")"
	case *types.AttributeValueMemberBOOL:
		return fmt.Sprint(v.Value)
	case *types.AttributeValueMemberNULL:
		return "null"
	case *types.AttributeValueMemberSS:
		return fmt.Sprint("SS", v.Value)
	case *types.AttributeValueMemberNS:
		return fmt.Sprint("NS", v.Value)
	case *types.AttributeValueMemberBS:
		return fmt.Sprintf("BS%q", v.Value)
	}
	return "?"
}

func TestCondition(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`status = "open"`:                           `#n0 = :v0 #n0=status :v0=S(open)`,
		`a='it''s' OR b = "say ""x"""`:              `#n0 = :v0 OR #n1 = :v1 #n0=a #n1=b :v0=S(it's) :v1=S(say "x")`,
		`total>=-1.50e3 and total<=+7`:              `#n0 >= :v0 AND #n0 <= :v1 #n0=total :v0=N(-1.50e3) :v1=N(7)`,
		`NOT (a < b or a.c[3].d <> 1)`:              `NOT (#n0 < #n1 OR #n0.#n2[3].#n3 <> :v0) #n0=a #n1=b #n2=c #n3=d :v0=N(1)`,
		`a between 1 and 2 and b IN ("x", y)`:       `#n0 BETWEEN :v0 AND :v1 AND #n1 IN (:v2, #n2) #n0=a #n1=b #n2=y :v0=N(1) :v1=N(2) :v2=S(x)`,
		`attribute_not_exists(a) AND size (b) > 3`:  `attribute_not_exists(#n0) AND size(#n1) > :v0 #n0=a #n1=b :v0=N(3)`,
		`Begins_With(a,"x") AND contains(b, c)`:     `begins_with(#n0, :v0) AND contains(#n1, #n2) #n0=a #n1=b #n2=c :v0=S(x)`,
		`attribute_type(a, "SS")`:                   `attribute_type(#n0, :v0) #n0=a :v0=S(SS)`,
		"`order-id` = TRUE AND `a``b`.`AND` = null": "#n0 = :v0 AND #n1.#n2 = :v1 #n0=order-id #n1=a`b #n2=AND :v0=true :v1=null",
		`size = 1`:     `#n0 = :v0 #n0=size :v0=N(1)`,
		`b = b"aGk="`:  `#n0 = :v0 #n0=b :v0=B(hi)`,
		`a = <<1, 2>>`: `#n0 = :v0 #n0=a :v0=NS[1 2]`,
		`a = [1, "b", [], {c: {"d": false}, ` + "`e`" + `: <<b"aGk=">>}]`: `#n0 = :v0 #n0=a :v0=L(N(1) S(b) L() M(c:M(d:false) e:BS["hi"]))`,
		`größe = "ä"`: `#n0 = :v0 #n0=größe :v0=S(ä)`,
	} {
		got, err := expression.Condition(in)
		if err != nil || show(got) != want {
			t.Errorf("%s:\n got %s %v\nwant %s", in, show(got), err, want)
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		`SET a = 1`: `SET #n0 = :v0 #n0=a :v0=N(1)`,
		`set a = a+5, b = c -1, d = -1 remove e, f[2]`: `SET #n0 = #n0 + :v0, #n1 = #n2 - :v1, #n3 = :v2 REMOVE #n4, #n5[2] ` +
			`#n0=a #n1=b #n2=c #n3=d #n4=e #n5=f :v0=N(5) :v1=N(1) :v2=N(-1)`,
		`ADD n 1, tags <<"x">> DELETE tags <<"y">>`: `ADD #n0 :v0, #n1 :v1 DELETE #n1 :v2 #n0=n #n1=tags :v0=N(1) :v1=SS[x] :v2=SS[y]`,
		`SET l = list_append(if_not_exists(l, []), [1]), n = if_not_exists(n, 0) + 1`: `SET #n0 = list_append(if_not_exists(#n0, :v0), :v1), #n1 = if_not_exists(#n1, :v2) + :v3 ` +
			`#n0=l #n1=n :v0=L() :v1=L(N(1)) :v2=N(0) :v3=N(1)`,
	} {
		got, err := expression.Update(in)
		if err != nil || show(got) != want {
			t.Errorf("%s:\n got %s %v\nwant %s", in, show(got), err, want)
		}
	}
	if got, err := expression.Paths("a, b.`c.d`[1], a"); err != nil || fmt.Sprintf("%q", got) != `[["a"] ["b" "c.d" "[1]"] ["a"]]` {
		t.Errorf("%q %v", got, err)
	}
	if got, err := expression.Paths("a b"); err == nil {
		t.Errorf("%q", got)
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat("(", 100) + "a=1" + strings.Repeat(")", 100)
	for in, want := range map[string]string{
		``:                                "character 1: the name of an attribute is missing",
		`secret`:                          "character 7: a comparison is missing",
		`a = "secret`:                     "character 5: the quote that begins here does not end",
		`a = 1 secret`:                    "character 7: the expression should end here",
		`ä = 12secret`:                    "character 5: this is no number",
		`a = 1.`:                          "this is no number",
		`and = 1`:                         "character 1: AND is a keyword; put an attribute of that name in backquotes",
		`a = :secret`:                     "without placeholders",
		`#secret = 1`:                     "without placeholders",
		`a != 1`:                          "write <> for not equal",
		`a = <<"secret", 1>>`:             "the members of a set have one type",
		`a = <<1, 1.0>>`:                  "a set has each member once",
		`a = <<>>`:                        "a set is never empty",
		`a = <<null>>`:                    "a set has texts, numbers or binaries",
		`a = {b: 1, b: 2}`:                "the map has this key already",
		`a = b"secret!"`:                  "the binary is not base64",
		`a[x] = 1`:                        "the index of a list element is a number from 0",
		`a[01] = 1`:                       "the index of a list element is a number from 0",
		`a[99999999999] = 1`:              "the index of a list element",
		`secret(a)`:                       "there is no such function in a condition",
		`contains(a, 1) = 2`:              "the expression should end here",
		`begins_with(a)`:                  "character 14: , is missing",
		`attribute_type(a, "X")`:          "the type is one of",
		`a = contains(b, 1)`:              "only size() can be compared",
		`a BETWEEN 1`:                     "AND is missing",
		`a IN 1`:                          "( is missing",
		"`` = 1":                          "the name is empty",
		`a = [1`:                          "] is missing",
		`a = - b`:                         "a number is missing",
		`a ~ 1`:                           "this character has no meaning here",
		"a = \"\xff\"":                    "not UTF-8",
		deep:                              "more than 64 parentheses",
		`a = ` + strings.Repeat("[", 100): "more than 64 lists",
		strings.Repeat("NOT ", 100):       "more than 64 parentheses or NOT",
	} {
		_, err := expression.Condition(in)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%.60s: %v, want %s", in, err, want)
		}
	}
	for in, want := range map[string]string{
		``:                      "SET, REMOVE, ADD or DELETE is missing",
		`a = 1`:                 "SET, REMOVE, ADD or DELETE is missing",
		`SET a = 1 SET b = 2`:   "SET is there already",
		`SET a + 1`:             "= is missing",
		`SET a = size(b)`:       "there is no such function in an update",
		`SET a = 1,`:            "the name of an attribute is missing",
		`ADD a b`:               "a number or a set is missing",
		`REMOVE`:                "the name of an attribute is missing",
		`SET a = 1 WHERE b = 2`: "SET, REMOVE, ADD or DELETE is missing",
		`SET a = ` + strings.Repeat("list_append(", 100): "more than 64 functions",
	} {
		if _, err := expression.Update(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %s", in, err, want)
		}
	}
}

// syntax matches DynamoDB's errors for expressions that it cannot parse, or whose placeholders do not match.
var syntax = regexp.MustCompile(`(?i)syntax|token|unused|not defined|not used|function name|missing`)

// FuzzExpression: an accepted expression can be parsed by DynamoDB, and has all its placeholders.
func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		`status = "open" AND NOT (total > -1 OR contains(tags, 'new'))`, "a.`b`[1] BETWEEN size(c) AND 2", `attribute_type(a, "S")`,
		`a IN (1, <<"a">>, [1], {b: null})`, `SET a = if_not_exists(b, 1) - 2 REMOVE c ADD d 1 DELETE e <<b"aGk=">>`, `SET a = list_append(a, [1])`,
	} {
		f.Add(seed)
	}
	engine := ddbtest.NewEngine()
	f.Cleanup(func() { engine.Close() })
	client, table, id := engine.Client(), "orders", "id"
	_, err := client.CreateTable(f.Context(), &dynamodb.CreateTableInput{
		TableName: &table, BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: &id, KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: &id, AttributeType: types.ScalarAttributeTypeS}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		check := func(e expression.Expression, err error) {
			if err == nil {
				return
			}
			api, ok := errors.AsType[smithy.APIError](err)
			if !ok {
				t.Fatal(err)
			}
			if syntax.MatchString(api.ErrorMessage()) {
				t.Errorf("%q became %s: %s", text, show(e), api.ErrorMessage())
			}
		}
		names := func(e expression.Expression) map[string]string {
			if len(e.Names) == 0 {
				return nil
			}
			return e.Names
		}
		values := func(e expression.Expression) map[string]types.AttributeValue {
			if len(e.Values) == 0 {
				return nil
			}
			return e.Values
		}
		if e, err := expression.Condition(text); err == nil {
			_, err = client.Scan(t.Context(), &dynamodb.ScanInput{TableName: &table, FilterExpression: &e.Text, ExpressionAttributeNames: names(e), ExpressionAttributeValues: values(e)})
			check(e, err)
		}
		if e, err := expression.Update(text); err == nil {
			_, err = client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: &table, Key: map[string]types.AttributeValue{id: &types.AttributeValueMemberS{Value: "a"}},
				UpdateExpression: &e.Text, ExpressionAttributeNames: names(e), ExpressionAttributeValues: values(e),
			})
			check(e, err)
		}
		_, _ = expression.Paths(text)
	})
}
