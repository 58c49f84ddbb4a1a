// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemsize"
	"github.com/dynamotable/ddb/internal/operr"
)

// Explain runs a function without making its calls, and explains the first request that it would have sent, and the whole
// call that the request belongs to. It works for any operation, also deep inside the caller's own code.
//
//	plan, err := ddb.Explain(ctx, func(ctx context.Context) error {
//		_, err := orders.Query("c1").Filter(orderTotal.Gt(100)).Limit(20).Page(ctx)
//		return err
//	})
//	fmt.Println(plan)
//
// For a call that creates, describes or deletes a table it returns only the name.
//
// Calls with the function's context return [ErrExplained]. If a call is refused before it is sent, Explain returns that
// error. A function that makes no call is an error too. Nothing is sent and nothing is billed.
//
// Units are computed from DynamoDB's billing rules and from the sizes of the items that this process has read and written on
// the table or index so far; see Assumptions. Read and Write are the units of the first request, Whole those of all requests
// of the call.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func Explain(ctx context.Context, run func(context.Context) error) (cost.Explanation, error) {
	x := new(explainer)
	s := callOptionsOf(ctx)
	s.explain = x
	if run == nil {
		return cost.Explanation{}, operr.New("Explain", "", "", operr.Invalid(errors.New("the function is nil")))
	}
	err := run(s.into(ctx))
	x.mu.Lock()
	defer x.mu.Unlock()
	switch {
	case x.found:
		return x.first, nil
	case err != nil:
		return cost.Explanation{}, err
	}
	return cost.Explanation{}, errors.New("ddb: Explain: the function made no call with its context")
}

// explainer keeps the first request under Explain.
type explainer struct {
	mu    sync.Mutex
	found bool
	first cost.Explanation
}

// keep keeps the first explanation.
func (x *explainer) keep(e cost.Explanation) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.found {
		x.found, x.first = true, e
	}
	return ddberr.ErrExplained
}

func (s *requestInfo) explain(c *core, e cost.Estimate) cost.Explanation {
	x := cost.Explanation{
		Operation: s.op, Table: c.name, Index: s.index.label(), Condition: expr.Describe(s.cond), Consistent: s.consistent,
		Items: s.inputs(), Limit: s.size, Read: e.Read, Write: e.Write, Projection: pathTexts(s.project),
	}
	if r := s.read; r != nil {
		x.KeyCondition, x.Filter, x.Descending = expr.Describe(r.key), expr.Describe(expr.All(r.filter, r.entityFilter())), r.backwards
		if paths, err := r.paths(c.startKey(r.index)); err == nil {
			x.Projection = pathTexts(paths)
		}
	}
	x.Whole = s.wholeEstimate(c, e)
	s.assume(&x, c)
	x.Warnings = s.warnings(&x, c)
	return x
}

func pathTexts(paths []expr.Path) string {
	texts := make([]string, len(paths))
	for i, p := range paths {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}

// assume adds the assumptions behind the ranges, and what the writes cost on indexes.
func (s *requestInfo) assume(x *cost.Explanation, c *core) {
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
			say("index %s does not hold all that is read, so each item that it evaluates is read from the table too", r.index.name)
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
func (s *requestInfo) indexWrites(c *core) []cost.IndexCost {
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
	several := slices.ContainsFunc(s.actions, func(a txAction) bool { return a.core.name != s.actions[0].core.name })
	for i := range s.actions {
		a := &s.actions[i]
		for _, x := range a.core.indexWrites(a.verb, a.item) {
			if several {
				x.Index = a.core.name + "/" + x.Index
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
