// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"

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

// BenchmarkFirstTable measures the time to start an engine and create a usable table.
func BenchmarkFirstTable(b *testing.B) {
	for b.Loop() {
		e := ddbtest.NewEngine()
		client := e.Client()
		mustCreate(b, client, pairTable("first"))
		mustPut(b, client, "first", item{"pk": str("a"), "sk": str("b")})
		e.Close()
	}
}

// BenchmarkGetRecords reads a stream of 1 KB items; an operation is a page of at most 1,000 records.
func BenchmarkGetRecords(b *testing.B) {
	s := newStreamed(b, "NEW_IMAGE")
	const items = 5000
	for i := range items {
		s.put(b, "p"+strconv.Itoa(i%50), i, strings.Repeat("x", 900))
	}
	shard := s.shards(b)[0].ShardId
	records := 0
	for b.Loop() {
		it, err := s.iterator(shard, "TRIM_HORIZON", nil)
		if err != nil {
			b.Fatal(err)
		}
		out, err := s.streams.GetRecords(context.Background(), &dynamodbstreams.GetRecordsInput{ShardIterator: it})
		if err != nil {
			b.Fatal(err)
		}
		records += len(out.Records)
	}
	b.ReportMetric(float64(records)/b.Elapsed().Seconds(), "records/s")
}

// BenchmarkMillionItems stores a million items of 1 KB and reports the memory that they take.
func BenchmarkMillionItems(b *testing.B) {
	if testing.Short() {
		b.Skip("takes a minute and gigabytes")
	}
	const items = 1_000_000
	for b.Loop() {
		ctx, client := context.Background(), ddbtest.New(b)
		mustCreate(b, client, pairTable("bench"))
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		requests := make([]types.WriteRequest, 25)
		for i := 0; i < items; i += len(requests) {
			for j := range requests {
				requests[j].PutRequest = &types.PutRequest{Item: kilobyte(i + j)}
			}
			if _, err := client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{"bench": requests}}); err != nil {
				b.Fatal(err)
			}
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/(1<<30), "GiB-live")
		b.ReportMetric(float64(after.HeapSys)/(1<<30), "GiB-heap")
	}
}
