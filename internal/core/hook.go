// SPDX-License-Identifier: Apache-2.0

package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/cost"
	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/hooks"
	"github.com/dynamotable/ddb/internal/operr"
	"github.com/dynamotable/ddb/internal/wire"
)

// reportFailure passes a failure to the hooks that are a hooks.FailureHook.
func reportFailure(ctx context.Context, cores []*Table, f hooks.Failure) {
	for _, h := range hooksOf(cores) {
		if h, ok := h.(hooks.FailureHook); ok {
			seen := f
			seen.Label, seen.Err = CallOptionsOf(ctx).Label, ddberr.Redact(f.Err)
			h.Failed(ctx, &seen)
		}
	}
}

// trackedCall is a call of hooks, and its request.
type trackedCall struct {
	hooks.Call
	took wire.Took
	info requestInfo
	core *Table
}

// Explain implements [hooks.Details].
func (c *trackedCall) Explain(call *hooks.Call) cost.Explanation {
	x := c.info.explain(c.core, call.Estimate)
	x.PathReason = call.PathReason
	return x
}

// TransactionActions implements [hooks.Details].
func (c *trackedCall) TransactionActions() (all []hooks.Action) {
	for _, a := range c.info.actions {
		action := hooks.Action{Name: "dynamodb:" + actionOf(a.verb), Table: a.core.Name}
		if !slices.Contains(all, action) {
			all = append(all, action)
		}
	}
	return all
}

// TransactionTable implements [hooks.Details].
func (c *trackedCall) TransactionTable(i int) string {
	if i >= len(c.info.actions) {
		return ""
	}
	return c.info.actions[i].core.Name
}

// actionOf is the action of an operation of a transaction.
func actionOf(verb string) string {
	switch verb {
	case "Get":
		return "GetItem"
	case "Check":
		return "ConditionCheckItem"
	case "Update", "Upsert":
		return "UpdateItem"
	case "Delete":
		return "DeleteItem"
	}
	return "PutItem"
}

// hooksOf returns the hooks of all tables and those of the given tables.
func hooksOf(cores []*Table) []hooks.Hook {
	all := hooks.Registered()
	for _, c := range cores {
		for _, h := range c.hooks {
			all = hooks.Append(all, h)
		}
	}
	return all
}

// newCall returns a call before it is sent.
func newCall(s *requestInfo, cores []*Table, label string, estimate cost.Estimate) *trackedCall {
	c := cores[0]
	tracked := &trackedCall{info: *s, core: c}
	call := &tracked.Call
	*call = hooks.Call{
		Operation: s.op, Table: c.Name, Index: s.index.Label(), Label: label, Write: s.write, Items: s.inputs(), Limit: s.size,
		Consistent: s.consistent, Segment: s.segment.Number, Estimate: estimate, Start: time.Now(), Details: tracked,
	}
	if s.segment.Total > 1 {
		call.Segments = s.segment.Total
	}
	if s.read != nil {
		call.Descending = s.read.backwards
	}
	if s.transaction() {
		for _, c := range cores {
			if !slices.Contains(call.Tables, c.Name) {
				call.Tables = append(call.Tables, c.Name)
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
	c.Returned, c.Scanned, c.Err = r.returned, r.scanned, ddberr.Redact(err)
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
	reasons, throttled = operr.Throttling(err)
	if throttled && len(reasons) == 0 {
		reasons = []ddberr.ThrottlingReason{{}}
	}
	c.Throttled = append(c.Throttled, reasons...)
	return reasons, throttled
}

// WithHookOption is the option ddb.WithHook.
//
//go:noinline
func WithHookOption(h hooks.Hook) TableOption {
	return TableOption(func(c *Table) error {
		if h == nil {
			return errors.New("option WithHook: the hook is nil")
		}
		c.hooks = hooks.Append(c.hooks, h)
		return nil
	})
}

// ended is operr.New for a write of one item; it also reports an unknown outcome to hooks.
func (c *Table) ended(ctx context.Context, op string, err error) error {
	if err = operr.New(op, c.Name, "", err); errors.Is(err, ddberr.ErrOutcomeUnknown) {
		reportFailure(ctx, []*Table{c}, hooks.Failure{Operation: op, Table: c.Name, Items: 1, Err: err})
	}
	return err
}
