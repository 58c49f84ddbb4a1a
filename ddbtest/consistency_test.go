// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/dynamotable/ddb/ddbtest"
)

// After mixed operations of many writers, every index has the items of
// the table, and every counter the sum of its increments.
func TestMixedOperationsStayConsistent(t *testing.T) {
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	ctx, client := context.Background(), e.Client()
	create := indexedTable("mixed")
	create.StreamSpecification = &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewTypeNewAndOldImages}
	mustCreate(t, client, create)
	const workers, rounds, keys = 64, 30, 12
	var mu sync.Mutex
	added := 0
	operate := func(w, r int) error {
		n := (w*17 + r*5) % keys
		k := item{"pk": str("p" + strconv.Itoa(n%3)), "sk": str("s" + strconv.Itoa(n))}
		full := row{pk: "p" + strconv.Itoa(n%3), sk: "s" + strconv.Itoa(n), g: "g" + strconv.Itoa(r%3), n: w}.item()
		var err error
		switch (w + r) % 6 {
		case 0:
			_, err = client.PutItem(ctx, &dynamodb.PutItemInput{TableName: aws.String("mixed"), Item: full})
		case 1:
			_, err = client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: aws.String("mixed"), Key: k})
		case 2:
			_, err = client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: aws.String("mixed"), Key: k, UpdateExpression: aws.String("SET g = :g"),
				ExpressionAttributeValues: item{":g": str("h" + strconv.Itoa(w%4))},
			})
		case 3:
			_, err = client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
				"mixed": {{PutRequest: &types.PutRequest{Item: full}}},
			}})
		case 4:
			_, err = client.Query(ctx, &dynamodb.QueryInput{
				TableName: aws.String("mixed"), KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": k["pk"]},
			})
		default:
			_, err = client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
				{Put: &types.Put{TableName: aws.String("mixed"), Item: full}},
				{Update: &types.Update{
					TableName: aws.String("mixed"), Key: item{"pk": str("counter"), "sk": str("0")},
					UpdateExpression: aws.String("ADD hits :one"), ExpressionAttributeValues: item{":one": num("1")},
				}},
			}})
			if err == nil {
				mu.Lock()
				added++
				mu.Unlock()
			}
		}
		if _, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
			return nil
		}
		if _, ok := errors.AsType[*types.TransactionConflictException](err); ok {
			return nil
		}
		return err
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for r := range rounds {
				if w == 0 && r%10 == 5 {
					e.SplitShards("mixed", 1+r%3)
				}
				if err := operate(w, r); err != nil {
					t.Errorf("worker %d, round %d: %v", w, r, err)
				}
			}
		})
	}
	wg.Wait()

	out, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("mixed"), Key: item{"pk": str("counter"), "sk": str("0")}})
	if err != nil {
		t.Fatal(err)
	}
	total, _ := out.Item["hits"].(*types.AttributeValueMemberN)
	if added == 0 || total == nil || total.Value != strconv.Itoa(added) {
		t.Errorf("the counter is %v after %d transactions", out.Item["hits"], added)
	}
	described, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("mixed")})
	if err != nil {
		t.Fatal(err)
	}
	table := scanned(t, client, nil)
	s := &streamed{Engine: e, db: client, streams: e.StreamsClient(), arn: aws.ToString(described.Table.LatestStreamArn)}
	checkStream(t, s.all(t), table)
	for _, x := range described.Table.GlobalSecondaryIndexes {
		checkIndex(t, client, table, *x.IndexName, x.KeySchema)
	}
	for _, x := range described.Table.LocalSecondaryIndexes {
		checkIndex(t, client, table, *x.IndexName, x.KeySchema)
	}
}

// checkIndex compares an index with the items that have its key.
func checkIndex(t *testing.T, client *dynamodb.Client, table map[string]item, index string, schema []types.KeySchemaElement) {
	t.Helper()
	want := make(map[string]item)
	for id, it := range table {
		indexed := true
		for _, k := range schema {
			indexed = indexed && it[*k.AttributeName] != nil
		}
		if indexed {
			want[id] = it
		}
	}
	got := scanned(t, client, aws.String(index))
	if len(got) != len(want) {
		t.Errorf("%s holds %d items, %d have its key", index, len(got), len(want))
	}
	for id, it := range got {
		for _, k := range schema {
			name := *k.AttributeName
			if diff := cmp.Diff(want[id][name], it[name], cmpopts.IgnoreUnexported(types.AttributeValueMemberS{}, types.AttributeValueMemberN{})); diff != "" {
				t.Errorf("%s has %s under another %s (-table +index):\n%s", index, id, name, diff)
			}
		}
	}
}

// scanned returns the items of the table or an index by key.
func scanned(t *testing.T, client *dynamodb.Client, index *string) map[string]item {
	t.Helper()
	found := make(map[string]item)
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: aws.String("mixed"), IndexName: index})
	for pages.HasMorePages() {
		page, err := pages.NextPage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range page.Items {
			id := it["pk"].(*types.AttributeValueMemberS).Value + "/" + it["sk"].(*types.AttributeValueMemberS).Value
			if found[id] != nil {
				t.Errorf("%s is in the index twice", id)
			}
			found[id] = it
		}
	}
	return found
}

// checkStream replays a stream: each record continues from the previous one of the same item, and the result
// is the content of the table.
func checkStream(t *testing.T, records []streamtypes.Record, table map[string]item) {
	t.Helper()
	image := func(m map[string]streamtypes.AttributeValue) string {
		var parts []string
		for name, v := range m {
			parts = append(parts, name+"="+text(v))
		}
		slices.Sort(parts)
		return strings.Join(parts, " ")
	}
	now := make(map[string]string)
	for _, r := range records {
		id := text(r.Dynamodb.Keys["pk"]) + "/" + text(r.Dynamodb.Keys["sk"])
		if old := image(r.Dynamodb.OldImage); old != now[id] {
			t.Fatalf("%s: the stream continues with old image %q, the previous record left %q", id, old, now[id])
		}
		if now[id] = image(r.Dynamodb.NewImage); now[id] == "" {
			delete(now, id)
		}
	}
	want := make(map[string]string)
	for id, it := range table {
		var parts []string
		for name, v := range it {
			switch v := v.(type) {
			case *types.AttributeValueMemberS:
				parts = append(parts, name+"="+v.Value)
			case *types.AttributeValueMemberN:
				parts = append(parts, name+"="+v.Value)
			}
		}
		slices.Sort(parts)
		want[id] = strings.Join(parts, " ")
	}
	if d := cmp.Diff(want, now); d != "" {
		t.Errorf("the stream does not end with the content of the table (-table +stream):\n%s", d)
	}
}
