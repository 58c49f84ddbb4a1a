// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/progress"
)

// A full replay reports the number of its events, and why it ended.
func TestProgressOfReplays(t *testing.T) {
	t.Parallel()
	s := openStore(t, ddbtest.New(t), "events", eventstore.Sequenced(1))
	for i := range 5 {
		if _, err := s.Append(t.Context(), fmt.Sprint("s", i), eventstore.NoStream(), event("x"), event("y")); err != nil {
			t.Fatal(err)
		}
	}
	jobs := progress.NewTracker()
	ctx := jobs.With(t.Context())
	n := 0
	at, err := s.ReplayAll(ctx, eventstore.Position{}, func(context.Context, eventstore.Event) error {
		if n++; n == 7 {
			return errors.New("broken")
		}
		return nil
	})
	if p, _ := jobs.Find("replay of events"); err == nil || p.State != progress.Failed || p.Items != 6 {
		t.Errorf("%v: %v", err, p)
	}
	_, err = s.ReplayAll(ctx, at, func(context.Context, eventstore.Event) error { return nil })
	if p, _ := jobs.Find("replay of events"); err != nil || p.State != progress.Done || p.Items != 4 || p.Units.Read == 0 {
		t.Errorf("%v: %v", err, p)
	}
}

// A replay whose projection panics is not shown as done.
func TestPanicOfAProjection(t *testing.T) {
	t.Parallel()
	s := openStore(t, ddbtest.New(t), "events", eventstore.Sequenced(1))
	if _, err := s.Append(t.Context(), "s", eventstore.NoStream(), event("x")); err != nil {
		t.Fatal(err)
	}
	jobs := progress.NewTracker()
	func() {
		defer func() { _ = recover() }()
		_, err := s.ReplayAll(jobs.With(t.Context()), eventstore.Position{}, func(context.Context, eventstore.Event) error { panic("the projection") })
		t.Errorf("it returned %v", err)
	}()
	if p, _ := jobs.Find("replay of events"); p.State != progress.Stopped {
		t.Errorf("got %v", p)
	}
}

// A backfill within a longer call reports to that call that it waits, and does not change its counts.
func TestBackfillWithinACall(t *testing.T) {
	t.Parallel()
	client := ddbtest.New(t)
	before := openStore(t, client, "events")
	if _, err := before.Append(t.Context(), "s", eventstore.NoStream(), event("x")); err != nil {
		t.Fatal(err)
	}
	after := openStore(t, client, "events", eventstore.ByCategory(1, nil), eventstore.Waits(func(ctx context.Context, _ time.Duration) error {
		if p := progress.From(ctx).Progress(); p.State != progress.Waiting || p.Reason != "appends of other writers" {
			t.Errorf("got %v", p)
		}
		return nil
	}))
	ctx, task := progress.Start(progress.NewTracker().With(t.Context()), "start of the program")
	defer task.End(nil)
	report, err := after.Backfill(ctx)
	if p := task.Progress(); err != nil || report.Filled != 1 || p.State != progress.Running || p.Items != 0 {
		t.Errorf("%v, %d filled: %v", err, report.Filled, p)
	}
}
