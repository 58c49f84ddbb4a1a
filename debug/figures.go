// SPDX-License-Identifier: Apache-2.0

package debug

import (
	"time"

	"github.com/dynamotable/ddb/consumers"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/hotkeys"
	"github.com/dynamotable/ddb/layerstats"
)

// Snapshot is what a recorder shows. Durations are in milliseconds, in fields that end in
// Ms; lists without entries are empty, not null.
type Snapshot struct {
	// Time is when the snapshot was taken, Since when the recorder was made; of several processes, the earliest time.
	Time  time.Time `json:"time"`
	Since time.Time `json:"since"`
	// Processes are those that the figures are of; see [Merge].
	Processes []Process `json:"processes"`
	// Filter selects the calls. Tables and Labels are the names that it can select: those that were seen.
	Filter Filter   `json:"filter"`
	Tables []string `json:"tables"`
	Labels []string `json:"labels"`
	// InFlight is the number of requests in flight.
	InFlight int64 `json:"inFlight"`
	// Totals are sums over all requests that the recorder saw.
	Totals Totals `json:"totals"`
	// Averages are rates of the last 10, 60 and 300 seconds.
	Averages []Average `json:"averages"`
	Rates    Rates     `json:"rates"`
	// History is the last hour, in steps of half a minute.
	History History `json:"history"`
	// Units are the ledger's counts, most units first. The ledger counts from the program's start, so it has more than a
	// recorder that was made later.
	Units []Units `json:"units"`
	// Cost is what the units cost; nil, and not in the JSON, without a price, see [WithPrice].
	Cost *Cost `json:"cost,omitempty"`
	// Throughput is what tables and indexes consumed in the last hour, next to what they have; see [Recorder.Describe].
	Throughput []Throughput `json:"throughput"`
	// Latencies are of requests that ended in the last five to ten minutes, by table and operation.
	Latencies []Latency `json:"latencies"`
	// Throttles are attempts that were throttled, most first.
	Throttles []Throttle `json:"throttles"`
	// Errors are requests that ended with an error, most first.
	Errors []ErrorCount `json:"errors"`
	// Outcomes count calls that neither succeeded nor failed, those with an unknown outcome first.
	Outcomes []Outcome `json:"outcomes"`
	// Budgets are those of [Recorder.ShowBudget].
	Budgets []BudgetUse `json:"budgets"`
	// LongCalls are those of the trackers of [Recorder.ShowProgress]; see [progress.Tracker.List].
	LongCalls []LongCall `json:"longCalls"`
	// Paths are requests by the path that their items took, and why, most first; see [ddb.HarmlessSteps].
	Paths []PathCount `json:"paths"`
	// HotKeys are the 20 partition keys that use the most capacity, most first; with the default half-life of a minute they
	// are those of the last minutes.
	HotKeys []HotKey `json:"hotKeys"`
	// SaltID identifies the salt of the hashes of keys: the hashes of two processes can be compared if it is the same; see
	// [hooks.SetPartitionSalt].
	SaltID hooks.PartitionHash `json:"saltId"`
	// Consumers are the consumers of feeds and of tables' streams that run in this process.
	Consumers []Consumer `json:"consumers"`
	// Layers count what the layers did in this process, such as states loaded from a snapshot; see [layerstats.List].
	Layers []layerstats.Stat `json:"layers"`
	// Slowest and MostExpensive are the groups of calls of the last five to ten minutes. The group with the longest call, or
	// with the call that cost most, is first. The first ten explain that call, and only they are on the page.
	Slowest       []CallGroup `json:"slowest"`
	MostExpensive []CallGroup `json:"mostExpensive"`
	// Estimates compare what answered requests cost with what was expected, by table and operation.
	Estimates []Accuracy `json:"estimates"`
}

// Process is a process whose statistics are in a snapshot.
type Process struct {
	Name     string    `json:"name"`
	Time     time.Time `json:"time"`
	Since    time.Time `json:"since"`
	InFlight int64     `json:"inFlight"`
	Calls    int64     `json:"calls"`
	Units    float64   `json:"units"`
	// Error says why its statistics are missing; it is empty if they are not.
	Error string `json:"error"`
}

