// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/hotkeys"
	"github.com/dynamotable/ddb/internal/apitest/draw"
)

func TestHotKeysFindsHotKey(t *testing.T) {
	t.Parallel()
	needsEngine(t, "faults, units")
	synctest.Test(t, testHotKeysFindsHotKey) // the SDK waits before it sends the throttled request again
}

func testHotKeysFindsHotKey(t *testing.T) {
	engine := ddbtest.NewEngine(ddbtest.WithFaults(
		faultrule.On("GetItem").Nth(3).Throttle("TableReadKeyRangeThroughputExceeded"),
	))
	t.Cleanup(engine.Close)
	hot := hotkeys.New(8, 0)
	orders, err := ddb.New(engine.Client(), tableName(t), orderCustomer, orderKey, ddb.WithHook(hot))
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 40 { // each once: 40 units of other keys
		if err := orders.Put(t.Context(), &order{Customer: customerID(fmt.Sprint("rare-", i)), ID: "1"}); err != nil {
			t.Fatal(err)
		}
	}
	for range 60 {
		if _, err := orders.Get(t.Context(), "celebrity", "1"); err != nil && !strings.Contains(err.Error(), "not found") {
			t.Fatal(err)
		}
	}
	if err := orders.BatchPut(t.Context(), []order{{Customer: "second", ID: "1"}, {Customer: "second", ID: "2"}, {Customer: "second", ID: "3"}}); err != nil {
		t.Fatal(err)
	}
	want, err := orders.PartitionHash("celebrity")
	if err != nil {
		t.Fatal(err)
	}
	top := hot.Top(100)
	if len(top) != 8 {
		t.Errorf("%d keys are tracked", len(top))
	}
	first := top[0]
	if first.Partition != want || first.Table != orders.Name() || first.Throttled != 1 || len(first.Reasons) != 1 {
		t.Errorf("the first is %+v, the celebrity's hash %v", first, want)
	}
	if first.Units-first.Surplus > 30 || first.Units < 30 {
		t.Errorf("30 units are between %g and %g", first.Units-first.Surplus, first.Units)
	}
	text, err := json.Marshal(top)
	if err != nil || strings.Contains(string(text), "celebrity") || !strings.Contains(string(text), want.String()) {
		t.Errorf("%s, %v", text, err)
	}
	hot.Reset()
	if got := hot.Top(1); len(got) != 0 {
		t.Errorf("after a reset: %+v", got)
	}
	if _, err := orders.PartitionHash(""); err == nil {
		t.Error("an empty key has a hash")
	}
}

// TestPartitionOfEveryOperation: every operation reports the same partition hash.
func TestPartitionOfEveryOperation(t *testing.T) {
	t.Parallel()
	var w watcher
	client := newClient(t)
	orders, err := ddb.New(client, tableName(t), orderCustomer, orderKey, ddb.WithHook(&w))
	if err != nil {
		t.Fatal(err)
	}
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderTotal)
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	if err := orders.CreateTable(ctx); err != nil {
		t.Fatal(err)
	}
	const who = customerID(`weird: "key"` + "\n")
	key := orders.Key(who, "1")
	o := order{Customer: who, ID: "1", Status: "open"}
	steps := []error{
		orders.Put(ctx, &o),
		second(orders.Get(ctx, who, "1")),
		second(orders.Update(ctx, key, orderTotal.Add(1))),
		orders.BatchPut(ctx, []order{o}),
		second(orders.BatchGet(ctx, []ddb.Key[customerID, orderID]{key})),
		second(orders.Query(who).Collect(ctx)),
		ddb.TransactGet(ctx, client, orders.TxGet(key, new(ddb.Got[order]))),
		ddb.Transact(ctx, client, orders.TxUpdate(key, orderTotal.Add(1))),
		orders.Delete(ctx, who, "1"),
	}
	for i, err := range steps {
		if err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	want, err := orders.PartitionHash(who)
	if err != nil {
		t.Fatal(err)
	}
	calls := w.take(t)
	if len(calls) != len(steps) {
		t.Fatalf("%d calls for %d steps", len(calls), len(steps))
	}
	for _, c := range calls {
		if len(c.Partitions) != 1 || c.Partitions[0] != want {
			t.Errorf("%s: partitions %v, want %v", c.Operation, c.Partitions, want)
		}
	}
	if err := second(byStatus.Query("open").Collect(ctx)); err != nil {
		t.Fatal(err)
	}
	if err := second(orders.Scan().Count(ctx)); err != nil {
		t.Fatal(err)
	}
	calls = w.take(t)
	if want, err = byStatus.PartitionHash("open"); err != nil || calls[0].Partitions[0] != want || calls[1].Partitions != nil {
		t.Errorf("index %v, want %v; scan %v; %v", calls[0].Partitions, want, calls[1].Partitions, err)
	}
}

