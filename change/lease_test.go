package change_test

import (
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

// The reply of every kind of write may be lost: a swap that happened is one that happened.
func TestTableStoreLosesReplies(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 4; n++ {
		s := newTableStore(t, ddbtest.New(t, ddbtest.WithFaults(fault.On("PutItem").Nth(n).DropReply())))
		was := change.Lease{App: "a", Stream: "s", Shard: "1", Checkpoint: change.Horizon}
		if err := s.Create(t.Context(), was); err != nil {
			t.Errorf("reply %d: create: %v", n, err)
		}
		for i := range int64(3) {
			will := was
			will.Owner, will.Counter, will.Checkpoint = "w", i+1, change.Checkpoint(fmt.Sprint(i))
			if stored, swapped, err := s.Swap(t.Context(), was, will); err != nil || !swapped || stored.Counter != i+1 {
				t.Errorf("reply %d: swap %d: %+v, %v, %v", n, i, stored, swapped, err)
			}
			was = will
		}
	}
}
