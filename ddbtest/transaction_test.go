// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/ddbtest"
)

func TestTransactionIsAllOrNothing(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, pairTable("accounts"))
	table := aws.String("accounts")
	mustPut(t, client, *table, item{"pk": str("a"), "sk": str("x"), "n": num("5")})
	write := func(amount string) error {
		_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{TableName: table, Item: item{"pk": str("b"), "sk": str("x"), "n": num(amount)}}},
			{Update: &types.Update{
				TableName: table, Key: item{"pk": str("a"), "sk": str("x")},
				UpdateExpression: aws.String("SET n = n - :d"), ConditionExpression: aws.String("n >= :d"),
				ExpressionAttributeValues:           item{":d": num(amount)},
				ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
			}},
			{ConditionCheck: &types.ConditionCheck{TableName: table, Key: item{"pk": str("c"), "sk": str("x")}, ConditionExpression: aws.String("attribute_not_exists(pk)")}},
		}})
		return err
	}
	err := write("9")
	var cancelled *types.TransactionCanceledException
	if !errors.As(err, &cancelled) {
		t.Fatalf("got %v, want a cancelled transaction", err)
	}
	var codes []string
	for _, r := range cancelled.CancellationReasons {
		codes = append(codes, *r.Code)
	}
	if diff := cmp.Diff([]string{"None", "ConditionalCheckFailed", "None"}, codes); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(num("5"), cancelled.CancellationReasons[1].Item["n"], sameValues); diff != "" {
		t.Error(diff)
	}
	if err := write("2"); err != nil {
		t.Fatal(err)
	}
	got, err := client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{
		TransactItems: []types.TransactGetItem{
			{Get: &types.Get{TableName: table, Key: item{"pk": str("a"), "sk": str("x")}, ProjectionExpression: aws.String("n")}},
			{Get: &types.Get{TableName: table, Key: item{"pk": str("b"), "sk": str("x")}, ProjectionExpression: aws.String("n")}},
			{Get: &types.Get{TableName: table, Key: item{"pk": str("c"), "sk": str("x")}}},
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []types.ItemResponse{{Item: item{"n": num("3")}}, {Item: item{"n": num("2")}}, {}}
	if len(got.Responses) != 3 {
		t.Fatalf("got %d responses", len(got.Responses))
	}
	for i, r := range want {
		if diff := cmp.Diff(r.Item, got.Responses[i].Item, sameValues); diff != "" {
			t.Error(diff)
		}
	}
	if c := got.ConsumedCapacity[0]; *c.CapacityUnits != 6 || *c.ReadCapacityUnits != 6 {
		t.Errorf("consumed %v and %v units, want 6", *c.CapacityUnits, *c.ReadCapacityUnits)
	}
}

func TestClientRequestToken(t *testing.T) {
	ctx := context.Background()
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Unix(1_700_000_000, 0)))
	defer e.Close()
	client := e.Client()
	mustCreate(t, client, pairTable("counters"))
	k := item{"pk": str("a"), "sk": str("x")}
	add := func(by string) (*dynamodb.TransactWriteItemsOutput, error) {
		return client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
			ClientRequestToken: aws.String("token"), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
			TransactItems: []types.TransactWriteItem{{Update: &types.Update{
				TableName: aws.String("counters"), Key: k, UpdateExpression: aws.String("ADD n :d"), ExpressionAttributeValues: item{":d": num(by)},
			}}},
		})
	}
	for range 3 {
		if _, err := add("1"); err != nil {
			t.Fatal(err)
		}
	}
	var mismatch *types.IdempotentParameterMismatchException
	if _, err := add("2"); !errors.As(err, &mismatch) {
		t.Errorf("another request with the token: got %v, want a mismatch", err)
	}
	e.Clock().Advance(10 * time.Minute)
	out, err := add("2")
	if err != nil {
		t.Fatal(err)
	}
	if units := *out.ConsumedCapacity[0].WriteCapacityUnits; units != 2 {
		t.Errorf("consumed %v units, want 2", units)
	}
	got, err := client.GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("counters"), Key: k})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(num("3"), got.Item["n"], sameValues); diff != "" {
		t.Error(diff)
	}
}

// Transfers between accounts keep the sum, whatever else happens to the accounts.
func TestTransactionsUnderContention(t *testing.T) {
	ctx, client := context.Background(), ddbtest.New(t)
	mustCreate(t, client, indexedTable("accounts"))
	const accounts, workers, rounds = 4, 8, 60
	account := func(i int) item { return item{"pk": str(strconv.Itoa(i)), "sk": str("x")} }
	for i := range accounts {
		mustPut(t, client, "accounts", row{pk: strconv.Itoa(i), sk: "x", g: "g", n: 100}.item())
	}
	update := func(i int, by string) types.TransactWriteItem {
		return types.TransactWriteItem{Update: &types.Update{
			TableName: aws.String("accounts"), Key: account(i), UpdateExpression: aws.String("ADD n :d"), ExpressionAttributeValues: item{":d": num(by)},
		}}
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for r := range rounds {
				from, to := (w+r)%accounts, (w+r+1+r%(accounts-1))%accounts
				_, err := client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
					TransactItems: []types.TransactWriteItem{update(from, "-1"), update(to, "1")},
				})
				var cancelled *types.TransactionCanceledException
				if err != nil && !errors.As(err, &cancelled) {
					t.Error(err)
				}
				keys := []types.TransactGetItem{}
				for i := range accounts {
					keys = append(keys, types.TransactGetItem{Get: &types.Get{TableName: aws.String("accounts"), Key: account(i)}})
				}
				got, err := client.TransactGetItems(ctx, &dynamodb.TransactGetItemsInput{TransactItems: keys})
				if errors.As(err, &cancelled) {
					continue
				}
				if err != nil {
					t.Error(err)
					continue
				}
				sum := 0
				for _, resp := range got.Responses {
					n, _ := strconv.Atoi(resp.Item["n"].(*types.AttributeValueMemberN).Value)
					sum += n
				}
				if sum != 100*accounts {
					t.Errorf("the accounts hold %d, want %d", sum, 100*accounts)
				}
			}
		})
	}
	wg.Wait()
	if n := len(readAll(ctx, t, client, &dynamodb.QueryInput{
		TableName: aws.String("accounts"), IndexName: aws.String("global"), KeyConditionExpression: aws.String("g = :g"), ExpressionAttributeValues: item{":g": str("g")},
	})); n != accounts {
		t.Errorf("the index holds %d entries, want %d", n, accounts)
	}
}
