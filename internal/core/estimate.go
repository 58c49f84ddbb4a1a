// SPDX-License-Identifier: Apache-2.0

package core

import (
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/codec"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/replykey"
)

// readUnits returns what a read cost; cc may be nil.
func readUnits(cc *types.ConsumedCapacity) float64 {
	if cc == nil {
		return 0
	}
	return cost.ConsumedOf(false, *cc).ReadUnits
}

// observeBatch learns from a batch of n items.
func (c *Table) observeBatch(write bool, ccs []types.ConsumedCapacity, n int, consistent bool) {
	switch {
	case len(ccs) != 1 || n < 1:
	case write:
		c.sizes.Observe(n, cost.PartsOf(true, ccs[0])[0].Units.WriteUnits, itemsize.WriteBlock)
	default:
		c.sizes.Read(n, readUnits(&ccs[0]), consistent)
	}
}

// sizesAt returns the sizes seen on an index or, as long as there are none, on its table.
func (c *Table) sizesAt(index *IndexInfo) *itemsize.Sizes {
	if index != nil && index.sizes.Any() {
		return &index.sizes
	}
	return &c.sizes
}

// estimate returns what a request costs if it succeeds; whole is the cost of a batch of which nothing is left unprocessed.
func (s *requestInfo) estimate(c *Table) (e, whole cost.Estimate) {
	switch {
	case s.search: // a vector search costs no units
	case s.actions != nil:
		for i := range s.actions {
			a := &s.actions[i]
			e = e.Plus(a.estimate(s.write))
			if s.write {
				e.Repeated = e.Repeated.Plus(a.core.readEstimate(true, true))
			}
		}
	case s.read != nil:
		e.Read = s.pageEstimate(c)
	case s.entries != nil:
		return s.batchEstimate(c)
	case s.write:
		e.Write = c.writeEstimate(s.verb, s.item)
	default:
		e.Read = c.readEstimate(s.consistent, false)
	}
	return e, e
}

// batchEstimate returns what a batch costs: the lower end of e is the cost of the cheapest item, since that may be all that
// is processed.
func (s *requestInfo) batchEstimate(c *Table) (e, whole cost.Estimate) {
	if !s.write {
		one := c.readEstimate(s.consistent, false)
		whole.Read = one.Times(float64(len(s.entries)))
		e = whole
		e.Read.Min = one.Min
		return e, whole
	}
	least := math.Inf(1)
	for _, entry := range s.entries {
		verb, item := "Put", entry.data
		if entry.del {
			verb, item = "Delete", nil
		}
		one := c.writeEstimate(verb, item)
		whole.Write = whole.Write.Plus(one)
		least = min(least, one.Min)
	}
	e = whole
	e.Write.Min = least
	return e, whole
}

// estimate returns what an operation of a transaction costs.
func (a *txAction) estimate(write bool) cost.Estimate {
	if !write {
		return cost.Estimate{Read: a.core.readEstimate(true, true)}
	}
	w := a.core.tableWrite(a.verb, a.item).Times(2)
	for _, x := range a.core.indexWrites(a.verb, a.item) {
		w = w.Plus(x.Write) // the index follows the table, as after any write
	}
	return cost.Estimate{Write: w}
}

// readEstimate returns what reading one item by its key costs.
func (c *Table) readEstimate(consistent, transaction bool) cost.Range {
	return cost.Range{Min: 1, Max: itemsize.Blocks(c.sizes.Largest(), itemsize.ReadBlock)}.Times(itemsize.ReadFactor(consistent, transaction))
}

// pageEstimate returns what a page of a query or scan costs.
func (s *requestInfo) pageEstimate(c *Table) cost.Range {
	most := c.sizesAt(s.index).Largest()
	bytes := int64(itemsize.PageBytes) + most
	if s.size > 0 {
		bytes = min(bytes, int64(s.size)*most)
	}
	page := cost.Range{Min: 1, Max: itemsize.Blocks(bytes, itemsize.ReadBlock)}.Times(itemsize.ReadFactor(s.consistent, false))
	if s.read.fetches() {
		page.Max += float64(s.fetched(c)) * c.readEstimate(s.consistent, false).Max
	}
	return page
}

