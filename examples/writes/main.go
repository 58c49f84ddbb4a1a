// SPDX-License-Identifier: Apache-2.0

// Writes shows how writes end: with preconditions, stale versions, lost replies,
// conflicts, throttling, transactions and unique values. Rules inject
// faults between client and engine, and every request is printed:
//
//	go run ./examples/writes
//
// It always runs on the embedded engine, since no other engine can lose replies on demand.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/unique"
)

// Account is guarded by a revision, which names the last writes of the item.
type Account struct {
	ID       string       `dynamodbav:"id"`
	Owner    string       `dynamodbav:"owner,omitempty"`
	Balance  int64        `dynamodbav:"balance"`
	Revision ddb.Revision `dynamodbav:"revision"`
}

var (
	accountID       = ddb.StrField(func(a *Account) *string { return &a.ID })
	accountBalance  = ddb.NumField(func(a *Account) *int64 { return &a.Balance })
	accountRevision = ddb.Field(func(a *Account) *ddb.Revision { return &a.Revision })
)

// Counter has no revision, so the outcome after a lost reply may stay unknown.
type Counter struct {
	ID string `dynamodbav:"id"`
	N  int64  `dynamodbav:"n"`
}

var (
	counterID = ddb.StrField(func(c *Counter) *string { return &c.ID })
	counterN  = ddb.NumField(func(c *Counter) *int64 { return &c.N })
)

// Name is a reservation of an account's name.
type Name struct {
	ID      string `dynamodbav:"id"`
	Account string `dynamodbav:"account"`
}

var (
	nameID      = ddb.StrField(func(n *Name) *string { return &n.ID })
	nameAccount = ddb.StrField(func(n *Name) *string { return &n.Account })
)

// Bank is a fresh engine with its tables, and the requests that it received.
type bank struct {
	client   ddb.Client
	accounts *ddb.SimpleTable[Account, string]
	counters *ddb.SimpleTable[Counter, string]
	names    *unique.Values[Name, string, string]
	requests []string
	close    func()
}

func newBank(ctx context.Context, rules ...fault.Rule) (*bank, error) {
	b := &bank{}
	engine := ddbtest.NewEngine(ddbtest.WithFaults(rules...), ddbtest.WithObserver(func(r fault.Request) {
		text := r.Operation
		if r.Fault != "" {
			text += " (" + r.Fault + ")"
		}
		b.requests = append(b.requests, text) // one request at a time here
	}))
	// Without this option, the SDK's version would decide the number of attempts.
	b.client, b.close = engine.Client(func(o *dynamodb.Options) { o.RetryMaxAttempts = 3 }), engine.Close
	var err error
	b.accounts, err = ddb.NewSimple(b.client, "accounts", accountID, ddb.Version(accountRevision), ddb.Tombstones("deleted", time.Hour))
	if err != nil {
		return nil, err
	}
	b.counters, err = ddb.NewSimple(b.client, "counters", counterID)
	if err != nil {
		return nil, err
	}
	reserved, err := ddb.NewSimple(b.client, "names", nameID)
	if err != nil {
		return nil, err
	}
	b.names, err = unique.New(reserved, "name", nameAccount)
	if err != nil {
		return nil, err
	}
	if err := b.accounts.CreateTable(ctx); err != nil {
		return nil, err
	}
	if err := b.counters.CreateTable(ctx); err != nil {
		return nil, err
	}
	return b, reserved.CreateTable(ctx)
}

// Do runs one step and prints how it ended and what was sent.
func (b *bank) do(what string, step func() error) {
	fmt.Println(what)
	b.requests = nil
	err := step()
	fmt.Println("   ", describe(err))
	fmt.Printf("    sent: %s\n", strings.Join(b.requests, ", "))
}

func describe(err error) string {
	if err == nil {
		return "done"
	}
	var is []string
	for _, s := range []error{ddb.ErrNotFound, ddb.ErrConditionFailed, ddb.ErrThrottled, ddb.ErrOutcomeUnknown, unique.ErrTaken} {
		if errors.Is(err, s) {
			is = append(is, s.Error())
		}
	}
	return fmt.Sprintf("error: %s; retryable: %v", strings.Join(is, ", "), ddb.IsRetryable(err))
}

func main() {
	log.SetFlags(0)
	ctx := context.Background()
	for _, part := range []func(context.Context) error{verbs, versions, lostReplies, counts, refusals, transactions} {
		if err := part(ctx); err != nil {
			log.Fatal(err)
		}
	}
}

