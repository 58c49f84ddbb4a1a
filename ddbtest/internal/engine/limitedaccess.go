// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// entryKeys are the storage keys of the entries of one global index that a write touches.
type entryKeys struct {
	index *Index
	keys  []string
}

// checkWrite refuses a write whose item has no throughput left.
func (a *allowance) checkWrite(w *action) error {
	if a == nil || w.free() {
		return nil
	}
	return a.check(nil, true, w.storeKey)
}

// free reports whether no units are counted: deletions by time to live cost nothing, and items that an engine stored before
// were already counted.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html
func (w *action) free() bool { return w.reason == ReasonExpiry || w.restored }

// checkIndexes records the entries of global indexes that a write touches, and refuses the write if one of the indexes has no
// throughput left. The service refuses writes of a table when an index cannot keep up with them.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
func (a *allowance) checkIndexes(w *action, fx *effect) error {
	if a == nil || w.free() || w.kind == actionCheck {
		return nil
	}
	for _, x := range w.schema.Indexes {
		if x.Local || x.isDeleting() {
			continue
		}
		oldKey, newKey, had, has := w.entryKeys(x, fx)
		t := entryKeys{index: x}
		switch {
		case had && has && oldKey == newKey:
			if value.EqualItems(x.project(fx.oldItem), x.project(fx.newItem)) {
				continue
			}
			t.keys = []string{newKey}
		default:
			if had {
				t.keys = append(t.keys, oldKey)
			}
			if has {
				t.keys = append(t.keys, newKey)
			}
		}
		for _, key := range t.keys {
			if err := a.check(x, true, key); err != nil {
				return err
			}
		}
		fx.touched = append(fx.touched, t)
	}
	return nil
}

// takeWrite counts the cost of a write: the table's units times the factor, which is 2 in transactions, and the units of
// the entries of indexes. Local indexes use the throughput of the table.
func (a *allowance) takeWrite(w *action, fx *effect, times float64) {
	if a == nil || w.free() {
		return
	}
	a.take(nil, true, w.storeKey, times*fx.meter.table)
	for _, u := range fx.meter.indexes {
		if u.index.Local {
			a.take(nil, true, w.storeKey, u.units)
			continue
		}
		for _, t := range fx.touched {
			if t.index.Name != u.index.Name {
				continue
			}
			for _, key := range t.keys {
				a.take(t.index, true, key, u.units/float64(len(t.keys)))
			}
		}
	}
}

// takeRejected counts a write whose condition failed, which costs as much as a write of the stored item.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func (a *allowance) takeRejected(w *action, err error, old *storage.Item, times float64) {
	if a == nil || err == nil || w.free() || AsError(err).Type != ConditionalCheckFailedException {
		return
	}
	a.take(nil, true, w.storeKey, times*writeCost(sizeOf(old)))
}

// page admits a page of a Query or Scan by the partition where it begins, and counts it in the partitions of its items, by their sizes. An
// empty page counts in the partition where it began.
func (a *allowance) page(x *Index, p *page, units float64) error {
	if a == nil {
		return nil
	}
	a.lock()
	defer a.unlock()
	at := p.begin
	if len(p.keys) > 0 {
		at = p.keys[0]
	}
	if err := a.check(x, false, at); err != nil {
		return err
	}
	if p.size == 0 || len(p.items) == 0 {
		a.take(x, false, p.begin, units)
		return nil
	}
	for i, item := range p.items {
		a.take(x, false, p.keys[i], units*float64(item.Size)/float64(p.size))
	}
	return nil
}
