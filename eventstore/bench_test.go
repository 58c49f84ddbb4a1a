// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"bytes"
	"context"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
)

// BenchmarkAppend appends one event at a time to distinct streams.
func BenchmarkAppend(b *testing.B) {
	for _, shards := range []int{0, 16} {
		name := "plain"
		var opts []eventstore.Option
		if shards > 0 {
			name, opts = fmt.Sprintf("sequenced/%d", shards), []eventstore.Option{eventstore.Sequenced(shards)}
		}
		b.Run(name, func(b *testing.B) {
			s := newStore(b, opts...)
			data := bytes.Repeat([]byte("x"), 200)
			var n atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(16)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					stream := "s-" + strconv.FormatInt(n.Add(1), 10)
					if _, err := s.Append(context.Background(), stream, eventstore.NoStream(), eventstore.NewEvent{Type: "happened", Data: data}); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// BenchmarkRead reads a stream of 100,000 events of 200 bytes.
func BenchmarkRead(b *testing.B) {
	const events = 100_000
	for _, frame := range []int{0, 64 << 10} {
		name := "items"
		var opts []eventstore.Option
		if frame > 0 {
			name, opts = "frames", []eventstore.Option{eventstore.Frames(frame)}
		}
		b.Run(name, func(b *testing.B) {
			s := newStore(b, opts...)
			data := bytes.Repeat([]byte("x"), 200)
			for v := 0; v < events; {
				var list []eventstore.NewEvent
				for range 99 {
					list = append(list, eventstore.NewEvent{Type: "happened", Data: data})
				}
				done, err := s.Append(b.Context(), "s", eventstore.Exactly(int64(v)), eventstore.Events(list))
				if err != nil {
					b.Fatal(err)
				}
				v = int(done.Last)
			}
			b.ReportAllocs()
			total := 0
			for b.Loop() {
				for _, err := range s.Read(b.Context(), "s") {
					if err != nil {
						b.Fatal(err)
					}
					total++
				}
			}
			b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkHotStream lets 64 writers append to one stream; each has its own store, as in different processes.
func BenchmarkHotStream(b *testing.B) {
	client, table := ddbtest.NewFromEnv(b), ddbtest.TableName(b)
	ledger := cost.NewLedger()
	var stores []*eventstore.Store
	for range 64 {
		stores = append(stores, openStore(b, client, table, eventstore.TableOptions(ddb.WithLedger(ledger))))
	}
	ledger.Reset()
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	for _, s := range stores {
		wg.Go(func() {
			for left.Add(-1) >= 0 {
				if _, err := s.Append(context.Background(), "hot", eventstore.Any(), eventstore.NewEvent{Type: "happened"}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	tries := int64(0)
	for _, e := range ledger.Snapshot().ByOperation().Entries {
		if e.Operation == "TransactWriteItems" {
			tries = e.Operations
		}
	}
	b.ReportMetric(float64(tries)/float64(b.N), "tries/append")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
}

// BenchmarkMillion reads a million events, of one stream and of the feed, and reports how far the heap grew.
func BenchmarkMillion(b *testing.B) {
	const events = 1_000_000
	s := newStore(b, eventstore.Frames(64<<10), eventstore.Sequenced(1))
	data := bytes.Repeat([]byte("x"), 50)
	list := make([]eventstore.NewEvent, 4000)
	for i := range list {
		list[i] = eventstore.NewEvent{Type: "happened", Data: data}
	}
	for v := int64(0); v < events; v += int64(len(list)) {
		if _, err := s.Append(b.Context(), "s", eventstore.Exactly(v), eventstore.Events(list)); err != nil {
			b.Fatal(err)
		}
	}
	heap := func() float64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return float64(m.HeapAlloc) / (1 << 20)
	}
	for name, read := range map[string]func(each func()){
		"stream": func(each func()) {
			for _, err := range s.Read(b.Context(), "s") {
				if err != nil {
					b.Fatal(err)
				}
				each()
			}
		},
		"feed": func(each func()) {
			for c, err := range s.Feed().Read(b.Context(), eventstore.Position{}) {
				if err != nil {
					b.Fatal(err)
				}
				for range c.Events {
					each()
				}
			}
		},
	} {
		b.Run(name, func(b *testing.B) {
			before, most := heap(), 0.0
			for b.Loop() {
				n := 0
				read(func() {
					if n++; n%100_000 == 0 {
						most = max(most, heap()-before)
					}
				})
				if n != events {
					b.Fatalf("%d events", n)
				}
			}
			b.ReportMetric(most, "MB-grown")
		})
	}
}
