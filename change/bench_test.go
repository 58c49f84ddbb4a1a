// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
)

const benchRecords = 10_000

// benchWorld has a disabled stream of many records in a few shards: a consumer reads it and ends.
func benchWorld(b *testing.B) (*world, string) {
	b.Helper()
	w := newWorld(b, ddbtest.WithSeed(1))
	w.SplitShards("rows", 4)
	list := make([]row, 0, benchRecords)
	for n := range int64(benchRecords) {
		list = append(list, row{Group: groupID(fmt.Sprint("g", n%100)), ID: rowID(n), N: n})
	}
	if err := w.rows.BatchPut(b.Context(), list); err != nil {
		b.Fatal(err)
	}
	w.setStream(b, false)
	out, err := w.streams.ListStreams(b.Context(), nil)
	if err != nil {
		b.Fatal(err)
	}
	return w, *out.Streams[0].StreamArn
}

// BenchmarkConsumer runs one worker with a handler that does nothing, on an engine in the same process.
func BenchmarkConsumer(b *testing.B) {
	w, arn := benchWorld(b)
	var handled atomic.Int64
	for name, h := range map[string]change.Handler[row]{
		"each": change.Each(func(context.Context, change.Change[row]) error { handled.Add(1); return nil }),
		"batches": change.Batches(func(_ context.Context, list []change.Change[row]) error {
			handled.Add(int64(len(list)))
			return nil
		}),
	} {
		b.Run(name, func(b *testing.B) {
			handled.Store(0)
			for b.Loop() {
				c, err := change.NewConsumer(w.streams, change.OfStream(arn), "app", new(change.MemoryStore), h)
				if err != nil {
					b.Fatal(err)
				}
				if err := c.Run(b.Context()); !errors.Is(err, change.ErrStreamEnded) {
					b.Fatal(err)
				}
			}
			if n := handled.Load(); n != int64(benchRecords*b.N) {
				b.Errorf("%d records were handled of %d", n, benchRecords*b.N)
			}
			b.ReportMetric(float64(benchRecords*b.N)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

// BenchmarkDecode decodes a record with both images.
func BenchmarkDecode(b *testing.B) {
	r := benchRecord()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := change.Decode[row](r); err != nil {
			b.Fatal(err)
		}
	}
}

func benchRecord() *types.Record {
	image := attrs{"group": str("g1"), "id": num("1"), "n": num("5")}
	r := record("MODIFY", image, image)
	r.Dynamodb.Keys = attrs{"group": str("g1"), "id": num("1")}
	return r
}

// A change allocates the items of its two images, their texts and little else.
func TestDecodeAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	r := benchRecord()
	const most = 10 // 8, and what measuring coverage adds
	if n := testing.AllocsPerRun(200, func() {
		if _, err := change.Decode[row](r); err != nil {
			t.Fatal(err)
		}
	}); n > most {
		t.Errorf("%v allocations, at most %d are allowed", n, most)
	}
}
