// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	streamtypes "github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/schema"
)

type (
	groupID string
	rowID   int64
)

// row is the item of the streamed tables.
type row struct {
	Group groupID `dynamodbav:"group"`
	ID    rowID   `dynamodbav:"id"`
	N     int64   `dynamodbav:"n"`
	TTL   int64   `dynamodbav:"ttl,omitempty"`
}

var (
	rowGroup = ddb.StrField(func(r *row) *groupID { return &r.Group })
	rowKey   = ddb.NumField(func(r *row) *rowID { return &r.ID })
	rowTTL   = ddb.NumField(func(r *row) *int64 { return &r.TTL })
)

// world is an engine with a streamed table. Its clock is that of the bubble in which it is created.
type world struct {
	*ddbtest.Engine
	db      *dynamodb.Client
	streams *dynamodbstreams.Client
	rows    *ddb.Table[row, groupID, rowID]
}

func newWorld(t testing.TB, opts ...ddbtest.Option) *world {
	t.Helper()
	e := ddbtest.NewEngine(opts...)
	t.Cleanup(e.Close)
	w := &world{Engine: e, db: e.Client(), streams: e.StreamsClient()}
	var err error
	if w.rows, err = ddb.New(w.db, "rows", rowGroup, rowKey, ddb.TTL(rowTTL)); err == nil {
		err = w.rows.CreateTable(t.Context(), schema.Stream(types.StreamViewTypeNewAndOldImages))
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) put(t testing.TB, group groupID, id rowID, n int64) {
	t.Helper()
	if err := w.rows.Put(t.Context(), &row{Group: group, ID: id, N: n}); err != nil {
		t.Fatal(err)
	}
}

// setStream switches the table's stream on or off.
func (w *world) setStream(t testing.TB, on bool) {
	t.Helper()
	spec := &types.StreamSpecification{StreamEnabled: &on}
	if on {
		spec.StreamViewType = types.StreamViewTypeNewAndOldImages
	}
	name := "rows"
	if _, err := w.db.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{TableName: &name, StreamSpecification: spec}); err != nil {
		t.Fatal(err)
	}
}

func text(c change.Change[row]) string {
	n := int64(-1)
	if c.New != nil {
		n = c.New.N
	}
	return fmt.Sprintf("%s %s/%d=%d", c.Kind, c.Keys.Group, c.Keys.ID, n)
}

func newStream(t testing.TB, w *world, opts ...change.Option) *change.Stream[row] {
	t.Helper()
	s, err := change.NewStream[row](w.streams, change.OfTable("rows"), opts...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStreamYieldsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		var want []string
		for n := range int64(40) {
			kind := "MODIFY"
			if n == 0 {
				kind = "INSERT"
			}
			w.put(t, "a", 1, n)
			want = append(want, fmt.Sprintf("%s a/1=%d", kind, n))
			if n%8 == 3 {
				w.SplitShards("rows", 1+int(n)%3)
			}
		}
		if err := w.rows.Delete(t.Context(), "a", 1); err != nil {
			t.Fatal(err)
		}
		want = append(want, "REMOVE a/1=-1")
		w.setStream(t, false) // disabled, so that the loop ends

		s := newStream(t, w)
		for range 2 { // it can be ranged again
			var got []string
			last := change.Seq("")
			for c, err := range s.All(t.Context(), change.FromHorizon()) {
				if err != nil {
					t.Fatal(err)
				}
				if !c.Seq.After(last) || c.Shard == "" || c.EventID == "" || c.ApproxTime.IsZero() || (c.Old == nil) != (c.Kind == change.Insert) {
					t.Errorf("%+v", c)
				}
				last = c.Seq
				got = append(got, text(c))
			}
			if strings.Join(got, ";") != strings.Join(want, ";") {
				t.Fatalf("got %v", got)
			}
		}
	})
}

// A running loop gets changes that are written later, over splits and rolls, and ends with its context.
func TestStreamFollows(t *testing.T) {
	t.Parallel()
	for _, poll := range []time.Duration{5 * time.Minute, 80 * time.Minute} { // the latter is longer than iterators live
		synctest.Test(t, func(t *testing.T) { follow(t, poll) })
	}
}

