// SPDX-License-Identifier: Apache-2.0

package partiql

import "github.com/dynamotable/ddb/ddbtest/internal/value"

// A condition in the place of a value is a Boolean, as in
// attribute_exists(a) = false. Package expression does not support this, so it is
// rendered as an equivalent condition.
//
// https://github.com/floci-io/floci/pull/3798 has measured the rules.

// isCondition reports whether a node is a condition and not an operand.
func isCondition(n Node) bool {
	switch n := n.(type) {
	case *Compare, *Between, *In, *Is, *Not, *Junction:
		return true
	case *Call:
		switch n.Name {
		case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains":
			return true
		}
	}
	return false
}

// truth renders a comparison one side of which is a condition.
func (w *writer) truth(n *Compare) {
	condition, other := n.Left, n.Right
	if !isCondition(condition) {
		condition, other = other, condition
	}
	switch n.Op {
	case "=":
		w.condition(sameTruth(condition, other), true)
	case "<>":
		w.condition(&Not{sameTruth(condition, other)}, true)
	default:
		w.operandKind(n.Op, value.KindBool.String())
	}
}

// sameTruth returns the condition that a condition equals another node.
func sameTruth(condition, other Node) Node {
	both := func(a, b Node) Node { return &Junction{Parts: []Node{a, b}} }
	if l, ok := other.(*Literal); ok {
		switch l.Value {
		case value.Bool(true):
			return condition
		case value.Bool(false):
			return &Not{condition}
		default:
			return both(condition, &Not{condition}) // no other value equals a Boolean
		}
	}
	holds, fails := other, Node(&Not{other})
	if !isCondition(other) {
		holds = &Compare{"=", other, &Literal{value.Bool(true)}}
		fails = &Compare{"=", other, &Literal{value.Bool(false)}}
	}
	return &Junction{Or: true, Parts: []Node{both(condition, holds), both(&Not{condition}, fails)}}
}
