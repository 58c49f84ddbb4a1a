// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
)

// QueryInput holds the parameters of Query.
type QueryInput struct {
	ReadInput
	KeyConditionExpression *string
	ScanIndexForward       *bool
}

// ReadInput holds the parameters that Query and Scan share.
type ReadInput struct {
	TableName              *string
	IndexName              *string
	FilterExpression       *string
	ProjectionExpression   *string
	Placeholders           Placeholders
	Legacy                 *Legacy
	ExclusiveStartKey      Attributes
	Limit                  *int64
	Select                 *string
	ConsistentRead         *bool
	ReturnConsumedCapacity *string
}

// ReadOutput is the result of Query and Scan.
type ReadOutput struct {
	// Items are the wire forms of the items; nil if the request asks for the
	// count only.
	Items        [][]byte
	Count        int
	ScannedCount int
	// LastEvaluatedKey is the wire form of the key where the page ends; nil at
	// the end of the data.
	LastEvaluatedKey []byte
	ConsumedCapacity *ConsumedCapacity
}

// Query reads a page of the items with one partition key, of a table or an
// index, in the order of the sort key.
func (e *Engine) Query(ctx context.Context, in *QueryInput) (*ReadOutput, error) {
	if err := checkTable(in.TableName); err != nil {
		return nil, err
	}
	var c constraints
	in.constraints(&c)
	if err := c.err(); err != nil {
		return nil, err
	}
	if in.Limit != nil && *in.Limit < 1 {
		// Scan has another text: https://github.com/nubo-db/dynoxide/issues/15.
		c.failUnquoted("Limit", "Member must have value greater than or equal to 1")
		return nil, c.err()
	}
	params, err := placeholders("Query", &in.Placeholders, in.Legacy.queryNames(in.KeyConditionExpression),
		parameter{projectionParameter, in.ProjectionExpression},
		parameter{filterParameter, in.FilterExpression},
		parameter{keyConditionParameter, in.KeyConditionExpression})
	if err != nil {
		return nil, err
	}
	s := &pageRead{operation: "Query", in: &in.ReadInput, reverse: in.ScanIndexForward != nil && !*in.ScanIndexForward}
	if err := s.parseLegacy(); err != nil {
		return nil, err
	}
	if err := in.check(s.operation); err != nil {
		return nil, err
	}
	terms, err := s.parseQuery(in, params)
	if err != nil {
		return nil, err
	}
	if err := e.bindTable(s); err != nil {
		return nil, err
	}
	if err := s.bindTerms(terms); err != nil {
		return nil, err
	}
	if err := s.bindStart(); err != nil {
		return nil, err
	}
	if err := s.schema.checkPaths(s.projection); err != nil {
		return nil, err
	}
	if err := s.checkFilter(); err != nil {
		return nil, err
	}
	if err := s.schema.checkPaths(s.filter); err != nil {
		return nil, err
	}
	if s.bounds.After != "" && s.index == nil && len(s.key.Range) == 0 {
		// Dynalite has measured the text, actions/query.js in https://github.com/architect/dynalite.
		return nil, invalid("The query can return at most one row and cannot be restarted")
	}
	return e.readPage(ctx, s)
}

// parseQuery parses the expressions of a query. The form of the key condition
// is checked after the other expressions, and so are conditions without expression.
func (s *pageRead) parseQuery(in *QueryInput, params *expression.Params) ([]expression.KeyTerm, error) {
	if in.KeyConditionExpression == nil && (in.Legacy == nil || in.Legacy.KeyConditions == nil) {
		return nil, invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
	}
	if in.KeyConditionExpression == nil {
		if err := s.parse(params); err != nil {
			return nil, err
		}
		return legacyTerms(in.Legacy.KeyConditions)
	}
	k, err := expression.ParseKeyCondition(*in.KeyConditionExpression, params)
	if err != nil {
		return nil, err
	}
	if err := s.parse(params); err != nil {
		return nil, err
	}
	return k.Terms()
}

func (in *ReadInput) constraints(c *constraints) {
	c.indexName("indexName", in.IndexName)
	c.enum("select", in.Select, selectSet)
	c.enum("returnConsumedCapacity", in.ReturnConsumedCapacity, capacitySet)
	if in.Legacy != nil {
		c.enum("conditionalOperator", in.Legacy.ConditionalOperator, operatorSet)
		c.attributesToGet("attributesToGet", in.Legacy)
		c.comparators("keyConditions", in.Legacy.KeyConditions)
		c.comparators("queryFilter", in.Legacy.QueryFilter)
		c.comparators("scanFilter", in.Legacy.ScanFilter)
	}
}

// The values of Select.
const (
	selectAll       = "ALL_ATTRIBUTES"
	selectProjected = "ALL_PROJECTED_ATTRIBUTES"
	selectSpecific  = "SPECIFIC_ATTRIBUTES"
	selectCount     = "COUNT"
)

// check validates the parameters that need no table.
func (in *ReadInput) check(operation string) error {
	if in.ExclusiveStartKey.Err != nil {
		return invalid("The provided starting key is invalid: %s", AsError(in.ExclusiveStartKey.Err).Message)
	}
	specific := ""
	switch {
	case in.ProjectionExpression != nil:
		specific = projectionParameter
	case in.Legacy != nil && in.Legacy.AttributesToGet != nil:
		specific = "AttributesToGet"
	}
	switch {
	case in.Select == nil:
	case is(in.Select, selectProjected) && in.IndexName == nil:
		return invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")
	case is(in.Select, selectSpecific) && specific == "":
		const message = "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
		if operation == opScan {
			return invalid(message)
		}
		return invalid("1 validation error detected: " + message) // https://github.com/nubo-db/dynoxide/issues/121
	case is(in.Select, selectCount) && specific != "":
		return invalid("Cannot specify the %s when choosing to get only the Count", specific)
	case !is(in.Select, selectSpecific) && specific != "":
		return invalid("Cannot specify the %s when choosing to get %s", specific, *in.Select)
	}
	return nil
}
