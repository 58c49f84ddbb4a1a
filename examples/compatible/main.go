// SPDX-License-Identifier: Apache-2.0

// Compatible runs on a server that supports less of the API than DynamoDB: no transactions,
// no capacity by index, no item with a failed condition. It shows how calls that need
// these features fail, and a program that works without them:
//
//	go run ./examples/compatible
//
// The server is the embedded engine, or the endpoint in DYNAMODB_ENDPOINT, behind a client
// that removes these features.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/schema"
)

func main() {
	log.SetFlags(0)
	client, stop := ddbtest.Open()
	defer stop()
	if err := run(context.Background(), lesser{client}); err != nil {
		log.Fatal(err) //nolint:gocritic // the engine dies with the process
	}
}

func run(ctx context.Context, client lesser) error {
	counting, err := ddb.NewSimple(client, "compatible-accounts", accountID)
	if err != nil {
		return err
	}
	accounts, err := ddb.NewSimple(client, "compatible-accounts", accountID, ddb.WithoutCapacity())
	if err != nil {
		return err
	}
	transfers, err := ddb.NewSimple(client, "compatible-transfers", transferID, ddb.WithoutCapacity())
	if err != nil {
		return err
	}
	if err := schema.EnsureTables(ctx, accounts, transfers); err != nil {
		return err
	}
	defer accounts.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(accounts.Name()))   //nolint:errcheck // only tidies up
	defer transfers.DeleteTable(context.WithoutCancel(ctx), schema.AllowDelete(transfers.Name())) //nolint:errcheck // only tidies up

	show := func(what string, err error) {
		fmt.Printf("%-40s %s\n", what+":", outcome(err))
	}
	fmt.Println("== calls that such a server refuses")
	a := Account{ID: "ann", Balance: 100}
	show("Put with capacity by index", counting.Put(ctx, &a))
	show("the same WithoutCapacity", accounts.Put(ctx, &a))
	show("BatchPut WithoutCapacity", accounts.BatchPut(ctx, []Account{{ID: "bea"}, {ID: "cid", Balance: 5}}))
	show("Transact", ddb.Transact(ctx, client, accounts.TxUpdate("ann", accountBalance.Sub(1))))
	_, err = accounts.Update(ctx, "ann", accountBalance.Sub(1).Exact())
	show("an update with Exact", err)
	_, err = accounts.Update(ctx, "ann", accountBalance.Sub(500), ddb.If(accountBalance.Ge(500)))
	show("a false condition", err)
	if failed, ok := errors.AsType[*ddb.ConditionFailed[Account]](err); ok {
		_, known := failed.Current()
		fmt.Printf("%-40s %v\n", "  the error contains the item:", known)
	}

	fmt.Println("== transfers without transactions")
	b := &bank{accounts: accounts, transfers: transfers}
	for _, step := range []struct {
		what, crash string
		t           Transfer
	}{
		{"ann to bea, 30", "", Transfer{ID: "t1", From: "ann", To: "bea", Amount: 30}},
		{"the same transfer again", "", Transfer{ID: "t1", From: "ann", To: "bea", Amount: 30}},
		{"ann to cid, 500", "", Transfer{ID: "t2", From: "ann", To: "cid", Amount: 500}},
		{"ann to cid, 20, crash after the debit", "debit", Transfer{ID: "t3", From: "ann", To: "cid", Amount: 20}},
		{"bea to cid, 10, crash after the credit", "credit", Transfer{ID: "t4", From: "bea", To: "cid", Amount: 10}},
	} {
		b.crash = step.crash
		fmt.Printf("%-40s %s\n", step.what+":", outcome(b.transfer(ctx, step.t)))
		if err := balances(ctx, accounts); err != nil {
			return err
		}
	}
	b.crash = ""
	n, err := b.recover(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("%-40s %d %s\n", "transfers finished after a restart:", n, outcome(err))
	return balances(ctx, accounts)
}

func balances(ctx context.Context, accounts *ddb.SimpleTable[Account, string]) error {
	got, err := accounts.BatchGet(ctx, []string{"ann", "bea", "cid"}, ddb.Consistent())
	if err != nil {
		return err
	}
	sum := int64(0)
	fmt.Printf("%40s", "")
	for _, g := range got {
		sum += g.Item.Balance
		fmt.Printf(" %s %d", g.Item.ID, g.Item.Balance)
	}
	fmt.Println(" total", sum)
	return nil
}

// Outcome is an error without the names of requests.
func outcome(err error) string {
	switch {
	case err == nil:
		return "done"
	case errors.Is(err, errCrash), errors.Is(err, errNoFund):
		return err.Error()
	case errors.Is(err, ddb.ErrConditionFailed):
		return "condition failed"
	case errors.Is(err, ddb.ErrOutcomeUnknown):
		return "outcome unknown"
	}
	return fmt.Sprintf("refused, retryable: %v", ddb.IsRetryable(err))
}
