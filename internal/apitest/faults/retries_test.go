// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbclient"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// newDefaults returns an engine, and a client with a faulty connection and the defaults of NewClient.
func newDefaults(t *testing.T, opts ...ddbclient.Option) (*faulty, *dynamodb.Client) {
	f := apitest.NewConnection(t)
	return f, apitest.NewDefaults(t, f, opts...)
}

// TestRetryTable tests the rows of docs/retries.md: a fault at every request, and the requests that a call sends.
func TestRetryTable(t *testing.T) {
	needsEngine(t, "faults")
	type tables struct {
		client           *dynamodb.Client
		plain, versioned *users
	}
	get := func(ctx context.Context, t tables) error { return last(t.plain.Get(ctx, "u")) }
	put := func(ctx context.Context, t tables) error { return t.plain.Put(ctx, &user{ID: "u"}) }
	create := func(ctx context.Context, t tables) error { return t.versioned.Create(ctx, &user{ID: "new"}) }
	count := func(ctx context.Context, t tables) error { return last(t.plain.Update(ctx, "u", userLogins.Add(1))) }
	remove := func(ctx context.Context, t tables) error { return t.plain.Delete(ctx, "u") }
	batch := func(ctx context.Context, t tables) error { return t.plain.BatchPut(ctx, []user{{ID: "u"}}) }
	transact := func(ctx context.Context, t tables) error {
		return ddb.Transact(ctx, t.client, t.plain.TxPut(&user{ID: "u"}))
	}
	for _, tc := range []struct {
		row   string
		what  fault
		run   func(context.Context, tables) error
		calls map[string]int
		want  error // that the call's error matches, nil for success
	}{
		{"throttled read", throttled, get, map[string]int{"GetItem": 3}, ddb.ErrThrottled},
		{"throttled write", throttled, put, map[string]int{"PutItem": 3}, ddb.ErrThrottled},
		{"throttled write with a reason", provisioned, create, map[string]int{"PutItem": 3}, ddb.ErrThrottled},
		{"throttled count", throttled, count, map[string]int{"UpdateItem": 3}, ddb.ErrThrottled},
		{"throttled transaction", throttled, transact, map[string]int{"TransactWriteItems": 3}, ddb.ErrThrottled},
		{"conflict of a Put", txConflict, put, map[string]int{"PutItem": 3}, errAny},
		{"conflict of a Create", txConflict, create, map[string]int{"PutItem": 3}, errAny},
		{"conflict of an Update", txConflict, count, map[string]int{"UpdateItem": 3}, errAny},
		{"conflict of a Delete", txConflict, remove, map[string]int{"DeleteItem": 3}, errAny},
		{"other Region and Put", writeConflict, put, map[string]int{"PutItem": 3}, errAny},
		{"other Region and Create", writeConflict, create, map[string]int{"PutItem": 3}, errAny},
		{"other Region and Update", writeConflict, count, map[string]int{"UpdateItem": 3}, errAny},
		{"other Region and Delete", writeConflict, remove, map[string]int{"DeleteItem": 3}, errAny},
		{"lost reply of a read", lostAfter, get, map[string]int{"GetItem": 3}, errAny},
		{"lost reply of a write that may repeat", lostAfter, put, map[string]int{"PutItem": 3}, ddb.ErrOutcomeUnknown},
		{"lost reply of a write under a condition", lostAfter, create, map[string]int{"PutItem": 1}, ddb.ErrOutcomeUnknown},
		{"lost reply of a count", lostAfter, count, map[string]int{"UpdateItem": 1}, ddb.ErrOutcomeUnknown},
		{"lost reply of a batch", lostAfter, batch, map[string]int{"BatchWriteItem": 3}, ddb.ErrOutcomeUnknown},
		{"lost reply of a transaction", lostAfter, transact, map[string]int{"TransactWriteItems": 3}, ddb.ErrOutcomeUnknown},
		{"server error of a read", error500Before, get, map[string]int{"GetItem": 3}, errAny},
		{"server error of a count", error500Before, count, map[string]int{"UpdateItem": 1}, ddb.ErrOutcomeUnknown},
		{"silent server", hung, get, map[string]int{"GetItem": 3}, context.DeadlineExceeded},
		{"reply to another read", foreignReply, get, map[string]int{"GetItem": 3}, errAny},
		{"truncated reply of a read", cutReply, get, map[string]int{"GetItem": 3}, errAny},
		{"truncated reply of a write", cutReply, put, map[string]int{"PutItem": 1}, nil},
		{"truncated reply of a transaction", cutReply, transact, map[string]int{"TransactWriteItems": 1}, nil},
	} {
		t.Run(tc.row, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newDefaults(t)
				plain, err1 := ddb.NewSimple(client, "plain", userID)
				versioned, err2 := ddb.NewSimple(client, "versioned", userID, ddb.Version(userVersion))
				if err := errors.Join(err1, err2, plain.CreateTable(t.Context()), versioned.CreateTable(t.Context()), plain.Put(t.Context(), &user{ID: "u"})); err != nil {
					t.Fatal(err)
				}
				clear(f.Calls)
				f.Set(func(string, int) fault { return tc.what })
				start := time.Now()
				err := tc.run(t.Context(), tables{client, plain, versioned})
				took := time.Since(start)
				f.Set(nil)
				if got := fmt.Sprint(f.Calls); got != fmt.Sprint(tc.calls) {
					t.Errorf("sent %v, want %v", got, tc.calls)
				}
				if (err == nil) != (tc.want == nil) || tc.want != errAny && !errors.Is(err, tc.want) { //nolint:errorlint // errAny is a mark
					t.Errorf("got %v, want %v", err, tc.want)
				}
				// Two waits of up to 50 and 100 ms before resends, and 5 s for an attempt without a reply.
				if most := 150 * time.Millisecond; tc.what != hung && took > most || took > 16*time.Second {
					t.Errorf("took %v", took)
				}
			})
		})
	}
}

