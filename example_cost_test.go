// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hotkeys"
)

// openArchive is a table with 200 messages of 1 KB in one room.
func openArchive(opts ...ddb.TableOption) (*ddb.Table[Message, string, int64], func()) {
	engine := ddbtest.NewEngine()
	messages, err := ddb.New(engine.Client(), "messages", messageRoom, messageAt, opts...)
	if err != nil {
		panic(err)
	}
	ctx := context.Background()
	if err := messages.EnsureTable(ctx); err != nil {
		panic(err)
	}
	list := make([]Message, 200)
	for i := range list {
		list[i] = Message{Room: "go", At: int64(i), Text: fmt.Sprintf("%980d", i)}
	}
	if err := messages.BatchPut(ctx, list); err != nil {
		panic(err)
	}
	return messages, engine.Close
}

func ExampleExplain() {
	messages, stop := openArchive()
	defer stop()
	plan, err := ddb.Explain(context.Background(), func(ctx context.Context) error {
		_, err := messages.Query("go").SortKey(ddb.Ge(int64(100))).Filter(messageText.Contains("7")).PageSize(50).Page(ctx)
		return err
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan)
	// Output:
	// Query          messages
	// key condition  room = ? AND at >= ?
	// filter         contains(text, ?) (billed, then dropped)
	// page size      50
	// read units     0.5 to 8 (eventually consistent)
	// whole call     0.5 or more read units
	// assuming       items have at most 1280 bytes: a quarter more than the largest of 200 items seen, which had at most 1024 on average
	// assuming       nothing bounds the whole call: LearnSizes tells how large the table is, MaxScanned or MaxReadUnits stops a page
	// assuming       what the filter drops is billed all the same
}

func ExampleBudget() {
	messages, stop := openArchive()
	defer stop()
	budget := cost.NewBudget(cost.Limits{ReadUnits: 10})
	ctx := ddb.WithBudget(context.Background(), budget)
	var (
		n        int
		exceeded *cost.BudgetExceeded
	)
	for _, err := range messages.Query("go").PageSize(20).All(ctx) {
		if errors.As(err, &exceeded) {
			fmt.Println(exceeded)
			break
		}
		n++
	}
	fmt.Println(n, "items read;", budget.Spent().ReadUnits, "units spent")

	// Later, with a new budget: on from where it stopped.
	cursor, err := messages.ParseCursor(exceeded.Cursor)
	if err != nil {
		fmt.Println(err)
		return
	}
	rest, err := messages.Query("go").After(cursor).Collect(context.Background())
	fmt.Println(len(rest), "items left,", err)
	// Output:
	// budget exceeded: 10 of 10 read units are spent, and the next request costs more than what is left
	// 80 items read; 10 units spent
	// 120 items left, <nil>
}

func ExampleBudget_meter() {
	messages, stop := openArchive()
	defer stop()
	meter := cost.NewBudget(cost.Limits{}) // without limits
	ctx := ddb.WithBudget(context.Background(), meter)
	if _, err := messages.Get(ctx, "go", 1); err != nil {
		fmt.Println(err)
		return
	}
	if err := messages.Put(ctx, &Message{Room: "go", At: 300}); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := messages.Query("go").Limit(100).Collect(ctx); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%+v\n", meter.Spent())
	// Output:
	// {ReadUnits:13 WriteUnits:1 Items:102 Requests:3}
}

func Example_hotKeys() {
	hot := hotkeys.New(100, time.Minute)
	messages, stop := openArchive(ddb.WithHook(hot))
	defer stop()
	ctx := context.Background()
	for i := range 50 {
		_, err := messages.Get(ctx, fmt.Sprint("room-", i), 1)
		if !errors.Is(err, ddb.ErrNotFound) { // there is one room only
			fmt.Println(err)
			return
		}
	}
	suspect, err := messages.PartitionHash("go")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, k := range hot.Top(1) {
		fmt.Printf("%s: %.0f %% of all units, the one that was suspected: %v\n", k.Table, 100*k.Share, k.Partition == suspect)
	}
	// Output:
	// messages: 89 % of all units, the one that was suspected: true
}

func ExampleLogCalls() {
	logger := slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey || a.Key == "duration" {
				return slog.Attr{} // so that the example prints the same each time
			}
			return a
		},
	}))
	messages, stop := openArchive()
	defer stop()
	defer ddb.AddHook(ddb.LogCalls(logger, 50*time.Millisecond))()
	if _, err := messages.Get(ddb.WithLabel(context.Background(), "nightly"), "go", 7); err != nil {
		fmt.Println(err)
		return
	}
	// Output:
	// level=DEBUG msg="DynamoDB GetItem" operation=GetItem table=messages label=nightly attempts=1 items=1 returned=1 read_units=0.5 write_units=0
}

func ExampleLedger_Snapshot() {
	ledger := cost.NewLedger()
	messages, stop := openArchive(ddb.WithLedger(ledger))
	defer stop()
	before := ledger.Snapshot()
	if _, err := messages.Query("go").Limit(100).Collect(ddb.WithLabel(context.Background(), "report")); err != nil {
		fmt.Println(err)
		return
	}
	if _, err := messages.Get(context.Background(), "go", 7); err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range ledger.Snapshot().Sub(before).Top(2).Entries {
		fmt.Printf("%s %q: %g units in %d\n", e.Operation, e.Label, e.Total(), e.Operations)
	}
	// Output:
	// Query "report": 12.5 units in 1
	// GetItem "": 0.5 units in 1
}

func ExampleLedger() {
	ledger := cost.NewLedger() // usually given to tables: ddb.WithLedger(ledger)
	ledger.Record("orders", "", "PutItem", 0, 1)
	start := ledger.Snapshot()

	ledger.Record("orders", "byStatus", "Query", 2.5, 0)
	ledger.Record("stock", "", "GetItem", 0.5, 0)

	delta := ledger.Snapshot().Sub(start)
	fmt.Println("units:", delta.Total(), "operations:", delta.Operations())
	for _, e := range delta.ByTable().Top(1).Entries {
		fmt.Println("most:", e.Table, e.Total())
	}
	// Output:
	// units: 3 operations: 2
	// most: orders 2.5
}
