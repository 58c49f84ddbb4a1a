// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"net/http/httptest"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/payload"
	ddbs3 "github.com/dynamotable/ddb/payload/s3"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/snapshot"
)

// openBank describes the tables, and creates those that are missing.
func openBank(ctx context.Context, client ddb.Client, objects payload.Objects) (*bank, error) {
	payloads, err := payload.New(objects, payload.Compress(payload.Gzip()))
	if err != nil {
		return nil, err
	}
	b := &bank{types: newTypes()}
	b.store, err = eventstore.New(client, "bank-events", eventstore.Sequenced(4), eventstore.Offload(payloads, 0))
	if err != nil {
		return nil, err
	}
	b.snapshots, err = snapshot.New(client, "bank-snapshots", snapshot.When(snapshot.EveryN(10)), snapshot.Keep(snapshot.KeepLast(2)))
	if err != nil {
		return nil, err
	}
	b.positions, err = position.New(client, "bank-positions")
	if err != nil {
		return nil, err
	}
	b.balances, err = eventstore.NewViews[Balance](client, "bank-balances")
	if err != nil {
		return nil, err
	}
	b.accounts = eventstore.NewRepository(b.store, b.types, Account.after, eventstore.WithSnapshots(b.snapshots, "account", 1))
	return b, schema.EnsureTables(ctx, b.store, b.snapshots, b.positions, b.balances)
}

// openObjects returns the bucket in BANK_BUCKET, or an S3 server in memory.
func openObjects(ctx context.Context) (objects payload.Objects, stop func(), err error) {
	if bucket := os.Getenv("BANK_BUCKET"); bucket != "" {
		cfg, err := config.LoadDefaultConfig(ctx)
		if err != nil {
			return nil, nil, err
		}
		objects, err = ddbs3.New(s3.NewFromConfig(cfg), bucket)
		return objects, func() {}, err
	}
	server := httptest.NewServer(gofakes3.New(s3mem.New()).Server())
	client := s3.New(s3.Options{
		Region: "eu-central-1", Credentials: credentials.NewStaticCredentialsProvider("id", "secret", ""),
		BaseEndpoint: aws.String(server.URL), UsePathStyle: true,
	})
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bank")}); err != nil {
		server.Close()
		return nil, nil, err
	}
	objects, err = ddbs3.New(client, "bank")
	return objects, server.Close, err
}