func follow(t *testing.T, poll time.Duration) {
	w := newWorld(t)
	w.put(t, "a", 1, 0)
	wait(2 * time.Second)
	ctx, cancel := context.WithCancel(t.Context())
	got := make(chan string, 100)
	done := make(chan error, 1)
	go func() {
		for c, err := range newStream(t, w, change.PageLimit(2), change.PollInterval(poll)).All(ctx, change.FromLatest()) {
			if err != nil {
				done <- err
				continue
			}
			got <- text(c)
		}
		close(done)
	}()
	synctest.Wait()
	for n := int64(1); n <= 12; n++ {
		w.put(t, "a", 1, n)
		if text := <-got; text != fmt.Sprintf("MODIFY a/1=%d", n) {
			t.Errorf("change %d is %s", n, text)
		}
		if n%3 == 0 {
			w.SplitShards("rows", 2)
		}
		wait(time.Duration(n) * 20 * time.Minute) // shards roll and iterators expire
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
	if _, more := <-done; more {
		t.Error("it continued after its error")
	}
}

func TestStreamStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		begin := time.Now()
		for n := range int64(12) {
			w.put(t, "a", 1, n)
			if n%4 == 0 {
				w.SplitShards("rows", 2)
			}
			wait(time.Minute)
		}
		w.setStream(t, false)
		for _, c := range []struct {
			start change.Start
			want  int
		}{
			{change.Start{}, 12}, {change.FromHorizon(), 12}, {change.FromLatest(), 0}, {change.FromTime(begin.Add(5 * time.Minute)), 7},
			{change.FromTime(begin.Add(-time.Hour)), 12}, {change.FromTime(begin.Add(11*time.Minute + time.Second)), 0},
		} {
			got := 0
			for _, err := range newStream(t, w).All(t.Context(), c.start) {
				if err != nil {
					t.Fatal(err)
				}
				got++
			}
			if got != c.want {
				t.Errorf("from %v: %d changes, want %d", c.start, got, c.want)
			}
		}
	})
}

func TestStreamCanBeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for n := range int64(5) {
			w.put(t, "a", 1, n)
		}
		for after := 1; after <= 5; after++ {
			got := 0
			for _, err := range newStream(t, w).All(t.Context(), change.FromHorizon()) {
				if err != nil {
					t.Fatal(err)
				}
				if got++; got == after {
					break
				}
			}
			if got != after {
				t.Errorf("%d changes, want %d", got, after)
			}
		}
	})
}

// Temporary failures do not end the loop, whichever call fails.
func TestStreamSurvivesFaults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		streams := []string{"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}
		w := newWorld(t, ddbtest.WithSeed(1), ddbtest.WithFaults(
			fault.On(streams...).Chance(0.2).InternalError(), fault.On(streams...).Chance(0.2).DropReply(),
			fault.On(streams...).Chance(0.2).Error("LimitExceededException", "too many"), fault.On(streams...).Chance(0.1).TruncateBody(),
			fault.On("GetRecords").Chance(0.5).Error("ExpiredIteratorException", "old")))
		for n := range int64(200) {
			w.put(t, groupID(fmt.Sprint("g", n%7)), 1, n)
			if n%50 == 10 {
				w.SplitShards("rows", 2)
			}
		}
		w.setStream(t, false)
		seen := make(map[change.Seq]bool)
		for c, err := range newStream(t, w, change.PageLimit(3)).All(t.Context(), change.FromHorizon()) {
			if err != nil {
				t.Fatal(err)
			}
			if seen[c.Seq] {
				t.Errorf("%s was yielded twice", c.Seq)
			}
			seen[c.Seq] = true
		}
		if len(seen) != 200 {
			t.Errorf("%d changes, want 200", len(seen))
		}
	})
}

func TestStreamPermanentErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, ddbtest.WithFaults(fault.On("GetRecords").Error("AccessDeniedException", "not yours")))
		w.put(t, "a", 1, 1)
		var last error
		for _, err := range newStream(t, w).All(t.Context(), change.FromHorizon()) {
			last = err
		}
		var oe *change.OpError
		if !errors.As(last, &oe) || oe.Op != "GetRecords" || oe.Shard == "" {
			t.Errorf("ended with %v", last)
		}
		missing, err := change.NewStream[row](w.streams, change.OfTable("nothing"))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range missing.All(t.Context(), change.FromHorizon()) {
			last = err
		}
		if !errors.Is(last, change.ErrStreamNotFound) {
			t.Errorf("without a stream: %v", last)
		}
	})
}

