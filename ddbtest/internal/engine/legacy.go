// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"maps"
	"slices"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// Legacy holds the parameters of the API before expressions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.html
type Legacy struct {
	Expected            map[string]ExpectedAttributeValue
	AttributeUpdates    map[string]AttributeValueUpdate
	KeyConditions       map[string]Condition
	QueryFilter         map[string]Condition
	ScanFilter          map[string]Condition
	ConditionalOperator *string
	AttributesToGet     []string
}

// names returns the parameters that a request uses, in the order in which the
// service lists them.
func (l *Legacy) names() []string {
	if l == nil {
		return nil
	}
	var names []string
	note := func(name string, used bool) {
		if used {
			names = append(names, name)
		}
	}
	note("AttributesToGet", l.AttributesToGet != nil)
	note("AttributeUpdates", l.AttributeUpdates != nil)
	note("QueryFilter", l.QueryFilter != nil)
	note("ScanFilter", l.ScanFilter != nil)
	note("Expected", l.Expected != nil)
	note("ConditionalOperator", l.ConditionalOperator != nil)
	return names
}

// queryNames are the names for a Query. KeyConditions counts as a parameter of
// the old API only if KeyConditionExpression is given too: with KeyConditions alone, a request may
// filter and project by expressions. guregu/dynamo has sent such requests since
// 2015, and dynalite allows for them (validateExpressionParams in
// https://github.com/architect/dynalite/blob/master/validations/index.js).
func (l *Legacy) queryNames(keyExpression *string) []string {
	names := l.names()
	if l != nil && l.KeyConditions != nil && keyExpression != nil {
		names = append(names, "KeyConditions")
	}
	return names
}

// joins refuses a ConditionalOperator with fewer than two conditions to join.
//
// The texts are those of AWS's own DAX client, RequestValidator in
// https://github.com/aws/aws-dax-js-sdk.
func (l *Legacy) joins(conditions int) error {
	switch {
	case l.ConditionalOperator == nil || conditions > 1:
		return nil
	case conditions == 0:
		return invalid("ConditionalOperator cannot be used without Filter or Expected")
	default:
		return invalid("ConditionalOperator can only be used when Filter or Expected has two or more elements")
	}
}

// bareError marks an error of a legacy parameter, unless
// it is an error of a value or a name, which is the same in every parameter.
func bareError(err error) error {
	if _, ok := errors.AsType[*value.Error](err); ok || err == nil {
		return err
	}
	e := *AsError(err)
	e.bare = true
	return &e
}

// writeCondition returns the condition of a write, from its expression or its
// legacy parameters; nil if it has none.
func writeCondition(expr *string, params *expression.Params, l *Legacy) (condition, error) {
	if l != nil && expr == nil {
		c, err := l.expectedOf()
		return c, bareError(err)
	}
	return conditionOf(expr, params)
}

// writeUpdate returns the update of a write, from its expression or its legacy
// parameters; nil if it has none.
func writeUpdate(expr *string, params *expression.Params, l *Legacy) (updater, error) {
	if l != nil && expr == nil {
		u, err := attributeUpdatesOf(l.AttributeUpdates)
		return u, bareError(err)
	}
	return updateOf(expr, params)
}

// readProjection returns the projection of a read, from its expression or its
// legacy parameters; nil if it has none.
func readProjection(expr *string, params *expression.Params, l *Legacy) (projection, error) {
	if l == nil || l.AttributesToGet == nil || expr != nil {
		return projectionOf(expr, params)
	}
	for i, name := range l.AttributesToGet {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if slices.Contains(l.AttributesToGet[:i], name) {
			return nil, invalidParameter("Duplicate value in attribute name: %s", name)
		}
	}
	return expression.ProjectAttributes(l.AttributesToGet), nil
}

// attributesToGet records an empty list of attributes as an error.
func (c *constraints) attributesToGet(path string, l *Legacy) {
	if l != nil && l.AttributesToGet != nil && len(l.AttributesToGet) == 0 {
		c.fail(path, "[]", false, "Member must have length greater than or equal to 1")
	}
}

// keyOperators are the operators of key conditions in the form of expressions.
var keyOperators = map[string]string{
	operatorEqual: expression.OpEqual, "LT": expression.OpLess, "LE": expression.OpLessEqual,
	"GT": expression.OpGreater, "GE": expression.OpGreaterEqual,
	operatorBetween: expression.OpBetween, operatorBegins: expression.OpBeginsWith,
}

// legacyTerms checks the key condition of a query without expression.
func legacyTerms(conditions map[string]Condition) ([]expression.KeyTerm, error) {
	var terms []expression.KeyTerm
	for _, name := range sortedKeys(conditions) {
		c, err := newComparison(name, text(conditions[name].ComparisonOperator), conditions[name].AttributeValueList)
		if err != nil {
			return nil, err
		}
		op, ok := keyOperators[c.operator]
		if !ok {
			return nil, invalid("Attempted conditional constraint is not an indexable operation")
		}
		terms = append(terms, expression.KeyTerm{Attribute: name, Op: op, Values: c.values})
	}
	if len(terms) == 0 { // more than two may fit the key of an index; guregu/dynamo queries such indexes with KeyConditions
		return nil, invalid("Conditions can be of length 1 or 2 only")
	}
	return terms, nil
}

// legacyFilter returns the filter of a read without expression; nil if it has
// none.
func legacyFilter(l *Legacy) (condition, error) {
	conditions := l.QueryFilter
	if l.ScanFilter != nil {
		conditions = l.ScanFilter
	}
	if err := l.joins(len(conditions)); err != nil || len(conditions) == 0 {
		return nil, err
	}
	return comparisonsOf(conditions, is(l.ConditionalOperator, "OR"))
}

// checkName refuses a name that no attribute can have.
func checkName(name string) error {
	switch {
	case name == "":
		return value.ErrEmptyName
	case len(name) > value.MaxNameSize:
		return value.ErrNameSize
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
