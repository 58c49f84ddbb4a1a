// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/engine"
)

// Limits of one answer of GetRecords:
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html
const (
	maxRecords     = 1000
	maxRecordBytes = 1 << 20
)

// GetRecordsInput holds the parameters of GetRecords.
type GetRecordsInput struct {
	ShardIterator *string
	Limit         *int64
}

// GetRecords reads a page of a shard and returns the answer in wire format. The answer has no next
// iterator when the shard is closed and read to its end.
func (s *Store) GetRecords(in *GetRecordsInput) ([]byte, error) {
	var c engine.Constraints
	if c.Required("shardIterator", in.ShardIterator != nil) {
		c.Length("shardIterator", *in.ShardIterator, 1, 2048)
	}
	c.Range("limit", in.Limit, 1, maxRecords)
	if err := c.Err(); err != nil {
		return nil, err
	}
	it, ok := parseIterator(*in.ShardIterator)
	if !ok {
		return nil, invalid("Invalid ShardIterator")
	}
	stream, now, err := s.find(it.stream)
	if err != nil {
		return nil, err
	}
	if now.Sub(it.issued) > iteratorLife {
		stream.mu.Unlock()
		return nil, &engine.Error{Type: expiredIteratorException, Message: "Iterator has expired"}
	}
	limit := maxRecords
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	page, more, err := stream.page(&it, limit)
	stream.mu.Unlock() // records do not change
	if err != nil {
		return nil, err
	}
	b := append(make([]byte, 0, 512*(len(page)+1)), '{')
	if more {
		it.issued = now
		b = append(append(append(b, `"NextShardIterator":"`...), it.String()...), `",`...)
	}
	b = append(b, `"Records":[`...)
	for i := range page {
		if i > 0 {
			b = append(b, ',')
		}
		b = page[i].appendJSON(b, stream, s.region)
	}
	return append(b, `]}`...), nil
}

// page returns the next records of a shard and moves the iterator after them. more reports whether there are, or may
// still be, records after it. The caller holds mu.
func (s *Stream) page(it *iterator, limit int) (page []record, more bool, err error) {
	shard := s.shard(it.shard)
	if shard == nil || it.next <= shard.trimmed {
		return nil, false, trimmedAccess()
	}
	i, _ := slices.BinarySearchFunc(shard.records, it.next, func(r record, n uint64) int { return compare(r.number, n) })
	rest, size := shard.records[i:], 0
	for n := range rest {
		if size += rest[n].size(s.view); n == limit || n > 0 && size > maxRecordBytes {
			break
		}
		page = rest[:n+1]
	}
	if len(page) > 0 {
		it.next = page[len(page)-1].number + 1
	}
	// The array is trimmed in place, so the page needs a copy.
	return slices.Clone(page), shard.closed.IsZero() || len(page) < len(rest), nil
}