// Records that are trimmed while they are read cause an error or a call of the policy, and are never skipped silently.
func TestStreamTrimmed(t *testing.T) {
	for _, resume := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			var losses []change.LossReason
			opts := []change.Option{change.PageLimit(1)}
			if resume {
				opts = append(opts, change.OnDataLoss(func(_ context.Context, e *change.DataLossError) error {
					losses = append(losses, e.Reason)
					return nil
				}))
			}
			for n := range int64(3) {
				w.put(t, "a", 1, n)
			}
			var got []string
			var last error
			for c, err := range newStream(t, w, opts...).All(t.Context(), change.FromHorizon()) {
				if last = err; err != nil {
					break
				}
				if got = append(got, text(c)); len(got) == 1 {
					wait(25 * time.Hour)
					w.put(t, "a", 1, 9)
					w.setStream(t, false)
				}
			}
			switch loss, ok := errors.AsType[*change.DataLossError](last); {
			case !resume && (!ok || !errors.Is(last, change.ErrDataLoss) || len(got) != 1 || loss.Stream == ""):
				t.Errorf("%v after %v", last, got)
			case resume && (last != nil || strings.Join(got, ";") != "INSERT a/1=0;MODIFY a/1=9" || len(losses) == 0):
				t.Errorf("%v after %v, losses %v", last, got, losses)
			}
		})
	}
}

func TestStreamExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		if err := w.rows.EnsureTable(t.Context(), schema.Stream(types.StreamViewTypeNewAndOldImages)); err != nil {
			t.Fatal(err)
		}
		if err := w.rows.Put(t.Context(), &row{Group: "a", ID: 1, TTL: time.Now().Add(time.Minute).Unix()}); err != nil {
			t.Fatal(err)
		}
		w.Clock().Advance(time.Hour)
		w.setStream(t, false)
		var last change.Change[row]
		for c, err := range newStream(t, w).All(t.Context(), change.FromHorizon()) {
			if err != nil {
				t.Fatal(err)
			}
			last = c
		}
		if last.Kind != change.Remove || !last.TTLExpired || last.Old == nil {
			t.Errorf("the last change is %+v", last)
		}
	})
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for name, o := range map[string]change.Option{
		"poll": change.PollInterval(0), "discovery": change.DiscoveryInterval(-1), "page": change.PageLimit(1001), "nothing": nil,
		"failover": change.Failover(0), "drain": change.DrainTimeout(0), "checkpoint": change.CheckpointInterval(-1), "pending": change.MaxPending(0), "clock": change.WithClock(nil),
	} {
		if _, err := change.NewStream[row](w.streams, change.OfTable("rows"), o); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := change.NewStream[row](nil, change.OfTable("rows")); err == nil {
		t.Error("a nil client was accepted")
	}
	if _, err := change.NewStream[row](w.streams, change.Source{}); err == nil {
		t.Error("a nil source was accepted")
	}
}

// wait lets virtual time pass in a synctest bubble.
func wait(d time.Duration) { <-time.After(d) }

// describeAll lists all shards of the newest stream of the table.
func describeAll(t testing.TB, streams *dynamodbstreams.Client) []streamtypes.Shard {
	t.Helper()
	table := "rows"
	list, err := retried(func() (*dynamodbstreams.ListStreamsOutput, error) {
		return streams.ListStreams(context.Background(), &dynamodbstreams.ListStreamsInput{TableName: &table})
	})
	if err != nil {
		t.Fatal(err)
	}
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: list.Streams[len(list.Streams)-1].StreamArn}
	var all []streamtypes.Shard
	for {
		out, err := retried(func() (*dynamodbstreams.DescribeStreamOutput, error) {
			return streams.DescribeStream(context.Background(), in)
		})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, out.StreamDescription.Shards...)
		if in.ExclusiveStartShardId = out.StreamDescription.LastEvaluatedShardId; in.ExclusiveStartShardId == nil {
			return all
		}
	}
}

// retried repeats a call of a test until it succeeds despite faults.
func retried[O any](call func() (O, error)) (out O, err error) {
	for range 20 {
		if out, err = call(); err == nil {
			return out, nil
		}
	}
	return out, err
}
