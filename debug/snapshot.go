// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"time"

	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/layerstats"
	"github.com/dynamotable/ddb/progress"
)

// Filter selects the calls of a snapshot. The zero value selects all.
type Filter struct {
	Table string `json:"table"` // empty for all
	Label string `json:"label"` // empty for all; see ddb.WithLabel
}

func (f Filter) admits(table, label string) bool {
	return (f.Table == "" || f.Table == table) && (f.Label == "" || f.Label == label)
}

const shownHotKeys = 20

// Snapshot returns the current statistics of all calls.
func (r *Recorder) Snapshot() Snapshot { return r.SnapshotOf(Filter{}) }

// SnapshotOf returns the statistics of the calls that the filter selects. Hot keys, throughput and consumers have no label:
// only the filter's table applies to them. Budgets and requests in flight are always those of all calls.
func (r *Recorder) SnapshotOf(f Filter) Snapshot {
	if r == nil || r.now == nil { // New did not make it
		return New(WithLedger(cost.NewLedger())).SnapshotOf(f)
	}
	now := r.now()
	s := Snapshot{
		Time: now.UTC(), Since: r.since.UTC(), InFlight: max(0, r.inFlight.Load()), Filter: f, SaltID: hooks.PartitionSaltID(),
		Units: unitsOf(r.ledger.Snapshot(), f), HotKeys: []HotKey{}, Consumers: consumersOf(f), Layers: layersOf(f),
	}
	for _, k := range r.hot.Top(hotKeyCounters) {
		if len(s.HotKeys) < shownHotKeys && f.admits(k.Table, f.Label) {
			s.HotKeys = append(s.HotKeys, HotKey{Key: k})
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []*series
	for key, one := range r.series.m {
		if f.admits(key.table, key.label) {
			all = append(all, one)
		}
	}
	s.Rates, s.History = ratesOf(all, now), historyOf(all, now)
	s.Averages = s.Rates.averages(now.Sub(r.since))
	r.fromKinds(&s, f, now)
	s.Throughput = r.throughput(now, f)
	s.Throttles = slices.DeleteFunc(listOf(r.throttles.m), func(t Throttle) bool { return !f.admits(t.Table, t.Label) })
	s.Errors = slices.DeleteFunc(listOf(r.errors.m), func(e ErrorCount) bool { return !f.admits(e.Table, e.Label) })
	s.Paths = append(s.Paths, slices.DeleteFunc(listOf(r.paths.m), func(p PathCount) bool { return !f.admits(p.Table, p.Label) })...)
	s.sort()
	s.Cost = r.costOf(s.Units, f, now)
	s.Budgets, s.LongCalls = budgetsOf(r.budgets), longCallsOf(r.trackers)
	s.Processes = []Process{{Name: r.process, Time: s.Time, Since: s.Since, InFlight: s.InFlight, Calls: s.Totals.Calls, Units: s.Totals.ReadUnits + s.Totals.WriteUnits}}
	return s
}

// fromKinds sets what is counted by group of calls.
func (r *Recorder) fromKinds(s *Snapshot, f Filter, now time.Time) {
	latencies, estimates, fast := map[operationKey]*histogram{}, map[operationKey]*Accuracy{}, map[[3]string]int64{}
	outcomes := map[[3]string]*Totals{}
	slowest, costliest := []CallGroup{}, []CallGroup{}
	tables, labels := map[string]bool{}, map[string]bool{}
	for _, k := range r.kinds.m {
		tables[k.table], labels[k.label] = true, true
		if !f.admits(k.table, k.label) {
			continue
		}
		s.Totals.plus(&k.totals)
		at := [3]string{k.table, k.operation, k.label}
		entry(outcomes, at).plus(&k.totals)
		fast[at] += k.fast
		if k.accuracy.Calls > 0 {
			entry(estimates, operationKey{k.table, k.operation}).plus(&k.accuracy)
		}
		windows := k.windows(now)
		for _, w := range windows {
			entry(latencies, operationKey{k.table, k.operation}).merge(&w.latency)
		}
		if len(windows) > 0 {
			slowest, costliest = append(slowest, k.groupOf(windows, true)), append(costliest, k.groupOf(windows, false))
		}
	}
	s.Tables, s.Labels = sortedNames(tables), sortedNames(labels)
	s.Slowest, s.MostExpensive = sortedGroups(slowest, true), sortedGroups(costliest, false)
	s.Latencies, s.Estimates, s.Outcomes, s.Paths = []Latency{}, []Accuracy{}, []Outcome{}, []PathCount{}
	s.addSums(latencies, estimates)
	for at, t := range outcomes {
		o := Outcome{
			Table: at[0], Operation: at[1], Label: at[2], FailedConditions: t.FailedConditions, UnknownOutcomes: t.UnknownOutcomes,
			Unprocessed: t.Unprocessed, OverBudget: t.OverBudget,
		}
		if o.sum() > 0 {
			s.Outcomes = append(s.Outcomes, o)
		}
	}
	for at, n := range fast {
		if n > 0 {
			s.Paths = append(s.Paths, PathCount{Table: at[0], Operation: at[1], Label: at[2], Path: hooks.FastPath, Count: n})
		}
	}
}

// operationKey is the key by which latencies and estimates are summed up.
type operationKey struct{ table, operation string }

func (s *Snapshot) addSums(latencies map[operationKey]*histogram, estimates map[operationKey]*Accuracy) {
	for at, h := range latencies {
		s.Latencies = append(s.Latencies, Latency{
			Table: at.table, Operation: at.operation, Calls: h.count, MaxMs: milliseconds(h.longest), Buckets: bucketsOf(h.buckets[:], middleOf),
			P50Ms: milliseconds(h.quantile(0.5)), P90Ms: milliseconds(h.quantile(0.9)), P99Ms: milliseconds(h.quantile(0.99)),
		})
	}
	for at, a := range estimates {
		a.Table, a.Operation = at.table, at.operation
		if a.Calls > 0 {
			a.Share = float64(a.Within) / float64(a.Calls)
		}
		s.Estimates = append(s.Estimates, *a)
	}
}

// sortBy sorts a list, stably. The functions of package slices would be compiled for each of a dozen types of lists, with 20 KB each.
func sortBy[T any](list []T, compare func(a, b T) int) {
	sort.SliceStable(list, func(i, j int) bool { return compare(list[i], list[j]) < 0 })
}

// sort sorts the lists that are made of sums.
func (s *Snapshot) sort() {
	sortBy(s.Latencies, func(a, b Latency) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Operation, b.Operation))
	})
	sortBy(s.Estimates, func(a, b Accuracy) int {
		return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Operation, b.Operation))
	})
	sortBy(s.Outcomes, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(b.UnknownOutcomes, a.UnknownOutcomes), cmp.Compare(b.sum(), a.sum()), cmp.Compare(a.Table, b.Table),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Label, b.Label))
	})
	sortBy(s.Throttles, compareThrottles)
	sortBy(s.Errors, compareErrors)
	sortBy(s.Paths, comparePaths)
	sortBy(s.Units, compareUnits)
	sortBy(s.Throughput, func(a, b Throughput) int { return cmp.Or(cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index)) })
}

