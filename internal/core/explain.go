// SPDX-License-Identifier: Apache-2.0

package core

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemsize"
)

// Explainer keeps the first request under Explain.
type Explainer struct {
	Mu    sync.Mutex
	Found bool
	First cost.Explanation
}

// keep keeps the first explanation.
func (x *Explainer) keep(e cost.Explanation) error {
	x.Mu.Lock()
	defer x.Mu.Unlock()
	if !x.Found {
		x.Found, x.First = true, e
	}
	return ddberr.ErrExplained
}

func pathTexts(paths []expr.Path) string {
	texts := make([]string, len(paths))
	for i, p := range paths {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

func (s *requestInfo) explain(c *Table, e cost.Estimate) cost.Explanation {
	x := cost.Explanation{
		Operation: s.op, Table: c.Name, Index: s.index.Label(), Condition: expr.Describe(s.cond), Consistent: s.consistent,
		Items: s.inputs(), Limit: s.size, Read: e.Read, Write: e.Write, Projection: pathTexts(s.project),
	}
	if r := s.read; r != nil {
		x.KeyCondition, x.Filter, x.Descending = expr.Describe(r.key), expr.Describe(expr.All(r.filter, r.entityFilter())), r.backwards
		if paths, err := r.paths(c.startKey(r.Index)); err == nil {
			x.Projection = pathTexts(paths)
		}
	}
	x.Whole = s.wholeEstimate(c, e)
	s.assume(&x, c)
	x.Warnings = s.warnings(&x, c)
	return x
}

// assume adds the assumptions behind the ranges, and what the writes cost on indexes.
func (s *requestInfo) assume(x *cost.Explanation, c *Table) {
	say := func(format string, args ...any) { x.Assumptions = append(x.Assumptions, fmt.Sprintf(format, args...)) }
	sizes := c.sizesAt(s.index)
	if n, average := sizes.Seen(); n > 0 {
		say("items have at most %d bytes: a quarter more than the largest of %d items seen, which had at most %d on average", sizes.Largest(), n, average)
	} else {
		say("no item was seen yet: items have at most %d bytes", itemsize.MaxItem)
	}
	s.assumeWhole(c, say)
	if r := s.read; r != nil {
		if s.size == 0 {
			say("a page ends after 1 MB; the range is of one page")
		}
		if x.Filter != "" {
			say("what the filter drops is billed all the same")
		}
		if r.hides() {
			say("expired items are billed until DynamoDB has deleted them")
		}
		if r.fetches() {
			say("index %s does not hold all that is read, so each item that it evaluates is read from the table too", r.Index.name)
		}
		if r.fromTable {
			one := c.readEstimate(false, false)
			x.Hydration = cost.Range{Min: 0, Max: one.Max * float64(s.size)}
			if s.size == 0 {
				say("the number of items to hydrate is not known without a limit: %g units each at most", one.Max)
			}
		}
		return
	}
	if !s.write {
		return
	}
	if s.transaction() {
		say("transactions cost twice as much, also when a condition fails; one that was done before is billed as a read of its items")
	}
	x.Indexes = s.indexWrites(c)
	if len(c.indexes) > 0 {
		say("an index costs nothing where its entry stays the same, a write where it changes, two where its key changes")
	}
	if s.cond != nil {
		say("a failed condition costs as much as the write")
	}
}

// indexWrites returns what the writes of one or several items cost on each index.
func (s *requestInfo) indexWrites(c *Table) []cost.IndexCost {
	if s.actions != nil {
		return s.transactionIndexes()
	}
	if s.entries == nil {
		return c.indexWrites(s.verb, s.item)
	}
	var sum []cost.IndexCost
	entries := s.entries
	if s.whole != nil {
		entries = s.whole
	}
	for _, e := range entries {
		verb, item := "Put", e.data
		if e.del {
			verb, item = "Delete", nil
		}
		for i, x := range c.indexWrites(verb, item) {
			if len(sum) <= i {
				sum = append(sum, cost.IndexCost{Index: x.Index})
			}
			sum[i].Write = sum[i].Write.Plus(x.Write)
		}
	}
	return sum
}

// transactionIndexes returns what the writes of a transaction cost on each index.
func (s *requestInfo) transactionIndexes() (sum []cost.IndexCost) {
	several := slices.ContainsFunc(s.actions, func(a txAction) bool { return a.core.Name != s.actions[0].core.Name })
	for i := range s.actions {
		a := &s.actions[i]
		for _, x := range a.core.indexWrites(a.verb, a.item) {
			if several {
				x.Index = a.core.Name + "/" + x.Index
			}
			j := slices.IndexFunc(sum, func(have cost.IndexCost) bool { return have.Index == x.Index })
			if j < 0 {
				sum = append(sum, x)
				continue
			}
			sum[j].Write = sum[j].Write.Plus(x.Write)
		}
	}
	return sum
}
