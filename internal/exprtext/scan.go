// SPDX-License-Identifier: Apache-2.0

// Package exprtext parses the text of DynamoDB's expressions: reserved words, placeholders, and the actions of updates.
package exprtext

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Scan lists what expression text contains, each spelling once: reserved words that are used as names, and the placeholders of
// names and values.
type Scan struct {
	Reserved, Names, Values []string
}

// ScanOf reads the text token by token. A keyword and an attribute with the same name are distinguished by their position:
// operators follow an operand, clause keywords are at the start or follow an operand, and NOT is where an operand begins.
func ScanOf(text string) Scan {
	var s Scan
	const (
		atStart   = iota // at the start: a clause keyword or an operand
		atOperand        // an operand is expected
		atEnd            // an operand just ended
		atStep           // after a dot: the next word is a name
	)
	place := atStart
	for tok, rest := nextToken(text); tok != ""; tok, rest = nextToken(rest) {
		after, _ := nextToken(rest)
		switch {
		case tok[0] == '#':
			s.Names = addOnce(s.Names, tok)
			place = atEnd
		case tok[0] == ':':
			s.Values = addOnce(s.Values, tok)
			place = atEnd
		case tok == ".":
			place = atStep
		case tok == ")" || tok == "]" || isDigit(tok[0]):
			place = atEnd
		case !isWord(tok):
			place = atOperand
		case place != atStep && place != atEnd && after == "(": // a function, or NOT before parentheses
			place = atOperand
		case (place == atStart || place == atOperand) && strings.EqualFold(tok, "NOT") && beginsOperand(after):
			place = atOperand
		case place == atEnd && isOperator(tok):
			place = atOperand
		case (place == atStart || place == atEnd) && isClause(tok) && beginsOperand(after):
			place = atOperand
		default:
			if IsReserved(tok) {
				s.Reserved = addOnce(s.Reserved, tok)
			}
			place = atEnd
		}
	}
	return s
}

func isOperator(word string) bool {
	switch strings.ToUpper(word) {
	case "AND", "OR", "BETWEEN", "IN":
		return true
	}
	return false
}

func isClause(word string) bool {
	switch strings.ToUpper(word) {
	case "SET", "REMOVE", "ADD", "DELETE":
		return true
	}
	return false
}

// beginsOperand reports whether an operand can begin with a token: a word or placeholder.
func beginsOperand(tok string) bool {
	return tok != "" && (tok[0] == '#' || tok[0] == ':' || isWord(tok))
}

// nextToken splits off the first token of the text: a word, a number, a placeholder with its first character, or any other single
// character. The token is empty at the end of the text.
func nextToken(text string) (tok, rest string) {
	text = strings.TrimLeftFunc(text, unicode.IsSpace)
	if text == "" {
		return "", ""
	}
	first, n := utf8.DecodeRuneInString(text)
	if first == '#' || first == ':' || isWordRune(first) {
		for n < len(text) {
			r, size := utf8.DecodeRuneInString(text[n:])
			if !isWordRune(r) {
				break
			}
			n += size
		}
	}
	return text[:n], text[n:]
}

func isWord(tok string) bool {
	r, _ := utf8.DecodeRuneInString(tok)
	return isWordRune(r) && !isDigit(tok[0])
}

func isWordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) }

func isDigit(b byte) bool { return b >= '0' && b <= '9' }

func addOnce(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}
