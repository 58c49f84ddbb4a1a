// SPDX-License-Identifier: Apache-2.0

package core

import (
	"errors"
	"fmt"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/handle"
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

// FailedCondition is the content of a ConditionFailed; current is a *T, if there is an item.
type FailedCondition struct {
	Condition              string
	Missing, Needed, Stale bool
	Other                  bool
	Current                any
	DecodeErr, Cause       error
}

// ConditionText is the text of a ddb.ConditionFailed: the condition, and what is known of the item.
func ConditionText(condition string, missing, stale bool) string {
	state := "the item exists"
	switch {
	case missing:
		state = "there is no item with this key"
	case stale:
		state = "the item was written since it was read, and has another version: read it again and repeat the change"
	}
	return fmt.Sprintf("condition failed: %s (%s)", condition, state)
}
