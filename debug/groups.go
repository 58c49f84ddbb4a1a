// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb/hooks"
)

const (
	explained       = 10 // groups of each list
	maxExplainBytes = 2 << 10
	maxHashes       = 4 // of partition keys, in a call
)

// topCall is the call of a kind with the highest duration or cost.
type topCall struct {
	duration time.Duration
	units    float64
	record   CallRecord
}

// newCallRecord copies from a call what is shown. It retains no reference to the call, which may refer to items.
func newCallRecord(now time.Time, call *hooks.Call) CallRecord {
	c := CallRecord{
		Time: now.UTC(), DurationMs: milliseconds(call.Duration), Attempts: call.Attempts, Throttled: len(call.Throttled),
		Items: call.Items, Returned: call.Returned, Scanned: call.Scanned,
		ReadUnits: call.Consumed.ReadUnits, WriteUnits: call.Consumed.WriteUnits, Units: call.Consumed.Total(),
		Expected: expectedOf(call), Error: name(call.ErrorType()), Explain: shortened(call.Explain().String()),
	}
	for _, t := range call.Tables[:min(len(call.Tables), maxHashes)] {
		c.Tables = append(c.Tables, name(t))
	}
	c.Partitions = slices.Clone(call.Partitions[:min(len(call.Partitions), maxHashes)])
	if call.Err == nil && c.Units > 0 {
		within := call.Estimate.Contains(call.Consumed)
		c.Within = &within
	}
	return c
}

func shortened(text string) string {
	if len(text) <= maxExplainBytes {
		return text
	}
	return strings.ToValidUTF8(strings.Clone(text[:maxExplainBytes]), "") + " ..."
}

// groupOf summarizes the recent calls of a kind; longest selects which call it shows.
func (k *kind) groupOf(windows []*window, longest bool) CallGroup {
	s := CallGroup{Table: k.table, Index: k.index, Operation: k.operation, Label: k.label}
	for _, w := range windows {
		s.Calls += w.latency.count
		s.Failed += w.failures
		s.TotalMs += milliseconds(w.latency.sum)
		s.TotalUnits += w.spent.Total()
		s.MaxMs = max(s.MaxMs, milliseconds(w.latency.longest))
		s.MaxUnits = max(s.MaxUnits, w.costliest.units)
		top := &w.costliest.record
		if longest {
			top = &w.slowest.record
		}
		if s.Call.Time.IsZero() || !top.Time.IsZero() && moreThan(top, &s.Call, longest) {
			s.Call = *top
		}
	}
	s.mean()
	return s
}

func (s *CallGroup) mean() {
	if s.Calls > 0 {
		s.MeanMs, s.MeanUnits = s.TotalMs/float64(s.Calls), s.TotalUnits/float64(s.Calls)
	}
}

func moreThan(a, b *CallRecord, longest bool) bool {
	if longest {
		return a.DurationMs > b.DurationMs
	}
	return a.Units > b.Units
}

// sortValue returns the value by which groups are sorted.
func (s *CallGroup) sortValue(longest bool) float64 {
	if longest {
		return s.MaxMs
	}
	return s.MaxUnits
}

// sortedGroups returns the groups with the slowest or the most expensive calls first. Only the first ones explain their call.
func sortedGroups(all []CallGroup, longest bool) []CallGroup {
	sortBy(all, func(a, b CallGroup) int {
		return cmp.Or(cmp.Compare(b.sortValue(longest), a.sortValue(longest)), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Label, b.Label))
	})
	for i := explained; i < len(all); i++ {
		all[i].Call.Explain = ""
	}
	return all
}

// firstGroups returns the groups that the page shows.
func firstGroups(all []CallGroup, longest bool) []CallGroup {
	n := 0
	for n < min(len(all), explained) && all[n].sortValue(longest) > 0 {
		n++
	}
	return all[:n]
}
