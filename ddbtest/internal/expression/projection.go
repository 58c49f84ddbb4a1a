package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

// Projection is a parsed projection expression. It is immutable.
type Projection struct{}

// ParseProjection parses a ProjectionExpression.
func ParseProjection(text string, params *Params) (*Projection, error) {
	return nil, errUnwritten
}

// Apply returns the parts of item that the projection names. Paths that item
// does not have are left out. A nil Projection keeps the whole item.
func (p *Projection) Apply(item value.Item) value.Item { return nil }

// Attributes returns the top-level attributes that the projection names, each
// once, in the order in which they appear.
func (p *Projection) Attributes() []string { return nil }
