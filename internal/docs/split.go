// SPDX-License-Identifier: Apache-2.0

package main

import (
	"go/scanner"
	"go/token"
	"strings"
	"unicode/utf8"
)

// chunk is a declaration of a package, or a line of statements.
type chunk struct {
	line  int // in the document
	text  string
	token token.Token // import, type, func, var or const for a declaration, else illegal
	names map[string]bool
	name  string // of a function
}

// split cuts the code of a block where a line ends outside of all brackets.
func split(b block) []chunk {
	files := token.NewFileSet()
	file := files.AddFile(b.file, -1, len(b.code))
	var s scanner.Scanner
	s.Init(file, []byte(b.code), nil, 0) // the parser reports mistakes

	var chunks []chunk
	var tokens []token.Token
	var words []string
	start, end, depth := 0, 0, 0
	for {
		pos, tok, text := s.Scan()
		if tok == token.EOF || tok == token.SEMICOLON && text == "\n" && depth <= 0 {
			if len(tokens) > 0 {
				c := chunk{line: b.line + strings.Count(b.code[:start], "\n"), text: b.code[start:end], names: map[string]bool{}}
				for _, w := range words {
					c.names[w] = true
				}
				c.token, c.name = declared(tokens, words)
				chunks = append(chunks, c)
			}
			if tok == token.EOF {
				return chunks
			}
			tokens, words = nil, nil
			continue
		}
		if tok == token.SEMICOLON && text == "\n" {
			continue
		}
		if len(tokens) == 0 {
			start, depth = file.Offset(pos), 0
		}
		switch tok {
		case token.LPAREN, token.LBRACK, token.LBRACE:
			depth++
		case token.RPAREN, token.RBRACK, token.RBRACE:
			depth--
		case token.IDENT:
			words = append(words, text)
		}
		if text == "" {
			text = tok.String()
		}
		// Raw strings lose their carriage returns in the scanner; there are none in our files.
		tokens, end = append(tokens, tok), file.Offset(pos)+len(text)
	}
}

// declared recognises a declaration of the package by its first tokens; name is a plain function's.
func declared(tokens []token.Token, words []string) (tok token.Token, name string) {
	switch tokens[0] {
	case token.IMPORT, token.TYPE, token.CONST, token.VAR:
		return tokens[0], ""
	case token.FUNC:
	default:
		return token.ILLEGAL, ""
	}
	if len(tokens) > 1 && tokens[1] == token.IDENT {
		return token.FUNC, words[0]
	}
	// A method has a name behind its receiver, a function literal has none.
	depth := 0
	for i, t := range tokens[1:] {
		switch t {
		case token.LPAREN:
			depth++
		case token.RPAREN:
			depth--
		}
		if depth == 0 {
			if rest := tokens[1+i+1:]; len(rest) > 1 && rest[0] == token.IDENT && rest[1] == token.LPAREN {
				return token.FUNC, ""
			}
			break
		}
	}
	return token.ILLEGAL, ""
}

// isTest reports whether a function is one that the testing package would run.
func (c chunk) isTest() bool {
	rest, ok := strings.CutPrefix(c.name, "Test")
	first, _ := utf8.DecodeRuneInString(rest)
	return ok && c.token == token.FUNC && (rest == "" || first == '_' || first >= 'A' && first <= 'Z') &&
		strings.Contains(c.text, "*testing.T)")
}
