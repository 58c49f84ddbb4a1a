// SPDX-License-Identifier: Apache-2.0

package change_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/change"
	"github.com/dynamotable/ddb/change/changetest"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

func TestMemoryStore(t *testing.T) {
	t.Parallel()
	changetest.RunStore(t, func(testing.TB) change.Store { return new(change.MemoryStore) })
}

func newTableStore(t testing.TB, client ddb.Client) *change.TableStore {
	t.Helper()
	s, err := change.NewTableStore(client, ddbtest.TableName(t))
	if err == nil {
		err = s.EnsureTable(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTableStore(t *testing.T) {
	t.Parallel()
	changetest.RunStore(t, func(t testing.TB) change.Store { return newTableStore(t, ddbtest.NewFromEnv(t)) })
}

// If the reply to any kind of write is lost, a swap that was applied is reported as applied.
func TestTableStoreLosesReplies(t *testing.T) {
	t.Parallel()
	writes := fault.On("PutItem", "DeleteItem")
	for name, rule := range map[string]func(m fault.Matcher) fault.Rule{
		"lost reply": fault.Matcher.DropReply, "500": func(m fault.Matcher) fault.Rule { return m.Applied().InternalError() },
		"cut": fault.Matcher.TruncateBody, "doubled": fault.Matcher.Duplicate,
	} {
		for n := 1; n <= 6; n++ {
			s := newTableStore(t, ddbtest.New(t, ddbtest.WithFaults(rule(writes.Nth(n)))))
			was := change.Lease{App: "a", Stream: "s", Shard: "1", Checkpoint: change.TrimHorizon}
			if err := s.Create(t.Context(), was); err != nil {
				t.Errorf("%s %d: create: %v", name, n, err)
			}
			for i := range int64(3) {
				will := was
				will.Owner, will.Counter, will.Checkpoint = "w", i+1, change.Checkpoint(fmt.Sprint(i))
				if stored, swapped, err := s.Swap(t.Context(), was, will); err != nil || !swapped || stored.Counter != i+1 {
					t.Errorf("%s %d: swap %d: %+v, %v, %v", name, n, i, stored, swapped, err)
				}
				was = will
			}
			if err := s.Delete(t.Context(), was); err != nil {
				t.Errorf("%s %d: delete: %v", name, n, err)
			}
			if all, err := s.Leases(t.Context(), "a"); err != nil || len(all) != 0 {
				t.Errorf("%s %d: %d leases after the delete, %v", name, n, len(all), err)
			}
		}
	}
}

// TestEqualLeases: two workers swap to an equal lease, which a consumer never does. Only one of them
// succeeds, although the reply to the first is lost and both find the lease in the table that they wanted to write.
func TestEqualLeases(t *testing.T) {
	t.Parallel()
	var other *change.TableStore
	was := change.Lease{App: "a", Stream: "s", Shard: "1", Checkpoint: change.TrimHorizon}
	will := was
	will.Owner, will.Counter = "w", 1
	rivals, first := 0, true
	client := ddbtest.New(t, ddbtest.WithFaults(fault.On("PutItem").Where(func(fault.Request) bool {
		if other == nil || !first {
			return false
		}
		first = false // the other worker swaps before the request of this one, which is lost and sent again
		if _, swapped, err := other.Swap(t.Context(), was, will); err != nil {
			t.Error(err)
		} else if swapped {
			rivals++
		}
		return true
	}).DropRequest()))
	s, err := change.NewTableStore(client, "leases")
	if err := errors.Join(err, s.EnsureTable(t.Context()), s.Create(t.Context(), was)); err != nil {
		t.Fatal(err)
	}
	if other, err = change.NewTableStore(client, "leases"); err != nil {
		t.Fatal(err)
	}
	_, swapped, err := s.Swap(t.Context(), was, will)
	if err != nil || swapped || rivals != 1 {
		t.Errorf("swapped: %v, and the other worker %d times, %v", swapped, rivals, err)
	}
}
