// SPDX-License-Identifier: Apache-2.0

package expression

import (
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// The operators of a key condition.
const (
	OpEqual        = "="
	OpLess         = "<"
	OpLessEqual    = "<="
	OpGreater      = ">"
	OpGreaterEqual = ">="
	OpBetween      = "BETWEEN"
	OpBeginsWith   = "begins_with"
)

// KeyTerm is one condition on one key attribute.
type KeyTerm struct {
	// Attribute is the name of the attribute.
	Attribute string
	// Op is one of the operators above.
	Op string
	// Values are the operands: two for BETWEEN, otherwise one.
	Values []value.Value
}

// KeyCondition is a parsed key condition expression. It is immutable.
type KeyCondition struct {
	root node
}

// ParseKeyCondition parses a KeyConditionExpression and checks what it has in
// common with other conditions.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
func ParseKeyCondition(text string, params *Params) (*KeyCondition, error) {
	const param = "KeyConditionExpression"
	root, err := parseConditionTree(param, text, params)
	if err != nil {
		return nil, err
	}
	c := &checker{param: param, params: params}
	if err := c.condition(root); err != nil {
		return nil, err
	}
	return &KeyCondition{root}, nil
}

// Terms returns the terms that the condition joins by AND, in the order of the
// text. It fails if the condition is not of that form; the service finds such
// errors only after it has parsed the filter and the projection. The caller checks whether the
// terms fit the key schema.
func (k *KeyCondition) Terms() ([]KeyTerm, error) {
	var terms []KeyTerm
	if err := keyTerms(k.root, &terms); err != nil {
		return nil, err
	}
	return terms, nil
}

func keyTerms(n node, terms *[]KeyTerm) error {
	var op string
	switch n := n.(type) {
	case *junctionNode:
		if n.or {
			return keyOperator("OR")
		}
		for _, part := range n.conditions {
			if err := keyTerms(part, terms); err != nil {
				return err
			}
		}
		return nil
	case *notNode:
		return keyOperator("NOT")
	case *inNode:
		return keyOperator("IN")
	case *compareNode:
		if n.op == "<>" {
			return keyOperator(n.op)
		}
		op = n.op
	case *betweenNode:
		op = OpBetween
	case *callNode:
		if n.name != OpBeginsWith {
			return keyOperator(n.name)
		}
		op = OpBeginsWith
	}
	term, err := keyTerm(op, children(n))
	if err != nil {
		return err
	}
	for _, other := range *terms {
		if other.Attribute == term.Attribute {
			return value.Invalid("KeyConditionExpressions must only contain one condition per key")
		}
	}
	*terms = append(*terms, term)
	return nil
}

func keyOperator(op string) error {
	return value.Invalid("Invalid operator used in KeyConditionExpression: " + op)
}

// mirrored maps the operators between a value on the left and a key on the right.
var mirrored = map[string]string{
	OpEqual:        OpEqual,
	OpLess:         OpGreater,
	OpLessEqual:    OpGreaterEqual,
	OpGreater:      OpLess,
	OpGreaterEqual: OpLessEqual,
}

func keyTerm(op string, operands []node) (KeyTerm, error) {
	const invalidCondition = "Invalid condition in KeyConditionExpression: "
	if _, ok := operands[0].(*pathNode); !ok && (op == OpBetween || op == OpBeginsWith) {
		return KeyTerm{}, value.Invalid(invalidCondition + op + " operator must have the key attribute as its first operand")
	}
	term := KeyTerm{Op: op}
	for i, n := range operands {
		switch n := n.(type) {
		case *valueNode:
			term.Values = append(term.Values, n.value)
		case *callNode:
			return KeyTerm{}, value.Invalid("KeyConditionExpressions cannot contain nested operations")
		case *pathNode:
			if term.Attribute != "" {
				return KeyTerm{}, value.Invalid(invalidCondition + "Multiple attribute names used in one condition")
			}
			if len(n.path) > 1 {
				return KeyTerm{}, value.Invalid("KeyConditionExpressions cannot have conditions on nested attributes")
			}
			term.Attribute = n.path[0].name
			if i > 0 {
				term.Op = mirrored[op]
			}
		}
	}
	if term.Attribute == "" {
		return KeyTerm{}, value.Invalid(invalidCondition + "No key attribute specified")
	}
	return term, nil
}
