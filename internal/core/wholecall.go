// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/replykey"
)

// StatedSizes holds the sizes of the table, under the empty name, and of its indexes.
func StatedSizes(t *types.TableDescription) map[string]KnownSize {
	known := map[string]KnownSize{"": {aws.ToInt64(t.TableSizeBytes), aws.ToInt64(t.ItemCount)}}
	for _, g := range t.GlobalSecondaryIndexes {
		known[aws.ToString(g.IndexName)] = KnownSize{aws.ToInt64(g.IndexSizeBytes), aws.ToInt64(g.ItemCount)}
	}
	for _, l := range t.LocalSecondaryIndexes {
		known[aws.ToString(l.IndexName)] = KnownSize{aws.ToInt64(l.IndexSizeBytes), aws.ToInt64(l.ItemCount)}
	}
	return known
}

// KnownSize is the size of a table or index as DynamoDB reported it.
type KnownSize struct{ Bytes, Items int64 }

// The sizes are up to six hours old, so ranges include a margin of a quarter and of one page.
const staleness = 0.25

// extent is the most that a query or scan evaluates.
type extent struct {
	items, bytes float64 // infinite if there is no bound
	whole        bool    // all of a table or index whose size is known
}

// filterStats counts the items that a filter kept, and those that were evaluated.
type filterStats struct{ scanned, passed atomic.Int64 }

func (f *filterStats) add(scanned, passed int) {
	if f != nil {
		f.scanned.Add(int64(scanned))
		f.passed.Add(int64(passed))
	}
}

// maxFilters is the number of filters for which a table keeps statistics.
const maxFilters = 500

// Thresholds of warnings.
const (
	filterLeast   = 100  // evaluated items before a filter causes a warning
	filterKeeps   = 0.1  // of what is evaluated
	partitionPart = 0.5  // of the items of a call
	partitionRead = 3000 // units a second, of one partition
	partitionSize = 1000 // write units a second
)

// LearnSizes reads the sizes of table and indexes from their description, for the estimates of whole calls. They are up to six hours old.
func (c *Table) LearnSizes(ctx context.Context) error {
	if err := c.Usable(); err != nil {
		return err
	}
	t, err := c.AdmittedDescription(ctx)
	if err != nil {
		return err
	}
	known := StatedSizes(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = known
	return nil
}

// sizeOf returns what LearnSizes found for a table or index.
func (c *Table) sizeOf(x *IndexInfo) (KnownSize, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	size := c.known[x.Label()]
	return size, size.Items > 0 && size.Bytes > 0 // a new table is reported as empty
}

// wholeEstimate returns what a call costs with all its requests, if it succeeds. Without a bound the upper end is infinite.
func (s *requestInfo) wholeEstimate(c *Table, first cost.Estimate) cost.Estimate {
	switch {
	case s.read != nil:
		return cost.Estimate{Read: s.wholeRead(c)}
	case s.whole != nil:
		of := *s
		of.entries = s.whole
		_, whole := of.estimate(c)
		return whole
	}
	return first
}

// extent returns the most that the whole call evaluates.
func (s *requestInfo) extent(c *Table) extent {
	r := s.read
	e := extent{math.Inf(1), math.Inf(1), false}
	sizes := c.sizesAt(s.index)
	if size, ok := c.sizeOf(s.index); ok {
		e.items = math.Ceil(float64(size.Items) * (1 + staleness))
		e.bytes = float64(size.Bytes)*(1+staleness) + itemsize.PageBytes*staleness
		e.whole = r.scan && r.toEnd && r.limit == 0 && r.after == nil
	}
	atMost := func(items int) {
		e.items = min(e.items, float64(items))
		e.bytes = min(e.bytes, e.items*float64(sizes.Largest()))
	}
	if r.mostScanned > 0 {
		atMost(r.mostScanned)
	}
	dropping := r.filter != nil || r.Core.tombstones != nil || r.hides() || r.mixed != nil || len(r.entities()) > 0
	switch {
	case r.limit > 0 && !dropping:
		atMost(max(r.limit, 1))
	case !r.toEnd && r.limit == 0 && !dropping && !r.stops():
		if s.size > 0 {
			atMost(s.size)
		}
		e.bytes = min(e.bytes, float64(itemsize.PageBytes+sizes.Largest())) // one request
	}
	return e
}

// wholeRead returns what a query or scan costs with all its requests, including what it reads from the table by the keys of
// an index.
func (s *requestInfo) wholeRead(c *Table) cost.Range {
	r, factor := s.read, itemsize.ReadFactor(s.consistent, false)
	e := s.extent(c)
	segments := float64(max(1, r.segments))
	requests := segments + math.Floor(e.bytes/itemsize.PageBytes)
	if s.size > 0 {
		requests = max(requests, segments+math.Floor(e.items/float64(s.size)))
	}
	// Each request is rounded up to a unit separately.
	units := cost.Range{Min: factor * segments, Max: (math.Ceil(e.bytes/itemsize.ReadBlock) + requests) * factor}
	if r.limit > 0 || !r.toEnd {
		units.Min = factor
	}
	if size, ok := c.sizeOf(s.index); ok && e.whole {
		units.Min = max(units.Min, math.Floor(float64(size.Bytes)*(1-staleness)/itemsize.ReadBlock)*factor)
	}
	if r.mostUnits > 0 {
		units.Max = min(units.Max, r.mostUnits)
	}
	if r.fromTable || r.fetches() {
		units.Max += e.items * c.readEstimate(s.consistent, false).Max
	}
	return units
}

// assumeWhole adds the assumptions behind the range of the whole call.
func (s *requestInfo) assumeWhole(c *Table, say func(string, ...any)) {
	r := s.read
	if r == nil {
		return
	}
	size, known := c.sizeOf(s.index)
	switch {
	case known:
		say("%s has about %d items and %d bytes, according to LearnSizes", s.place(c), size.Items, size.Bytes)
	case math.IsInf(s.extent(c).bytes, 1):
		say("the whole call has no bound: LearnSizes learns how large the table is, MaxScanned or MaxReadUnits stops a page")
	}
}

func (s *requestInfo) place(c *Table) string {
	if s.index != nil {
		return "index " + s.index.name
	}
	return "table " + c.Name
}

// statsOf returns the statistics of a filter, by its text without values; nil if there are too many filters.
func (c *Table) statsOf(x *IndexInfo, filter string) *filterStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := x.Label() + " " + filter
	f := c.filters[key]
	if f == nil && len(c.filters) < maxFilters {
		if c.filters == nil {
			c.filters = map[string]*filterStats{}
		}
		f = new(filterStats)
		c.filters[key] = f
	}
	return f
}

