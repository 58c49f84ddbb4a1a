// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/ddberr"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
	"github.com/dynamotable/ddb/internal/redact"
)

// Call is the condition of a function with one argument, such as attribute_exists.
func Call(h *handle.Handle, name string) *handle.Condition {
	if err := h.Resolve(); err != nil {
		return handle.InvalidCond(err)
	}
	return handle.NewCondition(expr.Call{Name: name, Args: []expr.Node{h.Node()}}, nil)
}

// GuardOf is ddb.And of conditions that must not be zero: a missing guard would let everything through.
func GuardOf(of string, conds []*handle.Condition) *handle.Condition {
	if len(conds) == 1 && conds[0] != nil && conds[0].Node != nil {
		return conds[0]
	}
	nodes, err := handle.NodesOf(conds)
	if len(conds) == 0 {
		err = errors.Join(err, fmt.Errorf("%s without a condition, which would let everything through", of))
	}
	for i, cond := range conds {
		if node, wrong := cond.Parts(); node == nil && wrong == nil {
			err = errors.Join(err, fmt.Errorf("condition %d of %s is empty (the zero Cond or an And of nothing) and would let everything through", i+1, of))
		}
	}
	return handle.NewCondition(expr.All(nodes...), err)
}

// FailedCondition is the content of a ddb.ConditionFailed.
type FailedCondition struct {
	Missing, Needed bool
	Stale           bool // its version is not the required one
	Other           bool // it is of another type
	Current         any  // a *T, if there is an item
	DecodeErr       error
	Cause           error
}

// Text is the text of the error: the condition, and what is known of the item.
//
//go:noinline
func (f *FailedCondition) Text(condition string) string {
	state := "the item exists"
	switch {
	case f.Other:
		state = "there is an item of another type with this key"
	case f.Missing:
		state = "there is no item with this key"
	case f.Stale:
		state = "the item was written since it was read, and has another version: read it again and repeat the change"
	}
	return fmt.Sprintf("condition failed: %s (%s)", condition, state)
}

// Is reports whether the error matches.
//
//go:noinline
func (f *FailedCondition) Is(target error) bool {
	return target == ddberr.ErrConditionFailed || target == ddberr.ErrNotFound && f.Missing && f.Needed
}

// Causes returns the service's error, and the decoding error if the current item could not be read. Neither shows the item.
//
//go:noinline
func (f *FailedCondition) Causes() []error { return redact.All(f.Cause, f.DecodeErr) }
