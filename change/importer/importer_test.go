// SPDX-License-Identifier: Apache-2.0

package importer_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
	"go.uber.org/goleak"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/change/importer"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/schema"
)

func TestMain(m *testing.M) {
	longtest.CollectLess()
	goleak.VerifyTestMain(m)
}

type row struct {
	ID string `dynamodbav:"id"`
	N  int    `dynamodbav:"n"`
}

// world is an engine with a streamed table, and a processor like that of Excalibur.
type world struct {
	*ddbtest.Engine
	db        *dynamodb.Client
	streams   *dynamodbstreams.Client
	arn       string
	n         int
	positions map[string]string
}

func newWorld(t *testing.T) *world {
	t.Helper()
	e := ddbtest.NewEngine()
	t.Cleanup(e.Close)
	w := &world{Engine: e, db: e.Client(), streams: e.StreamsClient(), positions: map[string]string{}}
	rows, err := ddb.NewSimple(w.db, "rows", ddb.StrField(func(r *row) *string { return &r.ID }))
	if err == nil {
		err = rows.CreateTable(t.Context(), schema.Stream(types.StreamViewTypeNewAndOldImages))
	}
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: aws.String("rows")})
	if err != nil {
		t.Fatal(err)
	}
	w.arn = *out.Table.LatestStreamArn
	return w
}

// write makes n changes, each of one item, with consecutive numbers.
func (w *world) write(t *testing.T, n int) {
	t.Helper()
	for range n {
		w.n++
		if _, err := w.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("rows"), Item: map[string]types.AttributeValue{
			"id": &types.AttributeValueMemberS{Value: fmt.Sprint(w.n % 5)}, "n": &types.AttributeValueMemberN{Value: fmt.Sprint(w.n)},
		}}); err != nil {
			t.Fatal(err)
		}
	}
}

// handle reads up to n changes of each shard, as the old processor does, and returns their numbers.
func (w *world) handle(t *testing.T, n int) (handled []string) {
	t.Helper()
	out, err := w.streams.DescribeStream(t.Context(), &dynamodbstreams.DescribeStreamInput{StreamArn: &w.arn})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.StreamDescription.Shards {
		in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &w.arn, ShardId: s.ShardId, ShardIteratorType: streamtypes.ShardIteratorTypeTrimHorizon}
		if seq := w.positions[*s.ShardId]; seq != "" {
			in.ShardIteratorType, in.SequenceNumber = streamtypes.ShardIteratorTypeAfterSequenceNumber, &seq
		}
		it, err := w.streams.GetShardIterator(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		recs, err := w.streams.GetRecords(t.Context(), &dynamodbstreams.GetRecordsInput{ShardIterator: it.ShardIterator, Limit: aws.Int32(int32(n))})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs.Records {
			handled = append(handled, r.Dynamodb.NewImage["n"].(*streamtypes.AttributeValueMemberN).Value)
			w.positions[*s.ShardId] = *r.Dynamodb.SequenceNumber
		}
	}
	return handled
}

// state is the item as Excalibur stores it.
func (w *world) state(t *testing.T, more map[string]any) map[string]types.AttributeValue {
	t.Helper()
	p := map[string]any{"streamArn": w.arn, "shardPositions": w.positions, "timestamp": "2026-03-01T10:00:00.1234567+00:00"}
	maps.Copy(p, more)
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]types.AttributeValue{
		"pk":           &types.AttributeValueMemberS{Value: "orders"},
		"positionData": &types.AttributeValueMemberS{Value: base64.StdEncoding.EncodeToString(text)},
		"updatedAt":    &types.AttributeValueMemberS{Value: "2026-03-01T10:00:00.1234567+00:00"},
		"eventCount":   &types.AttributeValueMemberN{Value: "1"},
	}
}

func (w *world) seed(t *testing.T, item map[string]types.AttributeValue) {
	t.Helper()
	if _, err := w.db.CreateTable(t.Context(), &dynamodb.CreateTableInput{
		TableName: aws.String("CdcState"), BillingMode: types.BillingModePayPerRequest,
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("pk"), KeyType: types.KeyTypeHash}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("pk"), AttributeType: types.ScalarAttributeTypeS}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.db.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: aws.String("CdcState"), Item: item}); err != nil {
		t.Fatal(err)
	}
}

func (w *world) read(t *testing.T) (importer.State, error) {
	t.Helper()
	for s, err := range importer.Excalibur(w.db, "CdcState")(t.Context()) {
		return s, err
	}
	t.Fatal("no state")
	return importer.State{}, nil
}

// consume runs a consumer of the app until it gets no more changes, and returns their numbers.
func (w *world) consume(t *testing.T, store change.Store, opts ...change.Option) []string {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	c, err := change.NewConsumer(w.streams, change.OfTable("rows"), "app", store, change.Each(func(_ context.Context, c change.Change[row]) error {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, fmt.Sprint(c.New.N))
		return nil
	}), append(opts, change.PollInterval(20*time.Second))...)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	if err := c.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return seen
}

func numbers(from, to int) []string {
	var list []string
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprint(n))
	}
	return list
}

