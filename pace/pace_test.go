// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/longtest"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/schema"
)

// In every window of w seconds at most rate x (w + 1) units and one page are spent, whatever runs at the same time. No time is
// wasted: the work takes about as long as its units need at the rate.
func TestEveryWindowKeepsTheRate(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rate := float64(rapid.IntRange(3, 400).Draw(rt, "rate"))
		size := rapid.IntRange(1, 20_000).Draw(rt, "size")
		workers := rapid.IntRange(1, 6).Draw(rt, "workers")
		latency := time.Duration(rapid.IntRange(0, 30).Draw(rt, "latency")) * time.Millisecond
		consistent := rapid.Bool().Draw(rt, "consistent")
		passes := rapid.IntRange(1, 3).Draw(rt, "passes")
		bubble(t, func(t *testing.T) {
			e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan", "GetItem").Delay(latency)))
			defer e.Close()
			table := newThings(t, e)
			const items = 120
			fill(t, table, items, size)
			m := newMeter("paced")
			defer hooks.Add(m)()
			ctx := pace.With(ddb.WithLabel(t.Context(), "paced"), pace.New(pace.Rates{ReadUnits: rate}))
			begin := time.Now()
			var wg sync.WaitGroup
			for range passes {
				wg.Go(func() {
					scan := table.Scan()
					if consistent {
						scan = scan.Consistent()
					}
					if n, err := scan.Parallel(workers).Count(ctx); err != nil || n != items {
						t.Errorf("%d items, %v", n, err)
					}
				})
				wg.Go(func() {
					for i := range 20 {
						if _, err := table.Get(ctx, time.Unix(int64(i), 0).UTC().Format(time.RFC3339)); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			took := time.Since(begin).Seconds()
			sum, most := m.total()
			if over := m.worst(rate) - rate*latency.Seconds(); over > most+1e-6 {
				t.Errorf("%g units above rate x (w + 1) with pages of up to %g", over, most)
			}
			slowest := float64(len(m.list)) * latency.Seconds() // all requests one after the other
			if took > sum/rate+slowest+2 {
				t.Errorf("%g units at %g a second took %g s", sum, rate, took)
			}
			if s := pace.From(ctx).Stats(); math.Abs(s.Spent.ReadUnits-sum) > 1e-6 || s.Requests != int64(len(m.list)) || s.State != "running" || s.Waiting != 0 {
				t.Errorf("the state says %+v, %g units were spent", s, sum)
			}
		})
	})
}

// Writes, batches and transactions obey the rate of writes.
func TestWritesKeepTheRate(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const rate = 30
		e := ddbtest.NewEngine()
		defer e.Close()
		table := newThings(t, e)
		m := newMeter("paced")
		m.write = true
		defer hooks.Add(m)()
		ctx := pace.With(ddb.WithLabel(t.Context(), "paced"), pace.New(pace.Rates{WriteUnits: rate}))
		var list []Thing
		for i := range 400 {
			list = append(list, Thing{ID: fmt.Sprint("batch", i), Data: strings.Repeat("x", i*7)})
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := table.BatchPut(ctx, list); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			for i := range 50 {
				a, b := &Thing{ID: fmt.Sprint("a", i)}, &Thing{ID: fmt.Sprint("b", i)}
				if err := ddb.Transact(ctx, e.Client(), table.TxPut(a), table.TxPut(b)); err != nil {
					t.Error(err)
				}
				if err := table.Put(ctx, a); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		sum, most := m.total()
		if over := m.worst(rate); over > most {
			t.Errorf("%g units above rate x (w + 1), requests of up to %g", over, most)
		}
		if sum < 400 {
			t.Errorf("only %g units were counted", sum)
		}
	})
}

// controllers are ways to run a job together with a foreground load.
var controllers = map[string]func(context.Context, *things) context.Context{
	"none": func(ctx context.Context, _ *things) context.Context { return ctx },
	"fixed, half of the table": func(ctx context.Context, _ *things) context.Context {
		return pace.With(ctx, pace.New(pace.Rates{ReadUnits: 100}))
	},
	"half of the table": func(ctx context.Context, table *things) context.Context {
		p, err := pace.Of(ctx, table, 0.5)
		if err != nil {
			panic(err)
		}
		return pace.With(ctx, p)
	},
}

// scenario has a table of 200 units a second, a foreground load of 100 units a second that is 150 from 200 to 500 seconds, and a
// job of 60,000 units, or half of everything without -long. It returns when the job was done and the share of the foreground's
// units that was throttled.
func scenario(t *testing.T, burst, saved time.Duration, controller string) (done time.Duration, rejected float64, job pace.Stats) {
	t.Helper()
	scale := 20.0
	if longtest.Enabled() {
		scale = 10
	}
	bubble(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithThroughput(ddbtest.Throughput{Burst: burst, Partitions: 1}))
		defer e.Close()
		table := newThings(t, e, schema.Provisioned(int64(2000/scale), 40_000))
		pass(2 * time.Second)
		fill(t, table, 100, 7900) // 2 units each
		pass(saved)
		begin := time.Now()
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			wanted, failed := 0.0, 0.0
			for i := 0; ctx.Err() == nil; i++ {
				rate := 1000.0 / scale
				if s := time.Since(begin).Seconds(); s >= 200 && s < 500 {
					rate = 1500.0 / scale
				}
				_, err := table.Get(ctx, time.Unix(int64(i%100), 0).UTC().Format(time.RFC3339), ddb.Consistent())
				if ctx.Err() != nil {
					break
				}
				wanted += 2
				if err != nil {
					if !errors.Is(err, ddb.ErrThrottled) {
						t.Error(err)
					}
					failed += 2
				}
				pass(time.Duration(2 / rate * 1e9))
			}
			rejected = failed / wanted
		})
		paced := controllers[controller](ctx, table)
		for left := 600_000.0 / scale; left > 0; {
			meter := cost.NewBudget(cost.Limits{})
			_, err := table.Scan().Consistent().Count(ddb.WithBudget(paced, meter))
			left -= meter.Spent().ReadUnits
			if err != nil {
				if !errors.Is(err, ddb.ErrThrottled) {
					t.Fatal(err)
				}
				pass(50 * time.Millisecond)
			}
		}
		done = time.Since(begin)
		job = pace.From(paced).Stats()
		stop()
		wg.Wait()
	})
	return done, rejected, job
}

