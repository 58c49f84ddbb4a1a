// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/job"
)

// An item that DynamoDB refuses, when it is written or read again, has failed and does not end the run, unless there are too many.
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
		t.Errorf("refused when it was read again: %+v, %v, %d reports", r, err, got.Load())
	}
}

// session expires.
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

// A job sees the items that the table hides because they have expired, when it reads one again as well.
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
