// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/schema"
)

// Each reason has its own reaction: a limit of a table or index lowers the rate of its kind, and only requests for a hot key
// wait.
func TestBackoffByReason(t *testing.T) {
	const rate = 100
	for _, c := range []struct {
		reasons     []string
		read, write float64 // after one throttled read and one throttled write
		parked      int
	}{
		{[]string{"TableReadProvisionedThroughputExceeded"}, 70, rate, 0},
		{[]string{"TableWriteProvisionedThroughputExceeded"}, rate, 70, 0},
		{[]string{"TableReadMaxOnDemandThroughputExceeded"}, 70, rate, 0},
		{[]string{"TableWriteAccountLimitExceeded"}, rate, 70, 0},
		{[]string{"IndexWriteProvisionedThroughputExceeded"}, rate, 70, 0},
		{[]string{"IndexReadProvisionedThroughputExceeded"}, 70, rate, 0},
		{[]string{"TableReadKeyRangeThroughputExceeded"}, rate, rate, 1},
		{[]string{"TableWriteKeyRangeThroughputExceeded", "TableReadMaxOnDemandThroughputExceeded"}, 70, rate, 1},
		{nil, 70, 70, 0},
	} {
		t.Run(strings.Join(c.reasons, ","), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("GetItem", "PutItem").First(2).Throttle(c.reasons...)))
				defer e.Close()
				table := newThings(t, e)
				p := pace.New(pace.Rates{ReadUnits: rate, WriteUnits: rate})
				ctx := pace.With(t.Context(), p)
				if _, err := table.Get(ctx, "a"); !errors.Is(err, ddb.ErrThrottled) {
					t.Fatal(err)
				}
				if s := p.Stats(); s.Parked != c.parked {
					t.Errorf("%d key ranges are parked", s.Parked)
				}
				pass(time.Second)
				p2 := p.Stats()
				if err := table.Put(ctx, &Thing{ID: "b"}); !errors.Is(err, ddb.ErrThrottled) {
					t.Fatal(err)
				}
				s := p.Stats()
				if len(c.reasons) == 0 { // the read rate had a second to recover
					s.Rate.ReadUnits = p2.Rate.ReadUnits
				}
				near := func(got, want float64) bool { return got == want || want == 70 && got >= 48 && got < 80 }
				if !near(s.Rate.ReadUnits, c.read) || !near(s.Rate.WriteUnits, c.write) {
					t.Errorf("the rates are %+v, want about %g and %g", s.Rate, c.read, c.write)
				}
				lowered := c.read < rate || c.write < rate
				if (s.State == "lowered") != lowered || len(s.Throttled) != max(1, len(c.reasons)) {
					t.Errorf("the state is %+v", s)
				}
			})
		})
	}
}

// Requests for a hot key range wait longer each time, others do not wait, and the key range is forgotten when it is no longer
// hot.
func TestHotKeysAreParked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hot := true
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("GetItem").Where(func(r fault.Request) bool { return hot && strings.Contains(string(r.Body), `"hot"`) }).
			Throttle("TableReadKeyRangeThroughputExceeded")))
		defer e.Close()
		table := newThings(t, e)
		p := pace.New(pace.Rates{ReadUnits: 1000})
		ctx := pace.With(t.Context(), p)
		pass(time.Second)
		took := func(id string) time.Duration {
			begin := time.Now()
			if _, err := table.Get(ctx, id); err != nil && !errors.Is(err, ddb.ErrThrottled) && !errors.Is(err, ddb.ErrNotFound) {
				t.Error(err)
			}
			return time.Since(begin)
		}
		for i, want := range []time.Duration{0, 500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second} {
			if got := took("hot"); got != want {
				t.Errorf("%d: waited %v, want %v", i, got, want)
			}
			if got := took("cold"); got != 0 {
				t.Errorf("another key waited %v", got)
			}
		}
		hot = false
		_ = took("hot")
		if got := took("hot"); got != 0 {
			t.Errorf("a key that is no longer hot waited %v", got)
		}
		if s := p.Stats(); s.Rate.ReadUnits != 1000 || s.Parked != 0 || s.Reason != "TableReadKeyRangeThroughputExceeded" {
			t.Errorf("the state is %+v", s)
		}
	})
}

