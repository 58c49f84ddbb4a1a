// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

// wantError checks the code and the message of an error of the service.
func wantError(t *testing.T, err error, code, message string) {
	t.Helper()
	var apiErr smithy.APIError
	if !errors.As(err, &apiErr) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	if apiErr.ErrorCode() != code || apiErr.ErrorMessage() != message {
		t.Errorf("got  %s: %s\nwant %s: %s", apiErr.ErrorCode(), apiErr.ErrorMessage(), code, message)
	}
}

func TestCreateTableErrors(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, pairTable("taken"))
	const invalid = "One or more parameter values were invalid: "
	for name, test := range map[string]struct {
		change  func(*dynamodb.CreateTableInput)
		code    string
		message string
	}{
		"short name": {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("ab") }, "ValidationException",
			"1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3"},
		"two failures": {func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions[0].AttributeType, in.BillingMode = "T", "FREE"
		}, "ValidationException",
			"2 validation errors detected: Value 'T' at 'attributeDefinitions.1.member.attributeType' failed to satisfy constraint: Member must satisfy enum value set: [B, N, S]; " +
				"Value 'FREE' at 'billingMode' failed to satisfy constraint: Member must satisfy enum value set: [PROVISIONED, PAY_PER_REQUEST]"},
		"exists":        {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("taken") }, "ResourceInUseException", "Table already exists: taken"},
		"no throughput": {func(in *dynamodb.CreateTableInput) { in.BillingMode = "PROVISIONED" }, "ValidationException", invalid + "ReadCapacityUnits and WriteCapacityUnits must both be specified when BillingMode is PROVISIONED"},
		"unused definition": {func(in *dynamodb.CreateTableInput) {
			in.AttributeDefinitions = append(in.AttributeDefinitions, attr("x", "N"))
		}, "ValidationException",
			invalid + "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions"},
		"range first": {func(in *dynamodb.CreateTableInput) { in.KeySchema[0].KeyType = "RANGE" }, "ValidationException", "Invalid KeySchema: The first KeySchemaElement is not a HASH key type"},
		"no projection": {func(in *dynamodb.CreateTableInput) {
			in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{IndexName: aws.String("local"), KeySchema: in.KeySchema, Projection: &types.Projection{}}}
		}, "ValidationException", invalid + "Unknown ProjectionType: null"},
	} {
		t.Run(name, func(t *testing.T) {
			in := pairTable("fresh")
			test.change(in)
			_, err := client.CreateTable(context.Background(), in)
			wantError(t, err, test.code, test.message)
		})
	}
}

func TestTableStates(t *testing.T) {
	ctx := context.Background()
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)), ddbtest.WithStateDelay(10*time.Second))
	defer e.Close()
	// The SDK would retry a LimitExceededException, which does not end while the virtual clock stands still.
	client := e.Client(func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} })
	table := aws.String("slow")
	status := func() types.TableStatus {
		t.Helper()
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})
		if err != nil {
			t.Fatal(err)
		}
		return out.Table.TableStatus
	}
	mustCreate(t, client, pairTable("slow"))
	if s := status(); s != types.TableStatusCreating {
		t.Errorf("a new table is %s", s)
	}
	_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: row{pk: "a", sk: "b"}.item()})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found")
	e.Clock().Advance(10 * time.Second)
	if s := status(); s != types.TableStatusActive {
		t.Errorf("after the delay the table is %s", s)
	}
	mustPut(t, client, "slow", row{pk: "a", sk: "b", g: "g", n: 1}.item())
	addIndex := &dynamodb.UpdateTableInput{
		TableName: table, AttributeDefinitions: []types.AttributeDefinition{attr("g", "S")},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("byG"), KeySchema: []types.KeySchemaElement{key("g", "HASH")}, Projection: &types.Projection{ProjectionType: "ALL"},
		}}},
	}
	if _, err := client.UpdateTable(ctx, addIndex); err != nil {
		t.Fatal(err)
	}
	query := &dynamodb.QueryInput{TableName: table, IndexName: aws.String("byG"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": str("g")}}
	_, err = client.Query(ctx, query)
	wantError(t, err, "ValidationException", "Cannot read from backfilling global secondary index: byG")
	index := func() types.GlobalSecondaryIndexDescription {
		t.Helper()
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})
		if err != nil {
			t.Fatal(err)
		}
		return out.Table.GlobalSecondaryIndexes[0]
	}
	if x := index(); x.IndexStatus != types.IndexStatusCreating || aws.ToBool(x.Backfilling) {
		t.Errorf("the new index is %s, backfilling %v", x.IndexStatus, *x.Backfilling)
	}
	_, err = client.UpdateTable(ctx, addIndex)
	wantError(t, err, "LimitExceededException", "Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table")
	e.Clock().Advance(10 * time.Second)
	if x := index(); x.IndexStatus != types.IndexStatusCreating || !aws.ToBool(x.Backfilling) || status() != types.TableStatusActive {
		t.Errorf("the new index is %s, backfilling %v", x.IndexStatus, x.Backfilling)
	}
	_, err = client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table})
	wantError(t, err, "ResourceInUseException", "Attempt to change a resource which is still in use: Cannot delete table while indexes are being created, updated, or deleted.")
	e.Clock().Advance(10 * time.Second)
	if x := index(); x.IndexStatus != types.IndexStatusActive || x.Backfilling != nil {
		t.Errorf("the new index is %s, backfilling %v", x.IndexStatus, x.Backfilling)
	}
	if diff := cmp.Diff([]string{"a/b"}, readAll(ctx, t, client, query)); diff != "" {
		t.Error(diff)
	}
	if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: table}); err != nil {
		t.Fatal(err)
	}
	if s := status(); s != types.TableStatusDeleting {
		t.Errorf("a table in deletion is %s", s)
	}
	e.Clock().Advance(10 * time.Second)
	_, err = client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: table})
	wantError(t, err, "ResourceNotFoundException", "Requested resource not found: Table: slow not found")
}

