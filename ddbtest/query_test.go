// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
)

// indexedTable describes a table with a global index on g and n, and a local
// index on n, both numbers in the sort key.
func indexedTable(name string) *dynamodb.CreateTableInput {
	in := pairTable(name)
	in.AttributeDefinitions = append(in.AttributeDefinitions, attr("g", "S"), attr("n", "N"))
	in.GlobalSecondaryIndexes = []types.GlobalSecondaryIndex{{
		IndexName:  aws.String("global"),
		KeySchema:  []types.KeySchemaElement{key("g", "HASH"), key("n", "RANGE")},
		Projection: &types.Projection{ProjectionType: "ALL"},
	}}
	in.LocalSecondaryIndexes = []types.LocalSecondaryIndex{{
		IndexName:  aws.String("local"),
		KeySchema:  []types.KeySchemaElement{key("pk", "HASH"), key("n", "RANGE")},
		Projection: &types.Projection{ProjectionType: "KEYS_ONLY"},
	}}
	return in
}

// row is an item of the model.
type row struct {
	pk, sk, g string
	n         int
	sparse    bool // item without g and n
}

func (r row) item() item {
	it := item{"pk": str(r.pk), "sk": str(r.sk), "data": str(strings.Repeat("x", 50))}
	if !r.sparse {
		it["g"], it["n"] = str(r.g), num(strconv.Itoa(r.n))
	}
	return it
}

func (r row) key() string { return r.pk + "/" + r.sk }

// readAll reads all pages of a query and returns the keys of the items.
func readAll(ctx context.Context, t interface{ Fatal(...any) }, client *dynamodb.Client, in *dynamodb.QueryInput) []string {
	var keys []string
	for {
		out, err := client.Query(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		if in.Limit != nil && out.ScannedCount > *in.Limit {
			t.Fatal("a page of ", out.ScannedCount, " items")
		}
		for _, it := range out.Items {
			keys = append(keys, it["pk"].(*types.AttributeValueMemberS).Value+"/"+it["sk"].(*types.AttributeValueMemberS).Value)
		}
		if out.LastEvaluatedKey == nil {
			return keys
		}
		in.ExclusiveStartKey = out.LastEvaluatedKey
	}
}

func TestQueryAgainstModel(t *testing.T) {
	client, tables := ddbtest.New(t), 0
	rapid.Check(t, func(rt *rapid.T) {
		tables++
		table := fmt.Sprint("model-", tables)
		mustCreate(t, client, indexedTable(table))
		letter := rapid.SampledFrom([]string{"a", "b", "c", "\x00", "\xc3\xbf"})
		rows := make(map[string]row)
		for range rapid.IntRange(0, 40).Draw(rt, "writes") {
			r := row{
				pk: letter.Draw(rt, "pk"), sk: letter.Draw(rt, "sk") + letter.Draw(rt, "sk2"), g: letter.Draw(rt, "g"),
				n: rapid.IntRange(-3, 3).Draw(rt, "n"), sparse: rapid.Bool().Draw(rt, "sparse"),
			}
			if rapid.IntRange(0, 4).Draw(rt, "delete") == 0 {
				delete(rows, r.key())
				_, err := client.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{TableName: &table, Key: item{"pk": str(r.pk), "sk": str(r.sk)}})
				if err != nil {
					rt.Fatal(err)
				}
				continue
			}
			rows[r.key()] = r
			mustPut(t, client, table, r.item())
		}
		in := &dynamodb.QueryInput{TableName: &table, ScanIndexForward: aws.Bool(rapid.Bool().Draw(rt, "forward"))}
		if limit := rapid.Int32Range(0, 4).Draw(rt, "limit"); limit > 0 {
			in.Limit = &limit
		}
		var want []row
		hash := letter.Draw(rt, "hash")
		index := rapid.SampledFrom([]string{"", "global", "local"}).Draw(rt, "index")
		low, high := rapid.IntRange(-3, 3).Draw(rt, "low"), rapid.IntRange(-3, 3).Draw(rt, "high")
		for _, r := range rows {
			switch {
			case index == "" && r.pk == hash,
				index == "global" && !r.sparse && r.g == hash && r.n >= low && r.n <= high,
				index == "local" && !r.sparse && r.pk == hash && r.n > low:
				want = append(want, r)
			}
		}
		switch index {
		case "":
			in.KeyConditionExpression = aws.String("pk = :h")
			in.ExpressionAttributeValues = item{":h": str(hash)}
		case "global":
			if low > high {
				return // the service refuses such bounds
			}
			in.IndexName = &index
			in.KeyConditionExpression = aws.String("g = :h AND n BETWEEN :l AND :u")
			in.ExpressionAttributeValues = item{":h": str(hash), ":l": num(strconv.Itoa(low)), ":u": num(strconv.Itoa(high))}
		case "local":
			in.IndexName = &index
			in.KeyConditionExpression = aws.String("pk = :h AND n > :l")
			in.ExpressionAttributeValues = item{":h": str(hash), ":l": num(strconv.Itoa(low))}
		}
		slices.SortFunc(want, func(a, b row) int {
			if index != "" && a.n != b.n {
				return a.n - b.n
			}
			return strings.Compare(a.pk+"\x00"+a.sk, b.pk+"\x00"+b.sk)
		})
		if !*in.ScanIndexForward {
			slices.Reverse(want)
		}
		var keys []string
		for _, r := range want {
			keys = append(keys, r.key())
		}
		if diff := cmp.Diff(keys, readAll(context.Background(), rt, client, in)); diff != "" {
			rt.Fatal(diff)
		}
	})
}

