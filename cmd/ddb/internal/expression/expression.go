// SPDX-License-Identifier: Apache-2.0

// Package expression parses conditions and updates in the form in which people write them: DynamoDB's own expressions, but with
// names and values in them, such as
//
//	status = "open" AND (total > 100 OR contains(tags, "new"))
//	SET total = total + 5, note = "late" REMOVE `old-note`
//
// Names and values are replaced by placeholders, so reserved words are allowed, and no value is part of the text. The syntax of
// an expression is checked before anything is sent. Errors name a position in the text, and never quote it.
//
// Values are written as in PartiQL: "text" or 'text', numbers, true, false, null, lists [1, "a"], maps {"a": 1} and sets <<"a",
// "b">>; b"aGk=" is binary, in base64. Two quotes inside of a text are one. A name that is a keyword, or contains characters
// other than letters, digits and underscores, must be in backquotes.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
package expression

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Expression is an expression with placeholders.
type Expression struct {
	Text   string
	Names  map[string]string // by placeholder
	Values map[string]types.AttributeValue
}

// Condition parses a condition or filter.
func Condition(text string) (Expression, error) {
	return parse(text, func(p *parser) { p.or(0) })
}

// Update parses an update expression.
func Update(text string) (Expression, error) {
	return parse(text, func(p *parser) { p.clauses() })
}

// Paths parses a list of attributes, separated by commas. It returns the names of each path, with "[0]" for an element of a list.
func Paths(text string) (paths [][]string, err error) {
	_, err = parse(text, func(p *parser) {
		p.list(func() {
			p.path()
			paths = append(paths, p.steps)
		})
	})
	return paths, err
}

// parser reads tokens and writes the expression. After the first error it continues at the end of the text.
type parser struct {
	lexer
	out   strings.Builder
	names map[string]string // placeholder by name
	steps []string          // of the last path
	is    Expression
	err   error
}

// maxText is larger than an item can be.
const maxText = 512 * 1024

func parse(text string, read func(*parser)) (Expression, error) {
	if len(text) > maxText {
		return Expression{}, fmt.Errorf("the expression is longer than %d bytes", maxText)
	}
	p := &parser{lexer: lexer{text: text}, names: map[string]string{},
		is: Expression{Names: map[string]string{}, Values: map[string]types.AttributeValue{}}}
	p.next()
	read(p)
	if p.kind != end {
		p.failf("the expression should end here")
	}
	if p.err != nil {
		return Expression{}, p.err
	}
	p.is.Text = p.out.String()
	return p.is, nil
}

func (p *parser) failf(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf("character %d: %s", p.column(), fmt.Sprintf(format, args...))
	}
	p.kind, p.tok, p.at = end, "", len(p.text)
}

// next reads the next token.
func (p *parser) next() {
	if p.err != nil {
		return
	}
	if err := p.read(); err != "" {
		p.failf("%s", err)
	}
}

func (p *parser) write(text string) { p.out.WriteString(text) }

// keyword reads a keyword if it is the next token.
func (p *parser) keyword(want string) bool {
	if p.kind != word || !strings.EqualFold(p.tok, want) {
		return false
	}
	p.next()
	return true
}

// mark reads a punctuation mark if it is the next token.
func (p *parser) mark(mark string) bool {
	if p.kind != punctuation || p.tok != mark {
		return false
	}
	p.next()
	return true
}

func (p *parser) want(mark string) {
	if !p.mark(mark) {
		p.failf("%s is missing", mark)
		return
	}
	p.write(mark)
}

// list reads elements, separated by commas.
func (p *parser) list(element func()) {
	element()
	for p.err == nil && p.mark(",") {
		p.write(", ")
		element()
	}
}

// name writes the placeholder of an attribute's name.
func (p *parser) name() {
	if p.kind != word && p.kind != quotedName {
		p.failf("the name of an attribute is missing")
		return
	}
	if p.kind == word && reserved[strings.ToUpper(p.tok)] {
		p.failf("%s is a keyword; put an attribute of that name in backquotes", strings.ToUpper(p.tok))
		return
	}
	p.write(p.nameOf(p.tok))
	p.steps = append(p.steps, p.tok)
	p.next()
}

func (p *parser) nameOf(name string) string {
	placeholder, ok := p.names[name]
	if !ok {
		placeholder = "#n" + strconv.Itoa(len(p.names))
		p.names[name], p.is.Names[placeholder] = placeholder, name
	}
	return placeholder
}

// path reads a document path.
func (p *parser) path() {
	p.steps = nil
	p.name()
	for p.err == nil {
		switch {
		case p.mark("."):
			p.write(".")
			p.name()
		case p.mark("["):
			if n, err := strconv.ParseUint(p.tok, 10, 31); p.kind != number || err != nil || strconv.FormatUint(n, 10) != p.tok {
				p.failf("the index of a list element is a number from 0")
				return
			}
			p.write("[" + p.tok)
			p.steps = append(p.steps, "["+p.tok+"]")
			p.next()
			p.want("]")
		default:
			return
		}
	}
}

// reserved are the words that are not names unless they are quoted.
var reserved = map[string]bool{
	"AND": true, "OR": true, "NOT": true, "BETWEEN": true, "IN": true, "TRUE": true, "FALSE": true, "NULL": true,
	"SET": true, "REMOVE": true, "ADD": true, "DELETE": true,
}
