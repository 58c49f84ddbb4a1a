// SPDX-License-Identifier: Apache-2.0

package expression

import "github.com/dynamotable/ddb/ddbtest/internal/value"

// Projection is a parsed projection expression. It is immutable.
type Projection struct {
	root  tree
	paths []Path
}

// ParseProjection parses a ProjectionExpression.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html
func ParseProjection(text string, params *Params) (*Projection, error) {
	const param = "ProjectionExpression"
	var nodes []*pathNode
	err := parse(param, text, params, nil, func(p *parser) {
		nodes = append(nodes, p.path())
		for p.accept(",") {
			nodes = append(nodes, p.path())
		}
	})
	if err != nil {
		return nil, err
	}
	c := &checker{param: param, params: params}
	for _, n := range nodes {
		if err := c.names(n); err != nil {
			return nil, err
		}
	}
	for _, n := range nodes {
		if err := c.resolve(n); err != nil {
			return nil, err
		}
	}
	if err := c.separate(c.paths); err != nil {
		return nil, err
	}
	return newProjection(c.paths), nil
}

func newProjection(paths []Path) *Projection {
	p := &Projection{paths: paths}
	for _, path := range paths {
		p.root.add(path)
	}
	return p
}

// Apply returns the parts of item that the projection names. Paths that item
// does not have are left out; the elements of one list come together in the
// order of their indexes. A nil Projection keeps the whole item. The result
// shares values with item.
func (p *Projection) Apply(item value.Item) value.Item {
	if p == nil {
		return item
	}
	return p.root.projectMap(item)
}

// Paths returns the document paths that the projection names, in order.
func (p *Projection) Paths() []Path { return p.paths }

// Attributes returns the top-level attributes that the projection names, each
// once, in the order in which they appear.
func (p *Projection) Attributes() []string { return attributes(p.paths) }
