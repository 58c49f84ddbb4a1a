// SPDX-License-Identifier: Apache-2.0

package ddbtest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"github.com/aws/smithy-go"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// streamed is an engine on a virtual clock with a table "t" (pk, sk) that has a stream.
type streamed struct {
	*ddbtest.Engine
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	arn     string
}

func newStreamed(tb testing.TB, view types.StreamViewType) *streamed {
	tb.Helper()
	e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)))
	tb.Cleanup(e.Close)
	s := &streamed{Engine: e, db: e.Client(), streams: e.StreamsClient()}
	out, err := s.db.CreateTable(context.Background(), &dynamodb.CreateTableInput{
		TableName: aws.String("t00"), BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}, {AttributeName: aws.String("sk"), AttributeType: types.ScalarAttributeTypeN},
		},
		KeySchema:           []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}, {AttributeName: aws.String("sk"), KeyType: types.KeyTypeRange}},
		StreamSpecification: &types.StreamSpecification{StreamEnabled: aws.Bool(true), StreamViewType: view},
	})
	if err != nil {
		tb.Fatal(err)
	}
	s.arn = aws.ToString(out.TableDescription.LatestStreamArn)
	return s
}

func streamItem(pk string, sk int, extra string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: pk}, "sk": &types.AttributeValueMemberN{Value: fmt.Sprint(sk)}, "x": &types.AttributeValueMemberS{Value: extra},
	}
}

func (s *streamed) put(tb testing.TB, pk string, sk int, extra string) {
	tb.Helper()
	if _, err := s.db.PutItem(context.Background(), &dynamodb.PutItemInput{TableName: aws.String("t00"), Item: streamItem(pk, sk, extra)}); err != nil {
		tb.Fatal(err)
	}
}

func (s *streamed) delete(tb testing.TB, pk string, sk int) {
	tb.Helper()
	key := streamItem(pk, sk, "")
	delete(key, "x")
	if _, err := s.db.DeleteItem(context.Background(), &dynamodb.DeleteItemInput{TableName: aws.String("t00"), Key: key}); err != nil {
		tb.Fatal(err)
	}
}

// shards reads all pages of DescribeStream.
func (s *streamed) shards(tb testing.TB) []streamtypes.Shard {
	tb.Helper()
	var (
		all   []streamtypes.Shard
		start *string
	)
	for {
		out, err := s.streams.DescribeStream(context.Background(), &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, Limit: aws.Int32(3), ExclusiveStartShardId: start})
		if err != nil {
			tb.Fatal(err)
		}
		all = append(all, out.StreamDescription.Shards...)
		if start = out.StreamDescription.LastEvaluatedShardId; start == nil {
			return all
		}
	}
}

func (s *streamed) iterator(shard *string, kind streamtypes.ShardIteratorType, number *string) (*string, error) {
	out, err := s.streams.GetShardIterator(context.Background(), &dynamodbstreams.GetShardIteratorInput{
		StreamArn: &s.arn, ShardId: shard, ShardIteratorType: kind, SequenceNumber: number,
	})
	if err != nil {
		return nil, err
	}
	return out.ShardIterator, nil
}

// drain reads a shard from a position to its current end; open reports whether more records may follow.
func (s *streamed) drain(tb testing.TB, it *string) (records []streamtypes.Record, open bool) {
	tb.Helper()
	for it != nil {
		out, err := s.streams.GetRecords(context.Background(), &dynamodbstreams.GetRecordsInput{ShardIterator: it, Limit: aws.Int32(7)})
		if err != nil {
			tb.Fatal(err)
		}
		records = append(records, out.Records...)
		if it = out.NextShardIterator; it != nil && len(out.Records) == 0 {
			return records, true
		}
	}
	return records, false
}

