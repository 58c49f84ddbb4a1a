// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"cmp"
	"slices"
	"time"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/hotkeys"
)

// Snapshot is what a recorder shows. Durations are in milliseconds, in fields that end in
// Ms; lists without entries are empty, not null.
type Snapshot struct {
	// Time is when the snapshot was taken, Since when the recorder was made.
	Time  time.Time `json:"time"`
	Since time.Time `json:"since"`
	// InFlight is how many requests are under way.
	InFlight int64 `json:"inFlight"`
	// Totals are of all requests that the recorder saw.
	Totals Totals `json:"totals"`
	// Averages are rates of the last 10, 60 and 300 seconds.
	Averages []Average `json:"averages"`
	Rates    Rates     `json:"rates"`
	// Units are what the ledger counts, most units first. The ledger counts from the
	// program's start, and so more than a recorder that came later.
	Units []Units `json:"units"`
	// Latencies are of requests that ended in the last five to ten minutes, by table and operation.
	Latencies []Latency `json:"latencies"`
	// Throttles are attempts that were throttled, most first.
	Throttles []Throttle `json:"throttles"`
	// Errors are requests that ended with an error, most first.
	Errors []ErrorCount `json:"errors"`
	// Paths are requests whose items did not take the fast path, and why, most first; see [ddb.HarmlessSteps].
	Paths []PathCount `json:"paths"`
	// HotKeys are the 20 partition keys that most capacity goes to, most first; with
	// the default half-life of a minute they are those of the last minutes.
	HotKeys []hotkeys.Key `json:"hotKeys"`
	// Consumers are those that run in this process, of feeds and of tables' streams.
	Consumers []Consumer `json:"consumers"`
	// Slowest and MostExpensive are the ten calls of the last five to ten minutes that took
	// longest and that cost most.
	Slowest       []CallRecord `json:"slowest"`
	MostExpensive []CallRecord `json:"mostExpensive"`
	// Estimates compare what answered requests have cost with what was expected, by table
	// and operation.
	Estimates []Accuracy `json:"estimates"`
}

// Consumer is what [consumers.List] tells of one.
type Consumer struct {
	consumers.Stats
	AgeMs     float64 `json:"ageMs"`
	ReadAgeMs float64 `json:"readAgeMs"`
}

// Totals are sums over all requests.
type Totals struct {
	Calls int64 `json:"calls"`
	// Failed are requests that failed: without failed conditions, which are answers, and
	// without those that their caller cancelled.
	Failed int64 `json:"failed"`
	// Throttled are attempts that were throttled, also those that a retry made good.
	Throttled int64 `json:"throttled"`
	// OffFastPath are requests whose items did not take the fast path.
	OffFastPath int64 `json:"offFastPath"`
	// Retries are attempts after the first.
	Retries    int64   `json:"retries"`
	ReadUnits  float64 `json:"readUnits"`
	WriteUnits float64 `json:"writeUnits"`
}

// Average is amounts by the second, over the last so many seconds or, while there are not
// so many, since the recorder was made.
type Average struct {
	Seconds    int     `json:"seconds"`
	Calls      float64 `json:"calls"`
	Failed     float64 `json:"failed"`
	Throttled  float64 `json:"throttled"`
	ReadUnits  float64 `json:"readUnits"`
	WriteUnits float64 `json:"writeUnits"`
}

// Rates are amounts of each of the 300 seconds before End, oldest first. A request counts
// in the second in which it ended.
type Rates struct {
	End        time.Time `json:"end"`
	Calls      []float64 `json:"calls"`
	Failed     []float64 `json:"failed"`
	Throttled  []float64 `json:"throttled"`
	ReadUnits  []float64 `json:"readUnits"`
	WriteUnits []float64 `json:"writeUnits"`
}

// Units are capacity units of one kind of operation on one table or index.
type Units struct {
	Table      string  `json:"table"`
	Index      string  `json:"index"` // empty for the table itself
	Operation  string  `json:"operation"`
	Label      string  `json:"label"` // see ddb.WithLabel
	Operations int64   `json:"operations"`
	ReadUnits  float64 `json:"readUnits"`
	WriteUnits float64 `json:"writeUnits"`
	Units      float64 `json:"units"` // both
	Share      float64 `json:"share"` // of the units of all, 0 to 1
}

// Latency are durations of requests, with their retries. The percentiles are off by a
// sixteenth at most; the longest is exact.
type Latency struct {
	Table     string  `json:"table"`
	Operation string  `json:"operation"`
	Calls     int64   `json:"calls"`
	P50Ms     float64 `json:"p50Ms"`
	P90Ms     float64 `json:"p90Ms"`
	P99Ms     float64 `json:"p99Ms"`
	MaxMs     float64 `json:"maxMs"`
}

// Throttle counts attempts that were throttled for one reason.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html
type Throttle struct {
	Table     string `json:"table"`
	Index     string `json:"index"`
	Operation string `json:"operation"`
	// Reason is DynamoDB's, such as TableReadKeyRangeThroughputExceeded; empty if it gave none.
	Reason string `json:"reason"`
	// HotKey is true if it was a single partition that was over its limit.
	HotKey bool      `json:"hotKey"`
	Count  int64     `json:"count"`
	Last   time.Time `json:"last"`
}

