package engine

import (
	"context"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/storage"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// merge reads several partitions as one, in the order of the sort key. Items
// with equal sort keys come in the order of the partitions.
type merge struct {
	searches []*search
	limit    int64 // of a page; positive
}

// mergedItem is an item that a merge has read.
type mergedItem struct {
	stored    *storage.Item
	item      value.Item
	partition int
}

// page reads the page that follows at, and moves at to its end. It reports
// whether there is more.
func (g *merge) page(ctx context.Context, e *Engine, at *nextToken, m *meter) (out *SearchOutput, more bool, err error) {
	items, more, err := g.read(ctx, e, at)
	if err != nil {
		return nil, false, err
	}
	out = &SearchOutput{ScannedCount: len(items)}
	if err := g.collect(items, out, m); err != nil {
		return nil, false, err
	}
	if more {
		last := items[len(items)-1]
		out.LastEvaluatedKey = value.AppendItem(nil, g.searches[0].position(last.item))
		at.Partition, at.Key = last.partition, out.LastEvaluatedKey
	}
	return out, more, nil
}

// read reads as much of every partition as the page can take and keeps what
// comes first.
func (g *merge) read(ctx context.Context, e *Engine, at *nextToken) (items []mergedItem, more bool, err error) {
	first := g.searches[0]
	access := Access{Operation: first.operation, Kind: AccessRead, Table: first.table}
	set := first.table.items
	if first.index != nil {
		access.Index, set = first.index.Name, first.index.entries
	}
	ends := make(map[*storage.Item]struct{}) // where a partition was left although it has more
	for i, s := range g.searches {
		if err := e.admit(ctx, access); err != nil {
			return nil, false, err
		}
		one, in := *s, *s.in
		in.Limit = &g.limit
		one.in = &in
		if err := one.resume(i, at); err != nil {
			return nil, false, err
		}
		p := one.read(set)
		for _, stored := range p.items {
			item, err := decodeStored(stored)
			if err != nil {
				return nil, false, err
			}
			items = append(items, mergedItem{stored, item, i})
		}
		if p.more {
			ends[p.items[len(p.items)-1]] = struct{}{}
		}
	}
	slices.SortStableFunc(items, first.compareRange)
	end := slices.IndexFunc(items, func(it mergedItem) bool {
		_, ok := ends[it.stored]
		return ok
	})
	if end >= 0 {
		items, more = items[:end+1], true
	}
	if int64(len(items)) > g.limit {
		items, more = items[:g.limit], true
	}
	return items, more, nil
}

// resume narrows the bounds of partition i to what follows at.
func (s *search) resume(i int, at *nextToken) error {
	if at.Key == nil {
		return nil
	}
	last, err := value.DecodeItem(at.Key)
	if err != nil || s.checkStart(last) != nil {
		return errToken
	}
	if i == at.Partition {
		s.in.ExclusiveStartKey = Given(last)
		return s.bindStart()
	}
	prefix := []byte(s.partition)
	for _, a := range s.key.Range {
		prefix = value.AppendKey(prefix, last[a.Name])
	}
	bound := string(prefix)
	if past := i < at.Partition; past != s.reverse {
		bound = storage.PrefixEnd(bound)
	}
	if s.reverse {
		if s.bounds.High == "" || bound < s.bounds.High {
			s.bounds.High = bound
		}
	} else {
		s.bounds.Low = max(s.bounds.Low, bound)
	}
	return nil
}

// compareRange compares the sort keys of two items in the order of the search.
func (s *search) compareRange(a, b mergedItem) int {
	for _, k := range s.key.Range {
		order, _ := value.Compare(a.item[k.Name], b.item[k.Name])
		if order == 0 {
			continue
		}
		if s.reverse {
			return -order
		}
		return order
	}
	return 0
}

// collect counts the units of every partition, then filters and projects the
// items.
func (g *merge) collect(items []mergedItem, out *SearchOutput, m *meter) error {
	s := g.searches[0]
	consistent := s.in.ConsistentRead != nil && *s.in.ConsistentRead
	sizes, stored := make([]int, len(g.searches)), make([]*storage.Item, len(items))
	for i, it := range items {
		sizes[it.partition] += it.stored.Size
		stored[i] = it.stored
	}
	for _, size := range sizes {
		if s.index != nil {
			m.addIndex(s.index, readCost(size, consistent))
		} else {
			m.addTable(readCost(size, consistent))
		}
	}
	if s.fetch {
		if err := s.fetchItems(stored, m, consistent); err != nil {
			return err
		}
	}
	return s.collect(stored, out)
}
