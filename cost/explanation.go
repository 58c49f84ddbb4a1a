// SPDX-License-Identifier: Apache-2.0

package cost

import (
	"fmt"
	"strconv"
	"strings"
)

// Explanation tells what a request does and what it is expected to cost. Texts name
// attributes and put a question mark for each value.
type Explanation struct {
	Operation string
	Table     string
	Index     string // empty for the table itself
	// KeyCondition selects what is read and billed; empty for what is not a Query.
	KeyCondition string
	// Filter drops items after they were billed.
	Filter string
	// Condition is what a write demands of the stored item.
	Condition string
	// Projection lists what is returned; all is billed. Empty is all.
	Projection string
	Consistent bool
	Descending bool
	// Items is how many items are asked for or written.
	Items int
	// Limit is how many items a page evaluates at most; 0 is no bound but 1 MB.
	Limit int
	// Read and Write are the units that the request costs if it succeeds. DynamoDB may leave a part of a batch for another request: the lower end is that of
	// one item.
	Read, Write Range
	// Whole is what the whole call costs with all its requests: all pages that it reads, all of a batch, and the items of an index from their
	// table. Its upper end is infinite where nothing bounds the call; see ddb.LearnSizes.
	Whole Estimate
	// Hydration is what reading the items of an index from their table costs besides, in
	// requests of its own.
	Hydration Range
	// Indexes is the part that each index has of the writes of the whole call. For a transaction of several tables an index is named as table/index.
	Indexes []IndexCost
	// PathReason names what of the client keeps items from the fast path, such as middleware that could look at them; empty if
	// nothing does. See ddb.HarmlessSteps.
	PathReason string
	// Warnings say what of the design makes the call expensive: an index that is written on every update, a filter that drops most of what is read, one
	// partition key that gets most of the work.
	Warnings []string
	// Assumptions are what the ranges rest on.
	Assumptions []string
}

// String is the explanation as lines of text.
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