func TestScanSegmentsCoverTheTable(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, indexedTable("all"))
	const items = 200
	for i := range items {
		mustPut(t, client, "all", row{pk: fmt.Sprint(i), sk: "s", g: fmt.Sprint(i % 7), n: i, sparse: i%2 == 1}.item())
	}
	for _, test := range []struct {
		index string
		total int32
		want  int
	}{{"", 1, items}, {"", 3, items}, {"", 100, items}, {"global", 4, items / 2}, {"local", 2, items / 2}} {
		seen := make(map[string]int)
		for segment := range test.total {
			in := &dynamodb.ScanInput{TableName: aws.String("all"), Segment: &segment, TotalSegments: &test.total, Limit: aws.Int32(7)}
			if test.index != "" {
				in.IndexName = &test.index
			}
			for {
				out, err := client.Scan(ctx, in)
				if err != nil {
					t.Fatal(err)
				}
				for _, it := range out.Items {
					seen[it["pk"].(*types.AttributeValueMemberS).Value]++
				}
				if out.LastEvaluatedKey == nil {
					break
				}
				in.ExclusiveStartKey = out.LastEvaluatedKey
			}
		}
		if len(seen) != test.want {
			t.Errorf("index %q in %d segments: saw %d items, want %d", test.index, test.total, len(seen), test.want)
		}
		for k, n := range seen {
			if n != 1 {
				t.Errorf("index %q in %d segments: saw item %s %d times", test.index, test.total, k, n)
			}
		}
	}
}

func TestPageEndsWithTheItemThatReachesOneMegabyte(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("big"))
	for i := range 4 {
		mustPut(t, client, "big", item{"pk": str("p"), "sk": str(strconv.Itoa(i)), "d": str(strings.Repeat("x", 380*1024))})
	}
	out, err := client.Query(ctx, &dynamodb.QueryInput{
		TableName: aws.String("big"), KeyConditionExpression: aws.String("pk = :p"), FilterExpression: aws.String("attribute_not_exists(d)"),
		ExpressionAttributeValues: item{":p": str("p")}, ReturnConsumedCapacity: "TOTAL", ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		t.Fatal(err)
	}
	if out.ScannedCount != 3 || out.Count != 0 || out.LastEvaluatedKey == nil {
		t.Errorf("scanned %d, found %d, last key %v; want 3, 0 and a key", out.ScannedCount, out.Count, out.LastEvaluatedKey)
	}
	if units := *out.ConsumedCapacity.CapacityUnits; units != 286 {
		t.Errorf("consumed %v units, want 286", units)
	}
}
