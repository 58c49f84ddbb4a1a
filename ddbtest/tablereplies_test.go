// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

// The members of the descriptions in the replies of table operations.
//
// CreateTable: https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md,
// table-indexes.md); DeleteTable: https://github.com/mhart/dynalite/issues/60, https://github.com/scylladb/scylladb/issues/14132
func TestDescriptionMembers(t *testing.T) {
	e := ddbtest.NewEngine()
	defer e.Close()
	const (
		create = `{"TableName":"things","BillingMode":"PAY_PER_REQUEST","TableClass":"STANDARD_INFREQUENT_ACCESS",` +
			`"AttributeDefinitions":[{"AttributeName":"pk","AttributeType":"S"},{"AttributeName":"sk","AttributeType":"S"}],` +
			`"KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],` +
			`"StreamSpecification":{"StreamEnabled":true,"StreamViewType":"KEYS_ONLY"},` +
			`"LocalSecondaryIndexes":[{"IndexName":"near","KeySchema":[{"AttributeName":"pk","KeyType":"HASH"},{"AttributeName":"sk","KeyType":"RANGE"}],"Projection":{"ProjectionType":"ALL"}}],` +
			`"GlobalSecondaryIndexes":[{"IndexName":"far","KeySchema":[{"AttributeName":"sk","KeyType":"HASH"}],"Projection":{"ProjectionType":"ALL"}}]`
		warm    = `,"WarmThroughput":{"ReadUnitsPerSecond":13000,"WriteUnitsPerSecond":5000}`
		name    = `{"TableName":"things"}`
		always  = "DeletionProtectionEnabled ItemCount ProvisionedThroughput TableArn TableId TableName TableSizeBytes TableStatus BillingModeSummary TableClassSummary "
		created = always + "AttributeDefinitions CreationDateTime GlobalSecondaryIndexes KeySchema LatestStreamArn LatestStreamLabel LocalSecondaryIndexes StreamSpecification "
	)
	for _, c := range []struct {
		operation, body, members string
		part                     []string // a part of the description
		partMembers              string
	}{
		{"CreateTable", create + "}", created, []string{"TableDescription", "BillingModeSummary"}, "BillingMode"},
		{"DescribeTable", name, created + "WarmThroughput", []string{"Table", "BillingModeSummary"}, "BillingMode LastUpdateToPayPerRequestDateTime"},
		{"UpdateTable", `{"TableName":"things","DeletionProtectionEnabled":false}`, created + "WarmThroughput", []string{"TableDescription", "WarmThroughput"}, "ReadUnitsPerSecond Status WriteUnitsPerSecond"},
		{"DeleteTable", name, always, []string{"TableDescription", "BillingModeSummary"}, "BillingMode LastUpdateToPayPerRequestDateTime"},
		{"CreateTable", create + warm + "}", created + "WarmThroughput", []string{"TableDescription", "WarmThroughput"}, "ReadUnitsPerSecond Status WriteUnitsPerSecond"},
		{"DeleteTable", name, always, nil, ""},
	} {
		text := raw(t, e, c.operation, c.body)
		var reply map[string]map[string]any
		if err := json.Unmarshal([]byte(text), &reply); err != nil {
			t.Fatalf("%s: %v: %s", c.operation, err, text)
		}
		for _, description := range reply {
			wantMembers(t, c.operation, description, c.members)
		}
		if c.part != nil {
			part, _ := reply[c.part[0]][c.part[1]].(map[string]any)
			wantMembers(t, c.operation+" "+c.part[1], part, c.partMembers)
		}
		if indexes, ok := reply["TableDescription"]["GlobalSecondaryIndexes"].([]any); ok && c.operation == "CreateTable" {
			wantMembers(t, "index", indexes[0].(map[string]any), "IndexName KeySchema Projection IndexStatus ProvisionedThroughput IndexSizeBytes ItemCount IndexArn")
		}
	}
}

