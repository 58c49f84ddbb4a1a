// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"errors"
	"strings"

	"github.com/dynamotable/ddb/ddbtest/internal/expression"
	"github.com/dynamotable/ddb/ddbtest/internal/value"
)

// parameter is an expression parameter of a request.
type parameter struct {
	name string
	text *string
}

// placeholders checks that the parameters of a request can be combined and returns
// the placeholders for its expressions, or nil if it has neither. legacy are
// the names of the parameters without expressions that the request uses.
func placeholders(operation string, p *Placeholders, legacy []string, params ...parameter) (*expression.Params, error) {
	var given, valued []string
	for _, param := range params {
		if param.text != nil {
			given = append(given, param.name)
		}
		if param.name != projectionParameter {
			valued = append(valued, param.name)
		}
	}
	switch {
	case len(given) > 0 && len(legacy) > 0:
		return nil, mixedGenerations(legacy, given)
	case len(given) == 0 && (p.Names == nil && !p.Values.Present || operation == opTransactWrite || operation == opTransactGet):
		return nil, nil // transactions skip placeholders without an expression
	case p.Names != nil && len(given) == 0:
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	case p.Values.Present && (len(given) == 0 || len(given) == 1 && given[0] == projectionParameter):
		return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s", nullList(valued))
	}
	var values expression.Values
	deep := nested(p.Values.Err) && operation == opTransactWrite
	if p.Values.Present && (p.Values.Err == nil || deep) {
		values = expression.Values{}
		if p.Values.Item != nil {
			values = expression.Values(p.Values.Item)
		}
	}
	made, err := expression.NewParams(p.Names, values)
	if err != nil {
		return nil, err
	}
	made.ReportSize = operation == opScan || operation == opTransactWrite
	if placeholder, err := p.Names.BadName(); err != nil {
		return nil, invalidEntry(operation, "ExpressionAttributeNames", placeholder, err)
	}
	if err, ok := errors.AsType[*value.Error](p.Values.Err); ok && !deep {
		return nil, invalidEntry(operation, "ExpressionAttributeValues", err.Key, err)
	}
	return made, nil
}

// nested reports whether an error is about a value with too many levels.
func nested(err error) bool {
	e, ok := errors.AsType[*value.Error](err)
	return ok && e.Nesting()
}

// mixedGenerations is the answer to a request that mixes expressions with the
// parameters before them.
func mixedGenerations(legacy, expressions []string) error {
	return invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}",
		strings.Join(legacy, ", "), strings.Join(expressions, ", "))
}

// invalidEntry is the answer to an entry of a map of placeholders with an
// invalid value. Other operations than PutItem and UpdateItem name it,
// unless the value is nested too deep.
//
// https://github.com/ministackorg/ministack/issues/1038 and
// https://github.com/ExtendDB/extenddb/issues/365 have measured UpdateItem,
// https://github.com/nubo-db/dynoxide/issues/110 the levels.
func invalidEntry(operation, parameter, placeholder string, err *value.Error) error {
	if operation == opPut || operation == opUpdate || err.Nesting() {
		return err
	}
	return invalid("%s contains invalid value: %s for key %s", parameter, err.Message, placeholder)
}

// The operations whose checks differ from those of others.
const (
	opPut           = "PutItem"
	opUpdate        = "UpdateItem"
	opScan          = "Scan"
	opTransactWrite = "TransactWriteItems"
	opTransactGet   = "TransactGetItems"
)

// conditionOf parses the condition of a write. It returns a nil interface if
// the write has none.
func conditionOf(text *string, params *expression.Params) (condition, error) {
	if text == nil {
		return nil, nil
	}
	c, err := expression.ParseCondition(conditionParameter, *text, params)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// unused returns the error for placeholders that no expression has used.
func unused(params *expression.Params) error {
	if params == nil {
		return nil
	}
	return params.Unused()
}

// The names of expression parameters.
const (
	conditionParameter    = expression.ConditionExpression
	filterParameter       = expression.FilterExpression
	updateParameter       = "UpdateExpression"
	keyConditionParameter = "KeyConditionExpression"
	projectionParameter   = "ProjectionExpression"
)

func nullList(names []string) string {
	if len(names) == 1 {
		return names[0] + " is null"
	}
	return strings.Join(names, " and ") + " are null"
}
