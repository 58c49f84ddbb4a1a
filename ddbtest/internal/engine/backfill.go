// SPDX-License-Identifier: Apache-2.0

package engine

import "github.com/dynamotable/ddb/ddbtest/internal/storage"

// backfill adds the existing items of a table to a new index. Writes
// maintain the index meanwhile; reads of the index are refused until it is
// complete.
func (t *Table) backfill(x *Index) {
	defer x.filling.Store(false)
	schema := t.Schema()
	t.items.Walk(storage.Range{}, func(_ string, stored *storage.Item) bool {
		item, err := decodeStored(stored)
		if err != nil {
			return true // cannot happen: only valid items are stored
		}
		if key, ok := x.indexKey(&schema.Key, item); ok {
			x.entries.Put(key, x.entry(stored, item))
		}
		return true
	})
}
