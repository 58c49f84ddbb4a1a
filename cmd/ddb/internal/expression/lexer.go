// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind int

const (
	end        kind = iota
	word            // an identifier
	quotedName      // a name in backquotes, without the quotes
	number          // digits, with a fraction and an exponent, without a sign
	text            // a text in quotes, without the quotes
	binary          // a text after b
	punctuation
)

// lexer splits an expression into tokens. kind and tok are the current token, which begins at start.
type lexer struct {
	text  string
	at    int // the end of the token
	start int
	kind  kind
	tok   string
}

// column returns where the token begins, in characters from 1.
func (l *lexer) column() int { return utf8.RuneCountInString(l.text[:l.start]) + 1 }

// read reads the next token; it returns what is wrong.
func (l *lexer) read() string {
	for l.at < len(l.text) && strings.IndexByte(" \t\r\n", l.text[l.at]) >= 0 {
		l.at++
	}
	if l.start = l.at; l.at == len(l.text) {
		l.kind, l.tok = end, ""
		return ""
	}
	rest := l.text[l.at:]
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == utf8.RuneError && size == 1:
		return "the text is not UTF-8"
	case r == '"' || r == '\'':
		return l.quoted(text, 0)
	case r == '`':
		return l.quoted(quotedName, 0)
	case r == 'b' && len(rest) > 1 && (rest[1] == '"' || rest[1] == '\''):
		return l.quoted(binary, 1)
	case r >= '0' && r <= '9':
		l.take(number, numberLength(rest))
		if next, _ := utf8.DecodeRuneInString(l.text[l.at:]); isPart(next) || next == '.' {
			return "this is no number"
		}
	case isFirst(r):
		n := strings.IndexFunc(rest, func(r rune) bool { return !isPart(r) })
		if n < 0 {
			n = len(rest)
		}
		l.take(word, n)
	case r == '#' || r == ':' && len(rest) > 1 && isPart(rune(rest[1])):
		return "write names and values themselves, without placeholders"
	case r == '!':
		return "write <> for not equal"
	default:
		for _, mark := range []string{"<<", ">>", "<=", ">=", "<>", "(", ")", "[", "]", "{", "}", ",", ".", ":", "=", "<", ">", "+", "-"} {
			if strings.HasPrefix(rest, mark) {
				l.take(punctuation, len(mark))
				return ""
			}
		}
		return "this character has no meaning here; put text in quotes and unusual names in backquotes"
	}
	return ""
}

func (l *lexer) take(k kind, n int) {
	l.kind, l.tok = k, l.text[l.at:l.at+n]
	l.at += n
}

// quoted reads a text between quotes. Two quotes inside of it are one.
func (l *lexer) quoted(k kind, prefix int) string {
	quote := l.text[l.at+prefix : l.at+prefix+1]
	var b strings.Builder
	for i := l.at + prefix + 1; ; {
		n := strings.Index(l.text[i:], quote)
		if n < 0 {
			return "the quote that begins here does not end"
		}
		b.WriteString(l.text[i : i+n])
		i += n + 1
		if !strings.HasPrefix(l.text[i:], quote) {
			l.kind, l.tok, l.at = k, b.String(), i
			break
		}
		b.WriteString(quote)
		i++
	}
	if k == quotedName && l.tok == "" {
		return "the name is empty"
	}
	if !utf8.ValidString(l.tok) {
		return "the text is not UTF-8"
	}
	return ""
}

func isFirst(r rune) bool { return r == '_' || r != utf8.RuneError && unicode.IsLetter(r) }
func isPart(r rune) bool  { return isFirst(r) || r != utf8.RuneError && unicode.IsDigit(r) }

// numberLength returns the length of the unsigned number at the beginning of a text.
func numberLength(s string) int {
	digits := func(i int) int {
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i
	}
	i := digits(0)
	if i < len(s) && s[i] == '.' {
		if j := digits(i + 1); j > i+1 {
			i = j
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if k := digits(j); k > j {
			i = k
		}
	}
	return i
}
