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
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/redact"
	"github.com/dynamotable/ddb/internal/wire"
)

// Hook sees every request that tables send, for traces, metrics and logs. Package telemetry has one for OpenTelemetry,
// package debug one for its page, package hotkeys one that finds hot keys; [LogCalls] returns one that logs. [AddHook] adds
// a hook to all tables, [WithHook] to one.
//
// A Hook is called by many goroutines at once. It must not block: the caller of the
// table waits for it. Requests that create, describe and delete tables are not seen.
type Hook interface {
	// Begin is called before a request is sent. It returns ctx or a context derived from it, which is used for the request
	// and passed to End.
	Begin(ctx context.Context, call *Call) context.Context
	// End is called when the request has ended, with the same call, now complete. The hook may keep the call, but must not
	// change it.
	End(ctx context.Context, call *Call)
}

// FailureHook is a [Hook] that also sees failures that no single request shows: writes that ended with an unknown outcome,
// and requests that a budget ([WithBudget]) did not allow.
type FailureHook interface {
	Hook
	// Failed is called after the failure, with the context of the call. Like the other methods, it must not block.
	Failed(ctx context.Context, f *CallFailure)
}

// CallFailure is a call that ended with [ErrOutcomeUnknown], or a request that was not sent because of
// [cost.ErrBudgetExceeded]. Like a [Call] it holds no key values and no item data.
type CallFailure struct {
	// Operation is the name in the API, such as PutItem; the call's error has the same.
	Operation string
	// Table is the table's name; for a transaction on several tables, the first.
	Table string
	Index string // empty for the table itself
	Label string // see WithLabel
	// Items is the number of items concerned: those of a batch whose outcome is unknown, those of a transaction, else one.
	// It is 0 for a Query or Scan that a budget stopped.
	Items int
	// Err matches ErrOutcomeUnknown or cost.ErrBudgetExceeded.
	Err error
}

// reportFailure passes a failure to the hooks that are a FailureHook.
func reportFailure(ctx context.Context, cores []*core, f CallFailure) {
	for _, h := range hooksOf(cores) {
		if h, ok := h.(FailureHook); ok {
			seen := f
			seen.Label, seen.Err = callOptionsOf(ctx).label, ddberr.Redact(f.Err)
			h.Failed(ctx, &seen)
		}
	}
}

// ended is opError for a write of one item; it also reports an unknown outcome to hooks.
func (c *core) ended(ctx context.Context, op string, err error) error {
	if err = opError(op, c.name, "", err); errors.Is(err, ErrOutcomeUnknown) {
		reportFailure(ctx, []*core{c}, CallFailure{Operation: op, Table: c.name, Items: 1, Err: err})
	}
	return err
}

// Call is one request to DynamoDB, including the retries of the SDK client. It holds no key values and no item data, so all
// of it may be logged.
type Call struct {
	// Operation is the name in the API, such as GetItem.
	Operation string
	// Table is the table's name; for a transaction on several tables, the first.
	Table string
	// Tables are the names of all tables of a transaction.
	Tables []string
	Index  string // empty for the table itself
	Label  string // see WithLabel
	Write  bool
	// Items is the number of items that are requested or written; 0 for Query and Scan.
	Items int
	// Limit is the most items that a Query or Scan evaluates; 0 means up to 1 MB.
	Limit      int
	Consistent bool
	Descending bool
	// Segment of Segments is the part that a parallel scan reads; Segments is 0 otherwise.
	Segment, Segments int
	// Partitions are hashes of the partition keys: of the key that a Query reads, or of each item. A Scan has none.
	Partitions []PartitionHash
	// Estimate is what the request was expected to cost; see [Explain].
	Estimate cost.Estimate
	Start    time.Time

	// The following fields are set when the request has ended.

	Duration time.Duration
	// Attempts is how often the request was sent.
	Attempts int
	// Throttled are the reasons of attempts that were throttled, even if a retry succeeded. An attempt that was throttled
	// without a reason has an empty one.
	Throttled []ddberr.ThrottlingReason
	// Consumed is the consumed capacity that the reply states.
	Consumed cost.Consumed
	// Capacity is Consumed by table and index.
	Capacity []cost.Entry
	// ItemCollections are the sizes of the item collections that were written to, if they were requested and the reply has
	// them; see [WithItemCollections] and [WarnCollectionSize].
	ItemCollections []ItemCollection
	// Returned is the number of items in the reply, Scanned the number that a Query or Scan read for them, before the filter.
	Returned, Scanned int
	// Unprocessed is the number of inputs of a batch that DynamoDB left unprocessed.
	Unprocessed int
	// Path says how items travelled. PathReason names what in the client keeps them from the fast path; it is empty for
	// [FastPath]. See [HarmlessSteps].
	Path       Path
	PathReason string
	// Err is nil for a request that was answered, even if parts were left unprocessed.
	Err error

	// Details answers what few hooks ask for; it is nil for a Call that no table made. Use the methods of Call.
	Details CallDetails `json:"-"`
}

// CallDetails computes what a [Call] does not store, since few hooks need it. Package ddb implements it.
type CallDetails interface {
	// Explain returns the explanation of the call; see [Call.Explain].
	Explain(call *Call) cost.Explanation
	// TransactionActions returns the permissions that a transaction needs; see [Call.Actions].
	TransactionActions() []Action
	// PartitionTables returns the table of each of the call's Partitions, if a transaction has several.
	PartitionTables() []string
}

