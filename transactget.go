// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"

	"github.com/dynamotable/ddb/internal/core"
)

// TxRead is a read of [TransactGet], made by a table's TxGet, or an option of it ([StatsTo]).
type TxRead interface{ AddRead(*core.TransactionRead) }

// TransactGet reads up to 100 items of one or several tables as of one moment:
//
//	var (
//		o ddb.Got[Order]
//		u ddb.Got[User]
//	)
//	err := ddb.TransactGet(ctx, client, orders.TxGet(key, &o), users.TxGet("u1", &u))
//
// Missing items are not an error: their Found is false. Conflicts with writing transactions are retried. It costs two read
// units for each 4 KB of an item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html
func TransactGet(ctx context.Context, client Client, reads ...TxRead) error {
	return core.TransactGet(ctx, client, len(reads), func(i int) core.TxReadPart { return reads[i] })
}

// TxGet reads one item in a transaction into dst. The options are [Project] and [IncludeExpired]; [Consistent] has no
// effect, since transactional reads always are consistent.
func (t *Table[T, PK, SK]) TxGet(key Key[PK, SK], dst *Got[T], opts ...GetOption) TxRead {
	return t.Part().TxGet(boxed(key), dst, readOptions(opts))
}

// TxGet reads one item in a transaction into dst; see [Table.TxGet].
func (t *SimpleTable[T, PK]) TxGet(key PK, dst *Got[T], opts ...GetOption) TxRead {
	return t.Part().TxGet(boxed(key), dst, readOptions(opts))
}
