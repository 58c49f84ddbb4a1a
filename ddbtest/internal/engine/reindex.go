// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// reindex updates one index after a change of an item, and counts the capacity:
// one write for an entry that is added, removed or changed in place, two
// for one that moves, none if no projected attribute has changed. It
// returns by how many bytes the index has grown.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
func (a *action) reindex(x *Index, fx *effect) (grown int) {
	oldKey, newKey, had, has := a.entryKeys(x, fx)
	switch {
	case !had && !has:
	case !had:
		entry := x.entry(fx.new, fx.newItem)
		x.entries.Put(newKey, entry)
		fx.meter.addIndex(x, writeCost(entry.Size))
		grown = entry.Size
	case !has:
		old := x.entries.Delete(oldKey)
		if old != nil {
			fx.meter.addIndex(x, writeCost(old.Size))
			grown = -old.Size
		}
	case oldKey != newKey:
		old := x.entries.Delete(oldKey)
		entry := x.entry(fx.new, fx.newItem)
		x.entries.Put(newKey, entry)
		grown = entry.Size
		units := writeCost(entry.Size)
		if old != nil {
			grown -= old.Size
			units += writeCost(old.Size)
		}
		fx.meter.addIndex(x, units)
	default:
		if x.projected != nil && value.EqualItems(x.project(fx.oldItem), x.project(fx.newItem)) {
			return 0
		}
		entry := x.entry(fx.new, fx.newItem)
		old := x.entries.Put(newKey, entry)
		oldSize := 0
		if old != nil {
			oldSize = old.Size
		}
		grown = entry.Size - oldSize
		if x.projected == nil && value.EqualItems(fx.oldItem, fx.newItem) {
			return grown
		}
		fx.meter.addIndex(x, writeCost(max(oldSize, entry.Size)))
	}
	return grown
}

// entryKeys returns the storage keys of the entry before and after the change, if it exists.
func (a *action) entryKeys(x *Index, fx *effect) (oldKey, newKey string, had, has bool) {
	if fx.old != nil {
		oldKey, had = x.indexKey(&a.schema.Key, fx.oldItem)
	}
	if fx.new != nil {
		newKey, has = x.indexKey(&a.schema.Key, fx.newItem)
	}
	return oldKey, newKey, had, has
}

// entry returns what the index stores of an item.
func (x *Index) entry(stored *storage.Item, item value.Item) *storage.Item {
	if x.projected == nil {
		return stored
	}
	part := x.project(item)
	if len(part) == len(item) {
		return stored
	}
	return newStored(part)
}
