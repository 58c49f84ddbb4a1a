// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"github.com/dynamotable/ddb/internal/core"
	"github.com/dynamotable/ddb/internal/handle"
)

// TxPut is [Table.Put] in a transaction.
func (t *Table[T, PK, SK]) TxPut(item *T, opts ...WriteOption[T]) TxOp {
	return t.Part().TxPut(core.VerbPut, item, writesOf(opts))
}

// TxPut is [SimpleTable.Put] in a transaction.
func (t *SimpleTable[T, PK]) TxPut(item *T, opts ...WriteOption[T]) TxOp {
	return t.Part().TxPut(core.VerbPut, item, writesOf(opts))
}

// TxCreate is [Table.Create] in a transaction.
func (t *Table[T, PK, SK]) TxCreate(item *T) TxOp {
	return t.Part().TxPut(core.VerbCreate, item, nil)
}

// TxCreate is [SimpleTable.Create] in a transaction.
func (t *SimpleTable[T, PK]) TxCreate(item *T) TxOp {
	return t.Part().TxPut(core.VerbCreate, item, nil)
}

// TxReplace is [Table.Replace] in a transaction.
func (t *Table[T, PK, SK]) TxReplace(item *T, opts ...WriteOption[T]) TxOp {
	return t.Part().TxPut(core.VerbReplace, item, writesOf(opts))
}

// TxReplace is [SimpleTable.Replace] in a transaction.
func (t *SimpleTable[T, PK]) TxReplace(item *T, opts ...WriteOption[T]) TxOp {
	return t.Part().TxPut(core.VerbReplace, item, writesOf(opts))
}

// TxUpdate is [Table.Update] in a transaction; it returns no item.
func (t *Table[T, PK, SK]) TxUpdate(key Key[PK, SK], changes ...UpdateOption[T]) TxOp {
	return t.Part().TxUpdate("Update", boxed(key), true, updatesOf(changes))
}

// TxUpdate is [SimpleTable.Update] in a transaction; it returns no item.
func (t *SimpleTable[T, PK]) TxUpdate(key PK, changes ...UpdateOption[T]) TxOp {
	return t.Part().TxUpdate("Update", boxed(key), true, updatesOf(changes))
}

// TxUpsert is [Table.Upsert] in a transaction; it returns no item.
func (t *Table[T, PK, SK]) TxUpsert(key Key[PK, SK], changes ...UpdateOption[T]) TxOp {
	return t.Part().TxUpdate("Upsert", boxed(key), false, updatesOf(changes))
}

// TxUpsert is [SimpleTable.Upsert] in a transaction; it returns no item.
func (t *SimpleTable[T, PK]) TxUpsert(key PK, changes ...UpdateOption[T]) TxOp {
	return t.Part().TxUpdate("Upsert", boxed(key), false, updatesOf(changes))
}

// TxDelete is [Table.Delete] in a transaction.
func (t *Table[T, PK, SK]) TxDelete(key Key[PK, SK], opts ...WriteOption[T]) TxOp {
	return t.Part().TxDelete(boxed(key), writesOf(opts))
}

// TxDelete is [SimpleTable.Delete] in a transaction.
func (t *SimpleTable[T, PK]) TxDelete(key PK, opts ...WriteOption[T]) TxOp {
	return t.Part().TxDelete(boxed(key), writesOf(opts))
}

// TxDeleteItem is [Table.DeleteItem] in a transaction.
func (t *Table[T, PK, SK]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return t.Part().TxDeleteItem(item, writesOf(opts))
}

// TxDeleteItem is [SimpleTable.DeleteItem] in a transaction.
func (t *SimpleTable[T, PK]) TxDeleteItem(item *T, opts ...WriteOption[T]) TxOp {
	return t.Part().TxDeleteItem(item, writesOf(opts))
}

// TxCheck makes a transaction depend on an item that it does not write. As for [If], there must be at least one condition,
// and none may be zero.
func (t *Table[T, PK, SK]) TxCheck(key Key[PK, SK], conds ...Cond[T]) TxOp {
	return t.Part().TxCheck(boxed(key), handle.Conditions(conds))
}

// TxCheck makes a transaction depend on an item that it does not write; see [Table.TxCheck].
func (t *SimpleTable[T, PK]) TxCheck(key PK, conds ...Cond[T]) TxOp {
	return t.Part().TxCheck(boxed(key), handle.Conditions(conds))
}

// The functions behind the operations are not inlined, since their closures would then be compiled again for each item type.

// TxCompose makes one operation of several, for packages that build on this one: it has one place in a [TransactionError], and counts as all of
// them in the limit of a transaction. verb is its name there; with an empty one each keeps its own. failed, unless it is nil, makes what the caller
// gets of a failed condition, a [*ConditionFailed]. invalid, unless it is nil, is why the operation cannot be: [Transact] returns it instead of sending
// anything. Options, such as [Token], are no operations. Without operations it adds nothing.
//
//go:noinline
func TxCompose(verb string, failed func(cause error) error, invalid error, ops ...TxOp) TxOp {
	return core.Compose(verb, failed, invalid, len(ops), func(i int) core.TxPart { return ops[i] })
}
