// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
)

// RawChange makes changes from the SDK's update builder, for what handles cannot say. They stand beside typed
// changes; see [RawChangeText] for what is checked.
func RawChange[T any](b expression.UpdateBuilder) UpdateOption[T] {
	e, err := expression.NewBuilder().WithUpdate(b).Build()
	if err != nil {
		return option[*T]{[]*change{{err: fmt.Errorf("raw change: %w", builderError(err))}}}
	}
	return option[*T]{rawChanges(*e.Update(), e.Names(), e.Values(), nil)}
}

// RawChangeText makes changes from the text of an update expression, with its own placeholders:
//
//	ddb.RawChangeText[Order]("SET #t = #t + :n REMOVE note", map[string]string{"#t": "total"}, map[string]any{":n": 3})
//
// Names may also stand in the text by themselves, unless they are reserved words. The call that uses the changes refuses those,
// placeholders that are missing or unused, text that is no update expression, and changes of a key, of what the table keeps itself,
// and of members of derived attributes. Values are encoded like the SDK's attributevalue.Marshal and checked against no type; a
// types.AttributeValue stands for itself, and a time.Time is refused, see [TimeText].
//
// Changes other than SET of a value and REMOVE, of an attribute or map key, count: they are not sent again after a lost reply,
// see [Table.Update].
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func RawChangeText[T any](text string, names map[string]string, values map[string]any) UpdateOption[T] {
	avs, err := rawValues(values)
	return option[*T]{rawChanges(text, names, avs, err)}
}

// rawValues are the values of raw expression text.
func rawValues(values map[string]any) (map[string]types.AttributeValue, error) {
	avs := make(map[string]types.AttributeValue, len(values))
	var errs []error
	for k, v := range values {
		if isTime(v) {
			errs = append(errs, fmt.Errorf("raw expression: value %s is a time, which is stored in several forms: give ddb.TimeText(t), "+
				"or for an attribute with the tag option unixtime t.Unix(), with sdktime t.Format(time.RFC3339Nano)", k))
			continue
		}
		av, isValue := v.(types.AttributeValue)
		var err error
		if !isValue {
			av, err = attributevalue.Marshal(v)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("raw expression: value %s: %w", k, builderError(err)))
		}
		avs[k] = av
	}
	return avs, errors.Join(errs...)
}

func rawChanges(text string, names map[string]string, values map[string]types.AttributeValue, err error) []*change {
	err = errors.Join(err, checkRaw(text, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values))))
	actions, problem := readUpdate(text, names, values)
	if err = errors.Join(err, problem); err != nil {
		return []*change{{err: err}}
	}
	list := make([]*change, len(actions))
	for i, a := range actions {
		list[i] = &change{clause: a.clause, action: a.action, counts: a.counts}
	}
	return list
}

// rawAction is an action of a raw update.
type rawAction struct {
	clause clause
	action expr.Action
	counts bool
}

var errUpdateText = errors.New("raw change: the text is no update expression, such as SET a = :a, b = b + :n REMOVE c")

// readUpdate divides an update expression into its actions.
func readUpdate(text string, names map[string]string, values map[string]types.AttributeValue) ([]rawAction, error) {
	var all []rawAction
	clauses, ok := cutClauses(tokensOf(text))
	if !ok {
		return nil, errUpdateText
	}
	for _, c := range clauses {
		for _, tokens := range cutTokens(c.tokens, ",") {
			a := rawAction{clause: c.clause}
			left, right := tokens, []token(nil)
			switch c.clause {
			case clauseSet:
				sides := cutTokens(tokens, "=")
				if len(sides) != 2 {
					return nil, errUpdateText
				}
				left, right = sides[0], sides[1]
			case clauseAdd, clauseDelete:
				if len(tokens) < 2 {
					return nil, errUpdateText
				}
				left, right = tokens[:len(tokens)-1], tokens[len(tokens)-1:]
			}
			path, ok := readPath(left, names)
			if !ok || (len(right) == 0) != (c.clause == clauseRemove) {
				return nil, errUpdateText
			}
			a.action.Path = path
			if len(right) > 0 {
				last := right[len(right)-1]
				a.action.Right = rightSide(text[right[0].at:last.at+len(last.text)], names, values)
			}
			a.counts = path[len(path)-1].Indexed || c.clause != clauseRemove && (c.clause != clauseSet || !isPlain(a.action.Right))
			all = append(all, a)
		}
	}
	return all, nil
}

// rightSide is a value, or text that DynamoDB reads.
func rightSide(text string, names map[string]string, values map[string]types.AttributeValue) expr.Node {
	if av, ok := values[text]; ok {
		return expr.Value{AV: av}
	}
	return expr.Text{Text: text, Names: names, Values: values}
}

// token is a token of expression text and where it stands.
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

// rawClause is a clause of an update expression with its tokens.
type rawClause struct {
	clause clause
	tokens []token
}

// cutClauses divides an update expression at its keywords: words of the four names where an action has ended and another token begins one.
func cutClauses(tokens []token) (all []rawClause, ok bool) {
	keywords := map[string]clause{"SET": clauseSet, "REMOVE": clauseRemove, "ADD": clauseAdd, "DELETE": clauseDelete}
	seen := map[clause]bool{}
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
			all = append(all, rawClause{clause: c})
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

// cutTokens divides tokens at a mark that stands in no parentheses.
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

// readPath reads a document path. What is below an attribute may be the key of a map, and is not shown.
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
