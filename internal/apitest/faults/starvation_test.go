// SPDX-License-Identifier: Apache-2.0

package faults_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/longtest"
)

// TestRowC2HotTable: a table that throttles every request does not slow down the calls on another table of the same client. A
// rate limiter for the whole client, such as the SDK's adaptive mode, would slow them down.
func TestRowC2HotTable(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults")
	const latency = 3 * time.Millisecond
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(
			faultrule.On("PutItem").Table("hot").Throttle("TableWriteKeyRangeThroughputExceeded"), faultrule.On("PutItem").Table("healthy").Delay(latency),
		))
		t.Cleanup(e.Close)
		client := apitest.NewDefaults(t, e)
		table := func(name string) *users {
			users, err := ddb.NewSimple(client, name, userID)
			if err != nil {
				t.Fatal(err)
			}
			if err := users.CreateTable(t.Context()); err != nil {
				t.Fatal(err)
			}
			return users
		}
		hot, healthy := table("hot"), table("healthy")
		length := time.Second // the client's budget is empty after half of it, and writes fail immediately
		if longtest.Enabled() {
			length = 4 * time.Second
		}
		measure := func(besides int) (p99 time.Duration, throttled int) {
			var (
				wg    sync.WaitGroup
				mu    sync.Mutex
				times []time.Duration
			)
			start := time.Now()
			for w := range besides {
				wg.Go(func() {
					for i := 0; time.Since(start) < length; i++ {
						if hot.Put(t.Context(), &user{ID: fmt.Sprint(w, "-", i)}) != nil {
							mu.Lock()
							throttled++
							mu.Unlock()
						}
						<-time.After(time.Millisecond)
					}
				})
			}
			for w := range 4 {
				wg.Go(func() {
					for i := 0; time.Since(start) < length/4; i++ {
						began := time.Now()
						if err := healthy.Put(t.Context(), &user{ID: fmt.Sprint(w, "-", i)}); err != nil {
							t.Error(err)
						}
						mu.Lock()
						times = append(times, time.Since(began))
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			slices.Sort(times)
			return times[len(times)*99/100], throttled
		}
		alone, _ := measure(0)
		beside, throttled := measure(8)
		if throttled < 100 {
			t.Fatalf("only %d writes were throttled", throttled)
		}
		if beside > alone*12/10 {
			t.Errorf("the healthy table's p99 is %v next to a hot table, %v alone", beside, alone)
		}
	})
}
