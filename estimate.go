package ddb

import (
	"fmt"
	"math"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// Range is an amount of capacity units between two bounds, both included.
type Range struct{ Min, Max float64 }

// Contains reports whether an amount lies in the range.
func (r Range) Contains(units float64) bool {
	const exact = 1e-9
	return units >= r.Min-exact && units <= r.Max+exact
}

func (r Range) String() string {
	if r.Min == r.Max {
		return fmt.Sprintf("%g", r.Min)
	}
	return fmt.Sprintf("%g to %g", r.Min, r.Max)
}

func (r Range) plus(o Range) Range { return Range{r.Min + o.Min, r.Max + o.Max} }

func (r Range) times(f float64) Range { return Range{r.Min * f, r.Max * f} }

// Estimate is what one request is expected to cost, if it succeeds.
type Estimate struct{ Read, Write Range }

// Contains reports whether what a request has cost is what was expected.
func (e Estimate) Contains(c Consumed) bool {
	return e.Read.Contains(c.ReadUnits) && e.Write.Contains(c.WriteUnits)
}

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
		s.observe(n, consumedOf(false, *cc).ReadUnits/readFactor(consistent, false), readBlock)
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
		s.observe(n, partsOf(true, ccs[0])[0].units.WriteUnits, writeBlock)
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
func (s *requestInfo) estimate(c *core) Estimate {
	switch {
	case s.actions != nil:
		var e Estimate
		for i := range s.actions {
			e = e.plus(s.actions[i].estimate(s.write))
		}
		return e
	case s.read != nil:
		return Estimate{Read: s.pageEstimate(c)}
	case s.entries != nil:
		var e Estimate
		for _, entry := range s.entries {
			switch {
			case !s.write:
				e.Read = e.Read.plus(c.readEstimate(s.consistent, false))
			case entry.del:
				e.Write = e.Write.plus(c.writeEstimate("Delete", nil))
			default:
				e.Write = e.Write.plus(c.writeEstimate("Put", entry.data))
			}
		}
		return e
	case s.write:
		return Estimate{Write: c.writeEstimate(s.verb, s.item)}
	}
	return Estimate{Read: c.readEstimate(s.consistent, false)}
}

func (e Estimate) plus(o Estimate) Estimate {
	return Estimate{Read: e.Read.plus(o.Read), Write: e.Write.plus(o.Write)}
}

// estimate is what an operation of a transaction costs.
func (a *txAction) estimate(write bool) Estimate {
	if !write {
		return Estimate{Read: a.core.readEstimate(true, true)}
	}
	return Estimate{Write: a.core.writeEstimate(a.verb, a.item).times(2)}
}

// readEstimate is what reading one item by its key costs.
func (c *core) readEstimate(consistent, transaction bool) Range {
	return Range{1, blocksOf(c.sizes.largest(), readBlock)}.times(readFactor(consistent, transaction))
}

// pageEstimate is what a page of a query or scan costs.
func (s *requestInfo) pageEstimate(c *core) Range {
	most := c.sizesAt(s.index).largest()
	bytes := int64(pageBytes) + most
	if s.size > 0 {
		bytes = min(bytes, int64(s.size)*most)
	}
	return Range{1, blocksOf(bytes, readBlock)}.times(readFactor(s.consistent, false))
}

// writeEstimate is what writing one item costs, its indexes included. item is nil
// where it is not known beforehand.
func (c *core) writeEstimate(verb string, item []byte) Range {
	w := c.tableWrite(verb, item)
	for _, x := range c.indexWrites(verb, item) {
		w = w.plus(x.Write)
	}
	return w
}

// tableWrite is what writing one item costs on the table alone.
func (c *core) tableWrite(verb string, item []byte) Range {
	most := c.sizes.largest()
	if item == nil {
		return Range{1, blocksOf(most, writeBlock)}
	}
	size, err := codec.ItemSize(item)
	if err != nil {
		return Range{1, blocksOf(MaxItemSize, writeBlock)}
	}
	least := blocksOf(int64(size), writeBlock)
	if verb == "Create" { // there is no old item
		return Range{least, least}
	}
	return Range{least, max(least, blocksOf(most, writeBlock))}
}

// IndexCost is what a write costs on one index.
type IndexCost struct {
	Index string
	Write Range
}

// indexWrites are what writing one item costs on each index: nothing where the entry
// does not change, one write where it does, two where it moves to another key.
func (c *core) indexWrites(verb string, item []byte) []IndexCost {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.indexes) == 0 {
		return nil
	}
	once := c.tableWrite(verb, item).Max
	if verb != "Create" && verb != "Delete" {
		once *= 2
	}
	if verb == "Check" {
		once = 0
	}
	costs := make([]IndexCost, len(c.indexes))
	for i, x := range c.indexes {
		costs[i] = IndexCost{x.name, Range{0, once}}
	}
	return costs
}

// spending is what the request costs at least.
func (s *requestInfo) spending(e Estimate) spending {
	n := s.inputs()
	if s.read != nil {
		n = s.size
	}
	return spending{
		read: int64(math.Floor(e.Read.Min * micro)), write: int64(math.Floor(e.Write.Min * micro)),
		items: int64(n), requests: 1,
	}
}
