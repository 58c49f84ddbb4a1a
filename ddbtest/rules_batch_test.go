// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"fmt"
	"strings"
	"testing"
)

// listOf returns n members of a list, made by member.
func listOf(n int, member func(i int) string) string {
	members := make([]string, n)
	for i := range members {
		members[i] = member(i)
	}
	return strings.Join(members, ",")
}

func TestRulesOfBatches(t *testing.T) {
	const (
		duplicates = "Provided list of item keys contains duplicates"
		mixed      = "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {AttributesToGet} Expression parameters: {ProjectionExpression}"
		keysOf     = oneError + "Value at 'RequestItems.hash.member.Keys' failed to satisfy constraint: Member must have length "
		several    = "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
		changelog  = dynoxideRepo + "blob/main/CHANGELOG.md"
	)
	key := func(i int) string { return fmt.Sprintf(`{"p":{"S":"%d"}}`, i) }
	write := func(i int) string { return `{"DeleteRequest":{"Key":` + key(i) + `}}` }
	checkRules(t, []rule{
		{"no tables to get from", "BatchGetItem", `{"RequestItems":{}}`, oneError + "Value at 'RequestItems' failed to satisfy constraint: Member must have length greater than or equal to 1", "", dynoxideRepo + "pull/198"},
		{"no tables to write to", "BatchWriteItem", `{"RequestItems":{}}`, "The requestItems parameter is required for BatchWriteItem", "", dynoxideRepo + "pull/198"},
		{"no keys", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[]}}}`, keysOf + "greater than or equal to 1", "", dynoxideRepo + "issues/18: the form"},
		{"101 keys", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[` + listOf(101, key) + `]}}}`, keysOf + "less than or equal to 100", "", dynoxideRepo + "issues/18"},
		{"100 keys", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[` + listOf(100, key) + `]}}}`, `"Responses":{"hash":[]}`, "-", apiPages + "API_BatchGetItem.html"},
		{"101 keys of two tables", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[` + listOf(100, key) + `]},"number":{"Keys":[{"p":{"N":"1"}}]}}}`, "Too many items requested for the BatchGetItem call", "", dynalite + "/blob/master/validations/batchGetItem.js"},

		{"an item twice", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[{"p":{"S":"a"}},{"p":{"S":"a"}}]}}}`, duplicates, "", scylla + "issues/10757"},
		{"an item twice, of no table", "BatchGetItem", `{"RequestItems":{"absent":{"Keys":[{"p":{"S":"a"}},{"p":{"S":"a"}}]}}}`, duplicates, "", dynalite + "/blob/master/validations/batchGetItem.js: before the table is looked for"},
		{"an item twice, with a key of no table", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[{"q":{"S":"a"}},{"q":{"S":"a"}}]}}}`, duplicates, "", dynalite + "/blob/master/validations/batchGetItem.js: before the table is looked for"},
		{"a number written in two ways", "BatchGetItem", `{"RequestItems":{"number":{"Keys":[{"p":{"N":"1000"}},{"p":{"N":"1e3"}}]}}}`, `"Responses":{"number":[{"p":{"N":"1000"}},{"p":{"N":"1000"}}]}`, "-",
			dynalite + "/blob/master/validations/batchGetItem.js: compared before numbers are read"},
		{"a number written in one way", "BatchGetItem", `{"RequestItems":{"number":{"Keys":[{"p":{"N":"1000"}},{"p":{"N":"1e3"}},{"p": {"N":"1e3"}}]}}}`, duplicates, "", scylla + "issues/10757"},
		{"a number written in two ways, to write", "BatchWriteItem", `{"RequestItems":{"number":[{"DeleteRequest":{"Key":{"p":{"N":"1000"}}}},{"DeleteRequest":{"Key":{"p":{"N":"1e3"}}}}]}}`, duplicates, "", apiPages + "API_BatchWriteItem.html"},

		{"both generations in one table", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[{"p":{"S":"a"}}],"ProjectionExpression":"x","AttributesToGet":["x"]}}}`, mixed, "", dynalite},
		{"both generations in two tables", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[{"p":{"S":"a"}}],"ProjectionExpression":"x"},"number":{"Keys":[{"p":{"N":"1"}}],"AttributesToGet":["x"]}}}`, mixed, "", changelog + ", 0.11.2"},
		{"an item without the projected attribute", "BatchGetItem", `{"RequestItems":{"hash":{"Keys":[{"p":{"S":"a"}}],"ProjectionExpression":"y"}}}`, `{"hash":[{}]}`, "-", dynoxideRepo + "issues/53"},

		{"26 writes", "BatchWriteItem", `{"RequestItems":{"hash":[` + listOf(26, write) + `]}}`,
			oneError + "Value '{hash=[" + strings.ReplaceAll(listOf(26, func(i int) string {
				return `WriteRequest(putRequest=null,deleteRequest=DeleteRequest(key=` + key(i) + `))`
			}), ",", ", ") +
				"]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]", "", dynoxideRepo + "issues/18"},
		{"no writes", "BatchWriteItem", `{"RequestItems":{"hash":[]}}`,
			oneError + "Value '{hash=[]}' at 'requestItems' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater than or equal to 1]", "", dynalite + "/blob/master/validations/batchWriteItem.js"},
		{"neither put nor delete", "BatchWriteItem", `{"RequestItems":{"hash":[{}]}}`, several, "", dynalite + "/blob/master/validations/batchWriteItem.js"},
		{"an item too large for no table", "BatchWriteItem", `{"RequestItems":{"absent":[{"DeleteRequest":{"Key":{"p":{"S":"a"}}}},{"PutRequest":{"Item":{"p":{"S":"` + strings.Repeat("x", 400<<10) + `"}}}}]}}`,
			"Item size has exceeded the maximum allowed size", "", dynalite + "/blob/master/validations/batchWriteItem.js: before the table is looked for"},
	})
}
