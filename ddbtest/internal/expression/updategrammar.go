// SPDX-License-Identifier: Apache-2.0

package expression

import "slices"

var clauses = []string{"SET", "REMOVE", "ADD", "DELETE"}

// action is one part of a clause: what happens to one path.
type action struct {
	clause string
	target *pathNode
	value  node // nil for REMOVE
}

// updateClauses reads the clauses of an update expression and returns their
// actions and the name of the first clause that comes twice.
func (p *parser) updateClauses() (actions []*action, twice string) {
	var seen []string
	for first := true; first || p.next().kind != tokenEOF; first = false {
		clause := p.clause()
		if slices.Contains(seen, clause) && twice == "" {
			twice = clause
		}
		seen = append(seen, clause)
		actions = append(actions, p.updateAction(clause))
		for p.accept(",") {
			actions = append(actions, p.updateAction(clause))
		}
	}
	return actions, twice
}

func (p *parser) clause() string {
	for _, clause := range clauses {
		if p.accept(clause) {
			return clause
		}
	}
	p.fail()
	return ""
}

func (p *parser) updateAction(clause string) *action {
	a := &action{clause: clause, target: p.path()}
	switch clause {
	case "SET":
		p.expect("=")
		a.value = bare(p.setValue())
	case "ADD", "DELETE":
		a.value = p.valueRef()
	}
	return a
}

// setValue reads an operand, or the sum or difference of two.
func (p *parser) setValue() node {
	var left node
	if p.is("(") {
		left = p.parens(p.setValue)
	} else {
		left = p.updateOperand()
	}
	if _, ok := bare(left).(*arithmeticNode); ok {
		return left
	}
	for _, op := range []string{"+", "-"} {
		if p.accept(op) {
			p.operators++
			return &arithmeticNode{op, bare(left), bare(p.updateOperand())}
		}
	}
	return left
}

// updateOperand reads a path, a value, a function call or one of them in
// parentheses.
func (p *parser) updateOperand() node {
	switch {
	case p.is("("):
		return p.parens(p.updateOperand)
	case p.next().kind == tokenValue:
		return p.valueRef()
	case p.isCall():
		p.operators++
		return p.call(p.updateOperand)
	default:
		return p.path()
	}
}
