// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dynamotable/ddb/ddbtest"
)

// The error of a mistake in a seed file gives its place, and all unknown keys at once.
func TestSeedErrors(t *testing.T) {
	const users = `{"TableName": "users", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}], "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}`
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"not JSON":   {"{\n\"tables\": [,]}", []string{"line 2", "invalid character"}},
		"two":        {"{}\n{}", []string{"line 2", "after top-level value"}},
		"not a list": {"{\"items\":\n{\"users\": 1}}", []string{"line 2", "number"}},
		"unknown keys": {
			`{"table": [], "Items": {}, "tables": [{"TableName": "users", "Tablename": "u", "GSIs": [], "KeySchema": [{"AttributeName": "id", "Type": "HASH"}],
				"GlobalSecondaryIndexes": [{"IndexName": "i", "Projection": {"projectionType": "ALL"}}]}]}`,
			[]string{"unknown keys: Items (it is spelt items), table, tables[0].GSIs, " +
				"tables[0].GlobalSecondaryIndexes[0].Projection.projectionType (it is spelt ProjectionType), " +
				"tables[0].KeySchema[0].Type, tables[0].Tablename (it is spelt TableName)"},
		},
		"refused table": {`{"tables": [` + users + `, {"TableName": "u", "BillingMode": "PAY_PER_REQUEST"}]}`, []string{`tables[1] ("u")`, "ValidationException: "}},
		"no table":      {`{"items": {"none": []}}`, []string{`items of table "none"`, "ResourceNotFoundException: ", `list it under "tables"`}},
		"plain item":    {`{"tables": [` + users + `], "items": {"users": [{"id": {"S": "a"}}, {"id": "b"}]}}`, []string{"items.users[1]", `{"id": {"S": "u1"}}`}},
	} {
		file := filepath.Join(t.TempDir(), "seed.json")
		if err := os.WriteFile(file, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		engine := ddbtest.NewEngine()
		err := seed(t.Context(), engine, file)
		engine.Close()
		if err == nil {
			t.Errorf("%s: accepted", name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v\nwant %q", name, err, want)
			}
		}
	}
}

// Seed files accept every parameter of CreateTable, in tables of every kind.
func TestSeedKnowsCreateTable(t *testing.T) {
	const content = `{"tables": [{"TableName": "users", "BillingMode": "PROVISIONED", "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
		"AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "at", "AttributeType": "N"}],
		"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
		"LocalSecondaryIndexes": [{"IndexName": "local", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}, {"AttributeName": "at", "KeyType": "RANGE"}],
			"Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["a"]}}],
		"GlobalSecondaryIndexes": [{"IndexName": "global", "KeySchema": [{"AttributeName": "at", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"},
			"ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}}],
		"StreamSpecification": {"StreamEnabled": true, "StreamViewType": "NEW_IMAGE"}, "SSESpecification": {"Enabled": true, "SSEType": "KMS"},
		"Tags": [{"Key": "team", "Value": "a"}], "DeletionProtectionEnabled": true, "TableClass": "STANDARD"}]}`
	engine := ddbtest.NewEngine()
	defer engine.Close()
	file := filepath.Join(t.TempDir(), "seed.json")
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := seed(t.Context(), engine, file); err != nil {
		t.Error(err)
	}
}
