// SPDX-License-Identifier: Apache-2.0

package expression

import "strings"

// clauses reads the clauses of an update expression.
func (p *parser) clauses() {
	seen := map[string]bool{}
	for p.err == nil && (p.kind != end || len(seen) == 0) {
		clause := strings.ToUpper(p.tok)
		action := map[string]func(){"SET": p.set, "REMOVE": p.path, "ADD": p.change, "DELETE": p.change}[clause]
		switch {
		case p.kind != word || action == nil:
			p.failf("SET, REMOVE, ADD or DELETE is missing")
			return
		case seen[clause]:
			p.failf("%s is there already: write its actions together, separated by commas", clause)
			return
		case len(seen) > 0:
			p.write(" ")
		}
		seen[clause] = true
		p.write(clause + " ")
		p.next()
		p.list(action)
	}
}

// set reads path = value, or a sum or difference of two values.
func (p *parser) set() {
	p.path()
	if !p.mark("=") {
		p.failf("= is missing")
		return
	}
	p.write(" = ")
	p.term(0)
	if p.kind == punctuation && (p.tok == "+" || p.tok == "-") {
		p.write(" " + p.tok + " ")
		p.next()
		p.term(0)
	}
}

// term reads a path, a value, or a function of them.
func (p *parser) term(depth int) {
	if depth > maxDepth {
		p.failf("more than %d functions in each other", maxDepth)
		return
	}
	f := p.function()
	switch f {
	case "":
		if p.isValue() {
			p.placeValue()
			return
		}
		p.path()
		return
	case "if_not_exists", "list_append":
	default:
		p.failf("there is no such function in an update: there are if_not_exists and list_append")
		return
	}
	p.next()
	p.write(f)
	p.want("(")
	if f == "if_not_exists" {
		p.path()
	} else {
		p.term(depth + 1)
	}
	p.comma()
	p.term(depth + 1)
	p.want(")")
}

// change reads the path and the value of ADD and DELETE.
func (p *parser) change() {
	p.path()
	p.write(" ")
	if !p.isValue() {
		p.failf("a number or a set is missing")
		return
	}
	p.placeValue()
}