// TestHotKeysAgainstModel: the bounds of the sketch hold, compared with exact counts.
func TestHotKeysAgainstModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		const size = 10
		var (
			hot   = hotkeys.New(size, 0)
			exact = map[hooks.PartitionHash]float64{}
			total float64
			rnd   = rand.New(rand.NewPCG(draw.Uint64(rt, "seed"), 0))
			skew  = draw.Float(rt, 1.05, 3, "skew")
		)
		zipf := rand.NewZipf(rnd, skew, 1, 200)
		for range draw.Int(rt, 1, 2000, "calls") {
			key := hooks.PartitionHash(zipf.Uint64())
			units := float64(1+rnd.IntN(20)) / 2
			hot.End(context.Background(), &hooks.Call{Table: "t", Partitions: []hooks.PartitionHash{key}, Consumed: cost.Consumed{ReadUnits: units}})
			exact[key] += units
			total += units
		}
		kept := map[hooks.PartitionHash]hotkeys.Key{}
		var share float64
		for _, k := range hot.Top(size) {
			kept[k.Partition] = k
			share += k.Share
			if e := exact[k.Partition]; k.Units < e-1e-6 || k.Units-k.Surplus > e+1e-6 {
				rt.Fatalf("%g units are reported as %g to %g", e, k.Units-k.Surplus, k.Units)
			}
		}
		for key, units := range exact {
			if _, ok := kept[key]; units > total/size && !ok {
				rt.Fatalf("a key with %g of %g units is not tracked", units, total)
			}
		}
		if share > 1+1e-9 {
			rt.Fatalf("the shares add up to %g", share)
		}
	})
}

// TestFindKey finds the key of a hash in the report, in the table and in an index.
func TestFindKey(t *testing.T) {
	t.Parallel()
	orders := newOrders(t)
	byStatus, err := ddb.NewIndex(orders, "by-status", orderStatus, orderKey)
	if err != nil {
		t.Fatal(err)
	}
	if err := orders.EnsureTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 30 {
		if err := orders.Put(t.Context(), &order{Customer: customerID(fmt.Sprint("c", i)), ID: "1", Status: fmt.Sprint("status ", i%3)}); err != nil {
			t.Fatal(err)
		}
	}
	customer := func(o *order) customerID { return o.Customer }
	for _, c := range []struct {
		key   customerID
		found bool
	}{{"c17", true}, {"c0", true}, {"nobody", false}} {
		hash, err := orders.PartitionHash(c.key)
		if err != nil {
			t.Fatal(err)
		}
		got, found, err := hotkeys.Find(orders.Scan().All(t.Context()), hash, customer, orders.PartitionHash)
		if err != nil || found != c.found || found && got != c.key || !found && got != "" {
			t.Errorf("%s: %q, %t, %v", c.key, got, found, err)
		}
	}
	hash, err := byStatus.PartitionHash("status 2")
	if err != nil {
		t.Fatal(err)
	}
	got, found, err := hotkeys.Find(byStatus.Scan().All(t.Context()), hash, func(o *order) string { return o.Status }, byStatus.PartitionHash)
	if err != nil || !found || got != "status 2" {
		t.Errorf("in the index: %q, %t, %v", got, found, err)
	}
	ctx := ddb.WithBudget(t.Context(), cost.NewBudget(cost.Limits{Requests: 1, ReadUnits: 0.1}))
	if _, found, err := hotkeys.Find(orders.Scan().All(ctx), hash, customer, orders.PartitionHash); found || !errors.Is(err, cost.ErrBudgetExceeded) {
		t.Errorf("without budget: %t, %v", found, err)
	}
}
