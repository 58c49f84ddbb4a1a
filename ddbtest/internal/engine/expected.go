// SPDX-License-Identifier: Apache-2.0

package engine

// ExpectedAttributeValue is a condition on one attribute of a write.
type ExpectedAttributeValue struct {
	Value              *Attribute
	Exists             *bool
	ComparisonOperator *string
	AttributeValueList []Attribute // nil if absent
}

// expectations records what is wrong with the operators of conditions of a write.
func (c *constraints) expectations(l *Legacy) {
	if l == nil {
		return
	}
	for _, name := range sortedKeys(l.Expected) {
		c.enum("expected."+name+".member.comparisonOperator", l.Expected[name].ComparisonOperator, comparatorSet)
	}
	c.enum("conditionalOperator", l.ConditionalOperator, operatorSet)
}

// expectedOf checks the conditions of a write.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LegacyConditionalParameters.Expected.html
func (l *Legacy) expectedOf() (condition, error) {
	if err := l.joins(len(l.Expected)); err != nil || len(l.Expected) == 0 {
		return nil, err
	}
	c := &comparisons{or: is(l.ConditionalOperator, "OR")}
	for _, name := range sortedKeys(l.Expected) {
		e := l.Expected[name]
		if err := e.check(name); err != nil {
			return nil, err
		}
		operator, values := text(e.ComparisonOperator), e.AttributeValueList
		if e.Value != nil {
			values = []Attribute{*e.Value}
		}
		switch {
		case e.ComparisonOperator != nil:
		case e.Exists != nil && !*e.Exists:
			operator = operatorNull
		default:
			operator = operatorEqual
		}
		one, err := newComparison(name, operator, values)
		if err != nil {
			return nil, err
		}
		c.list = append(c.list, one)
	}
	return c, nil
}

// check makes sure that the members of a condition fit together.
func (e *ExpectedAttributeValue) check(name string) error {
	switch {
	case e.Value != nil && e.AttributeValueList != nil:
		return invalidParameter("Value and AttributeValueList cannot be used together for Attribute: %s", name)
	case e.ComparisonOperator != nil && e.Exists != nil:
		return invalidParameter("Exists and ComparisonOperator cannot be used together for Attribute: %s", name)
	case e.ComparisonOperator != nil:
		needs := *e.ComparisonOperator != operatorNull && *e.ComparisonOperator != operatorNotNull
		if needs && e.Value == nil && len(e.AttributeValueList) == 0 {
			return invalidParameter("Value or AttributeValueList must be used with ComparisonOperator: %s for Attribute: %s", *e.ComparisonOperator, name)
		}
	case e.AttributeValueList != nil:
		return invalidParameter("AttributeValueList can only be used with a ComparisonOperator for Attribute: %s", name)
	case e.Exists != nil && !*e.Exists && e.Value != nil:
		return invalidParameter("Value cannot be used when Exists is false for Attribute: %s", name)
	case e.Exists != nil && *e.Exists && e.Value == nil:
		return invalidParameter("Value must be provided when Exists is true for Attribute: %s", name)
	case e.Exists == nil && e.Value == nil:
		return invalidParameter("Value must be provided when Exists is null for Attribute: %s", name)
	}
	return nil
}
