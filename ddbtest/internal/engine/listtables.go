// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"slices"
)

const maxListedTables = 100

// ListTablesInput holds the parameters of ListTables.
type ListTablesInput struct {
	ExclusiveStartTableName *string
	Limit                   *int64
}

// ListTablesOutput is the result of ListTables in wire format.
type ListTablesOutput struct {
	TableNames             []string
	LastEvaluatedTableName string `json:",omitempty"`
}

// ListTables lists the names of the tables in the order of their bytes.
func (e *Engine) ListTables(_ context.Context, in *ListTablesInput) (*ListTablesOutput, error) {
	var c constraints
	if s := in.ExclusiveStartTableName; s != nil {
		c.pattern("exclusiveStartTableName", *s, nameExpression)
		c.length("exclusiveStartTableName", *s, 3, 255)
	}
	c.atLeast("limit", in.Limit, 1)
	c.atMost("limit", in.Limit, maxListedTables)
	if err := c.err(); err != nil {
		return nil, err
	}
	names := []string{}
	for _, t := range e.Tables() {
		if !t.gone(e.clock.Now) && t.name > text(in.ExclusiveStartTableName) {
			names = append(names, t.name)
		}
	}
	slices.Sort(names)
	limit := maxListedTables
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &ListTablesOutput{TableNames: names}
	if len(names) > limit {
		out.TableNames = names[:limit]
		out.LastEvaluatedTableName = names[limit-1]
	}
	return out, nil
}
