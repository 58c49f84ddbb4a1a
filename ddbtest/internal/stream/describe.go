// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// The lengths of the ARN of a stream.
const (
	minARN = 37
	maxARN = 1024
)

const maxDescribed = 100

// The lengths of the id of a shard.
const (
	minShardID = 28
	maxShardID = 65
)

// DescribeStreamInput holds the parameters of DescribeStream.
type DescribeStreamInput struct {
	StreamArn             *string
	Limit                 *int64
	ExclusiveStartShardID *string
	ShardFilter           *ShardFilter
}

// ShardFilter limits a description to the children of a shard.
type ShardFilter struct {
	Type    *string
	ShardID *string
}

// Description describes a stream in wire format.
type Description struct {
	StreamArn               string
	StreamLabel             string
	StreamStatus            string
	StreamViewType          string
	CreationRequestDateTime float64
	TableName               string
	KeySchema               []KeyElement
	Shards                  []ShardDescription
	LastEvaluatedShardID    string `json:"LastEvaluatedShardId,omitempty"`
}

// KeyElement is one attribute of the table's key.
type KeyElement struct {
	AttributeName string
	KeyType       string
}

// ShardDescription describes a shard in wire format.
type ShardDescription struct {
	ShardID             string `json:"ShardId"`
	SequenceNumberRange Range
	ParentShardID       string `json:"ParentShardId,omitempty"`
}

// Range is the range of sequence numbers of a shard; an open shard has no end.
type Range struct {
	StartingSequenceNumber string
	EndingSequenceNumber   string `json:",omitempty"`
}

// DescribeStream describes a stream and a page of its shards, parents before their children.
func (s *Store) DescribeStream(in *DescribeStreamInput) (*Description, error) {
	var c engine.Constraints
	if c.Required("streamArn", in.StreamArn != nil) {
		c.Length("streamArn", *in.StreamArn, minARN, maxARN)
	}
	c.Range("limit", in.Limit, 1, maxDescribed)
	if in.ExclusiveStartShardID != nil {
		c.Length("exclusiveStartShardId", *in.ExclusiveStartShardID, minShardID, maxShardID)
	}
	if f := in.ShardFilter; f != nil {
		c.Enum("shardFilter.type", f.Type, "[CHILD_SHARDS]")
		if f.ShardID != nil {
			c.Length("shardFilter.shardId", *f.ShardID, minShardID, maxShardID)
		}
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	stream, _, err := s.find(*in.StreamArn)
	if err != nil {
		return nil, err
	}
	defer stream.mu.Unlock()
	shards := stream.shards
	if f := in.ShardFilter; f != nil {
		if f.Type == nil || f.ShardID == nil {
			return nil, invalid("ShardFilter needs a Type and a ShardId")
		}
		shards = slices.DeleteFunc(slices.Clone(shards), func(h *Shard) bool { return h.parent != *f.ShardID })
	}
	if in.ExclusiveStartShardID != nil {
		// Ids begin with the time of creation, so the position of a removed shard is known too.
		i, found := slices.BinarySearchFunc(shards, *in.ExclusiveStartShardID, func(h *Shard, id string) int {
			switch {
			case h.id < id:
				return -1
			case h.id > id:
				return 1
			}
			return 0
		})
		if found {
			i++
		}
		shards = shards[i:]
	}
	limit := maxDescribed
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	d := stream.describe()
	if len(shards) > limit {
		shards = shards[:limit]
		d.LastEvaluatedShardID = shards[limit-1].id
	}
	for _, h := range shards {
		d.Shards = append(d.Shards, h.describe())
	}
	return d, nil
}

func (s *Stream) describe() *Description {
	d := &Description{
		StreamArn: s.arn, StreamLabel: s.label, StreamStatus: "ENABLED", StreamViewType: s.view,
		CreationRequestDateTime: float64(s.created.UnixMilli()) / 1000, TableName: s.table, Shards: []ShardDescription{},
	}
	if !s.disabled.IsZero() {
		d.StreamStatus = "DISABLED"
	}
	for _, a := range s.key.Hash {
		d.KeySchema = append(d.KeySchema, KeyElement{a.Name, "HASH"})
	}
	for _, a := range s.key.Range {
		d.KeySchema = append(d.KeySchema, KeyElement{a.Name, "RANGE"})
	}
	return d
}

func (h *Shard) describe() ShardDescription {
	d := ShardDescription{ShardID: h.id, ParentShardID: h.parent}
	d.SequenceNumberRange.StartingSequenceNumber = sequenceNumber(h.first)
	if h.ending != 0 {
		d.SequenceNumberRange.EndingSequenceNumber = sequenceNumber(h.ending)
	}
	return d
}
