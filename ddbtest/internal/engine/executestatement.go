// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/partiql"
)

// ExecuteStatementInput holds the parameters of ExecuteStatement.
type ExecuteStatementInput struct {
	StatementInput
	Limit                  *int64
	NextToken              *string
	ReturnConsumedCapacity *string
}

// ExecuteStatementOutput is the result of ExecuteStatement.
type ExecuteStatementOutput struct {
	// Items are the wire forms of the items that SELECT or RETURNING returns.
	Items            [][]byte
	NextToken        *string
	LastEvaluatedKey []byte // nil at the end of the data
	ConsumedCapacity *ConsumedCapacity
}

const maxNextToken = 32768

// errExistsAlone is the error for EXISTS as the statement of another operation.
//
// https://github.com/floci-io/floci/pull/3798 has measured it.
var errExistsAlone = invalid("EXISTS can only be used in ExecuteTransaction write requests.")

// ExecuteStatement executes one PartiQL statement: a page of a read, or a write
// of one item.
func (e *Engine) ExecuteStatement(ctx context.Context, in *ExecuteStatementInput) (*ExecuteStatementOutput, error) {
	var c constraints
	in.constraints(&c, "")
	c.atLeast("limit", in.Limit, 1)
	if in.NextToken != nil {
		c.length("nextToken", *in.NextToken, 1, maxNextToken)
	}
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if err := c.err(); err != nil {
		return nil, err
	}
	s, err := in.parse()
	if err != nil {
		return nil, err
	}
	if read, ok := s.(*partiql.Select); ok {
		if read.Exists {
			return nil, errExistsAlone
		}
		return e.executeSelect(ctx, read, in)
	}
	out := &ExecuteStatementOutput{Items: [][]byte{}}
	item, capacity, err := e.executeWrite(ctx, s, &in.StatementInput, "ExecuteStatement", in.ReturnConsumedCapacity)
	if err != nil {
		return nil, err
	}
	if item != nil {
		out.Items = append(out.Items, item)
	}
	out.ConsumedCapacity = capacity
	return out, nil
}

// executeWrite executes a statement that writes, and returns the wire form of
// its RETURNING clause.
func (e *Engine) executeWrite(ctx context.Context, s partiql.Statement, in *StatementInput, operation string, mode *string) ([]byte, *ConsumedCapacity, error) {
	a, err := e.bindWrite(s, in, operation)
	if err != nil {
		return nil, nil, err
	}
	fx, err := e.run(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	return a.returned(&fx, returning(s)), fx.meter.report(a.table.name, mode, unnamedUnits), nil
}

// returning returns the mode of the RETURNING clause, or "".
func returning(s partiql.Statement) string {
	switch s := s.(type) {
	case *partiql.Update:
		return s.Returning
	case *partiql.Delete:
		return s.Returning
	default:
		return ""
	}
}
