// SPDX-License-Identifier: Apache-2.0

package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

// update checks the actions of an update. The placeholders of all of them are
// checked before their paths, the paths before the operands of ADD and
// DELETE, and these before those of SET.
func (c *checker) update(actions []*action, twice string) error {
	for _, check := range []func(node) error{c.functionNames, c.updateCalls, c.names} {
		for _, a := range actions {
			if err := check(a.target); err != nil {
				return err
			}
			if a.value != nil {
				if err := check(a.value); err != nil {
					return err
				}
			}
		}
	}
	if twice != "" {
		return c.invalid(`The "` + twice + `" section can only be used once in an update expression;`)
	}
	targets := make([]Path, len(actions))
	for i, a := range actions {
		if err := c.resolve(a.target); err != nil {
			return err
		}
		targets[i] = a.target.path
		if a.value != nil {
			if err := walk(a.value, c.resolve); err != nil {
				return err
			}
		}
	}
	if err := c.separate(targets); err != nil {
		return err
	}
	for _, a := range actions {
		if err := c.addend(a); err != nil {
			return err
		}
	}
	for _, a := range actions {
		if a.clause == "SET" {
			if err := c.setOperands(a.value); err != nil {
				return err
			}
		}
	}
	return nil
}

// updateCalls fails on the functions of conditions, and on list_append within
// another function.
func (c *checker) updateCalls(root node) error {
	return walk(root, func(n node) error {
		call, ok := n.(*callNode)
		if !ok {
			return nil
		}
		if _, ok := conditionFunctions[call.name]; ok {
			return c.invalid("The function is not allowed in an update expression; function: " + call.name)
		}
		if call.name == "list_append" && n != root {
			return c.invalid("The function is not allowed to be used this way in an expression; function: " + call.name)
		}
		return nil
	})
}

// longKinds are the names of types in the errors of ADD and DELETE.
var longKinds = map[value.Kind]string{
	value.KindString: "STRING",
	value.KindNumber: "NUMBER",
	value.KindBinary: "BINARY",
	value.KindBool:   "BOOLEAN",
	value.KindNull:   "NULL",
	value.KindList:   "LIST",
	value.KindMap:    "MAP",
}

// addend checks the operand of ADD and DELETE: a set, or for ADD a number.
func (c *checker) addend(a *action) error {
	if a.clause != "ADD" && a.clause != "DELETE" {
		return nil
	}
	switch k := staticKind(a.value); k {
	case value.KindStringSet, value.KindNumberSet, value.KindBinarySet:
		return nil
	case value.KindNumber:
		if a.clause == "ADD" {
			return nil
		}
		fallthrough
	default:
		// https://github.com/aws/aws-sdk-js/issues/3025 has it for DELETE.
		return c.invalid("Incorrect operand type for operator or function; operator: " + a.clause +
			", operand type: " + longKinds[k] + ", typeSet: ALLOWED_FOR_" + a.clause + "_OPERAND")
	}
}

// setOperands checks the value of SET from the inside out.
func (c *checker) setOperands(n node) error {
	for _, child := range children(n) {
		if err := c.setOperands(child); err != nil {
			return err
		}
	}
	switch n := n.(type) {
	case *arithmeticNode:
		return c.operandKinds(n.op, children(n), value.KindNumber)
	case *callNode:
		if err := c.operandCount(n, updateFunctions[n.name]); err != nil {
			return err
		}
		if n.name == "if_not_exists" {
			return c.documentPath(n)
		}
		return c.operandKinds(n.name, n.args, value.KindList)
	}
	return nil
}

// separate fails if two paths overlap or conflict.
func (c *checker) separate(paths []Path) error {
	if message := pathConflict(paths); message != "" {
		return c.invalid(message)
	}
	return nil
}
