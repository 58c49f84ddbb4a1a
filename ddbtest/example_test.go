// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
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

// A table is exported to a folder, and a new table is imported from the export.
func ExampleWithBuckets() {
	dir, err := os.MkdirTemp("", "buckets")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := os.Mkdir(filepath.Join(dir, "archive"), 0o755); err != nil { // each folder is a bucket
		fmt.Println(err)
		return
	}
	e := ddbtest.NewEngine(ddbtest.WithBuckets(dir), ddbtest.WithImportErrors(func(e ddbtest.ImportError) { fmt.Println(e) }))
	defer e.Close()
	ctx, client := context.Background(), e.Client()

	users := "id,name\nu1,Ada\nu2,Grace\n,Nobody\n"
	if err := os.WriteFile(filepath.Join(dir, "archive", "users.csv"), []byte(users), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	imported, err := client.ImportTable(ctx, &dynamodb.ImportTableInput{
		InputFormat:    types.InputFormatCsv,
		S3BucketSource: &types.S3BucketSource{S3Bucket: aws.String("archive"), S3KeyPrefix: aws.String("users")},
		TableCreationParameters: &types.TableCreationParameters{
			TableName:            aws.String("users"),
			BillingMode:          types.BillingModePayPerRequest,
			AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("id"), AttributeType: types.ScalarAttributeTypeS}},
			KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("id"), KeyType: types.KeyTypeHash}},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = client.UpdateContinuousBackups(ctx, &dynamodb.UpdateContinuousBackupsInput{
		TableName: aws.String("users"), PointInTimeRecoverySpecification: &types.PointInTimeRecoverySpecification{PointInTimeRecoveryEnabled: aws.Bool(true)},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	exported, err := client.ExportTableToPointInTime(ctx, &dynamodb.ExportTableToPointInTimeInput{
		TableArn: imported.ImportTableDescription.TableArn, S3Bucket: aws.String("archive"), S3Prefix: aws.String("daily"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	out, err := client.DescribeExport(ctx, &dynamodb.DescribeExportInput{ExportArn: exported.ExportDescription.ExportArn})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.ExportDescription.ExportStatus, *out.ExportDescription.ItemCount)
	// Output:
	// line 4 of object users.csv of bucket archive: ValidationException: One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string value. Key: id
	// COMPLETED 2
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
