// SPDX-License-Identifier: Apache-2.0

// Iam runs a program's calls with a hook that records the permissions they need, and
// prints a policy that allows only these. It runs on the embedded engine,
// or on the endpoint in DYNAMODB_ENDPOINT:
//
//	go run ./examples/iam
//
// Such a policy contains only the calls that were made: run all paths of your program, for
// example by its tests, and read the policy before you use it.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"slices"
	"sync"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest"
	"github.com/dynamotable/ddb/hooks"
)

// permissions is a hook that records the permissions needed.
type permissions struct {
	mu   sync.Mutex
	need map[string][]string // actions by resource
}

func (p *permissions) Begin(ctx context.Context, _ *hooks.Call) context.Context { return ctx }

func (p *permissions) End(_ context.Context, call *hooks.Call) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range call.Actions() {
		resource := "arn:aws:dynamodb:*:*:table/" + a.Table
		if a.Index != "" {
			resource += "/index/" + a.Index
		}
		if !slices.Contains(p.need[resource], a.Name) {
			p.need[resource] = append(p.need[resource], a.Name)
		}
	}
}

type statement struct {
	Effect   string
	Action   []string
	Resource string
}

// policy returns one statement for each resource, in the order of their names.
func (p *permissions) policy() any {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []statement
	for resource, actions := range p.need {
		slices.Sort(actions)
		all = append(all, statement{"Allow", actions, resource})
	}
	slices.SortFunc(all, func(a, b statement) int {
		if a.Resource < b.Resource {
			return -1
		}
		return 1
	})
	return struct {
		Version   string
		Statement []statement
	}{"2012-10-17", all}
}

// Account is an account with its balance.
type Account struct {
	Tenant  string `dynamodbav:"tenant"`
	ID      string `dynamodbav:"id"`
	Owner   string `dynamodbav:"owner"`
	Balance int64  `dynamodbav:"balance"`
}

// Entry is a line of the journal.
type Entry struct {
	Account string `dynamodbav:"account"`
	Number  int    `dynamodbav:"number"`
	Amount  int64  `dynamodbav:"amount"`
}

var (
	accountTenant  = ddb.StrField(func(a *Account) *string { return &a.Tenant })
	accountID      = ddb.StrField(func(a *Account) *string { return &a.ID })
	accountOwner   = ddb.StrField(func(a *Account) *string { return &a.Owner })
	accountBalance = ddb.NumField(func(a *Account) *int64 { return &a.Balance })
	entryAccount   = ddb.StrField(func(e *Entry) *string { return &e.Account })
	entryNumber    = ddb.NumField(func(e *Entry) *int { return &e.Number })
)

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
	accounts, err := ddb.New(client, "accounts", accountTenant, accountID)
	if err != nil {
		return err
	}
	byOwner, err := ddb.NewIndex(accounts, "by-owner", accountOwner, accountID)
	if err != nil {
		return err
	}
	journal, err := ddb.New(client, "journal", entryAccount, entryNumber)
	if err != nil {
		return err
	}
	// The deployment creates the tables, with its own permissions; the hook does not see its calls.
	if err := accounts.EnsureTable(ctx); err != nil {
		return err
	}
	if err := journal.EnsureTable(ctx); err != nil {
		return err
	}

	needed := &permissions{need: map[string][]string{}}
	defer hooks.Add(needed)()
	if err := accounts.Create(ctx, &Account{Tenant: "t1", ID: "a1", Owner: "ann", Balance: 10}); err != nil {
		return err
	}
	if _, err := byOwner.Query("ann").Collect(ctx); err != nil {
		return err
	}
	err = ddb.Transact(ctx, client,
		accounts.TxUpdate(accounts.Key("t1", "a1"), accountBalance.Sub(3), ddb.If(accountBalance.Ge(3))),
		journal.TxCreate(&Entry{Account: "a1", Number: 1, Amount: -3}))
	if err != nil {
		return err
	}
	if _, err := journal.Query("a1").Collect(ctx); err != nil {
		return err
	}
	fmt.Println("what these calls need:")
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(needed.policy()); err != nil {
		return err
	}
	fmt.Println("Allow dynamodb:GetItem on the tables as well: a write whose reply is lost is resolved by reading the item.")
	return nil
}
