// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"cmp"
	"slices"
	"time"

	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/hotkeys"
	"github.com/dynamotable/ddb/layerstats"
)

// maxLag is by how much the snapshot of one process may be older than that of another and still decide where the merged charts end.
const maxLag = 10 * time.Second

// Merge combines the snapshots of several processes, made with the same filter, into one. Counts are added, percentiles are
// those of all requests together, ages and maxima are the highest. It needs snapshots with their buckets, as
// [Recorder.Snapshot] and ?format=json return them.
//
// Charts are aligned by the clocks of the processes, which should agree. If all processes have set the same salt
// ([hooks.SetPartitionSalt]), hot keys are added up, from the 20 of each process; otherwise each process has its own rows.
// Costs in several currencies are left out.
func Merge(snapshots ...Snapshot) Snapshot {
	m := Snapshot{
		Processes: []Process{}, Tables: []string{}, Labels: []string{}, Units: []Units{}, Throughput: []Throughput{}, Latencies: []Latency{},
		Throttles: []Throttle{}, Errors: []ErrorCount{}, Outcomes: []Outcome{}, Budgets: []BudgetUse{}, LongCalls: []LongCall{}, Paths: []PathCount{}, HotKeys: []HotKey{},
		Consumers: []Consumer{}, Layers: []layerstats.Stat{}, Slowest: []CallGroup{}, MostExpensive: []CallGroup{}, Estimates: []Accuracy{}, Averages: []Average{},
		Rates: newRates(time.Time{}), History: newHistory(time.Time{}),
	}
	if len(snapshots) == 0 {
		return m
	}
	m.Filter = snapshots[0].Filter
	tables, labels := map[string]bool{}, map[string]bool{}
	for i := range snapshots {
		s := &snapshots[i]
		m.Processes = append(m.Processes, s.Processes...)
		if s.Time.After(m.Time) {
			m.Time = s.Time
		}
		if m.Since.IsZero() || s.Since.Before(m.Since) {
			m.Since = s.Since
		}
		m.InFlight += s.InFlight
		m.Totals.plus(&s.Totals)
		for _, t := range s.Tables {
			tables[t] = true
		}
		for _, l := range s.Labels {
			labels[l] = true
		}
	}
	m.Tables, m.Labels = sortedNames(tables), sortedNames(labels)
	m.mergeTimes(snapshots)
	m.mergeUnits(snapshots)
	m.mergeThroughput(snapshots)
	m.mergeHotKeys(snapshots)
	m.mergeGroups(snapshots)
	m.mergeCounts(snapshots)
	m.mergeConsumers(snapshots)
	m.sort()
	return m
}

// common returns the earliest of those times that are not far behind the latest.
func common(times []time.Time, far time.Duration) time.Time {
	latest := slices.MaxFunc(times, time.Time.Compare)
	first := latest
	for _, t := range times {
		if t.Before(first) && latest.Sub(t) <= far {
			first = t
		}
	}
	return first
}

// mergeTimes merges the series by time.
func (m *Snapshot) mergeTimes(all []Snapshot) {
	ends, starts := make([]time.Time, len(all)), make([]time.Time, len(all))
	for i := range all {
		ends[i], starts[i] = all[i].Rates.End, all[i].History.Start
	}
	m.Rates.End, m.History.Start = common(ends, maxLag), common(starts, stepSeconds*time.Second)
	latencies := make([][nCoarse]uint32, historySteps+1)
	longest := make([]float64, historySteps+1)
	for i := range all {
		r, h := &all[i].Rates, &all[i].History
		m.Rates.plus(&r.Counts, int(m.Rates.End.Sub(r.End)/time.Second))
		earlier := int(m.History.Start.Sub(h.Start) / (stepSeconds * time.Second))
		m.History.plus(&h.Counts, earlier)
		for to := range latencies {
			if from := to + earlier; from >= 0 && from < min(len(h.Buckets), len(h.MaxMs)) {
				countsOf(h.Buckets[from], latencies[to][:], coarseOf)
				longest[to] = max(longest[to], h.MaxMs[from])
			}
		}
	}
	for i := range latencies {
		m.History.Buckets[i] = bucketsOf(latencies[i][:], coarseMiddle)
		m.History.setLatency(i, latencies[i][:], durationOf(longest[i]))
	}
	m.Averages = m.Rates.averages(m.Time.Sub(m.Since))
}

func durationOf(ms float64) time.Duration { return time.Duration(ms*float64(time.Millisecond) + 0.5) }

