// SPDX-License-Identifier: Apache-2.0

package item_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

var (
	ticketViews = ddb.NumField(func(t *ticket) *int { return &t.Stats.Views })
	ticketBy    = ddb.MapField(func(t *ticket) *map[string]int { return &t.Stats.By })
	ticketGrid  = ddb.MapField(func(t *ticket) *map[string]map[string]int { return &t.Grid })
	ticketLines = ddb.ListField(func(t *ticket) *[]*ticketLine { return &t.Lines })
	ticketScore = ddb.Field(func(t *ticket) **int { return &t.Score })
)

// counted is a client that counts its requests.
func counted(client *dynamodb.Client, n *atomic.Int64) *dynamodb.Client {
	return dynamodb.New(client.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("count", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				n.Add(1)
				return next.HandleFinalize(ctx, in)
			}), middleware.Before)
		})
	})
}

// Without WithParents the error says what is missing. WithParents creates it in the same call, at any depth, and costs nothing once the parents exist.
func TestWithParents(t *testing.T) {
	engine := ddbtest.New(t)
	newTickets(t, engine)
	var requests atomic.Int64
	table, err := ddb.New(counted(engine, &requests), "tickets", ticketBoard, ticketOpened)
	if err != nil {
		t.Fatal(err)
	}
	if err := table.Create(t.Context(), &ticket{Board: "b", Opened: ten}); err != nil {
		t.Fatal(err)
	}
	key := table.Key("b", ten)
	_, err = table.Update(t.Context(), key, ticketViews.Add(1))
	if err == nil || !strings.Contains(err.Error(), "lacks the map or list that the attribute is in") || !strings.Contains(err.Error(), "ddb.WithParents") {
		t.Errorf("the plain update: %v", err)
	}

	changes := func() []ddb.UpdateOption[ticket] {
		return []ddb.UpdateOption[ticket]{
			ddb.WithParents(ticketViews.Add(2), ticketBy.Key("ann").Set(7), ddb.AsMap(ticketGrid.Key("r")).Key("c").Set(5), ddb.Remove(ddb.AsMap(ticketGrid.Key("gone")).Key("x"))),
			ticketTitle.Set("t"), ddb.If(ticketTitle.Ne("closed")),
		}
	}
	requests.Store(0)
	got, err := table.Update(t.Context(), key, changes()...)
	if err != nil {
		t.Fatal(err)
	}
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests created the parents, want 3", n)
	}
	if got.Stats.Views != 2 || got.Stats.By["ann"] != 7 || got.Grid["r"]["c"] != 5 || got.Title != "t" {
		t.Errorf("got %d views, or other changes are missing", got.Stats.Views)
	}
	requests.Store(0)
	if got, err = table.Update(t.Context(), key, ddb.WithParents(ticketViews.Sub(5))); err != nil || got.Stats.Views != -3 || requests.Load() != 1 {
		t.Errorf("%d views, %d requests, %v", got.Stats.Views, requests.Load(), err)
	}
	// The caller's condition also applies to the write that creates parents.
	_, err = table.Update(t.Context(), key, ddb.WithParents(ddb.AsMap(ticketGrid.Key("other")).Key("c").Set(1)), ddb.If(ticketTitle.Eq("nope")))
	if !errors.Is(err, ddb.ErrConditionFailed) {
		t.Errorf("got %v", err)
	}
	if _, err = table.Update(t.Context(), table.Key("none", ten), ddb.WithParents(ticketViews.Add(1))); !errors.Is(err, ddb.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	// An upsert also creates the item.
	if got, err = table.Upsert(t.Context(), table.Key("new", ten), ddb.WithParents(ticketViews.Sub(1))); err != nil || got.Stats.Views != -1 || got.Board != "new" {
		t.Errorf("got %d views, or another key, %v", got.Stats.Views, err)
	}
}

