// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/position"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/telemetry"
)

// figuresOf returns the exported metrics of one consumer by name, and requires all of its attributes.
func figuresOf(t *testing.T, r *reported, kind, table, consumer string) map[string]float64 {
	t.Helper()
	set := "{db.collection.name=" + table + ",ddb.consumer=" + consumer + ",ddb.consumer.kind=" + kind + "}"
	is := map[string]float64{}
	for name, n := range r.metrics(t) {
		switch {
		case !strings.HasPrefix(name, "ddb.consumer."):
		case !strings.HasSuffix(name, set):
			t.Errorf("a figure of another consumer: %s", name)
		default:
			is[strings.TrimPrefix(strings.TrimSuffix(name, set), "ddb.consumer.")] = n
		}
	}
	return is
}

// forms returns the unit and kind of each exported metric of consumers.
func forms(t *testing.T, r *reported) map[string]string {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	is := map[string]string{}
	for _, s := range all.ScopeMetrics {
		for _, m := range s.Metrics {
			name, ok := strings.CutPrefix(m.Name, "ddb.consumer.")
			if !ok {
				continue
			}
			is[name] = m.Unit + " " + fmt.Sprintf("%T", m.Data)
			if sum, ok := m.Data.(metricdata.Sum[float64]); ok && (!sum.IsMonotonic || sum.Temporality != metricdata.CumulativeTemporality) {
				t.Errorf("%s is not a counter", m.Name)
			}
		}
	}
	return is
}

// TestSubscriptionFigures: the metrics of a shared subscription match its history: commits that were handled, retried, parked and given up, a stuck
// handler, lost leases, and its end.
func TestSubscriptionFigures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const shards = 8
		var unreachable, repaired atomic.Bool           // the leases; the handler
		engine := ddbtest.NewEngine(ddbtest.WithFaults( // appends and parking are transactions: only leases are put
			fault.On("PutItem").Table("events").Where(func(fault.Request) bool { return unreachable.Load() }).DropRequest(),
		))
		t.Cleanup(engine.Close)
		r := newReported(t)
		stop, err := telemetry.Start(r.options()...)
		if err != nil {
			t.Fatal(err)
		}
		store, err := eventstore.New(engine.Client(), "events", eventstore.Sequenced(shards))
		if err != nil {
			t.Fatal(err)
		}
		positions, err := position.New(engine.Client(), "positions")
		if err == nil {
			err = schema.EnsureTables(t.Context(), store, positions)
		}
		if err != nil {
			t.Fatal(err)
		}
		write := func(stream string, commits int) {
			t.Helper()
			for range commits {
				if _, err := store.Append(t.Context(), stream, eventstore.Any(), eventstore.NewEvent{Type: "x"}); err != nil {
					t.Fatal(err)
				}
			}
		}
		write("good", 7)
		write("bad-1", 1)
		write("bad-2", 2)

		var (
			feed    = store.Feed()
			retries atomic.Int64
			stuck   = make(chan struct{})
			began   time.Time // when the handler got the commit at which it is stuck
		)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel() // the bubble waits for the subscription
		ended := make(chan error, 1)
		go func() {
			ended <- feed.Subscribe(ctx, "mailer", positions.As("host"), func(ctx context.Context, c eventstore.Commit) error {
				switch {
				case strings.HasPrefix(c.Stream, "bad") && !repaired.Load():
					return errors.New("no such customer")
				case c.Stream == "slow" && c.First == 1:
					if began.IsZero() {
						began = time.Now()
					}
					select {
					case <-stuck:
					case <-ctx.Done():
						return ctx.Err()
					}
				}
				return nil
			}, eventstore.Shared(), eventstore.Park(0), eventstore.Retries(4), eventstore.OnRetry(func(error) { retries.Add(1) }))
		}()
		check := func(when string, want map[string]float64) {
			t.Helper()
			synctest.Wait()
			if diff := cmp.Diff(want, figuresOf(t, r, "feed", "events", "mailer")); diff != "" {
				t.Errorf("%s: figures (-want +got):\n%s", when, diff)
			}
		}

		// Two streams are stuck at their first commits, which are retried four times, and parked with the commits after them; one of them is given up manually.
		<-time.After(time.Minute)
		for p, err := range feed.Parked(t.Context(), "mailer") {
			if err == nil && p.Stream == "bad-1" {
				err = feed.Discard(t.Context(), p)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(30*time.Second + 100*time.Millisecond)
		written := time.Now()
		write("slow", 6)
		<-time.After(90 * time.Second)
		synctest.Wait()
		age, readAge := time.Since(written).Seconds(), time.Since(began).Seconds()
		if age == readAge || readAge < 80 {
			t.Fatalf("the test does not distinguish the ages: age %gs, read age %gs", age, readAge)
		}
		want := map[string]float64{
			"lag": 6, "age": age, "read_age": readAge, "leases": shards, "parked": 2,
			"handled": 7, "retries": 2 * 4, "given_up": 3, "leases_lost": 0,
		}
		check("a handler is stuck", want)
		gauge, counter := " metricdata.Gauge[float64]", " metricdata.Sum[float64]"
		if diff := cmp.Diff(map[string]string{
			"lag": "{commit}" + gauge, "age": "s" + gauge, "read_age": "s" + gauge, "leases": "{shard}" + gauge, "parked": "{commit}" + gauge,
			"handled": "{change}" + counter, "retries": "{attempt}" + counter, "given_up": "{change}" + counter, "leases_lost": "{lease}" + counter,
		}, forms(t, r)); diff != "" {
			t.Errorf("instruments (-want +got):\n%s", diff)
		}

		// The leases cannot be renewed: all are lost, and this process owns no part of the feed.
		unreachable.Store(true)
		<-time.After(time.Minute)
		synctest.Wait()
		if retries.Load() == 0 {
			t.Error("nothing was retried while the leases could not be written")
		}
		maps.Copy(want, map[string]float64{
			"lag": 0, "age": 0, "read_age": 0, "leases": 0, "parked": 0, "retries": float64(2*4 + retries.Load()), "leases_lost": shards,
		})
		check("the leases are lost", want)

		// Leases can be written again, the handler is repaired, and parked commits are replayed.
		unreachable.Store(false)
		repaired.Store(true)
		close(stuck)
		if n, err := feed.Replay(t.Context(), "mailer"); err != nil || n != 2 {
			t.Fatalf("%d commits are to be replayed: %v", n, err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		is := figuresOf(t, r, "feed", "events", "mailer")
		if is["read_age"] < 0 || is["read_age"] > 1 { // between two measurements
			t.Errorf("read age is %g s at the end of the feed", is["read_age"])
		}
		maps.Copy(want, map[string]float64{
			"read_age": is["read_age"], "leases": shards, "handled": 7 + 6 + 2, "retries": float64(2*4 + retries.Load()),
		})
		check("everything is handled", want)

		// A subscription that has ended is not exported.
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the subscription ended with %v", err)
		}
		check("the subscription has ended", map[string]float64{})
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
