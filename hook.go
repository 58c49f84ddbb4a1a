// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/internal/redact"
	"github.com/dynamotable/ddb/internal/wire"
)

// Hook sees every request that tables send: for traces, metrics, logs. Package
// telemetry has one for OpenTelemetry, package debug one that draws a page,
// package hotkeys one that finds hot keys, and [LogCalls] one that logs. [AddHook] puts one on all tables,
// [WithHook] on one.
//
// A Hook is called by many goroutines at once. It must not block: the caller of the
// table waits for it. Requests that create, describe and delete tables are not seen.
type Hook interface {
	// Begin is called before a request is sent. The context that it returns, ctx or
	// one made of it, goes with the request and to End.
	Begin(ctx context.Context, call *Call) context.Context
	// End is called when the request has ended, with the same call, completed. The
	// hook may keep the call, but must not change it.
	End(ctx context.Context, call *Call)
}

// FailureHook is a [Hook] that also sees what no request shows: writes that ended with an unknown outcome, and requests that a
// budget ([WithBudget]) did not allow.
type FailureHook interface {
	Hook
	// Failed is called when it has happened, with the context of the call. It must not block, as a Hook must not.
	Failed(ctx context.Context, f *CallFailure)
}

// CallFailure is a call that ended with [ErrOutcomeUnknown], or a request of a call that was not sent because of [cost.ErrBudgetExceeded].
// Like a [Call] it holds no key values and no item data.
type CallFailure struct {
	// Operation is the name in the API, such as PutItem, that the call's error names as well.
	Operation string
	// Table is the table's name; of a transaction on several, the first.
	Table string
	Index string // empty for the table itself
	Label string // see WithLabel
	// Items is how many items it is about: the members of a batch whose outcome is unknown, those of a transaction, else one. It is 0 for a
	// Query or Scan that a budget stopped.
	Items int
	// Err matches ErrOutcomeUnknown or cost.ErrBudgetExceeded.
	Err error
}

// reportFailure shows a failure to the hooks that want to see it.
func reportFailure(ctx context.Context, cores []*core, f CallFailure) {
	for _, h := range hooksOf(cores) {
		if h, ok := h.(FailureHook); ok {
			seen := f
			seen.Label, seen.Err = callOptionsOf(ctx).label, RedactError(f.Err)
			h.Failed(ctx, &seen)
		}
	}
}

// ended is opError for a write of one item; hooks see an outcome that is unknown.
func (c *core) ended(ctx context.Context, op string, err error) error {
	if err = opError(op, c.name, "", err); errors.Is(err, ErrOutcomeUnknown) {
		reportFailure(ctx, []*core{c}, CallFailure{Operation: op, Table: c.name, Items: 1, Err: err})
	}
	return err
}

// Call is one request to DynamoDB, with the retries of the SDK client inside it. It
// holds no key values and no item data, so that all of it may be logged.
type Call struct {
	// Operation is the name in the API, such as GetItem.
	Operation string
	// Table is the table's name; of a transaction on several, the first.
	Table string
	// Tables are the names of all tables of a transaction.
	Tables []string
	Index  string // empty for the table itself
	Label  string // see WithLabel
	Write  bool
	// Items is how many items are asked for or written; 0 for Query and Scan.
	Items int
	// Limit is how many items a Query or Scan evaluates at most; 0 is no bound but 1 MB.
	Limit      int
	Consistent bool
	Descending bool
	// Segment of Segments is the part that a parallel scan reads; Segments is 0 otherwise.
	Segment, Segments int
	// Partitions are hashes of the partition keys: of the one that a Query reads, or of
	// each item. There are none for a Scan.
	Partitions []PartitionHash
	// Estimate is what the request was expected to cost; see [Explain].
	Estimate cost.Estimate
	Start    time.Time

	// The rest is known at the end.

	Duration time.Duration
	// Attempts is how often the request was sent.
	Attempts int
	// Throttled are the reasons of attempts that were throttled, also of those that a
	// retry made good. An attempt throttled without a reason counts as one without text.
	Throttled []ThrottlingReason
	// Consumed is what the reply says that it cost.
	Consumed cost.Consumed
	// Capacity is Consumed by table and index.
	Capacity []cost.Entry
	// ItemCollections are the sizes of the item collections that were written to, as far as they were asked for and the reply
	// says them; see [WithItemCollections] and [WarnCollectionSize].
	ItemCollections []ItemCollection
	// Returned is how many items the reply held, Scanned how many a Query or Scan read
	// for them, before the filter.
	Returned, Scanned int
	// Unprocessed is how many members of a batch came back to be sent again.
	Unprocessed int
	// Path is the way that items took, and PathReason names what of the client keeps them from the fast path; it is empty for
	// [FastPath]. See [HarmlessSteps].
	Path       Path
	PathReason string
	// Err is nil for a request that was answered, of which parts may be left unprocessed.
	Err error

	took wire.Took
	info requestInfo
	core *core
}

// ErrorType is a short name of what Err is, for metrics: the service's error code such
// as ConditionalCheckFailedException, or timeout, canceled, network; empty for no error.
func (c *Call) ErrorType() string {
	if c == nil {
		return ""
	}
	switch {
	case c.Err == nil:
		return ""
	case errors.Is(c.Err, context.Canceled):
		return "canceled"
	}
	if api, ok := errors.AsType[smithy.APIError](c.Err); ok {
		return redact.Code(api)
	}
	var timeout interface{ Timeout() bool }
	if errors.Is(c.Err, context.DeadlineExceeded) || errors.As(c.Err, &timeout) && timeout.Timeout() {
		return "timeout"
	}
	return "network"
}