// all reads every shard from its beginning, in the order of the description.
func (s *streamed) all(tb testing.TB) []streamtypes.Record {
	tb.Helper()
	var records []streamtypes.Record
	for _, shard := range s.shards(tb) {
		it, err := s.iterator(shard.ShardId, streamtypes.ShardIteratorTypeTrimHorizon, nil)
		if err != nil {
			tb.Fatal(err)
		}
		more, _ := s.drain(tb, it)
		records = append(records, more...)
	}
	return records
}

func text(av streamtypes.AttributeValue) string {
	switch av := av.(type) {
	case *streamtypes.AttributeValueMemberS:
		return av.Value
	case *streamtypes.AttributeValueMemberN:
		return av.Value
	}
	return ""
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
func TestStreamRecords(t *testing.T) {
	for _, c := range []struct {
		view     types.StreamViewType
		old, new bool
		sizes    []int64 // keys: 2+1 + 2+2; an image: keys + 1+len(x)
	}{
		{types.StreamViewTypeKeysOnly, false, false, []int64{7, 7, 7}},
		{types.StreamViewTypeNewImage, false, true, []int64{7 + 10, 7 + 12, 7}},
		{types.StreamViewTypeOldImage, true, false, []int64{7, 7 + 10, 7 + 12}},
		{types.StreamViewTypeNewAndOldImages, true, true, []int64{7 + 10, 7 + 12 + 10, 7 + 12}},
	} {
		t.Run(string(c.view), func(t *testing.T) {
			s := newStreamed(t, c.view)
			s.put(t, "a", 1, "11")
			s.put(t, "a", 1, "11") // changes nothing
			s.put(t, "a", 1, "2222")
			s.delete(t, "a", 1)
			s.delete(t, "a", 1)
			records := s.all(t)
			if len(records) != 3 {
				t.Fatalf("%d records, want 3: a write that changes nothing has none", len(records))
			}
			last := ""
			for i, r := range records {
				d := r.Dynamodb
				if want := []streamtypes.OperationType{"INSERT", "MODIFY", "REMOVE"}[i]; r.EventName != want {
					t.Errorf("record %d is %s, want %s", i, r.EventName, want)
				}
				if aws.ToString(r.EventVersion) != "1.1" || aws.ToString(r.EventSource) != "aws:dynamodb" || len(aws.ToString(r.EventID)) != 32 || aws.ToString(r.AwsRegion) != "us-east-1" {
					t.Errorf("record %d: %+v", i, r)
				}
				if text(d.Keys["pk"]) != "a" || text(d.Keys["sk"]) != "1" || len(d.Keys) != 2 || string(d.StreamViewType) != string(c.view) {
					t.Errorf("record %d: %+v", i, d)
				}
				if n := aws.ToString(d.SequenceNumber); len(n) < 21 || n <= last {
					t.Errorf("record %d has number %s after %s", i, n, last)
				}
				last = aws.ToString(d.SequenceNumber)
				if aws.ToInt64(d.SizeBytes) != c.sizes[i] {
					t.Errorf("record %d has %d bytes, want %d", i, aws.ToInt64(d.SizeBytes), c.sizes[i])
				}
				if (d.NewImage != nil) != (c.new && i < 2) || (d.OldImage != nil) != (c.old && i > 0) {
					t.Errorf("record %d: new image %v, old image %v", i, d.NewImage, d.OldImage)
				}
				if !d.ApproximateCreationDateTime.Equal(s.Clock().Now()) || r.UserIdentity != nil {
					t.Errorf("record %d: at %v by %+v", i, d.ApproximateCreationDateTime, r.UserIdentity)
				}
			}
		})
	}
}

func TestTransactionsAndBatchesAreInTheStream(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeNewImage)
	put := func(sk int) *types.Put {
		return &types.Put{TableName: aws.String("t00"), Item: streamItem("a", sk, "x")}
	}
	if _, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: put(1)}, {Put: put(2)}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.BatchWriteItem(t.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{
		"t00": {{PutRequest: &types.PutRequest{Item: streamItem("a", 3, "x")}}},
	}}); err != nil {
		t.Fatal(err)
	}
	// A cancelled transaction leaves nothing.
	bad := put(4)
	bad.ConditionExpression = aws.String("attribute_exists(pk)")
	if _, err := s.db.TransactWriteItems(t.Context(), &dynamodb.TransactWriteItemsInput{TransactItems: []types.TransactWriteItem{{Put: put(5)}, {Put: bad}}}); err == nil {
		t.Fatal("the transaction was not cancelled")
	}
	if records := s.all(t); len(records) != 3 {
		t.Errorf("%d records, want 3", len(records))
	}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetShardIterator.html
