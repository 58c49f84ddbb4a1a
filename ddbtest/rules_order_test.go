// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strings"
	"testing"
)

// The name of the table comes before everything else.
func TestRulesOfTableNames(t *testing.T) {
	const (
		at      = "' at 'tableName' failed to satisfy constraint: Member must "
		empty   = oneError + "Value '" + at + "have length greater than or equal to 1"
		pattern = at + "satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
		short   = at + "have length greater than or equal to 3"
		long    = at + "have length less than or equal to 255"
		alone   = dynoxideRepo + "blob/main/CHANGELOG.md, 0.11.2"
	)
	name256 := strings.Repeat("t", 256)
	checkRules(t, []rule{
		{"no characters", "PutItem", `{"TableName":"","Item":{"p":{"S":"a"}}}`, empty, "", dynoxideRepo + "issues/11"},
		{"no characters, and an invalid option", "PutItem", `{"TableName":"","Item":{"p":{"S":"a"}},"ReturnValues":"SOME"}`, empty, "", alone},
		{"wrong characters, and an invalid option", "UpdateItem", `{"TableName":"non!existent!table","Key":{"p":{"S":"a"}},"ReturnValues":"SOME"}`, oneError + "Value 'non!existent!table" + pattern, "", scylla + "pull/12608"},
		{"wrong characters, and no key", "GetItem", `{"TableName":"a/b/c"}`, oneError + "Value 'a/b/c" + pattern, "", alone},
		{"wrong characters, and an invalid value", "DeleteItem", `{"TableName":"a/b/c","Key":{"p":{}}}`, oneError + "Value 'a/b/c" + pattern, "", alone},
		{"too short", "GetItem", `{"TableName":"ab","Key":{"p":{"S":"a"}}}`, oneError + "Value 'ab" + short, "", extenddb + "pull/14"},
		{"too long", "GetItem", `{"TableName":"` + name256 + `","Key":{"p":{"S":"a"}}}`, oneError + "Value '" + name256 + long, "", extenddb + "pull/14"},
		{"too short with wrong characters", "Scan", `{"TableName":"a!","Limit":0}`, "2 validation errors detected: Value 'a!" + pattern + "; Value 'a!" + short, "", apiPages + "API_Scan.html: both constraints"},
		{"in a query", "Query", `{"TableName":"a b c","Limit":0}`, oneError + "Value 'a b c" + pattern, "", alone},
		{"in a batch to get", "BatchGetItem", `{"RequestItems":{"a b c":{"Keys":[]}}}`, oneError + "Value 'a b c" + pattern, "", apiPages + "API_BatchGetItem.html"},
		{"in a batch to write", "BatchWriteItem", `{"RequestItems":{"a b c":[]}}`, oneError + "Value 'a b c" + pattern, "", apiPages + "API_BatchWriteItem.html"},
		{"in a transaction", "TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"a b c","Key":{"p":{"S":"a"}}}}]}`,
			oneError + "Value 'a b c' at 'transactItems.1.member.delete.tableName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+", "", apiPages + "API_Delete.html"},
		{"absent, and an invalid option", "PutItem", `{"ReturnValues":"SOME"}`, oneError + "Value null at 'tableName' failed to satisfy constraint: Member must not be null", "", alone},
	})
}

