// SPDX-License-Identifier: Apache-2.0

package eventstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/eventstore"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestLaggingIndex: events that appear in the index late, but within hold-back and window, are all delivered in time order. The
// time feed misses later ones, as documented; the sequenced feed never does..
func TestLaggingIndex(t *testing.T) {
	t.Parallel()
	if onEndpoint() {
		t.Skip("only on the embedded engine: indexes that lag")
	}
	for name, tc := range map[string]struct {
		lag   time.Duration
		fresh int // one in so many queries is not late
		lose  bool
	}{"within the window": {90 * time.Second, 3, false}, "beyond it": {30 * time.Minute, 12, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := ddbtest.NewEngine(ddbtest.WithVirtualClock(time.Date(2026, 1, 31, 23, 30, 0, 0, time.UTC)),
				ddbtest.WithFaults(fault.On("Query").Where(func(r fault.Request) bool { return rand.IntN(tc.fresh) > 0 }).StaleIndex(tc.lag)))
			t.Cleanup(e.Close)
			clock := e.Clock()
			s := openStore(t, e.Client(), "store", eventstore.TimeBuckets(eventstore.Month, 2), eventstore.Sequenced(2), eventstore.Clock(clock.Now))
			byTime, inOrder := map[string]int{}, 0
			f := s.TimeFeed(time.Time{})
			var at eventstore.Position
			read := func() {
				for e, err := range f.Read(t.Context()) {
					if err != nil {
						t.Fatal(err)
					}
					byTime[e.ID]++
				}
				for c, err := range s.Feed().Read(t.Context(), at) {
					if err != nil {
						t.Fatal(err)
					}
					at = at.After(c)
					inOrder++
				}
			}
			events := longtest.Size(150, 60)
			for i := range events {
				if _, err := s.Append(t.Context(), fmt.Sprint("s", i%5), eventstore.Any(), event("x")); err != nil {
					t.Fatal(err)
				}
				clock.Advance(time.Duration(rand.IntN(60)) * time.Second)
				read()
				if inOrder != i+1 {
					t.Fatalf("the sequenced feed has %d of %d commits", inOrder, i+1)
				}
			}
			for range 20 {
				clock.Advance(time.Minute)
				read()
			}
			for id, n := range byTime {
				if n > 1 {
					t.Errorf("event %s was delivered %d times", id, n)
				}
			}
			if lost := events - len(byTime); lost > 0 != tc.lose {
				t.Errorf("the time feed missed %d events", lost)
			}
		})
	}
}
