// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strings"
	"testing"
)

// The parameters of the API before expressions.
func TestRulesOfLegacyParameters(t *testing.T) {
	const (
		mixed   = "Can not use both expression and non-expression parameters in the same request: "
		onlyP   = `"KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}}`
		two     = "ConditionalOperator can only be used when Filter or Expected has two or more elements"
		none    = "ConditionalOperator cannot be used without Filter or Expected"
		filterX = `{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"v2"}]}`
		special = dynalite + "/blob/master/validations/index.js, validateExpressionParams: KeyConditions and KeyConditionExpression"
	)
	checkRules(t, []rule{
		{"KeyConditions with FilterExpression", "Query", `{"TableName":"pair",` + onlyP + `,"FilterExpression":"x = :x","ExpressionAttributeValues":{":x":{"S":"v2"}}}`,
			`"Count":1,"Items":[{"g":{"S":"x"},"n":{"N":"2"},"p":{"S":"a"},"s":{"S":"2"},"x":{"S":"v2"}}]`, "-", special},
		{"KeyConditions with ProjectionExpression", "Query", `{"TableName":"pair",` + onlyP + `,"ProjectionExpression":"#x","ExpressionAttributeNames":{"#x":"x"}}`,
			`"Items":[{"x":{"S":"v1"}},{"x":{"S":"v2"}},{"x":{"S":"v3"}}]`, "-", special},
		{"KeyConditions with both", "Query", `{"TableName":"pair",` + onlyP + `,"FilterExpression":"#x > :x","ProjectionExpression":"s","ExpressionAttributeNames":{"#x":"x"},"ExpressionAttributeValues":{":x":{"S":"v1"}}}`,
			`"Items":[{"s":{"S":"2"}},{"s":{"S":"3"}}]`, "-", special},
		{"KeyConditions with KeyConditionExpression", "Query", `{"TableName":"pair",` + onlyP + `,"KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`,
			mixed + "Non-expression parameters: {KeyConditions} Expression parameters: {KeyConditionExpression}", "", special},
		{"all three expressions with KeyConditions", "Query", `{"TableName":"pair",` + onlyP + `,"QueryFilter":{"x":` + filterX + `},"KeyConditionExpression":"p = :p","FilterExpression":"x = :p","ProjectionExpression":"x","ExpressionAttributeValues":{":p":{"S":"a"}}}`,
			mixed + "Non-expression parameters: {QueryFilter, KeyConditions} Expression parameters: {ProjectionExpression, FilterExpression, KeyConditionExpression}", "", special},
		{"QueryFilter with ProjectionExpression", "Query", `{"TableName":"pair",` + onlyP + `,"QueryFilter":{"x":` + filterX + `},"ProjectionExpression":"x"}`,
			mixed + "Non-expression parameters: {QueryFilter} Expression parameters: {ProjectionExpression}", "", floci + "issues/2894"},
		{"QueryFilter with KeyConditionExpression", "Query", `{"TableName":"pair","QueryFilter":{"x":` + filterX + `},"KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`,
			mixed + "Non-expression parameters: {QueryFilter} Expression parameters: {KeyConditionExpression}", "", floci + "issues/2894"},

		{"one condition to join in a query", "Query", `{"TableName":"pair",` + onlyP + `,"QueryFilter":{"x":` + filterX + `},"ConditionalOperator":"AND"}`, two, "", daxClient},
		{"one condition to join in a scan", "Scan", `{"TableName":"pair","ScanFilter":{"x":` + filterX + `},"ConditionalOperator":"OR"}`, two, "", daxClient},
		{"one condition to join in a put", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"b"}},"Expected":{"x":{"Exists":false}},"ConditionalOperator":"AND"}`, two, "", daxClient},
		{"two conditions to join", "Scan", `{"TableName":"pair","ScanFilter":{"x":` + filterX + `,"s":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"1"}]}},"ConditionalOperator":"OR"}`, `"Count":2`, "-", daxClient},
		{"no condition to join", "Scan", `{"TableName":"pair","ScanFilter":{},"ConditionalOperator":"OR"}`, none, "", daxClient},

		{"NOT_CONTAINS of an absent attribute", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"a"}},"Expected":{"absent":{"ComparisonOperator":"NOT_CONTAINS","AttributeValueList":[{"S":"b"}]}}}`,
			"The conditional request failed", "ConditionalCheckFailedException", apiPages + "API_ExpectedAttributeValue.html: the attribute is compared, and there is none"},
		{"NOT_CONTAINS in a filter of an absent attribute", "Scan", `{"TableName":"hash","ScanFilter":{"absent":{"ComparisonOperator":"NOT_CONTAINS","AttributeValueList":[{"S":"b"}]}}}`,
			`"Count":0`, "-", apiPages + "API_Condition.html: the attribute is compared, and there is none"},

		{"a start key in a table without sort key", "Query", `{"TableName":"hash","KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":{"p":{"S":"a"}}}`,
			"The query can return at most one row and cannot be restarted", "", dynalite + "/blob/master/actions/query.js"},
		{"a start key of another partition", "Query", `{"TableName":"hash","KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"a"}},"ExclusiveStartKey":{"p":{"S":"b"}}}`,
			"The provided starting key is outside query boundaries based on provided conditions", "", scylla + "issues/26988"},
		{"a start key in a scan of that table", "Scan", `{"TableName":"hash","ExclusiveStartKey":{"p":{"S":"a"}}}`, `"Count":0`, "-", apiPages + "API_Scan.html"},
	})
}

