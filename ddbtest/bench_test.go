package ddbtest_test

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb/ddbtest"
)

// kilobyte is an item of 1 KB with 14 attributes.
func kilobyte(i int) item {
	it := item{"pk": str("item-" + strconv.Itoa(i)), "sk": str("s"), "text": str(strings.Repeat("x", 700))}
	for j := range 11 {
		it["attribute"+strconv.Itoa(j)] = num(strconv.Itoa(j * 1234))
	}
	return it
}

func BenchmarkPutItem(b *testing.B) {
	ctx, client := context.Background(), ddbtest.New(b)
	mustCreate(b, client, pairTable("bench"))
	in := &dynamodb.PutItemInput{TableName: aws.String("bench"), Item: kilobyte(0)}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		in.Item["pk"] = str("item-" + strconv.Itoa(i%100_000))
		if _, err := client.PutItem(ctx, in); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGetItem(b *testing.B) {
	ctx, client := context.Background(), ddbtest.New(b)
	mustCreate(b, client, pairTable("bench"))
	const items = 1000
	for i := range items {
		mustPut(b, client, "bench", kilobyte(i))
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		k := item{"pk": str("item-" + strconv.Itoa(i%items)), "sk": str("s")}
		if _, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("bench"), Key: k}); err != nil {
			b.Fatal(err)
		}
	}
}