// trackedCall is a call of hooks, and its request.
type trackedCall struct {
	Call
	took wire.Took
	info requestInfo
	core *core
}

// Explain implements [CallDetails].
func (t *trackedCall) Explain(c *Call) cost.Explanation {
	x := t.info.explain(t.core, c.Estimate)
	x.PathReason = c.PathReason
	return x
}

// TransactionActions implements [CallDetails].
func (t *trackedCall) TransactionActions() (all []Action) {
	for _, a := range t.info.actions {
		action := Action{Name: "dynamodb:" + actionOf(a.verb), Table: a.core.name}
		if !slices.Contains(all, action) {
			all = append(all, action)
		}
	}
	return all
}

// PartitionTables implements [CallDetails].
func (t *trackedCall) PartitionTables() []string {
	all := make([]string, len(t.info.actions))
	for i, a := range t.info.actions {
		all[i] = a.core.name
	}
	return all
}

// ErrorType returns a short name of Err, for metrics: the service's error code such as ConditionalCheckFailedException, or
// timeout, canceled, network; empty if Err is nil.
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

// Failed reports whether the request failed. A failed condition, which is an answer, and the caller's own cancellation are
// not failures.
func (c *Call) Failed() bool {
	if c == nil {
		return false
	}
	return c.Err != nil && !answered(c.Err)
}

// Explain returns what the request does and what it was expected to cost; see [Explain]. For a Call that no table made it
// uses the exported fields.
func (c *Call) Explain() cost.Explanation {
	if c == nil {
		return cost.Explanation{}
	}
	if c.Details == nil {
		return cost.Explanation{
			Operation: c.Operation, Table: c.Table, Index: c.Index, Consistent: c.Consistent, Descending: c.Descending,
			Items: c.Items, Limit: c.Limit, Read: c.Estimate.Read, Write: c.Estimate.Write, PathReason: c.PathReason,
		}
	}
	return c.Details.Explain(c)
}

var (
	globalHooks atomic.Pointer[[]Hook]
	hookIDs     []*byte // of each hook of globalHooks; guarded by hooksMutex
	hooksMutex  sync.Mutex
)

// AddHook makes a hook see the requests of all tables, until remove is called. For requests that have begun, End is still
// called. Adding a hook a second time has no effect, and either remove removes it. Hooks whose type cannot be compared, such
// as a struct with a slice, are added each time.
func AddHook(h Hook) (remove func()) {
	if h == nil {
		return func() {}
	}
	hooksMutex.Lock()
	defer hooksMutex.Unlock()
	all := Registered()
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
		setHooks(slices.Delete(slices.Clone(Registered()), at, at+1), slices.Delete(slices.Clone(hookIDs), at, at+1))
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

// Registered returns the hooks of [AddHook]. It must not be changed.
func Registered() []Hook {
	if p := globalHooks.Load(); p != nil {
		return *p
	}
	return nil
}

// WithHook makes a hook see the requests of one table, in addition to those of [AddHook]. If several tables of a transaction
// have the same hook, it sees the transaction once.
//
//go:noinline
func WithHook(h Hook) TableOption {
	return tableOption(func(c *core) error {
		if h == nil {
			return errors.New("option WithHook: the hook is nil")
		}
		c.hooks = Append(c.hooks, h)
		return nil
	})
}

// Append adds a hook to a list that lacks it. It returns a new slice, since others may be reading the old one.
func Append(all []Hook, h Hook) []Hook {
	if slices.ContainsFunc(all, func(other Hook) bool { return sameHook(h, other) }) {
		return all
	}
	return append(slices.Clip(all), h)
}

func sameHook(a, b Hook) bool {
	return reflect.ValueOf(a).Comparable() && reflect.ValueOf(b).Comparable() && a == b
}

// hooksOf returns the hooks of all tables and those of the given tables.
func hooksOf(cores []*core) []Hook {
	all := Registered()
	for _, c := range cores {
		for _, h := range c.hooks {
			all = Append(all, h)
		}
	}
	return all
}

// newCall returns a call before it is sent.
func newCall(s *requestInfo, cores []*core, label string, estimate cost.Estimate) *trackedCall {
	c := cores[0]
	tracked := &trackedCall{info: *s, core: c}
	call := &tracked.Call
	*call = Call{
		Operation: s.op, Table: c.name, Index: s.index.label(), Label: label, Write: s.write, Items: s.inputs(), Limit: s.size,
		Consistent: s.consistent, Segment: s.segment.number, Estimate: estimate, Start: time.Now(), Details: tracked,
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
	return tracked
}

// complete fills in the result of a request.
func (c *trackedCall) complete(r *replyInfo, capacities []types.ConsumedCapacity, err error) {
	c.Duration = time.Since(c.Start)
	c.Path, c.PathReason = pathOf(c.took.Path), c.took.Why
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
	if err == nil || c.Attempts == 0 { // failed attempts were counted when they failed
		c.Attempts++
	}
}

// failed records one failed attempt.
func (c *trackedCall) failed(err error) (reasons []ddberr.ThrottlingReason, throttled bool) {
	c.Attempts++
	reasons, throttled = throttlingOf(err)
	if throttled && len(reasons) == 0 {
		reasons = []ddberr.ThrottlingReason{{}}
	}
	c.Throttled = append(c.Throttled, reasons...)
	return reasons, throttled
}
