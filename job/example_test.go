// SPDX-License-Identifier: Apache-2.0

package job_test

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/job"
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
	orders, err := ddb.NewSimple[Order](client, "orders", orderID)
	check(err)
	check(orders.EnsureTable(ctx))
	for i, status := range []string{"OPEN", "open", "PAID", ""} {
		check(orders.Put(ctx, &Order{ID: fmt.Sprint("o", i), Status: status}))
	}
	store, err := job.NewTableStore(client, "jobs")
	check(err)
	check(store.EnsureTable(ctx))

	j, err := job.New("lower-status", orders, func(o Order) job.Change[Order] {
		if o.Status == "" {
			return job.Fail[Order](errors.New("it has no status"))
		}
		return lower(o)
	}, job.StoredIn(store), job.FailuresTo(os.Stdout))
	check(err)
	plan, err := j.Plan(ctx, 0.01)
	check(err)
	fmt.Printf("%.0f of %.0f items would change\n", plan.Changes.Count, plan.Changes.Scanned)
	r, err := j.Run(ctx)
	check(err)
	fmt.Println(r.Changed, "changed,", r.Kept, "kept,", r.Failed, "failed")

	// Output:
	// 2 of 4 items would change
	// {"key":{"id":{"S":"o3"}},"error":"it has no status"}
	// 2 changed, 1 kept, 1 failed
}
