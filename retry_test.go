// SPDX-License-Identifier: Apache-2.0

package ddb_test

import (
	"errors"
	"testing"
	"testing/synctest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/internal/apitest"
	"github.com/dynamotable/ddb/internal/retry"
)

// TestRetryBudgetTokens uses the budget as the SDK's retryer does, as its RateLimiter.
func TestRetryBudgetTokens(t *testing.T) {
	b := ddb.NewRetryBudget(2)
	release, err := b.GetToken(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.GetToken(t.Context(), 9); !errors.Is(err, retry.ErrBudgetEmpty) {
		t.Errorf("an empty budget gave a token: %v", err)
	}
	if err := release(); err != nil {
		t.Error(err)
	}
	if _, err := b.GetToken(t.Context(), 10); err != nil {
		t.Errorf("released tokens are not back: %v", err)
	}
	var none *ddb.RetryBudget
	if _, err := none.GetToken(t.Context(), 1e9); err != nil {
		t.Errorf("a nil budget refused a token: %v", err)
	}
	if _, err := new(ddb.RetryBudget).GetToken(t.Context(), 1); err == nil {
		t.Error("a zero budget gave a token")
	}
}

// owner is a client, and the retryer of one, that has a budget.
type owner struct {
	aws.Retryer
	ddb.Client

	budget *ddb.RetryBudget
}

func (o owner) RetryBudget() *ddb.RetryBudget { return o.budget }

// TestBudgetOfTable: a table shares the budget of its client or of the client's retryer. All tables of clients without one share another.
func TestBudgetOfTable(t *testing.T) {
	apitest.NeedsEngine(t, "faults")
	synctest.Test(t, testBudgetOfTable) // in which no time passes, so that no tokens return
}

func testBudgetOfTable(t *testing.T) {
	requests, conflicts := 0, true
	engine := ddbtest.NewEngine(ddbtest.WithFaults(fault.On("TransactWriteItems").Where(func(fault.Request) bool {
		requests++
		return conflicts
	}).Conflict()))
	defer engine.Close()
	// write returns how many requests a transaction with a table of the client sends.
	write := func(client ddb.Client) int {
		table, err := ddb.NewSimple(client, "books", bookISBN, ddb.Retry(ddb.RetryPolicy{BaseDelay: 1, MaxDelay: 1, MaxIdle: 40}))
		if err != nil {
			t.Fatal(err)
		}
		before := requests
		if err := ddb.Transact(t.Context(), client, table.TxPut(&Book{ISBN: "b"})); (err != nil) != conflicts || conflicts != ddb.IsRetryable(err) {
			t.Errorf("got %v", err)
		}
		return requests - before
	}
	process, other := engine.Client(), engine.Client()
	books, err := ddb.NewSimple(process, "books", bookISBN)
	if err != nil {
		t.Fatal(err)
	}
	if err := books.CreateTable(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		client ddb.Client
		want   int
	}{
		"client with a budget":  {owner{Client: process, budget: ddb.NewRetryBudget(2)}, 3},
		"retryer with a budget": {engine.Client(func(o *dynamodb.Options) { o.Retryer = owner{Retryer: o.Retryer, budget: ddb.NewRetryBudget(3)} }), 4},
	} {
		if first, second := write(tt.client), write(tt.client); first != tt.want || second != 1 {
			t.Errorf("%s: %d requests and %d with the budget spent, want %d and 1", name, first, second, tt.want)
		}
	}
	// The budget of the process has at most 100 retries. Another client finds it as this one left it.
	for range 4 {
		write(process)
	}
	if n := write(other); n != 1 {
		t.Errorf("%d requests on another client with the budget of the process spent, want 1", n)
	}
	conflicts = false
	for range retry.Cost {
		write(process)
	}
	conflicts = true
	if n := write(other); n != 2 {
		t.Errorf("%d requests on another client after successes that allow a retry, want 2", n)
	}
	var none *dynamodb.Client
	for name, client := range map[string]ddb.Client{"nil": nil, "nil SDK client": none} {
		if _, err := ddb.NewSimple(client, "books", bookISBN); err == nil {
			t.Errorf("%s: got a table", name)
		}
	}
}
