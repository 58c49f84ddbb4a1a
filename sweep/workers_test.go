// SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/progress"
	"github.com/dynamotable/ddb/schema"
	"github.com/dynamotable/ddb/sweep"
)

// interval is a gate that admits requests at regular intervals.
type interval struct {
	watch
	every time.Duration
	next  time.Time
}

func (i *interval) Admit(context.Context, *hooks.Call) error {
	i.mu.Lock()
	now := time.Now()
	at := i.next
	if at.Before(now) {
		at = now
	}
	i.next = at.Add(i.every)
	i.mu.Unlock()
	<-time.After(at.Sub(now))
	return nil
}

func (i *interval) Done(*hooks.Call) {}

// watch is a gate that counts the requests in flight, from admission to their end.
type watch struct {
	mu        sync.Mutex
	flying    int
	counts    []int // at each begin
	throttled int
	attempts  int
	spent     float64
	segments  []int // in the order in which they ended
}

func (w *watch) PageSize(string, string, bool) int { return 0 }

func (w *watch) Admit(context.Context, *hooks.Call) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying++
	w.counts = append(w.counts, w.flying)
	return nil
}

func (w *watch) Throttled(*hooks.Call, []ddberr.ThrottlingReason) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.throttled++
}

func (w *watch) Done(c *hooks.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flying--
	w.attempts++
	w.spent += c.Consumed.ReadUnits
	w.segments = append(w.segments, c.Segment)
}

// late returns the mean number of requests in flight in the second half, and the maximum.
func (w *watch) late() (mean float64, most int) {
	half := w.counts[len(w.counts)/2:]
	for _, n := range half {
		mean += float64(n)
	}
	return mean / float64(len(half)), slices.Max(w.counts)
}

// The number of workers adapts: it grows while only requests take time, and stays small if a pace, the table or the loop
// body is the bottleneck.
func TestWorkersAdapt(t *testing.T) {
	t.Parallel()
	const latency = 50 * time.Millisecond
	for _, c := range []struct {
		name       string
		throughput bool
		every      time.Duration // interval of admitted requests, as with a pace
		body       time.Duration
		least      float64 // workers of the second half
		most       float64
		within     time.Duration // 0 means not checked
	}{
		// 500 pages of 50 ms are 25 s for one worker, and 1.6 s for sixteen.
		{name: "nothing limits", least: 4, most: 16, within: 4 * time.Second},
		// 500 requests at 20 a second are 25 s; one worker sends 20 a second.
		{name: "a pace", every: 50 * time.Millisecond, least: 1, most: 3.5, within: 32 * time.Second},
		// The table has 50 units a second, and no burst capacity.
		{name: "the table", throughput: true, least: 1, most: 6, within: 25 * time.Second},
		// 500 bodies of 40 ms are 20 s; two workers are enough to read in the meantime.
		{name: "the loop body", body: 40 * time.Millisecond, least: 1.5, most: 4, within: 22 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				opts := []ddbtest.Option{ddbtest.WithFaults(fault.On("Scan").Delay(latency))}
				var settings []schema.Option
				if c.throughput {
					opts = append(opts, ddbtest.WithThroughput(ddbtest.Throughput{}))
					settings = append(settings, schema.Provisioned(50, 4000))
				}
				e := ddbtest.NewEngine(opts...)
				defer e.Close()
				table := filled(t, newThings(t, e, settings...), 500, 6000)
				w := &watch{}
				ctx := t.Context()
				if c.every > 0 {
					ctx = ddb.WithGate(ctx, &interval{every: c.every})
				}
				begin, seen := time.Now(), 0
				if err := drain(ddb.WithGate(ctx, w), sweep.Of(table.Scan().PageSize(1)), func(p sweep.Page[Thing]) {
					seen += len(p.Items)
					if c.body > 0 {
						<-time.After(c.body)
					}
				}); err != nil {
					t.Fatal(err)
				}
				mean, most := w.late()
				took := time.Since(begin)
				t.Logf("%v, %g units, %.1f workers later, %d at most, %d of %d requests throttled", took, w.spent, mean, most, w.throttled, w.attempts)
				if seen != 500 || mean < c.least || mean > c.most || c.within > 0 && took > c.within {
					t.Errorf("%d items in %v with %.1f workers, want %.1f to %.1f", seen, took, mean, c.least, c.most)
				}
			})
		})
	}
}