// HotKey is one of the partition keys that use the most capacity.
type HotKey struct {
	hotkeys.Key

	// Process is set if the hashes of several processes cannot be compared.
	Process string `json:"process"`
}

// Consumer is an entry of [consumers.List].
type Consumer struct {
	consumers.Stats
	AgeMs     float64 `json:"ageMs"`
	ReadAgeMs float64 `json:"readAgeMs"`
}

// Totals are sums over all requests.
type Totals struct {
	Calls int64 `json:"calls"`
	// Failed are requests that failed, without failed conditions, which are answers, and without requests that their caller
	// cancelled.
	Failed int64 `json:"failed"`
	// FailedConditions are writes that were refused because a condition was false.
	FailedConditions int64 `json:"failedConditions"`
	// UnknownOutcomes are calls that ended with [ddb.ErrOutcomeUnknown].
	UnknownOutcomes int64 `json:"unknownOutcomes"`
	// OverBudget are requests that were not sent because a budget did not allow them.
	OverBudget int64 `json:"overBudget"`
	// Unprocessed are inputs of batches that DynamoDB left unprocessed, counted each time.
	Unprocessed int64 `json:"unprocessed"`
	// Throttled are attempts that were throttled, even if a retry succeeded.
	Throttled int64 `json:"throttled"`
	// OffFastPath are requests whose items did not take the fast path.
	OffFastPath int64 `json:"offFastPath"`
	// Retries are attempts after the first.
	Retries    int64   `json:"retries"`
	ReadUnits  float64 `json:"readUnits"`
	WriteUnits float64 `json:"writeUnits"`
}

// Average is amounts per second, over the last Seconds seconds or, if it is shorter, the time since the recorder was made.
type Average struct {
	Seconds    int     `json:"seconds"`
	Calls      float64 `json:"calls"`
	Failed     float64 `json:"failed"`
	Throttled  float64 `json:"throttled"`
	ReadUnits  float64 `json:"readUnits"`
	WriteUnits float64 `json:"writeUnits"`
}

// Counts are amounts by time, oldest first. A request counts when it ended.
type Counts struct {
	Calls            []float64 `json:"calls"`
	Failed           []float64 `json:"failed"`
	FailedConditions []float64 `json:"failedConditions"`
	Throttled        []float64 `json:"throttled"` // attempts
	ReadUnits        []float64 `json:"readUnits"`
	WriteUnits       []float64 `json:"writeUnits"`
}

// Rates are amounts of each of the 300 seconds before End.
type Rates struct {
	End time.Time `json:"end"`
	Counts
}

// History is an hour in 121 steps, the first beginning at Start; the last one is not complete yet.
type History struct {
	Start   time.Time `json:"start"`
	Seconds int       `json:"seconds"` // of a step
	Counts
	// Latencies of the requests of each step, with an error of at most an eighth, MaxMs exact; 0 if there were none.
	P50Ms []float64 `json:"p50Ms"`
	P99Ms []float64 `json:"p99Ms"`
	MaxMs []float64 `json:"maxMs"`
	// Buckets are the latencies of each step as counts, so that those of several processes can be added.
	Buckets [][]Bucket `json:"buckets,omitempty"`
}

// Bucket counts requests of about the same duration.
type Bucket struct {
	Ms    float64 `json:"ms"` // the middle of the bucket
	Calls int64   `json:"calls"`
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
	Share      float64 `json:"share"` // of all units, 0 to 1
	Cost       float64 `json:"cost"`  // 0 without a price
}

// Cost is what units cost, by the price of [WithPrice].
type Cost struct {
	Currency string `json:"currency"`
	// Total is the cost of Units; PerHour and PerMonth (730 hours) are the cost at the rate of the last five minutes.
	Total    float64 `json:"total"`
	PerHour  float64 `json:"perHour"`
	PerMonth float64 `json:"perMonth"`
}

