// SPDX-License-Identifier: Apache-2.0

package protocol

import (
	"math"
	"strconv"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/stream"
)

const streamPrefix = "DynamoDBStreams_20120810."

// streamOperations maps targets to operations of streams.
var streamOperations = map[string]func(*stream.Store, *reader) ([]byte, error){
	streamPrefix + "ListStreams":      listStreams,
	streamPrefix + "DescribeStream":   describeStream,
	streamPrefix + "GetShardIterator": getShardIterator,
	streamPrefix + "GetRecords":       getRecords,
}

var listStreamsStructure = structure[stream.ListStreamsInput]{
	{"TableName", func(r *reader, in *stream.ListStreamsInput) { in.TableName = r.str() }},
	{"Limit", func(r *reader, in *stream.ListStreamsInput) { in.Limit = r.integer("Integer") }},
	{"ExclusiveStartStreamArn", func(r *reader, in *stream.ListStreamsInput) { in.ExclusiveStartStreamArn = r.str() }},
}

func listStreams(s *stream.Store, r *reader) ([]byte, error) {
	var in stream.ListStreamsInput
	if err := readInput(r, listStreamsStructure, &in); err != nil {
		return nil, err
	}
	return result(s.ListStreams(&in))
}

var shardFilterStructure = structure[stream.ShardFilter]{
	{"Type", func(r *reader, to *stream.ShardFilter) { to.Type = r.str() }},
	{"ShardId", func(r *reader, to *stream.ShardFilter) { to.ShardID = r.str() }},
}

var describeStreamStructure = structure[stream.DescribeStreamInput]{
	{"StreamArn", func(r *reader, in *stream.DescribeStreamInput) { in.StreamArn = r.str() }},
	{"Limit", func(r *reader, in *stream.DescribeStreamInput) { in.Limit = r.integer("Integer") }},
	{"ExclusiveStartShardId", func(r *reader, in *stream.DescribeStreamInput) { in.ExclusiveStartShardID = r.str() }},
	{"ShardFilter", func(r *reader, in *stream.DescribeStreamInput) { in.ShardFilter = readPointer(r, shardFilterStructure) }},
}

func describeStream(s *stream.Store, r *reader) ([]byte, error) {
	var in stream.DescribeStreamInput
	if err := readInput(r, describeStreamStructure, &in); err != nil {
		return nil, err
	}
	d, err := s.DescribeStream(&in)
	return result(map[string]any{"StreamDescription": d}, err)
}

var shardIteratorStructure = structure[stream.GetShardIteratorInput]{
	{"StreamArn", func(r *reader, in *stream.GetShardIteratorInput) { in.StreamArn = r.str() }},
	{"ShardId", func(r *reader, in *stream.GetShardIteratorInput) { in.ShardID = r.str() }},
	{"ShardIteratorType", func(r *reader, in *stream.GetShardIteratorInput) { in.ShardIteratorType = r.str() }},
	{"SequenceNumber", func(r *reader, in *stream.GetShardIteratorInput) { in.SequenceNumber = r.str() }},
	{"Timestamp", func(r *reader, in *stream.GetShardIteratorInput) { in.Timestamp = r.timestamp() }},
}

// timestamp reads a time, seconds since 1970 with a fraction, or nil for null.
func (r *reader) timestamp() *time.Time {
	if r.null() {
		return nil
	}
	seconds, err := strconv.ParseFloat(string(r.number()), 64)
	if err != nil {
		r.fail(malformed())
		return nil
	}
	t := time.UnixMilli(int64(math.Round(seconds * 1000)))
	return &t
}

func getShardIterator(s *stream.Store, r *reader) ([]byte, error) {
	var in stream.GetShardIteratorInput
	if err := readInput(r, shardIteratorStructure, &in); err != nil {
		return nil, err
	}
	it, err := s.GetShardIterator(&in)
	return result(map[string]any{"ShardIterator": it}, err)
}

var getRecordsStructure = structure[stream.GetRecordsInput]{
	{"ShardIterator", func(r *reader, in *stream.GetRecordsInput) { in.ShardIterator = r.str() }},
	{"Limit", func(r *reader, in *stream.GetRecordsInput) { in.Limit = r.integer("Integer") }},
}

func getRecords(s *stream.Store, r *reader) ([]byte, error) {
	var in stream.GetRecordsInput
	if err := readInput(r, getRecordsStructure, &in); err != nil {
		return nil, err
	}
	return s.GetRecords(&in)
}
