// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// TestDescribeSettings: every setting of a table is in its description, and a setting that may not be read is named.
func TestDescribeSettings(t *testing.T) {
	engine, _ := shop(t, nil)
	client := engine.Client()
	_, err := client.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("full"), KeySchema: keySchema("a", "b"), BillingMode: types.BillingModeProvisioned,
		AttributeDefinitions:  []types.AttributeDefinition{attribute("a", "S"), attribute("b", "N"), attribute("c", "B")},
		ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(5), WriteCapacityUnits: aws.Int64(6)},
		LocalSecondaryIndexes: []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: keySchema("a", "c"), Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly}}},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("global"), KeySchema: keySchema("c", ""), Projection: &types.Projection{ProjectionType: types.ProjectionTypeInclude, NonKeyAttributes: []string{"x", "y"}},
			ProvisionedThroughput: &types.ProvisionedThroughput{ReadCapacityUnits: aws.Int64(7), WriteCapacityUnits: aws.Int64(8)},
		}},
		DeletionProtectionEnabled: aws.Bool(true), TableClass: types.TableClassStandardInfrequentAccess,
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("shop")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := client.UpdateContinuousBackups(t.Context(), &dynamodb.UpdateContinuousBackupsInput{
		TableName:                        aws.String("full"),
		PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true), RecoveryPeriodInDays: aws.Int32(9)},
	}); err != nil {
		t.Fatal(err)
	}
	text, _, err := output(t, "describe", "full")
	for _, want := range []string{
		"a S, b N", "5 read and 6 write units a second", "local on a S, c B, keys only", "global on c B, with x, y, ACTIVE", "9 days", "against deletion",
		"STANDARD_INFREQUENT_ACCESS", "team=shop",
	} {
		if err != nil || !strings.Contains(text, want) {
			t.Errorf("%s is missing: %v\n%s", want, err, text)
		}
	}
	for _, format := range []string{"cloudformation", "terraform", "cdk"} {
		text, _, err := output(t, "describe", "full", "-format", format)
		var template map[string]any
		if err != nil || json.Unmarshal([]byte(text), &template) != nil {
			t.Fatalf("%s: %v\n%s", format, err, text)
		}
		for _, want := range []string{`: 5`, `: 6`, `: 7`, `: 8`, `: 9`, `"local"`, `"global"`, `"x"`, "STANDARD_INFREQUENT_ACCESS", `"team"`, "KEYS_ONLY"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %s is missing\n%s", format, want, text)
			}
		}
	}

	denied := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("DescribeContinuousBackups", "GetResourcePolicy").Deny()))
	defer denied.Close()
	serve(t, denied.Handler())
	if _, err := denied.Client().CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("plain"), KeySchema: keySchema("a", ""), BillingMode: types.BillingModePayPerRequest, AttributeDefinitions: []types.AttributeDefinition{attribute("a", "S")},
	}); err != nil {
		t.Fatal(err)
	}
	text, errs, err := output(t, "describe", "plain")
	if exitStatus(err) != exitPartly || !strings.Contains(text, "key") || !strings.Contains(errs, "table plain: not read: point-in-time recovery: AccessDenied") || !strings.Contains(errs, "resource policy") {
		t.Errorf("%v\n%s\n%s", err, text, errs)
	}
}