func TestListTablesPages(t *testing.T) {
	client := ddbtest.New(t)
	var want, got []string
	for i := range 23 {
		name := "table-" + strconv.Itoa(i+100)
		mustCreate(t, client, pairTable(name))
		want = append(want, name)
	}
	pages := dynamodb.NewListTablesPaginator(client, &dynamodb.ListTablesInput{Limit: aws.Int32(5)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, page.TableNames...)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestMultiAttributeIndexKeys(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	in := pairTable("matches")
	in.AttributeDefinitions = append(in.AttributeDefinitions, attr("h1", "S"), attr("h2", "N"), attr("r1", "S"), attr("r2", "N"))
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName:  aws.String("multi"),
		KeySchema:  []types.KeySchemaElement{key("h1", "HASH"), key("h2", "HASH"), key("r1", "RANGE"), key("r2", "RANGE")},
		Projection: &types.Projection{ProjectionType: "ALL"},
	}}
	mustCreate(t, client, in)
	for s := range strings.FieldsSeq("a1x1 a1x2 a1y1 a2x1 b1x1 a1x-3") {
		mustPut(t, client, "matches", item{"pk": str(s), "sk": str("s"), "h1": str(s[:1]), "h2": num(s[1:2]), "r1": str(s[2:3]), "r2": num(s[3:])})
	}
	mustPut(t, client, "matches", item{"pk": str("sparse"), "sk": str("s"), "h1": str("a"), "h2": num("1"), "r1": str("x")})
	query := func(condition string, values item) ([]string, error) {
		q := &dynamodb.QueryInput{TableName: aws.String("matches"), IndexName: aws.String("multi"), KeyConditionExpression: &condition, ExpressionAttributeValues: values, Limit: aws.Int32(1)}
		if _, err := client.Query(ctx, q); err != nil {
			return nil, err
		}
		return readAll(ctx, t, client, q), nil
	}
	for _, test := range []struct {
		condition string
		values    item
		want      []string
	}{
		{"h1 = :a AND h2 = :b", item{":a": str("a"), ":b": num("1")}, []string{"a1x-3/s", "a1x1/s", "a1x2/s", "a1y1/s"}},
		{"h1 = :a AND h2 = :b AND r1 = :c AND r2 >= :d", item{":a": str("a"), ":b": num("1"), ":c": str("x"), ":d": num("0")}, []string{"a1x1/s", "a1x2/s"}},
		{"h2 = :b AND r1 > :c AND h1 = :a", item{":a": str("a"), ":b": num("1"), ":c": str("x")}, []string{"a1y1/s"}},
	} {
		got, err := query(test.condition, test.values)
		if err != nil {
			t.Errorf("%s: %v", test.condition, err)
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.condition, diff)
		}
	}
	_, err := query("h1 = :a", item{":a": str("a")})
	wantError(t, err, "ValidationException", "Query condition missed key schema element: h2")
	_, err = query("h1 = :a AND h2 = :b AND r2 = :d", item{":a": str("a"), ":b": num("1"), ":d": num("1")})
	wantError(t, err, "ValidationException", "Query condition missed key schema element: r1")
}

func TestTagsAndTimeToLive(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("tagged"))
	out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("tagged")})
	if err != nil {
		t.Fatal(err)
	}
	arn := out.Table.TableArn
	if _, err := client.TagResource(ctx, &dynamodb.TagResourceInput{ResourceArn: arn, Tags: []types.Tag{{Key: aws.String("b"), Value: aws.String("2")}, {Key: aws.String("a"), Value: aws.String("1")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.UntagResource(ctx, &dynamodb.UntagResourceInput{ResourceArn: arn, TagKeys: []string{"b"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := client.ListTagsOfResource(ctx, &dynamodb.ListTagsOfResourceInput{ResourceArn: arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" || *tags.Tags[0].Value != "1" {
		t.Errorf("got tags %v", tags.Tags)
	}
	enable := &dynamodb.UpdateTimeToLiveInput{TableName: aws.String("tagged"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("ttl"), Enabled: aws.Bool(true)}}
	if _, err := client.UpdateTimeToLive(ctx, enable); err != nil {
		t.Fatal(err)
	}
	_, err = client.UpdateTimeToLive(ctx, enable)
	wantError(t, err, "ValidationException", "TimeToLive is already enabled")
	ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("tagged")})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || aws.ToString(d.AttributeName) != "ttl" {
		t.Errorf("got %v", d)
	}
}
