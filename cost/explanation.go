// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// Explanation describes what a request does and its expected cost. Texts name
// attributes and have a question mark for each value.
type Explanation struct {
	Operation string
	Table     string
	Index     string // empty for the table itself
	// KeyCondition selects what is read and billed; empty unless it is a Query.
	KeyCondition string
	// Filter drops items after they were billed.
	Filter string
	// Condition is the condition of a write on the stored item.
	Condition string
	// Projection lists the returned attributes; all attributes are billed. Empty means all.
	Projection string
	Consistent bool
	Descending bool
	// Items is the number of items that are requested or written.
	Items int
	// Limit is how many items a page evaluates at most; 0 means no limit but 1 MB.
	Limit int
	// Read and Write are the units that the request costs if it succeeds. DynamoDB may leave a part of a batch for another request: the lower bound is the cost of
	// one item.
	Read, Write Range
	// Whole is the cost of the whole call with all its requests: all pages that it reads, all of a batch, and the items of an index from their
	// table. Its upper bound is infinite if the call has no limit; see tableinfo.LearnSizes.
	Whole Estimate
	// Hydration is the additional cost of reading the items of an index from their table, in
	// separate requests.
	Hydration Range
	// Indexes is the cost of the whole call's writes on each index. For a transaction on several tables an index is named table/index.
	Indexes []IndexCost
	// PathReason says why the client does not use the fast path, such as middleware that could read items; empty if
	// it does. See ddb.HarmlessSteps.
	PathReason string
	// Warnings name parts of the design that make the call expensive: an index that is written on every update, a filter that drops most of what is read, one
	// partition key with most of the load.
	Warnings []string
	// Assumptions are the assumptions of the ranges.
	Assumptions []string
}

// String returns the explanation as lines of text.
func (x Explanation) String() string {
	var b strings.Builder
	line := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%-14s %s\n", name, text)
		}
	}
	at := x.Table
	if x.Index != "" {
		at += ", index " + x.Index
	}
	line(x.Operation, at)
	line("key condition", x.KeyCondition)
	if x.Filter != "" {
		line("filter", x.Filter+" (billed, then dropped)")
	}
	line("condition", x.Condition)
	line("projection", x.Projection)
	if x.Items > 1 {
		line("items", strconv.Itoa(x.Items))
	}
	if x.Limit > 0 {
		line("page size", strconv.Itoa(x.Limit))
	}
	if x.Read.Max > 0 {
		how := "eventually consistent"
		if x.Consistent {
			how = "consistent"
		}
		line("read units", x.Read.String()+" ("+how+")")
	}
	if x.Hydration.Max > 0 {
		line("hydration", x.Hydration.String()+" read units")
	}
	if x.Write.Max > 0 {
		line("write units", x.Write.String())
	}
	if x.Whole.Read != x.Read && x.Whole.Read.Max > 0 {
		line("whole call", x.Whole.Read.String()+" read units")
	}
	if x.Whole.Write != x.Write && x.Whole.Write.Max > 0 {
		line("whole call", x.Whole.Write.String()+" write units")
	}
	for _, i := range x.Indexes {
		line("", "")
		line("  of these", i.Write.String()+" on index "+i.Index)
	}
	if x.PathReason != "" {
		line("path", "not the fast one: "+x.PathReason)
	}
	for _, w := range x.Warnings {
		line("warning", w)
	}
	for _, a := range x.Assumptions {
		line("assuming", a)
	}
	return strings.TrimSuffix(b.String(), "\n")
}
