// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb/ddbtest"
)

type item = map[string]types.AttributeValue

func str(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
func num(n string) types.AttributeValue { return &types.AttributeValueMemberN{Value: n} }

var sameValues = cmpopts.IgnoreUnexported(
	types.AttributeValueMemberS{}, types.AttributeValueMemberN{}, types.AttributeValueMemberB{},
	types.AttributeValueMemberBOOL{}, types.AttributeValueMemberNULL{}, types.AttributeValueMemberL{},
	types.AttributeValueMemberM{}, types.AttributeValueMemberSS{}, types.AttributeValueMemberNS{},
	types.AttributeValueMemberBS{},
)

func key(name string, kind types.KeyType) types.KeySchemaElement {
	return types.KeySchemaElement{AttributeName: &name, KeyType: kind}
}

func attr(name string, kind types.ScalarAttributeType) types.AttributeDefinition {
	return types.AttributeDefinition{AttributeName: &name, AttributeType: kind}
}

// pairTable describes a table with the keys pk and sk, both strings.
func pairTable(name string) *dynamodb.CreateTableInput {
	return &dynamodb.CreateTableInput{
		TableName:            &name,
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attr("pk", "S"), attr("sk", "S")},
		KeySchema:            []types.KeySchemaElement{key("pk", "HASH"), key("sk", "RANGE")},
	}
}

func mustCreate(t testing.TB, client *dynamodb.Client, in *dynamodb.CreateTableInput) {
	t.Helper()
	if _, err := client.CreateTable(context.Background(), in); err != nil {
		t.Fatal(err)
	}
}

func mustPut(t testing.TB, client *dynamodb.Client, table string, items ...item) {
	t.Helper()
	for _, it := range items {
		if _, err := client.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: &table, Item: it}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPutGetUpdateDelete(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("orders"))
	table, k := aws.String("orders"), item{"pk": str("a"), "sk": str("1")}
	mustPut(t, client, *table, item{"pk": str("a"), "sk": str("1"), "n": num("1.50"), "list": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x"), num("2")}}})

	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: k, ReturnConsumedCapacity: "TOTAL"})
	if err != nil {
		t.Fatal(err)
	}
	want := item{"pk": str("a"), "sk": str("1"), "n": num("1.5"), "list": &types.AttributeValueMemberL{Value: []types.AttributeValue{str("x"), num("2")}}}
	if diff := cmp.Diff(want, got.Item, sameValues); diff != "" {
		t.Error(diff)
	}
	if c := *got.ConsumedCapacity.CapacityUnits; c != 0.5 {
		t.Errorf("an eventually consistent read consumed %v units, want 0.5", c)
	}

	updated, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: table, Key: k, UpdateExpression: aws.String("SET n = n + :one, extra = :o REMOVE #l[0]"),
		ConditionExpression:       aws.String("n = :old"),
		ExpressionAttributeNames:  map[string]string{"#l": "list"},
		ExpressionAttributeValues: item{":one": num("1"), ":old": num("1.5"), ":o": str("new")},
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(item{"n": num("2.5"), "extra": str("new")}, dropList(updated.Attributes), sameValues); diff != "" {
		t.Error(diff)
	}

	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: table, Item: item{"pk": str("a"), "sk": str("1")}, ConditionExpression: aws.String("attribute_not_exists(pk)"),
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	})
	var failed *types.ConditionalCheckFailedException
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a failed condition", err)
	}
	if diff := cmp.Diff(num("2.5"), failed.Item["n"], sameValues); diff != "" {
		t.Error(diff)
	}

	deleted, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: k, ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(str("new"), deleted.Attributes["extra"], sameValues); diff != "" {
		t.Error(diff)
	}
	gone, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: table, Key: k})
	if err != nil {
		t.Fatal(err)
	}
	if gone.Item != nil {
		t.Errorf("got %v after the delete", gone.Item)
	}
}

func dropList(it item) item {
	delete(it, "list")
	return it
}
