// SPDX-License-Identifier: Apache-2.0

// Package rawexpr has conditions and changes that the handles of package ddb cannot express, as text of DynamoDB's expression
// language or made by the SDK's expression package:
//
//	_, err := orders.Update(ctx, key,
//		rawexpr.ChangeText[Order]("SET #t = #t + :n", map[string]string{"#t": "total"}, map[string]any{":n": 5}),
//		ddb.If(rawexpr.CondText[Order]("size(#t) > :n", map[string]string{"#t": "tags"}, map[string]any{":n": 2})))
//
// Neither the compiler nor the table knows the attributes of such an expression.
package rawexpr

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"

	"github.com/dynamotable/ddb"
	"github.com/dynamotable/ddb/internal/handle"
)

// Cond makes a condition from the SDK's expression builder, for conditions that handles cannot express. Its names and values
// get their own placeholders, so it combines with typed conditions.
func Cond[T any](b expression.ConditionBuilder) ddb.Cond[T] {
	return ddb.Cond[T](handle.CondOf(handle.RawCond(b)))
}

// CondText makes a condition from expression text with its own placeholders:
//
//	rawexpr.CondText[Order]("size(#t) > :n", map[string]string{"#t": "tags"}, map[string]any{":n": 3})
//
// The text may contain names without a placeholder, unless they are reserved words. The call that uses the condition refuses
// reserved words, and placeholders that are missing or unused. Values are encoded as by the SDK's attributevalue.Marshal; a
// types.AttributeValue is used unchanged. A time.Time is refused, since its stored form depends on the attribute that it is
// compared with: pass typeditem.TimeText, or the form that the attribute's tag says.
func CondText[T any](text string, names map[string]string, values map[string]any) ddb.Cond[T] {
	return ddb.Cond[T](handle.CondOf(handle.RawText(text, names, values)))
}

// Change makes changes from the SDK's update builder, for changes that handles cannot express. They combine with typed
// changes; see [ChangeText] for what is checked.
func Change[T any](b expression.UpdateBuilder) ddb.UpdateOption[T] {
	e, err := expression.NewBuilder().WithUpdate(b).Build()
	if err != nil {
		return changes[*T]{{Err: fmt.Errorf("raw change: %w", handle.BuilderError(err))}}
	}
	return changes[*T](handle.RawChanges(*e.Update(), e.Names(), e.Values(), nil))
}

// ChangeText makes changes from the text of an update expression, with its own placeholders:
//
//	rawexpr.ChangeText[Order]("SET #t = #t + :n REMOVE note", map[string]string{"#t": "total"}, map[string]any{":n": 3})
//
// The text may contain names without a placeholder, unless they are reserved words. The call that uses the changes refuses
// reserved words, placeholders that are missing or unused, text that is not an update expression, and changes of a key, of
// attributes that the table maintains, and of members of derived attributes. Values are encoded as by the SDK's
// attributevalue.Marshal, and their types are not checked; a types.AttributeValue is used unchanged, and a time.Time is
// refused, see typeditem.TimeText.
//
// Changes other than SET of a value and REMOVE, of an attribute or map key, are not sent again after a lost reply, since
// applying them twice may have another effect; see [ddb.Table.Update].
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
func ChangeText[T any](text string, names map[string]string, values map[string]any) ddb.UpdateOption[T] {
	avs, err := handle.RawValues(values)
	return changes[*T](handle.RawChanges(text, names, avs, err))
}

// changes are changes of items of type P.
type changes[P any] []*handle.Change

// ChangeOrIf makes it a [ddb.UpdateOption].
func (c changes[P]) ChangeOrIf(P) any { return []*handle.Change(c) }
