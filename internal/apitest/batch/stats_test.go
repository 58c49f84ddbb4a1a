// SPDX-License-Identifier: Apache-2.0

package batch_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/hooks"
)

// watcher keeps the calls that it sees.
type watcher struct {
	mu    sync.Mutex
	calls []hooks.Call
}

func (w *watcher) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (w *watcher) End(_ context.Context, c *hooks.Call) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, *c)
}

// TestStatsMatchLedger: whatever fails, Requests equals the ledger's count and the number of
// successful requests that a hook sees.
func TestStatsMatchLedger(t *testing.T) {
	batches := fault.On("BatchWriteItem", "BatchGetItem")
	for name, rules := range map[string][]fault.Rule{
		"nothing":     nil,
		"throttled":   {batches.Every(2).Throttle()},
		"unprocessed": {batches.Every(2).Unprocessed(3)},
		"lost":        {batches.Every(5).DropReply()},
		"refused":     {batches.Nth(2).Error("ValidationException", "no")},
		"denied":      {batches.Error("AccessDeniedException", "no")},
		"mixed":       {batches.Every(2).Throttle(), batches.Every(3).Unprocessed(2), batches.Nth(9).InternalError()},
	} {
		for op, run := range operations {
			synctest.Test(t, func(t *testing.T) {
				ledger, w := cost.NewLedger(), new(watcher)
				table := tableOn(t, defaults(t, engineOf(t, 1, rules...)), ddb.WithLedger(ledger), ddb.WithHook(w))
				list, keys := manyReadings(333)
				var stats ddb.BatchStats
				_ = run.run(t.Context(), table, list, keys, ddb.StatsTo(&stats))
				answered := 0
				for _, c := range w.calls {
					if c.Err == nil {
						answered++
					}
				}
				if n := int(ledger.Snapshot().Operations()); stats.Requests != n || answered != n {
					t.Errorf("%s, %s: Requests is %d, the ledger has %d, the hook %d", name, op, stats.Requests, n, answered)
				}
				if total := ledger.Snapshot().Total(); total != stats.Consumed.Total() {
					t.Errorf("%s, %s: consumed %v, the ledger has %v", name, op, stats.Consumed, total)
				}
			})
		}
	}
}

