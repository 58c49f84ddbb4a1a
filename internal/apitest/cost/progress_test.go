// SPDX-License-Identifier: Apache-2.0

package cost_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddbtest"
	faultrule "github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/progress"
)

// Long calls report their progress, with their items and the units of all their requests; short ones do not.
func TestProgressOfCalls(t *testing.T) {
	list := make([]user, 230)
	keys := make([]string, len(list))
	for i := range list {
		keys[i] = fmt.Sprintf("u%03d", i)
		list[i] = user{ID: keys[i]}
	}
	type table = ddb.SimpleTable[user, string]
	for name, c := range map[string]struct {
		call  func(context.Context, *table) error
		job   string
		items int64
		units progress.Units
		state progress.State
	}{
		"BatchPut":    {func(ctx context.Context, u *table) error { return u.BatchPut(ctx, list) }, "BatchWriteItem users", 230, progress.Units{Write: 230}, progress.Done},
		"BatchPutAll": {func(ctx context.Context, u *table) error { return u.BatchPutAll(ctx, slices.Values(list)) }, "BatchWriteItem users", 230, progress.Units{Write: 230}, progress.Done},
		"BatchDelete": {func(ctx context.Context, u *table) error { return u.BatchDelete(ctx, keys) }, "BatchWriteItem users", 230, progress.Units{Write: 230}, progress.Done},
		"BatchGet":    {func(ctx context.Context, u *table) error { return second(u.BatchGet(ctx, keys)) }, "BatchGetItem users", 230, progress.Units{Read: 115}, progress.Done},
		"BatchGetAll": {func(ctx context.Context, u *table) error {
			for _, err := range u.BatchGetAll(ctx, slices.Values(keys)) {
				if err != nil {
					return err
				}
			}
			return nil
		}, "BatchGetItem users", 230, progress.Units{Read: 115}, progress.Done},
		"EnsureTable": {func(ctx context.Context, u *table) error { return u.EnsureTable(ctx) }, "EnsureTable users", 0, progress.Units{}, progress.Done},
		"a name":      {func(ctx context.Context, u *table) error { return u.BatchPut(progress.Named(ctx, "seed"), list) }, "seed", 230, progress.Units{Write: 230}, progress.Done},
		"a budget": {func(ctx context.Context, u *table) error {
			// 225 items are full requests only: with a smaller one among the first, less than the budget is spent.
			if err := u.BatchPut(ddb.WithBudget(ctx, cost.NewBudget(cost.Limits{Items: 100})), list[:225]); err == nil {
				return fmt.Errorf("the budget did not end the call")
			}
			return nil
		}, "BatchWriteItem users", 100, progress.Units{Write: 100}, progress.Stopped},
		"Get": {func(ctx context.Context, u *table) error { _, _ = u.Get(ctx, "x"); return nil }, "", 0, progress.Units{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			client := ddbtest.New(t)
			users, err := ddb.NewSimple[user](client, "users", userID)
			if err != nil {
				t.Fatal(err)
			}
			if err := users.EnsureTable(t.Context()); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(name, "BatchGet") {
				if err := users.BatchPut(t.Context(), list); err != nil {
					t.Fatal(err)
				}
			}
			tracker := progress.NewTracker()
			var states []progress.State
			ctx := progress.With(tracker.With(t.Context()), func(p progress.Progress) { states = append(states, p.State) })
			if err := c.call(ctx, users); err != nil {
				t.Fatal(err)
			}
			got := tracker.List()
			if c.job == "" {
				if len(got) != 0 {
					t.Errorf("got %v", got)
				}
				return
			}
			if len(got) != 1 || got[0].Job != c.job || got[0].Items != c.items || got[0].Units != c.units || got[0].State != c.state || strings.Contains(got[0].String(), "u0") {
				t.Errorf("got %v", got)
			}
			if states[0] != progress.Running || states[len(states)-1] != c.state {
				t.Errorf("reported %v", states)
			}
		})
	}
}

// A batch reports that it waits while DynamoDB leaves items unprocessed, and EnsureTable while an index is created.
func TestProgressOfWaits(t *testing.T) {
	waits := func(t *testing.T, call func(ctx context.Context) error) (reasons []string) {
		t.Helper()
		ctx := progress.With(t.Context(), func(p progress.Progress) {
			if p.State == progress.Waiting {
				reasons = append(reasons, p.Reason)
			}
		})
		if err := call(ctx); err != nil {
			t.Error(err)
		}
		return reasons
	}
	synctest.Test(t, func(t *testing.T) {
		engine := ddbtest.NewEngine(ddbtest.WithFaults(faultrule.On("BatchWriteItem").First(1).Unprocessed(3)))
		defer engine.Close()
		users, err := ddb.NewSimple[user](engine.Client(), "users", userID)
		if err != nil {
			t.Fatal(err)
		}
		if err := users.CreateTable(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := waits(t, func(ctx context.Context) error {
			return users.BatchPut(ctx, []user{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}})
		})
		if !slices.Equal(got, []string{"left unprocessed by DynamoDB"}) {
			t.Errorf("the batch reports that it waits for %q", got)
		}
		if err := engine.SetFaults(faultrule.On("BatchWriteItem").First(1).Unprocessed(3)); err != nil {
			t.Fatal(err)
		}
		got = waits(t, func(ctx context.Context) error {
			ctx, task := progress.Start(ctx, "start of the program")
			defer task.End(nil)
			err := users.BatchPut(ctx, []user{{ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}})
			if now := task.Progress(); now.State != progress.Running || now.Items != 0 {
				t.Errorf("after the batch: %v", now)
			}
			return err
		})
		if !slices.Equal(got, []string{"left unprocessed by DynamoDB"}) {
			t.Errorf("the call around the batch reports that it waits for %q", got)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		engine := ddbtest.NewEngine(ddbtest.WithStateDelay(10 * time.Second))
		defer engine.Close()
		users, err := ddb.NewSimple[user](engine.Client(), "users", userID)
		if err != nil {
			t.Fatal(err)
		}
		if got := waits(t, func(ctx context.Context) error { return users.EnsureTable(ctx) }); !slices.Equal(got, []string{"the table is CREATING"}) {
			t.Errorf("EnsureTable reports that it waits for %q", got)
		}
		if _, err := ddb.NewSimpleIndex(users, "byEmail", userEmail); err != nil {
			t.Fatal(err)
		}
		got := waits(t, func(ctx context.Context) error { return users.EnsureTable(ctx) })
		if len(got) < 2 || got[len(got)-1] != "the table is ACTIVE, index byEmail is CREATING and being filled from the items of the table" {
			t.Errorf("EnsureTable reports that it waits for %q", got)
		}
		ctx, task := progress.Start(progress.NewTracker().With(t.Context()), "start of the program")
		defer task.End(nil)
		if err := users.EnsureTable(ctx); err != nil || task.Progress().State != progress.Running {
			t.Errorf("got %v, %v", err, task.Progress())
		}
	})
}
