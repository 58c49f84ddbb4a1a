// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/dynamotable/ddb"
)

const (
	keptCalls       = 10 // in each list
	maxExplainBytes = 4 << 10
	maxHashes       = 4 // of partition keys, in a call
)

// recentCalls are the calls that are worth most of the period under way and of the one before it.
type recentCalls struct {
	worth    func(*CallRecord) float64
	period   int64
	now, old []CallRecord // most first
	last     int64        // id
}

func (l *recentCalls) turn(now time.Time) {
	period := periodOf(now)
	switch {
	case period == l.period+1:
		l.old, l.now = l.now, nil
	case period > l.period:
		l.old, l.now = nil, nil
	default:
		return
	}
	l.period = period
}

func (l *recentCalls) wants(now time.Time, worth float64) bool {
	l.turn(now)
	return worth > 0 && (len(l.now) < keptCalls || worth > l.worth(&l.now[len(l.now)-1]))
}

func (l *recentCalls) add(now time.Time, c CallRecord) {
	if !l.wants(now, l.worth(&c)) { // others came in between
		return
	}
	l.last++
	c.ID = l.last
	at, _ := slices.BinarySearchFunc(l.now, l.worth(&c), func(o CallRecord, worth float64) int {
		if l.worth(&o) >= worth {
			return -1
		}
		return 1
	})
	l.now = slices.Insert(l.now[:min(len(l.now), keptCalls-1)], min(at, keptCalls-1), c)
}

func (l *recentCalls) calls(now time.Time) []CallRecord {
	l.turn(now)
	all := append(slices.Clone(l.now), l.old...)
	slices.SortStableFunc(all, func(a, b CallRecord) int { return cmp.Compare(l.worth(&b), l.worth(&a)) })
	return append(make([]CallRecord, 0, keptCalls), all[:min(len(all), keptCalls)]...)
}

// newCallRecord takes from a call what is shown. It refers to nothing of the call, which
// may hold on to items.
func newCallRecord(now time.Time, call *ddb.Call) CallRecord {
	c := CallRecord{
		Time: now, Operation: call.Operation, Table: name(call.Table), Index: name(call.Index), Label: name(call.Label),
		DurationMs: milliseconds(call.Duration), Attempts: call.Attempts, Throttled: len(call.Throttled),
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
