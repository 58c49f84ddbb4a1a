// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

// legacyItem has an attribute of every type.
func legacyItem() item {
	return item{
		"pk": str("a"), "sk": str("1"), "n": num("5"), "t": str("hello"), "b": &types.AttributeValueMemberB{Value: []byte{1, 2, 3}},
		"ss": &types.AttributeValueMemberSS{Value: []string{"x", "y"}}, "ns": &types.AttributeValueMemberNS{Value: []string{"1", "2"}},
		"l": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x"), num("1")}}, "m": &types.AttributeValueMemberM{Value: item{"k": str("v")}},
		"nil": &types.AttributeValueMemberNULL{Value: true},
	}
}

func newLegacy(t *testing.T) *dynamodb.Client {
	t.Helper()
	client := ddbtest.New(t)
	mustCreate(t, client, pairTable("legacy"))
	mustPut(t, client, "legacy", legacyItem())
	return client
}

var legacyKey = item{"pk": str("a"), "sk": str("1")}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Condition.html
func TestLegacyComparisons(t *testing.T) {
	client := newLegacy(t)
	for _, c := range []struct {
		attribute string
		operator  types.ComparisonOperator
		values    []types.AttributeValue
		met       bool
	}{
		{"t", "EQ", []types.AttributeValue{str("hello")}, true},
		{"t", "EQ", []types.AttributeValue{str("bye")}, false},
		{"t", "EQ", []types.AttributeValue{num("5")}, false},
		{"ss", "EQ", []types.AttributeValue{&types.AttributeValueMemberSS{Value: []string{"y", "x"}}}, true},
		{"n", "NE", []types.AttributeValue{num("5.0")}, false},
		{"n", "NE", []types.AttributeValue{num("6")}, true},
		{"absent", "NE", []types.AttributeValue{num("6")}, true},
		{"n", "LT", []types.AttributeValue{num("10")}, true},
		{"n", "LE", []types.AttributeValue{num("5")}, true},
		{"n", "GT", []types.AttributeValue{num("5")}, false},
		{"t", "GE", []types.AttributeValue{str("hell")}, true},
		{"n", "GE", []types.AttributeValue{str("1")}, false},
		{"absent", "LT", []types.AttributeValue{num("6")}, false},
		{"n", "BETWEEN", []types.AttributeValue{num("5"), num("6")}, true},
		{"n", "BETWEEN", []types.AttributeValue{num("6"), num("7")}, false},
		{"n", "IN", []types.AttributeValue{num("1"), num("5")}, true},
		{"n", "IN", []types.AttributeValue{num("1")}, false},
		{"absent", "NULL", nil, true},
		{"nil", "NULL", nil, false},
		{"nil", "NOT_NULL", nil, true},
		{"absent", "NOT_NULL", nil, false},
		{"t", "CONTAINS", []types.AttributeValue{str("ell")}, true},
		{"ss", "CONTAINS", []types.AttributeValue{str("x")}, true},
		{"ns", "CONTAINS", []types.AttributeValue{num("2.0")}, true},
		{"l", "CONTAINS", []types.AttributeValue{num("1")}, true},
		{"absent", "CONTAINS", []types.AttributeValue{num("1")}, false},
		{"ss", "NOT_CONTAINS", []types.AttributeValue{str("z")}, true},
		{"ss", "NOT_CONTAINS", []types.AttributeValue{str("x")}, false},
		{"t", "BEGINS_WITH", []types.AttributeValue{str("he")}, true},
		{"b", "BEGINS_WITH", []types.AttributeValue{&types.AttributeValueMemberB{Value: []byte{1, 2}}}, true},
		{"b", "BEGINS_WITH", []types.AttributeValue{str("he")}, false},
	} {
		name := c.attribute + " " + string(c.operator)
		condition := types.Condition{ComparisonOperator: c.operator, AttributeValueList: c.values}
		scan, err := client.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("legacy"), ScanFilter: map[string]types.Condition{c.attribute: condition}})
		if err != nil {
			t.Fatal(name, err)
		}
		query, err := client.Query(t.Context(), &dynamodb.QueryInput{
			TableName: aws.String("legacy"), KeyConditions: map[string]types.Condition{"pk": {ComparisonOperator: "EQ", AttributeValueList: []types.AttributeValue{str("a")}}},
			QueryFilter: map[string]types.Condition{c.attribute: condition},
		})
		if err != nil {
			t.Fatal(name, err)
		}
		_, err = client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
			TableName: aws.String("legacy"), Key: legacyKey,
			Expected: map[string]types.ExpectedAttributeValue{c.attribute: {ComparisonOperator: c.operator, AttributeValueList: c.values}},
		})
		var rejected *types.ConditionalCheckFailedException
		if errors.As(err, &rejected) != !c.met || err != nil && rejected == nil || scan.Count == 1 != c.met || query.Count == 1 != c.met {
			t.Errorf("%s %v: want %v; scan %d, query %d, update %v", name, c.values, c.met, scan.Count, query.Count, err)
		}
	}
}

