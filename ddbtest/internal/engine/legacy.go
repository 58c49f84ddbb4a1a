package engine

import (
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
)

// Legacy holds the parameters of the API before expressions.
type Legacy struct {
	Expected            map[string]ExpectedAttributeValue
	AttributeUpdates    map[string]AttributeValueUpdate
	KeyConditions       map[string]Condition
	QueryFilter         map[string]Condition
	ScanFilter          map[string]Condition
	ConditionalOperator *string
	AttributesToGet     []string
}

// ExpectedAttributeValue is a condition on one attribute of a write.
type ExpectedAttributeValue struct {
	Value              *Attribute
	Exists             *bool
	ComparisonOperator *string
	AttributeValueList []Attribute // nil if absent
}

// AttributeValueUpdate is the update of one attribute.
type AttributeValueUpdate struct {
	Value  *Attribute
	Action *string
}

// Condition is a condition on one attribute of a read.
type Condition struct {
	ComparisonOperator *string
	AttributeValueList []Attribute // nil if absent
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
	note("KeyConditions", l.KeyConditions != nil)
	return names
}

// writeCondition returns the condition of a write, from its expression or its
// legacy parameters; nil if it has none.
func writeCondition(expr *string, params *expression.Params, l *Legacy) (condition, error) {
	if names := l.names(); len(names) > 0 && expr == nil {
		return nil, l.unsupported()
	}
	return conditionOf(expr, params)
}

// writeUpdate returns the update of a write, from its expression or its legacy
// parameters; nil if it has none.
func writeUpdate(expr *string, params *expression.Params, l *Legacy) (updater, error) {
	if names := l.names(); len(names) > 0 && expr == nil {
		return nil, l.unsupported()
	}
	return updateOf(expr, params)
}

// readProjection returns the projection of a read, from its expression or its
// legacy parameters; nil if it has none.
func readProjection(expr *string, params *expression.Params, l *Legacy) (projection, error) {
	if names := l.names(); len(names) > 0 && expr == nil {
		return nil, l.unsupported()
	}
	return projectionOf(expr, params)
}

// unsupported refuses parameters that would otherwise be ignored.
func (l *Legacy) unsupported() error {
	return invalid("The engine does not support the parameters %s", strings.Join(l.names(), ", "))
}

// queryTerms parses the key condition of a query, from its expression or its
// legacy parameters; the function that it returns checks its form.
func queryTerms(expr *string, params *expression.Params, l *Legacy) (func() ([]expression.KeyTerm, error), error) {
	if expr == nil {
		return nil, l.unsupported()
	}
	return keyTermsOf(*expr, params)
}

// searchFilter returns the filter of a read, from its expression or its legacy
// parameters; nil if it has none.
func searchFilter(expr *string, params *expression.Params, l *Legacy) (condition, error) {
	if names := l.names(); len(names) > 0 && expr == nil {
		return nil, l.unsupported()
	}
	return searchFilterOf(expr, params)
}
