// SPDX-License-Identifier: Apache-2.0

package write_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest"
)

// plainUsers returns a table of users without versions on a faulty connection.
func plainUsers(t *testing.T, client ddb.Client, opts ...ddb.TableOption) *ddb.SimpleTable[user, string] {
	t.Helper()
	users, err := ddb.NewSimple(client, "users", userID, append([]ddb.TableOption{ddb.WithRetryBudget(nil)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	return users
}

// TestTransactSingleFaults: after any fault of the first request, the transaction is applied once and reported as applied.
func TestTransactSingleFaults(t *testing.T) {
	needsEngine(t, "faults")
	for what := lostBefore; what < faults; what++ {
		t.Run(what.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newFaulty(t)
				users := plainUsers(t, client)
				f.Set(first("TransactWriteItems", what))
				err := ddb.Transact(t.Context(), client, users.TxUpsert("u", userLogins.Add(1)), users.TxUpsert("v", userLogins.Add(2)))
				f.Set(nil)
				requests := 2
				if what == cutReply {
					requests = 1 // it says that the transaction was applied
				}
				if n := f.Calls["TransactWriteItems"]; n != requests {
					t.Errorf("%d requests", n)
				}
				u, err2 := users.Get(t.Context(), "u")
				v, err3 := users.Get(t.Context(), "v")
				if err := errors.Join(err, err2, err3); err != nil || u.Logins != 1 || v.Logins != 2 {
					t.Errorf("%v: %d and %d", err, u.Logins, v.Logins)
				}
				var got ddb.Got[user]
				f.Set(first("TransactGetItems", what))
				if err := ddb.TransactGet(t.Context(), client, users.TxGet("v", &got)); err != nil || got.Item.Logins != 2 {
					t.Errorf("TransactGet: %+v, %v", got, err)
				}
			})
		})
	}
}

// TestTransactUnknown: without a conclusive reply the outcome is unknown; calling again with the token determines it. A
// rejection after a lost request is a rejection.
func TestTransactUnknown(t *testing.T) {
	needsEngine(t, "faults")
	for _, tc := range []struct {
		name    string
		then    apitest.Fault
		applied bool
	}{
		{"lost before", lostBefore, false},
		{"lost after", lostAfter, true},
		{"500 before", error500Before, false},
		{"500 after", error500After, true},
		{"throttled", throttled, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newFaulty(t)
				users := plainUsers(t, client, ddb.Version(userVersion))
				u := user{ID: "u"}
				op := []ddb.TxOp{ddb.Token("T"), users.TxCreate(&u)}
				f.Set(func(_ string, n int) apitest.Fault {
					if n == 0 && tc.then == throttled {
						return lostBefore
					}
					return tc.then
				})
				err := ddb.Transact(t.Context(), client, op...)
				f.Set(nil)
				unknown, ok := errors.AsType[*ddb.OutcomeUnknownError](err)
				if !ok || !errors.Is(err, ddb.ErrOutcomeUnknown) || unknown.Attempts != 3 || u.Version != 0 {
					t.Fatalf("got %v, version %d", err, u.Version)
				}
				if in, _ := users.Exists(t.Context(), "u", ddb.Consistent()); in != tc.applied {
					t.Errorf("applied: %v", in)
				}
				if err := ddb.Transact(t.Context(), client, op...); err != nil || u.Version != 1 {
					t.Errorf("again with the token: %v, version %d", err, u.Version)
				}
				f.Set(func(string, int) apitest.Fault { return throttled })
				if err := ddb.Transact(t.Context(), client, users.TxUpdate("u", userName.Set("n"))); !errors.Is(err, ddb.ErrThrottled) || errors.Is(err, ddb.ErrOutcomeUnknown) {
					t.Errorf("throttled only: %v", err)
				}
				f.Set(first("TransactWriteItems", lostBefore))
				w := user{ID: "u"}
				err = ddb.Transact(t.Context(), client, users.TxCreate(&w))
				if errors.Is(err, ddb.ErrConditionFailed) || !errors.Is(err, ddb.ErrOutcomeUnknown) {
					t.Errorf("refused after a lost request, which may yet arrive: %v", err)
				}
			})
		})
	}
}

