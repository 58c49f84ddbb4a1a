package ddb_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/dynamotable/ddb"
)

// TestItemSize finds the edge of the 1 KB write unit with ItemSize alone and holds it against what the engine bills.
func TestItemSize(t *testing.T) {
	ctx := t.Context()
	ledger := ddb.NewLedger()
	places, err := ddb.NewSimple(newClient(t), tableName(t), placeID, ddb.WithLedger(ledger))
	if err != nil {
		t.Fatal(err)
	}
	if err := places.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	p := place{ID: "é", Country: "NL", Year: -20, Name: "n", Note: ""}
	empty, err := places.ItemSize(&p)
	if err != nil {
		t.Fatal(err)
	}
	for extra, units := range []float64{1, 2} {
		p.Note = strings.Repeat("x", 1024-empty+extra)
		if n, err := places.ItemSize(&p); err != nil || n != 1024+extra {
			t.Errorf("ItemSize = %d, %v; want %d", n, err, 1024+extra)
		}
		ledger.Reset()
		if err := places.Put(ctx, &p); err != nil {
			t.Fatal(err)
		}
		if got := ledger.Snapshot().Write(); got != units {
			t.Errorf("a put of %d bytes cost %g units, want %g", 1024+extra, got, units)
		}
		if err := places.Delete(ctx, "é"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := places.ItemSize(&place{}); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("an item without key: %v", err)
	}
	if _, err := places.ItemSize(nil); !errors.Is(err, ddb.ErrInvalid) {
		t.Errorf("no item: %v", err)
	}
	p.Note = strings.Repeat("x", 500_000)
	if n, err := places.ItemSize(&p); err != nil || n < 500_000 {
		t.Errorf("an item over the limit: %d, %v", n, err)
	}
}