// NULL, as the SDK stores nil maps, lists and sets, counts as absent.
func TestWithParentsOnNULL(t *testing.T) {
	client := ddbtest.New(t)
	table := newTickets(t, client)
	asTheSDKStores(t, client, "comments", "labels", "votes", "stats", "score")
	got, err := table.Update(t.Context(), table.Key("b", ten), ddb.WithParents(ticketComments.Append("a", "b"), ticketLabels.Insert("l"), ticketVotes.Key("ann").Set(1),
		ticketBy.Key("x").Set(3), ticketViews.Add(4), ddb.AsNum(ddb.Deref(ticketScore)).Add(9)))
	if err != nil {
		t.Fatal(err)
	}
	want := ticket{Board: "b", Comments: []string{"a", "b"}, Labels: []string{"l"}, Votes: map[string]int{"ann": 1}, Stats: stats{4, map[string]int{"x": 3}}, Score: new(9)}
	got.Opened = want.Opened
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	// Nothing can be removed from a set that is NULL. Parents that cannot be created are refused, and nothing is changed.
	asTheSDKStores(t, client, "labels", "lines")
	if _, err := table.Update(t.Context(), table.Key("b", ten), ddb.WithParents(ticketLabels.Delete("l"), ticketTitle.Set("x"))); err != nil {
		t.Error(err)
	}
	first := ddb.Within(ddb.Deref(ticketLines.At(0)), func(l *ticketLine) *int { return &l.Qty })
	if _, err := table.Update(t.Context(), table.Key("b", ten), ddb.WithParents(first.Set(1))); err == nil || !strings.Contains(err.Error(), "an element has no position in it") {
		t.Errorf("got %v", err)
	}
}

// If another write creates the parent in the meantime, it is not overwritten: the call starts again.
func TestWithParentsBesideAnotherWriter(t *testing.T) {
	engine := ddbtest.New(t)
	other := newTickets(t, engine)
	if err := other.Create(t.Context(), &ticket{Board: "b", Opened: ten}); err != nil {
		t.Fatal(err)
	}
	raced := false
	client := dynamodb.New(engine.Options(), func(o *dynamodb.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("race", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				out, md, err := next.HandleFinalize(ctx, in)
				if middleware.GetOperationName(ctx) == "GetItem" && !raced {
					raced = true
					if _, err := other.Update(ctx, other.Key("b", ten), ddb.Named[ticket]("stats").Set(stats{Views: 10})); err != nil {
						t.Error(err)
					}
				}
				return out, md, err
			}), middleware.Before)
		})
	})
	table, err := ddb.New(client, "tickets", ticketBoard, ticketOpened)
	if err != nil {
		t.Fatal(err)
	}
	got, err := table.Update(t.Context(), table.Key("b", ten), ddb.WithParents(ticketViews.Add(1)))
	if err != nil || got.Stats.Views != 11 || !raced {
		t.Errorf("got %+v, %v", got.Stats, err)
	}
}

// If the reply to the write that creates a parent is lost, the outcome is unknown, as for every conditional write. It is never counted twice.
func TestWithParentsAfterALostReply(t *testing.T) {
	engine := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("UpdateItem").Nth(2).DropReply()))
	defer engine.Close()
	table := newTickets(t, engine.Client())
	if err := table.Create(t.Context(), &ticket{Board: "b", Opened: ten}); err != nil {
		t.Fatal(err)
	}
	_, err := table.Update(t.Context(), table.Key("b", ten), ddb.WithParents(ticketViews.Add(1)))
	if !errors.Is(err, ddb.ErrOutcomeUnknown) {
		t.Errorf("got %v", err)
	}
	if got, err := table.Get(t.Context(), "b", ten); err != nil || got.Stats.Views != 1 {
		t.Errorf("%d views, %v", got.Stats.Views, err)
	}
}

// Writes that cannot be repeated do not accept WithParents.
func TestWithParentsIsRefused(t *testing.T) {
	client := ddbtest.New(t)
	table := newTickets(t, client)
	key := table.Key("b", ten)
	if _, err := table.Update(t.Context(), key, ddb.WithParents(ticketViews.Add(1).Exact())); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "WithParents together with Exact") {
		t.Errorf("got %v", err)
	}
	if err := ddb.Transact(t.Context(), client, table.TxUpdate(key, ddb.WithParents(ticketViews.Add(1)))); !errors.Is(err, ddb.ErrInvalid) || !strings.Contains(err.Error(), "WithParents in a transaction") {
		t.Errorf("got %v", err)
	}
}
