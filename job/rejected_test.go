// SPDX-License-Identifier: Apache-2.0

package job_test

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
	"github.com/dynamotable/ddb/job"
)

// An item that DynamoDB rejects, when it is written or read again, counts as failed and does not end the run, unless there are too many.
func TestRefusedItems(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"ValidationException", "ItemCollectionSizeLimitExceededException"} {
		for _, all := range []bool{false, true} {
			rule := fault.On("UpdateItem")
			if !all {
				rule = rule.Nth(2)
			}
			e := ddbtest.NewEngine(ddbtest.WithFaults(rule.Error(kind, "refused")))
			table := newOrders(t, newClient(e), 10)
			r, err := newJob(t, table, lower, job.MaxFailures(3)).Run(t.Context())
			switch {
			case all && (!errors.Is(err, job.ErrFailures) || r.Changed != 0):
				t.Errorf("%s for all items: %+v, %v", kind, r, err)
			case !all && (err != nil || r.Failed != 1 || r.Changed != 9):
				t.Errorf("%s for one item: %+v, %v", kind, r, err)
			}
			e.Close()
		}
	}
	var got atomic.Int64
	e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("GetItem").Error("ValidationException", "refused")))
	defer e.Close()
	client := newClient(e)
	table := newOrders(t, client, 10)
	j := newJob(t, table, meddle(lower, "1", func() { must(t, table.Put(t.Context(), &Order{ID: "1", Status: "PAID"})) }), job.OnFailure(func(f job.Failure) error {
		if strings.Contains(string(f.Key()), `"1"`) {
			got.Add(1)
		}
		return nil
	}))
	if r, err := j.Run(t.Context()); err != nil || r.Failed != 1 || r.Changed != 9 || r.Conflicts != 1 || got.Load() != 1 {
		t.Errorf("rejected when it was read again: %+v, %v, %d reports", r, err, got.Load())
	}
}

// session is an item that expires.
type session struct {
	ID    string `dynamodbav:"id"`
	State string `dynamodbav:"state"`
	Until int64  `dynamodbav:"until"`
}

var (
	sessionID    = ddb.StrField(func(s *session) *string { return &s.ID })
	sessionState = ddb.StrField(func(s *session) *string { return &s.State })
	sessionUntil = ddb.NumField(func(s *session) *int64 { return &s.Until })
)

// A job processes expired items that the table hides, also when it reads one again.
func TestExpiredItems(t *testing.T) {
	t.Parallel()
	sessions, err := ddb.NewSimple[session](ddbtest.New(t), "sessions", sessionID, ddb.TTL(sessionUntil), ddb.HideExpired())
	must(t, err)
	must(t, sessions.CreateTable(t.Context()))
	for _, id := range []string{"1", "2", "3"} {
		must(t, sessions.Put(t.Context(), &session{ID: id, State: "old", Until: time.Now().Add(-time.Hour).Unix()}))
	}
	var conflict atomic.Bool
	j, err := job.New("sessions", sessions, func(s session) job.Change[session] {
		if s.State == "new" {
			return job.Keep[session]()
		}
		if s.ID == "2" && conflict.CompareAndSwap(false, true) {
			must(t, sessions.Put(t.Context(), &session{ID: "2", State: "middle", Until: s.Until}))
		}
		return job.Update[session](sessionState.Set("new"))
	})
	must(t, err)
	must(t, j.Apply(t.Context(), "3"))
	if r, err := j.Run(t.Context()); err != nil || r.Read != 3 || r.Changed != 2 || r.Kept != 1 || r.Conflicts != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err := j.Verify(t.Context()); err != nil || r.Read != 3 || r.Kept != 3 {
		t.Errorf("%+v, %v", r, err)
	}
	if s, err := sessions.Get(t.Context(), "2", ddb.IncludeExpired()); err != nil || s.State != "new" {
		t.Errorf("%q, %v", s.State, err)
	}
}

// A write or read that is throttled or fails temporarily is retried with exponential backoff; only lasting failures end the run.
func TestThrottledWrites(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		fault       func(fault.Matcher) fault.Rule
		times       int
		ends        bool
		least, most time.Duration
	}{
		{"throttled", func(m fault.Matcher) fault.Rule { return m.Throttle() }, 5, false, 700 * time.Millisecond, 1700 * time.Millisecond},
		{"a conflict with a transaction", func(m fault.Matcher) fault.Rule { return m.Conflict() }, 5, false, 700 * time.Millisecond, 1700 * time.Millisecond},
		{"always throttled", func(m fault.Matcher) fault.Rule { return m.Throttle() }, 1000, true, 10 * time.Second, 25 * time.Second},
	} {
		for _, operation := range []string{"UpdateItem", "GetItem"} {
			if operation == "GetItem" && c.name == "a conflict with a transaction" {
				continue // only writes have conflicts
			}
			synctest.Test(t, func(t *testing.T) {
				e := ddbtest.NewEngine(ddbtest.WithFaults(c.fault(fault.On(operation).First(c.times))))
				defer e.Close()
				table := newOrders(t, newClient(e), 1)
				f := lower
				if operation == "GetItem" {
					f = meddle(lower, "0", func() { must(t, table.Put(context.Background(), &Order{ID: "0", Status: "OPEN-7", Seq: 7})) })
				}
				begun := time.Now()
				r, err := newJob(t, table, f).Run(t.Context())
				took := time.Since(begun)
				if c.ends != errors.Is(err, ddb.ErrThrottled) || !c.ends && (err != nil || r.Changed != 1) || r.Failed != 0 || took < c.least || took > c.most {
					t.Errorf("%s %s: %+v, %v, after %v", operation, c.name, r, err, took)
				}
			})
		}
	}
}

// A run that is cancelled while a change waits ends as cancelled. An item that others change every time fails after several waits.
func TestWaitsOfChanges(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("UpdateItem").Throttle()))
		defer e.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		table := newOrders(t, newClient(e), 1)
		if _, err := newJob(t, table, lower).Run(ctx); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ddb.ErrThrottled) {
			t.Errorf("got %v", err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		table := newOrders(t, newClient(e), 1)
		writes := 0
		begun := time.Now()
		r, err := newJob(t, table, func(o Order) job.Change[Order] {
			writes++
			must(t, table.Put(context.Background(), &Order{ID: "0", Status: "OPEN", Seq: writes}))
			return lower(o)
		}).Run(t.Context())
		if took := time.Since(begun); err != nil || r.Failed != 1 || r.Conflicts != 10 || took < 10*time.Second || took > 25*time.Second {
			t.Errorf("%+v, %v, after %v", r, err, took)
		}
	})
}