// guregu/dynamo names the attributes of keys in KeyConditions and filters with
// expressions; this is what its Query sends for a range with a filter.
func TestQueryOfGuregu(t *testing.T) {
	e := newRuleEngine(t)
	got := mustAnswer(t, e, "Query", `{"TableName":"pair","ConsistentRead":false,"ScanIndexForward":true,
		"KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]},"s":{"ComparisonOperator":"GE","AttributeValueList":[{"S":"2"}]}},
		"FilterExpression":"(contains(x, :v0)) AND (#s0 <> :v1)","ExpressionAttributeNames":{"#s0":"n"},"ExpressionAttributeValues":{":v0":{"S":"v"},":v1":{"N":"3"}}}`)
	if !strings.Contains(got, `"Count":1`) || !strings.Contains(got, `"s":{"S":"2"}`) || !strings.Contains(got, `"ScannedCount":2`) {
		t.Error(got)
	}
}

// The key of an index can have several attributes, each with a condition of its
// own; https://github.com/guregu/dynamo/blob/v2.6.0/query_test.go,
// TestQueryComposite, queries such an index with KeyConditions.
func TestKeyConditionsOnSeveralAttributes(t *testing.T) {
	e := newRuleEngine(t)
	mustAnswer(t, e, "UpdateTable", `{"TableName":"pair","AttributeDefinitions":[{"AttributeName":"g","AttributeType":"S"},{"AttributeName":"x","AttributeType":"S"},{"AttributeName":"n","AttributeType":"N"}],
		"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"several","KeySchema":[{"AttributeName":"g","KeyType":"HASH"},{"AttributeName":"x","KeyType":"RANGE"},{"AttributeName":"n","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}}]}`)
	got := mustAnswer(t, e, "Query", `{"TableName":"pair","IndexName":"several","KeyConditions":{"g":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"x"}]},
		"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"v2"}]},"n":{"ComparisonOperator":"GE","AttributeValueList":[{"N":"1"}]}},
		"FilterExpression":"s <> :s","ExpressionAttributeValues":{":s":{"S":"1"}}}`)
	if !strings.Contains(got, `"Count":1`) || !strings.Contains(got, `"s":{"S":"2"}`) {
		t.Error(got)
	}
}
