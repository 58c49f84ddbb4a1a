// SPDX-License-Identifier: Apache-2.0

package storage

// Range is a range of keys: from Low inclusive to High exclusive. An empty
// High means no end.
type Range struct {
	Low, High string
	// After, if it is not empty, is the key after which the walk starts, in the direction
	// of the walk. It need not be in the set.
	After string
	// Reverse walks from the highest key to the lowest.
	Reverse bool
}

// Walk calls visit for the items in r, in key order, until visit returns
// false. It holds the read lock of one partition at a time, so visit must be
// quick and must not call the set.
func (s *Set) Walk(r Range, visit func(key string, item *Item) bool) {
	if r.After != "" {
		if r.Reverse {
			if r.High == "" || r.After < r.High {
				r.High = r.After
			}
		} else if r.After >= r.Low {
			r.Low = r.After + "\x00"
		}
	}
	first, last := PartitionOf(r.Low), len(s.partitions)-1
	if r.High != "" {
		last = PartitionOf(r.High)
	}
	if r.Reverse {
		for i := last; i >= first; i-- {
			if !s.partitions[i].descend(r, visit) {
				return
			}
		}
		return
	}
	for i := first; i <= last; i++ {
		if !s.partitions[i].ascend(r, visit) {
			return
		}
	}
}

func (p *Partition) ascend(r Range, visit func(string, *Item) bool) (more bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.items == nil {
		return true
	}
	more = true
	p.items.Ascend(r.Low, func(key string, item *Item) bool {
		if r.High != "" && key >= r.High {
			more = false
			return false
		}
		more = visit(key, item)
		return more
	})
	return more
}

func (p *Partition) descend(r Range, visit func(string, *Item) bool) (more bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.items == nil {
		return true
	}
	more = true
	step := func(key string, item *Item) bool {
		if r.High != "" && key >= r.High {
			return true
		}
		if key < r.Low {
			more = false
			return false
		}
		more = visit(key, item)
		return more
	}
	if r.High == "" {
		p.items.Reverse(step)
	} else {
		p.items.Descend(r.High, step)
	}
	return more
}

// PrefixEnd returns the lowest key above all keys that begin with prefix, or
// "" if there is none.
func PrefixEnd(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := []byte(prefix[:i+1])
			end[i]++
			return string(end)
		}
	}
	return ""
}