func (m *Snapshot) mergeUnits(all []Snapshot) {
	sums := map[Units]*Units{}
	currencies := map[string]bool{}
	for i := range all {
		for _, u := range all[i].Units {
			sum := entry(sums, Units{Table: u.Table, Index: u.Index, Operation: u.Operation, Label: u.Label})
			sum.Table, sum.Index, sum.Operation, sum.Label = u.Table, u.Index, u.Operation, u.Label
			sum.Operations += u.Operations
			sum.ReadUnits += u.ReadUnits
			sum.WriteUnits += u.WriteUnits
			sum.Units += u.Units
			sum.Cost += u.Cost
		}
		if c := all[i].Cost; c != nil {
			if m.Cost == nil {
				m.Cost = &Cost{Currency: c.Currency}
			}
			m.Cost.Total += c.Total
			m.Cost.PerHour += c.PerHour
			m.Cost.PerMonth += c.PerMonth
			currencies[c.Currency] = true
		}
	}
	if len(currencies) > 1 {
		m.Cost = nil
	}
	for _, u := range sums {
		m.Units = append(m.Units, *u)
	}
	share(m.Units)
}

func (m *Snapshot) mergeThroughput(all []Snapshot) {
	var ends []time.Time
	for i := range all {
		for _, t := range all[i].Throughput {
			ends = append(ends, t.End)
		}
	}
	if ends == nil {
		return
	}
	end := common(ends, time.Minute)
	sums := map[usageKey]*Throughput{}
	for i := range all {
		for _, t := range all[i].Throughput {
			sum := entry(sums, usageKey{t.Table, t.Index})
			if sum.ReadMinutes == nil {
				*sum = Throughput{
					Table: t.Table, Index: t.Index, End: end,
					ReadMinutes: make([]float64, usageMinutes), WriteMinutes: make([]float64, usageMinutes),
				}
			}
			if t.Source != "" {
				sum.Source, sum.ReadLimit, sum.WriteLimit = t.Source, t.ReadLimit, t.WriteLimit
			}
			for to := range usageMinutes {
				if from := to + int(end.Sub(t.End)/time.Minute); from >= 0 && from < min(len(t.ReadMinutes), len(t.WriteMinutes)) {
					sum.ReadMinutes[to] += t.ReadMinutes[from]
					sum.WriteMinutes[to] += t.WriteMinutes[from]
				}
			}
		}
	}
	for _, t := range sums {
		t.sum()
		m.Throughput = append(m.Throughput, *t)
	}
}

func (m *Snapshot) mergeHotKeys(all []Snapshot) {
	m.SaltID = all[0].SaltID
	for i := range all {
		if all[i].SaltID != m.SaltID {
			m.SaltID = 0
		}
	}
	type place struct {
		process, table, index string
		hash                  hooks.PartitionHash
	}
	sums, total := map[place]*HotKey{}, 0.0
	for i := range all {
		process := ""
		if m.SaltID == 0 && len(all[i].Processes) > 0 {
			process = all[i].Processes[0].Name
		}
		if keys := all[i].HotKeys; len(keys) > 0 && keys[0].Share > 0 {
			total += keys[0].Units / keys[0].Share
		}
		for _, k := range all[i].HotKeys {
			sum := entry(sums, place{process, k.Table, k.Index, k.Partition})
			sum.Process = process
			sum.Table, sum.Index, sum.Partition = k.Table, k.Index, k.Partition
			sum.Units += k.Units
			sum.Surplus += k.Surplus
			sum.Throttled += k.Throttled
			for _, r := range k.Reasons {
				if !slices.Contains(sum.Reasons, r) {
					sum.Reasons = append(sum.Reasons, r)
				}
			}
		}
	}
	for _, k := range sums {
		if total > 0 {
			k.Share = k.Units / total
		}
		m.HotKeys = append(m.HotKeys, *k)
	}
	sortBy(m.HotKeys, func(a, b HotKey) int { return compareHotKeys(a.Key, b.Key) })
	m.HotKeys = m.HotKeys[:min(len(m.HotKeys), shownHotKeys)]
}

func compareHotKeys(a, b hotkeys.Key) int {
	return cmp.Or(cmp.Compare(b.Units, a.Units), cmp.Compare(a.Partition, b.Partition))
}

func (m *Snapshot) mergeGroups(all []Snapshot) {
	merge := func(list func(*Snapshot) []CallGroup, longest bool) []CallGroup {
		sums := map[kindKey]*CallGroup{}
		for i := range all {
			for _, s := range list(&all[i]) {
				sum := entry(sums, kindKey{s.Table, s.Index, s.Operation, s.Label})
				sum.Table, sum.Index, sum.Operation, sum.Label = s.Table, s.Index, s.Operation, s.Label
				sum.Calls += s.Calls
				sum.Failed += s.Failed
				sum.TotalMs += s.TotalMs
				sum.TotalUnits += s.TotalUnits
				sum.MaxMs, sum.MaxUnits = max(sum.MaxMs, s.MaxMs), max(sum.MaxUnits, s.MaxUnits)
				if sum.Call.Time.IsZero() || moreThan(&s.Call, &sum.Call, longest) {
					sum.Call = s.Call
				}
			}
		}
		merged := make([]CallGroup, 0, len(sums))
		for _, s := range sums {
			s.mean()
			merged = append(merged, *s)
		}
		return sortedGroups(merged, longest)
	}
	m.Slowest = merge(func(s *Snapshot) []CallGroup { return s.Slowest }, true)
	m.MostExpensive = merge(func(s *Snapshot) []CallGroup { return s.MostExpensive }, false)
}

