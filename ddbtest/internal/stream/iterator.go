// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// iteratorLife is how long a shard iterator can be used:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
const iteratorLife = 15 * time.Minute

// The ways to place an iterator.
const (
	trimHorizon   = "TRIM_HORIZON"
	latest        = "LATEST"
	atSequence    = "AT_SEQUENCE_NUMBER"
	afterSequence = "AFTER_SEQUENCE_NUMBER"
	atTimestamp   = "AT_TIMESTAMP"

	iteratorSet = "[AFTER_SEQUENCE_NUMBER, LATEST, AT_SEQUENCE_NUMBER, TRIM_HORIZON, AT_TIMESTAMP]"
)

// The exceptions of streams.
const (
	expiredIteratorException   = "ExpiredIteratorException"
	trimmedDataAccessException = "TrimmedDataAccessException"
)

// GetShardIteratorInput holds the parameters of GetShardIterator.
type GetShardIteratorInput struct {
	StreamArn         *string
	ShardID           *string
	ShardIteratorType *string
	SequenceNumber    *string
	Timestamp         *time.Time
}

// GetShardIterator places an iterator in a shard.
func (s *Store) GetShardIterator(in *GetShardIteratorInput) (string, error) {
	if err := in.check(); err != nil {
		return "", err
	}
	stream, now, err := s.find(*in.StreamArn)
	if err != nil {
		return "", err
	}
	defer stream.mu.Unlock()
	shard := stream.shard(*in.ShardID)
	if shard == nil {
		return "", notFound("Requested resource not found: Shard: " + *in.ShardID + " in Stream: " + *in.StreamArn + " not found")
	}
	it := iterator{stream: stream.arn, shard: shard.id, issued: now}
	switch *in.ShardIteratorType {
	case trimHorizon:
		it.next = shard.trimmed + 1
	case latest:
		it.next = stream.last + 1
	case atTimestamp:
		if in.Timestamp.After(now) {
			return "", invalid("Timestamp is in the future")
		}
		i, _ := slices.BinarySearchFunc(shard.records, *in.Timestamp, func(r record, t time.Time) int {
			return r.at.Truncate(time.Second).Compare(t.Truncate(time.Second))
		})
		if it.next = stream.last + 1; i < len(shard.records) {
			it.next = shard.records[i].number
		}
	default:
		n, ok := parseSequenceNumber(*in.SequenceNumber)
		if !ok || n < shard.first || n > stream.last || shard.ending != 0 && n > shard.ending {
			return "", invalid("Invalid SequenceNumber: " + *in.SequenceNumber + " is not in the range of the shard")
		}
		if *in.ShardIteratorType == afterSequence {
			n++
		}
		if n <= shard.trimmed {
			return "", trimmedAccess()
		}
		it.next = n
	}
	return it.String(), nil
}

func (in *GetShardIteratorInput) check() error {
	var c engine.Constraints
	if c.Required("streamArn", in.StreamArn != nil) {
		c.Length("streamArn", *in.StreamArn, minARN, maxARN)
	}
	if c.Required("shardId", in.ShardID != nil) {
		c.Length("shardId", *in.ShardID, minShardID, maxShardID)
	}
	c.Required("shardIteratorType", in.ShardIteratorType != nil)
	c.Enum("shardIteratorType", in.ShardIteratorType, iteratorSet)
	if in.SequenceNumber != nil {
		c.Length("sequenceNumber", *in.SequenceNumber, 21, 40)
	}
	if err := c.Err(); err != nil {
		return err
	}
	kind := *in.ShardIteratorType
	switch byNumber := kind == atSequence || kind == afterSequence; {
	case byNumber && in.SequenceNumber == nil:
		return invalid("SequenceNumber is required for ShardIteratorType " + kind)
	case !byNumber && in.SequenceNumber != nil:
		return invalid("SequenceNumber must not be given for ShardIteratorType " + kind)
	case kind == atTimestamp && in.Timestamp == nil:
		return invalid("Timestamp is required for ShardIteratorType " + kind)
	}
	return nil
}

func trimmedAccess() error {
	return &engine.Error{Type: trimmedDataAccessException, Message: "The operation tried to read past the oldest stream record in a shard."}
}

// iterator is a place in a shard.
type iterator struct {
	stream, shard string
	next          uint64 // the sequence number at which reading continues
	issued        time.Time
}

// String returns the iterator in the form that clients get.
func (i iterator) String() string {
	b := binary.BigEndian.AppendUint64(nil, i.next)
	b = binary.BigEndian.AppendUint64(b, uint64(i.issued.UnixNano()))
	b = append(b, i.shard...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(append(b, i.stream...)))
	return i.stream + "|1|" + base64.StdEncoding.EncodeToString(b)
}

func parseIterator(text string) (i iterator, ok bool) {
	const numbers, sum = 16, 4
	stream, encoded, found := strings.Cut(text, "|1|")
	b, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(b) < numbers+sum {
		return i, false
	}
	b, check := b[:len(b)-sum], b[len(b)-sum:]
	if crc32.ChecksumIEEE(append(slices.Clone(b), stream...)) != binary.BigEndian.Uint32(check) {
		return i, false
	}
	return iterator{
		stream: stream, shard: string(b[numbers:]), next: binary.BigEndian.Uint64(b),
		issued: time.Unix(0, int64(binary.BigEndian.Uint64(b[8:]))),
	}, true
}
