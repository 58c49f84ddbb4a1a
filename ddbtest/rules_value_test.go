// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strings"
	"testing"
)

// nested returns a value with that many levels.
func nested(levels int) string {
	return strings.Repeat(`{"L":[`, levels-1) + `{"S":"x"}` + strings.Repeat(`]}`, levels-1)
}

// Which values, names of attributes and placeholders are valid, and how
// each operation reports invalid ones.
func TestRulesOfValues(t *testing.T) {
	put := func(v string) string { return `{"TableName":"hash","Item":{"p":{"S":"v"},"v":` + v + `}}` }
	update := func(v string) string {
		return `{"TableName":"hash","Key":{"p":{"S":"a"}},"UpdateExpression":"SET v = :v","ExpressionAttributeValues":{":v":` + v + `}}`
	}
	remove := func(v string) string {
		return `{"TableName":"hash","Key":{"p":{"S":"a"}},"ConditionExpression":"v = :v","ExpressionAttributeValues":{":v":` + v + `}}`
	}
	scan := func(v string) string {
		return `{"TableName":"hash","FilterExpression":"v = :v","ExpressionAttributeValues":{":v":` + v + `}}`
	}
	const (
		nullFalse = invalidParam + "Null attribute value types must have the value of true"
		emptySet  = invalidParam + "An string set  may not be empty"
		untyped   = "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
		several   = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
		deep      = "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
		large     = "Attribute name is too large, must be less than 65536 bytes"
		wrapped   = "ExpressionAttributeValues contains invalid value: "
		limits    = guidePages + "Constraints.html"
	)
	name65535, name65536 := strings.Repeat("n", 65535), strings.Repeat("n", 65536)
	place255, place256 := strings.Repeat("n", 254), strings.Repeat("n", 255) // and # or :
	checkRules(t, []rule{
		{"an empty string in a set", "PutItem", put(`{"SS":["a",""]}`), `{}`, "-", guidePages + "HowItWorks.NamingRulesDataTypes.html and " + ministack + "issues/1039"},
		{"only an empty string in a set", "PutItem", put(`{"SS":[""]}`), `{}`, "-", ministack + "issues/1039"},
		{"an empty binary in a set", "PutItem", put(`{"BS":["","AA=="]}`), `{}`, "-", guidePages + "HowItWorks.NamingRulesDataTypes.html"},
		{"an empty number in a set", "PutItem", put(`{"NS":["1",""]}`), oneError + "The parameter cannot be converted to a numeric value", "", dynalite},
		{"null in a string set", "PutItem", put(`{"SS":["a",null]}`), oneError + invalidParam + "An string set may not have a null string as a member", "", daxClient},
		{"null in a binary set", "PutItem", put(`{"BS":["AA==",null]}`), oneError + invalidParam + "Binary sets may not contain null or empty values", "", dynalite},

		{"NULL false in an item", "PutItem", put(`{"NULL":false}`), oneError + nullFalse, "", dynoxideRepo + "issues/145"},
		{"NULL false in a list", "PutItem", put(`{"L":[{"NULL":false}]}`), oneError + nullFalse, "", dynoxideRepo + "issues/145"},
		{"NULL false in an update", "UpdateItem", update(`{"NULL":false}`), oneError + nullFalse, "", dynoxideRepo + "pull/152"},
		{"NULL false in a key", "UpdateItem", `{"TableName":"hash","Key":{"p":{"NULL":false}}}`, oneError + nullFalse, "", dynoxideRepo + "pull/152"},
		{"NULL false in a key that is read", "GetItem", `{"TableName":"hash","Key":{"p":{"NULL":false}}}`, nullFalse, "", dynoxideRepo + "pull/152: reads have no envelope"},

		{"an empty set in an item", "PutItem", put(`{"SS":[]}`), oneError + emptySet, "", dynoxideRepo + "pull/152"},
		{"an empty set in an update", "UpdateItem", update(`{"SS":[]}`), oneError + emptySet, "", ministack + "issues/1038"},
		{"an empty set in a condition of a delete", "DeleteItem", remove(`{"SS":[]}`), oneError + wrapped + emptySet + " for key :v", "", dynalite},
		{"an empty set in a filter", "Scan", scan(`{"SS":[]}`), wrapped + emptySet + " for key :v", "", dynalite},
		{"a number out of range in an update", "UpdateItem", update(`{"N":"1e126"}`), oneError + "Number overflow. Attempting to store a number with magnitude larger than supported range", "", floci + "pull/3447"},
		{"zero with an exponent out of range", "PutItem", put(`{"N":"0e126"}`), oneError + "Number overflow. Attempting to store a number with magnitude larger than supported range", "", guidePages + "HowItWorks.NamingRulesDataTypes.html: the range of the exponent"},
		{"no type in an item", "PutItem", put(`{}`), untyped, "", dynoxideRepo + "pull/152"},
		{"no type in an update", "UpdateItem", update(`{}`), untyped, "", dynoxideRepo + "pull/152"},
		{"two types in an item", "PutItem", put(`{"S":"a","N":"1"}`), several, "", dynoxideRepo + "pull/152"},
		{"no type in a batch", "BatchWriteItem", `{"RequestItems":{"hash":[{"PutRequest":{"Item":{"p":{}}}}]}}`, untyped, "", dynalite},
		{"an empty set in a batch", "BatchWriteItem", `{"RequestItems":{"hash":[{"PutRequest":{"Item":{"p":{"S":"a"},"v":{"SS":[]}}}}]}}`, emptySet, "", dynoxideRepo + "pull/152: PutItem, UpdateItem and DeleteItem have the envelope"},

		{"33 levels in an item", "PutItem", put(nested(33)), oneError + deep, "", floci + "pull/3447"},
		{"32 levels in an item", "PutItem", put(nested(32)), `{}`, "-", dynoxideRepo + "issues/110"},
		{"33 levels in an update", "UpdateItem", update(nested(33)), oneError + deep, "", floci + "pull/3447"},
		{"33 levels in a filter", "Scan", scan(nested(33)), deep, "", dynoxideRepo + "issues/110"},

		{"a name of 65,535 bytes", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"v"},"` + name65535 + `":{"S":""}}}`, `{}`, "-", extenddb + "issues/365"},
		{"a name of 65,536 bytes", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"v"},"` + name65536 + `":{"S":""}}}`, oneError + large, "", extenddb + "issues/365"},
		{"a name of 65,536 bytes in a map", "PutItem", put(`{"M":{"` + name65536 + `":{"S":""}}}`), oneError + large, "", extenddb + "issues/365"},
		{"a name of 65,536 bytes in an updated map", "UpdateItem", update(`{"M":{"` + name65536 + `":{"S":""}}}`), oneError + large, "", extenddb + "issues/365"},
		{"a name of 65,536 bytes of a placeholder", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"UpdateExpression":"REMOVE #n","ExpressionAttributeNames":{"#n":"` + name65536 + `"}}`,
			oneError + large, "", extenddb + "issues/365"},
		{"a name of 65,535 bytes of a placeholder", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"UpdateExpression":"REMOVE #n","ExpressionAttributeNames":{"#n":"` + name65535 + `"}}`,
			`{}`, "-", extenddb + "issues/365"},
		{"a name of 65,536 bytes in a read", "GetItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":"` + name65536 + `"}}`,
			"ExpressionAttributeNames contains invalid value: " + large + " for key #n", "", limits},
		{"no name of a placeholder", "GetItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"ProjectionExpression":"#n","ExpressionAttributeNames":{"#n":""}}`,
			"ExpressionAttributeNames contains invalid value: Empty attribute name for key #n", "", limits},
		{"a name of 65,536 bytes in AttributeUpdates", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"AttributeUpdates":{"` + name65536 + `":{"Value":{"S":"x"}}}}`, oneError + large, "", extenddb + "issues/365"},
		{"a name of 65,535 bytes in AttributeUpdates", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"AttributeUpdates":{"` + name65535 + `":{"Value":{"S":"x"}}}}`, `{}`, "-", limits},
		{"a name of 65,536 bytes in ScanFilter", "Scan", `{"TableName":"hash","ScanFilter":{"` + name65536 + `":{"ComparisonOperator":"NULL"}}}`, large, "", limits},
		{"a name of 65,536 bytes in AttributesToGet", "GetItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"AttributesToGet":["` + name65536 + `"]}`, large, "", limits},
		{"an empty set in AttributeUpdates", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"AttributeUpdates":{"v":{"Value":{"SS":[]}}}}`, oneError + emptySet, "", dynoxideRepo + "pull/152: in any position"},
		{"no name in an item", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"a"},"":{"S":"x"}}}`, oneError + "Empty attribute name", "", limits},
		{"a name of 65,536 bytes in a batch", "BatchWriteItem", `{"RequestItems":{"hash":[{"PutRequest":{"Item":{"p":{"S":"v"},"` + name65536 + `":{"S":""}}}}]}}`, large, "", limits},
		{"a name of 65,536 bytes in a transaction", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"hash","Item":{"p":{"S":"v"},"` + name65536 + `":{"S":""}}}}]}`, large, "", limits},

		{"a placeholder of 255 bytes", "GetItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"ProjectionExpression":"#` + place255 + `","ExpressionAttributeNames":{"#` + place255 + `":"x"}}`, `{"N":"1"}`, "-", limits},
		{"a placeholder of 256 bytes", "GetItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"ProjectionExpression":"#` + place256 + `","ExpressionAttributeNames":{"#` + place256 + `":"x"}}`,
			"ExpressionAttributeNames contains invalid key: The expression attribute map contains a key that is too long; size of key: 256", "", limits + " and " + daxClient},
		{"a value's placeholder of 256 bytes", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"UpdateExpression":"SET v = :` + place256 + `","ExpressionAttributeValues":{":` + place256 + `":{"S":"x"}}}`,
			oneError + "ExpressionAttributeValues contains invalid key: The expression attribute map contains a key that is too long; size of key: 256", "", limits + " and " + daxClient},
	})
}

// Values and names without an expression.
func TestRulesOfUnusedPlaceholders(t *testing.T) {
	const (
		names  = "ExpressionAttributeNames can only be specified when using expressions"
		values = "ExpressionAttributeValues can only be specified when using expressions: "
		idle   = `"ExpressionAttributeNames":{"#n":"x"},"ExpressionAttributeValues":{":v":{"S":"x"}}`
	)
	checkRules(t, []rule{
		{"names in a get", "GetItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"ExpressionAttributeNames":{"#n":"x"}}`, names, "", dynalite},
		{"names in a put", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"a"}},` + idle + `}`, oneError + names, "", dynoxideRepo + "pull/152"},
		{"values in a put", "PutItem", `{"TableName":"hash","Item":{"p":{"S":"a"}},"ExpressionAttributeValues":{":v":{"S":"x"}}}`, oneError + values + "ConditionExpression is null", "", dynoxideRepo + "pull/152"},
		{"values in an update", "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"a"}},"ExpressionAttributeValues":{":v":{"S":"x"}}}`, oneError + values + "UpdateExpression and ConditionExpression are null", "", dynoxideRepo + "pull/152"},
		{"values in a scan with a projection", "Scan", `{"TableName":"hash","ProjectionExpression":"x","ExpressionAttributeValues":{":v":{"S":"x"}}}`, values + "FilterExpression is null", "", dynalite},
		{"in a put of a transaction", "TransactWriteItems", `{"TransactItems":[{"Put":{"TableName":"hash","Item":{"p":{"S":"b"}},` + idle + `}}]}`, `{}`, "-", dynalite + "/blob/master/validations/transactWriteItems.js: no such check for Put and Delete"},
		{"in a delete of a transaction", "TransactWriteItems", `{"TransactItems":[{"Delete":{"TableName":"hash","Key":{"p":{"S":"b"}},` + idle + `}}]}`, `{}`, "-", dynalite + "/blob/master/validations/transactWriteItems.js: no such check for Put and Delete"},
		{"in a get of a transaction", "TransactGetItems", `{"TransactItems":[{"Get":{"TableName":"hash","Key":{"p":{"S":"a"}},"ExpressionAttributeNames":{"#n":"x"}}}]}`, `"Item"`, "-", dynalite + ": transactions have no such check"},
		{"unused in a transaction", "TransactWriteItems", `{"TransactItems":[{"Update":{"TableName":"hash","Key":{"p":{"S":"b"}},"UpdateExpression":"REMOVE x",` + idle + `}}]}`,
			"Value provided in ExpressionAttributeNames unused in expressions: keys: {#n}", "", dynalite + "/blob/master/validations/transactWriteItems.js, validateExpressions"},
	})
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html:
// the order of a set is not kept. The service returns sets sorted.
func TestSetsComeBackSorted(t *testing.T) {
	e := newRuleEngine(t)
	const item = `"Item":{"p":{"S":"sets"},"bs":{"BS":["Ag==","AQ=="]},"ns":{"NS":["10","9","-1"]},"ss":{"SS":["b","","a"]}}`
	mustAnswer(t, e, "PutItem", `{"TableName":"hash",`+item+`}`)
	const want = `"bs":{"BS":["AQ==","Ag=="]},"ns":{"NS":["-1","9","10"]},"p":{"S":"sets"},"ss":{"SS":["","a","b"]}`
	get := `{"TableName":"hash","Key":{"p":{"S":"sets"}}}`
	if got := mustAnswer(t, e, "GetItem", get); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
	got := mustAnswer(t, e, "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"sets"}},"UpdateExpression":"ADD ss :s, ns :n","ReturnValues":"UPDATED_NEW",
		"ExpressionAttributeValues":{":s":{"SS":["aa"]},":n":{"NS":["9.5","0"]}}}`)
	if want := `{"ns":{"NS":["-1","0","9","9.5","10"]},"ss":{"SS":["","a","aa","b"]}}`; !strings.Contains(got, want) {
		t.Errorf("got %s\nwant %s", got, want)
	}
}