// TestTransactConflictAfterALostReply: if a call gives up after a conflict, which may be with its own lost request, the
// outcome is unknown.
func TestTransactConflictAfterALostReply(t *testing.T) {
	needsEngine(t, "faults")
	const conflict = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"cancelled",` +
		`"CancellationReasons":[{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"}]}`
	const inProgress = `{"__type":"com.amazonaws.dynamodb.v20120810#TransactionInProgressException","Message":"The transaction with the given request token is already in progress"}`
	for _, lost := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			e := ddbtest.NewEngine()
			defer e.Close()
			n, body := 0, conflict
			client := e.Client(func(o *dynamodb.Options) {
				o.RetryMaxAttempts = 3 // versions of the SDK differ
				o.HTTPClient = apitest.Doer(func(req *http.Request) (*http.Response, error) {
					if !strings.HasSuffix(req.Header.Get("X-Amz-Target"), "TransactWriteItems") {
						return e.Do(req)
					}
					if n++; lost && n == 1 {
						return nil, errReset
					}
					return answer(req, 400, body), nil
				})
			})
			users := plainUsers(t, client)
			err := ddb.Transact(t.Context(), client, users.TxPut(&user{ID: "u"}))
			te, ok := errors.AsType[*ddb.TransactionError](err)
			if !ok || te.At(0).Reason != "TransactionConflict" || errors.Is(err, ddb.ErrOutcomeUnknown) != lost || !ddb.IsRetryable(te) {
				t.Errorf("lost %v: %v", lost, err)
			}
			// The SDK itself waits for a transaction in progress, so there is no second layer of retries.
			n, body = 0, inProgress
			if err := ddb.Transact(t.Context(), client, users.TxPut(&user{ID: "u"})); !errors.Is(err, ddb.ErrOutcomeUnknown) || n != 3 {
				t.Errorf("in progress: %v after %d requests", err, n)
			}
		})
	}
}

// TestTokenIsNotUsedTooLong: DynamoDB forgets a token after 10 minutes, so nothing is sent again then, whatever the policy
// allows.
func TestTokenIsNotUsedTooLong(t *testing.T) {
	needsEngine(t, "virtual time")
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			e := ddbtest.NewEngine()
			defer e.Close()
			start := time.Now()
			var last time.Duration
			c := &cancelling{Client: e.Client()}
			for range 10_000 {
				c.reasons = append(c.reasons, []string{"TransactionConflict"})
			}
			c.seen = func() { last = time.Since(start) }
			delay := time.Duration(rand.New(rand.NewPCG(seed, 0)).Int64N(int64(5 * time.Minute)))
			users := plainUsers(t, e.Client(), ddb.Retry(ddb.RetryPolicy{BaseDelay: time.Second + delay, MaxDelay: time.Second + delay, MaxElapsed: 24 * time.Hour, MaxIdle: 10_000}))
			err := ddb.Transact(t.Context(), c, users.TxPut(&user{ID: "u"}))
			if last > 9*time.Minute || last < 2*time.Minute || !strings.Contains(err.Error(), "before the token expires") {
				t.Errorf("last request after %v: %v", last, err)
			}
			for _, token := range c.tokens {
				if token == "" || token != c.tokens[0] {
					t.Errorf("tokens %q", c.tokens)
				}
			}
		})
	}
}

