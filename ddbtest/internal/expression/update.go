// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"maps"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The errors of an update that depend on the item.
var (
	errOperand   = value.Invalid("An operand in the update expression has an incorrect data type")
	errAttribute = value.Invalid("The provided expression refers to an attribute that does not exist in the item")
	errPath      = value.Invalid("The document path provided in the update expression is invalid for update")
)

// Update is a parsed update expression. It is immutable.
type Update struct {
	actions []*action
	targets []Path
	paths   []Path
	root    tree
}

// ParseUpdate parses an UpdateExpression.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func ParseUpdate(text string, params *Params) (*Update, error) {
	const param = "UpdateExpression"
	u := &Update{}
	var twice string
	err := parse(param, text, params, clauses, func(p *parser) {
		u.actions, twice = p.updateClauses()
	})
	if err != nil {
		return nil, err
	}
	c := &checker{param: param, params: params}
	if err := c.update(u.actions, twice); err != nil {
		return nil, err
	}
	u.paths = c.paths
	for _, a := range u.actions {
		u.targets = append(u.targets, a.target.path)
		u.root.add(a.target.path).action = a
	}
	return u, nil
}

// Attributes returns the top-level attributes that the update writes, each
// once, in the order of the expression.
func (u *Update) Attributes() []string { return attributes(u.targets) }

// Paths returns the document paths that the update reads and writes, in order.
func (u *Update) Paths() []Path { return u.paths }

// What an update counts towards the limit of its size, in bytes.
//
// https://github.com/nubo-db/dynoxide/issues/187 has measured it, and
// https://github.com/nubo-db/dynoxide/issues/210 what an index of a list adds.
const (
	UpdateOverhead = 3  // of the update itself
	WriteOverhead  = 19 // of an action that writes a value
	ClearOverhead  = 2  // of an action that removes one

	indexOverhead      = 1  // of an index in the path of an action that writes
	arithmeticOverhead = 50 // of a sum or difference
)

// Overhead returns the size of the update without the attributes that it
// writes.
func (u *Update) Overhead() int {
	size := UpdateOverhead
	for _, a := range u.actions {
		if a.clause == "REMOVE" {
			size += ClearOverhead
			continue
		}
		size += WriteOverhead
		for _, e := range a.target.path {
			if e.isIndex {
				size += indexOverhead
			}
		}
		if _, ok := a.value.(*arithmeticNode); ok {
			size += arithmeticOverhead
		}
	}
	return size
}

// Touched returns the written paths as a projection; applied to the old and
// the new item it returns UPDATED_OLD and UPDATED_NEW.
func (u *Update) Touched() *Projection { return newProjection(u.targets) }

// Apply returns the item after the update. It does not change old, whose
// untouched parts the result shares. All operands are read from old. A nil old
// means an item that does not exist, as in [Update.ApplyNew] with a nil
// key.
func (u *Update) Apply(old value.Item) (value.Item, error) {
	if old == nil {
		return u.ApplyNew(nil)
	}
	return u.apply(old, maps.Clone(old), true)
}

// ApplyNew returns the attributes that the update creates for an item that does
// not exist. Operands may refer to the attributes of its key, but these are
// not in the result.
func (u *Update) ApplyNew(key value.Item) (value.Item, error) {
	return u.apply(key, value.Item{}, false)
}

func (u *Update) apply(old, result value.Item, exists bool) (value.Item, error) {
	e := edit{exists: exists, values: make(map[*action]value.Value, len(u.actions))}
	for _, a := range u.actions {
		if a.clause != "SET" {
			continue
		}
		v, err := setValue(a.value, old)
		if err != nil {
			return nil, err
		}
		e.values[a] = v
	}
	if err := e.entries(&u.root, result, 1); err != nil {
		return nil, err
	}
	return result, nil
}

// setValue returns the value of an operand of SET.
func setValue(n node, old value.Item) (value.Value, error) {
	switch n := n.(type) {
	case *valueNode:
		return n.value, nil
	case *pathNode:
		if v := n.path.lookup(old); v != nil {
			return v, nil
		}
		return nil, errAttribute
	case *arithmeticNode:
		return calculate(n, old)
	default:
		return callFunction(n.(*callNode), old)
	}
}

func calculate(n *arithmeticNode, old value.Item) (value.Value, error) {
	left, err := setValue(n.left, old)
	if err != nil {
		return nil, err
	}
	right, err := setValue(n.right, old)
	if err != nil {
		return nil, err
	}
	a, ok := left.(value.Number)
	b, ok2 := right.(value.Number)
	if !ok || !ok2 {
		return nil, errOperand
	}
	if n.op == "+" {
		return number(a.Add(b))
	}
	return number(a.Sub(b))
}

func number(n value.Number, err error) (value.Value, error) {
	if err != nil {
		return nil, err
	}
	return n, nil
}

func callFunction(n *callNode, old value.Item) (value.Value, error) {
	if n.name == "if_not_exists" {
		if v := n.args[0].(*pathNode).path.lookup(old); v != nil {
			return v, nil
		}
		return setValue(n.args[1], old)
	}
	var joined value.List
	for _, arg := range n.args {
		v, err := setValue(arg, old)
		if err != nil {
			return nil, err
		}
		list, ok := v.(value.List)
		if !ok {
			return nil, errOperand
		}
		joined = slices.Concat(joined, list)
	}
	if joined == nil {
		joined = value.List{}
	}
	return joined, nil
}