func (m *Snapshot) mergeCounts(all []Snapshot) {
	latencies, estimates := map[operationKey]*histogram{}, map[operationKey]*Accuracy{}
	throttles, failures := map[throttleKey]*Throttle{}, map[errorKey]*ErrorCount{}
	outcomes, paths := map[[3]string]*Outcome{}, map[pathKey]*PathCount{}
	for i := range all {
		s := &all[i]
		for _, l := range s.Latencies {
			h := entry(latencies, operationKey{l.Table, l.Operation})
			h.count += l.Calls
			h.longest = max(h.longest, durationOf(l.MaxMs))
			countsOf(l.Buckets, h.buckets[:], bucketOf)
		}
		for _, a := range s.Estimates {
			entry(estimates, operationKey{a.Table, a.Operation}).plus(&a)
		}
		for _, t := range s.Throttles {
			sum := entry(throttles, throttleKey{t.Table, t.Index, t.Operation, t.Label, t.Reason})
			t.Count, t.HotKey, t.Last = t.Count+sum.Count, t.HotKey || sum.HotKey, later(t.Last, sum.Last)
			*sum = t
		}
		for _, e := range s.Errors {
			sum := entry(failures, errorKey{e.Table, e.Operation, e.Label, e.Type})
			e.Count, e.Last = e.Count+sum.Count, later(e.Last, sum.Last)
			*sum = e
		}
		for _, o := range s.Outcomes {
			sum := entry(outcomes, [3]string{o.Table, o.Operation, o.Label})
			o.UnknownOutcomes += sum.UnknownOutcomes
			o.FailedConditions += sum.FailedConditions
			o.Unprocessed += sum.Unprocessed
			o.OverBudget += sum.OverBudget
			*sum = o
		}
		for _, p := range s.Paths {
			sum := entry(paths, pathKey{p.Table, p.Operation, p.Label, p.Path, p.Reason})
			p.Count += sum.Count
			*sum = p
		}
	}
	m.addSums(latencies, estimates)
	m.Throttles, m.Errors = listOf(throttles), listOf(failures)
	m.Outcomes, m.Paths = listOf(outcomes), listOf(paths)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func listOf[K comparable, V any](m map[K]*V) []V {
	all := make([]V, 0, len(m))
	for _, v := range m {
		all = append(all, *v)
	}
	return all
}

// mergeConsumers sums up the consumers with the same name, because each process has some of the shards, and lists the budgets and
// long calls of each process.
func (m *Snapshot) mergeConsumers(all []Snapshot) {
	sums, layers := map[[3]string]*Consumer{}, map[[3]string]*layerstats.Stat{}
	for i := range all {
		for _, c := range all[i].Consumers {
			key := [3]string{c.Kind, c.Table, c.Consumer}
			sum := sums[key]
			if sum == nil {
				sums[key] = &c
				continue
			}
			sum.Stats = consumers.Merge(sum.Stats, c.Stats)
			sum.AgeMs, sum.ReadAgeMs = max(sum.AgeMs, c.AgeMs), max(sum.ReadAgeMs, c.ReadAgeMs)
		}
		for _, l := range all[i].Layers {
			sum := entry(layers, [3]string{l.Layer, l.Table, l.Event})
			l.Count += sum.Count
			*sum = l
		}
		process := ""
		if len(all) > 1 && len(all[i].Processes) > 0 {
			process = all[i].Processes[0].Name
		}
		for _, b := range all[i].Budgets {
			b.Process = cmp.Or(b.Process, process)
			m.Budgets = append(m.Budgets, b)
		}
		for _, c := range all[i].LongCalls {
			c.Process = cmp.Or(c.Process, process)
			m.LongCalls = append(m.LongCalls, c)
		}
	}
	m.Layers = append(m.Layers, listOf(layers)...)
	sortBy(m.Layers, func(a, b layerstats.Stat) int {
		return cmp.Or(cmp.Compare(a.Layer, b.Layer), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Event, b.Event))
	})
	m.Consumers = append(m.Consumers, listOf(sums)...)
	sortBy(m.Consumers, func(a, b Consumer) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Consumer, b.Consumer))
	})
}