// A job does not take units from the foreground: at most 0.1 % of the foreground's units are throttled, with and without saved burst capacity.
func TestForegroundIsNotThrottled(t *testing.T) {
	if !longtest.Enabled() {
		t.Skip("statistics of a long simulation; needs -long")
	}
	for _, c := range []struct {
		name         string
		burst, saved time.Duration
	}{{"no burst", -1, 0}, {"150 s of burst saved", 0, 150 * time.Second}} {
		t.Run(c.name, func(t *testing.T) {
			done, rejected, job := scenario(t, c.burst, c.saved, "half of the table")
			t.Logf("done after %v, %.4f %% of the foreground refused, %v", done, 100*rejected, job.Throttled)
			for runs := 1.0; rejected > 0.001 && runs < 4; runs++ { // waits are random; the limit is for the mean of several runs
				_, again, _ := scenario(t, c.burst, c.saved, "half of the table")
				rejected = (rejected*runs + again) / (runs + 1)
				t.Logf("%.4f %% in the mean of %g runs", 100*rejected, runs+1)
			}
			if rejected > 0.001 {
				t.Errorf("%.3f %% of the foreground's units were refused", 100*rejected)
			}
			if done > 1000*time.Second {
				t.Errorf("the job took %v", done)
			}
		})
	}
	for _, other := range []string{"none", "fixed, half of the table"} {
		done, rejected, _ := scenario(t, -1, 0, other)
		t.Logf("%s: done after %v, %.2f %% of the foreground refused", other, done, 100*rejected)
		if other == "none" && rejected < 0.02 {
			t.Errorf("without a pace %.3f %% were refused: the scenario tests nothing", 100*rejected)
		}
	}
}
