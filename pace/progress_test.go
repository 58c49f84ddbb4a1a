// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"testing"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/progress"
)

// The progress of a call shows the pace as its ceiling, and that it waits for it.
func TestProgressShowsThePace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		e := ddbtest.NewEngine()
		defer e.Close()
		table := newThings(t, e)
		tracker := progress.NewTracker()
		ctx := pace.With(tracker.With(t.Context()), pace.New(pace.Rates{WriteUnits: 10}))
		done := make(chan error)
		list := make([]Thing, 300)
		for i := range list {
			list[i].ID = time.Unix(int64(i), 0).String()
		}
		go func() { done <- table.BatchPut(ctx, list) }()
		pass(20500 * time.Millisecond)
		got := tracker.List()
		if len(got) != 1 || got[0].State != progress.Waiting || got[0].Reason != "pace" || got[0].Ceiling != (progress.Units{Write: 10}) ||
			got[0].Rate.Write < 5 || got[0].Rate.Write > 13 || got[0].LeftLow == 0 || got[0].LeftHigh > time.Minute {
			t.Errorf("got %v", got)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got := tracker.List(); got[0].State != progress.Done || got[0].Units.Write != 300 || got[0].LeftHigh != 0 {
			t.Errorf("got %v", got)
		}
	})
}
