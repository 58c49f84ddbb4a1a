// SPDX-License-Identifier: Apache-2.0

package sweep_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/sweep"
)

func Example() {
	client, stop := ddbtest.Open()
	defer stop()
	ctx := context.Background()
	table, err := ddb.NewSimple[Thing](client, "things", thingID)
	check(err)
	check(table.EnsureTable(ctx))
	for i := range 100 {
		check(table.Put(ctx, &Thing{ID: fmt.Sprint(i)}))
	}

	count, position := 0, ""
	run := func(ctx context.Context) error {
		s, err := sweep.Of(table.Scan().PageSize(5)).Resume(position)
		if err != nil {
			return err
		}
		for page, err := range s.Pages(ctx) {
			if err != nil {
				position = sweep.PositionOf(err) // empty segments count too
				return err
			}
			count += len(page.Items)
			position = page.Position()
		}
		return nil
	}
	err = run(ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{ReadUnits: 20})))
	fmt.Println("the budget is spent:", errors.Is(err, cost.ErrBudgetExceeded), "- the position is stored:", position != "" && position == sweep.PositionOf(err))
	check(run(ctx))
	fmt.Println(count, "items")

	// Output:
	// the budget is spent: true - the position is stored: true
	// 100 items
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
