// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// An index that is added during writes has the same items as the table.
func TestIndexAddedUnderWrites(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("busy"))
	const workers, rounds, items = 4, 150, 40
	write := func(w int) {
		for r := range rounds {
			n := (w*31 + r*7) % items
			k := item{"pk": str(strconv.Itoa(n)), "sk": str("s")}
			var err error
			if r%3 == 0 {
				_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("busy"), Key: k})
			} else {
				k["g"] = str(strconv.Itoa(r % 2))
				_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("busy"), Item: k})
			}
			if err != nil {
				t.Error(err)
			}
		}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() { write(w) })
	}
	_, err := client.UpdateTable(ctx, &dynamodb.UpdateTableInput{
		TableName: aws.String("busy"), AttributeDefinitions: []types.AttributeDefinition{attr("g", "S")},
		GlobalSecondaryIndexUpdates: []types.GlobalSecondaryIndexUpdate{{Create: &types.CreateGlobalSecondaryIndexAction{
			IndexName: aws.String("byG"), KeySchema: []types.KeySchemaElement{key("g", "HASH")}, Projection: &types.Projection{ProjectionType: "KEYS_ONLY"},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	scan := func(index *string) map[string]string {
		t.Helper()
		out, err := client.Scan(ctx, &dynamodb.ScanInput{TableName: aws.String("busy"), IndexName: index})
		if err != nil {
			t.Fatal(err)
		}
		found := make(map[string]string)
		for _, it := range out.Items {
			found[it["pk"].(*types.AttributeValueMemberS).Value] = it["g"].(*types.AttributeValueMemberS).Value
		}
		if len(found) != len(out.Items) {
			t.Errorf("%d entries for %d items", len(out.Items), len(found))
		}
		return found
	}
	table, index := scan(nil), scan(aws.String("byG"))
	if len(table) != len(index) {
		t.Errorf("the index holds %d items, the table %d", len(index), len(table))
	}
	for pk, g := range table {
		if index[pk] != g {
			t.Errorf("the index has item %s under %q, the table under %q", pk, index[pk], g)
		}
	}
}

// Concurrent increments of one counter are all counted.
func TestCounterUnderContention(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("counters"))
	k := item{"pk": str("a"), "sk": str("b")}
	const workers, rounds = 8, 50
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				_, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
					TableName: aws.String("counters"), Key: k, UpdateExpression: aws.String("ADD n :one"), ExpressionAttributeValues: item{":one": num("1")},
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("counters"), Key: k})
	if err != nil {
		t.Fatal(err)
	}
	if n := out.Item["n"].(*types.AttributeValueMemberN).Value; n != strconv.Itoa(workers*rounds) {
		t.Errorf("counted %s, want %d", n, workers*rounds)
	}
}

// Closed engines that are no longer referenced leak neither memory nor goroutines.
func TestClosedEnginesLeakNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	one := func() {
		e := ddbtest.NewEngine()
		client := e.Client()
		mustCreate(t, client, indexedTable("table"))
		mustPut(t, client, "table", row{pk: "a", sk: "b", g: "g", n: 1}.item())
		e.Close()
		if _, err := client.ListTables(context.Background(), nil, func(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }); err == nil {
			t.Error("a closed engine answered")
		}
	}
	one()
	start := heap()
	engines := longtest.Size(1000, 250)
	for range engines {
		one()
	}
	if end := heap(); end > start+uint64(engines)<<13 {
		t.Errorf("%d engines leaked %d bytes", engines, end-start)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines are left over", after-before)
	}
}