func TestShardIterators(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeKeysOnly)
	for i := range 4 {
		s.put(t, "a", i, "x")
	}
	shard := s.shards(t)[0].ShardId
	records := s.all(t)
	second := records[1].Dynamodb.SequenceNumber
	for _, c := range []struct {
		kind   streamtypes.ShardIteratorType
		number *string
		want   int
	}{
		{streamtypes.ShardIteratorTypeTrimHorizon, nil, 4},
		{streamtypes.ShardIteratorTypeAtSequenceNumber, second, 3},
		{streamtypes.ShardIteratorTypeAfterSequenceNumber, second, 2},
		{streamtypes.ShardIteratorTypeLatest, nil, 0},
	} {
		it, err := s.iterator(shard, c.kind, c.number)
		if err != nil {
			t.Fatal(c.kind, err)
		}
		got, open := s.drain(t, it)
		if len(got) != c.want || !open {
			t.Errorf("%s: %d records, want %d; open: %v", c.kind, len(got), c.want, open)
		}
	}
	it, err := s.iterator(shard, streamtypes.ShardIteratorTypeLatest, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.put(t, "b", 1, "x")
	if got, _ := s.drain(t, it); len(got) != 1 {
		t.Errorf("LATEST sees %d records that came after it, want 1", len(got))
	}
}

func TestShardIteratorAtTimestamp(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeKeysOnly)
	start := s.Clock().Now()
	for i := range 3 {
		s.put(t, "a", i, "x")
		s.Clock().Advance(time.Minute)
	}
	shard := s.shards(t)[0].ShardId
	at := func(when time.Time) (*string, error) {
		out, err := s.streams.GetShardIterator(t.Context(), &dynamodbstreams.GetShardIteratorInput{
			StreamArn: &s.arn, ShardId: shard, ShardIteratorType: streamtypes.ShardIteratorTypeAtTimestamp, Timestamp: &when,
		})
		if err != nil {
			return nil, err
		}
		return out.ShardIterator, nil
	}
	for offset, want := range map[time.Duration]int{-time.Hour: 3, 0: 3, 30 * time.Second: 2, time.Minute: 2, 2 * time.Minute: 1, 150 * time.Second: 0} {
		it, err := at(start.Add(offset))
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := s.drain(t, it); len(got) != want {
			t.Errorf("%v after the start: %d records, want %d", offset, len(got), want)
		}
	}
	if _, err := at(start.Add(time.Hour)); code(err) != "ValidationException" {
		t.Errorf("a time in the future: %v", err)
	}
}

// code is the exception's name.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	return fmt.Sprint(err)
}

