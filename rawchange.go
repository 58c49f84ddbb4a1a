// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/dynamotable/ddb/internal/handle"
)

// RawChange makes changes from the SDK's update builder, for changes that handles cannot express. They combine with typed
// changes; see [RawChangeText] for what is checked.
func RawChange[T any](b expression.UpdateBuilder) UpdateOption[T] {
	e, err := expression.NewBuilder().WithUpdate(b).Build()
	if err != nil {
		return option[*T]{[]*handle.Change{{Err: fmt.Errorf("raw change: %w", handle.BuilderError(err))}}}
	}
	return option[*T]{handle.RawChanges(*e.Update(), e.Names(), e.Values(), nil)}
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
	avs, err := handle.RawValues(values)
	return option[*T]{handle.RawChanges(text, names, avs, err)}
}
