// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"encoding/base64"
	"slices"
	"strconv"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

var ordered = []value.Kind{value.KindString, value.KindNumber, value.KindBinary}

// condition checks a tree of conditions.
func (c *checker) condition(root node) error {
	if err := c.functionNames(root); err != nil {
		return err
	}
	if err := c.conditionCalls(root, true); err != nil {
		return err
	}
	if err := c.names(root); err != nil {
		return err
	}
	return c.operands(root)
}

// conditionCalls fails on a function where it is not allowed: size as a
// condition, or any other as an operand.
func (c *checker) conditionCalls(n node, asCondition bool) error {
	if call, ok := n.(*callNode); ok {
		if _, ok := updateFunctions[call.name]; ok {
			return c.invalid("The function is not allowed in a condition expression; function: " + call.name)
		}
		if asCondition == (call.name == "size") {
			return c.invalid("The function is not allowed to be used this way in an expression; function: " + call.name)
		}
	}
	switch n.(type) {
	case *junctionNode, *notNode:
	default:
		asCondition = false
	}
	for _, child := range children(n) {
		if err := c.conditionCalls(child, asCondition); err != nil {
			return err
		}
	}
	return nil
}

// operands checks the operands of every condition, from left to right and from
// the inside out.
func (c *checker) operands(n node) error {
	for _, child := range children(n) {
		if err := c.operands(child); err != nil {
			return err
		}
	}
	switch n := n.(type) {
	case *pathNode, *valueNode:
		return c.resolve(n)
	case *callNode:
		return c.conditionCall(n)
	case *compareNode:
		if err := c.distinct(n.op, n.left, n.right); err != nil {
			return err
		}
		if n.op != "=" && n.op != "<>" {
			return c.operandKinds(n.op, children(n), ordered...)
		}
	case *betweenNode:
		if err := c.operandKinds("BETWEEN", children(n), ordered...); err != nil {
			return err
		}
		return c.bounds(n)
	case *inNode:
		if len(n.list) > maxInOperands {
			return c.invalid("The IN operator is provided with too many operands; number of operands: " + strconv.Itoa(len(n.list)))
		}
	}
	return nil
}

func (c *checker) conditionCall(call *callNode) error {
	if err := c.operandCount(call, conditionFunctions[call.name]); err != nil {
		return err
	}
	if len(call.args) == 2 {
		if err := c.distinct(call.name, call.args[0], call.args[1]); err != nil {
			return err
		}
	}
	switch call.name {
	case "attribute_exists", "attribute_not_exists":
		return c.documentPath(call)
	case "attribute_type":
		return c.typeName(call.args[1])
	case "begins_with":
		return c.operandKinds(call.name, call.args, value.KindString, value.KindBinary)
	case "size":
		return c.operandKinds(call.name, call.args, value.KindString, value.KindBinary, value.KindList, value.KindMap,
			value.KindStringSet, value.KindNumberSet, value.KindBinarySet)
	}
	return nil
}

// typeName checks the second operand of attribute_type.
func (c *checker) typeName(n node) error {
	switch k := staticKind(n); k {
	case 0:
		return c.operandKind("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
	case value.KindString:
	default:
		return c.operandKind("attribute_type", k.String())
	}
	name := string(n.(*valueNode).value.(value.String))
	if _, ok := value.ParseKind(name); !ok {
		return c.invalid("Invalid attribute type name found; type: " + name + ", valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}")
	}
	return nil
}

// distinct fails if both operands are the same path.
func (c *checker) distinct(operator string, first, second node) error {
	p, ok := first.(*pathNode)
	q, ok2 := second.(*pathNode)
	if !ok || !ok2 || !slices.Equal(p.path, q.path) {
		return nil
	}
	return c.invalid("The first operand must be distinct from the remaining operands for this operator or function; operator: " +
		operator + ", first operand: " + p.path.String())
}

// bounds fails if the bounds of BETWEEN are of different types or inverted.
func (c *checker) bounds(b *betweenNode) error {
	lower, ok := b.lower.(*valueNode)
	upper, ok2 := b.upper.(*valueNode)
	if !ok || !ok2 {
		return nil
	}
	operands := "; lower bound operand: AttributeValue: " + show(lower.value) + ", upper bound operand: AttributeValue: " + show(upper.value)
	order, ok := value.Compare(lower.value, upper.value)
	switch {
	case !ok:
		return c.invalid("The BETWEEN operator requires same data type for lower and upper bounds" + operands)
	case order > 0:
		return c.invalid("The BETWEEN operator requires upper bound to be greater than or equal to lower bound" + operands)
	}
	return nil
}

// show returns a string, number or binary as the service's messages show it.
func show(v value.Value) string {
	text := ""
	switch v := v.(type) {
	case value.String:
		text = string(v)
	case value.Number:
		text = v.String()
	case value.Binary:
		text = base64.StdEncoding.EncodeToString([]byte(v))
	}
	return "{" + v.Kind().String() + ":" + text + "}"
}