func wantMembers(t *testing.T, what string, got map[string]any, want string) {
	t.Helper()
	names := strings.Fields(want)
	slices.Sort(names)
	if has := slices.Sorted(maps.Keys(got)); !slices.Equal(has, names) {
		t.Errorf("%s has\n%v, want\n%v", what, has, names)
	}
}

// Every table has its own identifier, even two tables that had the same name.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html
func TestTableIdentifiers(t *testing.T) {
	client := ddbtest.New(t)
	form := regexp.MustCompile("^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
	seen := make(map[string]bool)
	for range 3 {
		out, err := client.CreateTable(t.Context(), pairTable("again"))
		if err != nil {
			t.Fatal(err)
		}
		id := aws.ToString(out.TableDescription.TableId)
		if !form.MatchString(id) || seen[id] {
			t.Errorf("got %s, seen before: %t", id, seen[id])
		}
		seen[id] = true
		table := &dynamodb.DescribeTableInput{TableName: aws.String("again")}
		if d, err := client.DescribeTable(t.Context(), table); err != nil || aws.ToString(d.Table.TableId) != id {
			t.Errorf("described as %v, %v", d, err)
		}
		if _, err := client.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: table.TableName}); err != nil {
			t.Fatal(err)
		}
	}
}

// The rules of tags.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (DDB-TABLE-105 to 108, 372, 457) and,
// for other accounts, https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func TestTagRules(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, pairTable("tagged"))
	const (
		arn     = "arn:aws:dynamodb:us-east-1:000000000000:table/tagged"
		foreign = "arn:aws:dynamodb:us-east-1:111122223333:table/tagged"
		invalid = "One or more parameter values were invalid: "
	)
	many := func(prefix string, n int) (tags []types.Tag, keys []string) {
		for i := range n {
			key := prefix + strings.Repeat("x", i)
			tags, keys = append(tags, types.Tag{Key: &key, Value: &key}), append(keys, key)
		}
		return tags, keys
	}
	tag := func(arn, key, value string) error {
		_, err := client.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: &key, Value: &value}}})
		return err
	}
	untag := func(arn string, keys ...string) error {
		_, err := client.UntagResource(t.Context(), &dynamodb.UntagResourceInput{ResourceArn: &arn, TagKeys: keys})
		return err
	}
	list := func(arn string) error {
		_, err := client.ListTagsOfResource(t.Context(), &dynamodb.ListTagsOfResourceInput{ResourceArn: &arn})
		return err
	}
	denied := func(operation string) string {
		return "User: arn:aws:iam::000000000000:root is not authorized to perform: dynamodb:" + operation + " on resource: " + foreign +
			" because no resource-based policy allows the dynamodb:" + operation + " action"
	}
	for _, c := range []struct {
		err           error
		code, message string
	}{
		{err: tag(arn, "größe 1/2 = a+b-c_d.e:f@g", "日本 語")},
		{err: tag(arn, "empty", "")},
		{err: untag(arn, "was never set")},
		{tag(arn, "a#b", ""), "ValidationException", "The Tag Key provided is invalid, Key: a#b"},
		{tag(arn, "a\tb", ""), "ValidationException", "The Tag Key provided is invalid, Key: a\tb"},
		{tag(arn, "😀", ""), "ValidationException", "The Tag Key provided is invalid, Key: 😀"},
		{tag(arn, "", ""), "ValidationException", "The Tag Key provided is invalid, Key: "},
		{tag(arn, "a", "b*"), "ValidationException", "The Tag Value provided is invalid, Value: b*"},
		{tag(arn, "AWS:a", ""), "ValidationException", "Tag Key cannot be prefixed with aws:, Key: AWS:a"},
		{untag(arn, "aws:foo"), "ValidationException", "Tag Key cannot be prefixed with aws:, Key: aws:foo"},
		{untag(arn, "a", "b!"), "ValidationException", "The Tag Key provided is invalid, Key: b!"},
		{tag(foreign, "a", ""), "AccessDeniedException", denied("TagResource")},
		{untag(foreign, "a"), "AccessDeniedException", denied("UntagResource")},
		{list(foreign), "AccessDeniedException", denied("ListTagsOfResource")},
		{list("arn:aws:dynamodb:us-east-2:000000000000:table/tagged"), "ValidationException",
			"Invalid TableArn: Invalid ResourceArn provided as input arn:aws:dynamodb:us-east-2:000000000000:table/tagged"},
		{list(arn + "/backup/01234567890123-abcdefgh"), "ValidationException", invalid + "Provided Arn is not a DynamoDB resource arn: " + arn + "/backup/01234567890123-abcdefgh"},
		{list("arn:aws:s3:::tagged"), "ValidationException", invalid + "Provided Arn is not a DynamoDB resource arn: arn:aws:s3:::tagged"},
		{list("tagged"), "ValidationException", invalid + "ARNs must start with 'arn:': tagged"},
		{list(arn + "2"), "ResourceNotFoundException", "Requested resource not found: ResourceArn: " + arn + "2 not found"},
	} {
		if c.code == "" {
			if c.err != nil {
				t.Error(c.err)
			}
			continue
		}
		wantError(t, c.err, c.code, c.message)
	}

	const tooMany = "Number of Tags exceed the current limit for the provided ResourceArn"
	tags, keys := many("a", 51)
	wantError(t, untag(arn, keys...), "ValidationException", tooMany)
	_, err := client.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(arn), Tags: tags})
	wantError(t, err, "ValidationException", tooMany)
	_, err = client.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(arn), Tags: tags[:49]}) // with the two existing ones
	wantError(t, err, "ValidationException", tooMany)
	if _, err := client.TagResource(t.Context(), &dynamodb.TagResourceInput{ResourceArn: aws.String(arn), Tags: tags[:48]}); err != nil {
		t.Error(err)
	}
}

