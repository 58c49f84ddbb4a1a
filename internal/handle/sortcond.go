// SPDX-License-Identifier: Apache-2.0

package handle

import (
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/itemid"
	"github.com/dynamotable/ddb/internal/quiet"
	"github.com/dynamotable/ddb/rawitem"
)

// SortCond is the content of a ddb.SortCond.
type SortCond struct {
	_         [0]func() // not comparable: the compiler makes a function for == for each type of sort key
	op        string    // empty for the zero condition
	low, high any       // addresses of values; none in a BeginsWithText
	text      string    // of BeginsWithText
	first     int
}

// NewSortCond returns a condition of one value, or of two if high is not nil; both are addresses.
func NewSortCond(op string, low, high any) SortCond { return SortCond{op: op, low: low, high: high} }

// BeginsWithText returns the condition that a text begins with a prefix.
func BeginsWithText(prefix string) SortCond { return SortCond{op: "begins_with", text: prefix} }

// OnFirst returns the condition on the first n attributes; whole returns the address of a whole key for the address of its
// first values.
func (c SortCond) OnFirst(n int, whole func(any) any) SortCond {
	c.first = n
	if c.low != nil {
		c.low = whole(c.low)
	}
	if c.high != nil {
		c.high = whole(c.high)
	}
	return c
}

// String returns the comparison without its values.
func (c *SortCond) String() string {
	switch c.op {
	case "":
		return "no condition"
	case "BETWEEN":
		return "sort key BETWEEN ? AND ?"
	case "begins_with":
		return "begins_with(sort key, ?)"
	}
	return "sort key " + c.op + " ?"
}

// Format prints the text, for every verb. Each package that uses a table would compile what is inlined.
//
//go:noinline
func (c *SortCond) Format(s fmt.State, verb rune) { quiet.Format(s, verb, c.String()) }

// Node returns the condition on the sort attributes of a key, a ddb.KeyField or nil.
func (c SortCond) Node(field any, parts []KeyPart) (expr.Node, error) {
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
		terms = append(terms, expr.Compare{Left: expr.Attribute(parts[i].Name), Op: "=", Right: expr.Value{AV: avs[i]}})
	}
	last, low := expr.Attribute(parts[n-1].Name), expr.Value{AV: avs[n-1]}
	switch c.op {
	case "BETWEEN":
		highs, err := encodeSort(field, c.high, n, c.op)
		if err != nil {
			return nil, err
		}
		for i := range n - 1 {
			if !itemid.Equal(avs[i], highs[i]) {
				return nil, fmt.Errorf("sort-key range over attribute %s, which is not the last of the condition: all before the last must be equal", parts[i].Name)
			}
		}
		if err := checkRange(parts[n-1].Name, avs[n-1], highs[n-1]); err != nil {
			return nil, err
		}
		terms = append(terms, expr.Between{Operand: last, Low: low, High: expr.Value{AV: highs[n-1]}})
	case "begins_with":
		if parts[n-1].Kind == types.ScalarAttributeTypeN {
			return nil, fmt.Errorf("condition BeginsWith on number attribute %s; it is for text and binary", parts[n-1].Name)
		}
		terms = append(terms, expr.Call{Name: c.op, Args: []expr.Node{last, low}})
	default:
		terms = append(terms, expr.Compare{Left: last, Op: c.op, Right: low})
	}
	return expr.All(terms...), nil
}

func textPrefix(prefix string, parts []KeyPart) (expr.Node, error) {
	last := parts[len(parts)-1]
	switch {
	case len(parts) != 1:
		return nil, errors.New("condition BeginsWithText on a key of several attributes")
	case last.Kind != types.ScalarAttributeTypeS:
		return nil, fmt.Errorf("condition BeginsWithText on attribute %s, which is stored as %s", last.Name, last.Kind)
	case prefix == "":
		return nil, fmt.Errorf("sort-key prefix of attribute %s is empty; leave the condition out to read all", last.Name)
	}
	return expr.Call{Name: "begins_with", Args: []expr.Node{expr.Attribute(last.Name), expr.Value{AV: &types.AttributeValueMemberS{Value: prefix}}}}, nil
}

func encodeSort(field, v any, n int, op string) ([]types.AttributeValue, error) {
	avs, err := EncodeKey(field, v, n)
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
