// SPDX-License-Identifier: Apache-2.0

package storage

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// Change is an item to store under a key, or nil to remove the item with the key.
type Change struct {
	Key  string
	Item *Item
}

// Apply makes many changes at once, in a fraction of the time of as many calls of Put and Delete. Of
// several changes of one key the last one counts. Apply reorders the slice.
func (s *Set) Apply(changes []Change) {
	sorted := make([]sortable, len(changes))
	for i, c := range changes {
		var first [8]byte
		copy(first[:], c.Key)
		sorted[i] = sortable{binary.BigEndian.Uint64(first[:]), i}
	}
	slices.SortFunc(sorted, func(a, b sortable) int {
		if a.first != b.first { // most keys begin with a hash
			return cmp.Compare(a.first, b.first)
		}
		return cmp.Or(strings.Compare(changes[a.at].Key, changes[b.at].Key), cmp.Compare(a.at, b.at))
	})
	for i := 0; i < len(sorted); {
		p := s.Partition(changes[sorted[i].at].Key)
		p.mu.Lock()
		fresh := p.items == nil || p.items.Len() == 0
		for ; i < len(sorted); i++ {
			c := &changes[sorted[i].at]
			if s.Partition(c.Key) != p {
				break
			}
			if i+1 < len(sorted) && changes[sorted[i+1].at].Key == c.Key {
				continue // a later change follows
			}
			switch {
			case c.Item == nil:
				p.Delete(c.Key)
			case fresh:
				p.last(c.Key, c.Item)
			default:
				p.Put(c.Key, c.Item)
			}
		}
		p.mu.Unlock()
	}
}

// sortable is a change for sorting: the beginning of its key, and its index.
type sortable struct {
	first uint64
	at    int
}

// last stores item under a key above all others. The caller holds the write lock.
func (p *Partition) last(key string, item *Item) {
	if p.items == nil {
		p.items = newTree()
	}
	p.items.Load(key, item)
	p.set.count.Add(1)
	p.set.bytes.Add(int64(item.Size))
}

// Clear removes all items.
func (s *Set) Clear() {
	for i := range s.partitions {
		p := &s.partitions[i]
		p.mu.Lock()
		if p.items != nil {
			p.items.Scan(func(_ string, item *Item) bool {
				s.count.Add(-1)
				s.bytes.Add(-int64(item.Size))
				return true
			})
			p.items.Clear()
		}
		p.mu.Unlock()
	}
}
