// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/sweep"
)

// workers is a gate before the pace that counts the requests that wait for the pace or are in flight.
type workers struct {
	mu          sync.Mutex
	now, sum, n int
}

func (w *workers) PageSize(string, string, bool) int { return 0 }

func (w *workers) Admit(context.Context, *hooks.Call) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now++
	w.sum, w.n = w.sum+w.now, w.n+1
	return nil
}

func (w *workers) Throttled(*hooks.Call, []ddberr.ThrottlingReason) {}

func (w *workers) Done(*hooks.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now--
}

// A sweep obeys the pace in every window, is as fast as the pace allows, and needs few workers for that.
func TestSweepKeepsThePace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		const rate = 20
		e := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("Scan").Delay(50 * time.Millisecond)))
		defer e.Close()
		table := newThings(t, e)
		fill(t, table, 2000, 1500)
		m, w := newMeter("sweep"), &workers{}
		defer hooks.Add(m)()
		ctx := pace.With(ddb.WithGate(ddb.WithLabel(t.Context(), "sweep"), w), pace.New(pace.Rates{ReadUnits: rate}))
		begin, seen := time.Now(), 0
		for page, err := range sweep.Of(table.Scan()).Pages(ctx) {
			if err != nil {
				t.Fatal(err)
			}
			seen += len(page.Items)
		}
		sum, most := m.total()
		took := time.Since(begin)
		t.Logf("%v, %g units, %.1f workers", took, sum, float64(w.sum)/float64(w.n))
		if seen != 2000 || took > time.Duration(1.25*sum/rate*float64(time.Second)) || m.worst(rate) > most || float64(w.sum)/float64(w.n) > 4 {
			t.Errorf("%d items in %v for %g units, %g more than the pace in a window, %.1f workers", seen, took, sum, m.worst(rate), float64(w.sum)/float64(w.n))
		}
	})
}