// A segment of a hot key range waits while the other segments are read; the number of workers does not drop.
func TestHotSegmentWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		hot := func(r fault.Request) bool {
			return strings.Contains(string(r.Body), `"Segment":3`) && time.Since(begin) < 10*time.Second
		}
		e := ddbtest.NewEngine(ddbtest.WithFaults(
			fault.On("Scan").Where(hot).Throttle("TableReadKeyRangeThroughputExceeded"), fault.On("Scan").Delay(50*time.Millisecond)))
		defer e.Close()
		table := filled(t, newThings(t, e), 400, 10)
		w, seen := &watch{}, 0
		if err := drain(ddb.WithGate(t.Context(), w), sweep.Of(table.Scan().PageSize(2), sweep.Segments(7)), func(p sweep.Page[Thing]) { seen += len(p.Items) }); err != nil {
			t.Fatal(err)
		}
		if seen != 400 || w.segments[len(w.segments)-1] != 3 {
			t.Errorf("%d items; the last page is of segment %d", seen, w.segments[len(w.segments)-1])
		}
		if took := time.Since(begin); took > 40*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Lasting throttling ends the run, with the position.
func TestLastingThrottling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		on := new(atomic.Bool)
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan").Where(func(fault.Request) bool { return on.Load() }).Throttle("TableReadProvisionedThroughputExceeded")))
		defer e.Close()
		table := filled(t, newThings(t, e), items, 10)
		begin, pages := time.Now(), 0
		err := drain(t.Context(), small(table), func(sweep.Page[Thing]) {
			if pages++; pages == 3 {
				on.Store(true)
			}
		})
		if took := time.Since(begin); sweep.PositionOf(err) == "" || took < 15*time.Second || took > time.Minute || !strings.Contains(fmt.Sprint(err), "throttled") {
			t.Errorf("after %v: %v", took, err)
		}
	})
}

// A run that is cancelled while it waits because the table throttles ends as cancelled.
func TestCancelledWhileThrottled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan").Throttle("TableReadProvisionedThroughputExceeded")))
		defer e.Close()
		table := newThings(t, e)
		tracker := progress.NewTracker()
		ctx, cancel := context.WithTimeout(progress.Named(tracker.With(t.Context()), "sweep"), 3*time.Second)
		defer cancel()
		err := drain(ctx, small(table), func(sweep.Page[Thing]) {})
		p, _ := tracker.Find("sweep")
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ddb.ErrThrottled) || sweep.PositionOf(err) == "" || p.State != progress.Stopped {
			t.Errorf("got %v, %v", err, p)
		}
	})
}

// A sweep within a longer call reports to that call when it waits because the table throttles, and when the wait has ended.
func TestWaitsWithinCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan").Nth(2).Throttle("TableReadProvisionedThroughputExceeded")))
		defer e.Close()
		table := filled(t, newThings(t, e), items, 10)
		var reasons []string
		ctx, task := progress.Start(progress.With(t.Context(), func(p progress.Progress) {
			if p.State == progress.Waiting {
				reasons = append(reasons, p.Reason)
			}
		}), "start of the program")
		defer task.End(nil)
		err := drain(ctx, small(table), func(sweep.Page[Thing]) {})
		if p := task.Progress(); err != nil || !slices.Equal(reasons, []string{"DynamoDB throttles the scan"}) || p.State != progress.Running || p.Items != 0 {
			t.Errorf("%v: waits for %q, %v", err, reasons, p)
		}
	})
}
