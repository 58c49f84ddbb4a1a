// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"

	"github.com/dynamotable/ddb/ddberr"
)

// CurrentOf returns the item that made the operation at an index of a transaction fail, as it was when DynamoDB checked the
// condition:
//
//	err := ddb.Transact(ctx, client, orders.TxCreate(&o), stock.TxUpdate(key, qty.Sub(1), ddb.If(qty.Ge(1))))
//	if left, ok := ddb.CurrentOf[Stock](err, 1); ok {
//
// ok is false if that operation did not fail, if there was no item, or if its type is not T.
func CurrentOf[T any](err error, index int) (item T, ok bool) {
	te, ok := errors.AsType[*ddberr.TransactionError](err)
	if !ok || te.At(index) == nil {
		return item, false
	}
	failed, ok := errors.AsType[*ConditionFailed[T]](te.At(index).Err)
	if !ok {
		return item, false
	}
	return failed.Current()
}
