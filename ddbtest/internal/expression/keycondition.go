package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

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
	// Values are the operands: two for BETWEEN, else one.
	Values []value.Value
}

// KeyCondition is a parsed key condition expression: terms joined by AND, in
// the order of the text. Whether they fit the key schema is not checked here.
type KeyCondition struct {
	Terms []KeyTerm
}

// ParseKeyCondition parses a KeyConditionExpression.
func ParseKeyCondition(text string, params *Params) (*KeyCondition, error) {
	return nil, errUnwritten
}
