// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"time"

	"github.com/dynamotable/ddb/internal/core"
)

// TxOp is an operation of [Transact], made by a table's Tx methods, or an option of it ([Token], [StatsTo], [StampTime]).
type TxOp interface{ AddTo(*core.Transaction) }

// Transact performs up to 100 operations on items of one or several tables, all or nothing:
//
//	err := ddb.Transact(ctx, client,
//		orders.TxCreate(&o),
//		stock.TxUpdate(key, qty.Sub(1), ddb.If(qty.Ge(1))))
//
// Invalid transactions are refused before anything is sent: more than 100 operations, items of more than 4 MB together, two
// operations on one item, and whatever the single verbs refuse. If DynamoDB cancels the transaction the error is a
// [*TransactionError] that says which operations failed and why. Conflicts and throttling are retried by the [RetryPolicy]
// of the first table, with the same token, so the transaction is applied at most once.
//
// If a reply is lost, the client sends the transaction again; by the token DynamoDB recognises it as the same. If no reply
// arrives at all, or none that is conclusive, the call returns [ErrOutcomeUnknown]: calling again with the same [Token]
// within 10 minutes resolves it. A [*TransactionError] after a lost reply means that nothing had been applied by then; a
// request that the network delivers even later is applied if its conditions are true at that time.
//
// Items get their new versions and stamps only after success. All tables must be in the account and Region of the client,
// whatever clients they were made with.
//
// It costs twice the write units of the single operations, even if a condition fails.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
func Transact(ctx context.Context, client Client, ops ...TxOp) error {
	return core.Transact(ctx, client, len(ops), func(i int) core.TxPart { return ops[i] })
}

// StampTime makes [Transact] set [Created] and [Updated] to a time of the caller. With [Token] it is required on tables with
// such stamps: calls with the same token must send the same times, for example the time of the message that is handled.
func StampTime(t time.Time) TxOp { return core.StampTimeOption(t) }

// Token makes [Transact] use an idempotency token of the caller, of 1 to 36 characters: within 10 minutes, calls with the
// same token and the same operations are applied once. Without it each call uses a random token.
func Token(token string) TxOp { return core.TokenOption(token) }
