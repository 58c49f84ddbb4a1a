// SPDX-License-Identifier: Apache-2.0

// Package cost counts capacity units, adds them up in ledgers, limits them by budgets, and describes the expected cost of requests.
package cost

import (
	"cmp"
	"log/slog"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Capacity is what a [Ledger] has counted. It is immutable.
//
// A read unit is a strongly consistent read of up to 4 KB or two eventually
// consistent ones, a write unit a write of up to 1 KB; transactions cost twice as much.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
type Capacity struct {
	// Entries are sorted by table, index, operation and label, unless a method
	// says otherwise.
	Entries []Entry `json:"entries"`
}

// Entry is the capacity consumed by one kind of operation on one table or
// index. Fields over which a Capacity was summed are empty.
type Entry struct {
	Table      string  `json:"table,omitempty"`
	Index      string  `json:"index,omitempty"`     // empty for the table itself
	Operation  string  `json:"operation,omitempty"` // such as GetItem
	Label      string  `json:"label,omitempty"`     // see ddb.WithLabel
	ReadUnits  float64 `json:"read_units"`
	WriteUnits float64 `json:"write_units"`
	Operations int64   `json:"operations"`
}

// Total returns the sum of read and write units.
func (e Entry) Total() float64 { return float64(e.amounts().read+e.amounts().write) / micro }

// Consumed is the capacity consumed by a single call.
type Consumed struct {
	ReadUnits  float64
	WriteUnits float64
}

// Total returns the sum of read and write units.
func (c Consumed) Total() float64 { return c.ReadUnits + c.WriteUnits }

// Plus returns the sum of both.
func (c Consumed) Plus(more Consumed) Consumed {
	return Consumed{c.ReadUnits + more.ReadUnits, c.WriteUnits + more.WriteUnits}
}

// ConsumedOf returns the sum of what the replies of one call state. DynamoDB seldom says
// whether units are for reads or writes; otherwise the operation determines it.
func ConsumedOf(write bool, ccs ...types.ConsumedCapacity) Consumed {
	var sum Consumed
	for _, cc := range ccs {
		sum = sum.Plus(unitsOf(write, cc.CapacityUnits, cc.ReadCapacityUnits, cc.WriteCapacityUnits))
	}
	return sum
}

func unitsOf(write bool, total, read, written *float64) Consumed {
	c := Consumed{aws.ToFloat64(read), aws.ToFloat64(written)}
	switch {
	case c.Total() > 0 || total == nil:
		return c
	case write:
		return Consumed{WriteUnits: *total}
	}
	return Consumed{ReadUnits: *total}
}

// Read returns the sum of all read units.
func (c Capacity) Read() float64 { return float64(c.sum().read) / micro }

// Write returns the sum of all write units.
func (c Capacity) Write() float64 { return float64(c.sum().write) / micro }

// Total returns the sum of all read and write units.
func (c Capacity) Total() float64 {
	sum := c.sum()
	return float64(sum.read+sum.write) / micro
}

// Operations returns the number of operations.
func (c Capacity) Operations() int64 { return c.sum().operations }

// Sub returns what was consumed after an earlier snapshot of the same ledger. After a reset in
// between, amounts are negative.
func (c Capacity) Sub(earlier Capacity) Capacity {
	sums := c.sumBy(Entry.key)
	for k, b := range earlier.sumBy(Entry.key) {
		a := sums[k]
		sums[k] = amounts{a.read - b.read, a.write - b.write, a.operations - b.operations}
	}
	return newCapacity(sums)
}

// ByTable returns the sums by table, including its indexes.
func (c Capacity) ByTable() Capacity {
	return newCapacity(c.sumBy(func(e Entry) entryKey { return entryKey{table: e.Table} }))
}

// ByIndex returns the sums by table and index; an empty index means the table itself.
func (c Capacity) ByIndex() Capacity {
	return newCapacity(c.sumBy(func(e Entry) entryKey { return entryKey{table: e.Table, index: e.Index} }))
}

// ByOperation returns the sums by operation.
func (c Capacity) ByOperation() Capacity {
	return newCapacity(c.sumBy(func(e Entry) entryKey { return entryKey{op: e.Operation} }))
}

// ByLabel returns the sums by label; an empty label is for operations without one.
func (c Capacity) ByLabel() Capacity {
	return newCapacity(c.sumBy(func(e Entry) entryKey { return entryKey{label: e.Label} }))
}

// Top returns the n entries with most units, highest first; equal entries stay in order.
//
//	ledger.Snapshot().ByTable().Top(3)
func (c Capacity) Top(n int) Capacity {
	entries := slices.Clone(c.Entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return cmp.Compare(b.Total(), a.Total()) })
	return Capacity{entries[:min(max(n, 0), len(entries))]}
}

// LogValue returns a group of the totals, and one for each table.
func (c Capacity) LogValue() slog.Value {
	attrs := c.sum().attrs()
	var tables []slog.Attr
	for _, e := range c.ByTable().Entries {
		tables = append(tables, slog.Attr{Key: e.Table, Value: slog.GroupValue(e.amounts().attrs()...)})
	}
	return slog.GroupValue(append(attrs, slog.Attr{Key: "tables", Value: slog.GroupValue(tables...)})...)
}

func (c Capacity) sum() amounts {
	return c.sumBy(func(Entry) entryKey { return entryKey{} })[entryKey{}]
}

func (c Capacity) sumBy(key func(Entry) entryKey) map[entryKey]amounts {
	sums := make(map[entryKey]amounts)
	for _, e := range c.Entries {
		a, b := sums[key(e)], e.amounts()
		sums[key(e)] = amounts{a.read + b.read, a.write + b.write, a.operations + b.operations}
	}
	return sums
}

func (e Entry) key() entryKey { return entryKey{e.Table, e.Index, e.Operation, e.Label} }

func (e Entry) amounts() amounts {
	return amounts{toMicro(e.ReadUnits), toMicro(e.WriteUnits), e.Operations}
}

// amounts are operations, and units in millionths: integers, so that sums are
// exact and do not depend on their order.
type amounts struct{ read, write, operations int64 }

const micro = 1e6

func toMicro(units float64) int64 { return int64(math.Round(units * micro)) }

func (a amounts) attrs() []slog.Attr {
	return []slog.Attr{
		slog.Float64("read_units", float64(a.read)/micro),
		slog.Float64("write_units", float64(a.write)/micro),
		slog.Float64("total_units", float64(a.read+a.write)/micro),
		slog.Int64("operations", a.operations),
	}
}

func newCapacity(sums map[entryKey]amounts) Capacity {
	entries := make([]Entry, 0, len(sums))
	for k, a := range sums {
		if a == (amounts{}) {
			continue
		}
		entries = append(entries, Entry{
			Table: k.table, Index: k.index, Operation: k.op, Label: k.label,
			ReadUnits: float64(a.read) / micro, WriteUnits: float64(a.write) / micro, Operations: a.operations,
		})
	}
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Label, b.Label))
	})
	return Capacity{entries}
}