func TestLegacyExpected(t *testing.T) {
	client := newLegacy(t)
	yes, no := aws.Bool(true), aws.Bool(false)
	for name, c := range map[string]struct {
		operator types.ConditionalOperator
		expected map[string]types.ExpectedAttributeValue
		met      bool
		message  string
	}{
		"value":           {expected: map[string]types.ExpectedAttributeValue{"t": {Value: str("hello")}}, met: true},
		"other value":     {expected: map[string]types.ExpectedAttributeValue{"t": {Value: str("x")}}},
		"exists":          {expected: map[string]types.ExpectedAttributeValue{"t": {Value: str("hello"), Exists: yes}}, met: true},
		"absent":          {expected: map[string]types.ExpectedAttributeValue{"zz": {Exists: no}}, met: true},
		"not absent":      {expected: map[string]types.ExpectedAttributeValue{"t": {Exists: no}}},
		"both":            {expected: map[string]types.ExpectedAttributeValue{"t": {Value: str("hello")}, "n": {Value: num("6")}}},
		"either":          {operator: "OR", expected: map[string]types.ExpectedAttributeValue{"t": {Value: str("hello")}, "n": {Value: num("6")}}, met: true},
		"operator alone":  {operator: "OR", message: "ConditionalOperator cannot be used without Filter or Expected"},
		"nothing":         {expected: map[string]types.ExpectedAttributeValue{"t": {}}, message: "Value must be provided when Exists is null for Attribute: t"},
		"exists what":     {expected: map[string]types.ExpectedAttributeValue{"t": {Exists: yes}}, message: "Value must be provided when Exists is true for Attribute: t"},
		"value of absent": {expected: map[string]types.ExpectedAttributeValue{"t": {Exists: no, Value: str("a")}}, message: "Value cannot be used when Exists is false for Attribute: t"},
		"two kinds":       {expected: map[string]types.ExpectedAttributeValue{"t": {Exists: yes, ComparisonOperator: "EQ", Value: str("a")}}, message: "Exists and ComparisonOperator cannot be used together for Attribute: t"},
		"two values":      {expected: map[string]types.ExpectedAttributeValue{"t": {Value: str("a"), AttributeValueList: []types.AttributeValue{str("a")}}}, message: "Value and AttributeValueList cannot be used together for Attribute: t"},
		"list alone":      {expected: map[string]types.ExpectedAttributeValue{"t": {AttributeValueList: []types.AttributeValue{str("a")}}}, message: "AttributeValueList can only be used with a ComparisonOperator for Attribute: t"},
		"no value":        {expected: map[string]types.ExpectedAttributeValue{"t": {ComparisonOperator: "LT"}}, message: "Value or AttributeValueList must be used with ComparisonOperator: LT for Attribute: t"},
		"too many values": {expected: map[string]types.ExpectedAttributeValue{"t": {ComparisonOperator: "NULL", Value: str("a")}}, message: "Invalid number of argument(s) for the NULL ComparisonOperator"},
		"order of a set":  {expected: map[string]types.ExpectedAttributeValue{"t": {ComparisonOperator: "LT", Value: &types.AttributeValueMemberSS{Value: []string{"a"}}}}, message: "ComparisonOperator LT is not valid for SS AttributeValue type"},
		"mixed range":     {expected: map[string]types.ExpectedAttributeValue{"t": {ComparisonOperator: "BETWEEN", AttributeValueList: []types.AttributeValue{str("a"), num("1")}}}, message: "AttributeValues inside AttributeValueList must be of same type"},
		"empty range":     {expected: map[string]types.ExpectedAttributeValue{"t": {ComparisonOperator: "BETWEEN", AttributeValueList: []types.AttributeValue{str("b"), str("a")}}}, message: "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound"},
		"no operator":     {expected: map[string]types.ExpectedAttributeValue{"t": {ComparisonOperator: "LIKE", Value: str("a")}}, message: "Value 'LIKE' at 'expected.t.member.comparisonOperator' failed to satisfy constraint: Member must satisfy enum value set: [IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"},
	} {
		for verb, write := range map[string]func() error{
			"PutItem": func() error {
				_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("legacy"), Item: legacyItem(), Expected: c.expected, ConditionalOperator: c.operator})
				return err
			},
			"UpdateItem": func() error {
				_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("legacy"), Key: legacyKey, Expected: c.expected, ConditionalOperator: c.operator})
				return err
			},
			"DeleteItem": func() error {
				_, err := client.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: aws.String("legacy"), Key: legacyKey, Expected: c.expected, ConditionalOperator: c.operator})
				mustPut(t, client, "legacy", legacyItem())
				return err
			},
		} {
			err := write()
			var rejected *types.ConditionalCheckFailedException
			switch {
			case c.message != "":
				if code(err) != "ValidationException" || !strings.HasSuffix(err.Error(), c.message) {
					t.Errorf("%s, %s:\n%v, want\n%s", name, verb, err, c.message)
				}
			case c.met && err != nil, !c.met && !errors.As(err, &rejected):
				t.Errorf("%s, %s: %v, want met = %v", name, verb, err, c.met)
			}
		}
	}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.AttributeUpdates.html
