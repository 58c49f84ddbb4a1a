// SPDX-License-Identifier: Apache-2.0

package ddb

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/expression"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/dynamotable/ddb/attrtype"
	"github.com/dynamotable/ddb/internal/expr"
	"github.com/dynamotable/ddb/internal/quiet"
)

// Cond is a condition on items of type T: a filter of a query or scan, or the precondition of a write ([If]). Conditions are
// made from handles (status.Eq("open")) and combined by [And], [Or] and [Not], which keep their grouping. The zero Cond is
// no condition: [And] leaves it out, Filter keeps every item, and [If] refuses it, since a missing guard is a mistake.
//
// A condition is an immutable value. A mistake in it, such as a value that cannot
// be stored, is reported by the call that uses it, before anything is sent.
//
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
type Cond[T any] = CondOf[*T]

// CondOf is the type behind [Cond]: Cond[Order] is CondOf[*Order].
type CondOf[P any] struct{ c *condition }

// String returns the condition with attribute names, and a question mark for each value and each key of a map, so it is safe
// to log. In raw conditions every name below an attribute is a question mark, since it may be such a key.
func (c CondOf[P]) String() string { return c.c.text() }

// condition is a [Cond] without its type parameter. A nil condition is the zero Cond. What it holds is behind a further
// pointer, since fmt follows one pointer of a value that does not fit the verb. So a Cond needs no method Format, which each
// package that uses a table would compile four times.
type condition struct{ *conditionParts }

type conditionParts struct {
	node expr.Node
	err  error
}

func newCondition(node expr.Node, err error) *condition {
	c := &struct { // one allocation
		condition
		parts conditionParts
	}{parts: conditionParts{node, err}}
	c.conditionParts = &c.parts
	return &c.condition
}

// parts returns node and error; both are nil for a nil condition.
func (c *condition) parts() (expr.Node, error) {
	if c == nil {
		return nil, nil
	}
	return c.node, c.err
}

func (c *condition) text() string {
	node, _ := c.parts()
	return expr.Describe(node)
}

// untyped returns the conditions without their type parameter.
func untyped[P any](conds []CondOf[P]) []*condition {
	list := make([]*condition, len(conds))
	for i, c := range conds {
		list[i] = c.c
	}
	return list
}

func invalidCond(err error) *condition { return newCondition(nil, err) }

// The functions that follow make the conditions of handles. Values are given by their address.

func compare(h *handle, op string, v any) *condition {
	av, err := encode(h, v)
	if err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.Compare{Left: h.node(), Op: op, Right: expr.Value{AV: av}}, nil)
}

func between(h *handle, low, high any) *condition {
	l, err1 := encode(h, low)
	u, err2 := encode(h, high)
	if err := errors.Join(err1, err2); err != nil {
		return invalidCond(err)
	}
	if err := checkRange(h.path().String(), l, u); err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.Between{Operand: h.node(), Low: expr.Value{AV: l}, High: expr.Value{AV: u}}, nil)
}

// inList takes a pointer to a slice.
func inList(h *handle, values any) *condition {
	if err := h.resolve(); err != nil {
		return invalidCond(err)
	}
	v := reflect.ValueOf(values).Elem()
	n := v.Len()
	if n == 0 || n > 100 {
		return invalidCond(fmt.Errorf("attribute %s: In takes 1 to 100 values, got %d", h.path(), n))
	}
	list := make([]expr.Node, n)
	var errs []error
	for i := range list {
		av, err := encode(h, v.Index(i).Addr().Interface())
		errs = append(errs, err)
		list[i] = expr.Value{AV: av}
	}
	if err := errors.Join(errs...); err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.In{Operand: h.node(), List: list}, nil)
}

func call(h *handle, name string) *condition {
	if err := h.resolve(); err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.Call{Name: name, Args: []expr.Node{h.node()}}, nil)
}

func function(h *handle, name string, v any) *condition {
	av, err := encode(h, v)
	if err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.Call{Name: name, Args: []expr.Node{h.node(), expr.Value{AV: av}}}, nil)
}

func contains(h *handle, element any) *condition {
	av, err := encodeElem(h, element)
	if err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.Call{Name: "contains", Args: []expr.Node{h.node(), expr.Value{AV: av}}}, nil)
}

