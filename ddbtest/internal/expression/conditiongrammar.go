// SPDX-License-Identifier: Apache-2.0

package expression

import "slices"

var (
	conditionKeywords = []string{"AND", "OR", "NOT", "BETWEEN", "IN"}
	comparators       = []string{"=", "<>", "<", "<=", ">", ">="}
)

// parseConditionTree parses the grammar that conditions, filters and key
// conditions share. The tree is checked for syntax only.
func parseConditionTree(param, text string, params *Params) (node, error) {
	var root node
	err := parse(param, text, params, conditionKeywords, func(p *parser) {
		root = p.condition(p.disjunction())
	})
	return root, err
}

// disjunction reads conditions joined by OR. If there is only one operand, as
// in the parentheses of (a) = :b, it returns that operand.
func (p *parser) disjunction() node {
	return p.junction("OR", p.conjunction)
}

func (p *parser) conjunction() node {
	return p.junction("AND", p.negation)
}

func (p *parser) junction(keyword string, part func() node) node {
	first := part()
	if !p.is(keyword) {
		return first
	}
	j := &junctionNode{or: keyword == "OR", conditions: []node{p.condition(first)}}
	for p.accept(keyword) {
		p.operators++
		j.conditions = append(j.conditions, p.condition(part()))
	}
	return j
}

func (p *parser) negation() node {
	if !p.accept("NOT") {
		return p.comparison()
	}
	p.operators++
	return &notNode{p.condition(p.negation())}
}

// condition fails if n is only an operand.
func (p *parser) condition(n node) node {
	n = bare(n)
	switch n.(type) {
	case *pathNode, *valueNode:
		p.fail()
	}
	return n
}

// comparison reads a condition without AND, OR and NOT, or an operand.
func (p *parser) comparison() node {
	left := p.primary()
	switch bare(left).(type) {
	case *pathNode, *valueNode, *callNode:
	default:
		return left
	}
	for _, op := range comparators {
		if p.accept(op) {
			p.operators++
			return &compareNode{op, bare(left), bare(p.operand())}
		}
	}
	switch {
	case p.accept("BETWEEN"):
		p.operators++
		b := &betweenNode{operand: bare(left), lower: bare(p.operand())}
		p.expect("AND")
		b.upper = bare(p.operand())
		return b
	case p.accept("IN"):
		p.operators++
		in := &inNode{operand: bare(left)}
		p.expect("(")
		in.list = p.list(p.operand)
		return in
	}
	return left
}

// primary reads an operand or anything in parentheses.
func (p *parser) primary() node {
	if !p.is("(") {
		return p.operand()
	}
	return p.extended(p.parens(p.disjunction))
}

// operand reads a path, a value, a function call or one of them in
// parentheses.
func (p *parser) operand() node {
	switch {
	case p.is("("):
		return p.extended(p.parens(p.operand))
	case p.next().kind == tokenValue:
		return p.valueRef()
	case p.isCall():
		return p.call(p.operand)
	default:
		return p.path()
	}
}

// extended reads the path elements that may follow a path in parentheses.
func (p *parser) extended(paren *parenNode) node {
	path, ok := bare(paren).(*pathNode)
	if !ok || !p.is(".") && !p.is("[") {
		return paren
	}
	longer := &pathNode{raw: slices.Clip(path.raw)}
	p.elements(longer)
	return longer
}
