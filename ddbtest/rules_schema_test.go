// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strings"
	"testing"
)

// Paths below attributes of keys.
func TestRulesOfKeyPaths(t *testing.T) {
	const (
		text   = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
		key    = `"Key":{"p":{"S":"a"},"s":{"S":"1"}}`
		value  = `"ExpressionAttributeValues":{":v":{"S":"x"}}`
		source = dynalite + "/blob/master/db/index.js, validateKeyPaths"
	)
	checkRules(t, []rule{
		{"projection of a get", "GetItem", `{"TableName":"pair",` + key + `,"ProjectionExpression":"p.b"}`, text + "Key: p", "", source},
		{"projection below an index key", "GetItem", `{"TableName":"pair",` + key + `,"ProjectionExpression":"g[0]"}`, text + "IndexKey: g", "", source},
		{"projection of a key itself", "GetItem", `{"TableName":"pair",` + key + `,"ProjectionExpression":"p, g"}`, `"Item":{"g":{"S":"x"},"p":{"S":"a"}}`, "-", source},
		{"condition of a put", "PutItem", `{"TableName":"pair","Item":{"p":{"S":"a"},"s":{"S":"1"}},"ConditionExpression":"attribute_not_exists(s[0])"}`, text + "Key: s", "", source},
		{"condition of a delete", "DeleteItem", `{"TableName":"pair",` + key + `,"ConditionExpression":"g.b = :v",` + value + `}`, text + "IndexKey: g", "", source},
		{"condition of an update", "UpdateItem", `{"TableName":"pair",` + key + `,"UpdateExpression":"SET x = :v","ConditionExpression":"p.b <> :v",` + value + `}`, text + "Key: p", "", source},
		{"operand of an update", "UpdateItem", `{"TableName":"pair",` + key + `,"UpdateExpression":"SET x = n.b"}`, text + "IndexKey: n", "", source},
		{"target of an update", "UpdateItem", `{"TableName":"pair",` + key + `,"UpdateExpression":"SET g.b = :v",` + value + `}`, text + "IndexKey: g", "", source},
		{"target below the key of an update", "UpdateItem", `{"TableName":"pair",` + key + `,"UpdateExpression":"SET p.b = :v",` + value + `}`, invalidParam + "Cannot update attribute p. This attribute is part of the key", "", source},
		{"filter of a scan", "Scan", `{"TableName":"pair","FilterExpression":"p.b = :v",` + value + `}`, text + "Key: p", "", source},
		{"projection of a scan", "Scan", `{"TableName":"pair","ProjectionExpression":"#p[1].b","ExpressionAttributeNames":{"#p":"p"}}`, text + "Key: p", "", source},
		{"projection of a query", "Query", `{"TableName":"pair","KeyConditionExpression":"p = :v","ProjectionExpression":"p.b",` + value + `}`, text + "Key: p", "", source},
		{"filter of a query", "Query", `{"TableName":"pair","KeyConditionExpression":"p = :v","FilterExpression":"g.b = :v",` + value + `}`, text + "IndexKey: g", "", source},
		{"filter of a query on the key", "Query", `{"TableName":"pair","KeyConditionExpression":"p = :v","FilterExpression":"p.b = :v",` + value + `}`,
			"Filter Expression can only contain non-primary key attributes: Primary key attribute: p", "", source},
		{"projection of a batch", "BatchGetItem", `{"RequestItems":{"pair":{"Keys":[{"p":{"S":"a"},"s":{"S":"1"}}],"ProjectionExpression":"p.b"}}}`, text + "Key: p", "", source},
		{"condition of a transaction", "TransactWriteItems", `{"TransactItems":[{"ConditionCheck":{"TableName":"pair",` + key + `,"ConditionExpression":"attribute_exists(p.b)"}}]}`,
			"Transaction cancelled, please refer cancellation reasons for specific reasons [ValidationError]", "TransactionCanceledException", source},
	})
}

