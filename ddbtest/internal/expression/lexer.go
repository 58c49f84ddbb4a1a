// SPDX-License-Identifier: Apache-2.0

package expression

// tokenKind is what the lexer found.
type tokenKind uint8

const (
	tokenEOF     tokenKind = iota
	tokenIdent             // a letter, then letters, digits and underscores
	tokenName              // #placeholder
	tokenValue             // :placeholder
	tokenNumber            // digits
	tokenSymbol            // an operator or punctuation
	tokenUnknown           // any other character
)

// token is a part of the text from start to end.
type token struct {
	kind       tokenKind
	text       string
	start, end int
}

// lex splits text into tokens, of which the last is tokenEOF. A character that
// begins no token becomes a tokenUnknown, which no grammar accepts.
func lex(text string) []token {
	tokens := make([]token, 0, len(text)/3+2)
	for i := 0; i < len(text); {
		start, kind := i, tokenUnknown
		switch c := text[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
			continue
		case isLetter(c):
			kind = tokenIdent
			i = skipWord(text, i)
		case isDigit(c):
			kind = tokenNumber
			for i < len(text) && isDigit(text[i]) {
				i++
			}
		case (c == '#' || c == ':') && i+1 < len(text) && isWord(text[i+1]):
			kind = tokenName
			if c == ':' {
				kind = tokenValue
			}
			i = skipWord(text, i+1)
		case c == '<' && i+1 < len(text) && (text[i+1] == '=' || text[i+1] == '>'), c == '>' && i+1 < len(text) && text[i+1] == '=':
			kind = tokenSymbol
			i += 2
		case isSymbol(c):
			kind = tokenSymbol
			i++
		default:
			i++
			for i < len(text) && text[i]&0xc0 == 0x80 { // the rest of a UTF-8 character
				i++
			}
		}
		tokens = append(tokens, token{kind, text[start:i], start, i})
	}
	return append(tokens, token{tokenEOF, "<EOF>", len(text), len(text)})
}

func skipWord(text string, i int) int {
	for i < len(text) && isWord(text[i]) {
		i++
	}
	return i
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

func isSymbol(c byte) bool {
	switch c {
	case '=', '<', '>', '(', ')', '[', ']', ',', '.', '+', '-':
		return true
	}
	return false
}

// isPlaceholder reports whether s is the sigil followed by a word.
func isPlaceholder(s string, sigil byte) bool {
	return len(s) > 1 && s[0] == sigil && skipWord(s, 1) == len(s)
}
