// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/rawitem"
)

// SortCond is a condition on the sort key in a query. It names no attribute, so it cannot name the wrong one; its type is
// that of the sort key. The methods of handles, such as BeginsWith, are for filters and [If] instead. Make it with [Eq],
// [Lt], [Le], [Gt], [Ge], [Between] or [BeginsWith]; the zero SortCond is refused.
//
// On a key of several attributes ([MultiKey]) the condition is on the last of them, and the earlier ones must be equal, as
// DynamoDB requires; [FirstOne], [FirstTwo] and [FirstThree] leave later ones open.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
type SortCond[SK any] struct{ c sortCond }

// sortCond is a [SortCond] without its type parameter.
type sortCond struct {
	_         [0]func() // not comparable: the compiler makes a function for == for each type of sort key
	op        string    // empty for the zero condition
	low, high any       // addresses of values; none in a BeginsWithText
	text      string    // of BeginsWithText
	first     int
}

// Eq selects the items whose sort key equals v.
func Eq[SK any](v SK) SortCond[SK] { return SortCond[SK]{sortCond{op: "=", low: &v}} }

// Lt selects the items whose sort key is less than v.
func Lt[SK any](v SK) SortCond[SK] { return SortCond[SK]{sortCond{op: "<", low: &v}} }

// Le selects the items whose sort key is at most v.
func Le[SK any](v SK) SortCond[SK] { return SortCond[SK]{sortCond{op: "<=", low: &v}} }

// Gt selects the items whose sort key is greater than v.
func Gt[SK any](v SK) SortCond[SK] { return SortCond[SK]{sortCond{op: ">", low: &v}} }

// Ge selects the items whose sort key is at least v.
func Ge[SK any](v SK) SortCond[SK] { return SortCond[SK]{sortCond{op: ">=", low: &v}} }

// Between selects the items with low <= sort key <= high. A query with low above high is refused.
func Between[SK any](low, high SK) SortCond[SK] {
	return SortCond[SK]{sortCond{op: "BETWEEN", low: &low, high: &high}}
}

// BeginsWith selects the items whose sort key begins with the prefix. It is for
// keys of text and bytes only; on a number it does not compile.
//
//	orders.Query("c1").SortKey(ddb.BeginsWith(OrderID("2026-")))
func BeginsWith[SK ~string | ~[]byte](prefix SK) SortCond[SK] {
	return SortCond[SK]{sortCond{op: "begins_with", low: &prefix}}
}

// BeginsWithText is [BeginsWith] for sort keys of other Go types that are stored
// as text, such as a type with MarshalText or a time. The prefix is of the stored text.
func BeginsWithText[SK any](prefix string) SortCond[SK] {
	return SortCond[SK]{sortCond{op: "begins_with", text: prefix}}
}

// node returns the condition on the sort attributes of a key, a [KeyField] or nil.
func (c sortCond) node(field any, parts []keyPart) (expr.Node, error) {
	if c.op == "" {
		return nil, errors.New("a zero sort-key condition, which would select everything: make it with Eq, Between or another function, or omit SortKey")
	}
	if field == nil || len(parts) == 0 {
		return nil, errors.New("sort-key condition on a key without a sort key")
	}
	if c.first < 0 || c.first > len(parts) {
		return nil, fmt.Errorf("sort-key condition on the first %d attributes of a key of %d", c.first, len(parts))
	}
	if c.low == nil {
		return textPrefix(c.text, parts)
	}
	n := len(parts)
	if c.first > 0 {
		n = c.first
	}
	if raw, ok := c.low.(*[]rawitem.Value); ok {
		if n = len(*raw); n == 0 || n > len(parts) {
			return nil, fmt.Errorf("sort-key condition of %d values on a key of %d", n, len(parts))
		}
	}
	avs, err := encodeSort(field, c.low, n, c.op)
	if err != nil {
		return nil, err
	}
	var terms []expr.Node
	for i := range n - 1 {
		terms = append(terms, expr.Compare{Left: expr.Attribute(parts[i].name), Op: "=", Right: expr.Value{AV: avs[i]}})
	}
	last, low := expr.Attribute(parts[n-1].name), expr.Value{AV: avs[n-1]}
	switch c.op {
	case "BETWEEN":
		highs, err := encodeSort(field, c.high, n, c.op)
		if err != nil {
			return nil, err
		}
		for i := range n - 1 {
			if !itemid.Equal(avs[i], highs[i]) {
				return nil, fmt.Errorf("sort-key range over attribute %s, which is not the last of the condition: all before the last must be equal", parts[i].name)
			}
		}
		if err := checkRange(parts[n-1].name, avs[n-1], highs[n-1]); err != nil {
			return nil, err
		}
		terms = append(terms, expr.Between{Operand: last, Low: low, High: expr.Value{AV: highs[n-1]}})
	case "begins_with":
		if parts[n-1].kind == types.ScalarAttributeTypeN {
			return nil, fmt.Errorf("condition BeginsWith on number attribute %s; it is for text and binary", parts[n-1].name)
		}
		terms = append(terms, expr.Call{Name: c.op, Args: []expr.Node{last, low}})
	default:
		terms = append(terms, expr.Compare{Left: last, Op: c.op, Right: low})
	}
	return expr.All(terms...), nil
}

func textPrefix(prefix string, parts []keyPart) (expr.Node, error) {
	last := parts[len(parts)-1]
	switch {
	case len(parts) != 1:
		return nil, errors.New("condition BeginsWithText on a key of several attributes")
	case last.kind != types.ScalarAttributeTypeS:
		return nil, fmt.Errorf("condition BeginsWithText on attribute %s, which is stored as %s", last.name, last.kind)
	case prefix == "":
		return nil, fmt.Errorf("sort-key prefix of attribute %s is empty; leave the condition out to read all", last.name)
	}
	return expr.Call{Name: "begins_with", Args: []expr.Node{expr.Attribute(last.name), expr.Value{AV: &types.AttributeValueMemberS{Value: prefix}}}}, nil
}

func encodeSort(field, v any, n int, op string) ([]types.AttributeValue, error) {
	avs, err := encodeKey(field, v, n)
	if err != nil {
		return nil, fmt.Errorf("sort-key condition %s: %w", op, err)
	}
	return avs, nil
}

// checkRange refuses a range whose bounds are reversed. DynamoDB refuses it as well, with both bounds in its text.
func checkRange(name string, low, high types.AttributeValue) error {
	if order, ok := itemid.Compare(low, high); ok && order > 0 {
		return fmt.Errorf("attribute %s: the lower bound of Between is above the upper one; swap them", name)
	}
	return nil
}
