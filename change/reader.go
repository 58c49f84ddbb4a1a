// SPDX-License-Identifier: Apache-2.0

package change

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// maxRecords is the maximum number of records that one call of GetRecords returns.
const maxRecords = 1000

// reader reads one shard, from a checkpoint on. It is not safe for concurrent use.
type reader struct {
	client        Client
	stream, shard string
	limit         int32
	now           func() time.Time

	at       Checkpoint // after what has been read
	iterator *string    // nil: to be opened at the checkpoint
}

// page reads the next records, possibly none. end reports that the shard is closed and read to its end.
// A *DataLossError means that the next records are lost.
func (r *reader) page(ctx context.Context) (records []types.Record, end bool, err error) {
	for renewed := false; ; renewed = true {
		if r.iterator == nil {
			if err := r.open(ctx); err != nil {
				return nil, false, err
			}
		}
		out, err := r.client.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: r.iterator, Limit: &r.limit})
		if _, expired := errors.AsType[*types.ExpiredIteratorException](err); expired {
			if r.iterator = nil; !renewed {
				continue
			}
		}
		if err != nil {
			return nil, false, r.fail("GetRecords", err)
		}
		if n := len(out.Records); n > 0 {
			last := out.Records[n-1].Dynamodb
			if last == nil || last.SequenceNumber == nil {
				return nil, false, r.fail("GetRecords", errors.New("a record has no sequence number"))
			}
			r.at = Checkpoint(*last.SequenceNumber)
		}
		// The last page of a closed shard has records and no next iterator.
		r.iterator = out.NextShardIterator
		return out.Records, r.iterator == nil, nil
	}
}

// resume continues after a loss. end reports that nothing is left of the shard.
func (r *reader) resume(loss *DataLossError) (end bool) {
	r.at, r.iterator = TrimHorizon, nil
	return loss.Reason == ShardGone
}

func (r *reader) open(ctx context.Context) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &r.stream, ShardId: &r.shard}
	seq, isSeq := r.at.Seq()
	at, isTime := r.at.time()
	switch {
	case isSeq:
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, aws.String(string(seq))
	case isTime:
		in.ShardIteratorType, in.Timestamp = types.ShardIteratorTypeAtTimestamp, &at
	case r.at == latest:
		in.ShardIteratorType = types.ShardIteratorTypeLatest
	case r.at == TrimHorizon:
		in.ShardIteratorType = types.ShardIteratorTypeTrimHorizon
	default:
		return r.fail("GetShardIterator", fmt.Errorf("nothing can be read at %s", r.at))
	}
	now := r.now()
	out, err := r.client.GetShardIterator(ctx, in)
	if err != nil {
		return r.fail("GetShardIterator", err)
	}
	if r.at == latest {
		r.at = AtTime(now) // if this iterator expires unused, LATEST is another position
	}
	r.iterator = out.ShardIterator
	return nil
}

// fail wraps an error; one that means a loss becomes a *DataLossError.
func (r *reader) fail(op string, err error) error {
	reason := LossReason("")
	if _, trimmed := errors.AsType[*types.TrimmedDataAccessException](err); trimmed {
		reason = Trimmed
	} else if isNotFound(err) {
		reason = ShardGone
	}
	if reason != "" {
		return &DataLossError{Reason: reason, Stream: r.stream, Shard: r.shard, After: r.at, Err: err}
	}
	return &OpError{Op: op, Stream: r.stream, Shard: r.shard, Err: err}
}
