// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Condition is a condition on one attribute of a read.
type Condition struct {
	ComparisonOperator *string
	AttributeValueList []Attribute // nil if absent
}

// comparatorSet are the operators, in the service's order.
const comparatorSet = "[IN, NULL, BETWEEN, LT, NOT_CONTAINS, EQ, GT, NOT_NULL, NE, LE, BEGINS_WITH, GE, CONTAINS]"

const (
	operatorEqual   = "EQ"
	operatorNull    = "NULL"
	operatorNotNull = "NOT_NULL"
	operatorIn      = "IN"
	operatorBetween = "BETWEEN"
	operatorBegins  = "BEGINS_WITH"
)

// relations are the operators that expressions have too.
var relations = map[string]string{"EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}

// comparison is a checked condition on one attribute.
type comparison struct {
	attribute string
	operator  string
	values    []value.Value
}

// newComparison checks the values of an operator.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Condition.html
func newComparison(attribute, operator string, list []Attribute) (comparison, error) {
	c := comparison{attribute: attribute, operator: operator}
	if err := checkName(attribute); err != nil {
		return c, err
	}
	for _, a := range list {
		if a.Err != nil {
			return c, a.Err
		}
		c.values = append(c.values, a.Value)
	}
	if !c.counts() {
		return c, invalidParameter("Invalid number of argument(s) for the %s ComparisonOperator", operator)
	}
	for _, v := range c.values {
		if !c.takes(v.Kind()) {
			return c, invalidParameter("ComparisonOperator %s is not valid for %s AttributeValue type", operator, v.Kind())
		}
	}
	if operator != operatorBetween && operator != operatorIn {
		return c, nil
	}
	for _, v := range c.values[1:] {
		if v.Kind() != c.values[0].Kind() {
			return c, invalidParameter("AttributeValues inside AttributeValueList must be of same type")
		}
	}
	if operator == operatorBetween && expression.Compare(">", c.values[0], c.values[1]) {
		return c, invalid("The BETWEEN condition was provided a range where the lower bound is greater than the upper bound")
	}
	return c, nil
}

// counts reports whether the number of values fits the operator.
func (c *comparison) counts() bool {
	switch n := len(c.values); c.operator {
	case operatorNull, operatorNotNull:
		return n == 0
	case operatorBetween:
		return n == 2
	case operatorIn:
		return n > 0
	default:
		return n == 1
	}
}

// takes reports whether the operator takes values of a type.
func (c *comparison) takes(kind value.Kind) bool {
	switch c.operator {
	case operatorEqual, "NE":
		return true
	case operatorBegins:
		return kind == value.KindString || kind == value.KindBinary
	case "CONTAINS", "NOT_CONTAINS":
		return kind != value.KindStringSet && kind != value.KindNumberSet && kind != value.KindBinarySet && kind != value.KindList && kind != value.KindMap
	default:
		return kind == value.KindString || kind == value.KindNumber || kind == value.KindBinary
	}
}

// holds reports whether a value, which may be nil, meets the condition.
func (c *comparison) holds(v value.Value) bool {
	if op, ok := relations[c.operator]; ok {
		return expression.Compare(op, v, c.values[0])
	}
	switch c.operator {
	case operatorNull:
		return v == nil
	case operatorNotNull:
		return v != nil
	}
	if v == nil { // NOT_CONTAINS is false too: there is nothing that could contain
		return false
	}
	switch c.operator {
	case "NOT_CONTAINS":
		return !expression.Contains(v, c.values[0])
	case operatorBetween:
		return expression.Compare(">=", v, c.values[0]) && expression.Compare("<=", v, c.values[1])
	case operatorIn:
		return slices.ContainsFunc(c.values, func(w value.Value) bool { return expression.Compare("=", v, w) })
	case operatorBegins:
		return expression.BeginsWith(v, c.values[0])
	default:
		return expression.Contains(v, c.values[0])
	}
}

// comparisons are conditions joined by AND or OR.
type comparisons struct {
	list []comparison
	or   bool
}

// Eval reports whether the item meets the conditions.
func (c *comparisons) Eval(item value.Item) (bool, error) {
	for i := range c.list {
		if c.list[i].holds(item[c.list[i].attribute]) == c.or {
			return c.or, nil
		}
	}
	return !c.or || len(c.list) == 0, nil
}

// Attributes are the attributes that the conditions name.
func (c *comparisons) Attributes() []string {
	names := make([]string, len(c.list))
	for i := range c.list {
		names[i] = c.list[i].attribute
	}
	return names
}

// comparators records what is wrong with the operators of conditions.
func (c *constraints) comparators(parameter string, conditions map[string]Condition) {
	for _, name := range sortedKeys(conditions) {
		path := parameter + "." + name + ".member.comparisonOperator"
		operator := conditions[name].ComparisonOperator
		if c.required(path, operator != nil) {
			c.enum(path, operator, comparatorSet)
		}
	}
}

// comparisonsOf checks the conditions of a filter.
func comparisonsOf(conditions map[string]Condition, or bool) (*comparisons, error) {
	c := &comparisons{or: or}
	for _, name := range sortedKeys(conditions) {
		one, err := newComparison(name, text(conditions[name].ComparisonOperator), conditions[name].AttributeValueList)
		if err != nil {
			return nil, err
		}
		c.list = append(c.list, one)
	}
	return c, nil
}