func TestLegacyUpdates(t *testing.T) {
	for name, c := range map[string]struct {
		update  types.AttributeValueUpdate
		on      string
		want    types.AttributeValue // nil: absent
		message string
	}{
		"put":                   {types.AttributeValueUpdate{Value: str("x")}, "t", str("x"), ""},
		"put another type":      {types.AttributeValueUpdate{Value: num("1"), Action: "PUT"}, "t", num("1"), ""},
		"add to a number":       {types.AttributeValueUpdate{Value: num("-2"), Action: "ADD"}, "n", num("3"), ""},
		"add to nothing":        {types.AttributeValueUpdate{Value: num("-2"), Action: "ADD"}, "zz", num("-2"), ""},
		"add to a set":          {types.AttributeValueUpdate{Value: &types.AttributeValueMemberSS{Value: []string{"y", "z"}}, Action: "ADD"}, "ss", &types.AttributeValueMemberSS{Value: []string{"x", "y", "z"}}, ""},
		"add to a list":         {types.AttributeValueUpdate{Value: &types.AttributeValueMemberL{Value: []types.AttributeValue{str("q")}}, Action: "ADD"}, "l", &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x"), num("1"), str("q")}}, ""},
		"delete":                {types.AttributeValueUpdate{Action: "DELETE"}, "t", nil, ""},
		"delete nothing":        {types.AttributeValueUpdate{Action: "DELETE"}, "zz", nil, ""},
		"delete of a set":       {types.AttributeValueUpdate{Value: &types.AttributeValueMemberSS{Value: []string{"x"}}, Action: "DELETE"}, "ss", &types.AttributeValueMemberSS{Value: []string{"y"}}, ""},
		"delete of a whole set": {types.AttributeValueUpdate{Value: &types.AttributeValueMemberSS{Value: []string{"x", "y"}}, Action: "DELETE"}, "ss", nil, ""},
		"add to text":           {types.AttributeValueUpdate{Value: num("1"), Action: "ADD"}, "t", nil, "Type mismatch for attribute to update"},
		"delete of other set":   {types.AttributeValueUpdate{Value: &types.AttributeValueMemberNS{Value: []string{"1"}}, Action: "DELETE"}, "ss", nil, "Type mismatch for attribute to update"},
		"add text":              {types.AttributeValueUpdate{Value: str("1"), Action: "ADD"}, "n", nil, "One or more parameter values were invalid: ADD action is not supported for the type S"},
		"delete text":           {types.AttributeValueUpdate{Value: str("1"), Action: "DELETE"}, "n", nil, "One or more parameter values were invalid: DELETE action with value is not supported for the type S"},
		"put nothing":           {types.AttributeValueUpdate{}, "n", nil, "One or more parameter values were invalid: Only DELETE action is allowed when no attribute value is specified"},
		"key":                   {types.AttributeValueUpdate{Value: str("b")}, "pk", nil, "One or more parameter values were invalid: Cannot update attribute pk. This attribute is part of the key"},
	} {
		t.Run(name, func(t *testing.T) {
			client := newLegacy(t)
			out, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
				TableName: aws.String("legacy"), Key: legacyKey, ReturnValues: types.ReturnValueUpdatedNew,
				AttributeUpdates: map[string]types.AttributeValueUpdate{c.on: c.update},
			})
			if c.message != "" {
				wantError(t, err, "ValidationException", c.message)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := item{}
			if c.want != nil {
				want[c.on] = c.want
			}
			if d := cmp.Diff(want, out.Attributes, sameValues, cmp.Transformer("empty", func(i item) map[string]types.AttributeValue {
				if i == nil {
					return item{}
				}
				return i
			})); d != "" && len(want)+len(out.Attributes) > 0 {
				t.Error(d)
			}
			got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("legacy"), Key: legacyKey, AttributesToGet: []string{c.on}})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, got.Item[c.on], sameValues); d != "" {
				t.Error(d)
			}
		})
	}
}

