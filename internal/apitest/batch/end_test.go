// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/longtest"
)

// clients are a client with the timeouts of NewClient and one without timeouts.
var clients = map[string]func(testing.TB, *ddbtest.Engine) ddb.Client{
	"of NewClient":     func(t testing.TB, e *ddbtest.Engine) ddb.Client { return defaults(t, e) },
	"without timeouts": func(_ testing.TB, e *ddbtest.Engine) ddb.Client { return e.Client() },
}

// TestSilentServer: if a server never replies, a batch ends after the time limit of the policy, however many requests it needs,
// and reports for each input whether it may have been written.
func TestSilentServer(t *testing.T) {
	for name, op := range operations {
		for kind, client := range clients {
			for _, n := range []int{1, 2000, longtest.Size(20_000, 6000)} {
				synctest.Test(t, func(t *testing.T) {
					var requests atomic.Int64
					e := engineOf(t, 1, fault.On(op.name).Where(func(fault.Request) bool { requests.Add(1); return true }).Hang())
					table := tableOn(t, client(t, e))
					list, keys := manyReadings(n)
					start := time.Now()
					err := op.run(t.Context(), table, list, keys)
					took := time.Since(start)
					// With few requests, the client's attempts end before the time limit.
					if took > time.Minute || n > 2000 && took != time.Minute && !strings.HasSuffix(name, "All") {
						t.Errorf("%s of %d on a client %s took %v", name, n, kind, took)
					}
					if err == nil || errors.Is(err, context.Canceled) || took == time.Minute && !strings.Contains(err.Error(), "for 1m0s (RetryPolicy.MaxElapsed)") {
						t.Fatalf("%s of %d on a client %s: %v", name, n, kind, err)
					}
					failed := batchError(t, err)
					if !strings.HasSuffix(name, "All") && len(failed.Failed) != n {
						t.Errorf("%s of %d on a client %s: %d failed", name, n, kind, len(failed.Failed))
					}
					unknown := 0
					for _, f := range failed.Failed {
						if f.Unknown != errors.Is(f.Err, ddb.ErrOutcomeUnknown) || !f.Unknown && !ddb.IsRetryable(f.Err) {
							t.Fatalf("failure %+v", f)
						}
						if f.Unknown {
							unknown++
						}
					}
					if sent := min(len(failed.Failed), int(requests.Load())*25); !op.write && unknown > 0 || op.write && (unknown == 0 || unknown > sent) {
						t.Errorf("%s of %d on a client %s: %d unknown after %d requests", name, n, kind, unknown, requests.Load())
					}
				})
			}
		}
	}
}

// TestSlowButAdvancing: the time limit counts from the last item that was written or read. A batch that makes
// progress runs longer than the limit, and ends when no item was done for that long.
func TestSlowButAdvancing(t *testing.T) {
	for name, op := range operations {
		synctest.Test(t, func(t *testing.T) {
			silent := time.Now().Add(5 * time.Minute)
			e := engineOf(t, 1, fault.On(op.name).Between(time.Time{}, silent).Delay(40*time.Second), fault.On(op.name).Hang())
			table := tableOn(t, e.Client(), ddb.Concurrency(2))
			perRequest := 100
			if op.write {
				perRequest = 25
			}
			list, keys := manyReadings(14 * perRequest) // 7 rounds of 40 s
			start := time.Now()
			if err := op.run(t.Context(), table, list, keys); err != nil || time.Since(start) != 280*time.Second {
				t.Fatalf("%s: %v after %v", name, err, time.Since(start))
			}
			// The next one is answered before the server falls silent, all others are not.
			list, keys = manyReadings(4 * perRequest)
			start = time.Now()
			err := op.run(t.Context(), table, list, keys)
			failed := batchError(t, err)
			if len(failed.Failed) != 2*perRequest || time.Since(start) != 100*time.Second {
				t.Errorf("%s: %d failed after %v: %v", name, len(failed.Failed), time.Since(start), err)
			}
		})
	}
}

// TestCallersDeadline: a batch ends before the deadline of its caller, which can then still use the report. A cancelled
// batch ends immediately. Both report what may have been written.
func TestCallersDeadline(t *testing.T) {
	for name, op := range operations {
		for _, tc := range []struct{ deadline, end time.Duration }{
			{50 * time.Millisecond, 45 * time.Millisecond},
			{2 * time.Second, 1800 * time.Millisecond},
			{10 * time.Second, 9 * time.Second},
			{50 * time.Second, 49 * time.Second},
			{10 * time.Minute, time.Minute},
		} {
			synctest.Test(t, func(t *testing.T) {
				var requests atomic.Int64
				e := engineOf(t, 1, fault.On(op.name).Where(func(fault.Request) bool { return requests.Add(1) > 2 }).Hang())
				table := tableOn(t, e.Client(), ddb.Concurrency(2))
				list, keys := manyReadings(1000)
				ctx, cancel := context.WithTimeout(t.Context(), tc.deadline)
				defer cancel()
				start := time.Now()
				err := op.run(ctx, table, list, keys)
				if took := time.Since(start); took != tc.end || ctx.Err() != nil {
					t.Errorf("%s with a deadline of %v ended after %v, want %v; its context: %v", name, tc.deadline, took, tc.end, ctx.Err())
				}
				failed := batchError(t, err)
				if early := tc.end != time.Minute; errors.Is(err, context.DeadlineExceeded) != early || errors.Is(err, context.Canceled) || !op.write && !ddb.IsRetryable(err) {
					t.Errorf("%s with a deadline of %v: %v", name, tc.deadline, err)
				}
				unknown := 0
				for _, f := range failed.Failed {
					if f.Unknown {
						unknown++
					}
				}
				if want := 50; op.write && unknown != want || !op.write && unknown != 0 {
					t.Errorf("%s with a deadline of %v: %d of %d are unknown", name, tc.deadline, unknown, len(failed.Failed))
				}
			})
		}
		synctest.Test(t, func(t *testing.T) {
			e := engineOf(t, 1, fault.On(op.name).Nth(2).Throttle(), fault.On(op.name).Hang())
			table := tableOn(t, e.Client(), ddb.Concurrency(1))
			list, keys := manyReadings(200)
			why := errors.New("shutting down")
			ctx, cancel := context.WithCancelCause(t.Context())
			time.AfterFunc(3*time.Second, func() { cancel(why) })
			start := time.Now()
			err := op.run(ctx, table, list, keys)
			if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || time.Since(start) != 3*time.Second || ddb.IsRetryable(err) {
				t.Errorf("%s, cancelled: %v after %v", name, err, time.Since(start))
			}
			for _, f := range batchError(t, err).Failed {
				if f.Unknown != (op.write && f.Index < 25) {
					t.Errorf("%s, cancelled: %+v", name, f)
				}
			}
		})
	}
}

// TestBatchKeepsCallersContext: the context of the caller is still valid after a batch.
func TestBatchKeepsCallersContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOf(t, 1)
		table := tableOn(t, e.Client())
		list, keys := manyReadings(30)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		for name, op := range operations {
			if err := op.run(ctx, table, list, keys); err != nil || ctx.Err() != nil {
				t.Errorf("%s: %v, %v", name, err, ctx.Err())
			}
		}
	})
}
