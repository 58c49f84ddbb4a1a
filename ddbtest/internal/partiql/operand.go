// SPDX-License-Identifier: Apache-2.0

package partiql

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// condition reads conditions joined by OR, which has lower precedence than AND.
func (p *parser) condition() Node { return p.junction("OR", p.conjunction) }

func (p *parser) conjunction() Node { return p.junction("AND", p.negation) }

func (p *parser) junction(word string, part func() Node) Node {
	first := part()
	if !p.is(word) {
		return first
	}
	j := &Junction{Or: word == "OR", Parts: []Node{first}}
	for p.accept(word) {
		j.Parts = append(j.Parts, part())
	}
	return j
}

func (p *parser) negation() Node {
	if p.accept("NOT") {
		return &Not{p.negation()}
	}
	return p.comparison()
}

func (p *parser) comparison() Node {
	left := p.sum()
	if t := p.next(); t.kind == tokenSymbol {
		op := t.text
		switch op {
		case "!=":
			op = "<>"
		case "=", "<>", "<", "<=", ">", ">=":
		default:
			return left
		}
		p.pos++
		return &Compare{op, left, p.sum()}
	}
	if p.accept("IS") {
		return p.isTest(left)
	}
	negated := p.accept("NOT")
	var n Node
	switch {
	case p.accept("BETWEEN"):
		lower := p.sum()
		p.keyword("AND")
		n = &Between{left, lower, p.sum()}
	case p.accept("IN"):
		n = &In{left, p.members()}
	case negated:
		p.fail("Unexpected token after expression")
		return nil
	default:
		return left
	}
	if negated {
		return &Not{n}
	}
	return n
}

// typeNames maps the data types that IS can test for to types of DynamoDB.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-operators.html: IS is TRUE if the operand
// is a given PartiQL data type. The names are those of the PartiQL specification, https://partiql.org/dql/types.html.
var typeNames = map[string][]value.Kind{
	"null": {value.KindNull}, "bool": {value.KindBool}, "boolean": {value.KindBool},
	"smallint": {value.KindNumber}, "integer": {value.KindNumber}, "int": {value.KindNumber}, "float": {value.KindNumber},
	"real": {value.KindNumber}, "decimal": {value.KindNumber}, "numeric": {value.KindNumber},
	"string": {value.KindString}, "varchar": {value.KindString}, "char": {value.KindString}, "symbol": {value.KindString},
	"blob": {value.KindBinary}, "clob": {value.KindBinary},
	"list": {value.KindList}, "array": {value.KindList},
	"struct": {value.KindMap}, "tuple": {value.KindMap},
	"bag": {value.KindStringSet, value.KindNumberSet, value.KindBinarySet},
}

// isTest reads the rest of a test after IS.
func (p *parser) isTest(operand Node) Node {
	n := &Is{Operand: operand, Not: p.accept("NOT")}
	if p.accept("MISSING") {
		n.Missing = true
		return n
	}
	t := p.next()
	n.Kinds = typeNames[strings.ToLower(t.text)]
	if t.kind != tokenWord || n.Kinds == nil {
		p.fail("Expected type name")
		return n
	}
	p.pos++
	return n
}

// members reads the list of IN: [a, b], (a, b), <<a, b>> or a parameter that is
// a list.
func (p *parser) members() []Node {
	if p.is("?") {
		list, ok := p.literal("").(value.List)
		if !ok {
			p.fail("Expected LEFT_PAREN")
		}
		nodes := make([]Node, len(list))
		for i, v := range list {
			nodes[i] = &Literal{v}
		}
		return nodes
	}
	end := ")"
	switch {
	case p.accept("["):
		end = "]"
	case p.accept("<<"):
		end = ">>"
	default:
		p.symbol("(")
	}
	var nodes []Node
	for p.err == nil {
		nodes = append(nodes, p.sum())
		if !p.accept(",") {
			break
		}
	}
	p.symbol(end)
	return nodes
}

func (p *parser) sum() Node {
	n := p.term()
	for p.is("+") || p.is("-") {
		op := p.take().text
		n = &Arithmetic{op, n, p.term()}
	}
	return n
}

// term reads one operand, or a condition in parentheses.
func (p *parser) term() Node {
	t := p.next()
	switch t.kind {
	case tokenQuoted:
		return p.path()
	case tokenWord:
		if p.isLiteral() {
			return &Literal{p.literal("")}
		}
		if p.isCall() && (!isKeyword(t.text) || strings.EqualFold(t.text, "exists")) {
			return p.call()
		}
		return p.path()
	case tokenSymbol:
		if p.accept("(") {
			n := p.condition()
			p.symbol(")")
			return n
		}
	}
	return &Literal{p.literal("")}
}

// isCall reports whether the next tokens are a word and an opening parenthesis.
func (p *parser) isCall() bool {
	if p.next().kind != tokenWord {
		return false
	}
	paren := p.tokens[p.pos+1]
	return paren.kind == tokenSymbol && paren.text == "("
}

func (p *parser) call() Node {
	name := p.take()
	c := &Call{Name: strings.ToLower(name.text), at: p.at(name)}
	p.symbol("(")
	if p.accept(")") {
		return c
	}
	for p.err == nil {
		if len(c.Args) == 0 {
			c.firstAt = p.at(p.next())
		}
		c.Args = append(c.Args, p.sum())
		if !p.accept(",") {
			break
		}
	}
	p.symbol(")")
	return c
}

// path reads a document path such as a."b c"[0]['d'].
func (p *parser) path() Path {
	path := Path{{Name: p.name()}}
	for p.err == nil {
		switch {
		case p.accept("."):
			path = append(path, Step{Name: p.name()})
		case p.accept("["):
			if p.next().kind == tokenString {
				path = append(path, Step{Name: p.take().text})
			} else {
				path = append(path, Step{Index: p.listIndex(), IsIndex: true})
			}
			p.symbol("]")
		default:
			return path
		}
	}
	return path
}

// listIndex reads the index of a list element, which must fit into 32 bits.
func (p *parser) listIndex() int {
	sign := ""
	if p.accept("-") {
		sign = "-"
	}
	t := p.take()
	if t.kind != tokenNumber {
		p.fail("Unexpected path component")
		return 0
	}
	i, err := strconv.Atoi(sign + t.text)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		p.fail("Unexpected path component")
		return 0
	}
	if err != nil || i < 0 || i > math.MaxInt32 {
		p.refuse("List index is not within the allowable range; index: [" + sign + t.text + "] at " + p.at(t))
	}
	return i
}

func (p *parser) isLiteral() bool { return p.is("true") || p.is("false") || p.is("null") }
