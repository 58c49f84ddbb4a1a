// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The limits of an expression.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
const (
	maxLength     = 4096
	maxOperators  = 300
	maxInOperands = 100
)

// node is an operand or a condition.
type node any

type (
	// pathNode is a document path. Its names are as in the text until the
	// checker has set path.
	pathNode struct {
		raw  []rawElement
		path Path
	}
	rawElement struct {
		text  string // an identifier, a #placeholder or the digits of an index
		index bool
	}
	// valueNode is a :placeholder.
	valueNode struct {
		name  string
		value value.Value
	}
	// callNode is a function call; as a condition or as an operand.
	callNode struct {
		name string
		args []node
	}
	// arithmeticNode is a sum or difference in an update expression.
	arithmeticNode struct {
		op          string
		left, right node
	}
	compareNode struct {
		op          string
		left, right node
	}
	betweenNode struct{ operand, lower, upper node }
	inNode      struct {
		operand node
		list    []node
	}
	notNode struct{ condition node }
	// junctionNode is the AND or OR of two conditions or more.
	junctionNode struct {
		or         bool
		conditions []node
	}
	// parenNode represents a pair of parentheses until the node around it is
	// made.
	parenNode struct{ inner node }
)

// parser reads the tokens of one expression. After the first error it is at
// the end of the text, where nothing more can be read; the tree built so
// far is not used.
type parser struct {
	param     string
	text      string
	tokens    []token
	pos       int
	keywords  []string
	err       error
	redundant bool // two pairs of parentheses around the same thing
	operators int
}

// parse parses the text with a grammar and returns the errors that come before
// those of the operands. keywords are the identifiers that cannot be names.
func parse(param, text string, params *Params, keywords []string, grammar func(*parser)) error {
	if strings.TrimSpace(text) == "" {
		return invalid(param, "The expression can not be empty;")
	}
	if len(text) > maxLength && !params.AnyLength {
		message := "Expression size has exceeded the maximum allowed size;"
		if params.ReportSize && (param == ConditionExpression || param == FilterExpression) {
			message += " expression size: " + strconv.Itoa(len(text))
		}
		return invalid(param, message)
	}
	p := &parser{param: param, text: text, tokens: lex(text), keywords: keywords}
	grammar(p)
	if p.next().kind != tokenEOF {
		p.fail()
	}
	switch {
	case p.err != nil:
		return p.err
	case p.operators > maxOperators:
		return invalid(param, "The expression contains too many operators; operator count: "+strconv.Itoa(maxOperators+1))
	case p.redundant:
		return invalid(param, "The expression has redundant parentheses;")
	}
	return nil
}

// invalid returns the error for an expression parameter.
func invalid(param, message string) error {
	return value.Invalid("Invalid " + param + ": " + message)
}

// next returns the token to read.
func (p *parser) next() token { return p.tokens[p.pos] }

// is reports whether the next token is the symbol or the keyword, in any case.
func (p *parser) is(text string) bool {
	t := p.next()
	switch t.kind {
	case tokenSymbol:
		return t.text == text
	case tokenIdent:
		return strings.EqualFold(t.text, text) && slices.Contains(p.keywords, text)
	default:
		return false
	}
}

// accept reads the next token if it is the symbol or keyword.
func (p *parser) accept(text string) bool {
	if !p.is(text) {
		return false
	}
	p.pos++
	return true
}

func (p *parser) expect(text string) {
	if !p.accept(text) {
		p.fail()
	}
}

// isName reports whether the next token can begin a document path.
func (p *parser) isName() bool {
	t := p.next()
	return t.kind == tokenName || t.kind == tokenIdent && !p.isKeyword(t)
}

func (p *parser) isKeyword(t token) bool {
	return slices.ContainsFunc(p.keywords, func(k string) bool { return strings.EqualFold(k, t.text) })
}

// fail makes the next token the syntax error, unless there is one already. The
// message shows the text from the token before it to the one after it.
func (p *parser) fail() {
	if p.err != nil {
		return
	}
	bad := p.next()
	start, end := bad.start, bad.end
	if p.pos > 0 {
		start = p.tokens[p.pos-1].start
	}
	if bad.kind == tokenEOF {
		if p.pos > 0 {
			end = p.tokens[p.pos-1].end
		}
	} else if after := p.tokens[p.pos+1]; after.kind != tokenEOF {
		end = after.end
	}
	p.err = invalid(p.param, `Syntax error; token: "`+bad.text+`", near: "`+p.text[start:end]+`"`)
	p.pos = len(p.tokens) - 1
}

// word reads a token of the kind that ok reports and returns its text.
func (p *parser) word(ok bool) string {
	if !ok {
		p.fail()
		return ""
	}
	p.pos++
	return p.tokens[p.pos-1].text
}

// path reads a document path.
func (p *parser) path() *pathNode {
	path := &pathNode{raw: []rawElement{{text: p.word(p.isName())}}}
	p.elements(path)
	return path
}

// elements reads the elements of a path that follow its first.
func (p *parser) elements(path *pathNode) {
	for {
		switch {
		case p.accept("."):
			path.raw = append(path.raw, rawElement{text: p.word(p.isName())})
		case p.accept("["):
			path.raw = append(path.raw, rawElement{text: p.word(p.next().kind == tokenNumber), index: true})
			p.expect("]")
		default:
			return
		}
	}
}

// valueRef reads a :placeholder.
func (p *parser) valueRef() *valueNode {
	return &valueNode{name: p.word(p.next().kind == tokenValue)}
}

// isCall reports whether a function call comes next.
func (p *parser) isCall() bool {
	t := p.next()
	return t.kind == tokenIdent && !p.isKeyword(t) && p.tokens[p.pos+1].text == "("
}

// call reads a function call with one operand or more.
func (p *parser) call(operand func() node) *callNode {
	c := &callNode{name: p.next().text}
	p.pos += 2
	c.args = p.list(operand)
	return c
}

// list reads operands up to a closing parenthesis.
func (p *parser) list(operand func() node) []node {
	operands := []node{bare(operand())}
	for p.accept(",") {
		operands = append(operands, bare(operand()))
	}
	p.expect(")")
	return operands
}

// parens reads the contents of parentheses.
func (p *parser) parens(inner func() node) *parenNode {
	p.expect("(")
	n := inner()
	p.expect(")")
	if _, ok := n.(*parenNode); ok {
		p.redundant = true
	}
	return &parenNode{n}
}

// bare removes the parentheses around a node.
func bare(n node) node {
	for {
		paren, ok := n.(*parenNode)
		if !ok {
			return n
		}
		n = paren.inner
	}
}
