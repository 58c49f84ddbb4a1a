// SPDX-License-Identifier: Apache-2.0

package expr

import "fmt"

// The limits of an expression. In a condition, operators count; in an update, functions count too.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxOperators = 300
	maxLength    = 4096
)

// Check rejects a condition that is too long for DynamoDB.
func Check(n Node) error {
	if n == nil {
		return nil
	}
	ops, leaves := countParts(n, false)
	return checkLimits(ops, leaves, func(w *Writer) string { return w.Render(n) })
}

// Check rejects an update that is too long for DynamoDB.
func (u *Update) Check() error {
	ops, leaves := 0, 0
	for _, clause := range [][]Action{u.Set, u.Remove, u.Add, u.Delete} {
		for _, a := range clause {
			o, l := countParts(a.Right, true)
			ops, leaves = ops+o, leaves+l+len(a.Path)
		}
	}
	return checkLimits(ops, leaves, func(w *Writer) string { return w.Update(u) })
}

func checkLimits(ops, leaves int, render func(*Writer) string) error {
	if ops > maxOperators {
		return fmt.Errorf("an expression of %d operators and functions; DynamoDB takes %d: split it into several calls", ops, maxOperators)
	}
	if leaves < 64 { // far from the limit: a leaf and its operator have less than 64 bytes
		return nil
	}
	if n := len(render(new(Writer))); n > maxLength {
		return fmt.Errorf("an expression of %d bytes; DynamoDB takes %d: split it into several calls", n, maxLength)
	}
	return nil
}

// countParts counts operators, in an update also functions, and the parts that determine the length.
func countParts(n Node, update bool) (ops, leaves int) {
	add := func(nodes ...Node) {
		for _, n := range nodes {
			o, l := countParts(n, update)
			ops, leaves = ops+o, leaves+l
		}
	}
	switch n := n.(type) {
	case Path:
		leaves = len(n)
	case Value:
		leaves = 1
	case Text:
		leaves = len(n.Text)
	case Compare:
		ops = 1
		add(n.Left, n.Right)
	case Between:
		ops = 1
		add(n.Operand, n.Low, n.High)
	case In:
		ops = 1
		add(n.Operand)
		add(n.List...)
	case Not:
		ops = 1
		add(n.Term)
	case Logic:
		ops = len(n.Terms) - 1
		add(n.Terms...)
	case Arithmetic:
		ops = 1
		add(n.Left, n.Right)
	case Call:
		if update {
			ops = 1
		}
		add(n.Args...)
	}
	return ops, leaves
}