func TestStreamRefusals(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeKeysOnly)
	shard := s.shards(t)[0].ShardId
	gone := s.arn[:len(s.arn)-1] + "9"
	ctx := t.Context()
	for name, c := range map[string]struct {
		want string
		call func() error
	}{
		"stream of DescribeStream": {"ResourceNotFoundException", func() error {
			_, err := s.streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &gone})
			return err
		}},
		"limit of DescribeStream": {"ValidationException", func() error {
			_, err := s.streams.DescribeStream(ctx, &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn, Limit: aws.Int32(101)})
			return err
		}},
		"shard": {"ResourceNotFoundException", func() error {
			_, err := s.iterator(aws.String("shardId-00000001414562045508-2bac9cd2"), streamtypes.ShardIteratorTypeLatest, nil)
			return err
		}},
		"kind of iterator": {"ValidationException", func() error {
			_, err := s.iterator(shard, "NOWHERE", nil)
			return err
		}},
		"number missing": {"ValidationException", func() error {
			_, err := s.iterator(shard, streamtypes.ShardIteratorTypeAtSequenceNumber, nil)
			return err
		}},
		"number of another shard": {"ValidationException", func() error {
			_, err := s.iterator(shard, streamtypes.ShardIteratorTypeAtSequenceNumber, aws.String("199999999999999999999"))
			return err
		}},
		"forged iterator": {"ValidationException", func() error {
			_, err := s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: aws.String(s.arn + "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")})
			return err
		}},
		"limit of GetRecords": {"ValidationException", func() error {
			it, err := s.iterator(shard, streamtypes.ShardIteratorTypeLatest, nil)
			if err != nil {
				return err
			}
			_, err = s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it, Limit: aws.Int32(1001)})
			return err
		}},
		"expired iterator": {"ExpiredIteratorException", func() error {
			it, err := s.iterator(shard, streamtypes.ShardIteratorTypeLatest, nil)
			if err != nil {
				return err
			}
			s.Clock().Advance(15*time.Minute + time.Second)
			_, err = s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: it})
			return err
		}},
	} {
		if err := c.call(); code(err) != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func TestShardsRollSplitAndTrim(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeKeysOnly)
	s.put(t, "a", 1, "x")
	first := s.shards(t)[0]
	early, err := s.iterator(first.ShardId, streamtypes.ShardIteratorTypeTrimHorizon, nil)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock().Advance(4 * time.Hour)
	shards := s.shards(t)
	if len(shards) != 2 || aws.ToString(shards[1].ParentShardId) != aws.ToString(first.ShardId) {
		t.Fatalf("after four hours: %+v", shards)
	}
	if shards[0].SequenceNumberRange.EndingSequenceNumber == nil || shards[1].SequenceNumberRange.EndingSequenceNumber != nil {
		t.Errorf("the first shard must be closed and the second open")
	}
	it, err := s.iterator(first.ShardId, streamtypes.ShardIteratorTypeTrimHorizon, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, open := s.drain(t, it); len(got) != 1 || open {
		t.Errorf("the closed shard: %d records, open %v", len(got), open)
	}
	if !s.SplitShards("t00", 3) || len(s.shards(t)) != 5 {
		t.Fatalf("after a split: %d shards, want 5", len(s.shards(t)))
	}
	children, err := s.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{
		StreamArn: &s.arn, ShardFilter: &streamtypes.ShardFilter{Type: streamtypes.ShardFilterTypeChildShards, ShardId: shards[1].ShardId},
	})
	if err != nil || len(children.StreamDescription.Shards) != 3 {
		t.Errorf("children of the split shard: %v, %v", children, err)
	}
	number := s.all(t)[0].Dynamodb.SequenceNumber
	s.Clock().Advance(20*time.Hour + time.Second) // the record is a day old, but its shard was closed less than a day ago
	if _, err := s.iterator(first.ShardId, streamtypes.ShardIteratorTypeAtSequenceNumber, number); code(err) != "TrimmedDataAccessException" {
		t.Errorf("a trimmed record: %v", err)
	}
	if _, err := s.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: early}); code(err) != "ExpiredIteratorException" {
		t.Errorf("an iterator of yesterday: %v", err)
	}
	s.Clock().Advance(30 * 24 * time.Hour)
	shards = s.shards(t)
	for _, h := range shards {
		if aws.ToString(h.ShardId) == aws.ToString(first.ShardId) {
			t.Error("the first shard is still listed after a month")
		}
	}
	if len(shards) < 3 || len(shards) > 3*9 {
		t.Errorf("%d shards after a month", len(shards))
	}
}

