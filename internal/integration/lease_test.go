// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

// holding is the state of a lease: its owner and its counter.
type holding struct {
	shard   string
	owner   string
	counter int64
}

// grab is one call: a read, or an attempt to replace was with will.
type grab struct {
	swap      bool
	was, will holding
}

type grabbed uint8

const (
	read grabbed = iota
	won
	lost // another holding is stored now; ours may have been stored before
	dark // an error: it may still be applied at any time
)

type seenLease struct {
	result grabbed
	found  holding
}

// leaseModel is the sequential specification: a lease passes from one holding to the next, to a
// caller that names the previous one. No two callers win at the same counter.
var leaseModel = porcupine.NondeterministicModel{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		of := map[string][]porcupine.Operation{}
		for _, o := range history {
			shard := o.Input.(grab).was.shard
			of[shard] = append(of[shard], o)
		}
		parts := make([][]porcupine.Operation, 0, len(of))
		for _, p := range of {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() []any { return []any{holding{}} },
	Step: func(state, input, output any) []any {
		is, in, out := state.(holding), input.(grab), output.(seenLease)
		if is == (holding{}) {
			is.shard = in.was.shard // as created: free, at counter 0
		}
		if !in.swap {
			if out.found == is {
				return []any{is}
			}
			return nil
		}
		switch {
		case out.result == won && is == in.was:
			return []any{in.will}
		case out.result == won:
			return nil
		case is == in.was:
			return []any{is, in.will}
		}
		return []any{is}
	},
}

// TestLeasesAreLinearizable: whichever requests and replies are lost, no two workers hold a lease at the same counter.
func TestLeasesAreLinearizable(t *testing.T) {
	const workers, rounds, shards = 16, 25, 2
	synctest.Test(t, func(t *testing.T) {
		on := new(atomic.Bool)
		m := fault.On().Where(func(fault.Request) bool { return on.Load() })
		e := ddbtest.NewEngine(ddbtest.WithFaults(
			m.Chance(0.03).DropReply(), m.Chance(0.03).DropRequest(), m.Chance(0.03).Applied().InternalError(), m.Chance(0.02).Throttle(),
			m.Chance(0.02).TruncateBody(), fault.On("PutItem").Where(func(fault.Request) bool { return on.Load() }).Chance(0.03).Late(2*time.Second),
			m.Chance(0.5).Delay(2*time.Millisecond)))
		defer e.Close()
		t.Logf("DDBTEST_SEED=%d", e.Seed())
		store, err := change.NewTableStore(e.Client(), "leases")
		if err != nil {
			t.Fatal(err)
		}
		if err := store.EnsureTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		for s := range shards {
			if err := store.Create(t.Context(), change.Lease{App: "app", Stream: "stream", Shard: fmt.Sprint(s)}); err != nil {
				t.Fatal(err)
			}
		}
		on.Store(true)
		var (
			clock   atomic.Int64
			mu      sync.Mutex
			history []porcupine.Operation
			count   [dark + 1]int
			wg      sync.WaitGroup
		)
		for w := range workers {
			wg.Go(func() {
				for range rounds {
					call := clock.Add(1)
					leases, err := store.Leases(t.Context(), "app")
					returned := clock.Add(1)
					if err != nil {
						continue // it says nothing
					}
					l := leases[rand.IntN(len(leases))]
					was := holding{l.Shard, l.Owner, l.Counter}
					record := []porcupine.Operation{{ClientId: w, Input: grab{was: was}, Call: call, Return: returned, Output: seenLease{read, was}}}
					will := l
					will.Owner, will.Counter = fmt.Sprint("worker ", w), l.Counter+1
					swap := porcupine.Operation{
						ClientId: w, Input: grab{swap: true, was: was, will: holding{will.Shard, will.Owner, will.Counter}}, Call: clock.Add(1),
					}
					_, swapped, err := store.Swap(t.Context(), l, will)
					result := lost
					swap.Return = clock.Add(1)
					switch {
					case err != nil:
						result, swap.Return = dark, math.MaxInt64
					case swapped:
						result = won
					}
					swap.Output = seenLease{result: result}
					mu.Lock()
					count[result]++
					history = append(append(history, record...), swap)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		t.Logf("%d won, %d lost, %d with an error", count[won], count[lost], count[dark])
		if count[won] == 0 || count[lost] == 0 {
			t.Error("the workers did not compete")
		}
		model := leaseModel.ToModel()
		if result := porcupine.CheckOperationsTimeout(model, history, time.Minute); result != porcupine.Ok {
			t.Errorf("the history is %s", result)
		}
	})
}