// A lowered rate recovers, first close to the rate that was throttled and then to the ceiling, and never exceeds it.
func TestRateRecovers(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("GetItem").First(1).Throttle("TableReadProvisionedThroughputExceeded")))
		defer e.Close()
		table := newThings(t, e)
		p := pace.New(pace.Rates{ReadUnits: 100})
		_, _ = table.Get(pace.With(t.Context(), p), "a")
		before := 0.0
		for s := range 200 {
			rate := p.Stats().Rate.ReadUnits
			if rate < before || rate > 100 {
				t.Fatalf("second %d: %g after %g", s, rate, before)
			}
			if s == 0 && math.Abs(rate-70) > 1e-9 || s == 60 && math.Abs(rate-80) > 1e-6 || s == 199 && rate != 100 {
				t.Errorf("second %d: %g", s, rate)
			}
			before = rate
			pass(time.Second)
		}
	})
}

// Of uses the throughput of the table: provisioned, a maximum, or warm throughput, and for writes the lowest of the indexes.
func TestOfFollowsTheTable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		table := newThings(t, e, schema.Provisioned(400, 200))
		if _, err := ddb.NewSimpleIndex(table, "byKind", thingKind); err != nil {
			t.Fatal(err)
		}
		p, err := pace.Of(t.Context(), table, 0.25)
		if err != nil {
			t.Fatal(err)
		}
		want := func(ceiling pace.Rates, source string) {
			t.Helper()
			if s := p.Stats(); s.Ceiling != ceiling || s.Source != source || s.FollowError != "" {
				t.Errorf("got %+v of %q, %q, want %+v of %q", s.Ceiling, s.Source, s.FollowError, ceiling, source)
			}
		}
		want(pace.Rates{ReadUnits: 100, WriteUnits: 50}, "provisioned")
		ctx := pace.With(t.Context(), p)
		client := e.Client()
		if _, err := client.UpdateTable(t.Context(), &dynamodb.UpdateTableInput{
			TableName: new("things"), BillingMode: types.BillingModePayPerRequest,
			OnDemandThroughput: &types.OnDemandThroughput{MaxReadRequestUnits: new(int64(1000)), MaxWriteRequestUnits: new(int64(600))},
		}); err != nil {
			t.Fatal(err)
		}
		_, _ = table.Get(ctx, "a")
		want(pace.Rates{ReadUnits: 100, WriteUnits: 50}, "provisioned")
		pass(5 * time.Minute)
		_, _ = table.Get(ctx, "a")
		want(pace.Rates{ReadUnits: 250, WriteUnits: 150}, "on-demand maximum")
		if _, err := table.Scan().Count(ctx); err != nil {
			t.Fatal(err)
		}
	})
	bubble(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		p, err := pace.Of(t.Context(), newThings(t, e), 0.5)
		if err != nil {
			t.Fatal(err)
		}
		if s := p.Stats(); s.Ceiling != (pace.Rates{ReadUnits: 6000, WriteUnits: 2000}) || s.Source != "warm throughput" || s.Rate.ReadUnits != 50 {
			t.Errorf("got %+v", s)
		}
	})
}

// Invalid input is rejected before anything is sent.
func TestInvalidPaces(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sent := 0
		e := ddbtest.NewEngine(ddbtest.WithObserver(func(fault.Request) { sent++ }))
		defer e.Close()
		table := newThings(t, e)
		sent = 0
		for _, r := range []pace.Rates{{ReadUnits: -1}, {WriteUnits: math.NaN()}, {ReadUnits: math.Inf(1), WriteUnits: -3}} {
			p := pace.New(r)
			_, err := table.Get(pace.With(t.Context(), p), "a")
			if !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "units a second") {
				t.Errorf("%+v: got %v", r, err)
			}
			if err := p.Set(r); !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("Set(%+v): got %v", r, err)
			}
		}
		for _, share := range []float64{0, -1, 1.1, math.NaN()} {
			if _, err := pace.Of(t.Context(), table, share); !errors.Is(err, ddb.ErrInvalid) {
				t.Errorf("Of(%g): got %v", share, err)
			}
		}
		if _, err := pace.Of(t.Context(), nil, 0.5); !errors.Is(err, ddb.ErrInvalid) {
			t.Errorf("Of(nil): got %v", err)
		}
		if sent != 0 {
			t.Errorf("%d requests were sent", sent)
		}
		if ctx := pace.With(t.Context(), nil); pace.From(ctx) != nil {
			t.Error("a nil pace was accepted")
		}
	})
}