// Throughput is what a table or index consumed in the 60 minutes before End, and its limits.
type Throughput struct {
	Table string    `json:"table"`
	Index string    `json:"index"`
	End   time.Time `json:"end"`
	// Source is the origin of the limits: provisioned, on-demand maximum, or warm throughput, above which a table takes some
	// time to grow; empty if they are not known.
	Source string `json:"source"`
	// Units per second, of the last minute and of the busiest minute. Share is the busiest minute divided by the limit, 0 to
	// 1; null without a limit.
	ReadPerSecond  float64  `json:"readPerSecond"`
	BusiestRead    float64  `json:"busiestRead"`
	ReadLimit      float64  `json:"readLimit"`
	ReadShare      *float64 `json:"readShare"`
	WritePerSecond float64  `json:"writePerSecond"`
	BusiestWrite   float64  `json:"busiestWrite"`
	WriteLimit     float64  `json:"writeLimit"`
	WriteShare     *float64 `json:"writeShare"`
	// Units of each minute, oldest first.
	ReadMinutes  []float64 `json:"readMinutes,omitempty"`
	WriteMinutes []float64 `json:"writeMinutes,omitempty"`
}

// Latency are durations of requests, including their retries. Percentiles have an error of at most a sixteenth; the longest
// is exact.
type Latency struct {
	Table     string  `json:"table"`
	Operation string  `json:"operation"`
	Calls     int64   `json:"calls"`
	P50Ms     float64 `json:"p50Ms"`
	P90Ms     float64 `json:"p90Ms"`
	P99Ms     float64 `json:"p99Ms"`
	MaxMs     float64 `json:"maxMs"`
	// Buckets are the counts from which the percentiles are computed.
	Buckets []Bucket `json:"buckets,omitempty"`
}

// Throttle counts attempts that were throttled for one reason.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/throttling-diagnosing.html
type Throttle struct {
	Table     string `json:"table"`
	Index     string `json:"index"`
	Operation string `json:"operation"`
	Label     string `json:"label"`
	// Reason is DynamoDB's, such as TableReadKeyRangeThroughputExceeded; empty if it gave none.
	Reason string `json:"reason"`
	// HotKey is true if a single partition was over its limit.
	HotKey bool      `json:"hotKey"`
	Count  int64     `json:"count"`
	Last   time.Time `json:"last"`
}

// ErrorCount counts requests that ended with one type of error.
type ErrorCount struct {
	Table     string `json:"table"`
	Operation string `json:"operation"`
	Label     string `json:"label"`
	// Type is the result of [hooks.Call.ErrorType].
	Type string `json:"type"`
	// Answer is true for failed conditions and for requests that the caller cancelled, which are not failures.
	Answer bool      `json:"answer"`
	Count  int64     `json:"count"`
	Last   time.Time `json:"last"`
}

// Outcome counts calls that neither succeeded nor failed; see [Totals].
type Outcome struct {
	Table            string `json:"table"`
	Operation        string `json:"operation"`
	Label            string `json:"label"`
	UnknownOutcomes  int64  `json:"unknownOutcomes"`
	FailedConditions int64  `json:"failedConditions"`
	Unprocessed      int64  `json:"unprocessed"`
	OverBudget       int64  `json:"overBudget"`
}

// BudgetUse is how much of a budget is spent; a limit of 0 is no limit.
type BudgetUse struct {
	Name         string  `json:"name"`
	Process      string  `json:"process"` // set if there are several
	ReadUnits    float64 `json:"readUnits"`
	ReadLimit    float64 `json:"readLimit"`
	WriteUnits   float64 `json:"writeUnits"`
	WriteLimit   float64 `json:"writeLimit"`
	Items        int64   `json:"items"`
	ItemLimit    int64   `json:"itemLimit"`
	Requests     int64   `json:"requests"`
	RequestLimit int64   `json:"requestLimit"`
}

