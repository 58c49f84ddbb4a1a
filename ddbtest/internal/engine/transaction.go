// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"cmp"
	"context"
	"runtime"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
)

// transact executes actions on different items, all of them or none.
//
// It claims the items first and writes them afterwards, as the service does.
// Between the two, any other write to one of the items fails with a conflict, and so
// does a transaction that reads it.
func (e *Engine) transact(ctx context.Context, actions []*action) ([]effect, error) {
	reasons, failed := make([]CancellationReason, len(actions)), false
	for i, a := range actions {
		if err := e.admit(ctx, a.access()); err != nil {
			reason, ok := reasonOf(err)
			if !ok {
				return nil, err
			}
			reasons[i], failed = reason, true
		}
	}
	if failed {
		return nil, cancelled(reasons)
	}
	locks := partitionsOf(actions)
	if err := locks.claim(actions); err != nil {
		return nil, err
	}
	if e.hooks.Prepared != nil {
		accesses := make([]Access, len(actions))
		for i, a := range actions {
			accesses[i] = a.access()
		}
		e.hooks.Prepared(ctx, accesses)
	}
	runtime.Gosched() // concurrent requests get a conflict meanwhile
	return e.finish(locks, actions)
}

// finish evaluates and commits claimed actions and releases the claims.
func (e *Engine) finish(locks partitions, actions []*action) ([]effect, error) {
	uses := e.allowances(actions)
	locks.lock()
	defer locks.unlock()
	defer uses.lock()()
	for _, a := range actions {
		a.table.items.Partition(a.storeKey).Unmark(a.storeKey)
	}
	effects, reasons, failed := make([]effect, len(actions)), make([]CancellationReason, len(actions)), false
	for i, a := range actions {
		use := uses.of(a.table)
		err := a.refresh()
		if err == nil {
			err = use.checkWrite(a)
		}
		if err == nil {
			effects[i], err = a.evaluate(a.table.items.Partition(a.storeKey).Get(a.storeKey))
			use.takeRejected(a, err, effects[i].old, transactionTimes)
		}
		if err == nil {
			err = e.checkCollection(a, &effects[i])
		}
		if err == nil {
			err = use.checkIndexes(a, &effects[i])
		}
		if err != nil {
			reason, ok := reasonOf(err)
			if !ok {
				return nil, err
			}
			reasons[i], failed = reason, true
		}
	}
	if failed {
		return nil, cancelled(reasons)
	}
	for i, a := range actions {
		e.commit(a.table.items.Partition(a.storeKey), a, &effects[i])
		uses.of(a.table).takeWrite(a, &effects[i], transactionTimes)
	}
	return effects, nil
}

// transactionTimes is the factor by which an action of a transaction costs more, because of its two phases.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
const transactionTimes = 2

// partitions are partitions of tables in the order in which all transactions lock
// them.
type partitions []*storage.Partition

type partitionID struct {
	table     uint64
	partition int
}

func partitionsOf(actions []*action) partitions {
	keys := make([]tableKey, len(actions))
	for i, a := range actions {
		keys[i] = tableKey{a.table, a.storeKey}
	}
	return partitionsOfKeys(keys)
}

func partitionsOfKeys(keys []tableKey) partitions {
	type entry struct {
		id partitionID
		p  *storage.Partition
	}
	entries := make([]entry, len(keys))
	for i, k := range keys {
		entries[i] = entry{partitionID{k.table.number, storage.PartitionOf(k.key)}, k.table.items.Partition(k.key)}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.id.table, b.id.table), cmp.Compare(a.id.partition, b.id.partition))
	})
	entries = slices.CompactFunc(entries, func(a, b entry) bool { return a.id == b.id })
	list := make(partitions, len(entries))
	for i, en := range entries {
		list[i] = en.p
	}
	return list
}

func (ps partitions) lock() {
	for _, p := range ps {
		p.Lock()
	}
}

func (ps partitions) unlock() {
	for _, p := range ps {
		p.Unlock()
	}
}

// claim marks the items of the actions, or none of them if another transaction
// holds one.
func (ps partitions) claim(actions []*action) error {
	ps.lock()
	defer ps.unlock()
	reasons, conflict := make([]CancellationReason, len(actions)), false
	for i, a := range actions {
		if a.table.items.Partition(a.storeKey).Marked(a.storeKey) {
			reasons[i], _ = reasonOf(transactionConflict())
			conflict = true
		}
	}
	if conflict {
		return cancelled(reasons)
	}
	for _, a := range actions {
		a.table.items.Partition(a.storeKey).Mark(a.storeKey)
	}
	return nil
}
