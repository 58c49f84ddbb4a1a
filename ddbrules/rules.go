// SPDX-License-Identifier: Apache-2.0

package ddbrules

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
)

// Rule is what the requests of a test must keep to. The zero Rule is refused.
type Rule struct{ begin func() []check }

func rule(begin func() check) Rule { return Rule{func() []check { return []check{begin()} }} }

// each makes a rule of single requests, before they are sent.
func each(wrong func(*hooks.Call) string) Rule {
	return rule(func() check { return ofCall(wrong) })
}

type ofCall func(*hooks.Call) string

func (r ofCall) sent(call *hooks.Call) string { return r(call) }
func (r ofCall) answered(*hooks.Call) string  { return "" }
func (r ofCall) end() string                  { return "" }

// NoScan allows no Scan, of a table or of an index: it reads and bills everything.
var NoScan = each(scans)

func scans(call *hooks.Call) string {
	if call.Operation == "Scan" {
		return "there is a scan, which reads and bills everything"
	}
	return ""
}

// NoConsistentReads allows no strongly consistent reads, which cost twice as much. Transactions read consistently always and are not meant.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
var NoConsistentReads = each(consistentReads)

func consistentReads(call *hooks.Call) string {
	if call.Consistent && call.Operation != "TransactGetItems" {
		return "there is a consistent read, which costs twice as much"
	}
	return ""
}

// NoThrottling allows no attempt that DynamoDB has throttled, also none that a retry made good.
var NoThrottling = rule(newThrottling)

func newThrottling() check { return throttling{} }

type throttling struct{}

func (throttling) sent(*hooks.Call) string { return "" }

func (throttling) answered(call *hooks.Call) string {
	if n := len(call.Throttled); n > 0 {
		return fmt.Sprintf("%d attempts of a request were throttled", n)
	}
	return ""
}

func (throttling) end() string { return "" }

// MaxRequests allows so many requests in all: a loop of single reads that should be a query or a batch has more.
func MaxRequests(n int) Rule {
	return rule(func() check { return &requests{most: n} })
}

type requests struct{ n, most int }

func (r *requests) sent(*hooks.Call) string {
	if r.n++; r.n > r.most {
		return fmt.Sprintf("there are more than %d requests; this is the first beyond", r.most)
	}
	return ""
}
func (r *requests) answered(*hooks.Call) string { return "" }
func (r *requests) end() string                 { return "" }

// MaxUnits allows so many capacity units in all, read and write units together. A write that its condition refused, whose units are in no
// reply, counts with the least that it costs. A request on a table without figures ([ddb.WithoutCapacity]) breaks the rule.
func MaxUnits(n float64) Rule {
	return maxUnits("units", n, cost.Consumed.Total, func(e cost.Estimate) float64 { return e.Read.Min + e.Write.Min })
}

// MaxReadUnits allows so many read units in all; see [MaxUnits].
func MaxReadUnits(n float64) Rule {
	return maxUnits("read units", n, func(c cost.Consumed) float64 { return c.ReadUnits }, func(e cost.Estimate) float64 { return e.Read.Min })
}

// MaxWriteUnits allows so many write units in all; see [MaxUnits].
func MaxWriteUnits(n float64) Rule {
	return maxUnits("write units", n, func(c cost.Consumed) float64 { return c.WriteUnits }, func(e cost.Estimate) float64 { return e.Write.Min })
}

func maxUnits(name string, n float64, of func(cost.Consumed) float64, least func(cost.Estimate) float64) Rule {
	return rule(func() check { return &units{name: name, most: n, of: of, least: least} })
}

type units struct {
	name  string
	sum   float64
	most  float64
	of    func(cost.Consumed) float64
	least func(cost.Estimate) float64
}

func (r *units) sent(*hooks.Call) string { return "" }

func (r *units) answered(call *hooks.Call) string {
	spent := r.of(call.Consumed)
	switch {
	case call.Consumed.Total() > 0:
	case errors.Is(call.Err, ddb.ErrConditionFailed), call.ErrorType() == "ConditionalCheckFailedException", call.ErrorType() == "TransactionCanceledException":
		spent = r.least(call.Estimate)
	case call.Err == nil && !(strings.HasPrefix(call.Operation, "Batch") && call.Returned == 0): // of a batch all may be left unprocessed
		return fmt.Sprintf("a request does not say what it consumed, so %g %s cannot be held to; drop the table option WithoutCapacity", r.most, r.name)
	}
	if r.sum += spent; r.sum > r.most || math.IsNaN(r.most) {
		return fmt.Sprintf("%g %s are spent with this request, of %g", r.sum, r.name, r.most)
	}
	return ""
}

func (r *units) end() string { return "" }

// MinReturned demands of queries and scans that they return at least a share of the items that they read and that are billed, such as 0.5: a filter
// that drops more wants an index. All pages of a read count together, by table, index, key condition and filter, once they have read twenty
// items; below that a share says nothing.
func MinReturned(share float64) Rule {
	return rule(func() check { return &returned{share: share, reads: map[string]*read{}} })
}

// enough items say something about a filter.
const enough = 20

type returned struct {
	share float64
	reads map[string]*read
}

type read struct {
	returned, scanned int
	call              *hooks.Call
}

func (r *returned) sent(*hooks.Call) string { return "" }

func (r *returned) answered(call *hooks.Call) string {
	if call.Err != nil || call.Operation != "Query" && call.Operation != "Scan" {
		return ""
	}
	plan := call.Explain()
	key := strings.Join([]string{call.Operation, call.Table, call.Index, plan.KeyCondition, plan.Filter}, "\x00")
	sum := r.reads[key]
	if sum == nil {
		sum = &read{call: call}
		r.reads[key] = sum
	}
	sum.returned += call.Returned
	sum.scanned += call.Scanned
	return ""
}

func (r *returned) end() string {
	var texts []string
	for _, sum := range r.reads {
		if sum.scanned >= enough && float64(sum.returned) < r.share*float64(sum.scanned) {
			texts = append(texts, about(sum.call, fmt.Sprintf("%d of %d items that were read are returned, less than a share of %g; an index would read the others only", sum.returned, sum.scanned, r.share)))
		}
	}
	slices.Sort(texts)
	return strings.Join(texts, "\n")
}

// On holds rules for the requests of one table only. A transaction concerns each table that it writes or reads.
func On(table string, rules ...Rule) Rule {
	if slices.ContainsFunc(rules, func(r Rule) bool { return r.begin == nil }) || len(rules) == 0 {
		return Rule{}
	}
	return Rule{func() (checks []check) {
		for _, r := range rules {
			for _, c := range r.begin() {
				checks = append(checks, &onTable{c, table})
			}
		}
		return checks
	}}
}

// onTable is a check of the requests of one table.
type onTable struct {
	check

	table string
}

func (r *onTable) concerns(call *hooks.Call) bool {
	return call.Table == r.table || slices.Contains(call.Tables, r.table)
}

func (r *onTable) sent(call *hooks.Call) string {
	if !r.concerns(call) {
		return ""
	}
	return r.check.sent(call)
}

func (r *onTable) answered(call *hooks.Call) string {
	if !r.concerns(call) {
		return ""
	}
	return r.check.answered(call)
}