// LongCall is the progress of a long call; see [progress.Progress].
type LongCall struct {
	Job     string `json:"job"`
	Process string `json:"process"` // set if there are several
	State   string `json:"state"`
	Reason  string `json:"reason"`
	// Share is how much is done, 0 to 1; null if it is not known.
	Share          *float64  `json:"share"`
	Started        time.Time `json:"started"`
	ElapsedSeconds float64   `json:"elapsedSeconds"`
	Items          int64     `json:"items"`
	Total          int64     `json:"total"` // 0 is not known
	Parts          int       `json:"parts"`
	PartsDone      int       `json:"partsDone"`
	ReadUnits      float64   `json:"readUnits"`
	WriteUnits     float64   `json:"writeUnits"`
	// Units per second of the last ten seconds, and their limit; 0 is no limit.
	ReadRate     float64 `json:"readRate"`
	WriteRate    float64 `json:"writeRate"`
	ReadCeiling  float64 `json:"readCeiling"`
	WriteCeiling float64 `json:"writeCeiling"`
	// The rest will probably take between these times; 0 as long as that is not known.
	LeftLowSeconds  float64 `json:"leftLowSeconds"`
	LeftHighSeconds float64 `json:"leftHighSeconds"`
}

// PathCount counts requests whose items took one path for one reason.
type PathCount struct {
	Table     string `json:"table"`
	Operation string `json:"operation"`
	Label     string `json:"label"`
	// Path is the path, and Reason names what in the client keeps items from the fast path; it is empty for the fast path.
	Path   hooks.Path `json:"path"`
	Reason string     `json:"reason"`
	Count  int64      `json:"count"`
}

// CallGroup summarizes the calls of one operation on one table or index with one label.
type CallGroup struct {
	Table     string `json:"table"`
	Index     string `json:"index"`
	Operation string `json:"operation"`
	Label     string `json:"label"`
	Calls     int64  `json:"calls"`
	Failed    int64  `json:"failed"`
	// Durations and units of the calls: mean, maximum and sum.
	MeanMs     float64 `json:"meanMs"`
	MaxMs      float64 `json:"maxMs"`
	TotalMs    float64 `json:"totalMs"`
	MeanUnits  float64 `json:"meanUnits"`
	MaxUnits   float64 `json:"maxUnits"`
	TotalUnits float64 `json:"totalUnits"`
	// Call is the call that took longest or, in MostExpensive, cost most.
	Call CallRecord `json:"call"`
}

// CallRecord is one request.
type CallRecord struct {
	Time time.Time `json:"time"` // of its end
	// Tables are of a transaction, at most four.
	Tables     []string `json:"tables,omitempty"`
	DurationMs float64  `json:"durationMs"`
	Attempts   int      `json:"attempts"`
	Throttled  int      `json:"throttled"` // attempts
	Items      int      `json:"items"`     // requested or written; 0 for Query and Scan
	Returned   int      `json:"returned"`
	Scanned    int      `json:"scanned"`
	ReadUnits  float64  `json:"readUnits"`
	WriteUnits float64  `json:"writeUnits"`
	Units      float64  `json:"units"`
	// Expected are the units that the request was expected to cost if it succeeds. Within says whether it cost that; null if
	// it failed or its cost is not known.
	Expected Range `json:"expected"`
	Within   *bool `json:"within"`
	// Error is the type of its error; empty if there was none.
	Error string `json:"error"`
	// Partitions are hashes of the partition keys, at most four.
	Partitions []hooks.PartitionHash `json:"partitions,omitempty"`
	// Explain describes the request as text; see [ddb.Explain].
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
	// Within is the number of calls that cost what was expected, Below and Above of those that cost less and more.
	Within int64 `json:"within"`
	Below  int64 `json:"below"`
	Above  int64 `json:"above"`
	// Share is Within of Calls, 0 to 1.
	Share float64 `json:"share"`
	// Expected and Actual are sums of units.
	Expected Range   `json:"expected"`
	Actual   float64 `json:"actual"`
}
