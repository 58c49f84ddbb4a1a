package main

import (
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/dynamotable/ddb/payload"
	ddbs3 "github.com/dynamotable/ddb/payload/s3"
)

func main() {
	bucket, err := ddbs3.New(s3.New(s3.Options{Region: "eu-central-1"}), "payloads")
	if err != nil {
		log.Fatal(err)
	}
	if _, err := payload.New(bucket); err != nil {
		log.Fatal(err)
	}
	fmt.Println("a store of payloads in a bucket")
}
