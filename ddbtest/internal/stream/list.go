// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

const maxListed = 100

// ListStreamsInput holds the parameters of ListStreams.
type ListStreamsInput struct {
	TableName               *string
	Limit                   *int64
	ExclusiveStartStreamArn *string
}

// ListStreamsOutput is the result of ListStreams in wire format.
type ListStreamsOutput struct {
	Streams                []Summary
	LastEvaluatedStreamArn string `json:",omitempty"`
}

// Summary names a stream.
type Summary struct {
	StreamArn   string
	TableName   string
	StreamLabel string
}

// ListStreams lists the streams, those of one table if it is named, in the order of their ARNs.
func (s *Store) ListStreams(in *ListStreamsInput) (*ListStreamsOutput, error) {
	var c engine.Constraints
	if in.TableName != nil {
		c.TableName("tableName", in.TableName)
	}
	c.Range("limit", in.Limit, 1, maxListed)
	if in.ExclusiveStartStreamArn != nil {
		c.Length("exclusiveStartStreamArn", *in.ExclusiveStartStreamArn, minARN, maxARN)
	}
	if err := c.Err(); err != nil {
		return nil, err
	}
	limit := maxListed
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	now := s.now()
	out := &ListStreamsOutput{Streams: []Summary{}}
	for _, stream := range s.all() {
		if in.TableName != nil && stream.table != engine.TableOf(*in.TableName) ||
			in.ExclusiveStartStreamArn != nil && stream.arn <= *in.ExclusiveStartStreamArn || stream.gone(now) {
			continue
		}
		if len(out.Streams) == limit {
			out.LastEvaluatedStreamArn = out.Streams[limit-1].StreamArn
			break
		}
		out.Streams = append(out.Streams, Summary{StreamArn: stream.arn, TableName: stream.table, StreamLabel: stream.label})
	}
	return out, nil
}

func (s *Stream) gone(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expired(now)
}
