// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
)

func ExampleOpen() {
	client, closeClient := ddbtest.Open()
	defer closeClient()
	_, err := client.DescribeLimits(context.Background(), &dynamodb.DescribeLimitsInput{})
	fmt.Println(err)
	// Output: <nil>
}

// Tables pass through their states on the engine's clock, so a test of a waiter
// does not wait.
func ExampleClock_Advance() {
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)), ddbtest.WithStateDelay(time.Minute))
	defer e.Close()
	ctx, client := context.Background(), e.Client()
	_, err := client.CreateTable(ctx, &dynamodb.CreateTableInput{
		TableName:            aws.String("orders"),
		BillingMode:          types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for range 2 {
		out, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("orders")})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(out.Table.TableStatus)
		e.Clock().Advance(time.Minute)
	}
	// Output:
	// CREATING
	// ACTIVE
}

// Other programs reach the engine over HTTP.
func ExampleEngine_Handler() {
	e := ddbtest.NewEngine()
	defer e.Close()
	server := httptest.NewServer(e.Handler())
	defer server.Close()
	client := e.Client(func(o *dynamodb.Options) {
		o.BaseEndpoint = aws.String(server.URL)
		o.HTTPClient = server.Client()
	})
	out, err := client.DescribeLimits(context.Background(), &dynamodb.DescribeLimitsInput{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*out.TableMaxReadCapacityUnits)
	// Output: 40000
}
