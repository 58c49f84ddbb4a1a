// Package expression parses and evaluates DynamoDB's condition, filter,
// update, projection and key condition expressions.
//
// Every error is a [*value.Error] in the service's own words. Parsing gives
// the errors that the service finds before it reads an item; evaluation gives
// those that depend on the item.
package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

type (
	// Names is ExpressionAttributeNames: placeholder, with its #, to name.
	Names map[string]string
	// Values is ExpressionAttributeValues: placeholder, with its :, to value.
	Values map[string]value.Value
)

// Params holds the placeholders of one request and records which of them its
// expressions use. It is not safe for concurrent use.
type Params struct {
	names      Names
	values     Values
	usedNames  map[string]struct{}
	usedValues map[string]struct{}
}

// NewParams returns the placeholders of a request. A nil map stands for a
// parameter that is absent. It fails if a map is empty or has a key that is
// not a placeholder.
func NewParams(names Names, values Values) (*Params, error) {
	return &Params{names: names, values: values}, nil
}

// Unused returns the ValidationException for placeholders that no expression
// parsed so far has used, or nil. Call it after all expressions are parsed.
func (p *Params) Unused() error {
	return nil
}
