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

// placeholders checks which parameters of a request go together and returns
// the placeholders for its expressions, or nil if it has neither. legacy are
// the names of the parameters without expressions that the request uses.
func placeholders(p *Placeholders, legacy []string, params ...parameter) (*expression.Params, error) {
	if p.Names == nil && !p.Values.Present && len(legacy) == 0 {
		for _, param := range params {
			if param.text != nil {
				return expression.NewParams(nil, nil)
			}
		}
		return nil, nil
	}
	var given, valued []string
	for _, param := range params {
		if param.text != nil {
			given = append(given, param.name)
		}
		if param.name != projectionParameter {
			valued = append(valued, param.name)
		}
	}
	if len(given) > 0 && len(legacy) > 0 {
		return nil, invalid("Can not use both expression and non-expression parameters in the same request: Non-expression parameters: {%s} Expression parameters: {%s}",
			strings.Join(legacy, ", "), strings.Join(given, ", "))
	}
	if p.Names != nil && len(given) == 0 {
		return nil, invalid("ExpressionAttributeNames can only be specified when using expressions")
	}
	if p.Values.Present {
		usable := false
		for _, param := range params {
			usable = usable || param.text != nil && param.name != projectionParameter
		}
		if !usable {
			return nil, invalid("ExpressionAttributeValues can only be specified when using expressions: %s", nullList(valued))
		}
	}
	var values expression.Values
	if p.Values.Present && p.Values.Err == nil {
		values = expression.Values(p.Values.Item)
		if values == nil {
			values = expression.Values{}
		}
	}
	made, err := expression.NewParams(p.Names, values)
	if err != nil {
		return nil, err
	}
	if p.Values.Err != nil {
		return nil, invalidValue(p.Values.Err)
	}
	return made, nil
}

// invalidValue is the answer to an invalid member of ExpressionAttributeValues.
func invalidValue(err error) error {
	var v *value.Error
	if !errors.As(err, &v) {
		return err
	}
	return invalid("ExpressionAttributeValues contains invalid value: %s for key %s", v.Message, v.Key)
}

// conditionOf parses the condition of a write. It returns a nil interface if
// there is none.
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
