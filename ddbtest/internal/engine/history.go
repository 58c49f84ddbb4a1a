// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// history has the changes of a table since its point-in-time recovery was enabled, for exports. An engine without buckets keeps none.
type history struct {
	since time.Time

	mu      sync.Mutex
	dropped int       // how many versions at the beginning were too old
	changes []version // in the order of their times
}

// version is a change of an item.
type version struct {
	at       time.Time
	storeKey string
	key      value.Item
	old, new *storage.Item
}

// keepHistory begins the history of a table, or ends it. The caller holds mu of the table.
func (e *Engine) keepHistory(t *Table, keep bool) {
	if e.buckets == "" {
		return
	}
	t.items.LockAll() // no write is in progress
	defer t.items.UnlockAll()
	t.history.Store(nil)
	if keep {
		t.history.Store(&history{since: e.clock.Now()})
	}
}

// RestartHistory says that the items of all tables were loaded and not written: what they were before is not known.
func (e *Engine) RestartHistory() {
	for _, t := range e.Tables() {
		t.mu.Lock()
		e.keepHistory(t, t.settings.recovery.enabled)
		t.mu.Unlock()
	}
}

// add notes a change. The caller holds the lock of the item's partition.
func (h *history) add(at time.Time, a *action, fx *effect) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if n := len(h.changes); n > 0 && at.Before(h.changes[n-1].at) {
		at = h.changes[n-1].at // another item's change has overtaken it
	}
	h.changes = append(h.changes, version{at: at, storeKey: a.storeKey, key: a.key, old: fx.old, new: fx.new})
}

// forget drops what is older than any export may be.
func (h *history) forget(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.after(now.AddDate(0, 0, -maxRecoveryDays).Add(-time.Nanosecond))
	h.changes, h.dropped = slices.Clone(h.changes[n:]), h.dropped+n
}

// after is the index of the first change after a time. The caller holds mu.
func (h *history) after(t time.Time) int {
	n, _ := slices.BinarySearchFunc(h.changes, t, func(v version, t time.Time) int {
		if v.at.After(t) {
			return 1
		}
		return -1
	})
	return n
}

// stored is an item and its place.
type stored struct {
	storeKey string
	item     *storage.Item
}

// itemsAt returns the items that a table had after all changes up to a time, in the order of their places.
func (t *Table) itemsAt(h *history, at time.Time) []stored {
	t.items.LockAll() // so that it falls between two writes, of a transaction too
	h.mu.Lock()
	from := h.after(at) + h.dropped
	h.mu.Unlock()
	t.items.UnlockAll()
	var list []stored
	t.items.Walk(storage.Range{}, func(key string, item *storage.Item) bool {
		list = append(list, stored{key, item})
		return true
	})
	// What has changed since is as it was before its first change, whether the walk has met it before or after.
	h.mu.Lock()
	later := h.changes[max(0, from-h.dropped):]
	h.mu.Unlock()
	before := make(map[string]*storage.Item)
	for _, v := range later {
		if _, seen := before[v.storeKey]; !seen {
			before[v.storeKey] = v.old
		}
	}
	list = slices.DeleteFunc(list, func(s stored) bool { _, changed := before[s.storeKey]; return changed })
	for key, item := range before {
		if item != nil {
			list = append(list, stored{key, item})
		}
	}
	slices.SortFunc(list, func(a, b stored) int { return strings.Compare(a.storeKey, b.storeKey) })
	return list
}

// changesIn returns the changes from a time, inclusive, to another, exclusive: one for each item, from what it was before its first to what it was after
// its last, in the order of their places. An item that was made and deleted again is left out.
func (h *history) changesIn(from, to time.Time) []version {
	h.mu.Lock()
	defer h.mu.Unlock()
	byKey := make(map[string]version)
	for _, v := range h.changes[h.after(from.Add(-time.Nanosecond)):h.after(to.Add(-time.Nanosecond))] {
		if first, seen := byKey[v.storeKey]; seen {
			v.old = first.old
		}
		byKey[v.storeKey] = v
	}
	list := make([]version, 0, len(byKey))
	for _, v := range byKey {
		if v.old != nil || v.new != nil {
			list = append(list, v)
		}
	}
	slices.SortFunc(list, func(a, b version) int { return strings.Compare(a.storeKey, b.storeKey) })
	return list
}