// fetched returns how many items a page of a local index reads from the table at most; without a limit it is estimated from
// the average size of entries.
func (s *requestInfo) fetched(c *Table) int64 {
	if s.size > 0 {
		return int64(s.size)
	}
	if size, ok := c.sizeOf(s.index); ok {
		return size.Items + size.Items/4
	}
	average := int64(1 << 10)
	if n, each := s.index.sizes.Seen(); n > 0 {
		average = max(1, each)
	}
	return itemsize.PageBytes / average
}

// writeEstimate returns what writing one item costs, including its indexes. item is nil if it is not known beforehand.
func (c *Table) writeEstimate(verb string, item []byte) cost.Range {
	w := c.tableWrite(verb, item)
	for _, x := range c.indexWrites(verb, item) {
		w = w.Plus(x.Write)
	}
	return w
}

// tableWrite returns what writing one item costs on the table alone.
func (c *Table) tableWrite(verb string, item []byte) cost.Range {
	most := c.sizes.Largest()
	if item == nil {
		return cost.Range{Min: 1, Max: itemsize.Blocks(most, itemsize.WriteBlock)}
	}
	size, err := codec.ItemSize(item)
	if err != nil {
		return cost.Range{Min: 1, Max: itemsize.Blocks(itemsize.MaxItem, itemsize.WriteBlock)}
	}
	least := itemsize.Blocks(int64(size), itemsize.WriteBlock)
	if c.addsItem(verb) {
		return cost.Range{Min: least, Max: least}
	}
	return cost.Range{Min: least, Max: max(least, itemsize.Blocks(most, itemsize.WriteBlock))}
}

// addsItem reports whether a write succeeds only if it replaces no item; a Create can replace an expired one.
func (c *Table) addsItem(verb string) bool { return verb == "Create" && !c.hideExpired }

// indexWrites returns what writing one item costs on each index: nothing if the entry does not change, one write if it does,
// two if it moves to another key.
func (c *Table) indexWrites(verb string, item []byte) []cost.IndexCost {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.indexes) == 0 {
		return nil
	}
	once := c.tableWrite(verb, item).Max
	times := 1.0
	switch {
	case verb == "Check":
		times = 0
	case verb != "Delete" && !c.addsItem(verb): // there may be an old and a new entry
		times = 2
	}
	costs := make([]cost.IndexCost, len(c.indexes))
	for i, x := range c.indexes {
		costs[i] = cost.IndexCost{Index: x.name, Write: cost.Range{Min: 0, Max: min(once, c.entryBlocks(x, item)) * times}}
	}
	return costs
}

// entryBlocks returns the most units that are billed for the entry of an item on an index. item is nil if it is not known;
// its keys are then assumed to have at most 1 KB. What is already stored is assumed to be at most a quarter larger.
func (c *Table) entryBlocks(x *IndexInfo, item []byte) float64 {
	switch {
	case x.projection == types.ProjectionTypeAll:
		return math.Inf(1)
	case item == nil && x.projection == types.ProjectionTypeKeysOnly:
		return 1
	}
	names := slices.Concat(c.KeyNames, x.key.names(), x.include)
	slices.Sort(names)
	names = slices.Compact(names)
	if item == nil || len(names) > replykey.MaxAttributes {
		return math.Inf(1)
	}
	values, err := replykey.Find(item, names)
	if err != nil {
		return math.Inf(1)
	}
	size := 0
	for k, value := range values[:len(names)] {
		size += len(names[k]) + len(value)
	}
	return itemsize.Blocks(int64(size+size/4), itemsize.WriteBlock)
}

// least returns the least that the request costs; for a batch, if all of it is processed.
func (s *requestInfo) least(whole cost.Estimate) cost.Spent {
	n := s.inputs()
	if s.read != nil {
		n = s.size
	}
	return cost.Spent{ReadUnits: whole.Read.Min, WriteUnits: whole.Write.Min, Items: int64(n), Requests: 1}
}
