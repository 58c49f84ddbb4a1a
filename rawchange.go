// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/internal/exprtext"
)

// RawChange makes changes from the SDK's update builder, for changes that handles cannot express. They combine with typed
// changes; see [RawChangeText] for what is checked.
func RawChange[T any](b expression.UpdateBuilder) UpdateOption[T] {
	e, err := expression.NewBuilder().WithUpdate(b).Build()
	if err != nil {
		return option[*T]{[]*change{{err: fmt.Errorf("raw change: %w", builderError(err))}}}
	}
	return option[*T]{rawChanges(*e.Update(), e.Names(), e.Values(), nil)}
}

// RawChangeText makes changes from the text of an update expression, with its own placeholders:
//
//	ddb.RawChangeText[Order]("SET #t = #t + :n REMOVE note", map[string]string{"#t": "total"}, map[string]any{":n": 3})
//
// The text may contain names without a placeholder, unless they are reserved words. The call that uses the changes refuses
// reserved words, placeholders that are missing or unused, text that is not an update expression, and changes of a key, of
// attributes that the table maintains, and of members of derived attributes. Values are encoded as by the SDK's
// attributevalue.Marshal, and their types are not checked; a types.AttributeValue is used unchanged, and a time.Time is
// refused, see [TimeText].
//
// Changes other than SET of a value and REMOVE, of an attribute or map key, are not sent again after a lost reply, since
// applying them twice may have another effect; see [Table.Update].
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func RawChangeText[T any](text string, names map[string]string, values map[string]any) UpdateOption[T] {
	avs, err := rawValues(values)
	return option[*T]{rawChanges(text, names, avs, err)}
}

// rawValues encodes the values of raw expression text.
func rawValues(values map[string]any) (map[string]types.AttributeValue, error) {
	avs := make(map[string]types.AttributeValue, len(values))
	var errs []error
	for k, v := range values {
		if isTime(v) {
			errs = append(errs, fmt.Errorf("raw expression: value %s is a time, which is stored in several forms: give ddb.TimeText(t), "+
				"or for an attribute with the tag option unixtime t.Unix(), with sdktime t.Format(time.RFC3339Nano)", k))
			continue
		}
		av, isValue := v.(types.AttributeValue)
		var err error
		if !isValue {
			av, err = attributevalue.Marshal(v)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("raw expression: value %s: %w", k, builderError(err)))
		}
		avs[k] = av
	}
	return avs, errors.Join(errs...)
}

func rawChanges(text string, names map[string]string, values map[string]types.AttributeValue, err error) []*change {
	err = errors.Join(err, checkRaw(text, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values))))
	actions, problem := exprtext.ReadUpdate(text, names, values)
	if err = errors.Join(err, problem); err != nil {
		return []*change{{err: err}}
	}
	list := make([]*change, len(actions))
	for i, a := range actions {
		list[i] = &change{clause: a.Clause, action: a.Action, counts: a.Counts}
	}
	return list
}
