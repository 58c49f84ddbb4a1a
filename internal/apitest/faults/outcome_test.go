// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
)

// TestSingleFaults: one fault at the first request of each verb; the reported outcome always agrees with what is stored.
func TestSingleFaults(t *testing.T) {
	needsEngine(t, "faults")
	for what := lostBefore; what < faults; what++ {
		t.Run(what.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, client := newFaulty(t)
				users, err := ddb.NewSimple(client, "users", userID, ddb.Version(userVersion), ddb.Version(userRevision))
				if err != nil {
					t.Fatal(err)
				}
				plain, err := ddb.NewSimple(client, "plain", userID)
				if err != nil {
					t.Fatal(err)
				}
				ctx := t.Context()
				if err := errors.Join(users.CreateTable(ctx), plain.CreateTable(ctx)); err != nil {
					t.Fatal(err)
				}
				singleFault(ctx, t, f, users, plain, what)
			})
		})
	}
}

func singleFault(ctx context.Context, t *testing.T, f *faulty, users, plain *ddb.SimpleTable[user, string], what fault) {
	// Conditional writes on a versioned table succeed: there is no false conflict.
	u := user{ID: "u", Name: "first"}
	f.Set(first("PutItem", what))
	if err := users.Create(ctx, &u); err != nil || u.Version != 1 {
		t.Errorf("Create: %v, version %d", err, u.Version)
	}
	u.Name = "second"
	f.Set(first("PutItem", what))
	if err := users.Put(ctx, &u); err != nil || u.Version != 2 {
		t.Errorf("Put: %v, version %d", err, u.Version)
	}
	stale := u
	f.Set(first("PutItem", what))
	if err := users.Replace(ctx, &u); err != nil || u.Version != 3 {
		t.Errorf("Replace: %v, version %d", err, u.Version)
	}
	// A conflict stays a conflict, and holds the other's item.
	stale.Name = "stale"
	f.Set(first("PutItem", what))
	err := users.Put(ctx, &stale)
	var failed *ddb.ConditionFailed[user]
	if !errors.As(err, &failed) || stale.Version != 2 {
		t.Errorf("stale Put: %v", err)
	} else if current, ok := failed.Current(); !ok || current.Name != "second" {
		t.Errorf("stale Put: a current item: %t, or a wrong one", ok)
	}
	// Plain puts and idempotent updates are repeated.
	p := user{ID: "p", Name: "plain"}
	f.Set(first("PutItem", what))
	if err := plain.Put(ctx, &p); err != nil {
		t.Errorf("plain Put: %v", err)
	}
	f.Set(first("UpdateItem", what))
	if got, err := plain.Update(ctx, "p", userName.Set("set")); err != nil || got.Name != "set" {
		t.Errorf("idempotent Update: %+v, %v", got, err)
	}
	// A counter is applied once, or the outcome is unknown; never twice.
	f.Set(first("UpdateItem", what))
	got, err := plain.Update(ctx, "p", userLogins.Add(1))
	f.Set(nil)
	stored, rerr := plain.Get(ctx, "p", ddb.Consistent())
	if rerr != nil {
		t.Fatal(rerr)
	}
	switch {
	case err == nil && (stored.Logins != 1 || got.Logins != 1):
		t.Errorf("Add: success with %d stored, %d returned", stored.Logins, got.Logins)
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		if stored.Logins > 1 || what == throttled {
			t.Errorf("Add: unknown with %d stored", stored.Logins)
		}
	case err != nil:
		t.Errorf("Add: %v", err)
	}
	// In a transaction it counts exactly once.
	f.Set(first("TransactWriteItems", what))
	err = ddb.Transact(ctx, plainClient(f), plain.TxUpdate("p", userPoints.Add(1)))
	f.Set(nil)
	stored, _ = plain.Get(ctx, "p", ddb.Consistent())
	if err == nil && stored.Points != 1 || stored.Points > 1 {
		t.Errorf("Add in a transaction: %v, stored %d", err, stored.Points)
	}
	// A repeated delete finds no item, which is the intended result.
	f.Set(first("DeleteItem", what))
	if err := plain.Delete(ctx, "p"); err != nil {
		t.Errorf("Delete: %v", err)
	}
	f.Set(nil)
	if ok, _ := plain.Exists(ctx, "p"); ok {
		t.Error("Delete left the item")
	}
}

func plainClient(f *faulty) *dynamodb.Client {
	return f.Engine.Client(func(o *dynamodb.Options) { o.HTTPClient = f })
}

// TestWorstAttemptDecides: a throttle after an attempt whose reply was lost does
// not make the write "not applied".
func TestWorstAttemptDecides(t *testing.T) {
	needsEngine(t, "faults")
	synctest.Test(t, func(t *testing.T) {
		f, client := newFaulty(t)
		plain, err := ddb.NewSimple(client, "plain", userID)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if err := plain.CreateTable(ctx); err != nil {
			t.Fatal(err)
		}
		f.Set(func(op string, n int) fault {
			if n == 0 {
				return lostAfter
			}
			return throttled
		})
		u := user{ID: "u"}
		err = plain.Put(ctx, &u)
		var unknown *ddb.OutcomeUnknownError
		if !errors.As(err, &unknown) || !errors.Is(err, ddb.ErrOutcomeUnknown) || unknown.Attempts != 3 || ddb.IsRetryable(err) ||
			!errors.Is(err, ddb.ErrThrottled) || !strings.Contains(err.Error(), "outcome unknown") {
			t.Errorf("reset, then throttled: %v", err)
		}
		f.Set(func(string, int) fault { return throttled })
		if err := plain.Put(ctx, &u); !errors.Is(err, ddb.ErrThrottled) || errors.Is(err, ddb.ErrOutcomeUnknown) {
			t.Errorf("throttled only: %v", err)
		}
		// With AtLeastOnce the caller accepts a double count.
		f.Set(first("UpdateItem", lostAfter))
		if got, err := plain.Update(ctx, "u", userLogins.Add(1).AtLeastOnce()); err != nil || got.Logins != 2 {
			t.Errorf("at least once: %+v, %v", got, err)
		}
	})
}

// TestOutcomeAfterCancel: if the context ends while a request is in flight, the outcome is unknown and the error matches the context's error.
func TestOutcomeAfterCancel(t *testing.T) {
	needsEngine(t, "faults")
	f, client := newFaulty(t)
	plain, err := ddb.NewSimple(client, "plain", userID)
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f.Set(func(string, int) fault {
		cancel()
		return lostAfter
	})
	u := user{ID: "u"}
	if err := plain.Put(ctx, &u); !errors.Is(err, ddb.ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled in flight: %v", err)
	}
	if err := plain.Put(ctx, &u); !errors.Is(err, context.Canceled) || errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Errorf("cancelled before: %v", err)
	}
}

var _ aws.HTTPClient = (*faulty)(nil)
