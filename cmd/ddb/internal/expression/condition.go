// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"slices"
	"strings"
)

// maxDepth limits the nesting of parentheses, lists and maps; DynamoDB allows 32 levels in a value.
const maxDepth = 64

func (p *parser) or(depth int) {
	p.and(depth)
	for p.err == nil && p.keyword("OR") {
		p.write(" OR ")
		p.and(depth)
	}
}

func (p *parser) and(depth int) {
	p.not(depth)
	for p.err == nil && p.keyword("AND") {
		p.write(" AND ")
		p.not(depth)
	}
}

func (p *parser) not(depth int) {
	if depth > maxDepth {
		p.failf("more than %d parentheses or NOT in each other", maxDepth)
		return
	}
	if p.keyword("NOT") {
		p.write("NOT ")
		p.not(depth + 1)
		return
	}
	if p.mark("(") {
		p.write("(")
		p.or(depth + 1)
		p.want(")")
		return
	}
	if f := p.function(); f != "" && f != "size" {
		p.call(f)
		return
	}
	p.comparison()
}

// function returns the name of the function that is called next, or "".
func (p *parser) function() string {
	if p.kind == word && strings.HasPrefix(strings.TrimLeft(p.text[p.at:], " \t\r\n"), "(") && !reserved[strings.ToUpper(p.tok)] {
		return strings.ToLower(p.tok)
	}
	return ""
}

// call reads a function that is a complete condition.
func (p *parser) call(name string) {
	switch name {
	case "attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains":
	default:
		p.failf("there is no such function in a condition: there are attribute_exists, attribute_not_exists, attribute_type, begins_with, contains and size")
		return
	}
	p.next()
	p.write(name)
	p.want("(")
	p.path()
	if !strings.HasSuffix(name, "exists") {
		p.comma()
		if name == "attribute_type" && (p.kind != text || !kinds[p.tok]) {
			p.failf(`the type is one of "S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"`)
			return
		}
		p.operand()
	}
	p.want(")")
}

var kinds = map[string]bool{"S": true, "N": true, "B": true, "BOOL": true, "NULL": true, "M": true, "L": true, "SS": true, "NS": true, "BS": true}

func (p *parser) comma() {
	if !p.mark(",") {
		p.failf(", is missing")
		return
	}
	p.write(", ")
}

var comparators = []string{"=", "<>", "<", "<=", ">", ">="}

func (p *parser) comparison() {
	p.operand()
	switch {
	case p.keyword("BETWEEN"):
		p.write(" BETWEEN ")
		p.operand()
		if !p.keyword("AND") {
			p.failf("AND is missing behind BETWEEN and its first value")
			return
		}
		p.write(" AND ")
		p.operand()
	case p.keyword("IN"):
		p.write(" IN ")
		p.want("(")
		p.list(p.operand)
		p.want(")")
	case p.kind == punctuation && slices.Contains(comparators, p.tok):
		p.write(" " + p.tok + " ")
		p.next()
		p.operand()
	default:
		p.failf("a comparison is missing: =, <>, <, <=, >, >=, BETWEEN or IN")
	}
}

// operand is a path, a value, or the size of a path.
func (p *parser) operand() {
	switch f := p.function(); {
	case f == "size":
		p.next()
		p.write("size")
		p.want("(")
		p.path()
		p.want(")")
	case f != "":
		p.failf("only size() can be compared")
	case p.isValue():
		p.placeValue()
	default:
		p.path()
	}
}
