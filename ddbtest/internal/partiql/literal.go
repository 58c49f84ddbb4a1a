// SPDX-License-Identifier: Apache-2.0

package partiql

import (
	"slices"
	"strconv"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The texts of errors in literals have been measured in https://github.com/floci-io/floci/pull/3798.

// maxLiteralDepth is how many levels a literal may have.
const maxLiteralDepth = 32

// literal reads a value. path is its path in an outer literal, "" without one; parameters are allowed only outside of literals.
func (p *parser) literal(path string) value.Value {
	if p.depth == maxLiteralDepth {
		p.refuse("Nesting Levels have exceeded supported limits under " + path)
	}
	t := p.take()
	inner := path
	if inner == "" {
		inner = "root"
	}
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
			return p.parameter(t, path)
		case "-", "+":
			return p.signed(t)
		case "[":
			return value.List(p.elements("]", func(i int) string { return inner + "[" + strconv.Itoa(i) + "]" }))
		case "{":
			return value.Map(p.entries(inner))
		case "<<":
			return p.set(p.elements(">>", func(int) string { return inner }))
		}
	}
	p.fail("Unexpected term")
	return value.Null{}
}

// parameter puts the next parameter in the place of a question mark.
func (p *parser) parameter(t token, path string) value.Value {
	if path != "" {
		p.refuse("Unsupported data type: Parameter under key " + path + " at " + p.at(t))
	}
	p.used++
	if p.used <= len(p.parameters) {
		return p.parameters[p.used-1]
	}
	return value.List{} // Parse refuses the statement
}

// signed reads a number after its signs.
func (p *parser) signed(sign token) value.Value {
	negative := sign.text == "-"
	for p.is("-") || p.is("+") {
		sign = p.take()
		negative = negative != (sign.text == "-")
	}
	n := p.next()
	if n.kind != tokenNumber {
		p.refuse("Unsupported operator in Condition Expression. Operator: " + sign.text)
		return value.Null{}
	}
	p.pos++
	if negative {
		return p.number("-" + n.text)
	}
	return p.number(n.text)
}

func (p *parser) number(text string) value.Value {
	n, err := value.ParseNumber(text)
	if err != nil && p.invalid == nil {
		p.invalid = err
	}
	return n
}

// elements reads values up to a closing symbol. path returns the path of the value with an index.
func (p *parser) elements(end string, path func(i int) string) []value.Value {
	list := []value.Value{}
	if p.accept(end) {
		return list
	}
	p.depth++
	for p.err == nil {
		list = append(list, p.literal(path(len(list))))
		if !p.accept(",") {
			break
		}
	}
	p.depth--
	p.symbol(end)
	return list
}

// entries reads the entries of a map, or with an empty path of an item, up to the closing brace.
func (p *parser) entries(path string) map[string]value.Value {
	m := map[string]value.Value{}
	if p.accept("}") {
		return m
	}
	nested := path != ""
	if nested {
		p.depth++
	}
	for p.err == nil {
		t := p.take()
		if t.kind != tokenString {
			p.fail("Unexpected term")
			break
		}
		p.symbol(":")
		at := ""
		if nested {
			at = path + "." + t.text
		}
		m[t.text] = p.literal(at)
		if !p.accept(",") {
			break
		}
	}
	if nested {
		p.depth--
	}
	p.symbol("}")
	return m
}

// set makes a set of strings or of numbers. The language calls it a bag.
func (p *parser) set(members []value.Value) value.Value {
	if p.err != nil {
		return value.Null{}
	}
	if len(members) == 0 {
		p.refuse("Empty bags are not supported")
		return value.Null{}
	}
	var (
		texts   []string
		numbers []value.Number
		shown   []string
	)
	for _, m := range members {
		switch m := m.(type) {
		case value.String:
			texts, shown = appendNew(texts, string(m)), append(shown, string(m))
		case value.Number:
			numbers, shown = appendNew(numbers, m), append(shown, m.String())
		}
	}
	duplicates := "One or more parameter values were invalid: Input collection [" + strings.Join(shown, ", ") + "] contains duplicates"
	switch {
	case len(shown) < len(members) || texts != nil && numbers != nil:
		p.refuse("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")
	case len(texts) == len(members):
		return value.StringSet(texts)
	case len(numbers) == len(members):
		return value.NumberSet(numbers)
	case texts != nil:
		p.refuse(duplicates + ".")
	default:
		p.refuse(duplicates + "! under root")
	}
	return value.Null{}
}

func appendNew[E comparable](list []E, e E) []E {
	if slices.Contains(list, e) {
		return list
	}
	return append(list, e)
}