// TestTransactContext: with an ended context nothing is sent; a context that ends during a wait ends the wait.
func TestTransactContext(t *testing.T) {
	needsEngine(t, "chosen reasons")
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		c := &cancelling{Client: e.Client()}
		users := plainUsers(t, e.Client(), ddb.Retry(ddb.RetryPolicy{BaseDelay: time.Hour, MaxDelay: time.Hour, MaxElapsed: 24 * time.Hour}))
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		u := user{ID: "u"}
		if err := ddb.Transact(ended, c, users.TxPut(&u)); !errors.Is(err, context.Canceled) || errors.Is(err, ddb.ErrOutcomeUnknown) || len(c.tokens) != 0 {
			t.Errorf("ended: %v after %d requests", err, len(c.tokens))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		c.reasons = [][]string{{"TransactionConflict"}, {"TransactionConflict"}}
		err := ddb.Transact(ctx, c, users.TxPut(&u))
		if _, ok := errors.AsType[*ddb.TransactionError](err); !ok || !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > time.Second {
			t.Errorf("waiting: %v after %v", err, time.Since(start))
		}
		var got ddb.Got[user]
		if err := ddb.TransactGet(ctx, c, users.TxGet("u", &got)); !errors.Is(err, context.DeadlineExceeded) || len(c.reasons) != 1 {
			t.Errorf("TransactGet: %v", err)
		}
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := ddb.TransactGet(ctx, c, users.TxGet("u", &got)); !errors.Is(err, context.DeadlineExceeded) || len(c.reasons) != 0 {
			t.Errorf("TransactGet: %v", err)
		}
	})
}

// TestTransactStorm: many writers count in transactions over a connection that fails at random. Acknowledged writes are applied
// exactly once; only unknown ones may differ.
func TestTransactStorm(t *testing.T) {
	needsEngine(t, "faults")
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		f, client := newFaulty(t)
		users := plainUsers(t, client)
		rng := rand.New(rand.NewPCG(uint64(seed), 2))
		f.Set(func(op string, _ int) apitest.Fault {
			if op != "TransactWriteItems" || rng.IntN(100) >= 20 {
				return noFault
			}
			return apitest.Fault(1 + rng.IntN(int(faults)-1))
		})
		var (
			mu             sync.Mutex
			acked, unknown int64
			wg             sync.WaitGroup
		)
		for w := range 32 {
			wg.Go(func() {
				for range 40 {
					err := ddb.Transact(t.Context(), client, users.TxUpsert("sum", userLogins.Add(1)), users.TxUpsert(fmt.Sprint(w), userLogins.Add(1)))
					mu.Lock()
					switch {
					case err == nil:
						acked++
					case errors.Is(err, ddb.ErrOutcomeUnknown):
						unknown++
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		f.Set(nil)
		sum, err := users.Get(t.Context(), "sum", ddb.Consistent())
		if err != nil || sum.Logins < acked || sum.Logins > acked+unknown {
			t.Errorf("%v: %d counted, %d acknowledged, %d unknown", err, sum.Logins, acked, unknown)
		}
		parts := int64(0)
		for w := range 32 {
			if u, err := users.Get(t.Context(), fmt.Sprint(w), ddb.Consistent()); err == nil {
				parts += u.Logins
			}
		}
		if parts != sum.Logins {
			t.Errorf("the parts add up to %d, the sum is %d", parts, sum.Logins)
		}
		t.Logf("%d acknowledged, %d unknown, %d counted", acked, unknown, sum.Logins)
	})
}

// TestTransactionWithoutReasons: the error of a cancellation without reasons contains the message of the service.
func TestTransactionWithoutReasons(t *testing.T) {
	needsEngine(t, "chosen reasons")
	_, orders, _ := twoTables(t)
	for _, reasons := range [][]types.CancellationReason{nil, {{Code: aws.String("None")}}, {{}}, {{Code: aws.String("None")}, {Code: aws.String("ConditionalCheckFailed")}}} {
		c := &cancelling{always: &types.TransactionCanceledException{Message: aws.String("cancelled for a while"), CancellationReasons: reasons}}
		err := ddb.Transact(t.Context(), c, orders.TxPut(&order{Customer: "c", ID: "1"}))
		te, ok := errors.AsType[*ddb.TransactionError](err)
		if !ok || len(te.Failed) != 0 || !strings.Contains(err.Error(), "transaction cancelled without a reason: TransactionCanceledException") || strings.Contains(err.Error(), "for a while") || ddb.IsRetryable(err) {
			t.Errorf("got %v", err)
		}
	}
}
