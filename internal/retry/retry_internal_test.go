// SPDX-License-Identifier: Apache-2.0

package retry

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"
)

func TestJitterStaysWithinItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "base"))
		ceiling := base + time.Duration(rapid.Int64Range(0, math.MaxInt64/2-1).Draw(t, "more"))
		retries := rapid.IntRange(0, 200).Draw(t, "retries")
		limit := float64(base) * math.Pow(2, float64(retries))
		d := Jitter(base, ceiling, retries)
		if d < 0 || d > ceiling || float64(d) > limit {
			t.Fatalf("Jitter(%d, %d, %d) = %d", base, ceiling, retries, d)
		}
	})
}

func TestFullJitterGrowsToTheCeilingAndStartsAgain(t *testing.T) {
	const draws = 2000
	base, ceiling := time.Millisecond, 40*time.Millisecond
	longest := make([]time.Duration, 10)
	for range draws {
		f := fullJitter{base: base, ceiling: ceiling}
		for i := range longest {
			longest[i] = max(longest[i], f.NextBackOff())
		}
		f.Reset()
		longest[0] = max(longest[0], f.NextBackOff())
	}
	for i, got := range longest {
		limit := min(ceiling, base<<i)
		if got > limit || got < limit*9/10 {
			t.Errorf("retry %d: the longest of %d waits is %v, the limit %v", i+1, draws, got, limit)
		}
	}
}

func drive(ctx context.Context, r *Loop, progress ...bool) (attempts int, err error) {
	for attempts = 1; attempts < 1000; attempts++ {
		if err := r.Next(ctx, progress[min(attempts, len(progress))-1]); err != nil {
			return attempts, err
		}
	}
	return attempts, nil
}

func TestLoopStops(t *testing.T) {
	for name, tt := range map[string]struct {
		policy   Policy
		progress []bool
		attempts int
		want     string
	}{
		"idle by default":     {Policy{}, []bool{false}, 8, "MaxIdle"},
		"idle":                {Policy{MaxIdle: 1}, []bool{false}, 1, "MaxIdle"},
		"progress refreshes":  {Policy{MaxIdle: 3}, []bool{false, false, true, false, false, true, false}, 9, "MaxIdle"},
		"attempts":            {Policy{MaxAttempts: 3}, []bool{false}, 3, "MaxAttempts"},
		"attempts, advancing": {Policy{MaxAttempts: 3}, []bool{true}, 3, "MaxAttempts"},
		"no retry":            {Policy{MaxAttempts: 1}, []bool{true}, 1, "MaxAttempts"},
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts, err := drive(t.Context(), New(tt.policy, nil), tt.progress...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || attempts != tt.attempts {
				t.Errorf("%s: %d attempts, %v; want %d, %s", name, attempts, err, tt.attempts, tt.want)
			}
		})
	}
}

func TestLoopStopsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := Policy{BaseDelay: time.Second, MaxElapsed: 30 * time.Second, MaxIdle: 10000}
		start := time.Now()
		attempts, err := drive(t.Context(), New(policy, nil), false)
		if err == nil || !strings.Contains(err.Error(), "MaxElapsed") {
			t.Fatalf("%d attempts, %v", attempts, err)
		}
		if took := time.Since(start); took > policy.MaxElapsed || took < policy.MaxElapsed-5*time.Second {
			t.Errorf("stopped after %v of virtual time, the bound is %v", took, policy.MaxElapsed)
		}
	})
}

func TestLoopObeysTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := Policy{BaseDelay: time.Hour, MaxElapsed: 24 * time.Hour, MaxIdle: 100}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := drive(ctx, New(slow, nil), false)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after a deadline: %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("waited %v for a context of 1s", took)
		}
		why := errors.New("shutting down")
		cancelled, stop := context.WithCancelCause(t.Context())
		stop(why)
		attempts, err := drive(cancelled, New(slow, nil), true)
		if attempts != 1 || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("after a cancellation: %d attempts, %v", attempts, err)
		}
	})
}

func TestLoopStaysWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const retries = 100
		// An outage: 1,000 jobs always fail.
		budget := NewBudget(retries)
		start, calls := time.Now(), 0
		for range 1000 {
			attempts, err := drive(t.Context(), New(Policy{}, budget), false)
			if err == nil {
				t.Fatal("retrying never stopped")
			}
			calls += attempts
		}
		regained := int(time.Since(start).Seconds()) + 1
		if calls > 1000+retries+regained || calls < 1000+retries {
			t.Errorf("%d calls for 1,000 jobs", calls)
		}
		_, err := drive(t.Context(), New(Policy{}, budget), false)
		if !errors.Is(err, ErrBudgetEmpty) {
			t.Errorf("with an empty budget: %v", err)
		}
		// Work that makes progress is not a retry and continues.
		if _, err := drive(t.Context(), New(Policy{MaxElapsed: time.Hour}, NewBudget(0)), true); err != nil {
			t.Errorf("advancing work without a budget: %v", err)
		}
	})
}

func TestLoopPaysBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := func(b *Budget) float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.tokens
		}
		instant := Policy{BaseDelay: 1, MaxDelay: 1} // so that almost no tokens come back with time
		budget := NewBudget(10)
		r := New(instant, budget)
		if err := r.Next(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if got := math.Round(tokens(budget)); got != 45 {
			t.Errorf("after a retry the budget holds %v of 50 tokens, want 45", got)
		}
		r.Succeeded()
		if got := math.Round(tokens(budget)); got != 50 {
			t.Errorf("after the retry succeeded it holds %v, want 50", got)
		}
		budget.Take(20)
		New(instant, budget).Succeeded()
		if got := math.Round(tokens(budget)); got != 31 {
			t.Errorf("after 20 were taken and a first attempt succeeded it holds %v, want 31", got)
		}
	})
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewBudget(2)
		if !b.Take(10) || b.Take(1) {
			t.Error("a budget for two retries gave no token, or too many")
		}
		b.Add(10)
		if !b.Take(10) {
			t.Error("returned tokens are not available")
		}
		if Sleep(t.Context(), time.Second) != nil || b.Take(6) || !b.Take(5) {
			t.Error("a second does not give 5 tokens back")
		}
		if Sleep(t.Context(), time.Hour) != nil || b.Take(11) || !b.Take(10) {
			t.Error("the budget does not fill up to its capacity")
		}
		var none *Budget
		none.Add(1)
		if !none.Take(1e9) {
			t.Error("a nil budget refused a token")
		}
		if NewBudget(-1).Take(1) || new(Budget).Take(1) {
			t.Error("a budget for no retries gave a token")
		}
	})
}

// TestPatient: a worker of a batch waits until its budget has enough tokens for a retry, but not for a budget that can never have them.
func TestPatient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		budget := NewBudget(1)
		r := NewPatient(Policy{BaseDelay: 1, MaxDelay: 1, MaxElapsed: time.Second}, budget)
		start := time.Now()
		for range 20 {
			if err := r.Next(t.Context(), false); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 10*time.Second || took > time.Minute {
			t.Errorf("20 retries took %v; the budget gives one a second back", took)
		}
		if err := NewPatient(Policy{}, NewBudget(0)).Next(t.Context(), false); !errors.Is(err, ErrBudgetEmpty) {
			t.Errorf("a budget that allows no retry: %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		budget.Take(budget.capacity)
		if err := NewPatient(Policy{MaxIdle: 9}, new(Budget)).Next(ctx, false); !errors.Is(err, ErrBudgetEmpty) {
			t.Errorf("the zero budget: %v", err)
		}
	})
}

// TestRestart: work that lost a race waits briefly, and not longer than the policy allows.
func TestRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, start := New(Policy{MaxElapsed: 10 * time.Second}, nil), time.Now()
		var err error
		races := 0
		for ; err == nil && races < 10000; races++ {
			err = r.Restart(t.Context(), races)
		}
		if took := time.Since(start); err == nil || !strings.Contains(err.Error(), "lost races within 10s") || took > 10*time.Second || took < 9*time.Second {
			t.Errorf("%d races, %v, %v", races, took, err)
		}
	})
}

// TestSoon: the first retry is immediate, the next ones follow soon, and each costs tokens.
func TestSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, start := New(Policy{BaseDelay: time.Hour, MaxDelay: time.Hour, MaxElapsed: 100 * time.Hour, MaxIdle: 1000}, NewBudget(5)), time.Now()
		for i := range quickRetries {
			if err := r.Soon(t.Context()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took > restartMost*time.Duration(i) {
				t.Errorf("retry %d began after %v", i+1, took)
			}
		}
		if err := r.Soon(t.Context()); !errors.Is(err, ErrBudgetEmpty) {
			t.Errorf("after five retries on a budget for five: %v", err)
		}
	})
}

func TestWithDefaults(t *testing.T) {
	want := Policy{BaseDelay: 50 * time.Millisecond, MaxDelay: 5 * time.Second, MaxElapsed: time.Minute}
	if got := DefaultPolicy(); got != want {
		t.Errorf("the default policy is %+v", got)
	}
	want.MaxIdle = 8 // of everything but batches
	if got := (Policy{}).WithDefaults(); got != want {
		t.Errorf("the zero policy becomes %+v", got)
	}
	own := Policy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond, MaxDelay: 2 * time.Second, MaxElapsed: time.Hour, MaxIdle: 4}
	if got := own.WithDefaults(); got != own {
		t.Errorf("a full policy becomes %+v", got)
	}
}

func TestValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		policy Policy
		want   []string
	}{
		"zero":               {Policy{}, nil},
		"slow":               {Policy{BaseDelay: time.Minute}, nil},
		"negative":           {Policy{-1, -1, -1, -1, -1}, []string{"MaxAttempts", "BaseDelay", "MaxDelay", "MaxElapsed", "MaxIdle"}},
		"base over max":      {Policy{BaseDelay: 2, MaxDelay: 1}, []string{"BaseDelay 2ns is longer"}},
		"max below the base": {Policy{MaxDelay: time.Millisecond}, []string{"BaseDelay 50ms is longer"}},
	} {
		err := tt.policy.Validate()
		if (err != nil) != (tt.want != nil) {
			t.Errorf("%s: %v", name, err)
		}
		for _, w := range tt.want {
			if err != nil && !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error does not name %s: %v", name, w, err)
			}
		}
	}
}