var errAny = errors.New("any error")

// TestConflictsAreRetriedOnAnyClient: the SDK's own retryer does not retry conflicts of single writes.
func TestConflictsAreRetriedOnAnyClient(t *testing.T) {
	needsEngine(t, "faults")
	for _, what := range []fault{txConflict, writeConflict} {
		synctest.Test(t, func(t *testing.T) {
			f, client := newFaulty(t)
			table := protections[0].table(t, client)
			f.Set(first("PutItem", what))
			if err := table.Put(t.Context(), &user{ID: "u"}); err != nil || f.Calls["PutItem"] != 2 {
				t.Errorf("%s: %v after %d requests", what, err, f.Calls["PutItem"])
			}
		})
	}
}

// TestOneBudgetForAllLayers (row C1): 1,000 jobs of every kind (300 without -long) against a server that always fails
// send one request each and the 100 retries of the budget, whichever layer retries; without a budget they would send 3 each. A throttled batch continues for a minute, with one
// request a second once the budget is empty.
func TestOneBudgetForAllLayers(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	for _, what := range []fault{error500Before, throttled, lostBefore, txConflict} {
		t.Run(what.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx := t.Context()
				f, client := newDefaults(t)
				plain, err1 := ddb.NewSimple(client, "plain", userID)
				versioned, err2 := ddb.NewSimple(client, "versioned", userID, ddb.Version(userVersion))
				if err := errors.Join(err1, err2, plain.CreateTable(ctx), versioned.CreateTable(ctx)); err != nil {
					t.Fatal(err)
				}
				clear(f.Calls)
				f.Set(func(string, int) fault { return what })
				start := time.Now()
				jobs := longtest.Size(1000, 300)
				for i := range jobs {
					u := user{ID: "u", Version: 3}
					var err error
					switch i % 8 {
					case 0:
						err = versioned.Put(ctx, &u)
					case 1:
						err = plain.Put(ctx, &u)
					case 2:
						err = last(plain.Update(ctx, "u", userLogins.Add(1)))
					case 3:
						err = plain.BatchPut(ctx, []user{u})
					case 4:
						err = ddb.Transact(ctx, client, plain.TxPut(&u))
					case 5:
						err = last(plain.Get(ctx, "u"))
					case 6:
						err = versioned.DeleteItem(ctx, &u)
					case 7:
						err = last(plain.Update(ctx, "u", userLogins.Add(1).Exact()))
					}
					if err == nil {
						t.Error("success against a server that always fails")
					}
				}
				sum := 0
				for _, n := range f.Calls {
					sum += n
				}
				most := jobs + 150
				if what == throttled {
					most += int(time.Since(start).Seconds())
				}
				t.Logf("%d requests for %d jobs", sum, jobs)
				if sum > most {
					t.Errorf("%d requests for %d jobs, at most %d: %v", sum, jobs, most, f.Calls)
				}
			})
		})
	}
}

// TestLibraryRetriesCancelledTransactions: the SDK does not retry cancellations, and the library retries only those.
func TestLibraryRetriesCancelledTransactions(t *testing.T) {
	needsEngine(t, "faults")
	const conflict = errorType + `TransactionCanceledException","Message":"cancelled","CancellationReasons":[{"Code":"TransactionConflict","Message":"ongoing"}]}`
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		n := 0
		_, client := newDefaults(t, ddbclient.WithHTTPClient(apitest.Doer(func(req *http.Request) (*http.Response, error) {
			if !strings.HasSuffix(req.Header.Get("X-Amz-Target"), "TransactWriteItems") {
				return e.Do(req)
			}
			n++
			return answer(req, 400, conflict), nil
		})))
		table := protections[0].table(t, client)
		err := ddb.Transact(t.Context(), client, table.TxPut(&user{ID: "u"}))
		if !ddb.IsRetryable(err) || n != 8 {
			t.Errorf("%v after %d requests, want 8 (RetryPolicy.MaxIdle)", err, n)
		}
	})
}
