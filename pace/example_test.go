// SPDX-License-Identifier: Apache-2.0

package pace_test

import (
	"context"
	"fmt"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/pace"
	"github.com/dynamotable/ddb/schema"
)

func Example() {
	client, stop := ddbtest.Open()
	defer stop()
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	table, err := ddb.NewSimple[Thing](client, "things", thingID)
	check(err)
	check(table.EnsureTable(ctx))

	p := pace.New(pace.Rates{ReadUnits: 500, WriteUnits: 40})
	paced := pace.With(ctx, p)
	begin := time.Now()
	for i := range 12 {
		check(table.Put(paced, &Thing{ID: fmt.Sprint(i)}))
	}
	fmt.Println("12 units at 40 a second took more than a quarter of a second:", time.Since(begin) > time.Second/4)
	fmt.Println("spent:", p.Stats().Spent.WriteUnits, "state:", p.Stats().State)

	// Output:
	// 12 units at 40 a second took more than a quarter of a second: true
	// spent: 12 state: running
}

func ExampleOf() {
	client, stop := ddbtest.Open()
	defer stop()
	check := func(err error) {
		if err != nil {
			panic(err)
		}
	}
	ctx := context.Background()
	table, err := ddb.NewSimple[Thing](client, "things", thingID)
	check(err)
	check(table.EnsureTable(ctx, schema.Provisioned(4000, 100)))

	p, err := pace.Of(ctx, table, 0.5)
	check(err)
	n, err := table.Scan().Parallel(4).Count(pace.With(ctx, p))
	check(err)
	s := p.Stats()
	fmt.Printf("%d items, up to %g read units a second, half of what is %s\n", n, s.Ceiling.ReadUnits, s.Source)

	// Output:
	// 0 items, up to 2000 read units a second, half of what is provisioned
}
