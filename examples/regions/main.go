// SPDX-License-Identifier: Apache-2.0

// Regions reads in a nearby Region and writes in its home Region, as a service does with a global table that is eventually consistent
// between Regions. The engine has no replication: here the nearby Region is a table whose reads are a minute late.
//
//	go run ./examples/regions
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
)

type Account struct {
	ID       string       `dynamodbav:"id"`
	Balance  int64        `dynamodbav:"balance"`
	Revision ddb.Revision `dynamodbav:"revision,omitzero"`
}

var (
	accountID       = ddb.StrField(func(a *Account) *string { return &a.ID })
	accountRevision = ddb.Field(func(a *Account) *ddb.Revision { return &a.Revision })
)

// Accounts has a table for each Region: a client belongs to a Region, and a table has one client.
type Accounts struct {
	home, nearby *ddb.SimpleTable[Account, string]
}

func NewAccounts(home, nearby ddb.Client) (*Accounts, error) {
	h, err1 := ddb.NewSimple(home, "accounts", accountID, ddb.Version(accountRevision))
	n, err2 := ddb.NewSimple(nearby, "accounts", accountID, ddb.Version(accountRevision))
	return &Accounts{h, n}, errors.Join(err1, err2)
}

// Show returns an account for display: it may be old.
func (a *Accounts) Show(ctx context.Context, id string) (Account, error) {
	return a.nearby.Get(ctx, id)
}

// Withdraw decides by the item in the home Region. The caller has seen a revision in the nearby Region; if it is old, nothing is changed.
func (a *Accounts) Withdraw(ctx context.Context, seen Account, amount int64) error {
	seen.Balance -= amount
	return a.home.Put(ctx, &seen) // under the condition that the revision is still the same
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	engine := ddbtest.NewEngine(ddbtest.WithVirtualClock(start), ddbtest.WithFaults(fault.On("GetItem").StaleReads(time.Minute)))
	defer engine.Close()
	// In a service: two clients, with dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) { o.Region = "eu-west-1" }).
	accounts, err := NewAccounts(engine.Client(), engine.Client())
	if err != nil {
		return err
	}
	if err := accounts.home.EnsureTable(ctx); err != nil {
		return err
	}
	return show(ctx, accounts, engine)
}

func show(ctx context.Context, accounts *Accounts, engine *ddbtest.Engine) error {
	if err := accounts.home.Create(ctx, &Account{ID: "ann", Balance: 10}); err != nil {
		return err
	}
	engine.Clock().Advance(time.Minute)
	first, err := accounts.Show(ctx, "ann")
	if err != nil {
		return err
	}
	if err := accounts.Withdraw(ctx, first, 3); err != nil {
		return err
	}
	shown, err := accounts.Show(ctx, "ann")
	if err != nil {
		return err
	}
	fmt.Println("withdrew 3; the nearby Region still shows:", shown.Balance)
	err = accounts.Withdraw(ctx, shown, 3)
	failed, ok := errors.AsType[*ddb.ConditionFailed[Account]](err)
	if !ok {
		return err
	}
	current, _ := failed.Current()
	fmt.Println("again with the old revision: refused; the home Region has", current.Balance)
	if err := accounts.Withdraw(ctx, current, 3); err != nil {
		return err
	}
	engine.Clock().Advance(time.Minute)
	shown, err = accounts.Show(ctx, "ann")
	if err != nil {
		return err
	}
	fmt.Println("again with the item of the error: done; a minute later the nearby Region shows:", shown.Balance)
	return nil
}
