// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// OldBook is the book written carefully with the SDK, attributevalue and expression: it creates
// items under a condition, retries unprocessed items, reads all pages, and names its errors.
type oldBook struct {
	client *dynamodb.Client
	table  *string
}

func (b oldBook) key(account string, seq int64) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"account": &types.AttributeValueMemberS{Value: account},
		"seq":     &types.AttributeValueMemberN{Value: strconv.FormatInt(seq, 10)},
	}
}

func (b oldBook) Add(ctx context.Context, e Entry) error {
	item, err := attributevalue.MarshalMap(e)
	if err != nil {
		return err
	}
	expr, err := expression.NewBuilder().WithCondition(expression.AttributeNotExists(expression.Name("account"))).Build()
	if err != nil {
		return err
	}
	_, err = b.client.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: b.table, Item: item, ConditionExpression: expr.Condition(), ExpressionAttributeNames: expr.Names(),
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return errExists
	}
	return err
}

func (b oldBook) Get(ctx context.Context, account string, seq int64) (Entry, error) {
	out, err := b.client.GetItem(ctx, &dynamodb.GetItemInput{TableName: b.table, Key: b.key(account, seq), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return Entry{}, err
	}
	if out.Item == nil {
		return Entry{}, errMissing
	}
	var e Entry
	return e, attributevalue.UnmarshalMap(out.Item, &e)
}

func (b oldBook) Annotate(ctx context.Context, account string, seq int64, note, tag string) (Entry, error) {
	expr, err := expression.NewBuilder().
		WithUpdate(expression.Set(expression.Name("note"), expression.Value(note)).
			Add(expression.Name("tags"), expression.Value(&types.AttributeValueMemberSS{Value: []string{tag}}))).
		WithCondition(expression.AttributeExists(expression.Name("account"))).Build()
	if err != nil {
		return Entry{}, err
	}
	out, err := b.client.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: b.table, Key: b.key(account, seq), UpdateExpression: expr.Update(), ConditionExpression: expr.Condition(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(), ReturnValues: types.ReturnValueAllNew,
	})
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); ok {
		return Entry{}, errMissing
	}
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	return e, attributevalue.UnmarshalMap(out.Attributes, &e)
}

func (b oldBook) Large(ctx context.Context, account string, since, amount int64, limit int) ([]Entry, error) {
	expr, err := expression.NewBuilder().
		WithKeyCondition(expression.Key("account").Equal(expression.Value(account)).And(expression.Key("seq").GreaterThanEqual(expression.Value(since)))).
		WithFilter(expression.Name("amount").GreaterThan(expression.Value(amount))).Build()
	if err != nil {
		return nil, err
	}
	var list []Entry
	pages := dynamodb.NewQueryPaginator(b.client, &dynamodb.QueryInput{
		TableName: b.table, KeyConditionExpression: expr.KeyCondition(), FilterExpression: expr.Filter(),
		ExpressionAttributeNames: expr.Names(), ExpressionAttributeValues: expr.Values(),
		ScanIndexForward: aws.Bool(false), ConsistentRead: aws.Bool(true),
	})
	for pages.HasMorePages() && len(list) < limit { // the API's Limit counts items before the filter
		out, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		var page []Entry
		if err := attributevalue.UnmarshalListOfMaps(out.Items, &page); err != nil {
			return nil, err
		}
		list = append(list, page...)
	}
	return list[:min(limit, len(list))], nil
}

func (b oldBook) Many(ctx context.Context, account string, seqs []int64) ([]Entry, error) {
	var keys []map[string]types.AttributeValue
	place := map[int64][]int{}
	for i, seq := range seqs {
		if place[seq] == nil { // a request must not contain a key twice
			keys = append(keys, b.key(account, seq))
		}
		place[seq] = append(place[seq], i)
	}
	list := make([]Entry, len(seqs))
	wait := 50 * time.Millisecond
	for len(keys) > 0 {
		n := min(100, len(keys))
		out, err := b.client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{*b.table: {Keys: keys[:n], ConsistentRead: aws.Bool(true)}},
		})
		if err != nil {
			return nil, err
		}
		var page []Entry
		if err := attributevalue.UnmarshalListOfMaps(out.Responses[*b.table], &page); err != nil {
			return nil, err
		}
		for _, e := range page {
			for _, i := range place[e.Seq] {
				list[i] = e
			}
		}
		left := out.UnprocessedKeys[*b.table].Keys
		if keys = append(keys[n:], left...); len(left) > 0 {
			select {
			case <-time.After(rand.N(wait)): //nolint:gosec // jitter is no secret
				wait *= 2
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
	}
	return list, nil
}

func (b oldBook) Move(ctx context.Context, from, to Entry) error {
	put := func(e Entry) (types.TransactWriteItem, error) {
		item, err := attributevalue.MarshalMap(e)
		return types.TransactWriteItem{Put: &types.Put{
			TableName: b.table, Item: item, ConditionExpression: aws.String("attribute_not_exists(#k)"),
			ExpressionAttributeNames: map[string]string{"#k": "account"},
		}}, err
	}
	first, err := put(from)
	if err != nil {
		return err
	}
	second, err := put(to)
	if err != nil {
		return err
	}
	_, err = b.client.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{first, second}})
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		for i, r := range cancelled.CancellationReasons {
			if aws.ToString(r.Code) == "ConditionalCheckFailed" {
				return fmt.Errorf("operation %d: %w", i, errExists)
			}
		}
	}
	return err
}
