// SPDX-License-Identifier: Apache-2.0

package partiql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Expression is a condition or an update in the language of package expression.
type Expression struct {
	Text   string
	Names  expression.Names
	Values expression.Values
}

// Params returns the placeholders of the expression.
func (x *Expression) Params() (*expression.Params, error) {
	params, err := expression.NewParams(x.Names, x.Values)
	if err != nil {
		return nil, err
	}
	params.AnyLength = true
	return params, nil
}

// Condition renders conditions joined by AND. It fails on a node that is not a condition.
func Condition(parts []Node) (*Expression, error) {
	w := &writer{}
	for i, n := range parts {
		if i > 0 {
			w.add(" AND ")
		}
		w.condition(n, len(parts) > 1)
	}
	return w.end()
}

// Updates renders the changes of an UPDATE.
func Updates(changes []Change) (*Expression, error) {
	w := &writer{}
	for _, clause := range []string{"SET", "REMOVE", "ADD", "DELETE"} {
		first := true
		for _, c := range changes {
			if clauseOf(c) != clause {
				continue
			}
			if first {
				w.add(" " + clause + " ")
			} else {
				w.add(", ")
			}
			first = false
			w.change(clause, c)
		}
	}
	return w.end()
}

// clauseOf returns the clause of an update expression for a change.
func clauseOf(c Change) string {
	if c.Value == nil {
		return "REMOVE"
	}
	if call, ok := c.Value.(*Call); ok {
		switch call.Name {
		case "set_add":
			return "ADD"
		case "set_delete":
			return "DELETE"
		}
	}
	return "SET"
}

// writer renders one expression. It keeps the first error.
type writer struct {
	text   strings.Builder
	names  expression.Names
	values expression.Values
	byName map[string]string
	err    error
}

func (w *writer) end() (*Expression, error) {
	if w.err != nil {
		return nil, w.err
	}
	return &Expression{Text: strings.TrimSpace(w.text.String()), Names: w.names, Values: w.values}, nil
}

func (w *writer) add(text string) { w.text.WriteString(text) }

func (w *writer) fail(message string) {
	if w.err == nil {
		w.err = value.Invalid(message)
	}
}

func (w *writer) change(clause string, c Change) {
	w.path(c.Target)
	switch clause {
	case "REMOVE":
	case "SET":
		w.add(" = ")
		sum, ok := c.Value.(*Arithmetic)
		if !ok {
			w.operand(c.Value)
			return
		}
		w.operand(sum.Left)
		w.add(" " + sum.Op + " ")
		w.operand(sum.Right)
	default:
		w.add(" ")
		w.setChange(c)
	}
}

// setChange renders the second argument of set_add and set_delete, whose first
// is the attribute that they are assigned to.
//
// https://github.com/floci-io/floci/pull/3798 has measured the texts if it differs.
func (w *writer) setChange(c Change) {
	call := c.Value.(*Call)
	if len(call.Args) != 2 {
		w.fail(operandCount(call))
		return
	}
	name := strings.ToUpper(call.Name)
	if source, ok := call.Args[0].(Path); !ok || !slices.Equal(source, c.Target) {
		w.fail("The first argument to " + name + " must equal the assignment value at " + call.at)
		return
	}
	if l, ok := call.Args[1].(*Literal); ok {
		switch l.Value.(type) {
		case value.StringSet, value.NumberSet, value.BinarySet:
			w.value(l.Value)
			return
		}
	}
	w.fail("The second argument to " + name + " must be a value with type SET at " + call.firstAt)
}

// maxRendered limits the rendered size: comparisons of conditions with each other double with every level.
const maxRendered = 1 << 20

// condition renders a condition, in parentheses if it is a part of another.
func (w *writer) condition(n Node, part bool) {
	if w.text.Len() > maxRendered {
		w.fail("The conditions of the statement are too complex")
	}
	if w.err != nil {
		return
	}
	switch n := n.(type) {
	case *Junction:
		w.group(part, func() {
			for i, c := range n.Parts {
				if i > 0 && n.Or {
					w.add(" OR ")
				} else if i > 0 {
					w.add(" AND ")
				}
				w.condition(c, true)
			}
		})
	case *Not:
		w.group(part, func() {
			w.add("NOT ")
			w.condition(n.Condition, true)
		})
	case *Compare:
		if isCondition(n.Left) || isCondition(n.Right) {
			w.truth(n)
			return
		}
		w.operand(n.Left)
		w.add(" " + n.Op + " ")
		w.operand(n.Right)
	case *Between:
		if isCondition(n.Operand) {
			w.operandKind("BETWEEN", value.KindBool.String())
			return
		}
		w.group(part, func() {
			w.operand(n.Operand)
			w.add(" BETWEEN ")
			w.operand(n.Lower)
			w.add(" AND ")
			w.operand(n.Upper)
		})
	case *In:
		w.in(n)
	case *Is:
		w.is(n)
	case *Call:
		w.test(n)
	default:
		w.fail(notWellFormed + "Unexpected term")
	}
}

