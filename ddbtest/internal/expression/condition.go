// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The parameters that hold a condition; the name is used in error messages.
const (
	ConditionExpression = "ConditionExpression"
	FilterExpression    = "FilterExpression"
)

// Condition is a parsed condition or filter expression. It is immutable.
type Condition struct {
	root  node
	paths []Path
}

// ParseCondition parses the text of the parameter named by param.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
func ParseCondition(param, text string, params *Params) (*Condition, error) {
	root, err := parseConditionTree(param, text, params)
	if err != nil {
		return nil, err
	}
	c := &checker{param: param, params: params}
	if err := c.condition(root); err != nil {
		return nil, err
	}
	return &Condition{root: root, paths: c.paths}, nil
}

// Eval reports whether item meets the condition. A nil item is an item
// that does not exist. A nil Condition is met by every item. The error is
// always nil: all errors of a condition are found when it is parsed.
func (c *Condition) Eval(item value.Item) (bool, error) {
	return c == nil || meets(c.root, item), nil
}

// Paths returns the document paths that the condition names, in order.
func (c *Condition) Paths() []Path { return c.paths }

// Attributes returns the top-level attributes that the condition names, each
// once, in the order in which they appear.
func (c *Condition) Attributes() []string { return attributes(c.paths) }

func meets(n node, item value.Item) bool {
	switch n := n.(type) {
	case *junctionNode:
		for _, part := range n.conditions {
			if meets(part, item) == n.or {
				return n.or
			}
		}
		return !n.or
	case *notNode:
		return !meets(n.condition, item)
	case *compareNode:
		return compare(n.op, operand(n.left, item), operand(n.right, item))
	case *betweenNode:
		v := operand(n.operand, item)
		return compare(">=", v, operand(n.lower, item)) && compare("<=", v, operand(n.upper, item))
	case *inNode:
		v := operand(n.operand, item)
		return slices.ContainsFunc(n.list, func(e node) bool { return compare("=", v, operand(e, item)) })
	case *callNode:
		return test(n, item)
	default:
		return false
	}
}

// operand returns the value of an operand, or nil if it has none.
func operand(n node, item value.Item) value.Value {
	switch n := n.(type) {
	case *pathNode:
		return n.path.lookup(item)
	case *valueNode:
		return n.value
	case *callNode:
		if size, ok := sizeOf(operand(n.args[0], item)); ok {
			return value.NumberFromInt(int64(size))
		}
	}
	return nil
}

// compare compares two values. Between a value that does not exist and others
// only <> holds.
func compare(op string, a, b value.Value) bool {
	if a == nil || b == nil {
		return op == "<>"
	}
	switch op {
	case "=":
		return value.Equal(a, b)
	case "<>":
		return !value.Equal(a, b)
	}
	order, ok := value.Compare(a, b)
	if !ok {
		return false
	}
	switch op {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	default:
		return order >= 0
	}
}

// sizeOf is the function size. It has no result for numbers, Booleans, nulls
// and missing values.
func sizeOf(v value.Value) (int, bool) {
	switch v := v.(type) {
	case value.String:
		n := 0
		for _, r := range string(v) {
			n += utf16.RuneLen(r)
		}
		return n, true
	case value.Binary:
		return len(v), true
	case value.List:
		return len(v), true
	case value.Map:
		return len(v), true
	case value.StringSet:
		return len(v), true
	case value.NumberSet:
		return len(v), true
	case value.BinarySet:
		return len(v), true
	default:
		return 0, false
	}
}

// test evaluates a function used as a condition.
func test(call *callNode, item value.Item) bool {
	first := operand(call.args[0], item)
	switch call.name {
	case "attribute_exists":
		return first != nil
	case "attribute_not_exists":
		return first == nil
	}
	second := operand(call.args[1], item)
	if first == nil || second == nil {
		return false
	}
	switch call.name {
	case "attribute_type":
		kind, _ := value.ParseKind(string(second.(value.String)))
		return first.Kind() == kind
	case "begins_with":
		return beginsWith(first, second)
	default:
		return contains(first, second)
	}
}

func beginsWith(v, prefix value.Value) bool {
	switch v := v.(type) {
	case value.String:
		p, ok := prefix.(value.String)
		return ok && strings.HasPrefix(string(v), string(p))
	case value.Binary:
		p, ok := prefix.(value.Binary)
		return ok && strings.HasPrefix(string(v), string(p))
	default:
		return false
	}
}

func contains(v, part value.Value) bool {
	switch v := v.(type) {
	case value.String:
		p, ok := part.(value.String)
		return ok && strings.Contains(string(v), string(p))
	case value.Binary:
		p, ok := part.(value.Binary)
		return ok && strings.Contains(string(v), string(p))
	case value.StringSet:
		p, ok := part.(value.String)
		return ok && slices.Contains(v, string(p))
	case value.NumberSet:
		p, ok := part.(value.Number)
		return ok && slices.Contains(v, p)
	case value.BinarySet:
		p, ok := part.(value.Binary)
		return ok && slices.Contains(v, string(p))
	case value.List:
		return slices.ContainsFunc(v, func(e value.Value) bool { return value.Equal(e, part) })
	default:
		return false
	}
}
