// SPDX-License-Identifier: Apache-2.0

package exprtext

import (
	"errors"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
)

// Action is an action of an update expression. Counts reports that it must not be sent again after a lost reply.
type Action struct {
	Clause expr.Clause
	Action expr.Action
	Counts bool
}

var errUpdateText = errors.New("raw change: the text is not an update expression, such as SET a = :a, b = b + :n REMOVE c")

// ReadUpdate splits an update expression into its actions.
func ReadUpdate(text string, names map[string]string, values map[string]types.AttributeValue) ([]Action, error) {
	var all []Action
	clauses, ok := cutClauses(tokensOf(text))
	if !ok {
		return nil, errUpdateText
	}
	for _, c := range clauses {
		for _, tokens := range cutTokens(c.tokens, ",") {
			a := Action{Clause: c.clause}
			left, right := tokens, []token(nil)
			switch c.clause {
			case expr.ClauseSet:
				sides := cutTokens(tokens, "=")
				if len(sides) != 2 {
					return nil, errUpdateText
				}
				left, right = sides[0], sides[1]
			case expr.ClauseAdd, expr.ClauseDelete:
				if len(tokens) < 2 {
					return nil, errUpdateText
				}
				left, right = tokens[:len(tokens)-1], tokens[len(tokens)-1:]
			}
			path, ok := readPath(left, names)
			if !ok || (len(right) == 0) != (c.clause == expr.ClauseRemove) {
				return nil, errUpdateText
			}
			a.Action.Path = path
			if len(right) > 0 {
				last := right[len(right)-1]
				a.Action.Right = rightSide(text[right[0].at:last.at+len(last.text)], names, values)
			}
			a.Counts = path[len(path)-1].Indexed || c.clause != expr.ClauseRemove && (c.clause != expr.ClauseSet || !isValue(a.Action.Right))
			all = append(all, a)
		}
	}
	return all, nil
}

// rightSide is a value, or text that DynamoDB interprets.
func rightSide(text string, names map[string]string, values map[string]types.AttributeValue) expr.Node {
	if av, ok := values[text]; ok {
		return expr.Value{AV: av}
	}
	return expr.Text{Text: text, Names: names, Values: values}
}

func isValue(n expr.Node) bool {
	_, ok := n.(expr.Value)
	return ok
}

// token is a token of expression text with its position.
type token struct {
	text string
	at   int
}

func tokensOf(text string) []token {
	var all []token
	for tok, rest := nextToken(text); tok != ""; tok, rest = nextToken(rest) {
		all = append(all, token{tok, len(text) - len(rest) - len(tok)})
	}
	return all
}

// updateClause is a clause of an update expression with its tokens.
type updateClause struct {
	clause expr.Clause
	tokens []token
}

// cutClauses splits an update expression at its keywords: the four names, where an action has ended and another token follows.
func cutClauses(tokens []token) (all []updateClause, ok bool) {
	keywords := map[string]expr.Clause{"SET": expr.ClauseSet, "REMOVE": expr.ClauseRemove, "ADD": expr.ClauseAdd, "DELETE": expr.ClauseDelete}
	seen := map[expr.Clause]bool{}
	for i, t := range tokens {
		c, keyword := keywords[strings.ToUpper(t.text)]
		if i > 0 {
			before := tokens[i-1].text
			ended := before == ")" || before == "]" || before[0] == '#' || before[0] == ':' || isWord(before)
			keyword = keyword && ended && len(all[len(all)-1].tokens) > 0
		}
		if keyword && i+1 < len(tokens) && beginsOperand(tokens[i+1].text) {
			if seen[c] {
				return nil, false
			}
			seen[c] = true
			all = append(all, updateClause{clause: c})
			continue
		}
		if len(all) == 0 {
			return nil, false
		}
		last := &all[len(all)-1]
		last.tokens = append(last.tokens, t)
	}
	return all, len(all) > 0
}

// cutTokens splits tokens at a separator that is outside parentheses.
func cutTokens(tokens []token, mark string) (parts [][]token) {
	depth, from := 0, 0
	for i, t := range tokens {
		switch t.text {
		case "(":
			depth++
		case ")":
			depth--
		case mark:
			if depth == 0 {
				parts, from = append(parts, tokens[from:i]), i+1
			}
		}
	}
	return append(parts, tokens[from:])
}

// readPath parses a document path. A name below an attribute may be the key of a map, and is not shown.
func readPath(tokens []token, names map[string]string) (path expr.Path, ok bool) {
	for i := 0; i < len(tokens); {
		switch t := tokens[i].text; {
		case t == "[":
			if len(path) == 0 || i+2 >= len(tokens) || tokens[i+2].text != "]" {
				return nil, false
			}
			n, err := strconv.ParseUint(tokens[i+1].text, 10, 31)
			if err != nil {
				return nil, false
			}
			path, i = path.At(int(n)), i+3
		case len(path) == 0 && beginsOperand(t) && t[0] != ':':
			path, i = expr.Attribute(nameIn(t, names)), i+1
		case t == "." && i+1 < len(tokens) && beginsOperand(tokens[i+1].text) && tokens[i+1].text[0] != ':':
			path, i = path.Key(nameIn(tokens[i+1].text, names)), i+2
		default:
			return nil, false
		}
	}
	return path, len(path) > 0
}

func nameIn(token string, names map[string]string) string {
	if name, ok := names[token]; ok {
		return name
	}
	return token
}