// How many errors an operation reports, and in what order it checks for them.
func TestRulesOfOrder(t *testing.T) {
	const (
		put       = `{"TableName":"absent","Item":{"p":{"S":"a"}}`
		update    = `{"TableName":"absent","Key":{"p":{"S":"a"}}`
		values    = "failed to satisfy constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"
		capacity  = "failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"
		missing   = "Requested resource not found"
		notFound  = "ResourceNotFoundException"
		specific  = "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
		start     = "The provided starting key is invalid"
		mismatch  = "The provided key element does not match the schema"
		conflict  = invalidParam + "ComparisonOperator LT is not valid for BOOL AttributeValue type"
		condition = `"KeyConditionExpression":"p = :p","ExpressionAttributeValues":{":p":{"S":"a"}}`
		tooFew    = `{"ComparisonOperator":"LT","AttributeValueList":[{"BOOL":true}]}`
		three     = `"KeyConditions":{"p":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]},"s":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]},"x":{"ComparisonOperator":"EQ","AttributeValueList":[{"S":"a"}]}}}`
		order     = dynalite + "/tree/master/validations: the order of the checks"
	)
	checkRules(t, []rule{
		{"two invalid options of a put", "PutItem", put + `,"ReturnValues":"SOME","ReturnConsumedCapacity":"SOME"}`, "2 validation errors detected: Value 'SOME' at 'returnValues' " + values + "; Value 'SOME' at 'returnConsumedCapacity' " + capacity, "", dynoxideRepo + "issues/83"},
		{"two invalid options of an update", "UpdateItem", update + `,"ReturnValues":"SOME","ReturnConsumedCapacity":"SOME"}`, oneError + "Value 'SOME' at 'returnValues' " + values, "", dynoxideRepo + "issues/83"},
		{"an invalid option before the table", "Query", `{"TableName":"absent",` + condition + `,"ReturnConsumedCapacity":"SOME"}`, oneError + "Value 'SOME' at 'returnConsumedCapacity' " + capacity, "", floci + "pull/2871"},
		{"ReturnValues of a put", "PutItem", put + `,"ReturnValues":"ALL_NEW"}`, oneError + "ReturnValues can only be ALL_OLD or NONE", "", dynoxideRepo + "pull/152"},
		{"ReturnValues of a delete", "DeleteItem", update + `,"ReturnValues":"UPDATED_NEW"}`, oneError + "ReturnValues can only be ALL_OLD or NONE", "", dynoxideRepo + "pull/152"},
		{"the size of an item before its condition", "PutItem", `{"TableName":"absent","Item":{"p":{"S":"` + strings.Repeat("x", 400<<10) + `"}},"ConditionExpression":"x ="}`, "Item size has exceeded the maximum allowed size", "", order},
		{"an expression before the table", "PutItem", put + `,"ConditionExpression":"attribute_exists()"}`, oneError + `Invalid ConditionExpression: Syntax error; token: ")", near: "()"`, "", order},

		{"Limit of a query", "Query", `{"TableName":"absent",` + condition + `,"Limit":0}`, oneError + "Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1", "", dynoxideRepo + "issues/15"},
		{"Limit of a scan", "Scan", `{"TableName":"absent","Limit":0}`, oneError + "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1", "", dynoxideRepo + "issues/15"},
		{"Select of a query", "Query", `{"TableName":"absent",` + condition + `,"Select":"SPECIFIC_ATTRIBUTES"}`, oneError + specific, "", dynoxideRepo + "issues/121"},
		{"Select of a scan", "Scan", `{"TableName":"absent","Select":"SPECIFIC_ATTRIBUTES"}`, specific, "", dynoxideRepo + "issues/121"},

		{"the values of a filter before the start key of a query", "Query", `{"TableName":"absent","KeyConditions":{"p":` + tooFew + `},"QueryFilter":{"x":` + tooFew + `},"ExclusiveStartKey":{"p":{}}}`, conflict, "", order},
		{"the values of a filter before the start key of a scan", "Scan", `{"TableName":"absent","ScanFilter":{"x":` + tooFew + `},"ExclusiveStartKey":{"p":{}}}`, conflict, "", order},
		{"the start key before the key condition", "Query", `{"TableName":"absent","KeyConditions":{"p":` + tooFew + `},"ExclusiveStartKey":{"p":{}}}`,
			start + ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", "", order},
		{"the start key before the expressions", "Query", `{"TableName":"absent","KeyConditionExpression":"p =","ExclusiveStartKey":{"p":{}}}`,
			start + ": Supplied AttributeValue is empty, must contain exactly one of the supported datatypes", "", order},
		{"the filter before a key condition without expression", "Query", `{"TableName":"absent","KeyConditions":{"p":` + tooFew + `},"FilterExpression":"x ="}`,
			`Invalid FilterExpression: Syntax error; token: "<EOF>", near: "="`, "", order},
		{"a start key that does not fit, in a query", "Query", `{"TableName":"pair",` + condition + `,"ExclusiveStartKey":{"p":{"S":"a"}}}`, start, "", floci + "pull/1443"},
		{"a start key that does not fit, in a scan", "Scan", `{"TableName":"pair","ExclusiveStartKey":{"bad":{"S":"a"}}}`, start + ": " + mismatch, "", extenddb + "issues/59"},
		{"a start key that does not fit, in a query of an index", "Query", `{"TableName":"pair","IndexName":"local",` + condition + `,"ExclusiveStartKey":{"p":{"S":"a"}}}`, start, "", floci + "pull/1443"},
		{"a start key that does not fit, in a scan of an index", "Scan", `{"TableName":"pair","IndexName":"global","ExclusiveStartKey":{"p":{"S":"a"}}}`, start + ": " + mismatch, "", floci + "pull/1443"},

		{"the table before a key condition that does not fit", "Query", `{"TableName":"absent","KeyConditionExpression":"q = :q","ExpressionAttributeValues":{":q":{"S":"a"}}}`, missing, notFound, order},
		{"a key condition that does not fit", "Query", `{"TableName":"pair","KeyConditionExpression":"q = :q","ExpressionAttributeValues":{":q":{"S":"a"}}}`, "Query condition missed key schema element: p", "", dynalite + "/blob/master/actions/query.js"},
		{"two attributes of the key and a third", "Query", `{"TableName":"pair","KeyConditionExpression":"p = :p AND s = :p AND x = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`, "Conditions can be of length 1 or 2 only", "", dynalite},
		{"three conditions without expression", "Query", `{"TableName":"pair",` + three, "Conditions can be of length 1 or 2 only", "", dynalite + "/blob/master/validations/query.js"},
		{"the table before three conditions", "Query", `{"TableName":"absent",` + three, missing, notFound, "https://github.com/guregu/dynamo/blob/v2.6.0/query_test.go, TestQueryComposite: indexes with three attributes take three"},
		{"two conditions on a key of one attribute", "Query", `{"TableName":"hash","KeyConditionExpression":"p = :p AND x = :p","ExpressionAttributeValues":{":p":{"S":"a"}}}`, "Query key condition not supported", "", dynalite + "/blob/master/actions/query.js"},

		{"a put without key in a batch", "BatchWriteItem", `{"RequestItems":{"hash":[{"PutRequest":{"Item":{"x":{"S":"a"}}}}]}}`, mismatch, "", dynoxideRepo + "issues/39"},
		{"a put with a key of a wrong type in a batch", "BatchWriteItem", `{"RequestItems":{"hash":[{"PutRequest":{"Item":{"p":{"BOOL":true}}}}]}}`, mismatch, "", dynoxideRepo + "issues/97"},
		{"an index key of a wrong type", "PutItem", `{"TableName":"pair","Item":{"p":{"S":"a"},"s":{"S":"a"},"g":{"L":[]}}}`, invalidParam + "Type mismatch for Index Key g Expected: S Actual: L IndexName: global", "", dynoxideRepo + "issues/92"},
		{"an index key of a wrong type in an update", "UpdateItem", `{"TableName":"pair","Key":{"p":{"S":"a"},"s":{"S":"1"}},"UpdateExpression":"SET g = :g","ExpressionAttributeValues":{":g":{"N":"1"}}}`,
			"The update expression attempted to update the secondary index key to unsupported type", "", dynoxideRepo + "issues/92"},
		{"an index key of a wrong type in a batch", "BatchWriteItem", `{"RequestItems":{"pair":[{"PutRequest":{"Item":{"p":{"S":"a"},"s":{"S":"a"},"n":{"S":"1"}}}}]}}`, invalidParam + "Type mismatch for Index Key n Expected: N Actual: S IndexName: local", "", dynoxideRepo + "issues/97"},
	})
}
