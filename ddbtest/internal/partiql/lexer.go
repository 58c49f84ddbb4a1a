// SPDX-License-Identifier: Apache-2.0

package partiql

import (
	"strconv"
	"strings"
)

type tokenKind uint8

const (
	tokenEOF     tokenKind = iota
	tokenWord              // a name or a keyword
	tokenQuoted            // a name in double quotes
	tokenString            // a literal in single quotes
	tokenNumber            // digits
	tokenSymbol            // an operator or punctuation
	tokenUnknown           // any other character
)

// token is a part of a statement. The text of a quoted token excludes its
// quotes; start and length, in bytes, include them.
type token struct {
	kind          tokenKind
	text          string
	start, length int
}

// symbols are the operators and punctuation, longer ones first.
var symbols = []string{"<<", ">>", "<>", "<=", ">=", "!=", "=", "<", ">", "+", "-", "*", ".", ",", "(", ")", "[", "]", "{", "}", ":", "?", ";"}

// lex splits a statement into tokens, of which the last is tokenEOF. It returns
// false if a quote or a comment does not end.
func lex(text string) (tokens []token, ok bool) {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.HasPrefix(text[i:], "--"):
			end := strings.IndexByte(text[i:], '\n')
			if end < 0 {
				end = len(text) - i
			}
			i += end
		case strings.HasPrefix(text[i:], "/*"):
			end := strings.Index(text[i+2:], "*/")
			if end < 0 {
				return nil, false
			}
			i += end + 4
		case c == '\'' || c == '"':
			inner, n := quoted(text[i:])
			if n == 0 {
				return nil, false
			}
			kind := tokenString
			if c == '"' {
				kind = tokenQuoted
			}
			tokens = append(tokens, token{kind, inner, i, n})
			i += n
		case isLetter(c):
			n := 1
			for i+n < len(text) && (isLetter(text[i+n]) || isDigit(text[i+n])) {
				n++
			}
			tokens = append(tokens, token{tokenWord, text[i : i+n], i, n})
			i += n
		case isDigit(c), c == '.' && i+1 < len(text) && isDigit(text[i+1]) && !followsName(tokens):
			n := numberLength(text[i:])
			tokens = append(tokens, token{tokenNumber, text[i : i+n], i, n})
			i += n
		default:
			t := token{tokenUnknown, text[i : i+1], i, 1}
			for _, s := range symbols {
				if strings.HasPrefix(text[i:], s) {
					t = token{tokenSymbol, s, i, len(s)}
					break
				}
			}
			tokens = append(tokens, t)
			i += len(t.text)
		}
	}
	return append(tokens, token{kind: tokenEOF, start: len(text)}), true
}

// quoted returns the text inside the quotes that s begins with, and its length
// including the quotes; 0 if they do not end. A doubled quote means one quote.
func quoted(s string) (string, int) {
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		if s[i] != quote {
			b.WriteByte(s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != quote {
			return b.String(), i + 1
		}
		b.WriteByte(quote)
		i++
	}
	return "", 0
}

// followsName reports whether a dot that comes next continues a path.
func followsName(tokens []token) bool {
	if len(tokens) == 0 {
		return false
	}
	last := tokens[len(tokens)-1]
	return last.kind == tokenWord || last.kind == tokenQuoted || last.kind == tokenSymbol && last.text == "]"
}

// numberLength returns the length of the number that s begins with.
func numberLength(s string) int {
	i := 0
	digits := func() {
		for i < len(s) && isDigit(s[i]) {
			i++
		}
	}
	digits()
	if i < len(s) && s[i] == '.' {
		i++
		digits()
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		mark := i
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		start := i
		if digits(); i == start {
			i = mark
		}
	}
	return i
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '$'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// position returns the position of a part of a statement in the form of the service's messages:
// line, column and length, separated by colons.
//
// https://github.com/floci-io/floci/pull/3798 has measured it.
func position(text string, start, length int) string {
	line := strings.Count(text[:start], "\n") + 1
	column := start - strings.LastIndexByte(text[:start], '\n')
	return strconv.Itoa(line) + ":" + strconv.Itoa(column) + ":" + strconv.Itoa(length)
}
