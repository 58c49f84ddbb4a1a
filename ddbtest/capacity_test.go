// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

// units are the parts of a consumed capacity.
type units struct{ Total, Table, Global, Local float64 }

func unitsOf(c *types.ConsumedCapacity) units {
	return units{
		Total: aws.ToFloat64(c.CapacityUnits), Table: aws.ToFloat64(c.Table.CapacityUnits),
		Global: aws.ToFloat64(c.GlobalSecondaryIndexes["global"].CapacityUnits),
		Local:  aws.ToFloat64(c.LocalSecondaryIndexes["local"].CapacityUnits),
	}
}

// The units follow
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html,
// GSI.html#GSI.ThroughputConsiderations.Writes and LSI.html#LSI.ThroughputConsiderations.
func TestWriteCapacityOfIndexes(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, indexedTable("metered"))
	table, k := aws.String("metered"), item{"pk": str("p"), "sk": str("s")}
	put := func(it item) func() (*types.ConsumedCapacity, error) {
		return func() (*types.ConsumedCapacity, error) {
			out, err := client.PutItem(ctx, &dynamodb.PutItemInput{TableName: table, Item: it, ReturnConsumedCapacity: "INDEXES"})
			if err != nil {
				return nil, err
			}
			return out.ConsumedCapacity, nil
		}
	}
	update := func(expr string, values item) func() (*types.ConsumedCapacity, error) {
		return func() (*types.ConsumedCapacity, error) {
			out, err := client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
				TableName: table, Key: k, UpdateExpression: &expr, ExpressionAttributeValues: values, ReturnConsumedCapacity: "INDEXES",
			})
			if err != nil {
				return nil, err
			}
			return out.ConsumedCapacity, nil
		}
	}
	large := str(strings.Repeat("x", 2000))
	with := func(extra item) item {
		it := item{"pk": str("p"), "sk": str("s")}
		maps.Copy(it, extra)
		return it
	}
	for _, step := range []struct {
		name string
		do   func() (*types.ConsumedCapacity, error)
		want units
	}{
		{"a new item outside the indexes", put(with(nil)), units{1, 1, 0, 0}},
		{"the item enters both indexes", put(with(item{"g": str("g"), "n": num("1")})), units{3, 1, 1, 1}},
		{"the same again", put(with(item{"g": str("g"), "n": num("1")})), units{1, 1, 0, 0}},
		{"a large attribute outside of the local projection", put(with(item{"g": str("g"), "n": num("1"), "d": large})), units{4, 2, 2, 0}},
		{"the entries move", update("SET n = :n", item{":n": num("2")}), units{8, 2, 4, 2}},
		{"the global entry moves", update("SET g = :g", item{":g": str("h")}), units{6, 2, 4, 0}},
		{"the global entry is removed", update("REMOVE g", nil), units{4, 2, 2, 0}},
		{"nothing changes", update("SET n = :n", item{":n": num("2.0")}), units{2, 2, 0, 0}},
	} {
		got, err := step.do()
		if err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if diff := cmp.Diff(step.want, unitsOf(got)); diff != "" {
			t.Errorf("%s: %s", step.name, diff)
		}
	}
	deleted, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: k, ReturnConsumedCapacity: "INDEXES", ReturnItemCollectionMetrics: "SIZE"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(units{3, 2, 0, 1}, unitsOf(deleted.ConsumedCapacity)); diff != "" {
		t.Errorf("a delete: %s", diff)
	}
	if diff := cmp.Diff([]float64{0, 1}, deleted.ItemCollectionMetrics.SizeEstimateRangeGB); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(item{"pk": str("p")}, deleted.ItemCollectionMetrics.ItemCollectionKey, sameValues); diff != "" {
		t.Error(diff)
	}
	missing, err := client.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: table, Key: k, ReturnConsumedCapacity: "INDEXES"})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(units{1, 1, 0, 0}, unitsOf(missing.ConsumedCapacity)); diff != "" {
		t.Errorf("a delete of nothing: %s", diff)
	}
}

func TestTransactionCapacity(t *testing.T) {
	client := ddbtest.New(t)
	mustCreate(t, client, indexedTable("metered"))
	out, err := client.TransactWriteItems(context.Background(), &dynamodb.TransactWriteItemsInput{
		ReturnConsumedCapacity: "INDEXES",
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: aws.String("metered"), Item: item{"pk": str("p"), "sk": str("s"), "g": str("g"), "n": num("1")}}},
			{ConditionCheck: &types.ConditionCheck{TableName: aws.String("metered"), Key: item{"pk": str("p"), "sk": str("t")}, ConditionExpression: aws.String("attribute_not_exists(pk)")}},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(units{6, 4, 1, 1}, unitsOf(&out.ConsumedCapacity[0])); diff != "" {
		t.Error(diff)
	}
	if w := aws.ToFloat64(out.ConsumedCapacity[0].Table.WriteCapacityUnits); w != 4 {
		t.Errorf("the table's write units are %v, want 4", w)
	}
}

func TestReadCapacity(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, indexedTable("metered"))
	table := aws.String("metered")
	for _, sk := range []string{"1", "2", "3"} {
		mustPut(t, client, "metered", item{"pk": str("p"), "sk": str(sk), "g": str("g"), "n": num(sk), "d": str(strings.Repeat("x", 5000))})
	}
	query := func(change func(*dynamodb.QueryInput)) units {
		t.Helper()
		in := &dynamodb.QueryInput{
			TableName: table, KeyConditionExpression: aws.String("pk = :p"), ExpressionAttributeValues: item{":p": str("p")}, ReturnConsumedCapacity: "INDEXES",
		}
		change(in)
		out, err := client.Query(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		return unitsOf(out.ConsumedCapacity)
	}
	for name, test := range map[string]struct {
		change func(*dynamodb.QueryInput)
		want   units
	}{
		"eventual":   {func(*dynamodb.QueryInput) {}, units{2, 2, 0, 0}},
		"consistent": {func(in *dynamodb.QueryInput) { in.ConsistentRead = aws.Bool(true) }, units{4, 4, 0, 0}},
		"empty":      {func(in *dynamodb.QueryInput) { in.ExpressionAttributeValues = item{":p": str("none")} }, units{0.5, 0.5, 0, 0}},
		"count":      {func(in *dynamodb.QueryInput) { in.Select = types.SelectCount }, units{2, 2, 0, 0}},
		"local":      {func(in *dynamodb.QueryInput) { in.IndexName = aws.String("local") }, units{0.5, 0, 0, 0.5}},
		"local, fetch": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.Select = aws.String("local"), types.SelectAllAttributes
		}, units{3.5, 3, 0, 0.5}},
		"global": {func(in *dynamodb.QueryInput) {
			in.IndexName, in.KeyConditionExpression, in.ExpressionAttributeValues = aws.String("global"), aws.String("g = :p"), item{":p": str("g")}
		}, units{2, 0, 2, 0}},
	} {
		if diff := cmp.Diff(test.want, query(test.change)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
	out, err := client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{ReturnConsumedCapacity: "INDEXES", RequestItems: map[string]types.KeysAndAttributes{
		"metered": {ConsistentRead: aws.Bool(true), Keys: []item{{"pk": str("p"), "sk": str("1")}, {"pk": str("p"), "sk": str("none")}}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(units{3, 3, 0, 0}, unitsOf(&out.ConsumedCapacity[0])); diff != "" {
		t.Errorf("batch: %s", diff)
	}
}