// Failed reports whether the request has failed: its error is neither a failed
// condition, which is an answer, nor the caller's own cancellation.
func (c *Call) Failed() bool {
	if c == nil {
		return false
	}
	return c.Err != nil && !answered(c.Err)
}

// Explain tells what the request does and what it was expected to cost; see [Explain].
// A Call that no table made is explained by its fields.
func (c *Call) Explain() cost.Explanation {
	if c == nil {
		return cost.Explanation{}
	}
	if c.core == nil {
		return cost.Explanation{
			Operation: c.Operation, Table: c.Table, Index: c.Index, Consistent: c.Consistent, Descending: c.Descending,
			Items: c.Items, Limit: c.Limit, Read: c.Estimate.Read, Write: c.Estimate.Write, PathReason: c.PathReason,
		}
	}
	x := c.info.explain(c.core, c.Estimate)
	x.PathReason = c.PathReason
	return x
}

var (
	globalHooks atomic.Pointer[[]Hook]
	hookIDs     []*byte // of each hook of globalHooks; guarded by hooksMutex
	hooksMutex  sync.Mutex
)

// AddHook makes a hook see the requests of all tables, until remove is called. A
// request that has begun is still ended. To add a hook twice does nothing, and either remove takes it
// away; hooks of a type that == cannot compare, such as a struct with a slice, are each added.
func AddHook(h Hook) (remove func()) {
	if h == nil {
		return func() {}
	}
	hooksMutex.Lock()
	defer hooksMutex.Unlock()
	all := hooksOfAll()
	at := slices.IndexFunc(all, func(other Hook) bool { return sameHook(h, other) })
	if at < 0 {
		at = len(all)
		setHooks(append(slices.Clip(all), h), append(slices.Clip(hookIDs), new(byte)))
	}
	id := hookIDs[at]
	return func() { removeHook(id) }
}

func removeHook(id *byte) {
	hooksMutex.Lock()
	defer hooksMutex.Unlock()
	if at := slices.Index(hookIDs, id); at >= 0 {
		setHooks(slices.Delete(slices.Clone(hooksOfAll()), at, at+1), slices.Delete(slices.Clone(hookIDs), at, at+1))
	}
}

func setHooks(all []Hook, ids []*byte) {
	hookIDs = ids
	if len(all) == 0 {
		globalHooks.Store(nil)
		return
	}
	globalHooks.Store(&all)
}

func hooksOfAll() []Hook {
	if p := globalHooks.Load(); p != nil {
		return *p
	}
	return nil
}

// WithHook makes a hook see the requests of one table, besides those of [AddHook]. A
// transaction on several tables is seen once by a hook that several of them have.
func WithHook(h Hook) TableOption {
	return tableOption(func(c *core) error {
		if h == nil {
			return errors.New("option WithHook: the hook is nil")
		}
		c.hooks = addHook(c.hooks, h)
		return nil
	})
}

// addHook returns a new slice: others may be reading the old one.
func addHook(all []Hook, h Hook) []Hook {
	if slices.ContainsFunc(all, func(other Hook) bool { return sameHook(h, other) }) {
		return all
	}
	return append(slices.Clip(all), h)
}

func sameHook(a, b Hook) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// hooksOf are those of all tables and those of the given.
func hooksOf(cores []*core) []Hook {
	all := hooksOfAll()
	for _, c := range cores {
		for _, h := range c.hooks {
			all = addHook(all, h)
		}
	}
	return all
}

// newCall is a call before it is sent.
func newCall(s *requestInfo, cores []*core, label string, estimate cost.Estimate) *Call {
	c := cores[0]
	call := &Call{
		Operation: s.op, Table: c.name, Index: s.index.label(), Label: label, Write: s.write, Items: s.inputs(), Limit: s.size,
		Consistent: s.consistent, Segment: s.segment.number, Estimate: estimate, Start: time.Now(), info: *s, core: c,
	}
	if s.segment.total > 1 {
		call.Segments = s.segment.total
	}
	if s.read != nil {
		call.Descending = s.read.backwards
	}
	if s.transaction() {
		for _, c := range cores {
			if !slices.Contains(call.Tables, c.name) {
				call.Tables = append(call.Tables, c.name)
			}
		}
	}
	call.Partitions = s.partitions(c)
	return call
}

// complete fills in what a request gave.
func (c *Call) complete(r *replyInfo, capacities []types.ConsumedCapacity, err error) {
	c.Duration = time.Since(c.Start)
	c.Path, c.PathReason = pathOf(c.took.Way), c.took.Why
	c.Returned, c.Scanned, c.Err = r.returned, r.scanned, RedactError(err)
	if c.info.entries != nil && err == nil {
		c.Unprocessed = max(0, len(c.info.entries)-r.items)
	}
	c.Consumed = cost.ConsumedOf(c.Write, capacities...)
	for _, cc := range capacities {
		for _, p := range cost.PartsOf(c.Write, cc) {
			if p.Units.Total() == 0 {
				continue
			}
			c.Capacity = append(c.Capacity, cost.Entry{
				Table: cost.TableOf(c.Table, cc, len(capacities) == 1), Index: p.Index, Operation: c.Operation, Label: c.Label,
				ReadUnits: p.Units.ReadUnits, WriteUnits: p.Units.WriteUnits,
			})
		}
	}
	if err == nil || c.Attempts == 0 { // failed attempts were counted as they failed
		c.Attempts++
	}
}

// failed notes one attempt that failed.
func (c *Call) failed(err error) (reasons []ThrottlingReason, throttled bool) {
	c.Attempts++
	reasons, throttled = throttlingOf(err)
	if throttled && len(reasons) == 0 {
		reasons = []ThrottlingReason{{}}
	}
	c.Throttled = append(c.Throttled, reasons...)
	return reasons, throttled
}