// TestBatchReturned: Call.Returned is how many items a reply held, for BatchGet as for Get.
func TestBatchReturned(t *testing.T) {
	w := new(watcher)
	e := engineOf(t, 1)
	table := tableOn(t, e.Client(), ddb.WithHook(w), ddb.WithLedger(cost.NewLedger()))
	list, keys := manyReadings(10)
	if err := table.BatchPut(t.Context(), list[:4]); err != nil {
		t.Fatal(err)
	}
	returned := func(run func() error) (n, ok int) {
		w.calls = nil
		if err := run(); err != nil && !errors.Is(err, ddb.ErrNotFound) {
			t.Fatal(err)
		}
		for _, c := range w.calls {
			n += c.Returned
		}
		return n, len(w.calls)
	}
	for name, tc := range map[string]struct {
		run  func() error
		want int
	}{
		"Get":              {func() error { _, err := table.Get(t.Context(), keys[0].Partition, keys[0].Sort); return err }, 1},
		"Get none":         {func() error { _, err := table.Get(t.Context(), keys[9].Partition, keys[9].Sort); return err }, 0},
		"BatchGet":         {func() error { _, err := table.BatchGet(t.Context(), keys); return err }, 4},
		"of missing items": {func() error { _, err := table.BatchGet(t.Context(), keys[4:]); return err }, 0},
		"of duplicates":    {func() error { _, err := table.BatchGet(t.Context(), append(keys[:1:1], keys[0])); return err }, 1},
		"BatchPut":         {func() error { return table.BatchPut(t.Context(), list[:4]) }, 0},
	} {
		if n, calls := returned(tc.run); n != tc.want || calls != 1 {
			t.Errorf("%s: %d items in %d calls, want %d", name, n, calls, tc.want)
		}
	}
	// One item cannot be read: the reply is asked for again, item by item, and both are counted.
	_, err := e.Client().PutItem(t.Context(), &dynamodb.PutItemInput{TableName: new("readings"), Item: map[string]types.AttributeValue{
		"sensor": &types.AttributeValueMemberS{Value: "s0"}, "minute": &types.AttributeValueMemberN{Value: "0"}, "value": &types.AttributeValueMemberS{Value: "much"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	ledger := cost.NewLedger()
	table = tableOn(t, e.Client(), ddb.WithHook(w), ddb.WithLedger(ledger))
	w.calls = nil
	var one, none ddb.Got[reading]
	var stats ddb.BatchStats
	if err := ddb.TransactGet(t.Context(), e.Client(), table.TxGet(keys[1], &one), table.TxGet(keys[9], &none), ddb.StatsTo(&stats)); err != nil || !one.Found || none.Found {
		t.Fatal(err)
	}
	if len(w.calls) != 1 || w.calls[0].Returned != 1 || stats.Requests != 1 || ledger.Reset().Operations() != 1 {
		t.Errorf("TransactGet: %+v, %+v", w.calls, stats)
	}
	w.calls = nil
	got, err := table.BatchGet(t.Context(), keys[:4], ddb.StatsTo(&stats))
	if failed := batchError(t, err); len(failed.Failed) != 1 || failed.Failed[0].Index != 0 || !got[3].Found {
		t.Errorf("%v", err)
	}
	if len(w.calls) != 2 || w.calls[1].Returned != 4 || stats.Requests != 2 || ledger.Snapshot().Operations() != 2 {
		t.Errorf("%d calls, %+v, the ledger has %d", len(w.calls), stats, ledger.Snapshot().Operations())
	}
}

// labelling is a hook that labels each call.
type labelling struct{}

func (labelling) Begin(ctx context.Context, _ *hooks.Call) context.Context {
	return ddb.WithLabel(ctx, "from-hook")
}
func (labelling) End(context.Context, *hooks.Call) {}

// TestHookLabel: the request and the ledger get the context that a hook returns. Neither counts a transaction
// that gets no reply.
func TestHookLabel(t *testing.T) {
	ledger := cost.NewLedger()
	client := engineOf(t, 1, fault.On("TransactGetItems").Nth(2).Error("ValidationException", "no")).Client()
	table := tableOn(t, client, ddb.WithLedger(ledger), ddb.WithHook(labelling{}))
	list, keys := manyReadings(3)
	var got ddb.Got[reading]
	var stats ddb.BatchStats
	for name, run := range map[string]func() error{
		"BatchWriteItem":   func() error { return table.BatchPut(t.Context(), list) },
		"BatchGetItem":     func() error { _, err := table.BatchGet(t.Context(), keys); return err },
		"GetItem":          func() error { _, err := table.Exists(t.Context(), "s1", 1); return err },
		"Query":            func() error { _, err := table.Query("s1").Collect(t.Context()); return err },
		"Scan":             func() error { _, err := table.Scan().Collect(t.Context()); return err },
		"TransactGetItems": func() error { return ddb.TransactGet(t.Context(), client, table.TxGet(keys[1], &got)) },
	} {
		if err := run(); err != nil {
			t.Fatal(err)
		}
		if c := ledger.Reset(); len(c.Entries) != 1 || c.Entries[0].Label != "from-hook" || c.Entries[0].Operation != name {
			t.Errorf("%s: the ledger has %+v", name, c.Entries)
		}
	}
	err := ddb.TransactGet(t.Context(), client, table.TxGet(keys[1], &got), ddb.StatsTo(&stats))
	if n := ledger.Snapshot().Operations(); err == nil || stats.Requests != 0 || n != 0 {
		t.Errorf("a refused transaction: %v, %+v, the ledger has %d", err, stats, n)
	}
}