func (w *writer) group(parentheses bool, inner func()) {
	if parentheses {
		w.add("(")
	}
	inner()
	if parentheses {
		w.add(")")
	}
}

func (w *writer) in(n *In) {
	if isCondition(n.Operand) {
		equal := &Junction{Or: true}
		for _, m := range n.List {
			equal.Parts = append(equal.Parts, &Compare{"=", n.Operand, m})
		}
		if len(equal.Parts) == 1 {
			w.condition(equal.Parts[0], true)
			return
		}
		w.condition(equal, true)
		return
	}
	w.operand(n.Operand)
	w.add(" IN (")
	for i, m := range n.List {
		if i > 0 {
			w.add(", ")
		}
		w.operand(m)
	}
	w.add(")")
}

func (w *writer) is(n *Is) {
	path, ok := n.Operand.(Path)
	if !ok {
		w.fail(notWellFormed + "Unexpected term")
		return
	}
	if n.Missing {
		if n.Not {
			w.add("attribute_exists(")
		} else {
			w.add("attribute_not_exists(")
		}
		w.path(path)
		w.add(")")
		return
	}
	w.group(n.Not || len(n.Kinds) > 1, func() {
		if n.Not {
			w.add("NOT ")
		}
		w.group(n.Not && len(n.Kinds) > 1, func() {
			for i, kind := range n.Kinds {
				if i > 0 {
					w.add(" OR ")
				}
				w.add("attribute_type(")
				w.path(path)
				w.add(", ")
				w.value(value.String(kind.String()))
				w.add(")")
			}
		})
	})
}

// attributeTypes are the types that attribute_type takes, in the order in which the service lists them.
const attributeTypes = "N,BS,L,B,NULL,M,S,SS,NS,BOOL"

// test renders a function used as a condition.
func (w *writer) test(n *Call) {
	switch n.Name {
	case "attribute_type":
		if len(n.Args) == 2 {
			w.checkType(n.Args[1])
		}
		w.call(n)
	case "begins_with", "contains", "attribute_exists", "attribute_not_exists":
		w.call(n)
	default:
		w.fail("Invalid function name; function: " + n.Name)
	}
}

// checkType checks the second argument of attribute_type.
func (w *writer) checkType(n Node) {
	l, ok := n.(*Literal)
	if !ok {
		return
	}
	name, ok := l.Value.(value.String)
	if !ok {
		w.operandKind("attribute_type", l.Value.Kind().String())
		return
	}
	if _, ok := value.ParseKind(string(name)); !ok {
		w.fail("Invalid attribute type name found; type: " + string(name) + ", valid types: {" + attributeTypes + "}")
	}
}

func (w *writer) operandKind(operator, kind string) {
	w.fail("Incorrect operand type for operator or function; operator or function: " + operator + ", operand type: " + kind)
}

func (w *writer) call(n *Call) {
	w.add(n.Name + "(")
	for i, a := range n.Args {
		if i > 0 {
			w.add(", ")
		}
		w.operand(a)
	}
	w.add(")")
}

func (w *writer) operand(n Node) {
	switch n := n.(type) {
	case Path:
		w.path(n)
	case *Literal:
		w.value(n.Value)
	case *Call:
		switch n.Name {
		case "size", "list_append":
			if len(n.Args) == 0 {
				w.fail(operandCount(n))
			}
			w.call(n)
		default:
			w.fail("Invalid function name; function: " + n.Name)
		}
	default:
		w.fail(notWellFormed + "Unexpected term")
	}
}

func operandCount(n *Call) string {
	return "Incorrect number of operands for operator or function; operator or function: " + n.Name + ", number of operands: " + strconv.Itoa(len(n.Args))
}

func (w *writer) path(p Path) {
	for i, s := range p {
		if s.IsIndex {
			w.add("[" + strconv.Itoa(s.Index) + "]")
			continue
		}
		if i > 0 {
			w.add(".")
		}
		w.add(w.name(s.Name))
	}
}

// name returns the placeholder of a name, the same for the same name.
func (w *writer) name(name string) string {
	if at, ok := w.byName[name]; ok {
		return at
	}
	if w.names == nil {
		w.names, w.byName = expression.Names{}, map[string]string{}
	}
	at := "#" + strconv.Itoa(len(w.names))
	w.names[at], w.byName[name] = name, at
	return at
}

func (w *writer) value(v value.Value) {
	if w.values == nil {
		w.values = expression.Values{}
	}
	at := ":" + strconv.Itoa(len(w.values))
	w.values[at] = v
	w.add(at)
}