func TestDisabledAndDeletedStreams(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeKeysOnly)
	s.put(t, "a", 1, "x")
	enable := func(on bool) error {
		spec := &types.StreamSpecification{StreamEnabled: &on}
		if on {
			spec.StreamViewType = types.StreamViewTypeNewImage
		}
		_, err := s.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: aws.String("t00"), StreamSpecification: spec})
		return err
	}
	if err := enable(true); code(err) != "ValidationException" {
		t.Errorf("enabling an enabled stream: %v", err)
	}
	if err := enable(false); err != nil {
		t.Fatal(err)
	}
	s.put(t, "a", 2, "x")
	if err := enable(true); err != nil {
		t.Fatal(err)
	}
	s.put(t, "a", 3, "x")
	d, err := s.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn})
	if err != nil || d.StreamDescription.StreamStatus != streamtypes.StreamStatusDisabled {
		t.Errorf("the old stream: %+v, %v", d, err)
	}
	if got := s.all(t); len(got) != 1 {
		t.Errorf("the old stream has %d records, want 1", len(got))
	}
	list := func() []streamtypes.Stream {
		out, err := s.streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{TableName: aws.String("t00")})
		if err != nil {
			t.Fatal(err)
		}
		return out.Streams
	}
	if got := list(); len(got) != 2 || aws.ToString(got[0].StreamArn) == aws.ToString(got[1].StreamArn) {
		t.Errorf("%d streams, want 2 different ones", len(got))
	}
	page, err := s.streams.ListStreams(t.Context(), &dynamodbstreams.ListStreamsInput{Limit: aws.Int32(1)})
	if err != nil || len(page.Streams) != 1 || page.LastEvaluatedStreamArn == nil {
		t.Errorf("a page of one stream: %+v, %v", page, err)
	}
	if _, err := s.db.DeleteTable(t.Context(), &dynamodb.DeleteTableInput{TableName: aws.String("t00")}); err != nil {
		t.Fatal(err)
	}
	if got := list(); len(got) != 2 {
		t.Errorf("%d streams of the deleted table, want 2: they stay for a day", len(got))
	}
	s.Clock().Advance(24 * time.Hour)
	if got := list(); len(got) != 0 {
		t.Errorf("%d streams a day later, want none", len(got))
	}
}

// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html
func TestTimeToLive(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeOldImage)
	now := s.Clock().Now()
	if _, err := s.db.UpdateTimeToLive(t.Context(), &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String("t00"), TimeToLiveSpecification: &types.TimeToLiveSpecification{AttributeName: aws.String("until"), Enabled: aws.Bool(true)},
	}); err != nil {
		t.Fatal(err)
	}
	at := func(d time.Duration) types.AttributeValue {
		return &types.AttributeValueMemberN{Value: fmt.Sprint(now.Add(d).Unix())}
	}
	for i, until := range []types.AttributeValue{
		at(time.Hour), at(3 * time.Hour), at(-6 * 365 * 24 * time.Hour),
		&types.AttributeValueMemberS{Value: "1"}, &types.AttributeValueMemberN{Value: "1.5"}, nil,
	} {
		item := streamItem("a", i, "x")
		if until != nil {
			item["until"] = until
		}
		if _, err := s.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("t00"), Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	count := func() int32 {
		out, err := s.db.Scan(t.Context(), &dynamodb.ScanInput{TableName: aws.String("t00"), Select: types.SelectCount})
		if err != nil {
			t.Fatal(err)
		}
		return out.Count
	}
	s.Clock().Advance(59 * time.Minute)
	if n := count(); n != 6 {
		t.Errorf("%d items before the first expires, want 6", n)
	}
	s.Clock().Advance(time.Minute)
	if n := count(); n != 5 {
		t.Errorf("%d items after an hour, want 5", n)
	}
	s.Clock().Advance(10 * time.Hour)
	if n := count(); n != 4 {
		t.Errorf("%d items at the end, want 4: those without a number of seconds, or one older than five years, stay", n)
	}
	removed := 0
	for _, r := range s.all(t) {
		if r.EventName != streamtypes.OperationTypeRemove {
			continue
		}
		removed++
		if r.UserIdentity == nil || aws.ToString(r.UserIdentity.PrincipalId) != "dynamodb.amazonaws.com" || aws.ToString(r.UserIdentity.Type) != "Service" {
			t.Errorf("identity: %+v", r.UserIdentity)
		}
	}
	if removed != 2 {
		t.Errorf("%d REMOVE records, want 2", removed)
	}
}

