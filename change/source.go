// SPDX-License-Identifier: Apache-2.0

package change

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// Source is the stream to read: of a table, or by its ARN.
type Source struct{ table, arn string }

// OfTable returns the stream of a table, by the table's name. When the stream is disabled and another one is
// enabled, a [Consumer] reads the old one to its end and continues with the new one.
func OfTable(name string) Source { return Source{table: name} }

// OfStream returns the stream with an ARN, such as table.LatestStreamArn of DescribeTable.
func OfStream(arn string) Source { return Source{arn: arn} }

// String returns the table's name or the stream's ARN.
func (s Source) String() string { return cmp.Or(s.arn, s.table) }

// streams lists the ARNs of the source's streams, oldest first.
func (s Source) streams(ctx context.Context, client Client) ([]string, error) {
	if s.arn != "" {
		return []string{s.arn}, nil
	}
	var (
		found []types.Stream
		in    = &dynamodbstreams.ListStreamsInput{TableName: &s.table}
	)
	for {
		out, err := client.ListStreams(ctx, in)
		if isNotFound(err) {
			break
		}
		if err != nil {
			return nil, &OpError{Op: "ListStreams", Stream: s.table, Err: err}
		}
		found = append(found, out.Streams...)
		if in.ExclusiveStartStreamArn = out.LastEvaluatedStreamArn; in.ExclusiveStartStreamArn == nil {
			break
		}
	}
	if len(found) == 0 {
		return nil, &OpError{Op: "ListStreams", Stream: s.table, Err: ErrStreamNotFound}
	}
	// A label is the time at which its stream was enabled.
	slices.SortFunc(found, func(a, b types.Stream) int {
		return cmp.Compare(aws.ToString(a.StreamLabel), aws.ToString(b.StreamLabel))
	})
	arns := make([]string, len(found))
	for i := range found {
		arns[i] = aws.ToString(found[i].StreamArn)
	}
	return arns, nil
}

// shard is a shard as the service describes it.
type shard struct {
	id, parent string
	closed     bool
}

// description is a stream with all its shards.
type description struct {
	shards   []shard
	disabled bool
	at       time.Time // by the service's clock; zero if the reply does not have it
}

func (d *description) has(id string) bool {
	return slices.ContainsFunc(d.shards, func(s shard) bool { return s.id == id })
}

// continues reports whether a shard has children.
func (d *description) continues(id string) bool {
	return slices.ContainsFunc(d.shards, func(s shard) bool { return s.parent == id })
}

// describe reads all pages of the description of a stream; with childrenOf only the children of a shard.
func describe(ctx context.Context, client Client, stream, childrenOf string) (*description, error) {
	d := &description{}
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &stream}
	if childrenOf != "" {
		in.ShardFilter = &types.ShardFilter{Type: types.ShardFilterTypeChildShards, ShardId: &childrenOf}
	}
	seen := make(map[string]bool)
	for {
		out, err := client.DescribeStream(ctx, in)
		if isNotFound(err) {
			err = ErrStreamNotFound
		}
		if err != nil {
			return nil, &OpError{Op: "DescribeStream", Stream: stream, Err: err}
		}
		if d.at.IsZero() {
			d.at, _ = awsmiddleware.GetServerTime(out.ResultMetadata)
		}
		sd := out.StreamDescription
		if sd == nil {
			return d, nil
		}
		d.disabled = sd.StreamStatus == types.StreamStatusDisabled
		for _, s := range sd.Shards {
			id := aws.ToString(s.ShardId)
			if seen[id] || childrenOf != "" && aws.ToString(s.ParentShardId) != childrenOf { // an engine without filters
				continue
			}
			seen[id] = true
			d.shards = append(d.shards, shard{
				id: id, parent: aws.ToString(s.ParentShardId),
				closed: s.SequenceNumberRange != nil && s.SequenceNumberRange.EndingSequenceNumber != nil,
			})
		}
		if in.ExclusiveStartShardId = sd.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return d, nil
		}
	}
}