// The attributes of the key of a new index.
func TestRulesOfNewIndexes(t *testing.T) {
	update := func(attribute, definitions string) string {
		return `{"TableName":"pair","AttributeDefinitions":[` + definitions + `],"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"fresh",
			"KeySchema":[{"AttributeName":"` + attribute + `","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`
	}
	define := func(name, kind string) string {
		return `{"AttributeName":"` + name + `","AttributeType":"` + kind + `"}`
	}
	checkRules(t, []rule{
		{"defined", "UpdateTable", update("x", define("x", "S")), `"IndexName":"fresh"`, "-", apiPages + "API_UpdateTable.html"},
		{"defined again", "UpdateTable", update("g", define("g", "S")), `"IndexName":"fresh"`, "-", apiPages + "API_UpdateTable.html"},
		{"not defined in the request", "UpdateTable", update("g", define("x", "S")),
			invalidParam + "Some index key attributes are not defined in AttributeDefinitions. Keys: [g], AttributeDefinitions: [x]", "", dynoxideRepo + "issues/144"},
		{"defined with another type", "UpdateTable", update("g", define("g", "N")),
			invalidParam + "Attributes cannot be redefined. Please check that your attribute has the same type as previously defined. " +
				"Existing schema: Schema:[SchemaElement: key{p:S:HASH}, SchemaElement: key{s:S:RANGE}] New schema: Schema:[SchemaElement: key{g:N:HASH}]", "",
			apiPages + "API_UpdateTable.html: the definitions describe the key schema of the table and its indexes"},
		{"another attribute with another type", "UpdateTable", update("x", define("x", "S")+","+define("g", "N")), `"AttributeName":"g","AttributeType":"S"`, "-", dynoxideRepo + "issues/129"},
	})
}

// Items older than an index are not in it if it cannot hold their key.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.OnlineOps.html#GSI.OnlineOps.ViolationDetection
func TestBackfillLeavesOutInvalidKeys(t *testing.T) {
	e := newRuleEngine(t)
	for name, v := range map[string]string{
		"good": `{"S":"k"}`, "empty": `{"S":""}`, "long": `{"S":"` + strings.Repeat("x", 2049) + `"}`, "number": `{"N":"1"}`, "list": `{"L":[]}`,
		"longest": `{"S":"` + strings.Repeat("x", 2048) + `"}`,
	} {
		mustAnswer(t, e, "PutItem", `{"TableName":"hash","Item":{"p":{"S":"`+name+`"},"k":`+v+`,"r":{"S":"r"}}}`)
	}
	mustAnswer(t, e, "PutItem", `{"TableName":"hash","Item":{"p":{"S":"long sort key"},"k":{"S":"k"},"r":{"S":"`+strings.Repeat("x", 1025)+`"}}}`)
	mustAnswer(t, e, "UpdateTable", `{"TableName":"hash","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"},{"AttributeName":"r","AttributeType":"S"}],
		"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"fresh","KeySchema":[{"AttributeName":"k","KeyType":"HASH"},{"AttributeName":"r","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]}`)
	check := func(want ...string) {
		t.Helper()
		got := mustAnswer(t, e, "Scan", `{"TableName":"hash","IndexName":"fresh","ProjectionExpression":"p"}`)
		for _, name := range want {
			if !strings.Contains(got, `{"p":{"S":"`+name+`"}}`) {
				t.Errorf("%s is not in the index: %s", name, got)
			}
		}
		if n := strings.Count(got, `{"p":`); n != len(want) {
			t.Errorf("the index has %d items, want %v: %s", n, want, got)
		}
	}
	check("good", "longest")
	// A later change of another attribute does not add them; a valid key does.
	mustAnswer(t, e, "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"empty"}},"UpdateExpression":"SET x = k"}`)
	mustAnswer(t, e, "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"number"}},"AttributeUpdates":{"x":{"Value":{"S":"y"}}}}`)
	check("good", "longest")
	if got := raw(t, e, "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"number"}},"AttributeUpdates":{"k":{"Value":{"N":"2"}}}}`); !strings.Contains(got, "Type mismatch for Index Key k Expected: S Actual: N IndexName: fresh") {
		t.Errorf("a value that the index cannot take: %s", got)
	}
	mustAnswer(t, e, "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"long"}},"UpdateExpression":"SET k = :k","ExpressionAttributeValues":{":k":{"S":"short"}}}`)
	check("good", "longest", "long")
}
