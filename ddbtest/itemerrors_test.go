// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

func TestItemErrors(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, indexedTable("items"))
	put := func(it item, change func(*dynamodb.PutItemInput)) func() error {
		return func() error {
			in := &dynamodb.PutItemInput{TableName: aws.String("items"), Item: it}
			if change != nil {
				change(in)
			}
			_, err := client.PutItem(ctx, in)
			return err
		}
	}
	get := func(k item) func() error {
		return func() error {
			_, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("items"), Key: k})
			return err
		}
	}
	update := func(expr string, values item) func() error {
		return func() error {
			_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: aws.String("items"), Key: item{"pk": str("a"), "sk": str("b")}, UpdateExpression: &expr, ExpressionAttributeValues: values,
			})
			return err
		}
	}
	const envelope, invalid = "1 validation error detected: ", "One or more parameter values were invalid: "
	ok := item{"pk": str("a"), "sk": str("b")}
	for name, test := range map[string]struct {
		do      func() error
		message string
	}{
		"missing key":        {put(item{"pk": str("a")}, nil), invalid + "Missing the key sk in the item"},
		"key type":           {put(item{"pk": str("a"), "sk": num("1")}, nil), invalid + "Type mismatch for key sk expected: S actual: N"},
		"empty key":          {put(item{"pk": str(""), "sk": str("b")}, nil), "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: pk"},
		"large hash key":     {put(item{"pk": str(strings.Repeat("x", 2049)), "sk": str("b")}, nil), invalid + "Size of hashkey has exceeded the maximum size limit of2048 bytes"},
		"large range key":    {put(item{"pk": str("a"), "sk": str(strings.Repeat("x", 1025))}, nil), invalid + "Aggregated size of all range keys has exceeded the size limit of 1024 bytes"},
		"index key type":     {put(item{"pk": str("a"), "sk": str("b"), "g": num("1")}, nil), invalid + "Type mismatch for Index Key g Expected: S Actual: N IndexName: global"},
		"empty index key":    {put(item{"pk": str("a"), "sk": str("b"), "g": str("")}, nil), "One or more parameter values are not valid. A value specified for a secondary index key is not supported. The AttributeValue for a key attribute cannot contain an empty string value. IndexName: global, IndexKey: g"},
		"large item":         {put(item{"pk": str("a"), "sk": str("b"), "d": str(strings.Repeat("x", 400*1024-6))}, nil), "Item size has exceeded the maximum allowed size"},
		"return values":      {put(ok, func(in *dynamodb.PutItemInput) { in.ReturnValues = types.ReturnValueAllNew }), envelope + "ReturnValues can only be ALL_OLD or NONE"},
		"enum":               {put(ok, func(in *dynamodb.PutItemInput) { in.ReturnConsumedCapacity = "SOME" }), envelope + "Value 'SOME' at 'returnConsumedCapacity' failed to satisfy constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]"},
		"no table":           {put(ok, func(in *dynamodb.PutItemInput) { in.TableName = aws.String("none") }), "Requested resource not found"},
		"get, short key":     {get(item{"pk": str("a")}), "The provided key element does not match the schema"},
		"get, other key":     {get(item{"pk": str("a"), "other": str("b")}), "The provided key element does not match the schema"},
		"update of the key":  {update("SET sk = :v", item{":v": str("x")}), invalid + "Cannot update attribute sk. This attribute is part of the key"},
		"index key update":   {update("SET g = :v", item{":v": num("1")}), "The update expression attempted to update the secondary index key to unsupported type"},
		"values, no use":     {update("SET x = :v", item{":v": num("1"), ":w": num("1")}), envelope + "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}"},
		"values, no meaning": {put(ok, func(in *dynamodb.PutItemInput) { in.ExpressionAttributeValues = item{":v": str("x")} }), envelope + "ExpressionAttributeValues can only be specified when using expressions: ConditionExpression is null"},
		"both generations": {put(ok, func(in *dynamodb.PutItemInput) {
			in.ConditionExpression, in.Expected = aws.String("attribute_exists(pk)"), map[string]types.ExpectedAttributeValue{"pk": {Exists: aws.Bool(false)}}
		}), envelope + "Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {Expected} Expression parameters: {ConditionExpression}"},
	} {
		t.Run(name, func(t *testing.T) {
			code := "ValidationException"
			if name == "no table" {
				code = "ResourceNotFoundException"
			}
			wantError(t, test.do(), code, test.message)
		})
	}
	if err := put(item{"pk": str("a"), "sk": str("b"), "d": str(strings.Repeat("x", 400*1024-7))}, nil)(); err != nil {
		t.Errorf("an item of 400 KB: %v", err)
	}
}

func TestSearchErrors(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, indexedTable("items"))
	query := func(change func(*dynamodb.QueryInput)) error {
		in := &dynamodb.QueryInput{TableName: aws.String("items"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p")}}
		change(in)
		_, err := client.Query(ctx, in)
		return err
	}
	for name, test := range map[string]struct {
		change  func(*dynamodb.QueryInput)
		message string
	}{
		"no condition": {func(in *dynamodb.QueryInput) { in.KeyConditionExpression, in.ExpressionAttributeValues = nil, nil },
			"Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."},
		"wrong type":    {func(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = item{":p": num("1")} }, "One or more parameter values were invalid: Condition parameter type does not match schema type"},
		"missing hash":  {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("sk = :p") }, "Query condition missed key schema element: pk"},
		"unequal hash":  {func(in *dynamodb.QueryInput) { in.KeyConditionExpression = aws.String("pk > :p") }, "Query key condition not supported"},
		"key in filter": {func(in *dynamodb.QueryInput) { in.FilterExpression = aws.String("sk = :p") }, "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk"},
		"no index":      {func(in *dynamodb.QueryInput) { in.IndexName = aws.String("none") }, "The table does not have the specified index: none"},
		"consistent global": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.ConsistentRead, in.KeyConditionExpression = aws.String("global"), aws.Bool(true), aws.String("g = :p")
		}, "Consistent reads are not supported on global secondary indexes"},
		"filter outside of the index": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.FilterExpression = aws.String("local"), aws.String("extra = :p")
		}, "One or more parameter values were invalid: Secondary index local does not project one or more filter attributes: [extra]"},
		"projected without index": {func(in *dynamodb.QueryInput) { in.Select = types.SelectAllProjectedAttributes }, "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName"},
		"start in another partition": {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"pk": str("q"), "sk": str("s")} },
			"The provided starting key is outside query boundaries based on provided conditions"},
		// https://github.com/floci-io/floci/pull/1443
		"start without sort key": {func(in *dynamodb.QueryInput) { in.ExclusiveStartKey = item{"pk": str("p")} },
			"The provided starting key is invalid"},
		"start of the table in an index": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.ExclusiveStartKey = aws.String("local"), item{"pk": str("p"), "sk": str("s")}
		}, "The provided starting key is invalid"},
		"limit": {func(in *dynamodb.QueryInput) { in.Limit = aws.Int32(0) }, "1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1"}, // https://github.com/nubo-db/dynoxide/issues/15
	} {
		t.Run(name, func(t *testing.T) {
			wantError(t, query(test.change), "ValidationException", test.message)
		})
	}
	_, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("items"), Segment: aws.Int32(2), TotalSegments: aws.Int32(2)})
	wantError(t, err, "ValidationException", "The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: 2 is not less than TotalSegments: 2")
}
