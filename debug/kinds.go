// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"strings"
	"time"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hooks"
)

const (
	maxNameBytes = 255 // of a table's name; labels and error types are cut
	overflowName = "other"
)

// bounded is a map of limited size. If it has most keys, further values use a coarser key, and if there are most/4 of those, one
// key for all.
type bounded[K comparable, V any] struct{ m map[K]*V }

// at returns the value at a key, or at the first of the others for which there is room; the last of them, for all, always has
// room.
func (b *bounded[K, V]) at(most int, key, coarser, all K) (v *V, at K) {
	if v = b.m[key]; v != nil {
		return v, key
	}
	if len(b.m) >= most {
		key = coarser
		if v = b.m[key]; v == nil && len(b.m) >= most+most/4 {
			key = all
			v = b.m[key]
		}
		if v != nil {
			return v, key
		}
	}
	if b.m == nil {
		b.m = make(map[K]*V)
	}
	v = new(V)
	b.m[key] = v
	return v, key
}

// name shortens a text, without a reference to the text that it was cut from.
func name(s string) string {
	if len(s) <= maxNameBytes {
		return s
	}
	return strings.ToValidUTF8(strings.Clone(s[:maxNameBytes]), "")
}

const maxKinds = 256

// kindKey is the key by which calls are distinguished: their group on the page.
type kindKey struct{ table, index, operation, label string }

// kind holds the statistics of the calls of one group.
type kind struct {
	kindKey

	series *series
	usage  *usage
	totals Totals
	fast   int64
	// The following fields are of the current period and of the one before it.
	period   int64
	now, old *window
	accuracy Accuracy
}

// window is one half of the recent calls.
type window struct {
	latency   histogram
	spent     cost.Consumed
	slowest   topCall
	costliest topCall
	failures  int64
}

// recent is half of the time for which latencies and the most expensive calls are kept: the current period and the previous one
// count, which is between five and ten minutes.
const recent = 5 * time.Minute

func periodOf(now time.Time) int64 { return now.Unix() / int64(recent/time.Second) }

// kindOf returns the kind of a call by its names.
func (r *Recorder) kindOf(table, index, operation, label string) *kind {
	key := kindKey{name(table), name(index), name(operation), name(label)}
	coarser := kindKey{key.table, key.index, key.operation, overflowName}
	k, key := r.kinds.at(maxKinds, key, coarser, kindKey{overflowName, "", overflowName, overflowName})
	if k.series == nil {
		k.kindKey = key
		k.series = r.seriesOf(key.table, key.label)
		k.usage = r.usageOf(key.table, key.index)
	}
	return k
}

// discardOld discards what is no longer recent.
func (k *kind) discardOld(now time.Time) {
	period := periodOf(now)
	switch {
	case period == k.period+1:
		k.old, k.now = k.now, nil
	case period > k.period:
		k.old, k.now = nil, nil
	default: // the same, or the clock went back
		return
	}
	k.period = period
}

// windows returns the windows of recent calls, none to two.
func (k *kind) windows(now time.Time) []*window {
	k.discardOld(now)
	var all []*window
	for _, w := range []*window{k.now, k.old} {
		if w != nil {
			all = append(all, w)
		}
	}
	return all
}

// add counts a call, and reports whether it is the slowest or the most expensive of its kind.
func (k *kind) add(now time.Time, call *hooks.Call) (slowest, costliest bool) {
	k.totals.add(call)
	if call.Path == hooks.FastPath {
		k.fast++
	}
	k.discardOld(now)
	if k.now == nil {
		k.now = new(window)
	}
	w := k.now
	w.latency.add(call.Duration)
	w.spent = w.spent.Plus(call.Consumed)
	if call.Failed() {
		w.failures++
	}
	if call.Err == nil {
		k.estimated(call)
	}
	slowest = call.Duration > w.slowest.duration
	costliest = call.Consumed.Total() > w.costliest.units
	return slowest, costliest
}

// estimated compares the cost of a request that succeeded with the expected cost.
func (k *kind) estimated(call *hooks.Call) {
	actual := call.Consumed.Total()
	if actual == 0 { // the reply does not contain it
		return
	}
	a := &k.accuracy
	a.Calls++
	a.Actual += actual
	expected := expectedOf(call)
	a.Expected.Min += expected.Min
	a.Expected.Max += expected.Max
	switch {
	case call.Estimate.Contains(call.Consumed):
		a.Within++
	case actual < expected.Min:
		a.Below++
	default:
		a.Above++
	}
}

func expectedOf(call *hooks.Call) Range {
	e := call.Estimate
	return Range{Min: e.Read.Min + e.Write.Min, Max: e.Read.Max + e.Write.Max}
}

// offFastPath reports whether the items of a call did not take the fast path. For a call without a table this is not known, and
// it returns false.
func offFastPath(call *hooks.Call) bool { return call.Path != "" && call.Path != hooks.FastPath }

// failedCondition reports whether a write failed because a condition was false.
func failedCondition(call *hooks.Call) bool {
	return call.Err != nil && !call.Failed() && call.ErrorType() != "canceled"
}

func (t *Totals) add(call *hooks.Call) {
	t.Calls++
	t.ReadUnits += call.Consumed.ReadUnits
	t.WriteUnits += call.Consumed.WriteUnits
	t.Throttled += int64(len(call.Throttled))
	t.Retries += int64(max(0, call.Attempts-1))
	t.Unprocessed += int64(max(0, call.Unprocessed))
	switch {
	case call.Failed():
		t.Failed++
	case failedCondition(call):
		t.FailedConditions++
	}
	if offFastPath(call) {
		t.OffFastPath++
	}
}

func (t *Totals) plus(o *Totals) {
	t.Calls += o.Calls
	t.Failed += o.Failed
	t.FailedConditions += o.FailedConditions
	t.UnknownOutcomes += o.UnknownOutcomes
	t.OverBudget += o.OverBudget
	t.Unprocessed += o.Unprocessed
	t.Throttled += o.Throttled
	t.OffFastPath += o.OffFastPath
	t.Retries += o.Retries
	t.ReadUnits += o.ReadUnits
	t.WriteUnits += o.WriteUnits
}
