// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
)

// TestItemSize finds the edge of the 1 KB write unit with ItemSize alone and compares it with what the engine bills.
func TestItemSize(t *testing.T) {
	ctx := t.Context()
	ledger := cost.NewLedger()
	users, err := ddb.NewSimple(newClient(t), tableName(t), userID, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	if err := users.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	u := user{ID: "é", Email: "NL", Logins: -20}
	empty, err := users.ItemSize(&u)
	if err != nil {
		t.Fatal(err)
	}
	for extra, units := range []float64{1, 2} {
		u.Name = strings.Repeat("x", 1024-empty+extra)
		if n, err := users.ItemSize(&u); err != nil || n != 1024+extra {
			t.Errorf("ItemSize = %d, %v; want %d", n, err, 1024+extra)
		}
		ledger.Reset()
		if err := users.Put(ctx, &u); err != nil {
			t.Fatal(err)
		}
		if got := ledger.Snapshot().Write(); got != units {
			t.Errorf("a put of %d bytes cost %g units, want %g", 1024+extra, got, units)
		}
		if err := users.Delete(ctx, "é"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := users.ItemSize(&user{}); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("an item without key: %v", err)
	}
	if _, err := users.ItemSize(nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no item: %v", err)
	}
	u.Name = strings.Repeat("x", 500_000)
	if n, err := users.ItemSize(&u); err != nil || n < 500_000 {
		t.Errorf("an item over the limit: %d, %v", n, err)
	}
}
