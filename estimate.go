// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"math"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/codec"
)

const (
	readBlock  = 4 << 10 // bytes of a read unit
	writeBlock = 1 << 10 // bytes of a write unit
	pageBytes  = 1 << 20 // after so many a Query or Scan ends its page
)

// itemSizes is what was observed of the sizes of the items of a table or index: no
// exact sizes, but bounds that follow from units, which cost nothing to observe.
type itemSizes struct{ seen, sum, most atomic.Int64 }

// observe notes that n items were billed as so many blocks together. What that says of
// their sizes counts only if it says more: an item read for half a unit has up to 4 KB, but one
// written for a unit has up to 1 KB.
func (s *itemSizes) observe(n int, blocks float64, block int64) {
	bytes := int64(blocks * float64(block))
	if n < 1 || bytes < 1 {
		return
	}
	least, high := (bytes-block)/int64(n), (bytes+int64(n)-1)/int64(n)
	for {
		most := s.most.Load()
		if most > 0 && least < most {
			high = min(high, most)
			break
		}
		if high <= most || s.most.CompareAndSwap(most, high) {
			break
		}
	}
	s.seen.Add(int64(n))
	s.sum.Add(int64(n) * high)
}

// observed notes what reading n items has cost; cc may be nil.
func (s *itemSizes) observed(cc *types.ConsumedCapacity, n int, consistent bool) {
	if cc != nil && n > 0 {
		s.observe(n, cost.ConsumedOf(false, *cc).ReadUnits/readFactor(consistent, false), readBlock)
	}
}

// observedBatch is observed for a batch of n items.
func (s *itemSizes) observedBatch(write bool, ccs []types.ConsumedCapacity, n int, consistent bool) {
	if len(ccs) != 1 {
		return
	}
	if !write {
		s.observed(&ccs[0], n, consistent)
		return
	}
	if n > 0 {
		s.observe(n, cost.PartsOf(true, ccs[0])[0].Units.WriteUnits, writeBlock)
	}
}

// readFactor is the price of 4 KB.
func readFactor(consistent, transaction bool) float64 {
	switch {
	case transaction:
		return 2
	case consistent:
		return 1
	}
	return 0.5
}

// largest is how many bytes an item has at most: as seen, with a quarter of room to
// grow, or as DynamoDB allows.
func (s *itemSizes) largest() int64 {
	most := s.most.Load()
	if most == 0 {
		return MaxItemSize
	}
	return min(MaxItemSize, most+most/4)
}

// sizesAt are those of an index or, while nothing of it was seen, of its table.
func (c *core) sizesAt(index *indexInfo) *itemSizes {
	if index != nil && index.sizes.seen.Load() > 0 {
		return &index.sizes
	}
	return &c.sizes
}

// blocks is how many units so many bytes are billed as, at least one.
func blocksOf(bytes int64, block int64) float64 {
	return float64(max(1, (bytes+block-1)/block))
}

// estimate is what a request costs if it succeeds.
func (s *requestInfo) estimate(c *core) cost.Estimate {
	switch {
	case s.actions != nil:
		var e cost.Estimate
		for i := range s.actions {
			a := &s.actions[i]
			e = e.Plus(a.estimate(s.write))
			if s.write {
				e.Repeated = e.Repeated.Plus(a.core.readEstimate(true, true))
			}
		}
		return e
	case s.read != nil:
		return cost.Estimate{Read: s.pageEstimate(c)}
	case s.entries != nil:
		e := s.processed(c)
		e.Read.Min, e.Write.Min = s.cheapest(c)
		return e
	case s.write:
		return cost.Estimate{Write: c.writeEstimate(s.verb, s.item)}
	}
	return cost.Estimate{Read: c.readEstimate(s.consistent, false)}
}

// processed is what a batch costs of which nothing is left unprocessed.
func (s *requestInfo) processed(c *core) (e cost.Estimate) {
	for _, entry := range s.entries {
		if !s.write {
			e.Read = e.Read.Plus(c.readEstimate(s.consistent, false))
			continue
		}
		e.Write = e.Write.Plus(c.entryWrite(entry))
	}
	return e
}

// entryWrite is what a write of a batch costs.
func (c *core) entryWrite(e *batchEntry) cost.Range {
	if e.del {
		return c.writeEstimate("Delete", nil)
	}
	return c.writeEstimate("Put", e.data)
}

// cheapest is what the cheapest item of a batch costs, which may be all that is processed.
func (s *requestInfo) cheapest(c *core) (read, write float64) {
	if !s.write {
		return readFactor(s.consistent, false), 0
	}
	write = math.Inf(1)
	for _, e := range s.entries {
		write = min(write, c.entryWrite(e).Min)
	}
	return 0, write
}

