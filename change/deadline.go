// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
)

// within makes a call that ends after a time, whatever happens to the request. A timeout is a transient failure: the call is repeated.
func within[O any](ctx context.Context, limit time.Duration, call func(context.Context) (O, error)) (O, error) {
	one, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, err := call(one)
	if err != nil && ctx.Err() == nil && errors.Is(one.Err(), context.DeadlineExceeded) {
		err = fmt.Errorf("no answer within %v: %w", limit, err)
	}
	return out, err
}

// timedClient is a client each of whose calls has a deadline. A request that is never answered would stop a shard for ever, because
// the SDK's clients have no timeout and the lease is renewed by other requests.
type timedClient struct {
	next  Client
	limit time.Duration
}

func (c timedClient) ListStreams(ctx context.Context, in *dynamodbstreams.ListStreamsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.ListStreamsOutput, error) {
	return within(ctx, c.limit, func(ctx context.Context) (*dynamodbstreams.ListStreamsOutput, error) {
		return c.next.ListStreams(ctx, in, opts...)
	})
}

func (c timedClient) DescribeStream(ctx context.Context, in *dynamodbstreams.DescribeStreamInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.DescribeStreamOutput, error) {
	return within(ctx, c.limit, func(ctx context.Context) (*dynamodbstreams.DescribeStreamOutput, error) {
		return c.next.DescribeStream(ctx, in, opts...)
	})
}

func (c timedClient) GetShardIterator(ctx context.Context, in *dynamodbstreams.GetShardIteratorInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetShardIteratorOutput, error) {
	return within(ctx, c.limit, func(ctx context.Context) (*dynamodbstreams.GetShardIteratorOutput, error) {
		return c.next.GetShardIterator(ctx, in, opts...)
	})
}

func (c timedClient) GetRecords(ctx context.Context, in *dynamodbstreams.GetRecordsInput, opts ...func(*dynamodbstreams.Options)) (*dynamodbstreams.GetRecordsOutput, error) {
	return within(ctx, c.limit, func(ctx context.Context) (*dynamodbstreams.GetRecordsOutput, error) {
		return c.next.GetRecords(ctx, in, opts...)
	})
}

// timedStore is a store of leases each of whose calls has a deadline.
type timedStore struct {
	next  Store
	limit time.Duration
}

func (s timedStore) Leases(ctx context.Context, app string) ([]Lease, error) {
	return within(ctx, s.limit, func(ctx context.Context) ([]Lease, error) { return s.next.Leases(ctx, app) })
}

func (s timedStore) Create(ctx context.Context, lease Lease) error {
	_, err := within(ctx, s.limit, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.next.Create(ctx, lease) })
	return err
}

func (s timedStore) Swap(ctx context.Context, was, will Lease) (stored Lease, swapped bool, err error) {
	stored, err = within(ctx, s.limit, func(ctx context.Context) (l Lease, err error) {
		l, swapped, err = s.next.Swap(ctx, was, will)
		return l, err
	})
	return stored, swapped, err
}

func (s timedStore) Delete(ctx context.Context, lease Lease) error {
	_, err := within(ctx, s.limit, func(ctx context.Context) (struct{}, error) { return struct{}{}, s.next.Delete(ctx, lease) })
	return err
}