// TestConsumerContinuesAfterImport: wherever the processor has stopped, over splits of shards, the consumer gets the remaining changes, in the order of each item.
func TestConsumerContinuesAfterImport(t *testing.T) {
	for steps := range 12 {
		t.Run(fmt.Sprint(steps), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.write(t, 10)
				w.SplitShards("rows", 2)
				w.write(t, 10)
				w.SplitShards("rows", 2)
				w.write(t, 10)
				var handled []string
				// The processor reads all shards at the same time, children before the ends of their parents, and stops in the middle.
				for range steps {
					handled = append(handled, w.handle(t, 3)...)
				}
				if steps == 0 {
					w.positions = map[string]string{}
				}
				w.seed(t, w.state(t, nil))
				state, err := w.read(t)
				if err != nil || state.Processor != "orders" || state.Stream != w.arn || len(state.Shards) != len(w.positions) {
					t.Fatalf("%+v, %v", state, err)
				}
				if steps == 0 {
					state.At = time.Time{}
				}
				store := new(change.MemoryStore)
				if _, err := importer.Import(t.Context(), w.streams, state, "app", store); err != nil {
					t.Fatal(err)
				}
				got := w.consume(t, store, change.StartFrom(change.FromLatest()))
				all := append(slices.Clone(handled), got...)
				slices.Sort(all)
				all = slices.Compact(all)
				want := numbers(1, 30)
				slices.Sort(want)
				if !slices.Equal(all, want) {
					t.Errorf("handled before %v, then %v", handled, got)
				}
				for _, n := range got {
					if slices.Contains(handled, n) {
						t.Errorf("%s is delivered again", n)
					}
				}
			})
		})
	}
}

// TestFinishedAncestors: a shard that the processor has finished and forgotten is not read again if one of its children was begun.
func TestFinishedAncestors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.write(t, 5)
		first := w.handle(t, 100)
		finished := maps.Clone(w.positions)
		w.SplitShards("rows", 2)
		w.write(t, 5)
		second := w.handle(t, 100)
		for shard := range finished {
			delete(w.positions, shard)
		}
		gone := map[string]string{"shardId-00000000000000000000-00000000": "1"}
		maps.Copy(gone, w.positions)
		w.positions = gone
		w.write(t, 5)
		w.seed(t, w.state(t, nil))
		state, err := w.read(t)
		if err != nil {
			t.Fatal(err)
		}
		store := new(change.MemoryStore)
		r, err := importer.Import(t.Context(), w.streams, state, "app", store)
		if err != nil || r.Gone != 1 || r.Finished < 1 || r.Resumed != len(w.positions)-1 {
			t.Errorf("%+v, %v", r, err)
		}
		if got := w.consume(t, store); len(first) != 5 || len(second) != 5 || len(got) != 5 || slices.ContainsFunc(got, func(n string) bool { return slices.Contains(append(first, second...), n) }) {
			t.Errorf("%v, %v, then %v", first, second, got)
		}
		if _, err := importer.Import(t.Context(), w.streams, state, "app", store); !errors.Is(err, importer.ErrBegun) {
			t.Errorf("a second import: %v", err)
		}
	})
}

// TestImportWithoutProgress: for a processor that has handled nothing yet, the consumer begins where the processor would have.
func TestImportWithoutProgress(t *testing.T) {
	for what, tc := range map[string]struct {
		at   func() any
		want int
	}{
		"at the oldest change": {func() any { return nil }, 10},
		"at a time":            {func() any { return time.Now().UTC().Format("2006-01-02T15:04:05.0000000+00:00") }, 5},
	} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.write(t, 5)
				w.Clock().Advance(time.Hour)
				at := tc.at()
				if at != nil {
					at = w.Clock().Now().UTC().Format("2006-01-02T15:04:05.0000000+00:00")
				}
				w.Clock().Advance(time.Hour)
				w.write(t, 5)
				w.seed(t, w.state(t, map[string]any{"timestamp": at}))
				state, err := w.read(t)
				if err != nil {
					t.Fatal(err)
				}
				store := new(change.MemoryStore)
				if _, err := importer.Import(t.Context(), w.streams, state, "app", store); err != nil {
					t.Fatal(err)
				}
				if got := w.consume(t, store, change.StartFrom(change.FromLatest())); len(got) != tc.want {
					t.Errorf("%v", got)
				}
			})
		})
	}
}

func TestMalformed(t *testing.T) {
	text := func(v string) types.AttributeValue { return &types.AttributeValueMemberS{Value: v} }
	encoded := func(v string) types.AttributeValue {
		return text(base64.StdEncoding.EncodeToString([]byte(v)))
	}
	for what, tc := range map[string]struct {
		position types.AttributeValue
		want     string
	}{
		"no base64":   {text("secret!"), "base64"},
		"not JSON":    {encoded("secret"), "JSON"},
		"no stream":   {encoded(`{"shardPositions":{"a":"1"}}`), "names no stream"},
		"no sequence": {encoded(`{"streamArn":"arn","shardPositions":{"a":"secret"}}`), "sequence number"},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t)
			w.seed(t, map[string]types.AttributeValue{"pk": text("orders"), "positionData": tc.position})
			if _, err := w.read(t); !errors.Is(err, importer.ErrMalformed) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v", err)
			}
		})
	}
	w := newWorld(t)
	if _, err := importer.Import(t.Context(), nil, importer.State{}, "", nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("bad input: %v", err)
	}
	store := new(change.MemoryStore)
	if _, err := importer.Import(t.Context(), w.streams, importer.State{Stream: w.arn + "9", Shards: map[string]string{"a": "1"}}, "app", store); err == nil {
		t.Error("a missing stream")
	}
	if leases, err := store.Leases(t.Context(), "app"); err != nil || len(leases) != 0 {
		t.Errorf("%v, %v", leases, err)
	}
}