// estimate is what an operation of a transaction costs.
func (a *txAction) estimate(write bool) cost.Estimate {
	if !write {
		return cost.Estimate{Read: a.core.readEstimate(true, true)}
	}
	w := a.core.tableWrite(a.verb, a.item).Times(2)
	for _, x := range a.core.indexWrites(a.verb, a.item) {
		w = w.Plus(x.Write) // the index follows the table, as behind any write
	}
	return cost.Estimate{Write: w}
}

// readEstimate is what reading one item by its key costs.
func (c *core) readEstimate(consistent, transaction bool) cost.Range {
	return cost.Range{Min: 1, Max: blocksOf(c.sizes.largest(), readBlock)}.Times(readFactor(consistent, transaction))
}

// pageEstimate is what a page of a query or scan costs.
func (s *requestInfo) pageEstimate(c *core) cost.Range {
	most := c.sizesAt(s.index).largest()
	bytes := int64(pageBytes) + most
	if s.size > 0 {
		bytes = min(bytes, int64(s.size)*most)
	}
	page := cost.Range{Min: 1, Max: blocksOf(bytes, readBlock)}.Times(readFactor(s.consistent, false))
	if s.read.fetches() {
		page.Max += float64(s.fetched(c)) * c.readEstimate(s.consistent, false).Max
	}
	return page
}

// fetched is how many items a page of a local index takes from the table at most; without a limit that is taken from the average size of entries.
func (s *requestInfo) fetched(c *core) int64 {
	if s.size > 0 {
		return int64(s.size)
	}
	if size, ok := c.sizeOf(s.index); ok {
		return size.items + size.items/4
	}
	average := int64(1 << 10)
	if n := s.index.sizes.seen.Load(); n > 0 {
		average = max(1, s.index.sizes.sum.Load()/n)
	}
	return pageBytes / average
}

// writeEstimate is what writing one item costs, its indexes included. item is nil
// where it is not known beforehand.
func (c *core) writeEstimate(verb string, item []byte) cost.Range {
	w := c.tableWrite(verb, item)
	for _, x := range c.indexWrites(verb, item) {
		w = w.Plus(x.Write)
	}
	return w
}

// tableWrite is what writing one item costs on the table alone.
func (c *core) tableWrite(verb string, item []byte) cost.Range {
	most := c.sizes.largest()
	if item == nil {
		return cost.Range{Min: 1, Max: blocksOf(most, writeBlock)}
	}
	size, err := codec.ItemSize(item)
	if err != nil {
		return cost.Range{Min: 1, Max: blocksOf(MaxItemSize, writeBlock)}
	}
	least := blocksOf(int64(size), writeBlock)
	if verb == "Create" { // there is no old item
		return cost.Range{Min: least, Max: least}
	}
	return cost.Range{Min: least, Max: max(least, blocksOf(most, writeBlock))}
}

// indexWrites are what writing one item costs on each index: nothing where the entry
// does not change, one write where it does, two where it moves to another key.
func (c *core) indexWrites(verb string, item []byte) []cost.IndexCost {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.indexes) == 0 {
		return nil
	}
	once := c.tableWrite(verb, item).Max
	times := 1.0
	switch verb {
	case "Check":
		times = 0
	case "Create", "Delete":
	default:
		times = 2
	}
	costs := make([]cost.IndexCost, len(c.indexes))
	for i, x := range c.indexes {
		costs[i] = cost.IndexCost{Index: x.name, Write: cost.Range{Min: 0, Max: min(once, c.entryBlocks(x, item)) * times}}
	}
	return costs
}

// entryBlocks is how many units the entry of an item is billed as on an index at most; item is nil where it is not known. The
// keys of an item are taken to have at most 1 KB then. What is stored already is taken to be at most a quarter larger.
func (c *core) entryBlocks(x *indexInfo, item []byte) float64 {
	switch {
	case x.projection == types.ProjectionTypeAll:
		return math.Inf(1)
	case item == nil && x.projection == types.ProjectionTypeKeysOnly:
		return 1
	}
	names := slices.Concat(c.keyNames, x.key.names(), x.include)
	slices.Sort(names)
	names = slices.Compact(names)
	if item == nil || len(names) > maxKeyAttributes {
		return math.Inf(1)
	}
	v := valueScans.Get().(*valueScan) //nolint:forcetypeassert // the pool holds nothing else
	defer valueScans.Put(v)
	if v.find(item, names) != nil {
		return math.Inf(1)
	}
	size := 0
	for k, value := range v.values[:len(names)] {
		size += len(names[k]) + len(value)
	}
	return blocksOf(int64(size+size/4), writeBlock)
}

// least is what the request costs at least; a batch, if all of it is processed.
func (s *requestInfo) least(c *core, e cost.Estimate) cost.Spent {
	n := s.inputs()
	if s.entries != nil {
		e = s.processed(c)
	}
	if s.read != nil {
		n = s.size
	}
	return cost.Spent{ReadUnits: e.Read.Min, WriteUnits: e.Write.Min, Items: int64(n), Requests: 1}
}
