// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
)

type Message struct {
	Room string `dynamodbav:"room"`
	At   int64  `dynamodbav:"at"`
	Text string `dynamodbav:"text"`
}

var (
	messageRoom = ddb.StrField(func(m *Message) *string { return &m.Room })
	messageAt   = ddb.NumField(func(m *Message) *int64 { return &m.At })
)

// openMessages makes a table with 200 messages of 1 KB in one room.
func openMessages(ctx context.Context, opts ...ddb.TableOption) (*ddb.Table[Message, string, int64], func(), error) {
	client, stop := ddbtest.Open()
	messages, err := ddb.New(client, "messages", messageRoom, messageAt, opts...)
	if err != nil {
		return nil, stop, err
	}
	if err := messages.EnsureTable(ctx); err != nil {
		return nil, stop, err
	}
	list := make([]Message, 200)
	for i := range list {
		list[i] = Message{Room: "go", At: int64(i), Text: fmt.Sprintf("%980d", i)}
	}
	return messages, stop, messages.BatchPut(ctx, list)
}

func ExampleBudget() {
	messages, stop, err := openMessages(context.Background())
	defer stop()
	if err != nil {
		fmt.Println(err)
		return
	}
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

	// Later, with a new budget, it continues where it stopped.
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
	messages, stop, err := openMessages(context.Background())
	defer stop()
	if err != nil {
		fmt.Println(err)
		return
	}
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

func ExampleLedger_Snapshot() {
	ledger := cost.NewLedger()
	messages, stop, err := openMessages(context.Background(), ddb.WithLedger(ledger))
	defer stop()
	if err != nil {
		fmt.Println(err)
		return
	}
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
