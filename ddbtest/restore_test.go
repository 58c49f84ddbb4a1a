// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
)

// A reopened engine keeps items that a put would refuse: one that
// updates have grown beyond 400 KB, and one that is older than an index that cannot hold its
// key.
func TestFolderKeepsItemsThatPutRefuses(t *testing.T) {
	dir := t.TempDir()
	e, err := ddbtest.OpenFolder(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	mustAnswer(t, e, "CreateTable", ruleTables[0])
	mustAnswer(t, e, "PutItem", `{"TableName":"hash","Item":{"p":{"S":"large"},"a":{"S":"`+strings.Repeat("x", 300<<10)+`"}}}`)
	mustAnswer(t, e, "UpdateItem", `{"TableName":"hash","Key":{"p":{"S":"large"}},"UpdateExpression":"SET b = :b","ExpressionAttributeValues":{":b":{"S":"`+strings.Repeat("y", 300<<10)+`"}}}`)
	mustAnswer(t, e, "PutItem", `{"TableName":"hash","Item":{"p":{"S":"older"},"k":{"N":"1"}}}`)
	mustAnswer(t, e, "UpdateTable", `{"TableName":"hash","AttributeDefinitions":[{"AttributeName":"k","AttributeType":"S"}],
		"GlobalSecondaryIndexUpdates":[{"Create":{"IndexName":"fresh","KeySchema":[{"AttributeName":"k","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}}]}`)
	e.Close()
	for range 2 { // the second time from the journal that the first opening rewrote
		e, err := ddbtest.OpenFolder(dir, false)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"large", "older"} {
			if got := mustAnswer(t, e, "GetItem", `{"TableName":"hash","Key":{"p":{"S":"`+name+`"}}}`); !strings.Contains(got, `"p":{"S":"`+name+`"}`) {
				t.Errorf("%s: %.100s", name, got)
			}
		}
		if got := mustAnswer(t, e, "Scan", `{"TableName":"hash","IndexName":"fresh"}`); !strings.Contains(got, `"Count":0`) {
			t.Errorf("the index: %.100s", got)
		}
		e.Close()
	}
}
