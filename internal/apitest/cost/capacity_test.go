// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"bytes"
	"log/slog"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/apitest/draw"
)

func TestLedgerRecord(t *testing.T) {
	l := cost.NewLedger()
	for range 10 {
		l.Record("t", "i", "ExecuteStatement", 0.1, 0.2)
	}
	l.Record("t", "i", "ExecuteStatement", math.NaN(), -1)
	l.Record("t", "i", "ExecuteStatement", math.Inf(1), math.Inf(-1))
	want := cost.Capacity{Entries: []cost.Entry{{Table: "t", Index: "i", Operation: "ExecuteStatement", ReadUnits: 1, WriteUnits: 2, Operations: 12}}}
	if diff := cmp.Diff(want, l.Snapshot()); diff != "" {
		t.Error(diff)
	}
	if got := l.Snapshot().Entries[0].Total(); got != 3 {
		t.Errorf("Total() = %v", got)
	}
	var none *cost.Ledger
	none.Record("t", "", "GetItem", 1, 1)
	if n := none.Snapshot().Operations() + none.Reset().Operations(); n != 0 {
		t.Errorf("a nil ledger counted %d operations", n)
	}
}

// TestLedgerSums compares the ledger's sums with a list of what was recorded.
func TestLedgerSums(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type record struct {
			table, index, op string
			read, write      int // hundredths
		}
		names := []string{"a", "b", "c"}
		records := make([]record, draw.Int(t, 0, 40, "records"))
		for i := range records {
			records[i] = record{
				draw.Of(t, names, "table"), draw.Of(t, []string{"", "i", "j"}, "index"), draw.Of(t, names, "op"),
				draw.Int(t, 0, 1000, "read"), draw.Int(t, 0, 1000, "write"),
			}
		}
		early := draw.Int(t, 0, len(records), "early")

		l := cost.NewLedger()
		var before cost.Capacity
		var read, write, lateRead int
		tables := map[string]int{}
		for i, r := range records {
			if i == early {
				before = l.Snapshot()
			}
			l.Record(r.table, r.index, r.op, float64(r.read)/100, float64(r.write)/100)
			read, write = read+r.read, write+r.write
			tables[r.table] += r.read + r.write
			if i >= early {
				lateRead += r.read
			}
		}
		if early == len(records) {
			before = l.Snapshot()
		}
		all := l.Snapshot()
		for what, pair := range map[string][2]float64{
			"Read":       {all.Read(), float64(read) / 100},
			"Write":      {all.Write(), float64(write) / 100},
			"Total":      {all.Total(), float64(read+write) / 100},
			"Operations": {float64(all.Operations()), float64(len(records))},
			"Sub":        {all.Sub(before).Read(), float64(lateRead) / 100},
			"Sub itself": {float64(len(all.Sub(all).Entries)), 0},
		} {
			if pair[0] != pair[1] {
				t.Errorf("%s is %v, want %v", what, pair[0], pair[1])
			}
		}
		for _, e := range all.ByTable().Entries {
			if e.Total() != float64(tables[e.Table])/100 || e.Index+e.Operation+e.Label != "" {
				t.Errorf("ByTable has %+v, want %v units", e, float64(tables[e.Table])/100)
			}
		}
		for _, c := range []cost.Capacity{all.ByTable(), all.ByIndex(), all.ByOperation(), all.ByLabel(), all.Top(100), l.Reset()} {
			if c.Total() != all.Total() || c.Operations() != all.Operations() {
				t.Errorf("a breakdown has other totals: %+v", c)
			}
		}
		if got := l.Reset(); len(got.Entries) != 0 {
			t.Errorf("after a reset: %+v", got)
		}
	})
}

func TestCapacityGroupsAndTop(t *testing.T) {
	c := cost.Capacity{Entries: []cost.Entry{
		{Table: "a", Operation: "GetItem", ReadUnits: 1, Operations: 1},
		{Table: "a", Index: "i", Operation: "Query", Label: "job", ReadUnits: 4, Operations: 2},
		{Table: "b", Operation: "PutItem", WriteUnits: 3, Operations: 1},
		{Table: "b", Operation: "Query", ReadUnits: 2, Operations: 1},
	}}
	for name, tt := range map[string]struct {
		got  cost.Capacity
		want []cost.Entry
	}{
		"ByTable": {c.ByTable(), []cost.Entry{{Table: "a", ReadUnits: 5, Operations: 3}, {Table: "b", ReadUnits: 2, WriteUnits: 3, Operations: 2}}},
		"ByIndex": {c.ByIndex(), []cost.Entry{
			{Table: "a", ReadUnits: 1, Operations: 1}, {Table: "a", Index: "i", ReadUnits: 4, Operations: 2},
			{Table: "b", ReadUnits: 2, WriteUnits: 3, Operations: 2},
		}},
		"ByOperation": {c.ByOperation(), []cost.Entry{
			{Operation: "GetItem", ReadUnits: 1, Operations: 1}, {Operation: "PutItem", WriteUnits: 3, Operations: 1},
			{Operation: "Query", ReadUnits: 6, Operations: 3},
		}},
		"ByLabel":   {c.ByLabel(), []cost.Entry{{ReadUnits: 3, WriteUnits: 3, Operations: 3}, {Label: "job", ReadUnits: 4, Operations: 2}}},
		"Top":       {c.Top(2), []cost.Entry{c.Entries[1], c.Entries[2]}},
		"Top of 0":  {c.Top(0), []cost.Entry{}},
		"Top of -1": {c.Top(-1), []cost.Entry{}},
	} {
		if diff := cmp.Diff(tt.want, tt.got.Entries); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if c.Entries[0].Table != "a" || c.Entries[3].ReadUnits != 2 {
		t.Error("a method changed its receiver")
	}
}

func textLogger(b *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
		if len(groups) == 0 && a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func TestLogCapacity(t *testing.T) {
	ddb.DefaultLedger().Reset() // discard what other tests recorded
	ddb.DefaultLedger().Record("orders", "", "GetItem", 0.5, 0)
	ddb.DefaultLedger().Record("orders", "byStatus", "PutItem", 0, 2)
	ddb.DefaultLedger().Record("stock", "", "PutItem", 0, 1)
	var out bytes.Buffer
	ddb.LogCapacity(textLogger(&out))
	ddb.DefaultLedger().Reset()
	want := `level=INFO msg="DynamoDB capacity consumed" read_units=0.5 write_units=3 total_units=3.5 operations=3
level=INFO msg="DynamoDB capacity consumed by table" table=orders read_units=0.5 write_units=2 total_units=2.5 operations=2
level=INFO msg="DynamoDB capacity consumed by table" table=stock read_units=0 write_units=1 total_units=1 operations=1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestCapacityLogValue(t *testing.T) {
	l := cost.NewLedger()
	l.Record("orders", "", "GetItem", 0.5, 0)
	var out bytes.Buffer
	textLogger(&out).Info("done", "capacity", l.Snapshot())
	want := "level=INFO msg=done capacity.read_units=0.5 capacity.write_units=0 capacity.total_units=0.5 capacity.operations=1" +
		" capacity.tables.orders.read_units=0.5 capacity.tables.orders.write_units=0 capacity.tables.orders.total_units=0.5 capacity.tables.orders.operations=1\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkLedgerRecord(b *testing.B) {
	l := cost.NewLedger()
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			l.Record("orders", "", "GetItem", 0.5, 0)
		}
	})
}
