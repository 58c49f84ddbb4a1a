// SPDX-License-Identifier: Apache-2.0

// Cost estimates the cost of calls before it makes them, limits their cost, and
// reports it afterwards by operation, caller and partition key. It runs on the
// embedded engine, or on the endpoint in DYNAMODB_ENDPOINT:
//
//	go run ./examples/cost
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hotkeys"
)

// Visit is one page view of a site.
type Visit struct {
	Site string `dynamodbav:"site"`
	At   int    `dynamodbav:"at"`
	Path string `dynamodbav:"path"`
	User string `dynamodbav:"user"`
}

var (
	visitSite = ddb.StrField(func(v *Visit) *string { return &v.Site })
	visitAt   = ddb.NumField(func(v *Visit) *int { return &v.At })
	visitUser = ddb.StrField(func(v *Visit) *string { return &v.User })
)

// store is the data layer of this program.
type store struct {
	visits *ddb.Table[Visit, string, int]
	byUser *ddb.Index[Visit, string, int]
}

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	err := run(context.Background(), client)
	stop()
	if err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, client ddb.Client) error {
	ledger, hot := cost.NewLedger(), hotkeys.New(100, 0)
	var (
		s   store
		err error
	)
	s.visits, err = ddb.New(client, "visits", visitSite, visitAt, ddb.WithLedger(ledger), ddb.WithHook(hot))
	if err != nil {
		return err
	}
	s.byUser, err = ddb.NewIndex(s.visits, "by-user", visitUser, visitAt, ddb.KeysOnly())
	if err != nil {
		return err
	}
	if err := s.visits.EnsureTable(ctx); err != nil {
		return err
	}
	for _, step := range []func(context.Context) error{s.load, s.plan, s.stop, s.report} {
		if err := step(ctx); err != nil {
			return err
		}
	}

	fmt.Println("\n== the cost afterwards")
	for _, e := range ledger.Snapshot().ByLabel().Top(3).Entries {
		fmt.Printf("%-8s %6.1f read, %6.1f write units in %d operations\n", e.Label, e.ReadUnits, e.WriteUnits, e.Operations)
	}
	for _, e := range ledger.Snapshot().ByIndex().Entries {
		fmt.Printf("%s/%s: %.1f read, %.1f write units\n", e.Table, e.Index, e.ReadUnits, e.WriteUnits)
	}
	k := hot.Top(1)[0]
	blog, err := s.visits.PartitionHash("blog")
	if err != nil {
		return err
	}
	fmt.Printf("the hottest key takes %.0f %% of all units; it is the blog: %v\n", 100*k.Share, k.Partition == blog)
	return nil
}

// load stores 400 visits of the blog and 10 of each of ten other sites.
func (s *store) load(ctx context.Context) error {
	var list []Visit
	for i := range 500 {
		site := "blog"
		if i >= 400 {
			site = fmt.Sprint("site-", i%10)
		}
		list = append(list, Visit{Site: site, At: i, Path: "/" + strings.Repeat("x", 600), User: fmt.Sprint("u", i%7)})
	}
	return s.visits.BatchPut(ddb.WithLabel(ctx, "import"), list)
}

// plan explains a call before it is made: nothing is sent.
func (s *store) plan(ctx context.Context) error {
	fmt.Println("== the cost of calls before they are sent")
	for _, call := range []func(context.Context) error{
		func(ctx context.Context) error {
			_, err := s.visits.Query("blog").Filter(visitUser.Eq("u3")).PageSize(100).Page(ctx)
			return err
		},
		func(ctx context.Context) error { _, err := s.byUser.Query("u3").Limit(100).Page(ctx); return err },
		func(ctx context.Context) error { return s.visits.Put(ctx, &Visit{Site: "blog", At: 1, User: "u1"}) },
	} {
		plan, err := ddb.Explain(ctx, call)
		if err != nil {
			return err
		}
		fmt.Println(plan)
		fmt.Println()
	}
	return nil
}

// stop reads twice with a budget; the second time it continues where the first ended.
func (s *store) stop(ctx context.Context) error {
	fmt.Println("== a budget of 20 read units")
	var cursor ddb.Cursor[Visit]
	for {
		budget := cost.NewBudget(cost.Limits{ReadUnits: 20})
		list, err := s.visits.Query("blog").PageSize(50).After(cursor).Collect(ddb.WithBudget(ddb.WithLabel(ctx, "export"), budget))
		fmt.Println(len(list), "visits for", budget.Spent().ReadUnits, "units")
		var exceeded *cost.BudgetExceeded
		if !errors.As(err, &exceeded) {
			return err
		}
		fmt.Println(exceeded)
		if cursor, err = s.visits.ParseCursor(exceeded.Cursor); err != nil {
			return err
		}
	}
}

// report measures a piece of work with a budget that has no limits.
func (s *store) report(ctx context.Context) error {
	meter := cost.NewBudget(cost.Limits{})
	ctx = ddb.WithBudget(ddb.WithLabel(ctx, "report"), meter)
	n, err := s.byUser.Query("u3").Count(ctx)
	if err != nil {
		return err
	}
	if _, err := s.visits.Get(ctx, "blog", 3); err != nil {
		return err
	}
	fmt.Printf("\n== a report\n%d visits of u3 counted: %+v\n", n, meter.Spent())
	return nil
}
