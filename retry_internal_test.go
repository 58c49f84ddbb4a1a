package ddb

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

func TestRetryPolicyDefaults(t *testing.T) {
	want := RetryPolicy{BaseDelay: 50 * time.Millisecond, MaxDelay: 5 * time.Second, MaxElapsed: time.Minute}
	if got := DefaultRetryPolicy(); got != want {
		t.Errorf("DefaultRetryPolicy() = %+v", got)
	}
	want.MaxIdle = 8 // of all work but batches
	if got := (RetryPolicy{}).withDefaults(); got != want {
		t.Errorf("the zero policy becomes %+v", got)
	}
	own := RetryPolicy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond, MaxDelay: 2 * time.Second, MaxElapsed: time.Hour, MaxIdle: 4}
	if got := own.withDefaults(); got != own {
		t.Errorf("a full policy becomes %+v", got)
	}
}

func TestRetryPolicyValidate(t *testing.T) {
	for name, tt := range map[string]struct {
		policy RetryPolicy
		want   []string
	}{
		"zero":               {RetryPolicy{}, nil},
		"slow":               {RetryPolicy{BaseDelay: time.Minute}, nil},
		"negative":           {RetryPolicy{-1, -1, -1, -1, -1}, []string{"MaxAttempts", "BaseDelay", "MaxDelay", "MaxElapsed", "MaxIdle"}},
		"base over max":      {RetryPolicy{BaseDelay: 2, MaxDelay: 1}, []string{"BaseDelay 2ns is longer"}},
		"max below the base": {RetryPolicy{MaxDelay: time.Millisecond}, []string{"BaseDelay 50ms is longer"}},
	} {
		err := tt.policy.validate()
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

func TestJitterStaysWithinItsLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := time.Duration(rapid.Int64Range(0, math.MaxInt64/2).Draw(t, "base"))
		ceiling := base + time.Duration(rapid.Int64Range(0, math.MaxInt64/2-1).Draw(t, "more"))
		retries := rapid.IntRange(0, 200).Draw(t, "retries")
		limit := float64(base) * math.Pow(2, float64(retries))
		d := jitter(base, ceiling, retries)
		if d < 0 || d > ceiling || float64(d) > limit {
			t.Fatalf("jitter(%d, %d, %d) = %d", base, ceiling, retries, d)
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

// drive calls next until it stops, with the given progress of each attempt; the last repeats.
func drive(ctx context.Context, r *retrier, progress ...bool) (attempts int, err error) {
	for attempts = 1; attempts < 1000; attempts++ {
		if err := r.next(ctx, progress[min(attempts, len(progress))-1]); err != nil {
			return attempts, err
		}
	}
	return attempts, nil
}

func TestRetrierStops(t *testing.T) {
	for name, tt := range map[string]struct {
		policy   RetryPolicy
		progress []bool
		attempts int
		want     string
	}{
		"idle by default":     {RetryPolicy{}, []bool{false}, 8, "MaxIdle"},
		"idle":                {RetryPolicy{MaxIdle: 1}, []bool{false}, 1, "MaxIdle"},
		"progress refreshes":  {RetryPolicy{MaxIdle: 3}, []bool{false, false, true, false, false, true, false}, 9, "MaxIdle"},
		"attempts":            {RetryPolicy{MaxAttempts: 3}, []bool{false}, 3, "MaxAttempts"},
		"attempts, advancing": {RetryPolicy{MaxAttempts: 3}, []bool{true}, 3, "MaxAttempts"},
		"no retry":            {RetryPolicy{MaxAttempts: 1}, []bool{true}, 1, "MaxAttempts"},
	} {
		synctest.Test(t, func(t *testing.T) {
			attempts, err := drive(t.Context(), newRetrier(tt.policy, nil), tt.progress...)
			if err == nil || !strings.Contains(err.Error(), tt.want) || attempts != tt.attempts {
				t.Errorf("%s: %d attempts, %v; want %d, %s", name, attempts, err, tt.attempts, tt.want)
			}
		})
	}
}

func TestRetrierStopsByTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		policy := RetryPolicy{BaseDelay: time.Second, MaxElapsed: 30 * time.Second, MaxIdle: 10000}
		start := time.Now()
		attempts, err := drive(t.Context(), newRetrier(policy, nil), false)
		if err == nil || !strings.Contains(err.Error(), "MaxElapsed") {
			t.Fatalf("%d attempts, %v", attempts, err)
		}
		if took := time.Since(start); took > policy.MaxElapsed || took < policy.MaxElapsed-5*time.Second {
			t.Errorf("stopped after %v of virtual time, the bound is %v", took, policy.MaxElapsed)
		}
	})
}

func TestRetrierObeysTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := RetryPolicy{BaseDelay: time.Hour, MaxElapsed: 24 * time.Hour, MaxIdle: 100}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := drive(ctx, newRetrier(slow, nil), false)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after a deadline: %v", err)
		}
		if took := time.Since(start); took != time.Second {
			t.Errorf("waited %v for a context of 1s", took)
		}
		why := errors.New("shutting down")
		cancelled, stop := context.WithCancelCause(t.Context())
		stop(why)
		attempts, err := drive(cancelled, newRetrier(slow, nil), true)
		if attempts != 1 || !errors.Is(err, context.Canceled) || !errors.Is(err, why) {
			t.Errorf("after a cancellation: %d attempts, %v", attempts, err)
		}
	})
}

func TestRetrierStaysWithinTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A brownout: 1,000 jobs fail whatever they do.
		budget := NewRetryBudget(defaultBudgetRetries)
		start, calls := time.Now(), 0
		for range 1000 {
			attempts, err := drive(t.Context(), newRetrier(RetryPolicy{}, budget), false)
			if err == nil {
				t.Fatal("retrying never stopped")
			}
			calls += attempts
		}
		regained := int(time.Since(start).Seconds()) + 1
		if calls > 1000+defaultBudgetRetries+regained || calls < 1000+defaultBudgetRetries {
			t.Errorf("%d calls for 1,000 jobs", calls)
		}
		_, err := drive(t.Context(), newRetrier(RetryPolicy{}, budget), false)
		if !errors.Is(err, errBudgetEmpty) {
			t.Errorf("with an empty budget: %v", err)
		}
		// Work that advances is no repetition and goes on.
		if _, err := drive(t.Context(), newRetrier(RetryPolicy{MaxElapsed: time.Hour}, NewRetryBudget(0)), true); err != nil {
			t.Errorf("advancing work without a budget: %v", err)
		}
	})
}

func TestRetrierPaysBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens := func(b *RetryBudget) float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return b.tokens
		}
		instant := RetryPolicy{BaseDelay: 1, MaxDelay: 1} // so that hardly anything comes back by time
		budget := NewRetryBudget(10)
		r := newRetrier(instant, budget)
		if err := r.next(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if got := math.Round(tokens(budget)); got != 45 {
			t.Errorf("after a retry the budget holds %v of 50 tokens, want 45", got)
		}
		r.succeeded()
		if got := math.Round(tokens(budget)); got != 50 {
			t.Errorf("after the retry succeeded it holds %v, want 50", got)
		}
		budget.take(20)
		newRetrier(instant, budget).succeeded()
		if got := math.Round(tokens(budget)); got != 31 {
			t.Errorf("after 20 were taken and a first attempt succeeded it holds %v, want 31", got)
		}
	})
}

func TestRetryBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := NewRetryBudget(2)
		release, err := b.GetToken(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.GetToken(t.Context(), 1); err == nil {
			t.Error("an empty budget gave a token")
		}
		if err := release(); err != nil {
			t.Error(err)
		}
		if !b.take(10) {
			t.Error("released tokens are not back")
		}
		if sleep(t.Context(), time.Second) != nil || b.take(6) || !b.take(5) {
			t.Error("a second does not give 5 tokens back")
		}
		if sleep(t.Context(), time.Hour) != nil || b.take(11) || !b.take(10) {
			t.Error("the budget does not fill up to its capacity")
		}
		var none *RetryBudget
		none.add(1)
		if !none.take(1e9) {
			t.Error("a nil budget bounds something")
		}
		if NewRetryBudget(-1).take(1) {
			t.Error("a budget for no retries gave a token")
		}
	})
}
