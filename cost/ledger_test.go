// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb/cost"
)

func capacityOf(units float64) *types.Capacity {
	return &types.Capacity{CapacityUnits: aws.Float64(units)}
}

func TestLedgerObserve(t *testing.T) {
	units := aws.Float64
	for name, tt := range map[string]struct {
		op    string
		write bool
		table string
		ccs   []types.ConsumedCapacity
		want  []cost.Entry
	}{
		"no reply about it": {"GetItem", false, "t", nil, []cost.Entry{{Table: "t", Operation: "GetItem", Operations: 1}}},
		"nothing consumed": {
			"Query", false, "t",
			[]types.ConsumedCapacity{{TableName: aws.String("t"), CapacityUnits: units(0)}},
			[]cost.Entry{{Table: "t", Operation: "Query", Operations: 1}},
		},
		"a read": {
			"GetItem", false, "t",
			[]types.ConsumedCapacity{{TableName: aws.String("t"), CapacityUnits: units(0.5)}},
			[]cost.Entry{{Table: "t", Operation: "GetItem", ReadUnits: 0.5, Operations: 1}},
		},
		"a write is not counted as a read": {
			"PutItem", true, "t",
			[]types.ConsumedCapacity{{TableName: aws.String("t"), CapacityUnits: units(2)}},
			[]cost.Entry{{Table: "t", Operation: "PutItem", WriteUnits: 2, Operations: 1}},
		},
		"the caller's name of the table is used": {
			"PutItem", true, "t",
			[]types.ConsumedCapacity{{TableName: aws.String("arn:aws:dynamodb:eu-central-1:1:table/t"), CapacityUnits: units(2)}},
			[]cost.Entry{{Table: "t", Operation: "PutItem", WriteUnits: 2, Operations: 1}},
		},
		"a write with indexes": {
			"PutItem", true, "t",
			[]types.ConsumedCapacity{{
				TableName: aws.String("t"), CapacityUnits: units(6), Table: capacityOf(1),
				GlobalSecondaryIndexes: map[string]types.Capacity{"g1": *capacityOf(2), "g2": *capacityOf(0)},
				LocalSecondaryIndexes:  map[string]types.Capacity{"l": *capacityOf(3)},
			}},
			[]cost.Entry{
				{Table: "t", Operation: "PutItem", WriteUnits: 1, Operations: 1},
				{Table: "t", Index: "g1", Operation: "PutItem", WriteUnits: 2},
				{Table: "t", Index: "l", Operation: "PutItem", WriteUnits: 3},
			},
		},
		"a write with one index": {
			"DeleteItem", true, "t",
			[]types.ConsumedCapacity{{CapacityUnits: units(2), Table: capacityOf(1), GlobalSecondaryIndexes: map[string]types.Capacity{"g": *capacityOf(1)}}},
			[]cost.Entry{
				{Table: "t", Operation: "DeleteItem", WriteUnits: 1, Operations: 1},
				{Table: "t", Index: "g", Operation: "DeleteItem", WriteUnits: 1},
			},
		},
		"a query of a global index": {
			"Query", false, "t",
			[]types.ConsumedCapacity{{CapacityUnits: units(1.5), Table: capacityOf(0), GlobalSecondaryIndexes: map[string]types.Capacity{"g": *capacityOf(1.5)}}},
			[]cost.Entry{{Table: "t", Index: "g", Operation: "Query", ReadUnits: 1.5, Operations: 1}},
		},
		"a query of a local index that fetches from the table": {
			"Query", false, "t",
			[]types.ConsumedCapacity{{CapacityUnits: units(3), LocalSecondaryIndexes: map[string]types.Capacity{"l": *capacityOf(1)}}},
			[]cost.Entry{
				{Table: "t", Operation: "Query", ReadUnits: 2},
				{Table: "t", Index: "l", Operation: "Query", ReadUnits: 1, Operations: 1},
			},
		},
		"a transaction over two tables": {
			"TransactWriteItems", true, "",
			[]types.ConsumedCapacity{
				{TableName: aws.String("a"), CapacityUnits: units(4), WriteCapacityUnits: units(4)},
				{TableName: aws.String("b"), CapacityUnits: units(2), WriteCapacityUnits: units(2)},
			},
			[]cost.Entry{
				{Table: "a", Operation: "TransactWriteItems", WriteUnits: 4, Operations: 1},
				{Table: "b", Operation: "TransactWriteItems", WriteUnits: 2, Operations: 1},
			},
		},
		"a transaction sent again is read": {
			"TransactWriteItems", true, "a",
			[]types.ConsumedCapacity{{TableName: aws.String("a"), CapacityUnits: units(2), ReadCapacityUnits: units(2)}},
			[]cost.Entry{{Table: "a", Operation: "TransactWriteItems", ReadUnits: 2, Operations: 1}},
		},
		"a table named twice": {
			"BatchWriteItem", true, "",
			[]types.ConsumedCapacity{{TableName: aws.String("a"), CapacityUnits: units(1)}, {TableName: aws.String("a"), CapacityUnits: units(2)}},
			[]cost.Entry{{Table: "a", Operation: "BatchWriteItem", WriteUnits: 3, Operations: 1}},
		},
	} {
		l := cost.NewLedger()
		l.Book("", tt.op, tt.write, tt.table, tt.ccs...)
		if diff := cmp.Diff(cost.Capacity{Entries: tt.want}, l.Snapshot()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	var none *cost.Ledger
	none.Book("", "GetItem", false, "t")
}

func TestConsumedOf(t *testing.T) {
	ccs := []types.ConsumedCapacity{
		{CapacityUnits: aws.Float64(1.5)},
		{CapacityUnits: aws.Float64(3), ReadCapacityUnits: aws.Float64(1), WriteCapacityUnits: aws.Float64(2)},
		{},
	}
	if got, want := cost.ConsumedOf(false, ccs...), (cost.Consumed{ReadUnits: 2.5, WriteUnits: 2}); got != want {
		t.Errorf("of a read: %+v, want %+v", got, want)
	}
	if got, want := cost.ConsumedOf(true, ccs...), (cost.Consumed{ReadUnits: 1, WriteUnits: 3.5}); got != want || got.Total() != 4.5 {
		t.Errorf("of a write: %+v, want %+v", got, want)
	}
}

func TestLedgerLabels(t *testing.T) {
	l := cost.NewLedger()
	l.Book("inner", "GetItem", false, "t")
	l.Book("", "GetItem", false, "t")
	want := []cost.Entry{{Table: "t", Operation: "GetItem", Operations: 1}, {Table: "t", Operation: "GetItem", Label: "inner", Operations: 1}}
	if diff := cmp.Diff(cost.Capacity{Entries: want}, l.Snapshot()); diff != "" {
		t.Error(diff)
	}
}

func TestLedgerIsBounded(t *testing.T) {
	const maxLabels, maxLabelBytes, maxEntries = 256, 128, 4096
	l := cost.NewLedger()
	for i := range 2 * maxLabels {
		l.Book(fmt.Sprint("label", i), "GetItem", false, "t")
	}
	l.Book(strings.Repeat("x", maxLabelBytes+1), "GetItem", false, "t")
	labels := l.Snapshot().ByLabel()
	if len(labels.Entries) != maxLabels+1 || labels.Operations() != 2*maxLabels+1 {
		t.Errorf("%d labels, %d operations", len(labels.Entries), labels.Operations())
	}
	for range 2 {
		for i := range 2 * maxEntries {
			l.Record(fmt.Sprint("table", i), "", "Scan", 1, 0)
		}
	}
	all := l.Snapshot()
	if len(all.Entries) != maxEntries+1 || all.Read() != 4*maxEntries {
		t.Errorf("%d entries, %v units", len(all.Entries), all.Read())
	}
}

// TestLedgerConcurrentUse runs snapshots, resets and operations concurrently, and checks that nothing is lost.
func TestLedgerConcurrentUse(t *testing.T) {
	const goroutines, operations = 8, 500
	l := cost.NewLedger()
	var work, resets sync.WaitGroup
	done := make(chan struct{})
	var taken []cost.Capacity
	resets.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				taken = append(taken, l.Reset())
				l.Snapshot()
			}
		}
	})
	for g := range goroutines {
		work.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(g)))
			for range operations {
				cc := types.ConsumedCapacity{CapacityUnits: aws.Float64(0.1)}
				l.Book(fmt.Sprint(rnd.IntN(3)), "Query", false, fmt.Sprint("t", rnd.IntN(3)), cc)
			}
		})
	}
	work.Wait()
	close(done)
	resets.Wait()
	var sum cost.Capacity
	for _, c := range append(taken, l.Reset()) {
		sum.Entries = append(sum.Entries, c.Entries...)
	}
	if sum.Operations() != goroutines*operations || sum.Read() != goroutines*operations/10 {
		t.Errorf("%d operations with %v units, want %d with %v", sum.Operations(), sum.Read(), goroutines*operations, goroutines*operations/10)
	}
	if left := l.Snapshot(); len(left.Entries) != 0 {
		t.Errorf("after a reset: %+v", left)
	}
}
