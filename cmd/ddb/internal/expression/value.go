// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"encoding/base64"
	"math/big"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// isValue reports whether the next token begins a value, and not a name.
func (p *parser) isValue() bool {
	switch p.kind {
	case number, text, binary:
		return true
	case word:
		switch strings.ToUpper(p.tok) {
		case "TRUE", "FALSE", "NULL":
			return true
		}
	case punctuation:
		switch p.tok {
		case "-", "+", "[", "{", "<<":
			return true
		}
	}
	return false
}

// placeValue reads a value and writes its placeholder.
func (p *parser) placeValue() {
	v := p.value(0)
	if p.err != nil {
		return
	}
	placeholder := ":v" + strconv.Itoa(len(p.is.Values))
	p.is.Values[placeholder] = v
	p.write(placeholder)
}

func (p *parser) value(depth int) types.AttributeValue {
	if depth > maxDepth {
		p.failf("more than %d lists and maps in each other", maxDepth)
		return nil
	}
	tok := p.tok
	switch p.kind {
	case text:
		p.next()
		return &types.AttributeValueMemberS{Value: tok}
	case number:
		p.next()
		return &types.AttributeValueMemberN{Value: tok}
	case binary:
		data, err := base64.StdEncoding.DecodeString(tok)
		if err != nil {
			p.failf("the binary is not base64")
			return nil
		}
		p.next()
		return &types.AttributeValueMemberB{Value: data}
	case word:
		switch strings.ToUpper(tok) {
		case "TRUE", "FALSE":
			p.next()
			return &types.AttributeValueMemberBOOL{Value: strings.EqualFold(tok, "true")}
		case "NULL":
			p.next()
			return &types.AttributeValueMemberNULL{Value: true}
		}
	case punctuation:
		switch tok {
		case "-", "+":
			return p.signed()
		case "[":
			p.next()
			list := []types.AttributeValue{}
			p.members("]", func() { list = append(list, p.value(depth+1)) })
			return &types.AttributeValueMemberL{Value: list}
		case "{":
			p.next()
			return p.mapValue(depth)
		case "<<":
			p.next()
			return p.setValue(depth)
		}
	}
	p.failf("a value is missing")
	return nil
}

// signed reads a number after its sign.
func (p *parser) signed() types.AttributeValue {
	sign := strings.TrimPrefix(p.tok, "+")
	p.next()
	if p.kind != number {
		p.failf("a number is missing")
		return nil
	}
	n := sign + p.tok
	p.next()
	return &types.AttributeValueMemberN{Value: n}
}

// members reads the elements between brackets, separated by commas.
func (p *parser) members(closing string, member func()) {
	if p.mark(closing) {
		return
	}
	member()
	for p.err == nil && p.mark(",") {
		member()
	}
	if !p.mark(closing) {
		p.failf("%s is missing", closing)
	}
}

func (p *parser) mapValue(depth int) types.AttributeValue {
	m := map[string]types.AttributeValue{}
	p.members("}", func() {
		key := p.tok
		if p.kind != text && p.kind != word && p.kind != quotedName {
			p.failf("the key of a map is missing")
			return
		}
		if _, twice := m[key]; twice {
			p.failf("the map has this key already")
			return
		}
		p.next()
		if !p.mark(":") {
			p.failf(": is missing")
			return
		}
		m[key] = p.value(depth + 1)
	})
	return &types.AttributeValueMemberM{Value: m}
}

// setValue reads a set. Its members have one type and are unique.
func (p *parser) setValue(depth int) types.AttributeValue {
	var (
		texts, numbers []string
		binaries       [][]byte
		seen           = map[string]bool{}
		none           = p.kind == punctuation && p.tok == ">>"
	)
	if none {
		p.failf("a set is never empty")
		return nil
	}
	p.members(">>", func() {
		var same string
		switch v := p.value(depth + 1).(type) {
		case *types.AttributeValueMemberS:
			texts, same = append(texts, v.Value), "S"+v.Value
		case *types.AttributeValueMemberN:
			numbers, same = append(numbers, v.Value), "N"+numberID(v.Value)
		case *types.AttributeValueMemberB:
			binaries, same = append(binaries, v.Value), "B"+string(v.Value)
		default:
			p.failf("a set has texts, numbers or binaries")
			return
		}
		if seen[same] {
			p.failf("a set has each member once")
		}
		seen[same] = true
	})
	switch {
	case p.err != nil:
	case len(texts) == len(seen):
		return &types.AttributeValueMemberSS{Value: texts}
	case len(numbers) == len(seen):
		return &types.AttributeValueMemberNS{Value: numbers}
	case len(binaries) == len(seen):
		return &types.AttributeValueMemberBS{Value: binaries}
	default:
		p.failf("the members of a set have one type")
	}
	return nil
}

// numberID returns the same text for equal numbers that DynamoDB can store. DynamoDB rejects other numbers.
func numberID(n string) string {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(n), "e")
	if e, err := strconv.Atoi(exponent); exponent != "" && (err != nil || e > 200 || e < -200) || len(mantissa) > 500 {
		return n
	}
	r, ok := new(big.Rat).SetString(n)
	if !ok {
		return n
	}
	return r.RatString()
}
