// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

type account struct {
	ID      string `dynamodbav:"id"`
	Balance int64  `dynamodbav:"balance"`
	Version int64  `dynamodbav:"version"`

	Revision ddb.Revision `dynamodbav:"revision"`
}

var (
	accountID       = ddb.StrField(func(a *account) *string { return &a.ID })
	accountVersion  = ddb.NumField(func(a *account) *int64 { return &a.Version })
	accountRevision = ddb.Field(func(a *account) *ddb.Revision { return &a.Revision })
)

// A step is one call on one account: a write that expects a version, or a read.
type step struct {
	id     string
	write  bool
	expect int64
}

type outcome uint8

const (
	stored outcome = iota
	conflict
	unknown
	rejected // for another reason, so nothing was applied
	seen
)

type reply struct {
	outcome outcome
	version int64 // version that a read returned, 0 for no item
}

// versioned is the sequential specification: every write that expects the current version raises it by one.
var versioned = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		of := map[string][]porcupine.Operation{}
		for _, o := range history {
			id := o.Input.(step).id
			of[id] = append(of[id], o)
		}
		parts := make([][]porcupine.Operation, 0, len(of))
		for _, p := range of {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return int64(0) },
	Step: func(state, input, output any) (bool, any) {
		version, in, out := state.(int64), input.(step), output.(reply)
		switch {
		case !in.write:
			return out.version == version, version
		case out.outcome == conflict:
			return version != in.expect, version
		case version == in.expect: // an unknown write may have been applied; at the end it may also not have been
			return true, version + 1
		default:
			return out.outcome == unknown, version
		}
	},
}

// TestVersionedWritesAreLinearizable: the results of writers and readers of versioned items, while some
// requests fail, are those of a sequential execution.
func TestVersionedWritesAreLinearizable(t *testing.T) {
	const workers, rounds, items = 16, 40, 4
	synctest.Test(t, func(t *testing.T) {
		e := ddbtest.NewEngine(ddbtest.WithFaults(append([]fault.Rule{
			fault.On("PutItem").Chance(0.02).Late(3 * time.Second), fault.On("PutItem").Chance(0.02).Duplicate(),
			fault.On().Chance(0.3).Delay(2 * time.Millisecond),
		}, fault.Storm(0.15)...)...))
		defer e.Close()
		t.Logf("DDBTEST_SEED=%d", e.Seed())
		table, err := ddb.NewSimple(e.Client(), "accounts", accountID, ddb.Version(accountVersion), ddb.Version(accountRevision))
		if err != nil {
			t.Fatal(err)
		}
		for table.CreateTable(t.Context()) != nil { // faults affect it too
			if err := table.WaitTable(t.Context()); err == nil {
				break
			}
		}
		var (
			clock   atomic.Int64 // orders calls and returns; virtual time has ties
			mu      sync.Mutex
			history []porcupine.Operation
			count   [seen + 1]int
			wg      sync.WaitGroup
		)
		for w := range workers {
			wg.Go(func() {
				for i := range rounds {
					id := fmt.Sprint("a", (w+i)%items)
					read := porcupine.Operation{ClientId: w, Input: step{id: id}, Call: clock.Add(1)}
					a, err := table.Get(t.Context(), id, ddb.Consistent())
					read.Return = clock.Add(1)
					if err != nil && !errors.Is(err, ddb.ErrNotFound) {
						continue // it says nothing
					}
					read.Output = reply{seen, a.Version}
					a.ID = id
					a.Balance++
					write := porcupine.Operation{ClientId: w, Input: step{id: id, write: true, expect: a.Version}, Call: clock.Add(1)}
					result := put(t.Context(), table, &a)
					write.Return, write.Output = clock.Add(1), reply{outcome: result}
					if result == unknown {
						write.Return = math.MaxInt64 // it may still be applied at any time
					}
					mu.Lock()
					count[result]++
					count[seen]++
					history = append(history, read)
					if result != rejected {
						history = append(history, write)
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		t.Logf("%d writes stored, %d conflicts, %d unknown, %d refused, %d reads", count[stored], count[conflict], count[unknown], count[rejected], count[seen])
		if count[stored] == 0 || count[conflict] == 0 {
			t.Error("the writers did not compete")
		}
		if result := porcupine.CheckOperationsTimeout(versioned, history, time.Minute); result != porcupine.Ok {
			t.Errorf("the history is %s", result)
		}
	})
}

func put(ctx context.Context, table *ddb.SimpleTable[account, string], a *account) outcome {
	err := table.Put(ctx, a)
	switch {
	case err == nil, errors.Is(err, ddb.ErrReplyLost):
		return stored
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		return unknown
	case errors.Is(err, ddb.ErrConditionFailed):
		return conflict
	}
	return rejected
}

// The specification itself rejects impossible histories.
func TestVersionedSpecification(t *testing.T) {
	write := func(client int, expect int64, result outcome, call, ret int64) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: step{"a", true, expect}, Output: reply{outcome: result}, Call: call, Return: ret}
	}
	for name, c := range map[string]struct {
		history []porcupine.Operation
		want    bool
	}{
		"two owners of one version":       {[]porcupine.Operation{write(1, 0, stored, 1, 4), write(2, 0, stored, 2, 3)}, false},
		"one wins":                        {[]porcupine.Operation{write(1, 0, stored, 1, 4), write(2, 0, conflict, 2, 3)}, true},
		"conflict without another writer": {[]porcupine.Operation{write(1, 0, conflict, 1, 2)}, false},
		"conflict with an unknown write":  {[]porcupine.Operation{write(1, 0, unknown, 1, math.MaxInt64), write(2, 0, conflict, 2, 3)}, true},
		"lost update":                     {[]porcupine.Operation{write(1, 0, stored, 1, 2), {ClientId: 2, Input: step{id: "a"}, Output: reply{seen, 0}, Call: 3, Return: 4}}, false},
	} {
		if got := porcupine.CheckOperations(versioned, c.history); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
