// SPDX-License-Identifier: Apache-2.0

// Package storage keeps the items of a table, or the entries of one of its
// indexes, in key order.
//
// A [Set] is split by the hash of the partition key into partitions, each with
// its own lock, as the service splits a table. A key is the hash of the
// partition key followed by order-preserving key bytes, so the items of one partition key
// are adjacent and sorted within one partition. Items are immutable once
// stored: a read holds a lock only while it collects pointers.
//
// The package does not deal with attribute names, validation or the wire format.
package storage

import (
	"sync"
	"sync/atomic"

	"github.com/tidwall/btree"
)

// partitionBits is the number of leading hash bits that select a partition.
const partitionBits = 6

// Item is a stored item, or its projection in an index. It must not be
// changed once it is stored.
type Item struct {
	// Image is the item in wire form.
	Image []byte
	// Size is the size of the item in bytes by the service's rules.
	Size int
}

// Set is an ordered set of items. Its methods are safe for concurrent use
// except where they require a held lock.
type Set struct {
	partitions [1 << partitionBits]Partition
	count      atomic.Int64
	bytes      atomic.Int64
}

// Partition is the part of a set whose keys begin with the same hash bits.
type Partition struct {
	set *Set
	mu  sync.RWMutex
	// items is made by the first write.
	items tree
	// marks holds the keys that a transaction in progress writes.
	marks map[string]struct{}
}

// tree is what this package uses of a [btree.Map]. A package that imports ddbtest compiles the methods of each
// generic type that it reaches through the fields of structs. Through an interface it reaches none.
type tree interface {
	Len() int
	Get(key string) (*Item, bool)
	Set(key string, item *Item) (*Item, bool)
	// Load is Set for keys in ascending order.
	Load(key string, item *Item) (*Item, bool)
	Delete(key string) (*Item, bool)
	Clear()
	Scan(visit func(key string, item *Item) bool)
	Ascend(low string, visit func(key string, item *Item) bool)
	Reverse(visit func(key string, item *Item) bool)
	Descend(high string, visit func(key string, item *Item) bool)
}

func newTree() tree { return new(btree.Map[string, *Item]) }

// NewSet returns an empty set.
func NewSet() *Set {
	s := new(Set)
	for i := range s.partitions {
		s.partitions[i].set = s
	}
	return s
}

// Len returns the number of items.
func (s *Set) Len() int64 { return s.count.Load() }

// Bytes returns the sum of the sizes of the items.
func (s *Set) Bytes() int64 { return s.bytes.Load() }

// Partition returns the partition that holds key.
func (s *Set) Partition(key string) *Partition {
	return &s.partitions[PartitionOf(key)]
}

// PartitionOf returns the number of the partition that holds key in any set.
func PartitionOf(key string) int {
	if key == "" {
		return 0
	}
	return int(key[0] >> (8 - partitionBits))
}

// Get returns the item with the key, or nil.
func (s *Set) Get(key string) *Item {
	p := s.Partition(key)
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.Get(key)
}

// Put stores item under key and returns what was stored there before, or nil.
func (s *Set) Put(key string, item *Item) *Item {
	p := s.Partition(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Put(key, item)
}

// Delete removes the item with the key and returns it, or nil.
func (s *Set) Delete(key string) *Item {
	p := s.Partition(key)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.Delete(key)
}

// Lock locks the partition for writing.
func (p *Partition) Lock() { p.mu.Lock() }

// Unlock unlocks the partition for writing.
func (p *Partition) Unlock() { p.mu.Unlock() }

// RLock locks the partition for reading.
func (p *Partition) RLock() { p.mu.RLock() }

// RUnlock unlocks the partition for reading.
func (p *Partition) RUnlock() { p.mu.RUnlock() }

// Get returns the item with the key, or nil. The caller holds a lock.
func (p *Partition) Get(key string) *Item {
	if p.items == nil {
		return nil
	}
	item, _ := p.items.Get(key)
	return item
}

// Put stores item under key and returns what was stored there before, or nil.
// The caller holds the write lock.
func (p *Partition) Put(key string, item *Item) *Item {
	if p.items == nil {
		p.items = newTree()
	}
	old, replaced := p.items.Set(key, item)
	if replaced {
		p.set.bytes.Add(int64(item.Size - old.Size))
		return old
	}
	p.set.count.Add(1)
	p.set.bytes.Add(int64(item.Size))
	return nil
}

// Delete removes the item with the key and returns it, or nil. The caller
// holds the write lock.
func (p *Partition) Delete(key string) *Item {
	if p.items == nil {
		return nil
	}
	old, found := p.items.Delete(key)
	if !found {
		return nil
	}
	p.set.count.Add(-1)
	p.set.bytes.Add(-int64(old.Size))
	return old
}

// Mark records that a transaction in progress writes key. It returns false, and
// records nothing, if another transaction writes it already. The caller holds the
// write lock.
func (p *Partition) Mark(key string) bool {
	if _, taken := p.marks[key]; taken {
		return false
	}
	if p.marks == nil {
		p.marks = make(map[string]struct{})
	}
	p.marks[key] = struct{}{}
	return true
}

// Unmark undoes Mark. The caller holds the write lock.
func (p *Partition) Unmark(key string) { delete(p.marks, key) }

// Marked reports whether a transaction in progress writes key. The caller
// holds a lock.
func (p *Partition) Marked(key string) bool {
	if len(p.marks) == 0 {
		return false
	}
	_, marked := p.marks[key]
	return marked
}

// LockAll locks every partition for writing, in order.
func (s *Set) LockAll() {
	for i := range s.partitions {
		s.partitions[i].mu.Lock()
	}
}

// UnlockAll unlocks every partition.
func (s *Set) UnlockAll() {
	for i := range s.partitions {
		s.partitions[i].mu.Unlock()
	}
}
