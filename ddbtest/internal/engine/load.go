// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"maps"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Loader stores the items that an engine had before. It validates only their keys, because the items were valid when they
// were written. It calls no hooks and builds the indexes at the end. Nothing else may use the engine meanwhile, apart
// from operations on tables between Flush and the next item.
type Loader struct {
	engine *Engine
	tables map[*Table]*loading
	last   *loading // most items are of the same table as the one before
	item   value.Item
}

// loading is a table that is being loaded.
type loading struct {
	table   *Table
	keys    []string // attributes of the table's key
	changes []storage.Change
}

// Loader returns a loader for the engine.
func (e *Engine) Loader() *Loader {
	return &Loader{engine: e, tables: make(map[*Table]*loading), item: make(value.Item)}
}

// Put stores an item unchanged: its image, and its size, or 0 if that is not known. It reports whether the
// table exists.
func (l *Loader) Put(table string, image []byte, size int) (found bool, err error) {
	t := l.of(table)
	if t == nil {
		return false, nil
	}
	if size == 0 { // it may have been written by an engine with another format
		item, err := value.DecodeItem(image)
		if err != nil {
			return true, err
		}
		stored := newStored(item)
		image, size = stored.Image, stored.Size
	}
	return true, l.add(t, image, &storage.Item{Image: image, Size: size})
}

// Delete removes the item with a key. It reports whether the table exists.
func (l *Loader) Delete(table string, key []byte) (found bool, err error) {
	t := l.of(table)
	if t == nil {
		return false, nil
	}
	return true, l.add(t, key, nil)
}

// of returns the table with a name, or nil.
func (l *Loader) of(name string) *loading {
	if l.last != nil && l.last.table.name == name {
		return l.last
	}
	table := l.engine.lookup(name)
	if table == nil {
		return nil
	}
	t := l.tables[table]
	if t == nil {
		t = &loading{table: table, keys: table.Schema().Key.names(nil)}
		l.tables[table] = t
	}
	l.last = t
	return t
}

// names appends the attributes of a key that are not in the list yet.
func (k *KeySchema) names(names []string) []string {
	k.Each(func(a KeyAttribute, _ bool) bool {
		if !slices.Contains(names, a.Name) {
			names = append(names, a.Name)
		}
		return true
	})
	return names
}

// add records a change of the item whose key is in text.
func (l *Loader) add(t *loading, text []byte, item *storage.Item) error {
	clear(l.item)
	if _, err := value.Pick(l.item, text, t.keys); err != nil {
		return err
	}
	schema := t.table.Schema()
	if err := schema.checkItemKey(l.item); err != nil {
		return err
	}
	t.changes = append(t.changes, storage.Change{Key: schema.Key.storageKey(l.item), Item: item})
	// Applying few changes at a time is slow, and keeping many retains deleted items.
	const few = 1 << 17
	if len(t.changes) > max(few, 2*int(t.table.items.Len())) {
		t.flush()
	}
	return nil
}

func (t *loading) flush() {
	t.table.items.Apply(t.changes)
	clear(t.changes)
	t.changes = t.changes[:0]
}

// Flush makes the changes recorded so far visible to operations on tables.
func (l *Loader) Flush() {
	for _, t := range l.tables {
		t.flush()
	}
	clear(l.tables) // the next operation may delete one of them, or make one with the same name
	l.last = nil
}

// Drop removes a table, with the items recorded so far.
func (l *Loader) Drop(name string) {
	l.Flush()
	e := l.engine
	if t := e.lookup(name); t != nil {
		e.mu.Lock()
		delete(e.tables, t.name)
		e.mu.Unlock()
		e.tableChanged(t, TableDeleted)
	}
}

// Finish ends the loading of the tables: it builds their indexes.
func (l *Loader) Finish() error {
	l.Flush()
	for _, t := range l.engine.Tables() {
		if err := l.index(t); err != nil {
			return err
		}
	}
	return nil
}

// index builds the indexes of a table, and computes the sizes of its item collections.
func (l *Loader) index(t *Table) error {
	schema := t.Schema()
	var err error
	for _, x := range schema.Indexes {
		if x.isDeleting() {
			continue
		}
		names := x.Key.names(schema.Key.names(slices.Sorted(maps.Keys(x.projected))))
		changes := make([]storage.Change, 0, t.items.Len())
		t.items.Walk(storage.Range{}, func(_ string, stored *storage.Item) bool {
			clear(l.item)
			var others bool
			if others, err = value.Pick(l.item, stored.Image, names); err != nil {
				return false
			}
			key, has := x.indexKey(&schema.Key, l.item)
			if !has {
				return true
			}
			entry := stored
			if x.projected != nil && others {
				entry = newStored(l.item)
			}
			changes = append(changes, storage.Change{Key: key, Item: entry})
			if x.Local {
				t.collections.add(schema.Key.collectionKey(l.item), entry.Size)
			}
			return true
		})
		if err != nil {
			return err
		}
		x.entries.Clear()
		x.entries.Apply(changes)
	}
	if t.collections == nil {
		return nil
	}
	t.items.Walk(storage.Range{}, func(_ string, stored *storage.Item) bool {
		clear(l.item)
		if _, err = value.Pick(l.item, stored.Image, schema.Key.names(nil)); err != nil {
			return false
		}
		t.collections.add(schema.Key.collectionKey(l.item), stored.Size)
		return true
	})
	return err
}

// Len returns the number of items.
func (t *Table) Len() int64 { return t.items.Len() }