func verbs(ctx context.Context) error {
	fmt.Println("== verbs")
	b, err := newBank(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	b.do("Put", func() error { return b.counters.Put(ctx, &Counter{"c", 1}) })
	b.do("Create an existing item", func() error { return b.counters.Create(ctx, &Counter{"c", 2}) })
	b.do("Replace a missing item", func() error { return b.counters.Replace(ctx, &Counter{"d", 2}) })
	b.do("Update a missing item", func() error { _, err := b.counters.Update(ctx, "d", counterN.Add(1)); return err })
	b.do("Upsert a missing item", func() error { _, err := b.counters.Upsert(ctx, "d", counterN.Add(1)); return err })
	b.do("Delete a missing item", func() error { return b.counters.Delete(ctx, "none") })
	b.do("Update if n >= 10", func() error {
		_, err := b.counters.Update(ctx, "c", counterN.Sub(10), ddb.If(counterN.Ge(10)))
		if failed, ok := errors.AsType[*ddb.ConditionFailed[Counter]](err); ok {
			current, _ := failed.Current()
			fmt.Printf("    refused: %s; n is %d\n", failed.Condition, current.N)
		}
		return err
	})
	return nil
}

func versions(ctx context.Context) error {
	fmt.Println("== versions")
	b, err := newBank(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	mine := Account{ID: "a", Balance: 100}
	b.do("Create", func() error { return b.accounts.Create(ctx, &mine) })
	theirs := mine // somebody else has also read it
	theirs.Balance = 50
	b.do("Put by another writer", func() error { return b.accounts.Put(ctx, &theirs) })
	mine.Balance = 200
	b.do("Put of the stale item", func() error { return b.accounts.Put(ctx, &mine) })
	now, err := b.accounts.Get(ctx, "a", ddb.Consistent())
	fmt.Println("stored: balance", now.Balance, "revision", now.Revision.Number, "- mine still has revision", mine.Revision.Number)
	return err
}

func lostReplies(ctx context.Context) error {
	fmt.Println("== lost replies")
	b, err := newBank(ctx,
		fault.On("PutItem").Table("counters").Nth(1).DropReply(),
		fault.On("PutItem").Table("accounts").Nth(1).DropReply(),
		fault.On("PutItem").Table("accounts").Nth(1).DropRequest(), // counts only requests that the rule above does not match
		fault.On("UpdateItem").Table("accounts").Nth(1).DropReply())
	if err != nil {
		return err
	}
	defer b.close()
	a := Account{ID: "a", Balance: 100}
	b.do("Put without a condition", func() error { return b.counters.Put(ctx, &Counter{"c", 1}) })
	b.do("Create: stored, found by its revision", func() error { return b.accounts.Create(ctx, &a) })
	a.Balance = 90
	b.do("Put at revision 1: never arrived, sent again", func() error { return b.accounts.Put(ctx, &a) })
	b.do("Add: found stored by its revision", func() error {
		got, err := b.accounts.Update(ctx, "a", accountBalance.Add(10))
		fmt.Println("    balance", got.Balance, "revision", got.Revision.Number)
		return err
	})
	return nil
}

func counts(ctx context.Context) error {
	fmt.Println("== counters without a revision")
	for _, c := range []struct {
		name   string
		change ddb.Change[Counter]
	}{{"Add", counterN.Add(1)}, {"Add, AtLeastOnce", counterN.Add(1).AtLeastOnce()}, {"Add, Exact", counterN.Add(1).Exact()}} {
		b, err := newBank(ctx, fault.On("UpdateItem", "TransactWriteItems").Nth(1).DropReply())
		if err != nil {
			return err
		}
		if err := b.counters.Put(ctx, &Counter{"c", 0}); err != nil {
			return err
		}
		b.do(c.name, func() error { _, err := b.counters.Update(ctx, "c", c.change); return err })
		stored, err := b.counters.Get(ctx, "c", ddb.Consistent())
		fmt.Println("    counted:", stored.N)
		b.close()
		if err != nil {
			return err
		}
	}
	return nil
}

func refusals(ctx context.Context) error {
	fmt.Println("== conflicts and throttling")
	b, err := newBank(ctx,
		fault.On("PutItem").Nth(1).Conflict(),
		fault.On("DeleteItem").Throttle("TableWriteKeyRangeThroughputExceeded"))
	if err != nil {
		return err
	}
	defer b.close()
	b.do("Put while a transaction has the item", func() error { return b.counters.Put(ctx, &Counter{"c", 1}) })
	b.do("Delete under a hot key", func() error {
		err := b.counters.Delete(ctx, "c")
		if throttled, ok := errors.AsType[*ddb.ThrottledError](err); ok {
			fmt.Println("    hot key:", throttled.Reasons[0].HotKey())
		}
		return err
	})
	return nil
}