// A call that is cancelled while it waits reserves no units, neither of the pace nor of a budget.
func TestWaitEndsWithTheContext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		sent := 0
		e := ddbtest.NewEngine(ddbtest.WithObserver(func(r fault.Request) { sent++ }))
		defer e.Close()
		table := newThings(t, e)
		p, budget := pace.New(pace.Rates{ReadUnits: 0.001}), cost.NewBudget(cost.Limits{ReadUnits: 1})
		sent = 0
		for range 5 {
			ctx, cancel := context.WithTimeout(ddb.WithBudget(pace.With(t.Context(), p), budget), 150*time.Millisecond)
			_, err := table.Get(ctx, "a")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "waited for the pace") {
				t.Errorf("got %v", err)
			}
		}
		if sent != 0 {
			t.Errorf("%d requests were sent", sent)
		}
		if s := p.Stats(); s.Waiting != 0 || s.Waited < 700*time.Millisecond {
			t.Errorf("the state is %+v", s)
		}
		if err := p.Set(pace.Rates{ReadUnits: 100}); err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		begin := time.Now()
		if _, err := table.Get(ddb.WithBudget(pace.With(t.Context(), p), budget), "a"); !errors.Is(err, ddb.ErrNotFound) || time.Since(begin) != 0 {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

// The reserved units of requests are also released if the limit is removed or set while they are in progress.
func TestSetDuringRequests(t *testing.T) {
	for name, c := range map[string]struct {
		first, then pace.Rates
		took        []time.Duration // until the running one ends, and each of the next two
	}{
		// A request that may cost more than a second's units waits until nothing else is in flight.
		"a limit is set":     {pace.Rates{}, pace.Rates{ReadUnits: 10}, []time.Duration{4 * time.Second, 8 * time.Second, 12 * time.Second}},
		"a limit is lifted":  {pace.Rates{ReadUnits: 10}, pace.Rates{}, []time.Duration{4 * time.Second, 5 * time.Second, 5 * time.Second}},
		"a limit is changed": {pace.Rates{ReadUnits: 100}, pace.Rates{ReadUnits: 10}, []time.Duration{4 * time.Second, 8 * time.Second, 12 * time.Second}},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("GetItem").Delay(4 * time.Second)))
				defer e.Close()
				table := newThings(t, e)
				p := pace.New(c.first)
				pass(2 * time.Second)
				ctx, cancel := context.WithTimeout(pace.With(t.Context(), p), time.Minute)
				defer cancel()
				begin := time.Now()
				took := make(chan time.Duration, 3)
				get := func() {
					if _, err := table.Get(ctx, "a"); !errors.Is(err, ddb.ErrNotFound) {
						t.Error(err)
					}
					took <- time.Since(begin)
				}
				go get()
				pass(time.Second)
				if err := p.Set(c.then); err != nil {
					t.Fatal(err)
				}
				pass(time.Millisecond)
				go get()
				go get()
				for i, want := range c.took {
					if got := <-took; got < want || got > want+time.Duration(i)*time.Second {
						t.Errorf("request %d ended after %v, want %v", i, got, want)
					}
				}
				// Nothing is reserved now: a request that may cost more than everything available is admitted.
				if err := p.Set(pace.Rates{ReadUnits: 10}); err != nil {
					t.Fatal(err)
				}
				get()
			})
		})
	}
}
