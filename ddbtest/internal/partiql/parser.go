// SPDX-License-Identifier: Apache-2.0

package partiql

import (
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Parse parses a statement and substitutes the parameters for its
// question marks, in order. The errors are ValidationExceptions with the
// service's texts: first errors of syntax, then a wrong number of
// parameters, then values that no attribute can have.
func Parse(text string, parameters []value.Value) (Statement, error) {
	p := &parser{text: text, parameters: parameters}
	tokens, ok := lex(text)
	if !ok {
		p.fail("")
		return nil, p.err
	}
	p.tokens = tokens
	s := p.statement()
	if p.err == nil {
		p.accept(";")
		if p.next().kind != tokenEOF {
			p.fail("Unexpected token after expression")
		}
	}
	switch {
	case p.err != nil:
		return nil, p.err
	case p.used != len(parameters):
		return nil, value.Invalid("Number of parameters in request and statement don't match.")
	case p.invalid != nil:
		return nil, p.invalid
	}
	return s, nil
}

// parser reads the tokens of one statement. After the first error it is at
// the end, where nothing more can be read.
type parser struct {
	text       string
	tokens     []token
	pos        int
	depth      int // of the current literal
	parameters []value.Value
	used       int
	err        error // of syntax
	invalid    error // the first invalid value
}

func (p *parser) next() token { return p.tokens[p.pos] }

func (p *parser) take() token {
	t := p.tokens[p.pos]
	if t.kind != tokenEOF {
		p.pos++
	}
	return t
}

// fail ends parsing because the statement is malformed.
func (p *parser) fail(why string) { p.refuse(notWellFormed + why) }

const notWellFormed = "Statement wasn't well formed, can't be processed: "

// refuse keeps the first error and ends parsing.
func (p *parser) refuse(message string) {
	if p.err == nil {
		p.err = value.Invalid(message)
	}
	if len(p.tokens) > 0 {
		p.pos = len(p.tokens) - 1
	}
}

// at returns the position of a token.
func (p *parser) at(t token) string { return position(p.text, t.start, t.length) }

// is reports whether the next token is the symbol, or the word in any case.
func (p *parser) is(text string) bool {
	switch t := p.next(); t.kind {
	case tokenSymbol:
		return t.text == text
	case tokenWord:
		return strings.EqualFold(t.text, text)
	default:
		return false
	}
}

func (p *parser) accept(text string) bool {
	if !p.is(text) {
		return false
	}
	p.pos++
	return true
}

// keyword reads a word that must come next.
func (p *parser) keyword(word string) {
	if !p.accept(word) {
		p.fail("Expected " + word + " keyword")
	}
}

// names of punctuation in messages.
var symbolNames = map[string]string{
	"(": "LEFT_PAREN", ")": "RIGHT_PAREN", "[": "LEFT_BRACKET", "]": "RIGHT_BRACKET",
	"{": "LEFT_CURLY", "}": "RIGHT_CURLY", ":": "COLON", ">>": "RIGHT_DOUBLE_ANGLE_BRACKET",
}

// symbol reads punctuation that must come next.
func (p *parser) symbol(s string) {
	if !p.accept(s) {
		p.fail("Expected " + symbolNames[s])
	}
}

func (p *parser) statement() Statement {
	switch {
	case p.accept("SELECT"):
		return p.selection()
	case p.accept("EXISTS"):
		p.symbol("(")
		p.keyword("SELECT")
		s := p.selection()
		s.Exists = true
		p.symbol(")")
		return s
	case p.accept("INSERT"):
		return p.insertion()
	case p.accept("UPDATE"):
		return p.update(nil)
	case p.accept("FROM"):
		return p.updateFrom()
	case p.accept("DELETE"):
		p.keyword("FROM")
		s := &Delete{Table: p.target()}
		s.Where = p.where()
		if s.Returning = p.returning(); s.Returning != "" && s.Returning != AllOld {
			p.refuse("Invalid returning clause: RETURNING " + returningWords[s.Returning] + " *. Only RETURNING ALL OLD * is allowed in DELETE statements.")
		}
		return s
	default:
		p.fail("Expected data manipulation")
		return nil
	}
}

func (p *parser) selection() *Select {
	s := &Select{}
	if !p.accept("*") {
		s.Columns = append(s.Columns, p.column())
		for p.accept(",") {
			s.Columns = append(s.Columns, p.column())
		}
	}
	p.keyword("FROM")
	s.Table, s.Index = p.source()
	s.Where = p.where()
	if p.accept("ORDER") {
		p.keyword("BY")
		s.Order = append(s.Order, p.order())
		for p.accept(",") {
			s.Order = append(s.Order, p.order())
		}
	}
	return s
}

// column reads a path to return. A function is not allowed.
func (p *parser) column() Path {
	if t := p.next(); p.isCall() {
		p.refuse("Unexpected path component at " + p.at(t))
		return nil
	}
	return p.path()
}

// source reads a table and, optionally, its index.
func (p *parser) source() (table, index string) {
	table = p.component()
	if p.accept(".") {
		index = p.component()
	}
	if p.is(".") {
		p.refuse("A path may contain at most 2 components in the FROM clause")
	}
	return table, index
}

// target reads the table that a statement writes to.
func (p *parser) target() string {
	table, index := p.source()
	if index != "" {
		p.refuse("This operation is not supported on an index")
	}
	return table
}

// component reads the name of a table or an index.
func (p *parser) component() string {
	name := p.name()
	if name == "" {
		p.refuse("Path component cannot be an empty string")
	}
	return name
}

func (p *parser) order() Order {
	o := Order{Attribute: p.name()}
	if !p.accept("ASC") {
		o.Descending = p.accept("DESC")
	}
	return o
}

func (p *parser) insertion() Statement {
	p.keyword("INTO")
	s := &Insert{Table: p.component()}
	if p.is(".") {
		p.refuse("FROM clause may only contain a single table name")
	}
	if p.accept("(") { // the list of columns that SQL has here looks like a call
		p.sum()
	}
	p.keyword("VALUE")
	if p.is("?") { // a whole item can be a parameter
		item, ok := p.literal("").(value.Map)
		if !ok {
			p.fail("Expected LEFT_CURLY")
		}
		s.Item = value.Item(item)
		return s
	}
	p.symbol("{")
	s.Item = p.entries("")
	return s
}

// updateFrom reads the other form of UPDATE in the PartiQL specification, FROM t WHERE c SET a = 1.
//
// https://partiql.org/dml/overview.html
func (p *parser) updateFrom() Statement {
	s := &Update{Table: p.target()}
	s.Where = p.where()
	return p.update(s)
}

// update reads the rest of an UPDATE that began in s, or a whole one.
func (p *parser) update(s *Update) Statement {
	if s == nil {
		s = &Update{Table: p.target()}
	}
	for {
		switch {
		case p.accept("SET"):
			s.Changes = append(s.Changes, p.assignment())
			for p.accept(",") {
				s.Changes = append(s.Changes, p.assignment())
			}
		case p.accept("REMOVE"):
			s.Changes = append(s.Changes, Change{Target: p.path()})
			for p.accept(",") {
				s.Changes = append(s.Changes, Change{Target: p.path()})
			}
		default:
			if len(s.Changes) == 0 {
				p.fail("Expected data manipulation")
			}
			if s.Where == nil {
				s.Where = p.where()
			}
			s.Returning = p.returning()
			return s
		}
	}
}

func (p *parser) assignment() Change {
	c := Change{Target: p.path()}
	if !p.accept("=") {
		p.fail("Expected EQ in assignment")
		return c
	}
	c.Value = p.sum()
	return c
}

func (p *parser) where() Node {
	if !p.accept("WHERE") {
		return nil
	}
	return p.condition()
}

// returningWords are the words of RETURNING for its modes.
var returningWords = map[string]string{
	AllOld: "ALL OLD", AllNew: "ALL NEW", UpdatedOld: "MODIFIED OLD", UpdatedNew: "MODIFIED NEW",
}

// returning reads RETURNING ALL OLD * and the like.
func (p *parser) returning() string {
	if !p.accept("RETURNING") {
		return ""
	}
	var mode string
	switch {
	case p.accept("ALL") && p.accept("OLD"):
		mode = AllOld
	case p.previous("ALL") && p.accept("NEW"):
		mode = AllNew
	case p.accept("MODIFIED") && p.accept("OLD"):
		mode = UpdatedOld
	case p.previous("MODIFIED") && p.accept("NEW"):
		mode = UpdatedNew
	default:
		p.fail("Expected ALL or MODIFIED in a returning clause")
		return ""
	}
	if !p.accept("*") {
		p.fail("Expected * in a returning clause")
	}
	return mode
}

// previous reports whether the token just read is the word.
func (p *parser) previous(word string) bool {
	return strings.EqualFold(p.tokens[p.pos-1].text, word)
}

// name reads a name: a word that is not a keyword, or anything in double quotes.
func (p *parser) name() string {
	t := p.next()
	switch {
	case t.kind == tokenQuoted, t.kind == tokenWord && !isKeyword(t.text):
		p.pos++
		return t.text
	case t.kind == tokenWord:
		p.fail("Unexpected keyword")
	default:
		p.fail("Unexpected term")
	}
	return ""
}
