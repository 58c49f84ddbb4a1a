// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/ddbtest/fault"
	"github.com/dynamotable/ddb/unique"
)

func transactions(ctx context.Context) error {
	fmt.Println("== transactions")
	b, err := newBank(ctx,
		fault.On("TransactWriteItems").Nth(2).Conflict(),
		fault.On("TransactWriteItems").Nth(4).DropReply())
	if err != nil {
		return err
	}
	defer b.close()
	open := func(a Account) error {
		return ddb.Transact(ctx, b.client, b.accounts.TxCreate(&a), b.names.TxReserve("", a.Owner, a.ID))
	}
	transfer := func(from, to string, amount int64) error {
		return ddb.Transact(ctx, b.client,
			b.accounts.TxUpdate(from, accountBalance.Sub(amount), ddb.If(accountBalance.Ge(amount))),
			b.accounts.TxUpdate(to, accountBalance.Add(amount)))
	}
	b.do("open a, for ann", func() error { return open(Account{ID: "a", Owner: "ann", Balance: 100}) })
	b.do("open b, for bea: a conflict, sent again", func() error { return open(Account{ID: "b", Owner: "bea"}) })
	b.do("open c, for ann again", func() error {
		err := open(Account{ID: "c", Owner: "ann"})
		if taken, ok := errors.AsType[*unique.TakenError](err); ok {
			fmt.Println("    taken:", taken.Field)
		}
		return err
	})
	b.do("transfer 60: the reply is lost", func() error { return transfer("a", "b", 60) })
	b.do("transfer 60 again", func() error {
		err := transfer("a", "b", 60)
		if failed, ok := errors.AsType[*ddb.TransactionError](err); ok {
			for _, f := range failed.Failed {
				fmt.Println("    operation", f.Index, f.Verb, "of", f.Table, "-", f.Reason)
			}
		}
		if a, ok := ddb.CurrentOf[Account](err, 0); ok {
			fmt.Println("    a has", a.Balance)
		}
		return err
	})
	var a, z ddb.Got[Account]
	err = ddb.TransactGet(ctx, b.client, b.accounts.TxGet("a", &a), b.accounts.TxGet("b", &z))
	fmt.Println("stored: a", a.Item.Balance, "b", z.Item.Balance)
	return err
}