// Updates of an item that does not exist: PUT and ADD create it, DELETE does not.
func TestLegacyUpdatesOfMissingItem(t *testing.T) {
	client := newLegacy(t)
	for sk, c := range map[string]struct {
		update types.AttributeValueUpdate
		made   bool
	}{
		"put": {types.AttributeValueUpdate{Value: str("x")}, true}, "add": {types.AttributeValueUpdate{Value: num("1"), Action: "ADD"}, true},
		"delete": {types.AttributeValueUpdate{Action: "DELETE"}, false},
	} {
		key := item{"pk": str("new"), "sk": str(sk)}
		if _, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{TableName: aws.String("legacy"), Key: key, AttributeUpdates: map[string]types.AttributeValueUpdate{"w": c.update}}); err != nil {
			t.Fatal(err)
		}
		got, err := client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("legacy"), Key: key})
		if err != nil || (got.Item != nil) != c.made {
			t.Errorf("%s: %v, %v", sk, got.Item, err)
		}
	}
}

func TestLegacyKeyConditions(t *testing.T) {
	client := newLegacy(t)
	for _, sk := range []string{"2", "3", "30"} {
		mustPut(t, client, "legacy", item{"pk": str("a"), "sk": str(sk)})
	}
	eq := types.Condition{ComparisonOperator: "EQ", AttributeValueList: []types.AttributeValue{str("a")}}
	on := func(operator types.ComparisonOperator, values ...string) types.Condition {
		c := types.Condition{ComparisonOperator: operator}
		for _, v := range values {
			c.AttributeValueList = append(c.AttributeValueList, str(v))
		}
		return c
	}
	for name, c := range map[string]struct {
		keys    map[string]types.Condition
		filter  map[string]types.Condition
		want    string
		message string
	}{
		"partition":       {keys: map[string]types.Condition{"pk": eq}, want: "1 2 3 30"},
		"equal":           {keys: map[string]types.Condition{"pk": eq, "sk": on("EQ", "2")}, want: "2"},
		"less":            {keys: map[string]types.Condition{"pk": eq, "sk": on("LT", "3")}, want: "1 2"},
		"less or equal":   {keys: map[string]types.Condition{"pk": eq, "sk": on("LE", "3")}, want: "1 2 3"},
		"greater":         {keys: map[string]types.Condition{"pk": eq, "sk": on("GT", "3")}, want: "30"},
		"range":           {keys: map[string]types.Condition{"pk": eq, "sk": on("BETWEEN", "2", "3")}, want: "2 3"},
		"prefix":          {keys: map[string]types.Condition{"pk": eq, "sk": on("BEGINS_WITH", "3")}, want: "3 30"},
		"filter":          {keys: map[string]types.Condition{"pk": eq}, filter: map[string]types.Condition{"t": on("NOT_NULL")}, want: "1"},
		"no index":        {keys: map[string]types.Condition{"pk": eq, "sk": on("NE", "2")}, message: "Attempted conditional constraint is not an indexable operation"},
		"no partition":    {keys: map[string]types.Condition{"sk": on("EQ", "2")}, message: "Query condition missed key schema element: pk"},
		"range partition": {keys: map[string]types.Condition{"pk": on("GT", "2")}, message: "Query key condition not supported"},
		"no sort":         {keys: map[string]types.Condition{"pk": eq, "t": on("EQ", "2")}, message: "Query condition missed key schema element: sk"},
		"three":           {keys: map[string]types.Condition{"pk": eq, "sk": on("EQ", "2"), "t": on("EQ", "2")}, message: "Conditions can be of length 1 or 2 only"},
		"none":            {keys: map[string]types.Condition{}, message: "Conditions can be of length 1 or 2 only"},
		"number":          {keys: map[string]types.Condition{"pk": {ComparisonOperator: "EQ", AttributeValueList: []types.AttributeValue{num("1")}}}, message: "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		"filter on key":   {keys: map[string]types.Condition{"pk": eq}, filter: map[string]types.Condition{"sk": on("EQ", "2")}, message: "QueryFilter can only contain non-primary key attributes: Primary key attribute: sk"},
	} {
		out, err := client.Query(context.Background(), &dynamodb.QueryInput{TableName: aws.String("legacy"), KeyConditions: c.keys, QueryFilter: c.filter})
		if c.message != "" {
			t.Run(name, func(t *testing.T) { wantError(t, err, "ValidationException", c.message) })
			continue
		}
		if err != nil {
			t.Fatal(name, err)
		}
		var got []string
		for _, it := range out.Items {
			got = append(got, it["sk"].(*types.AttributeValueMemberS).Value)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %v, want %s", name, got, c.want)
		}
	}
}

func TestLegacyAndExpressionsDoNotMix(t *testing.T) {
	client := newLegacy(t)
	_, err := client.UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String("legacy"), Key: legacyKey, AttributeUpdates: map[string]types.AttributeValueUpdate{"t": {Value: str("x")}},
		ConditionExpression: aws.String("attribute_exists(pk)"),
	})
	if code(err) != "ValidationException" || !strings.HasSuffix(err.Error(), "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributeUpdates} Expression parameters: {ConditionExpression}") {
		t.Error(err)
	}
	_, err = client.GetItem(t.Context(), &dynamodb.GetItemInput{TableName: aws.String("legacy"), Key: legacyKey, AttributesToGet: []string{"t", "t"}})
	wantError(t, err, "ValidationException", "One or more parameter values were invalid: Duplicate value in attribute name: t")
	out, err := client.BatchGetItem(t.Context(), &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"legacy": {Keys: []map[string]types.AttributeValue{legacyKey}, AttributesToGet: []string{"t"}}}})
	if err != nil || len(out.Responses["legacy"]) != 1 || len(out.Responses["legacy"][0]) != 1 {
		t.Errorf("%v, %v", out, err)
	}
}
