// SPDX-License-Identifier: Apache-2.0

// Package structs writes the Go struct of an existing table's items, for the command ddb gen struct.
package structs

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Client has the operations that are called.
type Client interface {
	DescribeTable(context.Context, *dynamodb.DescribeTableInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTableOutput, error)
	DescribeTimeToLive(context.Context, *dynamodb.DescribeTimeToLiveInput, ...func(*dynamodb.Options)) (*dynamodb.DescribeTimeToLiveOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
}

// Item is an item as the SDK returns it.
type Item = map[string]types.AttributeValue

// Sample is a table and some of its items.
type Sample struct {
	Table *types.TableDescription
	TTL   string // attribute of the time to live; empty if there is none
	Items []Item
	Units float64 // read units that the sample has cost
}

// segments is the number of segments of the table from which a sample is taken, because items of one partition are similar.
const segments = 8

// Take reads the table's description and up to n of its items, from all parts of the table.
func Take(ctx context.Context, client Client, table string, n int) (*Sample, error) {
	description, err := client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, err
	}
	ttl, err := client.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		return nil, err
	}
	if description.Table == nil || len(description.Table.KeySchema) == 0 {
		return nil, errors.New("the description of the table has no keys")
	}
	s := &Sample{Table: description.Table}
	if d := ttl.TimeToLiveDescription; d != nil && d.AttributeName != nil &&
		(d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling) {
		s.TTL = *d.AttributeName
	}
	// Each round requests an equal part of the missing items from the segments that are not finished.
	var starts [segments]Item
	open := make([]int, segments)
	for i := range open {
		open[i] = i
	}
	for len(s.Items) < n && len(open) > 0 {
		part := (n - len(s.Items) + len(open) - 1) / len(open)
		var next []int
		for _, i := range open {
			want := min(part, n-len(s.Items))
			if want <= 0 {
				return s, nil
			}
			more, err := s.scan(ctx, client, table, i, want, starts[i])
			if err != nil {
				return nil, fmt.Errorf("scan of segment %d of %d: %w", i+1, segments, err)
			}
			if starts[i] = more; more != nil {
				next = append(next, i)
			}
		}
		open = next
	}
	return s, nil
}

// scan reads up to n items of a segment with one request. It returns where the next request begins; nil at the end.
func (s *Sample) scan(ctx context.Context, client Client, table string, segment, n int, start Item) (Item, error) {
	number, total, limit := int32(segment), int32(segments), int32(n)
	out, err := client.Scan(ctx, &dynamodb.ScanInput{
		TableName: &table, Segment: &number, TotalSegments: &total, Limit: &limit, ExclusiveStartKey: start,
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, err
	}
	s.Items = append(s.Items, out.Items...)
	if c := out.ConsumedCapacity; c != nil && c.CapacityUnits != nil {
		s.Units += *c.CapacityUnits
	}
	if len(out.LastEvaluatedKey) == 0 {
		return nil, nil
	}
	return out.LastEvaluatedKey, nil
}
