// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"slices"
	"strconv"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// checker finds the errors of a parsed tree and resolves its placeholders.
type checker struct {
	param  string
	params *Params
	paths  []Path
}

func (c *checker) invalid(message string) error {
	return invalid(c.param, message)
}

// conditionFunctions and updateFunctions give the number of operands.
var (
	conditionFunctions = map[string]int{
		"attribute_exists":     1,
		"attribute_not_exists": 1,
		"attribute_type":       2,
		"begins_with":          2,
		"contains":             2,
		"size":                 1,
	}
	updateFunctions = map[string]int{
		"if_not_exists": 2,
		"list_append":   2,
	}
)

// children returns the direct children of n in the order of the text.
func children(n node) []node {
	switch n := n.(type) {
	case *callNode:
		return n.args
	case *arithmeticNode:
		return []node{n.left, n.right}
	case *compareNode:
		return []node{n.left, n.right}
	case *betweenNode:
		return []node{n.operand, n.lower, n.upper}
	case *inNode:
		return slices.Concat([]node{n.operand}, n.list)
	case *notNode:
		return []node{n.condition}
	case *junctionNode:
		return n.conditions
	default:
		return nil
	}
}

// walk calls f for n and every node below it until f returns an error.
func walk(n node, f func(node) error) error {
	if err := f(n); err != nil {
		return err
	}
	for _, child := range children(n) {
		if err := walk(child, f); err != nil {
			return err
		}
	}
	return nil
}

// functionNames fails on a function that does not exist.
func (c *checker) functionNames(n node) error {
	return walk(n, func(n node) error {
		call, ok := n.(*callNode)
		if !ok {
			return nil
		}
		if _, ok := conditionFunctions[call.name]; ok {
			return nil
		}
		if _, ok := updateFunctions[call.name]; ok {
			return nil
		}
		return c.invalid("Invalid function name; function: " + call.name)
	})
}

// names fails on reserved words, and on list indexes and paths out of bounds.
func (c *checker) names(n node) error {
	return walk(n, func(n node) error {
		path, ok := n.(*pathNode)
		if !ok {
			return nil
		}
		for _, e := range path.raw {
			if e.index {
				if i, err := strconv.ParseInt(e.text, 10, 64); err != nil || i > maxIndex {
					return c.invalid("List index is not within the allowable range; index: [" + e.text + "]")
				}
			} else if e.text[0] != '#' && isReserved(e.text) {
				return c.invalid("Attribute name is a reserved keyword; reserved keyword: " + e.text)
			}
		}
		if len(path.raw) > maxPathDepth {
			return c.invalid("The document path has too many nesting levels; nesting levels: " + strconv.Itoa(len(path.raw)))
		}
		return nil
	})
}

// resolve resolves the placeholders in a path or value.
func (c *checker) resolve(n node) error {
	switch n := n.(type) {
	case *pathNode:
		n.path = make(Path, len(n.raw))
		for i, e := range n.raw {
			switch {
			case e.index:
				n.path[i].isIndex = true
				n.path[i].index, _ = strconv.Atoi(e.text) // names has checked it
			case e.text[0] == '#':
				name, ok := c.params.name(e.text)
				if !ok {
					return c.invalid("An expression attribute name used in the document path is not defined; attribute name: " + e.text)
				}
				n.path[i].name = name
			default:
				n.path[i].name = e.text
			}
		}
		c.paths = append(c.paths, n.path)
	case *valueNode:
		v, ok := c.params.value(n.name)
		if !ok {
			return c.invalid("An expression attribute value used in expression is not defined; attribute value: " + n.name)
		}
		n.value = v
	}
	return nil
}

// staticKind returns the type of an operand, or 0 if it depends on the item.
func staticKind(n node) value.Kind {
	switch n := n.(type) {
	case *valueNode:
		return n.value.Kind()
	case *callNode:
		switch n.name {
		case "size":
			return value.KindNumber
		case "list_append":
			return value.KindList
		}
	}
	return 0
}

// operandCount fails unless a call has as many operands as its function takes.
func (c *checker) operandCount(call *callNode, want int) error {
	if len(call.args) == want {
		return nil
	}
	return c.invalid("Incorrect number of operands for operator or function; operator or function: " +
		call.name + ", number of operands: " + strconv.Itoa(len(call.args)))
}

// operandKinds fails on the first operand whose type is known and not allowed.
func (c *checker) operandKinds(operator string, operands []node, allowed ...value.Kind) error {
	for _, n := range operands {
		if k := staticKind(n); k != 0 && !slices.Contains(allowed, k) {
			return c.operandKind(operator, k.String())
		}
	}
	return nil
}

func (c *checker) operandKind(operator, kind string) error {
	return c.invalid("Incorrect operand type for operator or function; operator or function: " + operator + ", operand type: " + kind)
}

// documentPath fails unless the first operand of a call is a path.
func (c *checker) documentPath(call *callNode) error {
	if _, ok := call.args[0].(*pathNode); ok {
		return nil
	}
	return c.invalid("Operator or function requires a document path; operator or function: " + call.name)
}
