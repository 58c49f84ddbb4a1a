// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"context"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
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
	// assuming       the whole call has no bound: LearnSizes learns how large the table is, MaxScanned or MaxReadUnits stops a page
	// assuming       what the filter drops is billed all the same
}