func isType(h *handle, t attrtype.Type) *condition {
	if err := h.resolve(); err != nil {
		return invalidCond(err)
	}
	name := expr.Value{AV: &types.AttributeValueMemberS{Value: string(t)}}
	return newCondition(expr.Call{Name: "attribute_type", Args: []expr.Node{h.node(), name}}, nil)
}

func sizeIs(h *handle, op string, n int) *condition {
	if err := h.resolve(); err != nil {
		return invalidCond(err)
	}
	size := expr.Call{Name: "size", Args: []expr.Node{h.node()}}
	return newCondition(expr.Compare{Left: size, Op: op, Right: expr.Value{AV: numberValue(int64(n))}}, nil)
}

func equalAttrs(a, b *handle) *condition {
	if err := errors.Join(a.resolve(), b.resolve()); err != nil {
		return invalidCond(err)
	}
	return newCondition(expr.Compare{Left: a.node(), Op: "=", Right: b.node()}, nil)
}

// In is true where the attribute equals one of the values; DynamoDB takes up to 100:
//
//	ddb.In(orderStatus, "open", "paid")
func In[T, V any](attr AttrOf[T, V], values ...V) Cond[T] {
	return Cond[T]{inList(handleOf(attr), &values)}
}

// Exists is true where the item has the attribute, even with the value NULL.
func Exists[T, V any](attr AttrOf[T, V]) Cond[T] {
	return Cond[T]{call(handleOf(attr), "attribute_exists")}
}

// NotExists is true where the item lacks the attribute.
func NotExists[T, V any](attr AttrOf[T, V]) Cond[T] {
	return Cond[T]{call(handleOf(attr), "attribute_not_exists")}
}

// IsType is true where the attribute is stored with the given DynamoDB type.
func IsType[T, V any](attr AttrOf[T, V], t attrtype.Type) Cond[T] {
	return Cond[T]{isType(handleOf(attr), t)}
}

// EqAttr is true where two attributes of the item are equal.
func EqAttr[T, V any](a, b AttrOf[T, V]) Cond[T] {
	return Cond[T]{equalAttrs(handleOf(a), handleOf(b))}
}

// Size returns the size of the attribute, for conditions to compare: UTF-16 code units of text ("é" has 1, an emoji 2),
// bytes of binary, elements of a set, list or map.
//
//	ddb.Size(orderTags).Ge(3)
func Size[T, V any](attr AttrOf[T, V]) SizeOf[T] { return SizeOf[T]{handleOf(attr)} }

// SizeOf compares the size of an attribute; see [Size].
type SizeOf[T any] struct{ h *handle }

// Eq is true where the size is n.
func (s SizeOf[T]) Eq(n int) Cond[T] { return Cond[T]{sizeIs(s.h, "=", n)} }

// Ne is true where the size is not n.
func (s SizeOf[T]) Ne(n int) Cond[T] { return Cond[T]{sizeIs(s.h, "<>", n)} }

// Lt is true where the size is less than n.
func (s SizeOf[T]) Lt(n int) Cond[T] { return Cond[T]{sizeIs(s.h, "<", n)} }

// Le is true where the size is at most n.
func (s SizeOf[T]) Le(n int) Cond[T] { return Cond[T]{sizeIs(s.h, "<=", n)} }

// Gt is true where the size is greater than n.
func (s SizeOf[T]) Gt(n int) Cond[T] { return Cond[T]{sizeIs(s.h, ">", n)} }

// Ge is true where the size is at least n.
func (s SizeOf[T]) Ge(n int) Cond[T] { return Cond[T]{sizeIs(s.h, ">=", n)} }

// And is true where all conditions are. Zero conditions are left out. And of nothing, or only of zero conditions, is the
// zero Cond: as a filter it keeps every item; [If] refuses it.
func And[T any](conds ...Cond[T]) Cond[T] { return Cond[T]{allOf(untyped(conds))} }

// Or is true where at least one condition is. Zero conditions are left out. Or of nothing, or only of zero conditions, would
// be false for every item. DynamoDB has no such condition, so the call that uses it refuses it. If your list of conditions
// is empty, do not make the call.
func Or[T any](conds ...Cond[T]) Cond[T] { return Cond[T]{anyOf(untyped(conds))} }

