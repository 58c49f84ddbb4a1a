// SPDX-License-Identifier: Apache-2.0

package s3_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/dump"
	ddbs3 "github.com/dynamotable/ddb/dump/s3"
	"github.com/dynamotable/ddb/rawtable"
)

type Order struct {
	ID    string `dynamodbav:"id"`
	Total int    `dynamodbav:"total"`
}

// A table is exported to a bucket, and the export is read from there. Here both are in the process; a program takes its clients from config.LoadDefaultConfig.
func Example() {
	if err := backUp(context.Background()); err != nil {
		log.Fatal(err)
	}

	// Output:
	// 2 items in 1 file
	// the orders make 30
}

func backUp(ctx context.Context) error {
	client, stop := ddbtest.Open()
	defer stop()
	orders, err := ddb.NewSimple[Order](client, "orders", ddb.StrField(func(o *Order) *string { return &o.ID }))
	if err != nil {
		return err
	}
	if err := orders.CreateTable(ctx); err != nil {
		return err
	}
	if err := orders.BatchPut(ctx, []Order{{"o1", 10}, {"o2", 20}}); err != nil {
		return err
	}

	s3Client := s3.New(s3.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		HTTPClient: newFake("my-backups"), BaseEndpoint: aws.String("http://127.0.0.1:1"), UsePathStyle: true,
	})
	bucket, err := ddbs3.New(s3Client, "my-backups", ddbs3.Prefix("shop"), ddbs3.Prepare(func(in *s3.PutObjectInput) {
		in.StorageClass = types.StorageClassStandardIa
	}))
	if err != nil {
		return err
	}
	table, err := rawtable.Open(ctx, client, "orders")
	if err != nil {
		return err
	}
	report, err := dump.Export(ctx, table, bucket, dump.Name("monday"), dump.Segments(1))
	if err != nil {
		return err // the same call resumes the export
	}
	fmt.Println(report.Items, "items in", report.Files, "file")

	src, err := dump.Open(ctx, bucket, "monday")
	if err != nil {
		return err
	}
	if err := dump.Verify(ctx, src); err != nil {
		return err
	}
	sum := 0
	for order, err := range dump.Items[Order](ctx, src) {
		if err != nil {
			return err
		}
		sum += order.Total
	}
	fmt.Println("the orders make", sum)
	return nil
}
