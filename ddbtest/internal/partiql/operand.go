package partiql

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// condition reads conditions joined by OR, which binds less than AND.
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

// isTest reads what follows IS.
func (p *parser) isTest(operand Node) Node {
	n := &Is{Operand: operand, Not: p.accept("NOT")}
	switch {
	case p.accept("MISSING"):
		n.Missing = true
	case p.accept("NULL"):
	default:
		p.fail("Expected type name")
	}
	return n
}

// members reads the list of IN: [a, b], (a, b), <<a, b>> or a parameter that is
// a list.
func (p *parser) members() []Node {
	if p.is("?") {
		list, ok := p.literal().(value.List)
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
			return &Literal{p.literal()}
		}
		if p.tokens[p.pos+1].text == "(" && p.tokens[p.pos+1].kind == tokenSymbol && (!isKeyword(t.text) || strings.EqualFold(t.text, "exists")) {
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
	return &Literal{p.literal()}
}

func (p *parser) call() Node {
	c := &Call{Name: strings.ToLower(p.take().text)}
	p.symbol("(")
	if p.accept(")") {
		return c
	}
	for p.err == nil {
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
			t := p.take()
			switch t.kind {
			case tokenString:
				path = append(path, Step{Name: t.text})
			case tokenNumber:
				i, err := strconv.Atoi(t.text)
				if err != nil {
					p.fail("Unexpected path component")
				}
				path = append(path, Step{Index: i, IsIndex: true})
			default:
				p.fail("Unexpected path component")
			}
			p.symbol("]")
		default:
			return path
		}
	}
	return path
}

func (p *parser) isLiteral() bool { return p.is("true") || p.is("false") || p.is("null") }

// literal reads a value.
func (p *parser) literal() value.Value {
	t := p.take()
	switch t.kind {
	case tokenString:
		return value.String(t.text)
	case tokenNumber:
		return p.number(t.text)
	case tokenWord:
		switch strings.ToLower(t.text) {
		case "true":
			return value.Bool(true)
		case "false":
			return value.Bool(false)
		case "null":
			return value.Null{}
		}
		if isKeyword(t.text) {
			p.fail("Unexpected keyword")
		}
	case tokenSymbol:
		switch t.text {
		case "?":
			p.used++
			if p.used <= len(p.parameters) {
				return p.parameters[p.used-1]
			}
			return value.List{} // Parse refuses the statement
		case "-", "+":
			if n := p.next(); n.kind == tokenNumber {
				p.pos++
				return p.number(strings.TrimPrefix(t.text, "+") + n.text)
			}
		case "[":
			list := p.elements("]")
			return p.checked(value.List(list))
		case "{":
			return p.checked(p.entries())
		case "<<":
			return p.set(p.elements(">>"))
		}
	}
	p.fail("Unexpected term")
	return value.Null{}
}

func (p *parser) number(text string) value.Value {
	n, err := value.ParseNumber(text)
	if err != nil && p.invalid == nil {
		p.invalid = err
	}
	return n
}

// checked notes a value that is nested too deeply.
func (p *parser) checked(v value.Value) value.Value {
	if p.err == nil && value.Depth(v) > value.MaxDepth && p.invalid == nil {
		p.invalid = value.ErrNesting
	}
	return v
}

// elements reads values up to a closing symbol.
func (p *parser) elements(end string) []value.Value {
	list := []value.Value{}
	if p.accept(end) {
		return list
	}
	for p.err == nil {
		list = append(list, p.literal())
		if !p.accept(",") {
			break
		}
	}
	p.symbol(end)
	return list
}

func (p *parser) entries() value.Value {
	m := value.Map{}
	if p.accept("}") {
		return m
	}
	for p.err == nil {
		t := p.take()
		if t.kind != tokenString {
			p.fail("Unexpected term")
			break
		}
		p.symbol(":")
		m[t.text] = p.literal()
		if !p.accept(",") {
			break
		}
	}
	p.symbol("}")
	return m
}

// set makes a set of values of one type.
func (p *parser) set(members []value.Value) value.Value {
	if p.err != nil {
		return value.Null{}
	}
	v, err := newSet(members)
	if err == nil {
		return v
	}
	if p.invalid == nil {
		p.invalid = err
	}
	return value.Null{}
}

func newSet(members []value.Value) (value.Value, error) {
	if len(members) == 0 {
		return nil, value.Invalid("One or more parameter values were invalid: An string set  may not be empty")
	}
	var texts, binaries []string
	var numbers []value.Number
	for _, m := range members {
		switch m := m.(type) {
		case value.String:
			texts = appendNew(texts, string(m))
		case value.Number:
			numbers = appendNew(numbers, m)
		case value.Binary:
			binaries = appendNew(binaries, string(m))
		}
	}
	switch len(members) {
	case len(texts):
		return value.StringSet(texts), nil
	case len(numbers):
		return value.NumberSet(numbers), nil
	case len(binaries):
		return value.BinarySet(binaries), nil
	}
	kind := members[0].Kind()
	shown := make([]string, len(members))
	for i, m := range members {
		if k := m.Kind(); k != kind || k != value.KindString && k != value.KindNumber && k != value.KindBinary {
			return nil, value.Invalid("One or more parameter values were invalid: Set members must be strings, numbers or binaries, all of one type")
		}
		switch m := m.(type) {
		case value.String:
			shown[i] = string(m)
		case value.Binary:
			shown[i] = base64.StdEncoding.EncodeToString([]byte(m))
		}
	}
	if kind == value.KindNumber {
		return nil, value.Invalid("Input collection contains duplicates")
	}
	return nil, value.Invalid("One or more parameter values were invalid: Input collection [" + strings.Join(shown, ", ") + "] contains duplicates.")
}

func appendNew[E comparable](list []E, e E) []E {
	if slices.Contains(list, e) {
		return list
	}
	return append(list, e)
}