func (a *Accuracy) plus(o *Accuracy) {
	a.Calls += o.Calls
	a.Within += o.Within
	a.Below += o.Below
	a.Above += o.Above
	a.Expected.Min += o.Expected.Min
	a.Expected.Max += o.Expected.Max
	a.Actual += o.Actual
}

func (o *Outcome) sum() int64 {
	return o.FailedConditions + o.UnknownOutcomes + o.Unprocessed + o.OverBudget
}

func compareThrottles(a, b Throttle) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index),
		cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Label, b.Label), cmp.Compare(a.Reason, b.Reason))
}

func compareErrors(a, b ErrorCount) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.Label, b.Label), cmp.Compare(a.Type, b.Type))
}

func comparePaths(a, b PathCount) int {
	return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Operation, b.Operation),
		cmp.Compare(a.Label, b.Label), cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
}

func compareUnits(a, b Units) int {
	return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index),
		cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Label, b.Label))
}

// entry returns the value of a map at a key, and creates it if it does not exist.
func entry[K comparable, V any](m map[K]*V, key K) *V {
	v := m[key]
	if v == nil {
		v = new(V)
		m[key] = v
	}
	return v
}

// sortedNames returns the keys, without the empty name.
func sortedNames(m map[string]bool) []string {
	all := make([]string, 0, len(m))
	for n := range m {
		if n != "" {
			all = append(all, n)
		}
	}
	slices.Sort(all)
	return all
}

func consumersOf(f Filter) []Consumer {
	all := []Consumer{}
	for _, c := range consumers.List() {
		if f.admits(c.Table, f.Label) {
			all = append(all, Consumer{c, milliseconds(c.Age), milliseconds(c.ReadAge)})
		}
	}
	return all
}

func layersOf(f Filter) []layerstats.Stat {
	return slices.DeleteFunc(layerstats.List(), func(s layerstats.Stat) bool { return !f.admits(s.Table, f.Label) })
}

func budgetsOf(list []named[*cost.Budget]) []BudgetUse {
	all := []BudgetUse{}
	for _, n := range list {
		limits, spent := n.value.Limits(), n.value.Spent()
		all = append(all, BudgetUse{
			Name: n.name, ReadUnits: spent.ReadUnits, WriteUnits: spent.WriteUnits, Items: spent.Items, Requests: spent.Requests,
			ReadLimit: limits.ReadUnits, WriteLimit: limits.WriteUnits, ItemLimit: limits.Items, RequestLimit: limits.Requests,
		})
	}
	sortBy(all, func(a, b BudgetUse) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func longCallsOf(list []named[*progress.Tracker]) []LongCall {
	all := []LongCall{}
	for _, n := range list {
		for _, p := range n.value.List() {
			c := LongCall{
				Job: name(p.Job), State: string(p.State), Reason: name(p.Reason), Started: p.Started.UTC(), ElapsedSeconds: math.Floor(p.Elapsed().Seconds()),
				Items: p.Items, Total: p.Total, Parts: p.Parts, PartsDone: p.PartsDone, ReadUnits: p.Units.Read, WriteUnits: p.Units.Write,
				ReadRate: p.Rate.Read, WriteRate: p.Rate.Write, ReadCeiling: p.Ceiling.Read, WriteCeiling: p.Ceiling.Write,
				LeftLowSeconds: p.LeftLow.Seconds(), LeftHighSeconds: p.LeftHigh.Seconds(),
			}
			if share := p.Share(); share >= 0 {
				c.Share = &share
			}
			all = append(all, c)
		}
	}
	return all
}

func unitsOf(c cost.Capacity, f Filter) []Units {
	all := make([]Units, 0, len(c.Entries))
	for _, e := range c.Entries {
		if f.admits(e.Table, e.Label) {
			all = append(all, Units{
				Table: e.Table, Index: e.Index, Operation: e.Operation, Label: e.Label, Operations: e.Operations,
				ReadUnits: e.ReadUnits, WriteUnits: e.WriteUnits, Units: e.Total(),
			})
		}
	}
	share(all)
	return all
}

func share(all []Units) {
	sum := 0.0
	for _, u := range all {
		sum += u.Units
	}
	for i := range all {
		if sum > 0 {
			all[i].Share = all[i].Units / sum
		}
	}
}
