// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/codec"
)

// Range is an amount of capacity units between two bounds, both included. Max is infinite where nothing bounds it.
type Range struct{ Min, Max float64 }

// Contains reports whether an amount lies in the range.
func (r Range) Contains(units float64) bool {
	const exact = 1e-9
	return units >= r.Min-exact && units <= r.Max+exact
}

func (r Range) String() string {
	if math.IsInf(r.Max, 1) {
		return fmt.Sprintf("%g or more", r.Min)
	}
	if r.Min == r.Max {
		return fmt.Sprintf("%g", r.Min)
	}
	return fmt.Sprintf("%g to %g", r.Min, r.Max)
}

// MarshalJSON gives Min and Max; an infinite Max is null.
func (r Range) MarshalJSON() ([]byte, error) {
	if math.IsInf(r.Max, 1) {
		return fmt.Appendf(nil, `{"Min":%g,"Max":null}`, r.Min), nil
	}
	type plain Range
	return json.Marshal(plain(r)) //nolint:musttag // the names of the fields are the names of the members
}

func (r Range) plus(o Range) Range { return Range{r.Min + o.Min, r.Max + o.Max} }

func (r Range) times(f float64) Range { return Range{r.Min * f, r.Max * f} }

// Estimate is what one request, or a whole call, is expected to cost, if it succeeds. DynamoDB may leave a part of a batch
// unprocessed, and bills the rest alone: the lower end of one of its requests is that of the cheapest item.
type Estimate struct {
	Read, Write Range
	// Repeated is what a write transaction costs in read units, in place of Write, if it was done before: DynamoDB
	// bills a repeated token as a read of the items. The library repeats transactions whose reply was lost.
	// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
	Repeated Range
}

// Contains reports whether what a request has cost is what was expected.
func (e Estimate) Contains(c Consumed) bool {
	if e.Repeated.Max > 0 && c.WriteUnits == 0 && c.ReadUnits > 0 {
		return e.Repeated.Contains(c.ReadUnits)
	}
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
			a := &s.actions[i]
			e = e.plus(a.estimate(s.write))
			if s.write {
				e.Repeated = e.Repeated.plus(a.core.readEstimate(true, true))
			}
		}
		return e
	case s.read != nil:
		return Estimate{Read: s.pageEstimate(c)}
	case s.entries != nil:
		e := s.processed(c)
		e.Read.Min, e.Write.Min = s.cheapest(c)
		return e
	case s.write:
		return Estimate{Write: c.writeEstimate(s.verb, s.item)}
	}
	return Estimate{Read: c.readEstimate(s.consistent, false)}
}

// processed is what a batch costs of which nothing is left unprocessed.
func (s *requestInfo) processed(c *core) (e Estimate) {
	for _, entry := range s.entries {
		if !s.write {
			e.Read = e.Read.plus(c.readEstimate(s.consistent, false))
			continue
		}
		e.Write = e.Write.plus(c.entryWrite(entry))
	}
	return e
}

// entryWrite is what a write of a batch costs.
func (c *core) entryWrite(e *batchEntry) Range {
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

func (e Estimate) plus(o Estimate) Estimate {
	return Estimate{Read: e.Read.plus(o.Read), Write: e.Write.plus(o.Write), Repeated: e.Repeated.plus(o.Repeated)}
}

// estimate is what an operation of a transaction costs.
func (a *txAction) estimate(write bool) Estimate {
	if !write {
		return Estimate{Read: a.core.readEstimate(true, true)}
	}
	w := a.core.tableWrite(a.verb, a.item).times(2)
	for _, x := range a.core.indexWrites(a.verb, a.item) {
		w = w.plus(x.Write) // the index follows the table, as behind any write
	}
	return Estimate{Write: w}
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
	times := 1.0
	switch verb {
	case "Check":
		times = 0
	case "Create", "Delete":
	default:
		times = 2
	}
	costs := make([]IndexCost, len(c.indexes))
	for i, x := range c.indexes {
		costs[i] = IndexCost{x.name, Range{0, min(once, c.entryBlocks(x, item)) * times}}
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

// spending is what the request costs at least; a batch, if all of it is processed.
func (s *requestInfo) spending(c *core, e Estimate) spending {
	n := s.inputs()
	if s.entries != nil {
		e = s.processed(c)
	}
	if s.read != nil {
		n = s.size
	}
	return spending{
		read: int64(math.Floor(e.Read.Min * micro)), write: int64(math.Floor(e.Write.Min * micro)),
		items: int64(n), requests: 1,
	}
}