// Warm throughput follows the highest provisioned throughput and does not decrease.
//
// https://github.com/aws-controllers-k8s/dynamodb-controller/tree/main/docs/api-quirks (table-throughput-billing.md)
func TestWarmThroughputNeverDecreases(t *testing.T) {
	client := ddbtest.New(t)
	in := pairTable("warm")
	in.BillingMode, in.ProvisionedThroughput = types.BillingModeProvisioned, provisioned(1, 1)
	mustCreate(t, client, in)
	want := func(read, write int64) {
		t.Helper()
		out, err := client.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: in.TableName})
		if err != nil {
			t.Fatal(err)
		}
		if w := out.Table.WarmThroughput; *w.ReadUnitsPerSecond != read || *w.WriteUnitsPerSecond != write {
			t.Errorf("got %d and %d, want %d and %d", *w.ReadUnitsPerSecond, *w.WriteUnitsPerSecond, read, write)
		}
	}
	want(1, 1)
	for _, step := range []struct {
		in          dynamodb.UpdateTableInput
		read, write int64
	}{
		{dynamodb.UpdateTableInput{ProvisionedThroughput: provisioned(3, 3)}, 3, 3},
		{dynamodb.UpdateTableInput{ProvisionedThroughput: provisioned(2, 1)}, 3, 3},
		{dynamodb.UpdateTableInput{WarmThroughput: warm(50, 50)}, 50, 50},
		{dynamodb.UpdateTableInput{ProvisionedThroughput: provisioned(60, 1)}, 60, 50},
		{dynamodb.UpdateTableInput{BillingMode: types.BillingModePayPerRequest}, 12000, 4000},
		{dynamodb.UpdateTableInput{BillingMode: types.BillingModeProvisioned, ProvisionedThroughput: provisioned(1, 1)}, 12000, 4000},
	} {
		step.in.TableName = in.TableName
		if _, err := client.UpdateTable(t.Context(), &step.in); err != nil {
			t.Fatal(err)
		}
		want(step.read, step.write)
	}
}
