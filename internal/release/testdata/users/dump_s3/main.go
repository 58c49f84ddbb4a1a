package main

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/dynamotable/ddb/dump"
	ddbs3 "github.com/dynamotable/ddb/dump/s3"
)

func main() {
	bucket, err := ddbs3.New(s3.New(s3.Options{Region: "eu-central-1"}), "backups", ddbs3.Prefix("orders"))
	if err != nil {
		log.Fatal(err)
	}
	var storage dump.Storage = bucket
	if err := storage.Write(context.Background(), "/", nil); err == nil {
		log.Fatal("a name that is no path was written")
	}
	fmt.Println("a bucket for exports")
}
