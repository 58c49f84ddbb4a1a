// SPDX-License-Identifier: Apache-2.0

package ddbclient

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/unsent"
	"github.com/dynamotable/ddb/schema"
)

// Default is a client shared by the whole process. It is made as by
// [New] without options when it is first used; if that fails, the call
// returns the error, which says what to correct, and the next call tries again. For
// any other client, make one and hand it to [ddb.New].
func Default() ddb.Client { return processClient }

var processClient = newLazyClient()

var (
	_ ddb.Client    = (*lazyClient)(nil)
	_ schema.Client = (*lazyClient)(nil)
)

// lazyClient makes its client at the first call that succeeds in it.
type lazyClient struct {
	made   atomic.Pointer[dynamodb.Client]
	making chan struct{} // holds a value while a goroutine makes the client
	budget *ddb.RetryBudget
}

func newLazyClient() *lazyClient {
	return &lazyClient{making: make(chan struct{}, 1), budget: ddb.NewRetryBudget(defaultRetries)}
}

// RetryBudget is how tables ask for the budget, which is there before the client.
func (l *lazyClient) RetryBudget() *ddb.RetryBudget { return l.budget }

// ForwardsOptions lets items take the fast path: every call goes to the client once, with its input and options.
func (l *lazyClient) ForwardsOptions() bool { return true }

func (l *lazyClient) get(ctx context.Context) (*dynamodb.Client, error) {
	if c := l.made.Load(); c != nil {
		return c, nil
	}
	select {
	case l.making <- struct{}{}:
		defer func() { <-l.making }()
	case <-ctx.Done():
		return nil, &unsent.Error{Err: fmt.Errorf("default client: waiting for its configuration: %w", ctx.Err())}
	}
	if c := l.made.Load(); c != nil {
		return c, nil
	}
	c, err := New(ctx, withBudget(l.budget))
	if err != nil {
		return nil, &unsent.Error{Err: fmt.Errorf("default client (pass a client of your own to avoid it): %w", err)}
	}
	l.made.Store(c)
	return c, nil
}

// through runs one method of the client that l creates at its first use.
func through[I, O any](ctx context.Context, l *lazyClient, method func(*dynamodb.Client, context.Context, *I, ...func(*dynamodb.Options)) (*O, error), in *I, opts []func(*dynamodb.Options)) (*O, error) {
	c, err := l.get(ctx)
	if err != nil {
		return nil, err
	}
	return method(c, ctx, in, opts...)
}

func (l *lazyClient) GetItem(ctx context.Context, in *dynamodb.GetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return through(ctx, l, (*dynamodb.Client).GetItem, in, opts)
}

func (l *lazyClient) PutItem(ctx context.Context, in *dynamodb.PutItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return through(ctx, l, (*dynamodb.Client).PutItem, in, opts)
}

func (l *lazyClient) UpdateItem(ctx context.Context, in *dynamodb.UpdateItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateItemOutput, error) {
	return through(ctx, l, (*dynamodb.Client).UpdateItem, in, opts)
}

func (l *lazyClient) DeleteItem(ctx context.Context, in *dynamodb.DeleteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteItemOutput, error) {
	return through(ctx, l, (*dynamodb.Client).DeleteItem, in, opts)
}

func (l *lazyClient) Query(ctx context.Context, in *dynamodb.QueryInput, opts ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return through(ctx, l, (*dynamodb.Client).Query, in, opts)
}

func (l *lazyClient) Scan(ctx context.Context, in *dynamodb.ScanInput, opts ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
	return through(ctx, l, (*dynamodb.Client).Scan, in, opts)
}

func (l *lazyClient) BatchGetItem(ctx context.Context, in *dynamodb.BatchGetItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error) {
	return through(ctx, l, (*dynamodb.Client).BatchGetItem, in, opts)
}

func (l *lazyClient) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, opts ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	return through(ctx, l, (*dynamodb.Client).BatchWriteItem, in, opts)
}

func (l *lazyClient) TransactGetItems(ctx context.Context, in *dynamodb.TransactGetItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactGetItemsOutput, error) {
	return through(ctx, l, (*dynamodb.Client).TransactGetItems, in, opts)
}

func (l *lazyClient) TransactWriteItems(ctx context.Context, in *dynamodb.TransactWriteItemsInput, opts ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return through(ctx, l, (*dynamodb.Client).TransactWriteItems, in, opts)
}

func (l *lazyClient) CreateTable(ctx context.Context, in *dynamodb.CreateTableInput, opts ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error) {
	return through(ctx, l, (*dynamodb.Client).CreateTable, in, opts)
}

func (l *lazyClient) DescribeTable(ctx context.Context, in *dynamodb.DescribeTableInput, opts ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error) {
	return through(ctx, l, (*dynamodb.Client).DescribeTable, in, opts)
}

func (l *lazyClient) UpdateTable(ctx context.Context, in *dynamodb.UpdateTableInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateTableOutput, error) {
	return through(ctx, l, (*dynamodb.Client).UpdateTable, in, opts)
}

func (l *lazyClient) DeleteTable(ctx context.Context, in *dynamodb.DeleteTableInput, opts ...func(*dynamodb.Options)) (*dynamodb.DeleteTableOutput, error) {
	return through(ctx, l, (*dynamodb.Client).DeleteTable, in, opts)
}

func (l *lazyClient) UpdateTimeToLive(ctx context.Context, in *dynamodb.UpdateTimeToLiveInput, opts ...func(*dynamodb.Options)) (*dynamodb.UpdateTimeToLiveOutput, error) {
	return through(ctx, l, (*dynamodb.Client).UpdateTimeToLive, in, opts)
}

func (l *lazyClient) DescribeTimeToLive(ctx context.Context, in *dynamodb.DescribeTimeToLiveInput, opts ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error) {
	return through(ctx, l, (*dynamodb.Client).DescribeTimeToLive, in, opts)
}

func (l *lazyClient) ListTagsOfResource(ctx context.Context, in *dynamodb.ListTagsOfResourceInput, opts ...func(*dynamodb.Options)) (*dynamodb.ListTagsOfResourceOutput, error) {
	return through(ctx, l, (*dynamodb.Client).ListTagsOfResource, in, opts)
}

func (l *lazyClient) TagResource(ctx context.Context, in *dynamodb.TagResourceInput, opts ...func(*dynamodb.Options)) (*dynamodb.TagResourceOutput, error) {
	return through(ctx, l, (*dynamodb.Client).TagResource, in, opts)
}