// warnings returns what makes the call expensive.
func (s *requestInfo) warnings(x *cost.Explanation, c *Table) (texts []string) {
	warn := func(format string, args ...any) { texts = append(texts, fmt.Sprintf(format, args...)) }
	if r := s.read; r != nil {
		if r.ready != nil && r.ready.kept != nil {
			scanned, passed := r.ready.kept.scanned.Load(), r.ready.kept.passed.Load()
			if scanned >= filterLeast && float64(passed) <= filterKeeps*float64(scanned) {
				warn("the filter has kept %d of the %d items that such calls have evaluated, and all were billed: use a key of an index, or a sparse index, instead", passed, scanned)
			}
		}
		if low := x.Whole.Read.Max; !r.scan && !math.IsInf(low, 1) && low > partitionRead {
			warn("up to %g read units of one partition key: one partition gives %d a second, so the call is throttled or takes %.0f s", low, partitionRead, math.Ceil(low/partitionRead))
		}
		return texts
	}
	if !s.write {
		return texts
	}
	cores := []*Table{c}
	for _, a := range s.actions {
		if !slices.Contains(cores, a.core) {
			cores = append(cores, a.core)
		}
	}
	for _, k := range cores {
		texts = append(texts, k.amplification()...)
	}
	if n, all := s.busiest(c); all >= filterLeast && float64(n) > partitionPart*float64(all) && x.Whole.Write.Max > partitionSize {
		warn("%d of the %d writes are of one partition key, which takes %d write units a second: spread the key, or expect throttling", n, all, partitionSize)
	}
	return texts
}

// amplification warns of indexes that every update of an item writes to.
func (c *Table) amplification() (texts []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.indexes {
		if x.projection == types.ProjectionTypeAll {
			texts = append(texts, fmt.Sprintf("index %s of table %s holds all attributes, so each update of an item in it is written there again: "+
				"let it project what its queries read, and Hydrate the rest", x.name, c.Name))
			continue
		}
		for _, h := range []*handle.Handle{c.version, c.revision, c.updated} {
			if h != nil && slices.Contains(x.include, h.Path()[0].Name) {
				texts = append(texts, fmt.Sprintf("index %s of table %s holds attribute %s, which every update changes, so each is written there again", x.name, c.Name, h.Path()))
			}
		}
	}
	return texts
}

// busiest returns how many items of a batch have the most frequent partition key.
func (s *requestInfo) busiest(c *Table) (most, all int) {
	of := map[string]int{}
	for _, e := range s.whole {
		if values, err := replykey.Find(e.data, c.KeyNames[:1]); err == nil {
			key := string(values[0])
			of[key]++
			most = max(most, of[key])
		}
	}
	return most, len(s.whole)
}
