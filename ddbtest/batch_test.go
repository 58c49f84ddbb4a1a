// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

func TestBatchGetStopsAtSixteenMegabytes(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("big"))
	const items = 50
	keys := types.KeysAndAttributes{ProjectionExpression: aws.String("sk, #d"), ExpressionAttributeNames: map[string]string{"#d": "d"}, ConsistentRead: aws.Bool(true)}
	for i := range items {
		it := item{"pk": str("p"), "sk": str(strconv.Itoa(i)), "d": str(strings.Repeat("x", 390*1024))}
		mustPut(t, client, "big", it)
		keys.Keys = append(keys.Keys, item{"pk": it["pk"], "sk": it["sk"]})
	}
	seen := make(map[string]bool)
	requests, calls := map[string]types.KeysAndAttributes{"big": keys}, 0
	for len(requests) > 0 {
		out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: requests})
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range out.Responses["big"] {
			seen[it["sk"].(*types.AttributeValueMemberS).Value] = true
		}
		requests = out.UnprocessedKeys
		calls++
	}
	if len(seen) != items || calls != 2 {
		t.Errorf("saw %d items in %d calls, want %d in 2", len(seen), calls, items)
	}
}

func TestBatchErrors(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("batch"))
	k := item{"pk": str("p"), "sk": str("s")}
	put := types.WriteRequest{PutRequest: &types.PutRequest{Item: k}}
	for name, test := range map[string]struct {
		in      *dynamodb.BatchWriteItemInput
		code    string
		message string
	}{
		"empty": {&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{}}, "ValidationException",
			"The requestItems parameter is required for BatchWriteItem"}, // https://github.com/nubo-db/dynoxide/pull/198
		"duplicates": {&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"batch": {put, {DeleteRequest: &types.DeleteRequest{Key: k}}}}}, "ValidationException",
			"Provided list of item keys contains duplicates"},
		"wrong key type": {&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"batch": {{PutRequest: &types.PutRequest{Item: item{"pk": num("1"), "sk": str("s")}}}}}}, "ValidationException",
			"The provided key element does not match the schema"},
		"no table": {&dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"none": {put}}}, "ResourceNotFoundException", "Requested resource not found"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := client.BatchWriteItem(ctx, test.in)
			wantError(t, err, test.code, test.message)
		})
	}
	_, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{"batch": {Keys: []item{k, k}}}})
	wantError(t, err, "ValidationException", "Provided list of item keys contains duplicates")
}
