// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"slices"

	"github.com/dynamotable/ddb"
)

// Account has a balance and the transfers that have changed it, until they are done.
type Account struct {
	ID      string   `dynamodbav:"id"`
	Balance int64    `dynamodbav:"balance"`
	Applied []string `dynamodbav:"applied,stringset,omitempty"`
}

// Transfer is a transfer to be made. It is stored before any account is changed.
type Transfer struct {
	ID     string `dynamodbav:"id"`
	From   string `dynamodbav:"from"`
	To     string `dynamodbav:"to"`
	Amount int64  `dynamodbav:"amount"`
	State  string `dynamodbav:"state"` // begun, done or refused
}

var (
	accountID      = ddb.StrField(func(a *Account) *string { return &a.ID })
	accountBalance = ddb.NumField(func(a *Account) *int64 { return &a.Balance })
	accountApplied = ddb.SetField(func(a *Account) *[]string { return &a.Applied })
	transferID     = ddb.StrField(func(t *Transfer) *string { return &t.ID })
	transferState  = ddb.StrField(func(t *Transfer) *string { return &t.State })
)

var (
	errCrash  = errors.New("crashed")
	errNoFund = errors.New("not enough on the account")
)

// Bank transfers money between accounts with writes of single items only.
type bank struct {
	accounts  *ddb.SimpleTable[Account, string]
	transfers *ddb.SimpleTable[Transfer, string]
	crash     string // the step after which to stop, for the example
}

// Transfer moves an amount. It can be repeated with the same id, even after
// ddb.ErrOutcomeUnknown: each account is changed once. Between its steps the money is in
// transit, on neither account.
func (b *bank) transfer(ctx context.Context, t Transfer) error {
	t.State = "begun"
	if err := b.transfers.Create(ctx, &t); errors.Is(err, ddb.ErrConditionFailed) {
		if t, err = b.transfers.Get(ctx, t.ID, ddb.Consistent()); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	return b.finish(ctx, t)
}

// Recover completes all transfers that were begun.
func (b *bank) recover(ctx context.Context) (n int, err error) {
	for t, err := range b.transfers.Scan().Filter(transferState.Eq("begun")).Consistent().All(ctx) {
		if err != nil {
			return n, err
		}
		if err := b.finish(ctx, t); err != nil && !errors.Is(err, errNoFund) {
			return n, err
		}
		n++
	}
	return n, nil
}

func (b *bank) finish(ctx context.Context, t Transfer) error {
	if t.State == "begun" {
		switch err := b.apply(ctx, t.From, t.ID, accountBalance.Sub(t.Amount), accountBalance.Ge(t.Amount)); {
		case errors.Is(err, ddb.ErrConditionFailed):
			return errors.Join(errNoFund, b.close(ctx, t, "refused"))
		case err != nil:
			return err
		case b.crash == "debit":
			return errCrash
		}
		if err := b.apply(ctx, t.To, t.ID, accountBalance.Add(t.Amount), ddb.Exists(accountID)); err != nil {
			return err
		}
		if b.crash == "credit" {
			return errCrash
		}
		if err := b.close(ctx, t, "done"); err != nil {
			return err
		}
		t.State = "done"
	}
	if t.State == "refused" {
		return errNoFund
	}
	return nil
}

func (b *bank) close(ctx context.Context, t Transfer, state string) error {
	_, err := b.transfers.Update(ctx, t.ID, transferState.Set(state))
	return err
}

// Apply changes an account by one step of a transfer, unless the step was already applied. If the
// condition fails, it reads the item to find the reason, since the server does not return it.
func (b *bank) apply(ctx context.Context, account, transfer string, change ddb.Change[Account], cond ddb.Cond[Account]) error {
	_, err := b.accounts.Update(ctx, account, change, accountApplied.Insert(transfer), ddb.If(cond, ddb.Not(accountApplied.Has(transfer))))
	if !errors.Is(err, ddb.ErrConditionFailed) {
		return err
	}
	rejected := err
	stored, err := b.accounts.Get(ctx, account, ddb.Consistent())
	if err != nil {
		return errors.Join(rejected, err)
	}
	if slices.Contains(stored.Applied, transfer) {
		return nil
	}
	return rejected
}
