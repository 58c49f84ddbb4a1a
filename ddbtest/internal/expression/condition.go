package expression

import (
	"errors"

	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The parameters that hold a condition; the name stands in error messages.
const (
	ConditionExpression = "ConditionExpression"
	FilterExpression    = "FilterExpression"
)

var errUnwritten = errors.New("expression: not written yet")

// Condition is a parsed condition or filter expression. It is immutable.
type Condition struct{}

// ParseCondition parses the text of the parameter named by param.
func ParseCondition(param, text string, params *Params) (*Condition, error) {
	return nil, errUnwritten
}

// Eval reports whether item meets the condition. A nil item stands for an item
// that does not exist. A nil Condition is met by every item.
func (c *Condition) Eval(item value.Item) (bool, error) {
	return false, errUnwritten
}

// Attributes returns the top-level attributes that the condition names, each
// once, in the order in which they appear.
func (c *Condition) Attributes() []string { return nil }
