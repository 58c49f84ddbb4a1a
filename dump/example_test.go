// SPDX-License-Identifier: Apache-2.0

package dump_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/dump"
	"github.com/dynamotable/ddb/rawitem"
	"github.com/dynamotable/ddb/rawtable"
)

// Part is an item of a shop's table of parts.
type Part struct {
	ID    string `dynamodbav:"id"`
	Stock int    `dynamodbav:"stock"`
}

// A table is exported to a folder, checked, read as a Go type, and restored where items are missing.
func Example() {
	dir, err := os.MkdirTemp("", "dump")
	if err == nil {
		err = backup(context.Background(), dir)
	}
	if err = errors.Join(err, os.RemoveAll(dir)); err != nil {
		log.Fatal(err)
	}
	// Output:
	// exported: 2
	// whole: true
	// stock: 47
	// missing {"S":"bolt"} <nil>
	// restored: 1 kept: 1 <nil>
}

func backup(ctx context.Context, dir string) error {
	client := partsTable(ctx)
	parts, err := rawtable.Open(ctx, client, "parts")
	if err != nil {
		return err
	}

	report, err := dump.Export(ctx, parts, dump.Dir(dir), dump.Name("monday"))
	if err != nil {
		return err // the same call resumes the export
	}
	fmt.Println("exported:", report.Items)

	src, err := dump.Open(ctx, dump.Dir(dir), "monday")
	if err != nil {
		return err
	}
	fmt.Println("whole:", dump.Verify(ctx, src) == nil)
	stock := 0
	for part, err := range dump.Items[Part](ctx, src) {
		if err != nil {
			return err
		}
		stock += part.Stock
	}
	fmt.Println("stock:", stock)

	bolt, err := parts.ParseKey("bolt", "")
	if err != nil {
		return err
	}
	if err := parts.DeleteKey(ctx, bolt); err != nil {
		return err
	}
	for d, err := range dump.Compare(ctx, dump.Items[rawitem.Item](ctx, src), parts) {
		fmt.Println(d.Kind, string(d.Key.Partition.JSON()), err)
	}
	report, err = dump.Import(ctx, src, parts, dump.OnlyMissing())
	fmt.Println("restored:", report.Items, "kept:", report.Kept, err)
	return err
}

func partsTable(ctx context.Context) *dynamodb.Client {
	client := ddbtest.NewEngine().Client()
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName: aws.String("parts"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: "S"}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: "HASH"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for id, stock := range map[string]string{"bolt": "40", "nut": "7"} {
		_, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("parts"), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: id}, "stock": &types.AttributeValueMemberN{Value: stock},
		}})
		if err != nil {
			log.Fatal(err)
		}
	}
	return client
}
