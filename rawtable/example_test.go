// SPDX-License-Identifier: Apache-2.0

package rawtable_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// A tool reads an item of a table that it knows only by name, changes one attribute, and writes it back only if it has not changed in the meantime.
func Example() {
	ctx := context.Background()
	client := ordersTable(ctx) // an existing table with the keys customer and number

	t, err := rawtable.Open(ctx, client, "orders")
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range append(t.Keys().Partition, t.Keys().Sort...) {
		fmt.Println("key", a.Name, a.Type)
	}

	key, err := t.ParseKey("c1", "9007199254740993")
	if err != nil {
		log.Fatal(err)
	}
	read, err := t.GetKey(ctx, key)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s\n", read.JSON())

	paid, err := rawitem.ParseValue([]byte(`{"S": "paid"}`))
	if err != nil {
		log.Fatal(err)
	}
	edited, err := read.With("status", paid)
	if err != nil {
		log.Fatal(err)
	}
	unchanged := ddb.If(rawtable.Unchanged(read))
	fmt.Println("first:", t.Put(ctx, &edited, unchanged))
	err = t.Put(ctx, &edited, unchanged)
	fmt.Println("again:", errors.Is(err, ddb.ErrConditionFailed))

	open, err := t.Reader(rawtable.Read{
		Index: "by-status", Partition: []rawitem.Value{paid},
	})
	if err != nil {
		log.Fatal(err)
	}
	n, err := open.Count(ctx)
	fmt.Println("paid:", n, err)
	// Output:
	// key customer S
	// key number N
	// {"customer":{"S":"c1"},"number":{"N":"9007199254740993"},"status":{"S":"open"},"tags":{"SS":["blue","new"]}}
	// first: <nil>
	// again: true
	// paid: 1 <nil>
}

func ordersTable(ctx context.Context) *dynamodb.Client {
	client := ddbtest.NewEngine().Client()
	attr := func(name string, t types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: &name, AttributeType: t}
	}
	element := func(name string, t types.KeyType) types.KeySchemaElement {
		return types.KeySchemaElement{AttributeName: &name, KeyType: t}
	}
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("orders"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{attr("customer", "S"), attr("number", "N"), attr("status", "S")},
		KeySchema:            []types.KeySchemaElement{element("customer", "HASH"), element("number", "RANGE")},
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("by-status"), KeySchema: []types.KeySchemaElement{element("status", "HASH")},
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("orders"), Item: map[string]types.AttributeValue{
		"customer": &types.AttributeValueMemberS{Value: "c1"}, "number": &types.AttributeValueMemberN{Value: "9007199254740993"},
		"status": &types.AttributeValueMemberS{Value: "open"}, "tags": &types.AttributeValueMemberSS{Value: []string{"blue", "new"}},
	}})
	if err != nil {
		log.Fatal(err)
	}
	return client
}