// Not is true where the condition is not. Not of the zero Cond would be false for every item, and is refused like [Or] of
// nothing.
func Not[T any](c Cond[T]) Cond[T] { return Cond[T]{notOf(c.c)} }

func allOf(conds []*condition) *condition {
	nodes, err := nodesOf(conds)
	if len(nodes) == 0 && err == nil {
		return nil
	}
	return newCondition(expr.All(nodes...), err)
}

func anyOf(conds []*condition) *condition {
	nodes, err := nodesOf(conds)
	if len(nodes) == 0 {
		err = errors.Join(err, errors.New("an Or of no conditions, which would hold for no item: leave the call out when the list is empty"))
	}
	node := expr.Any(nodes...)
	return newCondition(node, errors.Join(err, expr.Check(node)))
}

func notOf(c *condition) *condition {
	node, err := c.parts()
	if node == nil {
		return invalidCond(errors.Join(err, errors.New("a Not of no condition, which would hold for no item")))
	}
	return newCondition(expr.Not{Term: node}, err)
}

// guardOf is [And] of conditions that must not be zero: a missing guard would let everything through.
func guardOf(of string, conds []*condition) *condition {
	if len(conds) == 1 && conds[0] != nil && conds[0].node != nil {
		return conds[0]
	}
	nodes, err := nodesOf(conds)
	if len(conds) == 0 {
		err = errors.Join(err, fmt.Errorf("%s without a condition, which would let everything through", of))
	}
	for i, cond := range conds {
		if node, wrong := cond.parts(); node == nil && wrong == nil {
			err = errors.Join(err, fmt.Errorf("condition %d of %s is empty (the zero Cond or an And of nothing) and would let everything through", i+1, of))
		}
	}
	return newCondition(expr.All(nodes...), err)
}

func nodesOf(conds []*condition) ([]expr.Node, error) {
	nodes := make([]expr.Node, 0, len(conds))
	var errs []error
	for _, c := range conds {
		node, err := c.parts()
		if err != nil {
			errs = append(errs, err)
		}
		if node != nil {
			nodes = append(nodes, node)
		}
	}
	return nodes, errors.Join(errs...)
}

// Raw makes a condition from the SDK's expression builder, for conditions that handles cannot express. Its names and values
// get their own placeholders, so it combines with typed conditions.
func Raw[T any](b expression.ConditionBuilder) Cond[T] { return Cond[T]{rawCond(b)} }

func rawCond(b expression.ConditionBuilder) *condition {
	e, err := expression.NewBuilder().WithCondition(b).Build()
	if err != nil {
		return invalidCond(fmt.Errorf("raw condition: %w", builderError(err)))
	}
	return newCondition(expr.Text{Text: *e.Condition(), Names: e.Names(), Values: e.Values()}, nil)
}

// RawText makes a condition from expression text with its own placeholders:
//
//	ddb.RawText[Order]("size(#t) > :n", map[string]string{"#t": "tags"}, map[string]any{":n": 3})
//
// The text may contain names without a placeholder, unless they are reserved words. The call that uses the condition refuses
// reserved words, and placeholders that are missing or unused. Values are encoded as by the SDK's attributevalue.Marshal; a
// types.AttributeValue is used unchanged. A time.Time is refused, since its stored form depends on the attribute that it is
// compared with: pass [TimeText], or the form that the attribute's tag says.
func RawText[T any](text string, names map[string]string, values map[string]any) Cond[T] {
	return Cond[T]{rawText(text, names, values)}
}

func rawText(text string, names map[string]string, values map[string]any) *condition {
	avs, err := rawValues(values)
	err = errors.Join(checkRaw(text, slices.Collect(maps.Keys(names)), slices.Collect(maps.Keys(values))), err)
	return newCondition(expr.Text{Text: text, Names: names, Values: avs}, err)
}

// builderError returns an error of the SDK's expression builder or encoder. If its text may quote a value, only its type is
// shown.
func builderError(err error) error {
	if errors.As(err, new(expression.UnsetParameterError)) || errors.As(err, new(expression.InvalidParameterError)) {
		return err
	}
	return quiet.New(fmt.Sprintf("the SDK refuses it with a %T", err), err)
}