// ErrorCount counts requests that ended with one type of error.
type ErrorCount struct {
	Table     string `json:"table"`
	Operation string `json:"operation"`
	// Type is what [ddb.Call.ErrorType] says.
	Type string `json:"type"`
	// Answer is true for failed conditions and what the caller cancelled, which is no failure.
	Answer bool      `json:"answer"`
	Count  int64     `json:"count"`
	Last   time.Time `json:"last"`
}

// PathCount counts requests whose items did not take the fast path for one reason.
type PathCount struct {
	Table     string `json:"table"`
	Operation string `json:"operation"`
	// Path is the one that they took, and Reason names what of the client keeps them from the fast one.
	Path   ddb.Path `json:"path"`
	Reason string   `json:"reason"`
	Count  int64    `json:"count"`
}

// CallRecord is one request.
type CallRecord struct {
	// ID tells the calls of a list apart.
	ID        int64     `json:"id"`
	Time      time.Time `json:"time"` // of its end
	Operation string    `json:"operation"`
	Table     string    `json:"table"`
	// Tables are of a transaction, at most four.
	Tables     []string `json:"tables,omitempty"`
	Index      string   `json:"index"`
	Label      string   `json:"label"`
	DurationMs float64  `json:"durationMs"`
	Attempts   int      `json:"attempts"`
	Throttled  int      `json:"throttled"` // attempts
	Items      int      `json:"items"`     // asked for or written; 0 for Query and Scan
	Returned   int      `json:"returned"`
	Scanned    int      `json:"scanned"`
	ReadUnits  float64  `json:"readUnits"`
	WriteUnits float64  `json:"writeUnits"`
	Units      float64  `json:"units"`
	// Expected are the units that the request was expected to cost if it succeeds, and
	// Within whether it did; null if it failed or its cost is not known.
	Expected Range `json:"expected"`
	Within   *bool `json:"within"`
	// Error is its type; empty for none.
	Error string `json:"error"`
	// Partitions are hashes of the partition keys, at most four.
	Partitions []ddb.PartitionHash `json:"partitions,omitempty"`
	// Explain is what the request does, as text; see [ddb.Explain].
	Explain string `json:"explain"`
}

// Range is an amount of units between two bounds.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Accuracy compares estimates with what was billed.
type Accuracy struct {
	Table     string `json:"table"`
	Operation string `json:"operation"`
	Calls     int64  `json:"calls"`
	// Within are calls that cost what was expected, Below and Above those that cost less and more.
	Within int64 `json:"within"`
	Below  int64 `json:"below"`
	Above  int64 `json:"above"`
	// Share is Within of Calls, 0 to 1.
	Share float64 `json:"share"`
	// Expected and Actual are sums of units.
	Expected Range   `json:"expected"`
	Actual   float64 `json:"actual"`
}

const shownHotKeys = 20

// Snapshot returns all figures as they are now.
func (r *Recorder) Snapshot() Snapshot {
	if r == nil || r.now == nil { // New did not make it
		return New(WithLedger(cost.NewLedger())).Snapshot()
	}
	now := r.now()
	s := Snapshot{
		Time: now.UTC(), Since: r.since.UTC(), InFlight: max(0, r.inFlight.Load()),
		Units: unitsOf(r.ledger.Snapshot()), HotKeys: r.hot.Top(shownHotKeys),
	}
	s.Consumers = []Consumer{}
	for _, c := range consumers.List() {
		s.Consumers = append(s.Consumers, Consumer{c, milliseconds(c.Age), milliseconds(c.ReadAge)})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.Totals = r.totals
	s.Rates = r.rates.rates(now)
	s.Averages = s.Rates.averages(now.Sub(r.since))
	s.Latencies = r.latencies.latencies(now)
	s.Slowest, s.MostExpensive = r.slowest.calls(now), r.mostExpensive.calls(now)
	s.Throttles = values(r.throttles.m, func(a, b Throttle) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Index, b.Index),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Reason, b.Reason))
	})
	s.Errors = values(r.errors.m, func(a, b ErrorCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Table, b.Table),
			cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Type, b.Type))
	})
	s.Paths = values(r.paths.m, func(a, b PathCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Table, b.Table), cmp.Compare(a.Operation, b.Operation),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Reason, b.Reason))
	})
	s.Estimates = values(r.estimates.m, func(a, b Accuracy) int {
		return callKind{a.Operation, a.Table}.compare(callKind{b.Operation, b.Table})
	})
	for i, a := range s.Estimates {
		s.Estimates[i].Share = float64(a.Within) / float64(a.Calls)
	}
	return s
}

func unitsOf(c cost.Capacity) []Units {
	all, sum := make([]Units, len(c.Entries)), 0.0
	for i, e := range c.Entries {
		all[i] = Units{
			Table: e.Table, Index: e.Index, Operation: e.Operation, Label: e.Label, Operations: e.Operations,
			ReadUnits: e.ReadUnits, WriteUnits: e.WriteUnits, Units: e.Total(),
		}
		sum += e.Total()
	}
	for i := range all {
		if sum > 0 {
			all[i].Share = all[i].Units / sum
		}
	}
	slices.SortStableFunc(all, func(a, b Units) int { return cmp.Compare(b.Units, a.Units) })
	return all
}

func values[K comparable, V any](m map[K]*V, compare func(a, b V) int) []V {
	all := make([]V, 0, len(m))
	for _, v := range m {
		all = append(all, *v)
	}
	slices.SortFunc(all, compare)
	return all
}