// Random writes on shards that roll and split: every change occurs once, and a reader that reads parents
// before children sees each item's changes in order.
func TestStreamsAgainstModel(t *testing.T) {
	longtest.Checks(t, 15)
	rapid.Check(t, func(rt *rapid.T) {
		s := newStreamed(t, types.StreamViewTypeNewAndOldImages)
		want := map[string][]string{} // by partition key: x after each change, "" for a delete
		now := map[string]string{}
		splits := 0
		steps := rapid.IntRange(1, 60).Draw(rt, "steps")
		for i := range steps {
			pk := fmt.Sprint("p", rapid.IntRange(0, 6).Draw(rt, "pk"))
			switch rapid.IntRange(0, 9).Draw(rt, "step") {
			case 0:
				n := rapid.IntRange(1, 3).Draw(rt, "n")
				if splits++; splits > 3 {
					n = 1
				}
				s.SplitShards("t00", n)
			case 1:
				s.Clock().Advance(time.Duration(rapid.IntRange(1, 150).Draw(rt, "minutes")) * time.Minute / 60)
			case 2:
				s.delete(t, pk, 0)
				if now[pk] != "" {
					want[pk] = append(want[pk], "")
				}
				delete(now, pk)
			default:
				x := fmt.Sprint(rapid.IntRange(0, 3).Draw(rt, "x"), "-", i/10)
				s.put(t, pk, 0, x)
				if now[pk] != x {
					want[pk] = append(want[pk], x)
				}
				now[pk] = x
			}
		}
		got, last := map[string][]string{}, map[string]string{}
		for _, r := range s.all(t) {
			pk := text(r.Dynamodb.Keys["pk"])
			if old := text(r.Dynamodb.OldImage["x"]); old != last[pk] {
				rt.Fatalf("%s: the old image has %q, the previous change left %q", pk, old, last[pk])
			}
			last[pk] = text(r.Dynamodb.NewImage["x"])
			got[pk] = append(got[pk], last[pk])
		}
		for pk := range want {
			if fmt.Sprint(got[pk]) != fmt.Sprint(want[pk]) {
				rt.Fatalf("%s: %v, want %v", pk, got[pk], want[pk])
			}
		}
		if len(got) != len(want) {
			rt.Fatalf("records of %d keys, want %d", len(got), len(want))
		}
	})
}

func TestStreamsUnderConcurrentWriters(t *testing.T) {
	s := newStreamed(t, types.StreamViewTypeNewImage)
	const writers, each = 16, 25
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				s.put(t, fmt.Sprint("w", w%4), w, fmt.Sprint(i))
				if i%10 == 0 {
					s.SplitShards("t00", 1)
				}
				if i == w && w%4 == 0 {
					s.SplitShards("t00", 2)
				}
			}
		})
	}
	wg.Wait()
	next := map[string]int{}
	records := s.all(t)
	for _, r := range records {
		id := text(r.Dynamodb.Keys["pk"]) + "/" + text(r.Dynamodb.Keys["sk"])
		if got := text(r.Dynamodb.NewImage["x"]); got != fmt.Sprint(next[id]) {
			t.Fatalf("%s: %s is at position %d", id, got, next[id])
		}
		next[id]++
	}
	if len(records) != writers*each {
		t.Errorf("%d records, want %d", len(records), writers*each)
	}
}
